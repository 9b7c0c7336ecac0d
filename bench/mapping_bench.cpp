// How many mappings a second an evaluation takes (counts, level costs, time, energy): the inner loop of every search, against a plain
// recursion over the loops that finds the same fills by visiting every tile (`recursive/...`).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"

namespace {

using namespace tilewright;

/// AlexNet CONV1 (Krizhevsky et al., 2012): 96 filters of 3 x 11 x 11, stride 4, on 3 x 227 x 227: 55 x 55 outputs.
Problem alexnet_conv1() {
  enum { dim_n, dim_k, dim_c, dim_p, dim_q, dim_r, dim_s };
  Problem problem;
  problem.dims = {{"N", 1}, {"K", 96}, {"C", 3}, {"P", 55}, {"Q", 55}, {"R", 11}, {"S", 11}};
  problem.operands = {
      {"weights", Role::weight, DataType::int16, {{{dim_k}}, {{dim_c}}, {{dim_r}}, {{dim_s}}}},
      {"inputs", Role::input, DataType::int16, {{{dim_n}}, {{dim_c}}, {{dim_p, 4}, {dim_r}}, {{dim_q, 4}, {dim_s}}}},
      {"outputs", Role::output, DataType::int16, {{{dim_n}}, {{dim_k}}, {{dim_p}}, {{dim_q}}}},
  };
  return problem;
}

/// Out[P, K] += In[P + R] x W[R, K].
Problem conv1d() {
  Problem problem;
  problem.dims = {{"P", 96}, {"K", 32}, {"R", 3}};
  problem.operands = {{"weights", Role::weight, DataType::int16, {{{2}}, {{1}}}},
                      {"inputs", Role::input, DataType::int16, {{{0}, {2}}}},
                      {"outputs", Role::output, DataType::int16, {{{0}}, {{1}}}}};
  return problem;
}

BufferLevel level(const char* name, std::optional<Bytes> capacity, std::int64_t instances, std::int64_t access_bits,
                  double picojoules_each) {
  BufferLevel result;
  result.capacity = capacity;
  result.name = name;
  result.instances = instances;
  result.access_bits = access_bits;
  result.read_energy = result.write_energy = picojoules(picojoules_each);
  return result;
}

/// DRAM, buffer of 108 KiB, 12 x 14 PEs with scratchpads of 260 words and registers of 16 words each; relative energies 200 : 6 : 1 : 1 (Chen et al., ISCA 2016).
Chip eyeriss_like(bool vector_access) {
  Chip chip;
  chip.name = "eyeriss-like";
  chip.family = "systolic";
  chip.clock = Hertz{200e6};
  chip.levels = {level("DRAM", {}, 1, vector_access ? 64 : 0, 200),
                 level("Buffer", Bytes{108 * 1024}, 1, vector_access ? 64 : 0, 6),
                 level("Scratchpad", Bytes{520}, 168, vector_access ? 32 : 0, 1),
                 level("Registers", Bytes{32}, 168, vector_access ? 16 : 0, 1)};
  chip.levels[0].bandwidth = BytesPerCycle{4};
  chip.levels[1].bandwidth = BytesPerCycle{64};
  chip.levels[1].fanout_x = 14;
  chip.levels[1].fanout_y = 12;
  chip.arithmetic[DataType::int16] = {1.0, picojoules(1), "relative"};
  SystolicParameters array;
  array.rows = 12;
  array.cols = 14;
  array.dataflow = ArrayDataflow::row_stationary;
  chip.parameters = array;
  return chip;
}

/// The same without an array: DRAM, buffer, registers under one lane.
Chip three_levels() {
  Chip chip = eyeriss_like(true);
  chip.levels.erase(chip.levels.begin() + 2);
  chip.levels[1].fanout_x = chip.levels[1].fanout_y = chip.levels[2].instances = 1;
  SystolicParameters array;
  array.rows = array.cols = 1;
  array.dataflow = ArrayDataflow::row_stationary;
  chip.parameters = array;
  return chip;
}

enum class Factors { any, dividing };

/// Random legal mappings: factors of every dim over the levels, loops in random order, spatial loops within the fan-out.
std::vector<Mapping> random_mappings(const Problem& problem, const Chip& chip, Factors factors, std::size_t count) {
  std::mt19937_64 random(1);
  const auto pick = [&](std::int64_t most) {
    return 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most));
  };
  std::vector<Mapping> mappings;
  while (mappings.size() < count) {
    Mapping mapping;
    mapping.levels.resize(chip.levels.size());
    for (LevelMapping& each : mapping.levels) each.keeps.assign(problem.operands.size(), true);
    mapping.levels[1].keeps[0] = chip.levels.size() == 3;  // weights pass the buffer by
    std::vector<std::int64_t> inside(problem.dims.size(), 1);
    for (std::size_t l = chip.levels.size(); l-- > 0;) {
      std::vector<Loop>& loops = mapping.levels[l].loops;
      std::int64_t free_x = chip.levels[l].fanout_x, free_y = chip.levels[l].fanout_y;
      for (std::size_t d = 0; d < problem.dims.size(); ++d) {
        const auto take = [&](std::int64_t most, LoopKind kind) {
          const std::int64_t left = ceil_div(problem.dims[d].bound, inside[d]);
          std::int64_t bound = std::min(left, pick(most));
          while (factors == Factors::dividing && left % bound != 0) --bound;
          if (bound > 1) loops.push_back({static_cast<int>(d), bound, kind});
          inside[d] *= bound;
          return bound;
        };
        if (free_x > 1 && random() % 2 == 0) free_x /= take(free_x, LoopKind::spatial_x);
        if (free_y > 1 && random() % 2 == 0) free_y /= take(free_y, LoopKind::spatial_y);
        if (random() % 2 == 0) take(l == 0 ? problem.dims[d].bound : 8, LoopKind::temporal);
        while (l == 0 && inside[d] < problem.dims[d].bound) take(problem.dims[d].bound, LoopKind::temporal);
      }
      std::shuffle(loops.begin(), loops.end(), random);
    }
    if (check(problem, mapping, chip)) mappings.push_back(std::move(mapping));
  }
  return mappings;
}

