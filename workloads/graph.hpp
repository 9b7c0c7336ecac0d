// WorkloadGraph: layers joined by tensors; order, equal layers, liveness. Boost.Graph stays in graph.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/layer.hpp"

namespace tilewright {

enum class TensorKind { input, weight, activation };

struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  DataType type = DataType::fp32;
  TensorKind kind = TensorKind::activation;
  double density = 1.0;
  std::int64_t block = 0;         // structured sparsity: as Operand::block
  TensorId alias_of = -1;         // a free view (Reshape, Flatten, Squeeze ...) of another tensor: shares its memory
  std::int64_t parts = 1;         // GPUs that hold a part of this size each
  bool causal = false;            // masks, of its last two axes (queries, keys), the keys behind each query
  std::int64_t elements() const;  // 1 for a scalar; OverflowError
};

/// A node that costs nothing because it only renames memory; reported, never silent.
struct FreeView {
  std::string name, op;
};

/// How GPUs share a graph by the rows and columns of its weights (transform/shard.hpp); the graph is then the part of one of them.
struct TensorParallel {
  std::int64_t gpus = 1;
  std::int64_t split = 0;          // weight products that they share
  std::vector<std::string> whole;  // weight products that each of them computes
  std::vector<TensorId>
      replicated;  // operands of products split by columns: their gradients are added up on the way back
};

struct WorkloadGraph {
  std::string name;    // "resnet50"
  std::string source;  // path or generator with all its parameters
  std::int64_t batch = 1;
  std::int64_t weight_elements = 0;  // elements of all floating-point or int8/int4 initialisers (weights) of the model
  std::vector<Tensor> tensors;
  std::vector<Layer> layers;  // topological order
  std::vector<TensorId> inputs, outputs;
  std::vector<FreeView> views;
  std::vector<std::string> unmodelled;  // "name (Type)" of layers whose traffic alone is counted
  TensorParallel tensor_parallel;
};

/// Checks ids, unique producers, cycles and dangling edges (a consumed activation without a producer), and sorts
/// `layers` topologically (stable: file order among the ready). InputError names the nodes of a cycle.
void finish(WorkloadGraph& graph);

/// Consumers/producer adjacency as (from layer, to layer) pairs, for drawing and scheduling.
std::vector<std::pair<int, int>> edges(const WorkloadGraph& graph);

/// A layer that stands for `repeat` equal ones (same operator, types, densities, epilogues: names differ).
struct LayerGroup {
  int layer = 0;
  std::int64_t repeat = 1;
  std::vector<int> members;
};
std::vector<LayerGroup> merge_repeats(const WorkloadGraph& graph);

/// Exact peak of live activation bytes over the execution order: a tensor lives from its producer (graph inputs: from the
/// start) to its last consumer (graph outputs: to the end); views share storage; weights excluded; bits are packed per tensor.
std::int64_t peak_activation_bytes(const WorkloadGraph& graph);

/// Sum of macs over all layers; OverflowError when it leaves 64 bits.
std::int64_t total_macs(const WorkloadGraph& graph);

}  // namespace tilewright
