// Transforms: graph -> graph.
#pragma once

#include "workloads/graph.hpp"

namespace tilewright {

/// `none`: as imported. `normal` (command line: "default"): Conv/Gemm/MatMul + BatchNorm + bias + activation + residual add,
/// element-wise chains, layer-norm and softmax patterns written as primitive operators. `attention`: also MatMul-scale-mask-
/// softmax-MatMul as one Attention layer.
enum class Fusion { none, normal, attention };
WorkloadGraph fuse(const WorkloadGraph& graph, Fusion fusion);

/// Every floating-point or quantised tensor gets the weight or activation format; integer index tensors stay.
WorkloadGraph set_precision(const WorkloadGraph& graph, const Precision& precision);

/// Multiplies the batch axis of every activation by batch / graph.batch. The axis is followed from the inputs: through views by
/// its stride in memory, through Transpose, reductions and gathers by the axes that the layer keeps. InputError naming the layer
/// where the batch cannot be found, is taken out or summed up, and for sizes that leave 64 bits.
WorkloadGraph set_batch(const WorkloadGraph& graph, std::int64_t batch);

}  // namespace tilewright
