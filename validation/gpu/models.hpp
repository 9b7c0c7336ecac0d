// Whole-model latency: transformer language models and image classifiers in PyTorch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arch_models/gpu/stack.hpp"
#include "validation/gpu/validate.hpp"
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
/// Weights of the layers and of the table of tokens, biases and norms apart.
double parameters(const Transformer& model);
/// Kernels of one forward pass in fp32. `compiled`: chains of element-wise operators become one kernel. With several `gpus` those of one of them:
/// each has its part of the heads, of the widened columns and of the vocabulary.
std::vector<ModelKernel> forward_kernels(const Transformer& model, std::int64_t batch, std::int64_t tokens,
                                         bool compiled, std::int64_t gpus = 1);

/// Suite `gpu_models`: the rows of model_latency.csv: transformers on one GPU and on four (NeuSight, CUDA events) and torchvision's classifiers (wall clock, image
/// copy included). A wall-clock host is known from its own rows: its rate of copying and, for each phase, its dispatch of an operator are those with the least sum of
/// relative errors, kernels as predicted; the row that a dispatch is read off is left out of the errors.
/// Leave-out device: constants from a cold refit without the device's kernels and no trim. Passes when the mean error is at most 8 %, 12 %
/// for devices left out. `shape` is refused by the caller: networks have no shape to leave out.
SuiteResult validate_models(const std::string& folder, const Calibration& calibration, LeaveOut leave_out);

}  // namespace tilewright
