#include "tests/sim/mapping/random_nests.hpp"

#include <algorithm>
#include <utility>

#include "tests/sim/mapping/walker.hpp"

namespace tilewright::testing {

std::int64_t pick(Random& random, std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most - least + 1));
}

Operand operand(const char* name, Role role, std::vector<Axis> axes) {
  Operand result;
  result.name = name;
  result.role = role;
  result.axes = std::move(axes);
  return result;
}

Problem product(std::int64_t m, std::int64_t n, std::int64_t k) {
  Problem problem;
  problem.dims = {{"M", m}, {"N", n}, {"K", k}};
  problem.operands = {operand("A", Role::input, {{{0, 1}}, {{2, 1}}}), operand("B", Role::weight, {{{2, 1}}, {{1, 1}}}),
                      operand("Z", Role::output, {{{0, 1}}, {{1, 1}}})};
  return problem;
}

/// Small problems of every shape that projections can take.
Problem random_problem(Random& random) {
  const std::int64_t stride = pick(random, 1, 3), dilation = pick(random, 1, 3);
  Problem problem;
  switch (pick(random, 0, 9)) {
    case 0:
    case 1: return product(pick(random, 1, 7), pick(random, 1, 6), pick(random, 1, 6));
    case 2:  // grouped convolution: G K C P R
      problem.dims = {{"G", pick(random, 1, 3)},
                      {"K", pick(random, 1, 3)},
                      {"C", pick(random, 1, 3)},
                      {"P", pick(random, 1, 6)},
                      {"R", pick(random, 1, 3)}};
      problem.operands = {operand("weights", Role::weight, {{{0, 1}}, {{1, 1}}, {{2, 1}}, {{4, 1}}}),
                          operand("inputs", Role::input, {{{0, 1}}, {{2, 1}}, {{3, stride}, {4, dilation}}}),
                          operand("outputs", Role::output, {{{0, 1}}, {{1, 1}}, {{3, 1}}})};
      return problem;
    case 3:  // two window axes: K P Q R S
      problem.dims = {{"K", pick(random, 1, 2)},
                      {"P", pick(random, 1, 5)},
                      {"Q", pick(random, 1, 4)},
                      {"R", pick(random, 1, 3)},
                      {"S", pick(random, 1, 2)}};
      problem.operands = {operand("weights", Role::weight, {{{0, 1}}, {{3, 1}}, {{4, 1}}}),
                          operand("inputs", Role::input, {{{1, stride}, {3, dilation}}, {{2, 1}, {4, 1}}}),
                          operand("outputs", Role::output, {{{0, 1}}, {{1, 1}}, {{2, 1}}})};
      return problem;
    case 4:  // a strided axis of one term: 1 x 1 convolution with stride
      problem.dims = {{"K", pick(random, 1, 4)}, {"C", pick(random, 1, 4)}, {"P", pick(random, 1, 7)}};
      problem.operands = {operand("weights", Role::weight, {{{0, 1}}, {{1, 1}}}),
                          operand("inputs", Role::input, {{{1, 1}}, {{2, stride}}}),
                          operand("outputs", Role::output, {{{0, 1}}, {{2, stride}}})};
      return problem;
    case 5:  // three terms on an axis
      problem.dims = {
          {"P", pick(random, 1, 5)}, {"R", pick(random, 1, 3)}, {"T", pick(random, 1, 3)}, {"K", pick(random, 1, 3)}};
      problem.operands = {operand("weights", Role::weight, {{{1, 1}}, {{2, 1}}, {{3, 1}}}),
                          operand("inputs", Role::input, {{{0, stride}, {1, dilation}, {2, 1}}}),
                          operand("outputs", Role::output, {{{3, 1}}, {{0, 1}}})};
      return problem;
    case 6:  // an output window (transposed convolution): C K P R
      problem.dims = {
          {"C", pick(random, 1, 3)}, {"K", pick(random, 1, 3)}, {"P", pick(random, 1, 6)}, {"R", pick(random, 1, 3)}};
      problem.operands = {operand("weights", Role::weight, {{{0, 1}}, {{1, 1}}, {{3, 1}}}),
                          operand("inputs", Role::input, {{{0, 1}}, {{2, 1}}}),
                          operand("outputs", Role::output, {{{1, 1}}, {{2, stride}, {3, dilation}}})};
      return problem;
    case 7:  // grouped convolution in full: G K C P Q R S
      problem.dims = {{"G", pick(random, 1, 2)}, {"K", pick(random, 1, 3)}, {"C", pick(random, 1, 2)},
                      {"P", pick(random, 1, 4)}, {"Q", pick(random, 1, 3)}, {"R", pick(random, 1, 3)},
                      {"S", pick(random, 1, 2)}};
      problem.operands = {
          operand("weights", Role::weight, {{{0, 1}}, {{1, 1}}, {{2, 1}}, {{5, 1}}, {{6, 1}}}),
          operand("inputs", Role::input, {{{0, 1}}, {{2, 1}}, {{3, stride}, {5, dilation}}, {{4, stride}, {6, 1}}}),
          operand("outputs", Role::output, {{{0, 1}}, {{1, 1}}, {{3, 1}}, {{4, 1}}})};
      return problem;
    case 8:  // one dim: a sum
      problem.dims = {{"K", pick(random, 1, 12)}};
      problem.operands = {operand("A", Role::input, {{{0, stride}}}), operand("Z", Role::output, {})};
      return problem;
    default:  // a dim on two axes of one operand, and a scalar operand
      problem.dims = {{"I", pick(random, 1, 6)}, {"J", pick(random, 1, 5)}, {"K", pick(random, 1, 3)}};
      problem.operands = {operand("D", Role::input, {{{0, 1}, {1, 1}}, {{0, stride}}}),
                          operand("scale", Role::weight, {}), operand("Z", Role::output, {{{0, 1}}, {{0, 1}, {2, 1}}})};
      return problem;
  }
}

