// What the tests of the transforms measure: bytes of the tensors that layers read and write, each operand once.
#pragma once

#include "workloads/graph.hpp"

namespace tilewright {

inline std::int64_t tensor_bytes(const WorkloadGraph& graph, TensorId id) {
  const Tensor& tensor = graph.tensors[static_cast<std::size_t>(id)];
  return tensor.elements() * bits(tensor.type) / 8;
}

inline std::int64_t traffic(const WorkloadGraph& graph) {
  std::int64_t sum = 0;
  for (const Layer& layer : graph.layers) {
    for (const TensorId id : layer.inputs) sum += tensor_bytes(graph, id);
    for (const TensorId id : layer.outputs) sum += tensor_bytes(graph, id);
  }
  return sum;
}

}  // namespace tilewright
