// How many PE cycles a second the SystemC array plays.
#include <benchmark/benchmark.h>

#include "sim/systemc/pe_array/pe_array.hpp"

namespace {

using namespace tilewright;

/// Argument: side of a square, weight stationary array; the product fills it once with a stream of 256.
void pe_cycles(benchmark::State& state) {
  PeArrayRequest request;
  request.rows = request.cols = state.range(0);
  request.a = Matrix(256, request.rows);
  request.b = Matrix(request.rows, request.cols);
  std::int64_t cycles = 0;
  for (auto _ : state) cycles += simulate_pe_array(request).cycles;
  state.SetItemsProcessed(cycles * request.rows * request.cols);
}
BENCHMARK(pe_cycles)->Arg(4)->Arg(32)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace
