// Transformer encoders and language models: prefill, decode with a key/value cache, and one training step.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "workloads/zoo/builder.hpp"

namespace tilewright::zoo {
namespace {

struct LanguageModel {
  std::int64_t layers, width, heads, kv_heads, hidden, vocabulary;
  std::int64_t positions;  // learned positions; 0: rotary
};

// Radford et al. 2019; Brown et al. 2020, table 2.1; Touvron et al. 2023 (LLaMA table 2, Llama 2 table 1).
constexpr LanguageModel gpt2_sizes{12, 768, 12, 12, 3072, 50257, 1024};
constexpr LanguageModel gpt2_large_sizes{36, 1280, 20, 20, 5120, 50257, 1024};
constexpr LanguageModel gpt3_sizes{96, 12288, 96, 96, 49152, 50257, 2048};
constexpr LanguageModel llama_7b_sizes{32, 4096, 32, 32, 11008, 32000, 0};
constexpr LanguageModel llama_13b_sizes{40, 5120, 40, 40, 13824, 32000, 0};
constexpr LanguageModel llama_70b_sizes{80, 8192, 64, 8, 28672, 32000, 0};

std::vector<Parameter> language_parameters(const std::string& seq, const std::string& context) {
  return {{"phase", "prefill", "prefill, decode (one token with a key/value cache) or train (one step)"},
          {"batch", "1", "sequences at once"},
          {"seq", seq, "tokens of a sequence (prefill and train)"},
          {"context", context, "cached tokens before this step (decode); the new token makes one key more"}};
}

struct Step {
  std::int64_t batch, queries, past;
  bool decode() const { return past > 0; }
};

/// [B, T, H D] -> [B, H, T, D], or [B, H, G, T, D] for grouped query heads.
TensorId split_heads(Builder& b, const std::string& name, TensorId x, std::int64_t heads, std::int64_t groups) {
  const std::vector<std::int64_t> in = b.shape(x);
  const std::int64_t head_dim = in[2] / (heads * groups);
  std::vector<std::int64_t> viewed{in[0], in[1], heads, groups, head_dim}, moved{in[0], heads, groups, in[1], head_dim};
  std::vector<int> axes{0, 2, 3, 1, 4};
  if (groups == 1) {
    viewed.erase(viewed.begin() + 3);
    moved.erase(moved.begin() + 2);
    axes = {0, 2, 1, 3};
  }
  return b.transpose(name + ".transpose", b.view(name + ".heads", "Reshape", x, std::move(viewed)), std::move(moved),
                     std::move(axes));
}

/// Keys or values of all tokens: the new ones are written behind the cached ones.
TensorId append(Builder& b, const std::string& name, TensorId fresh, std::int64_t past) {
  std::vector<std::int64_t> cached = b.shape(fresh), all = cached;
  const std::int64_t moved = product(cached);
  cached[2] = past;
  all[2] = checked_add(past, all[2]);
  const TensorId cache = b.input("past." + name, std::move(cached));
  return b.layer("present." + name, "CacheAppend", Movement{moved}, {fresh, cache}, std::move(all));
}

TensorId self_attention(Builder& b, const std::string& name, TensorId x, const LanguageModel& model, const Step& step,
                        TensorId mask, TensorId rotary) {
  const std::int64_t head_dim = model.width / model.heads, groups = model.heads / model.kv_heads;
  const bool bias = model.positions > 0;
  TensorId q = b.linear(name + ".q_proj", x, model.width, bias);
  TensorId k = b.linear(name + ".k_proj", x, model.kv_heads * head_dim, bias);
  TensorId v = b.linear(name + ".v_proj", x, model.kv_heads * head_dim, bias);
  q = split_heads(b, name + ".q", q, model.kv_heads, groups);
  k = split_heads(b, name + ".k", k, model.kv_heads, 1);
  v = split_heads(b, name + ".v", v, model.kv_heads, 1);
  if (rotary >= 0) {  // two products and a sum per element
    q = b.elementwise(name + ".q_rope", "RotaryEmbedding", {q, rotary}, 3);
    k = b.elementwise(name + ".k_rope", "RotaryEmbedding", {k, rotary}, 3);
  }
  if (step.decode()) {
    k = append(b, name + ".key", k, step.past);
    v = append(b, name + ".value", v, step.past);
  }
  if (groups > 1) {
    const auto grouped = [&](const std::string& part, TensorId t) {
      std::vector<std::int64_t> extents = b.shape(t);
      extents.insert(extents.begin() + 2, 1);
      return b.view(name + part, "Unsqueeze", t, std::move(extents));
    };
    k = grouped(".k_group", k);
    v = grouped(".v_group", v);
  }
  TensorId context = attention(b, name, q, k, v, mask);
  context = groups == 1
                ? b.transpose(name + ".merge", context, {step.batch, step.queries, model.heads, head_dim}, {0, 2, 1, 3})
                : b.transpose(name + ".merge", context, {step.batch, step.queries, model.kv_heads, groups, head_dim},
                              {0, 3, 1, 2, 4});
  context = b.view(name + ".merged", "Reshape", context, {step.batch, step.queries, model.width});
  return b.linear(name + ".o_proj", context, model.width, bias);
}

TensorId decoder_layer(Builder& b, const std::string& name, TensorId x, const LanguageModel& model, const Step& step,
                       TensorId mask, TensorId rotary) {
  if (model.positions > 0) {  // GPT: layer norm, GELU
    TensorId y = self_attention(b, name + ".attn", b.layer_norm(name + ".ln1", x), model, step, mask, rotary);
    x = b.elementwise(name + ".add1", "Add", {x, y});
    y = b.linear(name + ".fc1", b.layer_norm(name + ".ln2", x), model.hidden, true);
    y = b.linear(name + ".fc2", b.elementwise(name + ".gelu", "Gelu", {y}, 8), model.width, true);
    return b.elementwise(name + ".add2", "Add", {x, y});
  }
  // LLaMA: root-mean-square norm, SwiGLU
  TensorId y = self_attention(b, name + ".self_attn", b.rms_norm(name + ".norm1", x), model, step, mask, rotary);
  x = b.elementwise(name + ".add1", "Add", {x, y});
  y = b.rms_norm(name + ".norm2", x);
  const TensorId gate = b.linear(name + ".gate_proj", y, model.hidden, false);
  const TensorId up = b.linear(name + ".up_proj", y, model.hidden, false);
  y = b.elementwise(name + ".swiglu", "Mul", {b.elementwise(name + ".silu", "Silu", {gate}, 4), up});
  return b.elementwise(name + ".add2", "Add", {x, b.linear(name + ".down_proj", y, model.width, false)});
}

/// Adds the backward pass and an Adam update to a forward graph. Per weighted product two products of the same MACs
/// (gradient of the data, gradient of the weights), per product of activations the gradients of both operands; vector
/// operators get one element-wise pass per operand. Saved activations are read back, nothing is recomputed.
class Training {
 public:
  Training(Builder& b, TensorId output) : b_(b) {
    const std::size_t forward = b_.graph().layers.size();
    contribute(output, b_.elementwise("loss.gradient", "SoftmaxCrossEntropyGrad", {output}, 6));
    for (std::size_t i = forward; i-- > 0;) {
      const Layer layer = b_.graph().layers[i];
      const TensorId gradient = total(layer.outputs.front(), layer.name);
      if (const auto* work = std::get_if<MatMul>(&layer.work)) {
        back_product(layer, *work, gradient);
      } else {
        back_vector(layer, gradient);
      }
    }
    update();
  }

