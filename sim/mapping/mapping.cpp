#include "sim/mapping/mapping.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "sim/mapping/stored_words.hpp"

namespace tilewright {
namespace {

Infeasible fault(std::string level, std::string reason, double needed = 0, double available = 0) {
  return {std::move(level), std::move(reason), needed, available, {}};
}

std::string level_name(const Chip& chip, std::size_t level) {
  return level < chip.levels.size() ? chip.levels[level].name : fmt::format("level {}", level);
}

std::int64_t packed_bytes(const Operand& operand, std::int64_t words) {
  return ceil_div(checked_mul(words, bits(operand.type)), 8);
}

/// True if a temporal loop outside `level` moves the operand, so that its tile there changes in time.
bool changes_in_time(const Operand& operand, const Mapping& mapping, std::size_t level) {
  for (std::size_t l = 0; l < level; ++l) {
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.kind == LoopKind::temporal && loop.bound > 1 && relevant(operand, loop.dim)) return true;
    }
  }
  return false;
}

/// True if sums of the output arrive at `level` (which keeps it) before all their terms are in: a reduced dim runs on outside the
/// innermost temporal loop that changes the tile of the next inner keeper, or over the instances of the level itself.
bool receives_partial_sums(const Problem& problem, const Mapping& mapping, std::size_t level) {
  const std::size_t o = problem.operands.size() - 1;
  std::vector<int> uses(problem.dims.size(), 0);
  for (const Axis& axis : problem.operands[o].axes) {
    if (axis.size() > 1) return true;  // windows of the result overlap
    for (const Term& term : axis) {
      if (++uses[static_cast<std::size_t>(term.dim)] > 1) return true;
    }
  }
  std::size_t child = level + 1;
  while (child < mapping.levels.size() && !mapping.levels[child].keeps[o]) ++child;
  const bool lanes = child == mapping.levels.size();  // every step adds one term
  bool reduced = false, outside_moving = false;
  for (std::size_t l = 0; l < child; ++l) {
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.bound <= 1) continue;
      const bool moves = relevant(problem.operands[o], loop.dim);
      if (loop.kind != LoopKind::temporal) {
        if (!moves && l < level) return true;
      } else if (moves) {
        outside_moving = reduced;
      } else {
        reduced = true;
      }
    }
  }
  return lanes ? reduced : outside_moving;
}

/// Bytes of one operand's tile at a level, in the level's format.
std::int64_t stored_bytes(const Problem& problem, const Mapping& mapping, const Chip& chip, std::size_t level,
                          std::size_t o, std::int64_t words) {
  const Operand& operand = problem.operands[o];
  const bool sums = operand.role == Role::output && chip.accumulator;
  if (sums && receives_partial_sums(problem, mapping, level)) {
    return ceil_div(checked_mul(words, static_cast<std::int64_t>(partial_bits(operand, chip))), 8);
  }
  if (chip.levels[level].stored[static_cast<int>(operand.role)].format == StorageFormat::dense) {
    return packed_bytes(operand, words);
  }
  const double bytes = static_cast<double>(words) * stored_bits(problem, operand, chip.levels[level]) / 8;
  if (bytes > 9e18) throw OverflowError("a tile of more than 9e18 bytes");
  return static_cast<std::int64_t>(std::ceil(bytes));
}

