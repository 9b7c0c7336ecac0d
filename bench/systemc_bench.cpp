// Tile transactions a second through the SystemC engine and through its twin.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>

#include "arch_models/load.hpp"
#include "sim/search/search.hpp"
#include "sim/systemc/simulate.hpp"
#include "sim/twin/layered.hpp"
#include "sim/twin/ledger.hpp"
#include "sim/twin/max_plus.hpp"

namespace {

using namespace tilewright;

Problem product(std::int64_t m, std::int64_t n, std::int64_t k) {
  Problem problem;
  problem.dims = {{"M", m}, {"N", n}, {"K", k}};
  problem.operands = {{"inputs", Role::input, DataType::int8, {{{0}}, {{2}}}},
                      {"weights", Role::weight, DataType::int8, {{{2}}, {{1}}}},
                      {"outputs", Role::output, DataType::int32, {{{0}}, {{1}}}}};
  return problem;
}

/// Argument 1: an outermost level that binds (contention) or never does.
template <PlayResult (*engine)(Program&, Observer*, const PlayLimits&)>
void tile_transactions(benchmark::State& state) {
  Chip chip = load_chip("edge-systolic-16x16");
  const auto found = find_best(product(4096, 4096, 1024), chip, Objective::latency);
  if (state.range(0) == 0) {
    for (BufferLevel& level : chip.levels) level.bandwidth = BytesPerCycle{0};
  }
  std::int64_t transactions = 0;
  for (auto _ : state) {
    const auto program = layered_program({{"product", 0, {&found->best}, 1}}, chip, 50'000);
    Ledger ledger(*program);
    transactions += static_cast<std::int64_t>(engine(*program, &ledger, {}).transactions);
  }
  state.SetItemsProcessed(transactions);
}
BENCHMARK(tile_transactions<simulate>)->Arg(1)->Arg(0)->ArgName("contention")->Unit(benchmark::kMillisecond);
BENCHMARK(tile_transactions<play_max_plus>)->Arg(1)->Arg(0)->ArgName("contention")->Unit(benchmark::kMillisecond);

/// Cores one by one on a CPU of 64, a hundred products behind one another; how long a wish to stop may wait.
void cores_and_stops(benchmark::State& state) {
  const Chip chip = load_chip("epyc-7763");
  Problem problem = product(2048, 2048, 512);
  const auto found = find_best(problem, chip, Objective::latency);
  const std::vector<KernelRun> runs(100, {"product", 0, {&found->best}, 1, false});
  std::int64_t transactions = 0;
  double silence = 0;
  for (auto _ : state) {
    const auto program = layered_program(runs, chip, 2048);
    Ledger ledger(*program);
    PlayLimits limits;
    auto last = std::chrono::steady_clock::now();
    limits.stop = [&] {
      const auto now = std::chrono::steady_clock::now();
      silence = std::max(silence, std::chrono::duration<double>(now - last).count());
      last = now;
      return false;
    };
    transactions += static_cast<std::int64_t>(simulate(*program, &ledger, limits).transactions);
  }
  state.SetItemsProcessed(transactions);
  state.counters["longest_wait_for_a_stop_ms"] = 1e3 * silence;
}
BENCHMARK(cores_and_stops)->Unit(benchmark::kMillisecond);

}  // namespace