 private:
  const Tensor& tensor(TensorId id) const { return b_.graph().tensors[static_cast<std::size_t>(id)]; }

  TensorId root(TensorId id) const {
    while (tensor(id).alias_of >= 0) id = tensor(id).alias_of;
    return id;
  }

  void contribute(TensorId to, TensorId gradient) {
    const TensorId base = root(to);
    if (tensor(base).kind == TensorKind::input) return;
    if (b_.shape(base) != b_.shape(gradient)) {
      const std::vector<std::int64_t> extents = b_.shape(base);
      gradient = b_.view(fmt::format("gradient_view_{}", views_++), "Reshape", gradient, extents);
    }
    gradients_[base].push_back(gradient);
  }

  TensorId total(TensorId of, const std::string& name) {
    const TensorId base = root(of);
    std::vector<TensorId>& parts = gradients_.at(base);
    int number = 0;
    while (parts.size() > 1) {
      const TensorId last = parts.back();
      parts.pop_back();
      parts.back() = b_.elementwise(fmt::format("{}.gradient_sum{}", name, number++), "Add", {parts.back(), last});
    }
    return parts.front();
  }

  void back_product(const Layer& layer, const MatMul& work, TensorId gradient) {
    const TensorId x = layer.inputs[0], w = layer.inputs[1];
    const std::vector<std::int64_t> x_shape = b_.shape(x), w_shape = b_.shape(w);
    contribute(x, b_.layer(layer.name + ".data_gradient", "MatMul", MatMul{work.batch, work.m, work.k, work.n},
                           {gradient, w}, x_shape));
    // A batch axis that the second operand lacks is summed over: it joins the contraction, as the tokens do.
    MatMul product{{}, work.k, work.n, work.m};
    for (const BatchAxis& axis : work.batch) {
      if (axis.in_b) {
        product.batch.push_back(axis);
      } else {
        product.k = checked_mul(product.k, axis.bound);
      }
    }
    const bool weighted = tensor(w).kind == TensorKind::weight;
    contribute(w, b_.layer(layer.name + (weighted ? ".weight_gradient" : ".second_gradient"), "MatMul",
                           std::move(product), {x, gradient}, w_shape));
    if (layer.inputs.size() > 2) reduce(layer, layer.inputs[2], gradient, ".bias_gradient");
  }

