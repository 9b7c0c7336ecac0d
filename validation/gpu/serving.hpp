// Language models behind a server: kernels of a decode step and of a prefill, bytes and operations per token.
#pragma once

#include <string_view>
#include <vector>

#include "arch_models/gpu/stack.hpp"

namespace tilewright {

/// How the model code of a framework runs one layer of a decode step; it decides how many kernels the host dispatches.
enum class ModelCode { llama, gpt_neox, bloom, rwkv, t5_decoder };
/// Kernels that eager model code launches per layer and decode step, counted in the sources of the `transformers` library of 2023 (RMS norms and rotary
/// embeddings written out operator by operator); RWKV in those of its own package, scripted.
std::int64_t eager_launches(ModelCode code);

/// Shape of a decoder as published with it.
struct LanguageModel {
  std::string_view name;
  std::int64_t layers, hidden, feed_forward;
  bool gated;  // three feed-forward matrices instead of two
  std::int64_t heads, kv_heads, head_dim, vocabulary;
  std::int64_t experts = 1, active_experts = 1;
  ModelCode code = ModelCode::llama;

  double attention_weights() const;     // of one layer
  double feed_forward_weights() const;  // of one expert of one layer
  double active_weights() const;        // that one token meets, output matrix included
  /// Weights that a step of so many tokens reads: experts are met at random.
  double step_weights(double tokens) const;
  double cache_bytes_per_token() const;  // keys and values, 16 bit
};
/// By the name of the tables; nullptr for another one.
const LanguageModel* find_language_model(std::string_view name);

/// Kernels on one of `gpus` that share every matrix (tensor parallel) for one step: `batch` sequences with `context` cached tokens each, or with
/// `prefill` so many tokens of new sequences. Norms, rotary embeddings and activations are fused as servers do.
std::vector<ModelKernel> step_kernels(const LanguageModel& model, std::int64_t batch, std::int64_t context,
                                      std::int64_t gpus, GpuPrecision precision);
std::vector<ModelKernel> prefill_kernels(const LanguageModel& model, std::int64_t tokens, std::int64_t gpus,
                                         GpuPrecision precision);

}  // namespace tilewright
