// SCALE-Sim's figures for the 21 layers of its ResNet-18 topology on a 32 x 32 array with 64 KiB each: the Python program needs 600 to 1,100 s.
#include <benchmark/benchmark.h>

#include "sim/scalesim/scalesim.hpp"

namespace {

using namespace tilewright;

/// A ResNet-18 stage: rows of the topology that are equal are listed as often as they come.
std::vector<ScaleSimLayer> resnet18() {
  std::vector<ScaleSimLayer> layers{{"Conv1", 224, 224, 7, 7, 3, 64, 2, 2}};
  for (int i = 0; i < 4; ++i) layers.push_back({"Conv2", 56, 56, 3, 3, 64, 64, 1, 1});
  std::int64_t side = 56, channels = 64;
  for (int stage = 3; stage <= 5; ++stage) {
    layers.push_back({"a", side, side, 3, 3, channels, 2 * channels, 2, 2});
    layers.push_back({"s", side, side, 1, 1, channels, 2 * channels, 2, 2});
    side /= 2;
    channels *= 2;
    for (int i = 0; i < 3; ++i) layers.push_back({"b", side, side, 3, 3, channels, channels, 1, 1});
  }
  layers.push_back({"FC", 1, 1, 1, 1, 512, 1000, 1, 1});
  return layers;
}

void run(benchmark::State& state, ScaleSimDetail detail, bool user) {
  ScaleSimConfig config;
  config.rows = config.cols = 32;
  config.ifmap_kib = config.filter_kib = config.ofmap_kib = 64;
  config.dataflow = static_cast<ScaleSimDataflow>(state.range(0));
  config.user_bandwidth = user;
  const std::vector<ScaleSimLayer> layers = resnet18();
  for (auto _ : state) {
    for (const ScaleSimLayer& layer : layers) benchmark::DoNotOptimize(simulate_scalesim(layer, config, detail));
  }
}

/// Argument: 0 output, 1 weight, 2 input stationary.
void cycles_and_sram_of_resnet18(benchmark::State& state) { run(state, ScaleSimDetail::array, false); }
void dram_counts_of_resnet18(benchmark::State& state) { run(state, ScaleSimDetail::memory, false); }
void finite_bandwidth_of_resnet18(benchmark::State& state) { run(state, ScaleSimDetail::memory, true); }

BENCHMARK(cycles_and_sram_of_resnet18)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);
BENCHMARK(dram_counts_of_resnet18)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);
BENCHMARK(finite_bandwidth_of_resnet18)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

}  // namespace
