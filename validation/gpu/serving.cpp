#include "validation/gpu/serving.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace tilewright {
namespace {

using enum ModelCode;

constexpr LanguageModel llama7(std::string_view name, std::int64_t vocabulary = 32000) {
  return {name, 32, 4096, 11008, true, 32, 32, 128, vocabulary};
}
constexpr LanguageModel llama13(std::string_view name) { return {name, 40, 5120, 13824, true, 40, 40, 128, 32000}; }

constexpr std::array models{
    llama7("BAIR/koala-7b"),
    llama7("lmsys/vicuna-7B"),
    llama7("metaai/llama-7B"),
    llama7("tatsu-lab/alpaca-7B"),
    llama7("project-baize/baize-v2-7B"),
    llama7("Neutralzz/BiLLa-7B-SFT", 46943),
    llama7("h2oai/h2ogpt-gm-oasst1-en-2048-open-llama-7b-preview-300bt-v2"),
    llama7("Salesforce/xgen-7b-8k-inst", 51200),
    llama7("codellama/CodeLlama-7b-hf"),
    llama13("BAIR/koala-13b"),
    llama13("lmsys/vicuna-13B"),
    llama13("metaai/llama-13B"),
    llama13("camel-ai/CAMEL-13B-Combined-Data"),
    llama13("nomic-ai/gpt4all-13b-snoozy"),
    llama13("openaccess-ai-collective/manticore-13b-chat-pyg"),
    llama13("metaai/Llama-2-13b-chat-hf"),
    llama13("codellama/CodeLlama-13b-hf"),
    LanguageModel{"OpenAssistant/oasst-sft-1-pythia-12b", 36, 5120, 20480, false, 40, 40, 128, 50288, 1, 1, gpt_neox},
    LanguageModel{"databricks/dolly-v2-12b", 36, 5120, 20480, false, 40, 40, 128, 50280, 1, 1, gpt_neox},
    LanguageModel{"StabilityAI/stablelm-tuned-alpha-7b", 16, 6144, 24576, false, 48, 48, 128, 50432, 1, 1, gpt_neox},
    LanguageModel{"togethercomputer/RedPajama-INCITE-7B-Chat", 32, 4096, 16384, false, 32, 32, 128, 50432, 1, 1,
                  gpt_neox},
    LanguageModel{"FreedomIntelligence/phoenix-inst-chat-7b", 30, 4096, 16384, false, 32, 32, 128, 250880, 1, 1, bloom},
    // time mixing: four h x h matrices; channel mixing: two h x 4h and one h x h
    LanguageModel{"RWKV/rwkv-raven-7b", 32, 4096, 18432, false, 32, 32, 128, 50277, 1, 1, rwkv},
    // decoder of FLAN-T5 XL: 32 heads of 64; the second attention's two matrices of a step count as heads twice
    LanguageModel{"lmsys/fastchat-t5-3b-v1.0", 24, 2048, 5120, true, 48, 48, 64, 32128, 1, 1, t5_decoder},
    LanguageModel{"google/gemma-2-27b-it", 46, 4608, 36864, true, 32, 16, 128, 256000},
    LanguageModel{"google/gemma-2-2b-it", 26, 2304, 9216, true, 8, 4, 256, 256000},
    LanguageModel{"google/codegemma-7b", 28, 3072, 24576, true, 16, 16, 256, 256000},
    LanguageModel{"google/codegemma-1.1-2b", 18, 2048, 16384, true, 8, 1, 256, 256000},
    LanguageModel{"meta-llama/Meta-Llama-3.1-70B-Instruct", 80, 8192, 28672, true, 64, 8, 128, 128256},
    LanguageModel{"meta-llama/Meta-Llama-3.1-8B-Instruct", 32, 4096, 14336, true, 32, 8, 128, 128256},
    LanguageModel{"microsoft/Phi-3-mini-4k-instruct", 32, 3072, 8192, true, 32, 32, 96, 32064},
    LanguageModel{"microsoft/Phi-3-small-8k-instruct", 32, 4096, 14336, true, 32, 8, 128, 100352},
    LanguageModel{"mistralai/Mistral-7B-Instruct-v0.3", 32, 4096, 14336, true, 32, 8, 128, 32768},
    LanguageModel{"mistralai/Mistral-Large-Instruct-2407", 88, 12288, 28672, true, 96, 8, 128, 32768},
    LanguageModel{"mistralai/Mixtral-8x22B-Instruct-v0.1", 56, 6144, 16384, true, 48, 8, 128, 32000, 8, 2},
    LanguageModel{"bigcode/starcoder2-15b", 40, 6144, 24576, false, 48, 4, 128, 49152},
    LanguageModel{"bigcode/starcoder2-3b", 30, 3072, 12288, false, 24, 2, 128, 49152},
    LanguageModel{"codellama/CodeLlama-70b-hf", 80, 8192, 28672, true, 64, 8, 128, 32016},
};

/// A part of a matrix side on one of several GPUs, at least one.
std::int64_t part(std::int64_t side, std::int64_t gpus) { return std::max<std::int64_t>(1, (side + gpus - 1) / gpus); }

class Step {
 public:
  Step(const LanguageModel& model, std::int64_t rows, std::int64_t gpus, GpuPrecision precision)
      : model_(model), rows_(rows), gpus_(gpus), precision_(precision) {}

