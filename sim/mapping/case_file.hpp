// Files that give a mapping: `tilewright evaluate CASE.yaml`, and reference cases with expected counts.
#pragma once

#include <string>
#include <vector>

#include "sim/mapping/mapping.hpp"

namespace tilewright {

/// problem, chip and mapping of one file. YAML:
///   problem: {dims: {M: 4, N: 6, K: 8}, operands: [{name: A, role: input, type: int8, axes: ["M", "K"]}, ...,
///             {name: In, role: input, axes: ["C", "2*P + R"]}, {name: Z, role: output, axes: [M, N]}]}
///   chip: library-name | path (beside the case file first, then from the working folder)
///   mapping: [{level: DRAM, keeps: [A, B, Z], loops: ["M=2", "N=3 @x"]}, ...]   # @x / @y: spatial
/// A problem may say `compute: vector` and `ops_per_point: 4`, an operand `on_chip: true` (never leaves the chip).
/// `name` is optional (the file has it from its stem), `type` defaults to fp32, `density` to 1 (0.5: zeros anywhere; "2:4": 2 non-zeros of every 4), `keeps` to all operands that the level can store; a level left
/// out keeps nothing and has no loops. InputError: unknown dim, level, operand or key, loop or axis syntax, loops that do not cover a dim.
struct Case {
  std::string name;
  Problem problem;
  Chip chip;
  Mapping mapping;
};
Case load_case(const std::string& path);

/// The text of a case file for a mapping; `chip` as load_case shall find it. Reading it back gives the same counts, time and energy.
std::string case_file_text(const std::string& name, const Problem& problem, const Mapping& mapping, const Chip& chip,
                           const std::string& chip_name);

}  // namespace tilewright