  void reduce(const Layer& layer, TensorId parameter, TensorId gradient, const std::string& suffix) {
    const std::vector<std::int64_t> extents = b_.shape(parameter);
    const std::int64_t kept = product(extents);
    contribute(parameter, b_.layer(layer.name + suffix, "ReduceSum",
                                   Reduce{kept, product(b_.shape(gradient)) / kept, 1}, {gradient}, extents));
  }

  void back_vector(const Layer& layer, TensorId gradient) {
    int number = 0;
    for (const TensorId operand : layer.inputs) {
      const TensorId base = root(operand);
      if (tensor(base).kind == TensorKind::input) continue;
      const std::string name = fmt::format("{}.gradient{}", layer.name, number++);
      const std::vector<std::int64_t> extents = b_.shape(operand);
      if (const auto* lookup = std::get_if<Gather>(&layer.work)) {  // scattered into the table's gradient
        contribute(operand, b_.layer(name, "ScatterAdd", Movement{checked_mul(lookup->lookups, lookup->slice)},
                                     {gradient}, extents));
      } else if (std::holds_alternative<Movement>(layer.work)) {
        contribute(operand, b_.transpose(name, gradient, extents));
      } else if (product(extents) < product(b_.shape(gradient))) {
        reduce(layer, operand, gradient, fmt::format(".gradient{}", number - 1));
      } else if (layer.op == "Add") {
        contribute(operand, gradient);
      } else {
        contribute(operand,
                   b_.elementwise(name, layer.op + "Grad", {gradient, same_shape(operand, gradient)}, ops(layer)));
      }
    }
  }

  TensorId same_shape(TensorId operand, TensorId gradient) {
    if (b_.shape(operand) == b_.shape(gradient)) return operand;
    const std::vector<std::int64_t> extents = b_.shape(gradient);
    return b_.view(fmt::format("gradient_view_{}", views_++), "Reshape", operand, extents);
  }