std::expected<void, Infeasible> check_structure(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  if (mapping.levels.size() != chip.levels.size()) {
    return std::unexpected(
        fault("", fmt::format("the mapping has {} levels, the chip {}", mapping.levels.size(), chip.levels.size())));
  }
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const LevelMapping& level = mapping.levels[l];
    if (level.keeps.size() != problem.operands.size()) {
      return std::unexpected(fault(level_name(chip, l), fmt::format("keeps has {} entries for {} operands",
                                                                    level.keeps.size(), problem.operands.size())));
    }
    for (std::size_t o = 0; o < level.keeps.size(); ++o) {
      const Operand& operand = problem.operands[o];
      if (l == 0 && !level.keeps[o]) {
        return std::unexpected(
            fault(level_name(chip, l), fmt::format("the outermost level must keep {}", operand.name)));
      }
      if (l > 0 && level.keeps[o] && !chip.levels[l].keeps[static_cast<int>(operand.role)]) {
        return std::unexpected(fault(level_name(chip, l), fmt::format("the level cannot store {}", operand.name)));
      }
    }
  }
  std::vector<std::int64_t> inside(problem.dims.size(), 1);  // tile below the loop, not clipped
  for (std::size_t l = mapping.levels.size(); l-- > 0;) {
    const std::vector<Loop>& loops = mapping.levels[l].loops;
    for (std::size_t i = loops.size(); i-- > 0;) {
      const Loop& loop = loops[i];
      if (loop.dim < 0 || static_cast<std::size_t>(loop.dim) >= problem.dims.size()) {
        return std::unexpected(
            fault(level_name(chip, l), fmt::format("a loop names dim {} of {}", loop.dim, problem.dims.size())));
      }
      const std::size_t d = static_cast<std::size_t>(loop.dim);
      const Dim& dim = problem.dims[d];
      const std::int64_t most = ceil_div(dim.bound, inside[d]);
      if (loop.bound < 1 || loop.bound > most) {
        return std::unexpected(fault(level_name(chip, l),
                                     fmt::format("loop {}={} is outside 1 to {} (bound {}, tile below {})", dim.name,
                                                 loop.bound, most, dim.bound, inside[d]),
                                     static_cast<double>(loop.bound), static_cast<double>(most)));
      }
      inside[d] = checked_mul(inside[d], loop.bound);
    }
  }
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (inside[d] < problem.dims[d].bound) {
      return std::unexpected(fault(
          "", fmt::format("the loops of {} cover {} of {}", problem.dims[d].name, inside[d], problem.dims[d].bound),
          static_cast<double>(problem.dims[d].bound), static_cast<double>(inside[d])));
    }
  }
  return {};
}

std::string axis_code(const Problem& problem, const Axis& axis) {
  std::string text;
  for (const Term& term : axis) {
    if (!text.empty()) text += " + ";
    if (term.coefficient != 1) text += fmt::format("{}*", term.coefficient);
    text += problem.dims[static_cast<std::size_t>(term.dim)].name;
  }
  return text.empty() ? "0" : text;
}

std::string operand_code(const Problem& problem, const Operand& operand) {
  std::string text = operand.name + "[";
  for (std::size_t a = 0; a < operand.axes.size(); ++a) {
    if (a > 0) text += ", ";
    text += axis_code(problem, operand.axes[a]);
  }
  return text + "]";
}

std::string body_code(const Problem& problem) {
  std::string arguments;
  std::string result = "?";
  for (const Operand& operand : problem.operands) {
    if (operand.role == Role::output) {
      result = operand_code(problem, operand);
      continue;
    }
    if (!arguments.empty()) arguments += problem.compute == Compute::mac ? " * " : ", ";
    arguments += operand_code(problem, operand);
  }
  if (problem.compute == Compute::mac) return fmt::format("{} += {}", result, arguments);
  return fmt::format("{} = f({})", result, arguments);
}

}  // namespace

std::vector<std::int64_t> tile_extents(const Problem& problem, const Mapping& mapping, std::size_t level) {
  std::vector<std::int64_t> extents(problem.dims.size(), 1);
  for (std::size_t l = level; l < mapping.levels.size(); ++l) {
    for (const Loop& loop : mapping.levels[l].loops) {
      std::int64_t& extent = extents[static_cast<std::size_t>(loop.dim)];
      extent = checked_mul(extent, loop.bound);
    }
  }
  for (std::size_t d = 0; d < extents.size(); ++d) extents[d] = std::min(extents[d], problem.dims[d].bound);
  return extents;
}

std::int64_t tile_bytes(const Problem& problem, const Mapping& mapping, std::size_t level) {
  const std::vector<std::int64_t> extents = tile_extents(problem, mapping, level);
  std::int64_t total = 0;
  for (std::size_t o = 0; o < problem.operands.size(); ++o) {
    if (!mapping.levels[level].keeps[o]) continue;
    total = checked_add(total, packed_bytes(problem.operands[o], box_words(problem.operands[o], extents)));
  }
  return total;
}

