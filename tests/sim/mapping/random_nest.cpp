#include "tests/sim/mapping/random_nest.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace tilewright {
namespace {

std::int64_t pick(std::mt19937_64& random, std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most - least + 1));
}

Operand operand(const char* name, Role role, std::vector<Axis> axes) {
  Operand result;
  result.name = name;
  result.role = role;
  result.axes = std::move(axes);
  return result;
}

/// Every loop starts inside the bound and the loops cover it.
bool legal(const Problem& problem, const Mapping& mapping) {
  std::vector<std::int64_t> inside(problem.dims.size(), 1);
  for (std::size_t l = mapping.levels.size(); l-- > 0;) {
    const auto& loops = mapping.levels[l].loops;
    for (std::size_t i = loops.size(); i-- > 0;) {
      const auto d = static_cast<std::size_t>(loops[i].dim);
      if (loops[i].bound > ceil_div(problem.dims[d].bound, inside[d])) return false;
      inside[d] *= loops[i].bound;
    }
  }
  for (std::size_t d = 0; d < inside.size(); ++d) {
    if (inside[d] < problem.dims[d].bound) return false;
  }
  return true;
}

}  // namespace

Problem random_problem(std::mt19937_64& random, std::int64_t largest) {
  const std::int64_t stride = pick(random, 1, 3), dilation = pick(random, 1, 2);
  const auto some = [&](std::int64_t most) { return pick(random, 1, std::min(most, largest)); };
  Problem problem;
  switch (pick(random, 0, 4)) {
    case 0:
      problem.dims = {{"M", some(largest)}, {"N", some(largest)}, {"K", some(largest)}};
      problem.operands = {operand("inputs", Role::input, {{{0, 1}}, {{2, 1}}}),
                          operand("weights", Role::weight, {{{2, 1}}, {{1, 1}}}),
                          operand("outputs", Role::output, {{{0, 1}}, {{1, 1}}})};
      break;
    case 1:
      problem.dims = {{"K", some(4)}, {"C", some(4)}, {"P", some(largest)},
                      {"Q", some(4)}, {"R", some(3)}, {"S", some(3)}};
      problem.operands = {
          operand("weights", Role::weight, {{{0, 1}}, {{1, 1}}, {{4, 1}}, {{5, 1}}}),
          operand("inputs", Role::input, {{{1, 1}}, {{2, stride}, {4, dilation}}, {{3, stride}, {5, dilation}}}),
          operand("outputs", Role::output, {{{0, 1}}, {{2, 1}}, {{3, 1}}})};
      break;
    case 2:
      problem.dims = {{"G", some(largest)}, {"P", some(largest)}, {"R", some(3)}};
      problem.operands = {operand("weights", Role::weight, {{{0, 1}}, {{2, 1}}}),
                          operand("inputs", Role::input, {{{0, 1}}, {{1, stride}, {2, 1}}}),
                          operand("outputs", Role::output, {{{0, 1}}, {{1, 1}}})};
      break;
    case 3:
      problem.dims = {{"C", some(3)}, {"K", some(3)}, {"P", some(largest)}, {"R", some(3)}};
      problem.operands = {operand("weights", Role::weight, {{{0, 1}}, {{1, 1}}, {{3, 1}}}),
                          operand("inputs", Role::input, {{{0, 1}}, {{2, 1}}}),
                          operand("outputs", Role::output, {{{1, 1}}, {{2, stride}, {3, dilation}}})};
      break;
    default:
      problem.dims = {{"I", some(largest)}, {"J", some(5)}, {"K", some(3)}};
      problem.operands = {operand("inputs", Role::input, {{{0, 1}, {1, 1}}, {{0, stride}}}),
                          operand("weights", Role::weight, {}),
                          operand("outputs", Role::output, {{{0, 1}}, {{0, 1}, {2, 1}}})};
  }
  problem.operands.back().on_chip = pick(random, 0, 7) == 0;
  problem.operands.front().on_chip = pick(random, 0, 7) == 0;
  return problem;
}

Mapping random_mapping(std::mt19937_64& random, const Problem& problem) {
  while (true) {
    Mapping mapping;
    mapping.levels.resize(static_cast<std::size_t>(pick(random, 1, 4)));
    for (std::size_t d = 0; d < problem.dims.size(); ++d) {
      for (std::int64_t inside = 1; inside < problem.dims[d].bound;) {
        const std::int64_t left = ceil_div(problem.dims[d].bound, inside);
        const std::int64_t bound = pick(random, 0, 3) == 0 ? left : pick(random, 1, left);
        const auto kind = pick(random, 0, 2) > 0    ? LoopKind::temporal
                          : pick(random, 0, 1) == 0 ? LoopKind::spatial_x
                                                    : LoopKind::spatial_y;
        mapping.levels[random() % mapping.levels.size()].loops.push_back({static_cast<int>(d), bound, kind});
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

}  // namespace tilewright
