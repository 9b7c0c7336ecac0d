// How many kernel times a second the GPU models predict on one core: products, convolutions, vectors, attention, on mixed shapes and devices.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "arch_models/gpu/constants.hpp"
#include "validation/gpu/rows.hpp"

namespace {

using namespace tilewright;

/// Predicts the measured rows of one operator (empty: all) over and over, each on its own device.
void predict_rows(benchmark::State& state, const std::string& op) {
  const MeasuredData data = read_measured(measured_gpu_folder());
  std::vector<const MeasuredRow*> rows;
  for (const MeasuredRow& row : data.rows)
    if (op.empty() || row.op == op) rows.push_back(&row);
  const GpuConstants& constants = library_calibration().constants;
  std::size_t next = 0;
  for (auto _ : state) {
    const MeasuredRow& row = *rows[next];
    benchmark::DoNotOptimize(predict(row, data.devices[row.device_index], constants, Seconds{5e-6}));
    next = next + 1 < rows.size() ? next + 1 : 0;
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(predict_rows, all, std::string());
BENCHMARK_CAPTURE(predict_rows, linear, std::string("linear"));
BENCHMARK_CAPTURE(predict_rows, conv_fwd, std::string("conv_fwd"));
BENCHMARK_CAPTURE(predict_rows, softmax, std::string("softmax"));
BENCHMARK_CAPTURE(predict_rows, attention_decode, std::string("attention_decode"));

}  // namespace
