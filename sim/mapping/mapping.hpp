// Mapping: the tiled loop nest of a problem on the levels of a chip.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "arch_models/chip.hpp"
#include "workloads/problem.hpp"

namespace tilewright {

enum class LoopKind { temporal, spatial_x, spatial_y };

/// One loop. Bounds need not divide: the last tile is clipped at the problem's bound.
struct Loop {
  int dim = 0;
  std::int64_t bound = 1;
  LoopKind kind = LoopKind::temporal;
  friend bool operator==(const Loop&, const Loop&) = default;
};

/// The loops between this level and the next inner one, outermost first, and which operands the level keeps.
struct LevelMapping {
  std::vector<Loop> loops;
  std::vector<bool> keeps;  // per operand of the problem
  friend bool operator==(const LevelMapping&, const LevelMapping&) = default;
};

/// Levels outermost first, as many as the chip has. Level 0 keeps every operand.
struct Mapping {
  std::vector<LevelMapping> levels;
  friend bool operator==(const Mapping&, const Mapping&) = default;
};

/// Extents per dim of the tile that one instance of `level` works on: the loops at `level` and inside it, clipped.
/// level == levels.size(): one point.
std::vector<std::int64_t> tile_extents(const Problem& problem, const Mapping& mapping, std::size_t level);

/// Why a mapping cannot run. `level` is the chip's name of the level.
struct Infeasible {
  std::string level;
  std::string reason;                // one sentence with the numbers
  double needed = 0, available = 0;  // bytes, or instances
  std::string remedy;                // the smallest change that would fit, where one is known
};

/// Bytes of all operands kept at a level for the tile of one instance (packed words of each operand's type).
std::int64_t tile_bytes(const Problem& problem, const Mapping& mapping, std::size_t level);

/// Bytes that the tiles of one instance take up at a level: `tile_bytes`, and twice what changes in time in a double-buffered level.
std::int64_t occupied_bytes(const Problem& problem, const Mapping& mapping, const Chip& chip, std::size_t level);

/// Structure (level and operand counts, dims, bounds >= 1, each loop bound <= ceil of what is left, full cover of each dim), spatial
/// products within fan-outs, tiles within capacity (half of it when double buffered, only for operands with a temporal loop outside).
std::expected<void, Infeasible> check(const Problem& problem, const Mapping& mapping, const Chip& chip);

/// The trivial mapping: every loop temporal at the outermost level. Legal on every chip whose inner levels hold one word of each operand.
Mapping trivial_mapping(const Problem& problem, const Chip& chip, const std::vector<std::vector<bool>>& keeps);

/// The loop nest as indented code, one line a loop, levels named.
std::string to_code(const Problem& problem, const Mapping& mapping, const Chip& chip);

}  // namespace tilewright
