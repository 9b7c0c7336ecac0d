// What the generators share: reading "NAME:key=value,..." and building graphs layer by layer.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/graph.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright::zoo {

/// The parameters of one spec: what was given, else the fallback.
class Arguments {
 public:
  /// InputError for an unknown key (nearest named), a repeated key, an empty item, a key without a value.
  Arguments(std::string_view spec, const std::vector<Parameter>& parameters);

  bool given(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  /// Decimal integer in [least, most]; InputError for anything else (signs, blanks, trailing characters, overflow).
  std::int64_t integer(std::string_view key, std::int64_t least = 1, std::int64_t most = std::int64_t{1} << 40) const;
  /// Decimal number in [least, most]; InputError for anything else.
  double number(std::string_view key, double least, double most) const;
  std::string choice(std::string_view key, const std::vector<std::string>& known) const;
  /// Forgets a parameter without effect, so that the canonical spec is without it.
  void drop(std::string_view key) { values_.find(key)->second.clear(); }
  /// "name:key=value,..." with every parameter, in the order of the list.
  std::string canonical() const;
  std::string_view name() const { return name_; }
  [[noreturn]] void fail(std::string_view key, std::string_view message) const;

 private:
  std::string spec_, name_;
  std::vector<std::string> order_;
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, bool, std::less<>> given_;
};

/// Grows a graph. Every product of sizes is checked: OverflowError instead of a wrong number.
class Builder {
 public:
  Builder(const Arguments& arguments, std::int64_t batch, DataType type);

  TensorId input(const std::string& name, std::vector<std::int64_t> shape);
  TensorId index_input(const std::string& name, std::vector<std::int64_t> shape);  // int64
  /// A parameter of the network; counts in weight_elements.
  TensorId weight(const std::string& name, std::vector<std::int64_t> shape);
  /// The same memory under another shape (Reshape, Flatten, a tied weight); free.
  TensorId view(const std::string& name, const std::string& op, TensorId of, std::vector<std::int64_t> shape);
  TensorId layer(const std::string& name, const std::string& op, Operator work, std::vector<TensorId> inputs,
                 std::vector<std::int64_t> result);

  /// 2-D convolution of [N, C, H, W] with square windows; bias = folded batch normalisation.
  TensorId conv(const std::string& name, TensorId x, std::int64_t out_channels, std::int64_t kernel,
                std::int64_t stride, std::int64_t pad, std::int64_t groups = 1);
  /// x [..., k] times a weight [k, n] (+ bias): op "Gemm" with a bias, "MatMul" without.
  TensorId linear(const std::string& name, TensorId x, std::int64_t n, bool bias);
  /// The same with a weight that exists already.
  TensorId linear_with(const std::string& name, TensorId x, TensorId weights, std::int64_t n);
  /// Element by element with numpy broadcasting.
  TensorId elementwise(const std::string& name, const std::string& op, std::vector<TensorId> operands, double ops = 1);
  /// Layer normalisation over the last axis; parameters gamma and beta.
  TensorId layer_norm(const std::string& name, TensorId x);
  /// Root-mean-square normalisation over the last axis; parameter gamma.
  TensorId rms_norm(const std::string& name, TensorId x);
  TensorId softmax(const std::string& name, TensorId x);
  /// `axes`: the axis of x that is each axis of the result, where it matters to somebody.
  TensorId transpose(const std::string& name, TensorId x, std::vector<std::int64_t> shape, std::vector<int> axes = {});
  TensorId gather(const std::string& name, TensorId table, TensorId indices);
  TensorId pool(const std::string& name, const std::string& op, TensorId x, std::int64_t kernel, std::int64_t stride,
                std::int64_t pad);

  const std::vector<std::int64_t>& shape(TensorId tensor) const;
  WorkloadGraph& graph() { return graph_; }
  /// The finished graph; OverflowError when its MACs leave 64 bits.
  WorkloadGraph take(std::vector<TensorId> outputs);

 private:
  TensorId tensor(const std::string& name, std::vector<std::int64_t> shape, TensorKind kind, DataType type);
  TensorId norm(const std::string& name, const std::string& op, TensorId x, double ops, bool shift);

  WorkloadGraph graph_;
  DataType type_;
};

/// Product of extents; OverflowError.
std::int64_t product(const std::vector<std::int64_t>& extents);
/// (in + 2 pad - dilation (kernel - 1) - 1) / stride + 1; InputError naming the layer when the window does not fit.
std::int64_t window_out(const std::string& layer, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                        std::int64_t pad, std::int64_t dilation);
/// Softmax(Q K^T / sqrt(d)) V as its five layers. q [B, H, Q, D]; k, v [B, H, L, D], or for grouped heads
/// q [B, KV, G, Q, D] and k, v [B, KV, 1, L, D]. mask: a tensor added to the scores, -1 for none.
TensorId attention(Builder& b, const std::string& name, TensorId q, TensorId k, TensorId v, TensorId mask);

// cnn.cpp
std::vector<Parameter> gemm_parameters();
WorkloadGraph gemm(std::string_view spec);
std::vector<Parameter> conv2d_parameters();
WorkloadGraph conv2d(std::string_view spec);
std::vector<Parameter> image_parameters();
WorkloadGraph resnet18(std::string_view spec);
WorkloadGraph resnet50(std::string_view spec);
WorkloadGraph vgg16(std::string_view spec);
std::vector<Parameter> mobilenet_parameters();
WorkloadGraph mobilenet_v1(std::string_view spec);
WorkloadGraph mobilenet_v2(std::string_view spec);

// nas.cpp
std::vector<Parameter> nasbench_macro_parameters();
WorkloadGraph nasbench_macro(std::string_view spec);
std::vector<Parameter> nasbench201_parameters();
WorkloadGraph nasbench201(std::string_view spec);
std::vector<Parameter> once_for_all_parameters();
WorkloadGraph once_for_all_mbv3(std::string_view spec);

// transformer.cpp
std::vector<Parameter> bert_parameters();
WorkloadGraph bert_base(std::string_view spec);
WorkloadGraph bert_large(std::string_view spec);
std::vector<Parameter> gpt2_parameters();
WorkloadGraph gpt2(std::string_view spec);
WorkloadGraph gpt2_large(std::string_view spec);
std::vector<Parameter> gpt3_parameters();
WorkloadGraph gpt3_175b(std::string_view spec);
std::vector<Parameter> llama_parameters();
WorkloadGraph llama_7b(std::string_view spec);
WorkloadGraph llama_13b(std::string_view spec);
WorkloadGraph llama_70b(std::string_view spec);

// recurrent.cpp
std::vector<Parameter> recurrent_parameters();
WorkloadGraph lstm(std::string_view spec);
WorkloadGraph gru(std::string_view spec);
std::vector<Parameter> seqnas_parameters();
WorkloadGraph seqnas(std::string_view spec);

}  // namespace tilewright::zoo