std::int64_t occupied_bytes(const Problem& problem, const Mapping& mapping, const Chip& chip, std::size_t level) {
  const std::vector<std::int64_t> extents = tile_extents(problem, mapping, level);
  std::int64_t total = 0;
  for (std::size_t o = 0; o < problem.operands.size(); ++o) {
    const Operand& operand = problem.operands[o];
    if (!mapping.levels[level].keeps[o] || (level == 0 && operand.on_chip)) continue;
    const std::int64_t bytes = stored_bytes(problem, mapping, chip, level, o, box_words(operand, extents));
    const bool twice = chip.levels[level].double_buffered && changes_in_time(operand, mapping, level);
    total = checked_add(total, checked_mul(bytes, twice ? 2 : 1));
  }
  return total;
}

std::expected<void, Infeasible> check(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  if (const auto structure = check_structure(problem, mapping, chip); !structure) return structure;
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const BufferLevel& level = chip.levels[l];
    std::int64_t used_x = 1, used_y = 1;
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.kind == LoopKind::spatial_x) used_x = checked_mul(used_x, loop.bound);
      if (loop.kind == LoopKind::spatial_y) used_y = checked_mul(used_y, loop.bound);
    }
    if (used_x > level.fanout_x || used_y > level.fanout_y) {
      const bool x = used_x > level.fanout_x;
      const std::int64_t used = x ? used_x : used_y;
      const std::int64_t fanout = x ? level.fanout_x : level.fanout_y;
      Infeasible why =
          fault(level.name,
                fmt::format("spatial loops use {} instances along {}, the fan-out is {}", used, x ? "x" : "y", fanout),
                static_cast<double>(used), static_cast<double>(fanout));
      why.remedy = fmt::format("{} more instances along {} under {}", used - fanout, x ? "x" : "y", level.name);
      return std::unexpected(std::move(why));
    }
  }
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const BufferLevel& level = chip.levels[l];
    if (!level.capacity) continue;
    const std::int64_t needed = occupied_bytes(problem, mapping, chip, l);
    if (static_cast<double>(needed) > level.capacity->value) {
      const double missing = static_cast<double>(needed) - level.capacity->value;
      Infeasible why =
          fault(level.name,
                fmt::format("the tiles need {} B{}, the capacity is {} B: {} B too much", needed,
                            level.double_buffered ? " (double buffered)" : "", level.capacity->value, missing),
                static_cast<double>(needed), level.capacity->value);
      why.remedy = fmt::format("a capacity of {} B at {} (+{} B) would hold them", needed, level.name, missing);
      return std::unexpected(std::move(why));
    }
  }
  return {};
}

Mapping trivial_mapping(const Problem& problem, const Chip& chip, const std::vector<std::vector<bool>>& keeps) {
  Mapping mapping;
  mapping.levels.resize(chip.levels.size());
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) mapping.levels[l].keeps = keeps[l];
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].bound == 1) continue;
    mapping.levels.front().loops.push_back({static_cast<int>(d), problem.dims[d].bound, LoopKind::temporal});
  }
  return mapping;
}

std::string to_code(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  std::string code;
  std::size_t depth = 0;
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    std::string kept;
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      if (!mapping.levels[l].keeps[o] || (l == 0 && problem.operands[o].on_chip)) continue;
      if (!kept.empty()) kept += ", ";
      kept += problem.operands[o].name;
    }
    code += fmt::format("{:{}}// {}: {}\n", "", 2 * depth, level_name(chip, l), kept.empty() ? "bypassed" : kept);
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.bound == 1) continue;
      const std::string& dim = problem.dims[static_cast<std::size_t>(loop.dim)].name;
      const char* word = loop.kind == LoopKind::temporal    ? "for"
                         : loop.kind == LoopKind::spatial_x ? "parallel x"
                                                            : "parallel y";
      code += fmt::format("{:{}}{} {} in 0..{}\n", "", 2 * depth, word, dim, loop.bound);
      ++depth;
    }
  }
  return code + fmt::format("{:{}}{}\n", "", 2 * depth, body_code(problem));
}

}  // namespace tilewright
