// The search on ResNet-18 for a chip with the costs of the tpu_like row of ZigZag's hardware files: a 32x32 array on which any dim may be
// unrolled along either axis, a weight store of 128 B and one accumulator in each PE, a buffer of 2 MB, DRAM at 8 B a cycle.
#include <benchmark/benchmark.h>

#include <sys/resource.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "arch_models/load.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/network/precision.hpp"
#include "sim/search/search.hpp"
#include "sim/search/solved.hpp"
#include "workloads/lowering.hpp"
#include "workloads/onnx/load.hpp"

namespace {

using namespace tilewright;

/// Energies: ZigZag, hardware file tpu_like, pJ an access. Drains are free, reads and writes have ports of their own.
Chip tpu_like() {
  Chip chip = load_chip("zigzag-tpu-like");
  chip.levels.resize(2);
  BufferLevel& sram = chip.levels[1];
  sram.capacity = Bytes{2.0 * 1024 * 1024};
  std::fill(std::begin(sram.keeps), std::end(sram.keeps), true);
  const auto store = [&](const char* name, double bytes, std::int64_t bits, double energy, Role role) {
    BufferLevel level;
    level.name = name;
    level.capacity = Bytes{bytes};
    level.instances = 1024;
    level.access_bits = bits;
    level.read_energy = level.write_energy = picojoules(energy);
    for (int r = 0; r < 3; ++r) level.keeps[r] = r == static_cast<int>(role);
    chip.levels.push_back(level);
  };
  store("WeightStore", 128, 8, 0.095, Role::weight);
  store("Accumulator", 2, 16, 0.021, Role::output);
  chip.levels[0].read_energy = picojoules(700);
  chip.levels[0].write_energy = picojoules(750);
  sram.read_energy = picojoules(416.16);
  sram.write_energy = picojoules(378.4);
  sram.fanout_x = sram.fanout_y = 32;
  sram.double_buffered = false;
  chip.static_power = {};
  for (auto& [type, arithmetic] : chip.arithmetic) arithmetic.energy_per_mac = picojoules(0.04);
  std::get<SystolicParameters>(chip.parameters).dataflow = ArrayDataflow::row_stationary;
  return chip;
}

using Problems = std::vector<std::pair<Problem, std::int64_t>>;  // distinct ones, and how often they run

/// Adds the products and convolutions of a graph in the formats that the chip knows.
void add_problems(WorkloadGraph graph, const Chip& chip, Problems& problems) {
  substitute_formats(graph, chip);
  for (const Layer& layer : graph.layers) {
    for (const Kernel& kernel : lower(graph, layer)) {
      if (kernel.problem.compute != Compute::mac) continue;
      const auto same =
          std::find_if(problems.begin(), problems.end(), [&](const auto& p) { return p.first == kernel.problem; });
      if (same == problems.end()) {
        problems.emplace_back(kernel.problem, kernel.repeat);
      } else {
        same->second += kernel.repeat;
      }
    }
  }
}

struct Layers {
  Chip chip = tpu_like();
  Problems problems;

  Layers() { add_problems(load_workload(TILEWRIGHT_SOURCE_DIR "/workloads/models/resnet18.onnx", {}), chip, problems); }
};

const Layers& layers() {
  static const Layers loaded;
  return loaded;
}

MapRules any_dim(const Problem& problem, const Chip& chip) {
  MapRules rules = family_of(chip).rules(chip, problem);
  std::vector<int> all;
  for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) all.push_back(d);
  rules.x_dims[1] = rules.y_dims[1] = all;
  return rules;
}