  static double ops(const Layer& layer) {
    if (const auto* work = std::get_if<Elementwise>(&layer.work)) return work->ops_per_element + 1;
    if (const auto* work = std::get_if<RowWise>(&layer.work)) return work->ops_per_element + 1;
    return 1;
  }

  /// Adam (Kingma and Ba, 2015): 12 operations a weight; two moments are read and written.
  void update() {
    const std::size_t count = b_.graph().tensors.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto id = static_cast<TensorId>(i);
      if (tensor(id).kind != TensorKind::weight || tensor(id).alias_of >= 0) continue;
      const std::string name = tensor(id).name;
      const TensorId gradient = total(id, name);
      const std::vector<std::int64_t> extents = b_.shape(id);
      const TensorId first = b_.input(name + ".adam_m", extents), second = b_.input(name + ".adam_v", extents);
      for (const TensorId moment : {first, second}) {
        b_.graph().tensors[static_cast<std::size_t>(moment)].type = DataType::fp32;
      }
      b_.elementwise(name + ".adam", "Adam", {id, gradient, first, second}, 12);
      std::vector<TensorId>& results = b_.graph().layers.back().outputs;
      for (const TensorId moment : {first, second}) {
        Tensor next = tensor(moment);
        next.name += "_out";
        next.kind = TensorKind::activation;
        b_.graph().tensors.push_back(std::move(next));
        results.push_back(static_cast<TensorId>(b_.graph().tensors.size()) - 1);
      }
    }
  }

