// Random small problems and chips, and every perfectly factored mapping of them: what the search must not lose against.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "arch_models/family.hpp"
#include "sim/cost/cost_model.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

namespace tilewright::testing {

using Random = std::mt19937;

inline std::int64_t pick(Random& random, std::initializer_list<std::int64_t> values) {
  return values.begin()[random() % values.size()];
}

/// A product, a one-dimensional convolution (strided, dilated, transposed, depthwise), a pooling or a row-wise operator of at most
/// `most_points` points.
inline Problem small_problem(Random& random, std::int64_t most_points) {
  const auto any = [&] { return pick(random, {1, 2, 2, 3, 4, 4, 6, 8}); };
  const DataType wide = random() % 2 ? DataType::int32 : DataType::int8;
  while (true) {
    Problem p;
    switch (random() % 8) {
      case 0:
      case 1: p = gemm(any(), any(), any()); break;
      case 2: {  // a batched product
        p.dims = {{"B", pick(random, {2, 3})}, {"M", any()}, {"N", any()}, {"K", any()}};
        p.operands = {{"inputs", Role::input, DataType::int8, {{{0, 1}}, {{1, 1}}, {{3, 1}}}},
                      {"weights", Role::weight, DataType::int8, {{{0, 1}}, {{3, 1}}, {{2, 1}}}},
                      {"outputs", Role::output, wide, {{{0, 1}}, {{1, 1}}, {{2, 1}}}}};
        break;
      }
      case 3:
      case 4:
      case 5: {  // a convolution over one axis
        const std::int64_t stride = pick(random, {1, 1, 2, 3}), dilation = pick(random, {1, 1, 2});
        p.dims = {{"K", any()}, {"C", any()}, {"P", any()}, {"R", pick(random, {1, 2, 3, 4})}};
        p.operands = {{"inputs", Role::input, DataType::int8, {{{1, 1}}, {{2, stride}, {3, dilation}}}},
                      {"weights", Role::weight, DataType::int8, {{{0, 1}}, {{1, 1}}, {{3, 1}}}},
                      {"outputs", Role::output, wide, {{{0, 1}}, {{2, 1}}}}};
        if (random() % 4 == 0) {  // transposed: the result has the window
          p.operands[0].axes = {{{1, 1}}, {{2, 1}}};
          p.operands[2].axes = {{{0, 1}}, {{2, stride}, {3, dilation}}};
        } else if (random() % 4 == 0) {  // depthwise
          p.operands[1].axes = {{{1, 1}}, {{3, 1}}};
          p.operands[2].axes = {{{1, 1}}, {{2, 1}}};
          p.dims[0].bound = 1;
        }
        break;
      }
      case 6: {  // pooling
        p.compute = Compute::vector;
        p.dims = {{"E", any()}, {"P", any()}, {"R", pick(random, {1, 2, 3})}};
        p.operands = {{"inputs", Role::input, DataType::int8, {{{0, 1}}, {{1, pick(random, {1, 2})}, {2, 1}}}},
                      {"outputs", Role::output, DataType::int8, {{{0, 1}}, {{1, 1}}}}};
        break;
      }
      default: {  // rows read in several passes, scaled by column
        p.compute = Compute::vector;
        p.ops_per_point = 3;
        p.dims = {{"R", any()}, {"T", pick(random, {1, 2})}, {"C", any()}};
        p.operands = {{"inputs", Role::input, DataType::int8, {{{0, 1}}, {{2, 1}}}},
                      {"weights", Role::weight, DataType::int8, {{{2, 1}}}},
                      {"outputs", Role::output, DataType::int8, {{{0, 1}}, {{2, 1}}}}};
      }
    }
    if (p.points() <= most_points && p.points() > 1) return p;
  }
}

struct SmallCase {
  Problem problem;
  Chip chip;
  MapRules rules;
};

/// A systolic chip of `levels` levels with random sizes, costs, unrolling and bypasses.
inline SmallCase small_case(Random& random, std::size_t levels, std::int64_t most_points) {
  SmallCase made;
  made.problem = small_problem(random, most_points);
  made.chip = tiny_chip();
  Chip& chip = made.chip;
  const BufferLevel dram = chip.levels[0], buffer = chip.levels[1];
  chip.levels = {dram};
  chip.levels[0].access_bits = pick(random, {0, 0, 64});
  chip.levels[0].bandwidth = BytesPerCycle{static_cast<double>(pick(random, {1, 2, 4, 64}))};
  for (std::size_t l = 1; l < levels; ++l) {
    BufferLevel level = buffer;
    level.name = "L" + std::to_string(l);
    level.capacity = Bytes{static_cast<double>(pick(random, {4, 8, 12, 16, 24, 48, 96, 1000}))};
    level.access_bits = pick(random, {0, 8, 16, 32});
    level.bandwidth = BytesPerCycle{static_cast<double>(pick(random, {0, 1, 4, 16}))};
    level.separate_ports = random() % 4 == 0;
    level.double_buffered = random() % 3 == 0;
    level.read_energy = picojoules(static_cast<double>(pick(random, {0, 1, 3, 10, 40})));
    level.write_energy = picojoules(static_cast<double>(pick(random, {0, 1, 4, 12, 50})));
    level.transfer_energy_per_bit = picojoules(static_cast<double>(pick(random, {0, 0, 1})));
    level.fanout_x = level.fanout_y = 1;
    chip.levels.push_back(level);
  }
  for (int n = 0; n < 2; ++n) {
    BufferLevel& level = chip.levels[random() % levels];
    (random() % 2 ? level.fanout_x : level.fanout_y) = pick(random, {2, 3, 4});
  }
  std::int64_t instances = 1;
  for (BufferLevel& level : chip.levels) {
    level.instances = instances;
    instances *= level.fanout_x * level.fanout_y;
  }
  chip.static_power = Watts{random() % 2 ? 0.001 : 0.0};
  auto& array = std::get<SystolicParameters>(chip.parameters);
  array.dataflow = static_cast<ArrayDataflow>(random() % 4);
  array.weights_double_buffered = random() % 2 == 0;
  MapRules& rules = made.rules;
  rules.x_dims.resize(levels);
  rules.y_dims.resize(levels);
  for (std::size_t l = 0; l < levels; ++l) {
    for (int d = 0; d < static_cast<int>(made.problem.dims.size()); ++d) {
      const bool passes = made.problem.dims[static_cast<std::size_t>(d)].name == "T";
      if (random() % 3 != 0 && !passes) rules.x_dims[l].push_back(d);
      if (random() % 3 != 0 && !passes) rules.y_dims[l].push_back(d);
    }
    std::vector<bool> keeps;
    for (std::size_t o = 0; o < made.problem.operands.size(); ++o) keeps.push_back(l == 0 || random() % 3 != 0);
    rules.keeps.push_back(keeps);
  }
  if (random() % 3 == 0) chip.accumulator = DataType::int32;  // sums that miss terms are wider
  return made;
}

/// Calls `visit` with every legal perfectly factored mapping in every order of its loops. False when there are more than `most` nests.
inline bool every_mapping(const SmallCase& c, std::int64_t most, const std::function<void(const Mapping&)>& visit) {
  const Problem& problem = c.problem;
  const std::size_t levels = c.chip.levels.size();
  Mapping mapping;
  mapping.levels.resize(levels);
  for (std::size_t l = 0; l < levels; ++l) mapping.levels[l].keeps = c.rules.keeps[l];
  std::vector<std::vector<Loop>> temporal(levels), spatial(levels);
  std::vector<std::int64_t> x(levels, 1), y(levels, 1);
  std::int64_t nests = 0;
  const int passes = problem.compute == Compute::vector ? problem.dim("T") : -1;
  const int columns = problem.dim("C");
  const auto legal_passes = [&] {
    bool seen = false;
    for (const LevelMapping& level : mapping.levels) {
      for (const Loop& loop : level.loops) {
        if (loop.kind != LoopKind::temporal) continue;
        if (loop.dim == columns) seen = true;
        if (loop.dim == passes && seen) return false;
      }
    }
    return true;
  };
  const std::function<bool(std::size_t)> order = [&](std::size_t l) -> bool {
    if (l == levels) {
      if (++nests > most) return false;
      if (legal_passes() && check(problem, mapping, c.chip)) visit(mapping);
      return true;
    }
    std::vector<Loop> loops = temporal[l];
    std::sort(loops.begin(), loops.end(), [](const Loop& a, const Loop& b) { return a.dim < b.dim; });
    do {
      mapping.levels[l].loops = loops;
      mapping.levels[l].loops.insert(mapping.levels[l].loops.end(), spatial[l].begin(), spatial[l].end());
      if (!order(l + 1)) return false;
    } while (
        std::next_permutation(loops.begin(), loops.end(), [](const Loop& a, const Loop& b) { return a.dim < b.dim; }));
    return true;
  };
  const auto contains = [](const std::vector<int>& dims, int d) {
    return std::find(dims.begin(), dims.end(), d) != dims.end();
  };
  // Each dim over the places of all levels: x, y and time of the innermost first; level 0 takes the rest in time.
  const std::function<bool(std::size_t, std::size_t, std::int64_t)> split = [&](std::size_t d, std::size_t place,
                                                                                std::int64_t left) -> bool {
    if (d == problem.dims.size()) return order(0);
    if (place == 3 * levels - 1) {
      if (left > 1) temporal[0].push_back({static_cast<int>(d), left, LoopKind::temporal});
      const bool more = split(d + 1, 0, d + 1 < problem.dims.size() ? problem.dims[d + 1].bound : 1);
      if (left > 1) temporal[0].pop_back();
      return more;
    }
    const std::size_t l = levels - 1 - place / 3;
    for (std::int64_t n = 1; n <= left; ++n) {
      if (left % n != 0) continue;
      bool more = true;
      if (place % 3 == 2) {
        if (n > 1) temporal[l].push_back({static_cast<int>(d), n, LoopKind::temporal});
        more = split(d, place + 1, left / n);
        if (n > 1) temporal[l].pop_back();
      } else {
        const bool along_x = place % 3 == 0;
        std::int64_t& used = along_x ? x[l] : y[l];
        const std::int64_t room = along_x ? c.chip.levels[l].fanout_x : c.chip.levels[l].fanout_y;
        if (n > 1 &&
            (!contains((along_x ? c.rules.x_dims : c.rules.y_dims)[l], static_cast<int>(d)) || used * n > room))
          continue;
        used *= n;
        if (n > 1) {
          spatial[l].push_back({static_cast<int>(d), n, along_x ? LoopKind::spatial_x : LoopKind::spatial_y});
        }
        more = split(d, place + 1, left / n);
        if (n > 1) spatial[l].pop_back();
        used /= n;
      }
      if (!more) return false;
    }
    return true;
  };
  return split(0, 0, problem.dims.front().bound);
}

/// Over all mappings: the best score of every objective, and the least energy of the fastest ones.
struct Best {
  std::array<double, 3> scores{};
  std::pair<double, double> frugal;  // cycles, joules
};

/// Nothing when there are more than `most` nests or none is legal.
inline std::optional<Best> exhaustive_best(const SmallCase& c, std::int64_t most) {
  const CostModel model = cost_model(c.problem, c.chip);
  constexpr double infinity = std::numeric_limits<double>::infinity();
  Best best{{infinity, infinity, infinity}, {infinity, infinity}};
  bool any = false;
  const bool whole = every_mapping(c, most, [&](const Mapping& mapping) {
    any = true;
    const AccessCounts counts = count_accesses(c.problem, mapping);
    const ComputeCost compute = model.family->compute(c.chip, c.problem, array_pass(model, mapping));
    const CostFigures figures = cost_figures(model, mapping, counts, level_costs(model, counts), compute);
    const Joules energy = figures.energy.total();
    best.frugal = std::min(best.frugal, std::pair{figures.cycles.value, energy.value});
    for (std::size_t i = 0; i < best.scores.size(); ++i)
      best.scores[i] = std::min(best.scores[i], score(figures.cycles, energy, c.chip, static_cast<Objective>(i)));
  });
  if (!whole || !any) return std::nullopt;
  return best;
}

}  // namespace tilewright::testing