bool legal(const Problem& problem, const Mapping& mapping) {
  std::vector<std::int64_t> inside(problem.dims.size(), 1);
  for (std::size_t l = mapping.levels.size(); l-- > 0;) {
    const auto& loops = mapping.levels[l].loops;
    for (std::size_t i = loops.size(); i-- > 0;) {
      const std::size_t d = static_cast<std::size_t>(loops[i].dim);
      if ((loops[i].bound - 1) * inside[d] >= problem.dims[d].bound) return false;
      inside[d] *= loops[i].bound;
    }
  }
  for (std::size_t d = 0; d < inside.size(); ++d)
    if (inside[d] < problem.dims[d].bound) return false;
  return true;
}

/// One to four levels, loops of any kind in any order, bypassed levels, bounds that need not divide.
Mapping random_mapping(Random& random, const Problem& problem) {
  while (true) {
    Mapping mapping;
    mapping.levels.resize(static_cast<std::size_t>(pick(random, 1, 4)));
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      for (std::int64_t inside = 1; inside < problem.dims[d].bound;) {
        const std::int64_t left = (problem.dims[d].bound + inside - 1) / inside;
        const std::int64_t bound = pick(random, 0, 3) == 0 ? left : pick(random, 1, left);
        const auto kind = pick(random, 0, 2) > 0    ? LoopKind::temporal
                          : pick(random, 0, 1) == 0 ? LoopKind::spatial_x
                                                    : LoopKind::spatial_y;
        auto& level = mapping.levels[static_cast<std::size_t>(random() % mapping.levels.size())];
        level.loops.push_back({static_cast<int>(d), bound, kind});
        inside *= bound;
      }
    }
    for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
      std::shuffle(mapping.levels[l].loops.begin(), mapping.levels[l].loops.end(), random);
      for (std::size_t o = 0; o < problem.operands.size(); ++o) {
        mapping.levels[l].keeps.push_back(l == 0 || pick(random, 0, 3) > 0);
      }
    }
    if (legal(problem, mapping)) return mapping;
  }
}

std::string text(const Problem& problem, const Mapping& mapping) {
  std::string result;
  for (const Dim& dim : problem.dims) result += dim.name + "=" + std::to_string(dim.bound) + " ";
  for (const Operand& o : problem.operands) {
    result += o.name + "[";
    for (const Axis& axis : o.axes) {
      for (const Term& term : axis) {
        result += "+" + std::to_string(term.coefficient) + problem.dims[static_cast<std::size_t>(term.dim)].name;
      }
      result += ",";
    }
    result += "] ";
  }
  for (const LevelMapping& level : mapping.levels) {
    result += "| ";
    for (bool kept : level.keeps) result += kept ? "k" : "-";
    for (const Loop& loop : level.loops) {
      result += " " + problem.dims[static_cast<std::size_t>(loop.dim)].name + "=" + std::to_string(loop.bound) +
                (loop.kind == LoopKind::temporal ? "" : "@");
    }
  }
  return result;
}

std::string difference(const Problem& problem, const AccessCounts& a, const AccessCounts& b) {
  std::string result;
  const auto compare = [&](const std::string& what, std::int64_t x, std::int64_t y) {
    if (x != y) result += what + ": closed form " + std::to_string(x) + ", walker " + std::to_string(y) + "\n";
  };
  compare("points", a.points, b.points);
  compare("temporal_steps", a.temporal_steps, b.temporal_steps);
  compare("lanes_used", a.lanes_used, b.lanes_used);
  for (std::size_t l = 0; l < a.levels.size(); ++l) {
    for (std::size_t o = 0; o < a.levels[l].size(); ++o) {
      const OperandAccesses &x = a.levels[l][o], &y = b.levels[l][o];
      const std::string at = "level " + std::to_string(l) + " operand " + std::to_string(o) + " ";
      compare(at + "kept", x.kept, y.kept);
      compare(at + "tile", x.tile_words, y.tile_words);
      compare(at + "instances", x.utilized_instances, y.utilized_instances);
      compare(at + "reads", x.reads, y.reads);
      compare(at + "fills", x.fills, y.fills);
      compare(at + "updates", x.updates, y.updates);
      compare(at + "drains", x.drains, y.drains);
      compare(at + "delivered", x.delivered, y.delivered);
      compare(at + "collected", x.collected, y.collected);
      compare(at + "feeds_lanes", x.feeds_lanes, y.feeds_lanes);
      const Operand& operand = problem.operands[o];
      if (!shares_dims(operand)) compare(at + "merged", x.merged_reads, y.merged_reads);
      compare(at + "partial", x.partial_sums, y.partial_sums);
    }
  }
  return result;
}

}  // namespace tilewright::testing
