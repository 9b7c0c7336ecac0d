#include "sim/mapping/access_counts.hpp"

#include <algorithm>
#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"
#include "tests/sim/mapping/random_nests.hpp"
#include "tests/sim/mapping/walker.hpp"

namespace tilewright {
using namespace testing;
namespace {

constexpr auto in_time = LoopKind::temporal;
constexpr auto along_x = LoopKind::spatial_x;

}  // namespace

TEST_CASE("the closed form agrees to the word with a walk over every iteration of 24000 random nests") {
  Random random(20240501);
  for (int i = 0; i < 24000; ++i) {
    const Problem problem = random_problem(random);
    const Mapping mapping = random_mapping(random, problem);
    const std::string wrong = difference(problem, count_accesses(problem, mapping), walk_accesses(problem, mapping));
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

TEST_CASE(
    "the order of neighbouring loops that do not move an operand changes none of its counts, in 100000 random nests",
    "[repeated]") {
  Random random(23);
  for (int i = 0; i < 100'000; ++i) {
    const Problem problem = random_problem(random);
    Mapping mapping = random_mapping(random, problem);
    auto& loops = mapping.levels[static_cast<std::size_t>(random() % mapping.levels.size())].loops;
    if (loops.size() < 2) continue;
    const auto at = static_cast<std::size_t>(random() % (loops.size() - 1));
    if (loops[at].dim == loops[at + 1].dim) continue;
    const AccessCounts before = AccessCounter(problem).count(mapping);
    const Loop first = loops[at], second = loops[at + 1];
    std::swap(loops[at], loops[at + 1]);
    const AccessCounts after = AccessCounter(problem).count(mapping);
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      if (relevant(problem.operands[o], first.dim) || relevant(problem.operands[o], second.dim)) continue;
      for (std::size_t l = 0; l < before.levels.size(); ++l) {
        const OperandAccesses &x = before.levels[l][o], &y = after.levels[l][o];
        if (x.reads != y.reads || x.fills != y.fills || x.updates != y.updates || x.drains != y.drains ||
            x.delivered != y.delivered || x.tile_words != y.tile_words) {
          FAIL("nest " << i << ": " << text(problem, mapping));
        }
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

TEST_CASE("neighbours' overlapping windows are read once where the link merges them") {
  // In[P + R], P 6 in space over 6 children, R 3 inside: windows 0-2, 1-3 ... 5-7. Apart 6 x 3 = 18 reads, together words 0 to 7.
  Problem problem;
  problem.dims = {{"P", 6}, {"R", 3}};
  problem.operands = {operand("inputs", Role::input, {{{0, 1}, {1, 1}}}), operand("outputs", Role::output, {{{0, 1}}})};
  const Mapping mapping{{{{{0, 6, along_x}}, {true, true}}, {{{1, 3, in_time}}, {true, true}}}};
  const OperandAccesses dram = count_accesses(problem, mapping).levels[0][0];
  CHECK(dram.reads == 18);
  CHECK(dram.merged_reads == 8);
  CHECK(dram.delivered == 18);
  // Two children and three steps in time: first 0-2 and 3-5 (no word in common), then each step brings words 3, 6 and 4, 7: 6 + 2 + 2.
  const Mapping slide{{{{{0, 2, along_x}, {0, 3, in_time}}, {true, true}}, {{{1, 3, in_time}}, {true, true}}}};
  const OperandAccesses sliding = count_accesses(problem, slide).levels[0][0];
  CHECK(sliding.reads == 10);
  CHECK(sliding.merged_reads == 10);
  // P and R both in space over lanes: 6 x 3 lanes read 8 distinct words at once (the diagonals of a row-stationary array).
  const Mapping diagonal{{{{{0, 6, along_x}, {1, 3, LoopKind::spatial_y}}, {true, true}}}};
  const OperandAccesses lanes = count_accesses(problem, diagonal).levels[0][0];
  CHECK(lanes.reads == 18);
  CHECK(lanes.merged_reads == 8);
}

TEST_CASE("a level knows whether the sums that arrive still miss terms") {
  // K 8 split 2 outside M 3 at DRAM and 4 under the buffer: the buffer's tile leaves twice, so both levels see partial sums.
  const Problem problem = product(3, 1, 8);
  const Mapping split{
      {{{{2, 2, in_time}, {0, 3, in_time}}, {true, true, true}}, {{{2, 4, in_time}}, {true, true, true}}}};
  CHECK(count_accesses(problem, split).levels[0][2].partial_sums);
  CHECK(count_accesses(problem, split).levels[1][2].partial_sums);
  // With all of K inside, DRAM gets 3 finished words, and 3 x 8 terms are collected at the buffer.
  const Mapping whole{{{{{0, 3, in_time}}, {true, true, true}}, {{{2, 8, in_time}}, {true, true, true}}}};
  const AccessCounts counts = count_accesses(problem, whole);
  CHECK_FALSE(counts.levels[0][2].partial_sums);
  CHECK(counts.levels[1][2].partial_sums);
  CHECK(counts.levels[0][2].collected == 3);
  CHECK(counts.levels[1][2].collected == 24);
  // K in space: the network adds, one update of a finished word for 8 that are collected.
  const Mapping space{{{{{0, 3, in_time}, {2, 8, along_x}}, {true, true, true}}}};
  CHECK_FALSE(count_accesses(problem, space).levels[0][2].partial_sums);
  CHECK(count_accesses(problem, space).levels[0][2].updates == 3);
  CHECK(count_accesses(problem, space).levels[0][2].collected == 24);
}

TEST_CASE("counts that leave 64 bits are an error") {
  const std::int64_t big = std::int64_t{1} << 40;
  const Problem problem = product(big, big, big);
  const Mapping mapping{{{{{0, big, in_time}, {1, big, in_time}, {2, big, in_time}}, {true, true, true}}}};
  CHECK_THROWS_AS(count_accesses(problem, mapping), OverflowError);
}

}  // namespace tilewright
