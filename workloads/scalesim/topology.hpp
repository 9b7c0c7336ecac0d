// SCALE-Sim topology CSV files (convolution and GEMM variants, trailing commas).
#pragma once

#include <string>

#include "workloads/graph.hpp"

namespace tilewright {

/// Each row becomes one layer, in file order, chained: the ifmap of a row is a view of the ofmap before it, whatever its
/// size. Depthwise rows follow SCALE-Sim (no groups). Formats: "Layer name, IFMAP Height, IFMAP Width, Filter Height,
/// Filter Width, Channels, Num Filter, Strides" with an optional second stride and an optional sparsity ratio such as 2:4,
/// and "Layer, M, N, K" (M x K times K x N). Elements are int8: SCALE-Sim counts words of one byte. A name that comes
/// again gets "#2", "#3" ... `batch` multiplies the ifmaps (below 1: 1). InputError with file, line and column name.
WorkloadGraph import_topology(const std::string& path, std::int64_t batch);

}  // namespace tilewright
