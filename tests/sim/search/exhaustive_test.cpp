// The search against every mapping of a small problem: all perfect factorings of each dim over the levels and fan-outs of a three-level
// chip, all unrollings that its family allows, all order classes.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <random>

#include "sim/cost/cost_model.hpp"
#include "sim/search/candidate.hpp"
#include "sim/search/search.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

/// One dim over five places: temporal at Buffer and PE, spatial x and y at Buffer; level 0 takes the rest.
using Split = std::array<std::int64_t, 4>;

bool contains(const std::vector<int>& dims, int d) { return std::find(dims.begin(), dims.end(), d) != dims.end(); }

std::vector<Split> splits_of(std::int64_t bound, bool x_allowed, bool y_allowed) {
  std::vector<Split> splits;
  for (std::int64_t pe = 1; pe <= bound; ++pe) {
    if (bound % pe != 0) continue;
    for (const std::int64_t x : {1, 2}) {
      for (const std::int64_t y : {1, 2}) {
        if ((x > 1 && !x_allowed) || (y > 1 && !y_allowed) || bound % (pe * x * y) != 0) continue;
        const std::int64_t left = bound / (pe * x * y);
        for (std::int64_t buffer = 1; buffer <= left; ++buffer) {
          if (left % buffer == 0) splits.push_back({buffer, pe, x, y});
        }
      }
    }
  }
  return splits;
}

/// The best score of all mappings with perfect factors.
double exhaustive_best(const Problem& problem, const Chip& chip, Objective objective) {
  const CostModel model = cost_model(problem, chip);
  const MapSpace space = map_space(problem, chip, family_of(chip).rules(chip, problem));
  Mapping mapping = trivial_mapping(problem, chip, space.rules.keeps);
  Candidate candidate = plain_candidate(space);
  double best = score(evaluate(model, mapping), chip, objective);
  const auto score_orders = [&] {
    const int operands = static_cast<int>(problem.operands.size());
    std::fill(candidate.stationary.begin(), candidate.stationary.end(), 0);
    if (!expand(space, candidate, mapping) || !check(problem, mapping, chip)) return;
    for (int code = 0; code < operands * operands * operands; ++code) {
      candidate.stationary = {code % operands, code / operands % operands, code / operands / operands};
      if (!expand(space, candidate, mapping)) continue;
      best = std::min(best, score(evaluate(model, mapping), chip, objective));
    }
  };
  const std::function<void(std::size_t, std::int64_t, std::int64_t)> choose = [&](std::size_t d, std::int64_t x_room,
                                                                                  std::int64_t y_room) {
    if (d == space.dims) return score_orders();
    const int dim = static_cast<int>(d);
    for (const Split& split :
         splits_of(problem.dims[d].bound, contains(space.rules.x_dims[1], dim), contains(space.rules.y_dims[1], dim))) {
      if (split[2] > x_room || split[3] > y_room) continue;
      candidate.temporal[1 * space.dims + d] = split[0];
      candidate.temporal[2 * space.dims + d] = split[1];
      candidate.spatial_x[1 * space.dims + d] = split[2];
      candidate.spatial_y[1 * space.dims + d] = split[3];
      choose(d + 1, x_room / split[2], y_room / split[3]);
    }
  };
  choose(0, chip.levels[1].fanout_x, chip.levels[1].fanout_y);
  return best;
}

/// Output-stationary: the PE holds a result instead of a weight.
Chip small_chip(ArrayDataflow dataflow, double buffer_bytes) {
  Chip chip = tiny_chip();
  std::get<SystolicParameters>(chip.parameters).dataflow = dataflow;
  chip.levels[1].capacity = Bytes{buffer_bytes};
  chip.levels[2].keeps[static_cast<int>(Role::weight)] = dataflow == ArrayDataflow::weight_stationary;
  chip.levels[2].keeps[static_cast<int>(Role::output)] = dataflow == ArrayDataflow::output_stationary;
  return chip;
}

/// Products of at most 2000 multiply-accumulates, the same in every run.
std::vector<Problem> small_products(std::size_t count) {
  constexpr std::array<std::int64_t, 14> bounds{1, 2, 3, 4, 6, 7, 8, 9, 10, 12, 16, 18, 20, 24};
  std::mt19937 random(20240229);
  const auto pick = [&] { return bounds[random() % bounds.size()]; };
  std::vector<Problem> problems;
  while (problems.size() < count) {
    const std::int64_t m = pick(), n = pick(), k = pick();
    if (m * n * k <= 2000) problems.push_back(gemm(m, n, k));
  }
  return problems;
}

}  // namespace

TEST_CASE("the search finds the best of all perfectly factored mappings of small products, or nearly so") {
  // Measured, not derived; the floors leave a little room. Of 120 searches for latency 110 were optimal and the worst was 1.11 times the
  // best, for energy 108 and 1.26, for their product 114 and 1.15. Imperfect factors may be better than any perfect one.
  struct Floor {
    Objective objective;
    int optimal_percent;
    double worst;  // found / best
  };
  const auto [objective, optimal_percent, worst] =
      GENERATE(Floor{Objective::latency, 88, 1.15}, Floor{Objective::energy, 87, 1.3}, Floor{Objective::edp, 92, 1.2});
  int searches = 0, optimal = 0;
  for (const ArrayDataflow dataflow : {ArrayDataflow::weight_stationary, ArrayDataflow::output_stationary}) {
    for (const double buffer_bytes : {24.0, 64.0, 256.0}) {
      const Chip chip = small_chip(dataflow, buffer_bytes);
      for (const Problem& problem : small_products(20)) {
        const auto found = find_best(problem, chip, objective);
        REQUIRE(found.has_value());
        const double ratio = score(found->best, chip, objective) / exhaustive_best(problem, chip, objective);
        INFO(to_code(problem, found->best.mapping, chip));
        CHECK(ratio <= worst);
        ++searches;
        optimal += ratio <= 1 + 1e-9;
      }
    }
  }
  CHECK(100 * optimal >= optimal_percent * searches);
}
