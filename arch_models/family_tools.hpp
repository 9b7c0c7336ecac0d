// What all families share: dims by the operands they move, the vector path, the common keys of the `compute` map.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arch_models/family.hpp"

namespace tilewright {

/// Dims of a contraction by what they move. A is the streamed operand (activations), B the stationary one (weights, or
/// the second factor of a product of two activations).
struct DimGroups {
  std::vector<int> m;      // in the result, not in B: output pixels, rows of a product
  std::vector<int> n;      // in the result and in B, not in A: output channels, columns of a product
  std::vector<int> batch;  // in the result, in A and in B: groups, batched products
  std::vector<int> k;      // not in the result: reduced
};

/// Position of the operand that plays the weights: role weight, else the second input, else -1.
int stationary_operand(const Problem& problem);
/// Position of the first operand that is neither the stationary one nor the result, else -1.
int streamed_operand(const Problem& problem);
DimGroups group_dims(const Problem& problem);

/// Product over `dims` of the problem's bounds (OverflowError above 64 bits), or of one vector of extents.
std::int64_t bound_product(const Problem& problem, const std::vector<int>& dims);
std::int64_t extent_product(const std::vector<std::int64_t>& extents, const std::vector<int>& dims);
/// Product of all entries.
std::int64_t extent_product(const std::vector<std::int64_t>& extents);

/// All dims that move the result; all dims of a fused operator whose results are consumed where they are made.
std::vector<int> output_dims(const Problem& problem);

/// Reduced dims that share an axis of the streamed operand with a dim of the result: filter rows and columns.
std::vector<int> window_dims(const Problem& problem);

/// Rules without any unrolling: keeps from the chip's levels by role (the stationary operand goes the weights' way), level 0 keeps all.
MapRules plain_rules(const Chip& chip, const Problem& problem);
/// Lets `dims` unroll over both axes of every level above `level` that has a fan-out.
void spread_over_chip(MapRules& rules, const Chip& chip, int level, const std::vector<int>& dims);

/// The wider of the formats of the operands (result excluded), as the chip runs it.
DataType compute_type(const Chip& chip, const Problem& problem);
/// What one lane does with the operands of a MAC problem. Precondition: the chip came from load_chip.
const Arithmetic& arithmetic_of(const Chip& chip, const Problem& problem);
/// One event per multiply-accumulate (dense; energy of the format in which the chip runs it).
Event mac_event(const Chip& chip, const Problem& problem);

/// Vector path: cycles = ops / (ops_per_cycle x width factor), width factor = 32 / bits of the widest operand where the unit
/// scales (narrow SIMD elements), else at most 1; the energy of an operation scales alike. At least one cycle: a problem without
/// arithmetic (data movement) still issues one operation per point.
ComputeCost vector_cost(const Chip& chip, const Problem& problem);

/// Reads `precisions: {type: MACs per cycle}` (value x `scale` lanes' worth) and the optional `mac_energy: {type: {value, source}}`.
/// Without mac_energy the chip's energy table is asked for the type, then for the next wider type it has. InputError when none has it.
/// `event` (neuromorphic): the energy and source of the event that stands for a MAC; then no table is asked.
void read_precisions(const Value& compute, Chip& chip, double scale,
                     const std::optional<std::pair<Joules, std::string>>& event = {});
/// Sets the vector unit where the chip file gave none: `ops_per_cycle`, and 0.2 x the fp32 MAC energy per operation
/// (Horowitz, ISSCC 2014: fp32 add 0.9 pJ of multiply + add 4.6 pJ).
void default_vector(Chip& chip, double ops_per_cycle, const char* source);

/// An integer of the `compute` map with a default.
std::int64_t int_or(const Value& map, std::string_view key, std::int64_t otherwise, std::int64_t least,
                    std::int64_t most);

}  // namespace tilewright