void evaluate_all(benchmark::State& state, const Problem& problem, const Chip& chip,
                  const std::vector<Mapping>& mappings) {
  const CostModel model = cost_model(problem, chip);
  MappingEvaluator evaluator(model);
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(evaluator.evaluate(mappings[next]));
    next = next + 1 == mappings.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}

constexpr std::size_t some = 400;

void alexnet_conv1_eyeriss(benchmark::State& state) {
  const Problem problem = alexnet_conv1();
  const Chip chip = eyeriss_like(true);
  evaluate_all(state, problem, chip, random_mappings(problem, chip, Factors::any, some));
}
BENCHMARK(alexnet_conv1_eyeriss)->Name("evaluate/alexnet_conv1_eyeriss");

void alexnet_conv1_eyeriss_lean(benchmark::State& state) {
  const Problem problem = alexnet_conv1();
  const Chip chip = eyeriss_like(false);
  evaluate_all(state, problem, chip, random_mappings(problem, chip, Factors::dividing, some));
}
BENCHMARK(alexnet_conv1_eyeriss_lean)->Name("evaluate/alexnet_conv1_eyeriss_lean");

void conv1d_3level(benchmark::State& state) {
  const Problem problem = conv1d();
  const Chip chip = three_levels();
  evaluate_all(state, problem, chip, random_mappings(problem, chip, Factors::any, some));
}
BENCHMARK(conv1d_3level)->Name("evaluate/conv1d_3level");

