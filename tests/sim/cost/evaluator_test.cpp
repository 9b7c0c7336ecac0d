// The fast evaluator: the same figures as `evaluate`, and no allocation.
#include <catch2/catch.hpp>

#include <vector>

#include "sim/cost/cost_model.hpp"
#include "tests/sim/cost/allocations.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

/// Tiles of M and K at every level, clipped or not, with the loops in both orders.
std::vector<Mapping> mappings(const Problem& problem, const Chip& chip) {
  std::vector<Mapping> all;
  for (std::int64_t m = 1; m <= 4; ++m) {
    for (std::int64_t k = 1; k <= 4; ++k) {
      for (const bool swapped : {false, true}) {
        Mapping mapping;
        mapping.levels.resize(3);
        mapping.levels[0].keeps = mapping.levels[1].keeps = {true, true, true};
        mapping.levels[2].keeps = {false, true, false};
        const std::int64_t rows = (problem.dims[0].bound + m - 1) / m, terms = (problem.dims[2].bound + k - 1) / k;
        const Loop outer{0, rows, LoopKind::temporal}, inner{2, terms, LoopKind::temporal};
        mapping.levels[0].loops = {swapped ? inner : outer, swapped ? outer : inner};
        mapping.levels[1].loops = {{1, problem.dims[1].bound, LoopKind::temporal}, {2, k, LoopKind::temporal}};
        mapping.levels[2].loops = {{0, m, LoopKind::temporal}};
        if (check(problem, mapping, chip)) all.push_back(mapping);
      }
    }
  }
  return all;
}

}  // namespace

TEST_CASE("the evaluator gives the figures of evaluate") {
  const Chip chip = tiny_chip();
  const Problem problem = gemm(7, 3, 9);
  const CostModel model = cost_model(problem, chip);
  MappingEvaluator evaluator(model);
  for (const Mapping& mapping : mappings(problem, chip)) {
    const CostFigures fast = evaluator.evaluate(mapping);
    const Evaluation full = evaluate(problem, mapping, chip);
    CHECK(fast.cycles == full.cycles);
    CHECK(fast.overhead == full.overhead);
    CHECK(fast.energy.total() == full.energy.total());
    CHECK(evaluator.counts().levels[1][0].fills == full.counts.levels[1][0].fills);
  }
}

TEST_CASE("an evaluation allocates nothing once its array pass is known") {
  const Chip chip = tiny_chip();
  const Problem problem = gemm(7, 3, 9);
  const CostModel model = cost_model(problem, chip);
  const std::vector<Mapping> all = mappings(problem, chip);
  REQUIRE(all.size() >= 10);
  MappingEvaluator evaluator(model);
  for (const Mapping& mapping : all) evaluator.evaluate(mapping);
  const std::size_t before = allocations();
  REQUIRE(before > 0);  // the count works
  for (int round = 0; round < 100; ++round) {
    for (const Mapping& mapping : all) evaluator.evaluate(mapping);
  }
  CHECK(allocations() == before);
}

TEST_CASE("windows over clipped tiles give the figures of evaluate, without an allocation") {
  Chip chip = tiny_chip();
  chip.levels[1].capacity = Bytes{4096};
  const Problem problem = conv(5, 3, 7, 3, 2);
  std::vector<Mapping> all;
  for (std::int64_t p = 1; p <= 4; ++p) {  // rows of a tile: 7 leave a short one but for 1
    for (std::int64_t r = 1; r <= 3; ++r) {
      const Loop rows{2, (7 + p - 1) / p, LoopKind::temporal}, taps{4, (3 + r - 1) / r, LoopKind::temporal};
      for (const bool swapped : {false, true}) {
        Mapping mapping;
        mapping.levels.resize(3);
        mapping.levels[0].keeps = mapping.levels[1].keeps = {true, true, true};
        mapping.levels[2].keeps = {false, true, false};
        mapping.levels[0].loops = {{0, 3, LoopKind::temporal}, swapped ? taps : rows, swapped ? rows : taps};
        mapping.levels[1].loops = {{1, 3, LoopKind::temporal},
                                   {4, r, LoopKind::temporal},
                                   {5, 3, LoopKind::temporal},
                                   {0, 2, LoopKind::spatial_x}};
        mapping.levels[2].loops = {{2, p, LoopKind::temporal}, {3, 7, LoopKind::temporal}};
        REQUIRE(check(problem, mapping, chip));
        all.push_back(mapping);
      }
    }
  }
  const CostModel model = cost_model(problem, chip);
  MappingEvaluator evaluator(model);
  for (const Mapping& mapping : all) {
    const CostFigures fast = evaluator.evaluate(mapping);
    const Evaluation full = evaluate(problem, mapping, chip);
    CHECK(fast.cycles == full.cycles);
    CHECK(fast.energy.total() == full.energy.total());
  }
  const std::size_t before = allocations();
  for (const Mapping& mapping : all) evaluator.evaluate(mapping);
  CHECK(allocations() == before);
}
