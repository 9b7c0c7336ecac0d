#include "workloads/transform/transform.hpp"

namespace tilewright {
namespace {

/// Floating point and quantised formats; int32 and int64 hold indices, shapes and accumulators.
bool holds_numbers(DataType type) { return type != DataType::int64 && type != DataType::int32; }

TensorKind root_kind(const WorkloadGraph& graph, const Tensor& tensor) {
  const Tensor* base = &tensor;
  while (base->alias_of >= 0) base = &graph.tensors[static_cast<std::size_t>(base->alias_of)];
  return base->kind;
}

}  // namespace

WorkloadGraph set_precision(const WorkloadGraph& graph, const Precision& precision) {
  WorkloadGraph result = graph;
  for (Tensor& tensor : result.tensors) {
    if (!holds_numbers(tensor.type)) continue;
    tensor.type = root_kind(graph, tensor) == TensorKind::weight ? precision.weights : precision.activations;
  }
  return result;
}

}  // namespace tilewright
