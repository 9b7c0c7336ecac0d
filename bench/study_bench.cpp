// Points a second of a study whose points share mappings, once the rungs are searched: ResNet-50 on one array with 4,000 memories, rows stored.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "sim/study/sweep.hpp"

namespace {

using namespace tilewright;

const char* const text = R"(
study: bench
workloads: [MODELS/resnet50.onnx]
chips: [edge-systolic-16x16]
vary:
  chip.levels.Scratchpad.capacity: {log_range: [64 KiB, 1 MiB], points: 40}
  chip.levels.DRAM.bandwidth: {log_range: [4 GB/s, 64 GB/s], points: 100}
  model.precision: [int8]
mappings: shared
)";

const StudyRequest& request() {
  static const StudyRequest study = [] {
    std::string filled = text;
    filled.replace(filled.find("MODELS"), 6, TILEWRIGHT_MODELS);
    return parse_study(filled, "bench.yaml");
  }();
  return study;
}

void sweep_again(benchmark::State& state) {
  static PointEvaluator evaluator(request());
  static const std::string folder =
      (std::filesystem::temp_directory_path() / ("tilewright-bench-" + std::to_string(getpid()))).string();
  SweepOptions options;
  options.jobs = static_cast<int>(state.range(0));
  const auto sweep = [&] {
    std::filesystem::remove_all(folder);
    StudyStore store = StudyStore::open(folder, request(), evaluator.inputs());
    return run_sweep(request(), evaluator, store, options).points;
  };
  sweep();  // searches the rungs
  std::int64_t points = 0;
  for (auto _ : state) points += sweep();
  state.SetItemsProcessed(points);
  std::filesystem::remove_all(folder);
}

BENCHMARK(sweep_again)
    ->Name("study/resnet50_shared/jobs")
    ->Arg(1)
    ->Arg(2)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MeasureProcessCPUTime();

}  // namespace