/// Plain recursion: walks the loops outside a level tile by tile and adds up what is new in each box.
class Recursion {
 public:
  Recursion(const Problem& problem, const Mapping& mapping) : problem_(problem) {
    for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
      for (const Loop& loop : mapping.levels[l].loops) loops_.push_back({loop, l, 1});
    }
    std::vector<std::int64_t> inside(problem.dims.size(), 1);
    for (std::size_t i = loops_.size(); i-- > 0;) {
      std::int64_t& tile = inside[static_cast<std::size_t>(loops_[i].loop.dim)];
      loops_[i].step = tile;
      tile *= loops_[i].loop.bound;
    }
  }
  std::int64_t fills(std::size_t level, const Operand& operand) {
    level_ = level;
    operand_ = &operand;
    start_.assign(problem_.dims.size(), 0);
    tile_.assign(problem_.dims.size(), 1);
    for (const Nest& nest : loops_) {
      if (nest.level >= level) tile_[static_cast<std::size_t>(nest.loop.dim)] *= nest.loop.bound;
    }
    last_.clear();
    total_ = 0;
    visit(0);
    return total_;
  }

 private:
  struct Nest {
    Loop loop;
    std::size_t level;
    std::int64_t step;
  };
  struct Interval {
    std::int64_t low, high;
  };
  void visit(std::size_t i) {
    if (i < loops_.size() && loops_[i].level < level_) {
      const auto d = static_cast<std::size_t>(loops_[i].loop.dim);
      const std::int64_t start = start_[d];
      for (std::int64_t k = 0; k < loops_[i].loop.bound && start_[d] < problem_.dims[d].bound; ++k) {
        visit(i + 1);
        start_[d] += loops_[i].step;
      }
      start_[d] = start;
      return;
    }
    box_.clear();
    std::int64_t words = 1, common = last_.empty() ? 0 : 1;
    for (std::size_t a = 0; a < operand_->axes.size(); ++a) {
      Interval range{0, 0};
      for (const Term& term : operand_->axes[a]) {
        const auto d = static_cast<std::size_t>(term.dim);
        range.low += term.coefficient * start_[d];
        range.high += term.coefficient * (std::min(start_[d] + tile_[d], problem_.dims[d].bound) - 1);
      }
      words *= range.high - range.low + 1;
      if (common > 0) {
        const std::int64_t low = std::max(range.low, last_[a].low), high = std::min(range.high, last_[a].high);
        common *= std::max<std::int64_t>(high - low + 1, 0);
      }
      box_.push_back(range);
    }
    total_ += words - common;
    last_.swap(box_);
  }
  const Problem& problem_;
  std::vector<Nest> loops_;
  std::vector<std::int64_t> start_, tile_;
  std::vector<Interval> last_, box_;
  const Operand* operand_ = nullptr;
  std::size_t level_ = 0;
  std::int64_t total_ = 0;
};

void recurse_all(benchmark::State& state, const Problem& problem, const Chip& chip,
                 const std::vector<Mapping>& mappings) {
  std::size_t next = 0;
  for (auto _ : state) {
    Recursion recursion(problem, mappings[next]);
    for (std::size_t l = 1; l < chip.levels.size(); ++l) {
      for (std::size_t o = 0; o < problem.operands.size(); ++o) {
        if (mappings[next].levels[l].keeps[o]) benchmark::DoNotOptimize(recursion.fills(l, problem.operands[o]));
      }
    }
    next = next + 1 == mappings.size() ? 0 : next + 1;
  }
  state.SetItemsProcessed(state.iterations());
}

void recursive_alexnet_conv1(benchmark::State& state) {
  const Problem problem = alexnet_conv1();
  const Chip chip = eyeriss_like(true);
  recurse_all(state, problem, chip, random_mappings(problem, chip, Factors::any, 8));
}
BENCHMARK(recursive_alexnet_conv1)->Name("recursive/alexnet_conv1_eyeriss")->Iterations(8);

void recursive_conv1d(benchmark::State& state) {
  const Problem problem = conv1d();
  const Chip chip = three_levels();
  recurse_all(state, problem, chip, random_mappings(problem, chip, Factors::any, some));
}
BENCHMARK(recursive_conv1d)->Name("recursive/conv1d_3level");

}  // namespace