  void layers(AttentionKernel attention) {
    const std::int64_t heads = part(model_.heads, gpus_), kv_heads = part(model_.kv_heads, gpus_),
                       width = heads * model_.head_dim, ffn = part(model_.feed_forward, gpus_);
    attention.heads = heads / kv_heads * kv_heads;
    attention.kv_heads = kv_heads;
    attention.head_dim = model_.head_dim;
    attention.precision = precision_;
    vector(VectorOp::layernorm, model_.hidden, 2, model_.layers);
    linear(model_.hidden, width + 2 * kv_heads * model_.head_dim, rows_, model_.layers);
    vector(VectorOp::relu, width + kv_heads * model_.head_dim, 1, model_.layers);  // rotary embedding
    kernels_.push_back({attention, model_.layers});
    linear(width, model_.hidden, rows_, model_.layers);
    // Tokens spread over the experts that they meet: each is a product of its own.
    const double met = met_experts();
    const auto experts = static_cast<std::int64_t>(std::ceil(met));
    const std::int64_t rows = part(rows_ * model_.active_experts, experts);
    linear(model_.hidden, model_.gated ? 2 * ffn : ffn, rows, experts * model_.layers);
    vector(VectorOp::gelu, ffn, model_.gated ? 2 : 1, model_.layers);
    linear(ffn, model_.hidden, rows, experts * model_.layers);
  }
  void head(std::int64_t rows) {
    vector(VectorOp::layernorm, model_.hidden, 2, 1);
    linear(model_.hidden, part(model_.vocabulary, gpus_), rows, 1);
  }
  std::vector<ModelKernel> take() { return std::move(kernels_); }

 private:
  double met_experts() const {
    const double all = static_cast<double>(model_.experts);
    return all * (1 - std::pow(1 - static_cast<double>(model_.active_experts) / all, static_cast<double>(rows_)));
  }
  void linear(std::int64_t in, std::int64_t out, std::int64_t rows, std::int64_t repeat) {
    GemmKernel kernel;
    kernel.m = rows;
    kernel.k = in;
    kernel.n = out;
    kernel.a_transposed = true;
    kernel.precision = precision_;
    kernels_.push_back({kernel, repeat});
  }
  void vector(VectorOp op, std::int64_t columns, std::int64_t inputs, std::int64_t repeat) {
    kernels_.push_back({VectorKernel{op, rows_, columns, inputs, precision_}, repeat});
  }

  const LanguageModel& model_;
  std::int64_t rows_, gpus_;
  GpuPrecision precision_;
  std::vector<ModelKernel> kernels_;
};

}  // namespace

std::int64_t eager_launches(ModelCode code) {
  switch (code) {
    // two RMS norms of 8 operators, 4 + 3 products, rotary embedding 14, cache 2, scores, mask, softmax in fp32, context 9, activation 2, residuals 2
    case llama: return 52;
    case gpt_neox:
      return 40;  // fused layer norms, biased products, rotary embedding, scores as above, one GELU, residuals
    case bloom: return 24;       // fused layer norms, one product for queries, keys and values, no rotary embedding
    case rwkv: return 20;        // scripted mixing
    case t5_decoder: return 68;  // two attentions, RMS norms, GELU written out, three checks for infinity
  }
  return 0;
}

double LanguageModel::attention_weights() const {
  return static_cast<double>(hidden * head_dim) * static_cast<double>(2 * heads + 2 * kv_heads);
}
double LanguageModel::feed_forward_weights() const {
  return (gated ? 3.0 : 2.0) * static_cast<double>(hidden) * static_cast<double>(feed_forward);
}
double LanguageModel::active_weights() const {
  return static_cast<double>(layers) *
             (attention_weights() + static_cast<double>(active_experts) * feed_forward_weights()) +
         static_cast<double>(vocabulary) * static_cast<double>(hidden);
}
double LanguageModel::step_weights(double tokens) const {
  const double all = static_cast<double>(experts);
  const double met = all * (1 - std::pow(1 - static_cast<double>(active_experts) / all, tokens));
  return active_weights() + static_cast<double>(layers) * (met - static_cast<double>(active_experts)) *
                                feed_forward_weights() * (experts > 1 ? 1 : 0);
}
double LanguageModel::cache_bytes_per_token() const {
  return 2.0 * 2.0 * static_cast<double>(layers * kv_heads * head_dim);
}

const LanguageModel* find_language_model(std::string_view name) {
  const auto found = std::ranges::find(models, name, &LanguageModel::name);
  return found == models.end() ? nullptr : &*found;
}

std::vector<ModelKernel> step_kernels(const LanguageModel& model, std::int64_t batch, std::int64_t context,
                                      std::int64_t gpus, GpuPrecision precision) {
  Step step(model, batch, gpus, precision);
  AttentionKernel attention;
  attention.batch = batch;
  attention.keys = context;
  step.layers(attention);
  step.head(batch);
  return step.take();
}

std::vector<ModelKernel> prefill_kernels(const LanguageModel& model, std::int64_t tokens, std::int64_t gpus,
                                         GpuPrecision precision) {
  Step step(model, tokens, gpus, precision);
  AttentionKernel attention;
  attention.queries = attention.keys = tokens;
  attention.prefill = true;
  step.layers(attention);
  step.head(1);
  return step.take();
}

}  // namespace tilewright
