#include "sim/mapping/fitted.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace tilewright {
namespace {

bool same_shape(const Mapping& mapping, const Problem& problem, const Chip& chip) {
  if (mapping.levels.size() != chip.levels.size()) return false;
  return std::all_of(mapping.levels.begin(), mapping.levels.end(), [&](const LevelMapping& level) {
    return level.keeps.size() == problem.operands.size() &&
           std::all_of(level.loops.begin(), level.loops.end(),
                       [&](const Loop& loop) { return static_cast<std::size_t>(loop.dim) < problem.dims.size(); });
  });
}

/// What an unrolled loop may take of its fan-out beside the other loops of the axis.
std::int64_t room(const Loop& loop, const std::vector<Loop>& loops, const BufferLevel& level) {
  std::int64_t others = 1;
  for (const Loop& other : loops) {
    if (&other != &loop && other.kind == loop.kind) others = checked_mul(others, other.bound);
  }
  return std::max<std::int64_t>(1, (loop.kind == LoopKind::spatial_x ? level.fanout_x : level.fanout_y) / others);
}

void unroll(Mapping& mapping, const Problem& problem, const Chip& chip) {
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    std::vector<Loop>& loops = mapping.levels[l].loops;
    for (Loop& loop : loops) {
      if (loop.kind == LoopKind::temporal) continue;
      const std::int64_t most =
          std::min(room(loop, loops, chip.levels[l]), problem.dims[static_cast<std::size_t>(loop.dim)].bound);
      if (most < loop.bound || most >= 2 * loop.bound) loop.bound = most;
    }
  }
}

/// Bounds from the inside out, none longer than what is left of its dim; the outermost level runs over the rest.
void cover(Mapping& mapping, const Problem& problem) {
  std::vector<Loop>& outer = mapping.levels.front().loops;
  std::vector<Loop*> rest(problem.dims.size(), nullptr);
  for (Loop& loop : outer) {
    Loop*& first = rest[static_cast<std::size_t>(loop.dim)];
    if (loop.kind == LoopKind::temporal && first == nullptr) first = &loop;
  }
  std::vector<std::int64_t> inside(problem.dims.size(), 1);
  for (std::size_t l = mapping.levels.size(); l-- > 0;) {
    std::vector<Loop>& loops = mapping.levels[l].loops;
    for (std::size_t i = loops.size(); i-- > 0;) {
      Loop& loop = loops[i];
      const auto d = static_cast<std::size_t>(loop.dim);
      const std::int64_t left = ceil_div(problem.dims[d].bound, inside[d]);
      loop.bound = &loop == rest[d] ? left : std::min(loop.bound, left);
      inside[d] = checked_mul(inside[d], loop.bound);
    }
  }
  std::vector<Loop> added;
  for (std::size_t d = 0; d < inside.size(); ++d) {
    if (inside[d] < problem.dims[d].bound)
      added.push_back({static_cast<int>(d), ceil_div(problem.dims[d].bound, inside[d]), LoopKind::temporal});
  }
  outer.insert(outer.begin(), added.begin(), added.end());
}

/// The longest loop in time of the tile at a level or of a tile inside it; null: every one is down to 1.
Loop* longest(Mapping& mapping, std::size_t level) {
  Loop* found = nullptr;
  for (std::size_t l = std::max<std::size_t>(level, 1); l < mapping.levels.size(); ++l) {
    for (Loop& loop : mapping.levels[l].loops) {
      if (loop.kind == LoopKind::temporal && loop.bound > 1 && (found == nullptr || loop.bound > found->bound))
        found = &loop;
    }
  }
  return found;
}

}  // namespace

std::optional<Mapping> fitted(Mapping mapping, const Problem& problem, const Chip& chip) {
  if (!same_shape(mapping, problem, chip)) return std::nullopt;
  unroll(mapping, problem, chip);
  cover(mapping, problem);
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    const auto& capacity = chip.levels[l].capacity;
    while (capacity && static_cast<double>(occupied_bytes(problem, mapping, chip, l)) > capacity->value) {
      Loop* loop = longest(mapping, l);
      if (loop == nullptr) return std::nullopt;
      loop->bound = ceil_div(loop->bound, 2);
      cover(mapping, problem);
    }
  }
  if (!check(problem, mapping, chip)) return std::nullopt;
  return mapping;
}

}  // namespace tilewright