/// Counters: energy of the network in uJ, its time in Mcycles, the largest gap of a layer, and the process's peak memory.
void search_layers(benchmark::State& state, Objective objective, bool free_keeps, bool uneven) {
  SearchOptions options;
  options.objective = objective;
  options.factors = Factors::perfect;
  options.free_keeps = free_keeps;
  options.uneven = uneven;
  options.budget = 100'000'000;
  double energy = 0, cycles = 0, gap = 0;
  layers();
  for (auto _ : state) {
    energy = cycles = gap = 0;
    for (const auto& [problem, repeat] : layers().problems) {
      const auto found = find_best(problem, layers().chip, any_dim(problem, layers().chip), options);
      if (!found) return state.SkipWithError("a layer does not fit");
      energy += static_cast<double>(repeat) * found->best.energy.total().value;
      cycles += static_cast<double>(repeat) * found->best.cycles.value;
      gap = std::max(gap, found->gap);
    }
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  state.counters["uJ"] = energy * 1e6;
  state.counters["Mcycles"] = cycles * 1e-6;
  state.counters["gap"] = gap;
  state.counters["peak_MiB"] = static_cast<double>(usage.ru_maxrss) / 1024;
}

/// The plain way: every perfect factorisation in turn, one order, each evaluated; stops after a sample. The rate says how long all of
/// them would take.
void plain_recursion(benchmark::State& state) {
  constexpr std::int64_t sample = 20'000;
  const Chip& chip = layers().chip;
  const Problem& problem = layers().problems[1].first;
  const CostModel model = cost_model(problem, chip);
  std::int64_t evaluated = 0;
  for (auto _ : state) {
    Mapping mapping = trivial_mapping(problem, chip, family_of(chip).rules(chip, problem).keeps);
    for (LevelMapping& level : mapping.levels) level.loops.clear();
    std::int64_t left_to_try = sample;
    double best = 1e300;
    const std::function<void(std::size_t, std::size_t, std::int64_t)> split = [&](std::size_t d, std::size_t level,
                                                                                  std::int64_t left) {
      if (left_to_try <= 0) return;
      if (d == problem.dims.size()) {
        --left_to_try;
        if (!check(problem, mapping, chip)) return;
        const AccessCounts counts = count_accesses(problem, mapping);
        const ComputeCost compute = model.family->compute(chip, problem, array_pass(model, mapping));
        const CostFigures figures = cost_figures(model, mapping, counts, level_costs(model, counts), compute);
        best = std::min(best, figures.energy.total().value);
        return;
      }
      const std::int64_t next = d + 1 < problem.dims.size() ? problem.dims[d + 1].bound : 1;
      for (std::int64_t n = level == 0 ? left : 1; n <= left; ++n) {
        if (left % n != 0) continue;
        mapping.levels[level].loops.push_back({static_cast<int>(d), n, LoopKind::temporal});
        level == 0 ? split(d + 1, chip.levels.size() - 1, next) : split(d, level - 1, left / n);
        mapping.levels[level].loops.pop_back();
      }
    };
    split(0, chip.levels.size() - 1, problem.dims.front().bound);
    benchmark::DoNotOptimize(best);
    evaluated += sample;
  }
  state.SetItemsProcessed(evaluated);
}

/// CPU seconds of this thread.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Every distinct product and convolution of all graphs of the library on every systolic and spatial array of the library: the share
/// that is proven, and CPU time a layer.
void whole_table(benchmark::State& state, Objective objective) {
  std::vector<WorkloadGraph> graphs;
  for (const auto& file : std::filesystem::directory_iterator(TILEWRIGHT_SOURCE_DIR "/workloads/models")) {
    if (file.path().extension() == ".onnx") graphs.push_back(load_workload(file.path().string(), {}));
  }
  SearchOptions options;
  options.objective = objective;
  options.factors = Factors::perfect;
  options.budget = thorough_budget;
  std::vector<double> times;
  double proven = 0, largest_gap = 0, all = 0;
  for (auto _ : state) {
    times.clear();
    proven = largest_gap = all = 0;
    for (const std::string& name : chip_library()) {
      const Chip chip = load_chip(name);
      if (chip.family != "systolic") continue;
      Problems problems;
      for (const WorkloadGraph& graph : graphs) add_problems(graph, chip, problems);
      for (const auto& [problem, repeat] : problems) {
        const double start = cpu_seconds();
        const auto found = find_best(problem, chip, options);
        times.push_back(cpu_seconds() - start);
        all += times.back();
        const double gap = found ? found->gap : 0;
        proven += gap == 0 ? 1 : 0;
        largest_gap = std::max(largest_gap, gap);
      }
    }
    forget_solved();
  }
  std::sort(times.begin(), times.end());
  state.counters["layers"] = static_cast<double>(times.size());
  state.counters["proven"] = proven / static_cast<double>(times.size());
  state.counters["largest_gap"] = largest_gap;
  state.counters["median_ms"] = 1e3 * times[times.size() / 2];
  state.counters["worst_ms"] = 1e3 * times.back();
  state.counters["all_s"] = all;
}

/// First answer (argument 0) and repeated answer (1) for a product of 8192 x 8192 x 8192.
void large_product(benchmark::State& state, const char* name, bool repeated) {
  const Chip chip = load_chip(name);
  Problem problem;
  const DataType type = native_type(chip, DataType::int8);
  problem.dims = {{"M", 8192}, {"N", 8192}, {"K", 8192}};
  problem.operands = {{"inputs", Role::input, type, {{{0}}, {{2}}}},
                      {"weights", Role::weight, type, {{{2}}, {{1}}}},
                      {"outputs", Role::output, type, {{{0}}, {{1}}}}};
  SearchOptions options;
  double gap = 0;
  if (repeated) benchmark::DoNotOptimize(find_best(problem, chip, options));
  for (auto _ : state) {
    if (!repeated) forget_solved();
    const auto found = find_best(problem, chip, options);
    gap = found ? found->gap : 1;
  }
  state.counters["gap"] = gap;
}

}  // namespace

BENCHMARK_CAPTURE(whole_table, latency, Objective::latency)
    ->Name("map/table/latency")
    ->Unit(benchmark::kSecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(whole_table, energy, Objective::energy)
    ->Name("map/table/energy")
    ->Unit(benchmark::kSecond)
    ->Iterations(1);
BENCHMARK_CAPTURE(whole_table, edp, Objective::edp)->Name("map/table/edp")->Unit(benchmark::kSecond)->Iterations(1);
BENCHMARK_CAPTURE(search_layers, energy, Objective::energy, false, false)
    ->Name("map/resnet18_tpu_like/energy")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(search_layers, latency, Objective::latency, false, false)
    ->Name("map/resnet18_tpu_like/latency")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(search_layers, edp, Objective::edp, false, false)
    ->Name("map/resnet18_tpu_like/edp")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(search_layers, free_keeps, Objective::energy, true, false)
    ->Name("map/resnet18_tpu_like/energy/free_keeps")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(search_layers, uneven, Objective::energy, true, true)
    ->Name("map/resnet18_tpu_like/energy/free_keeps_uneven")
    ->Unit(benchmark::kMillisecond);
BENCHMARK(plain_recursion)->Name("map/resnet18_tpu_like/plain_recursion")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(large_product, first, "tpu-v1", false)
    ->Name("map/gemm_8192/tpu-v1/first")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(large_product, again, "tpu-v1", true)
    ->Name("map/gemm_8192/tpu-v1/repeated")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(large_product, epyc, "epyc-7763", false)
    ->Name("map/gemm_8192/epyc-7763/first")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(large_product, a100, "a100-sxm4-80gb", false)
    ->Name("map/gemm_8192/a100-sxm4-80gb/first")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(large_product, eyeriss, "eyeriss", false)
    ->Name("map/gemm_8192/eyeriss/first")
    ->Unit(benchmark::kMillisecond);
