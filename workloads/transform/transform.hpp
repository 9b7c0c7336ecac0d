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

/// Layers with multiply-accumulates whose name fits the pattern (* stands for any text). InputError where there is none, naming the nearest.
std::vector<std::size_t> layers_named(const WorkloadGraph& graph, const std::string& pattern);

/// Weights and inputs of these layers get the formats; what they write keeps that of its readers.
WorkloadGraph set_layer_precision(const WorkloadGraph& graph, const std::string& layers, const Precision& precision);

/// Share of weights that are not zero; `block` > 0: exactly density x block of every `block` neighbours (structured).
struct Sparsity {
  double density = 1;
  std::int64_t block = 0;
};
/// "0.5": half of the weights are zero, anywhere; "2:4": two of every four are not. InputError.
Sparsity sparsity_from(const std::string& text);
/// Weights (not biases) of these layers. What zeros save is up to the chip (`sparsity` and `storage` in its file); accuracy is not touched.
WorkloadGraph set_sparsity(const WorkloadGraph& graph, const std::string& layers, const Sparsity& sparsity);

/// Multiplies the batch axis of every activation by batch / graph.batch. The axis is followed from the inputs: through views by
/// its stride in memory, through Transpose, reductions and gathers by the axes that the layer keeps. InputError naming the layer
/// where the batch cannot be found, is taken out or summed up, and for sizes that leave 64 bits.
WorkloadGraph set_batch(const WorkloadGraph& graph, std::int64_t batch);

}  // namespace tilewright
