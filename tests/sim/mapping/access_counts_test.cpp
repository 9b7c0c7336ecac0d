#include "sim/mapping/access_counts.hpp"

#include <algorithm>
#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"
#include "tests/sim/mapping/walker.hpp"

namespace tilewright {
namespace {

using Random = std::mt19937_64;

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
  switch (pick(random, 0, 7)) {
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

std::string difference(const AccessCounts& a, const AccessCounts& b) {
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
    }
  }
  return result;
}

constexpr auto in_time = LoopKind::temporal;
constexpr auto along_x = LoopKind::spatial_x;

}  // namespace

TEST_CASE("the closed form agrees to the word with a walk over every iteration of 24000 random nests") {
  Random random(20240501);
  for (int i = 0; i < 24000; ++i) {
    const Problem problem = random_problem(random);
    const Mapping mapping = random_mapping(random, problem);
    const std::string wrong = difference(count_accesses(problem, mapping), walk_accesses(problem, mapping));
    if (!wrong.empty()) FAIL("nest " << i << ": " << text(problem, mapping) << "\n" << wrong);
  }
}

TEST_CASE("no count goes below the compulsory traffic, and words are conserved between keepers") {
  Random random(7);
  for (int i = 0; i < 4000; ++i) {
    const Problem problem = random_problem(random);
    const Mapping mapping = random_mapping(random, problem);
    const AccessCounts counts = count_accesses(problem, mapping);
    INFO(text(problem, mapping));
    REQUIRE(counts.points <= counts.temporal_steps * counts.lanes_used);
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      const OperandAccesses* outer = nullptr;
      for (std::size_t l = 0; l < counts.levels.size(); ++l) {
        const OperandAccesses& here = counts.levels[l][o];
        if (!here.kept) continue;
        const bool single = std::all_of(problem.operands[o].axes.begin(), problem.operands[o].axes.end(),
                                        [](const Axis& axis) { return axis.size() == 1 && axis[0].coefficient == 1; });
        if (single) {  // every word of the tensor is needed at least once
          const std::int64_t words = counts.levels[0][o].tile_words;
          CHECK((problem.operands[o].role == Role::output ? here.updates : here.reads) >= words);
          CHECK((l == 0 || problem.operands[o].role == Role::output || here.fills >= words));
        }
        if (outer != nullptr) {
          CHECK(here.tile_words <= outer->tile_words);
          CHECK(outer->delivered == here.fills);  // what leaves the keeper with its copies is what arrives
          if (problem.operands[o].role == Role::output)
            CHECK(outer->updates <= here.drains);
          else
            CHECK(outer->reads <= here.fills);
        }
        outer = &here;
      }
    }
  }
}

TEST_CASE("a stationary operand is fetched once and a moving one on every step") {
  // M 4, N 3, K 2. DRAM: M, then N; RF: K. A's tile (1 x 2) stays over N: fetched 4 x 2 = 8 words. B's tile (2 x 1) changes with
  // every N and wraps with every M: 4 x 3 x 2 = 24. Z's tile (1 word) leaves 12 times, never comes back.
  const Problem problem = product(4, 3, 2);
  const Mapping mapping{
      {{{{0, 4, in_time}, {1, 3, in_time}}, {true, true, true}}, {{{2, 2, in_time}}, {true, true, true}}}};
  const AccessCounts counts = count_accesses(problem, mapping);
  CHECK(counts.levels[0][0].reads == 8);
  CHECK(counts.levels[0][1].reads == 24);
  CHECK(counts.levels[0][2].updates == 12);
  CHECK(counts.levels[0][2].reads == 0);
  CHECK(counts.levels[1][2].drains == 12);
  CHECK(counts.levels[1][2].updates == 24);
  CHECK(counts.levels[1][2].reads == 12);  // 24 accumulations, the first of each of the 12 words reads nothing
  CHECK(counts.levels[1][0].reads == 24);  // every MAC reads
}

TEST_CASE("a spatial loop that an operand does not see is multicast for inputs and a reduction for outputs") {
  // K 4 in space under DRAM, M 2 in time, N 1: four lanes share no A word (A moves with K), B moves with K too, Z is summed.
  const Problem problem = product(2, 3, 4);
  const Mapping mapping{
      {{{{2, 4, along_x}, {0, 2, in_time}}, {true, true, true}}, {{{1, 3, in_time}}, {true, true, true}}}};
  const AccessCounts counts = count_accesses(problem, mapping);
  CHECK(counts.levels[0][2].updates == 6);  // 2 x 3 words arrive once, summed over 4 instances on the way
  CHECK(counts.levels[1][2].drains == 24);
  CHECK(counts.levels[1][2].utilized_instances == 4);
  CHECK(counts.levels[0][1].reads == 12);  // B stays over M
  const Mapping shared{
      {{{{0, 2, along_x}, {2, 4, in_time}}, {true, true, true}}, {{{1, 3, in_time}}, {true, true, true}}}};
  CHECK(count_accesses(problem, shared).levels[0][1].reads == 12);      // one read of each B word
  CHECK(count_accesses(problem, shared).levels[0][1].delivered == 24);  // two copies arrive
}

TEST_CASE("a window that slides in time fetches only its new part, and all of it after a wrap") {
  // In[P + R], P 6, R 3, K 2. DRAM: K, P; RF: R. Per K: 3 + 5 x 1 = 8 words; K repeats the sweep: 16.
  Problem problem;
  problem.dims = {{"K", 2}, {"P", 6}, {"R", 3}};
  problem.operands = {operand("weights", Role::weight, {{{0, 1}}, {{2, 1}}}),
                      operand("inputs", Role::input, {{{1, 1}, {2, 1}}}),
                      operand("outputs", Role::output, {{{0, 1}}, {{1, 1}}})};
  const Mapping mapping{
      {{{{0, 2, in_time}, {1, 6, in_time}}, {true, true, true}}, {{{2, 3, in_time}}, {true, true, true}}}};
  CHECK(count_accesses(problem, mapping).levels[1][1].fills == 16);
  // In space overlapping neighbours are not merged: 6 instances x 3 words, K stripped.
  const Mapping space{
      {{{{0, 2, in_time}, {1, 6, along_x}}, {true, true, true}}, {{{2, 3, in_time}}, {true, true, true}}}};
  CHECK(count_accesses(problem, space).levels[1][1].fills == 18);
}

TEST_CASE("counts that leave 64 bits are an error") {
  const std::int64_t big = std::int64_t{1} << 40;
  const Problem problem = product(big, big, big);
  const Mapping mapping{{{{{0, big, in_time}, {1, big, in_time}, {2, big, in_time}}, {true, true, true}}}};
  CHECK_THROWS_AS(count_accesses(problem, mapping), OverflowError);
}

}  // namespace tilewright