  Builder& b_;
  std::map<TensorId, std::vector<TensorId>> gradients_;
  int views_ = 0;
};

WorkloadGraph language_model(std::string_view spec, const LanguageModel& model,
                             const std::vector<Parameter>& parameters) {
  Arguments a(spec, parameters);
  const std::string phase = a.choice("phase", {"prefill", "decode", "train"});
  const bool decode = phase == "decode";
  const std::string unused = decode ? "seq" : "context";
  if (a.given(unused)) {
    a.fail(unused, fmt::format("has no effect with phase={}; use '{}'", phase, decode ? "context" : "seq"));
  }
  a.drop(unused);
  const Step step{a.integer("batch"), decode ? 1 : a.integer("seq"), decode ? a.integer("context") : 0};
  if (model.positions > 0 && step.past + step.queries > model.positions) {
    a.fail(decode ? "context" : "seq", fmt::format("the model has {} positions{}", model.positions,
                                                   decode ? ", one of them for the new token" : ""));
  }
  Builder b(a, step.batch, DataType::fp16);
  const TensorId ids = b.index_input("input_ids", {step.batch, step.queries});
  const TensorId table = b.weight("tokens.weight", {model.vocabulary, model.width});
  TensorId x = b.gather("tokens", table, ids);
  TensorId rotary = -1, mask = -1;
  if (model.positions > 0) {
    const TensorId learned = b.weight("positions.weight", {model.positions, model.width});
    const TensorId places = b.index_input("position_ids", {step.batch, step.queries});
    x = b.elementwise("embedding", "Add", {x, b.gather("positions", learned, places)});
  } else {  // cosines and sines, half a head each
    rotary = b.input("rotary", {step.queries, model.width / model.heads});
  }
  if (!decode) {
    mask = b.input("causal_mask", {step.queries, step.queries});
    b.graph().tensors[static_cast<std::size_t>(mask)].causal = true;
  }
  for (std::int64_t i = 0; i < model.layers; ++i) {
    x = decoder_layer(b, fmt::format("layers.{}", i), x, model, step, mask, rotary);
  }
  TensorId head = -1;
  if (model.positions > 0) {
    x = b.layer_norm("norm", x);
    head = b.view("lm_head.weight", "Transpose", table, {model.width, model.vocabulary});
  } else {
    x = b.rms_norm("norm", x);
    head = b.weight("lm_head.weight", {model.width, model.vocabulary});
  }
  x = b.linear_with("lm_head", x, head, model.vocabulary);
  if (phase == "train") Training(b, x);
  return b.take({x});
}

WorkloadGraph bert(std::string_view spec, std::int64_t layers, std::int64_t width, std::int64_t heads) {
  constexpr std::int64_t positions = 512, vocabulary = 30522;
  const Arguments a(spec, bert_parameters());
  const std::int64_t batch = a.integer("batch"), seq = a.integer("seq");
  if (seq > positions) a.fail("seq", fmt::format("the model has {} positions", positions));
  const LanguageModel model{layers, width, heads, heads, 4 * width, vocabulary, positions};
  const Step step{batch, seq, 0};
  Builder b(a, batch, DataType::fp32);
  const TensorId ids = b.index_input("input_ids", {batch, seq});
  const TensorId types = b.index_input("token_type_ids", {batch, seq});
  const TensorId places = b.index_input("position_ids", {batch, seq});
  const TensorId mask = b.input("attention_mask", {batch, 1, 1, seq});
  TensorId x = b.gather("tokens", b.weight("tokens.weight", {vocabulary, width}), ids);
  x = b.elementwise("embedding1", "Add", {x, b.gather("types", b.weight("types.weight", {2, width}), types)});
  x = b.elementwise("embedding2", "Add",
                    {x, b.gather("positions", b.weight("positions.weight", {positions, width}), places)});
  x = b.layer_norm("norm", x);
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string name = fmt::format("layers.{}", i);
    TensorId y = self_attention(b, name + ".attn", x, model, step, mask, -1);
    x = b.layer_norm(name + ".ln1", b.elementwise(name + ".add1", "Add", {x, y}));
    y = b.elementwise(name + ".gelu", "Gelu", {b.linear(name + ".fc1", x, model.hidden, true)}, 8);
    y = b.linear(name + ".fc2", y, width, true);
    x = b.layer_norm(name + ".ln2", b.elementwise(name + ".add2", "Add", {x, y}));
  }
  const std::int64_t taken = checked_mul(batch, width);
  x = b.layer("first_token", "Slice", Movement{taken}, {x}, {batch, width});
  x = b.elementwise("pooler.tanh", "Tanh", {b.linear("pooler", x, width, true)}, 4);
  return b.take({b.linear("classifier", x, 2, true)});
}

}  // namespace

std::vector<Parameter> bert_parameters() {
  return {{"batch", "1", "sequences at once"}, {"seq", "128", "tokens of a sequence"}};
}
WorkloadGraph bert_base(std::string_view spec) { return bert(spec, 12, 768, 12); }
WorkloadGraph bert_large(std::string_view spec) { return bert(spec, 24, 1024, 16); }

std::vector<Parameter> gpt2_parameters() { return language_parameters("128", "1023"); }
std::vector<Parameter> gpt3_parameters() { return language_parameters("2048", "2047"); }
std::vector<Parameter> llama_parameters() { return language_parameters("512", "2047"); }
WorkloadGraph gpt2(std::string_view spec) { return language_model(spec, gpt2_sizes, gpt2_parameters()); }
WorkloadGraph gpt2_large(std::string_view spec) { return language_model(spec, gpt2_large_sizes, gpt2_parameters()); }
WorkloadGraph gpt3_175b(std::string_view spec) { return language_model(spec, gpt3_sizes, gpt3_parameters()); }
WorkloadGraph llama_7b(std::string_view spec) { return language_model(spec, llama_7b_sizes, llama_parameters()); }
WorkloadGraph llama_13b(std::string_view spec) { return language_model(spec, llama_13b_sizes, llama_parameters()); }
WorkloadGraph llama_70b(std::string_view spec) { return language_model(spec, llama_70b_sizes, llama_parameters()); }

}  // namespace tilewright::zoo
