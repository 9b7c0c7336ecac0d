// Whole-model latency of transformer language models in eager and compiled PyTorch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arch_models/gpu/stack.hpp"
#include "validation/suite.hpp"

namespace tilewright {

/// A transformer as its framework runs it, operator by operator.
struct Transformer {
  std::string_view name;
  std::int64_t layers, hidden, heads, vocabulary;
  std::int64_t score_passes;  // element-wise passes over the attention scores: scale, mask
  std::int64_t
      activation_passes;  // passes over the widened hidden state: 1 for ReLU or a fused GELU, 8 for a tanh GELU written out
  bool language_head;  // a product with the vocabulary at the end
};
/// The models of the table; nullptr for another name.
const Transformer* find_transformer(std::string_view name);
/// Kernels of one forward pass in fp32. `compiled`: chains of element-wise operators become one kernel.
std::vector<ModelKernel> forward_kernels(const Transformer& model, std::int64_t batch, std::int64_t tokens,
                                         bool compiled);
/// Kernels of the backward pass: two products for each one forward, two passes for each element-wise one.
std::vector<ModelKernel> backward_kernels(const std::vector<ModelKernel>& forward);

/// Suite `gpu_models`: the rows of model_latency.csv with a transformer on one GPU; notes count the rows of other models and of several GPUs.
/// Passes when the mean error is at most 12 %.
SuiteResult validate_models(const std::string& folder, const GpuConstants& constants);

}  // namespace tilewright
