// A graph's layers as problems: equal ones once, in formats that the chip has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arch_models/chip.hpp"
#include "workloads/graph.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {

/// A group of equal layers, lowered: its kernels by the index of their distinct problem.
struct LoweredGroup {
  LayerGroup group;
  std::vector<Kernel> kernels;
  std::vector<std::size_t> problems;
};

struct Plan {
  std::vector<LoweredGroup> groups;
  std::vector<Problem> problems;  // distinct, in order of first use
};

/// Groups of equal layers with their kernels. In a pipeline (streaming FPGA, neuromorphic) layers at the graph's boundary stand apart from equal ones inside, and
/// results, and weights that stay from sample to sample, never leave the chip.
Plan plan_layers(const WorkloadGraph& graph, const Chip& chip);

/// Of all weights, each stored once. OverflowError above 64 bits.
std::int64_t weight_bytes(const WorkloadGraph& graph);

/// The first kernel whose asked format the chip lacks, as a sentence with its layer; "" if there is none.
std::string unsupported_format(const WorkloadGraph& graph, const Chip& chip);

}  // namespace tilewright
