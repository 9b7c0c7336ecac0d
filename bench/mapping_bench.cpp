// How many mappings a second the access counts take: the inner loop of every search.
#include <benchmark/benchmark.h>

#include "sim/mapping/access_counts.hpp"

namespace {

using namespace tilewright;

enum ConvDim { dim_n, dim_k, dim_c, dim_p, dim_q, dim_r, dim_s };

/// AlexNet CONV1 (Krizhevsky et al., 2012): 96 filters of 3 x 11 x 11, stride 4, 55 x 55 outputs.
Problem alexnet_conv1() {
  Problem problem;
  problem.dims = {{"N", 1}, {"K", 96}, {"C", 3}, {"P", 55}, {"Q", 55}, {"R", 11}, {"S", 11}};
  problem.operands = {
      {"weights", Role::weight, DataType::int8, {{{dim_k}}, {{dim_c}}, {{dim_r}}, {{dim_s}}}},
      {"inputs", Role::input, DataType::int8, {{{dim_n}}, {{dim_c}}, {{dim_p, 4}, {dim_r}}, {{dim_q, 4}, {dim_s}}}},
      {"outputs", Role::output, DataType::int32, {{{dim_n}}, {{dim_k}}, {{dim_p}}, {{dim_q}}}},
  };
  return problem;
}

/// A row-stationary-like nest on DRAM, buffer, array and register levels.
Mapping four_levels(std::int64_t array_columns) {
  const std::int64_t passes = (55 + array_columns - 1) / array_columns;
  const std::vector<bool> all{true, true, true};
  return {{
      {{{dim_k, 6}, {dim_p, passes}}, all},
      {{{dim_k, 2}, {dim_q, 55}}, {false, true, true}},
      {{{dim_p, array_columns, LoopKind::spatial_x}, {dim_r, 11, LoopKind::spatial_y}}, all},
      {{{dim_c, 3}, {dim_k, 8}, {dim_s, 11}}, all},
  }};
}

/// Argument: columns of the array. 11 divides the 55 output rows; 13 does not, and the last tile is clipped.
void count_accesses_of_alexnet_conv1(benchmark::State& state) {
  const Problem problem = alexnet_conv1();
  const Mapping mapping = four_levels(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(count_accesses(problem, mapping));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(count_accesses_of_alexnet_conv1)->Arg(11)->Arg(13)->ArgName("columns");

}  // namespace
