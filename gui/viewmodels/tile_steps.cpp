#include "gui/viewmodels/tile_steps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "workloads/data_type.hpp"

namespace tilewright::gui {
namespace {

using Range = TileSchedule::Range;

/// A level and all inside it, as a problem of its own.
struct Nest {
  Problem problem;
  Mapping mapping;
};

Nest nest_from(const Evaluation& evaluation, std::size_t level) {
  Nest nest{evaluation.problem, {}};
  nest.mapping.levels.assign(evaluation.mapping.levels.begin() + static_cast<std::ptrdiff_t>(level),
                             evaluation.mapping.levels.end());
  if (level == 0) return nest;
  const std::vector<std::int64_t> extents = tile_extents(evaluation.problem, evaluation.mapping, level);
  for (std::size_t d = 0; d < extents.size(); ++d) nest.problem.dims[d].bound = extents[d];
  // What the level does not keep comes through it from outside.
  nest.mapping.levels.front().keeps.assign(nest.problem.operands.size(), true);
  for (Operand& operand : nest.problem.operands) operand.on_chip = false;
  return nest;
}

std::string axis_name(const Axis& axis, const Problem& problem) {
  std::string text;
  for (const Term& term : axis) {
    if (!text.empty()) text += '+';
    if (term.coefficient != 1) text += std::to_string(term.coefficient);
    text += problem.dims[static_cast<std::size_t>(term.dim)].name;
  }
  return text.empty() ? "1" : text;
}

/// Positions along an axis for the given indices, counted from its first.
Range along(const Axis& axis, const std::vector<Range>& ranges, const Problem& problem) {
  Range at{0, 1};
  for (const Term& term : axis) {
    const auto d = static_cast<std::size_t>(term.dim);
    if (ranges[d].high == ranges[d].low) return {0, 0};
    const std::int64_t by = std::abs(term.coefficient), last = problem.dims[d].bound - 1;
    const bool forward = term.coefficient >= 0;
    at.low += by * (forward ? ranges[d].low : last - (ranges[d].high - 1));
    at.high += by * (forward ? ranges[d].high - 1 : last - ranges[d].low);
  }
  return at;
}

TensorShape shape_of(const Operand& operand, const Problem& problem) {
  TensorShape shape{operand.name, operand.role, {}, {}, 0, 0};
  std::vector<Range> whole;
  for (const Dim& dim : problem.dims) whole.push_back({0, dim.bound});
  for (const Axis& axis : operand.axes) {
    shape.axes.push_back(axis_name(axis, problem));
    shape.sizes.push_back(along(axis, whole, problem).high);
  }
  if (shape.sizes.size() < 2) return shape;
  std::vector<std::size_t> order(shape.sizes.size());
  for (std::size_t a = 0; a < order.size(); ++a) order[a] = a;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return shape.sizes[a] > shape.sizes[b]; });
  shape.down = std::min(order[0], order[1]);
  shape.across = std::max(order[0], order[1]);
  return shape;
}

/// What an instance of a level has in use while a step works on `ranges`.
std::int64_t words_in_use(const Nest& nest, std::size_t level, const Operand& operand,
                          const std::vector<Range>& ranges) {
  std::vector<std::int64_t> extents = tile_extents(nest.problem, nest.mapping, level);
  for (std::size_t d = 0; d < extents.size(); ++d) {
    extents[d] = std::min(extents[d], ranges[d].high - ranges[d].low);
    if (extents[d] == 0) return 0;
  }
  return box_words(operand, extents);
}

TileStep step_of(const Nest& nest, const TileSchedule& schedule, const TileStep* before) {
  TileStep step;
  step.ranges = schedule.ranges();
  const AccessCounts& moved = schedule.moved();
  step.points = moved.points;
  step.points_so_far = moved.points + (before == nullptr ? 0 : before->points_so_far);
  for (std::size_t o = 0; o < nest.problem.operands.size(); ++o) {
    std::vector<Range> box;
    for (const Axis& axis : nest.problem.operands[o].axes) box.push_back(along(axis, step.ranges, nest.problem));
    step.stays.push_back(before != nullptr && before->boxes[o] == box);
    step.boxes.push_back(std::move(box));
  }
  for (std::size_t l = 0; l < moved.levels.size(); ++l) {
    std::vector<HeldTile> row;
    for (std::size_t o = 0; o < moved.levels[l].size(); ++o) {
      const OperandAccesses& from = moved.levels[l][o];
      const Operand& operand = nest.problem.operands[o];
      HeldTile held;
      held.kept = nest.mapping.levels[l].keeps[o];
      if (held.kept) held.words = words_in_use(nest, l, operand, step.ranges);
      held.bytes = static_cast<double>(held.words) * bits(operand.type) / 8;
      held.in = from.fills;
      held.fresh = held.in > 0 || (operand.role == Role::output && !step.stays[o]);
      held.out = from.drains;
      held.inside = from.reads + from.updates;
      held.in_so_far = held.in + (before == nullptr ? 0 : before->held[l][o].in_so_far);
      held.inside_so_far = held.inside + (before == nullptr ? 0 : before->held[l][o].inside_so_far);
      row.push_back(held);
    }
    step.held.push_back(std::move(row));
  }
  return step;
}

}  // namespace

std::optional<double> HeldTile::reuse() const {
  if (in_so_far == 0) return std::nullopt;
  return static_cast<double>(inside_so_far) / static_cast<double>(in_so_far);
}

TileSteps tile_steps(const Evaluation& evaluation, const Chip& chip, std::size_t level, std::int64_t most_steps) {
  const Nest nest = nest_from(evaluation, level);
  TileSteps result;
  for (const Operand& operand : nest.problem.operands) result.tensors.push_back(shape_of(operand, nest.problem));
  for (const Dim& dim : nest.problem.dims) result.dims.push_back(dim.name);
  result.counts = count_accesses(nest.problem, nest.mapping);
  for (std::size_t l = 0; l < nest.mapping.levels.size(); ++l) {
    const BufferLevel& buffer = chip.levels[level + l];
    BufferShape shape{buffer.name, {}, 1};
    if (buffer.capacity) shape.capacity = buffer.capacity->value;
    for (const OperandAccesses& operand : result.counts.levels[l])
      shape.instances = std::max(shape.instances, operand.utilized_instances);
    result.buffers.push_back(std::move(shape));
  }
  TileSchedule schedule(nest.problem, nest.mapping, most_steps);
  result.aggregated = schedule.aggregated();
  do result.steps.push_back(step_of(nest, schedule, result.steps.empty() ? nullptr : &result.steps.back()));
  while (schedule.advance());
  return result;
}

}  // namespace tilewright::gui
