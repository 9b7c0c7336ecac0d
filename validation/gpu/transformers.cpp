#include <algorithm>
#include <array>
#include <utility>

#include "validation/gpu/models.hpp"

namespace tilewright {
namespace {

// Shapes as published with the models; passes as the framework's model code runs them.
constexpr std::array transformers{
    Transformer{"bert_large", 24, 1024, 16, 30522, 2, 1, false},
    Transformer{"gpt2_large", 36, 1280, 20, 50257, 3, 8, true},
    // GPT-3 XL as published has 24 heads of 128 beside a width of 2048, which no framework splits into 24 heads: the width
    // of the heads is taken for both.
    Transformer{"gpt3_xl", 24, 3072, 24, 50257, 3, 8, true}, Transformer{"opt_13", 24, 2048, 32, 50272, 2, 1, true}};

class Builder {
 public:
  void linear(std::int64_t rows, std::int64_t in, std::int64_t out) {
    GemmKernel kernel;
    kernel.m = rows;
    kernel.k = in;
    kernel.n = out;
    kernel.a_transposed = true;
    kernels_.push_back({kernel, 1});
  }
  void bmm(std::int64_t batch, std::int64_t m, std::int64_t n, std::int64_t k) {
    GemmKernel kernel;
    kernel.batch = batch;
    kernel.m = m;
    kernel.n = n;
    kernel.k = k;
    kernel.strided_batch = true;
    kernels_.push_back({kernel, 1});
  }
  void vector(VectorOp op, std::int64_t rows, std::int64_t cols, std::int64_t inputs = 1, std::int64_t passes = 1) {
    if (passes > 0) kernels_.push_back({VectorKernel{op, rows, cols, inputs, GpuPrecision::fp32}, passes});
  }
  std::vector<ModelKernel> take() { return std::move(kernels_); }

 private:
  std::vector<ModelKernel> kernels_;
};

/// `gpus` share every matrix by its heads and widened columns.
void add_layer(Builder& net, const Transformer& model, std::int64_t batch, std::int64_t tokens, bool compiled,
               std::int64_t gpus) {
  const std::int64_t rows = batch * tokens, hidden = model.hidden, own = hidden / gpus,
                     pairs = batch * model.heads / gpus, score_rows = pairs * tokens;
  net.vector(VectorOp::layernorm, rows, hidden);
  net.linear(rows, hidden, 3 * own);
  net.vector(VectorOp::relu, rows, own, 1, compiled ? 1 : 3);  // heads to the front: copies of query, key, value
  net.bmm(pairs, tokens, tokens, hidden / model.heads);
  if (!compiled) net.vector(VectorOp::relu, score_rows, tokens, 1, model.score_passes);
  net.vector(VectorOp::softmax, score_rows, tokens);
  net.bmm(pairs, tokens, hidden / model.heads, tokens);
  net.vector(VectorOp::relu, rows, own);  // heads back
  net.linear(rows, own, hidden);
  net.vector(VectorOp::add, rows, hidden, 2);
  net.vector(VectorOp::layernorm, rows, hidden);
  net.linear(rows, hidden, 4 * own);
  net.vector(VectorOp::gelu, rows, 4 * own, 1, compiled ? 1 : model.activation_passes);
  net.linear(rows, 4 * own, hidden);
  net.vector(VectorOp::add, rows, hidden, 2);
}

}  // namespace

const Transformer* find_transformer(std::string_view name) {
  const auto found = std::ranges::find(transformers, name, &Transformer::name);
  return found == transformers.end() ? nullptr : &*found;
}

double parameters(const Transformer& model) {
  const auto hidden = static_cast<double>(model.hidden);
  return static_cast<double>(model.layers) * 12 * hidden * hidden + static_cast<double>(model.vocabulary) * hidden;
}

std::vector<ModelKernel> forward_kernels(const Transformer& model, std::int64_t batch, std::int64_t tokens,
                                         bool compiled, std::int64_t gpus) {
  Builder net;
  for (std::int64_t layer = 0; layer < model.layers; ++layer) add_layer(net, model, batch, tokens, compiled, gpus);
  net.vector(VectorOp::layernorm, batch * tokens, model.hidden);
  if (model.language_head) net.linear(batch * tokens, model.hidden, (model.vocabulary + gpus - 1) / gpus);
  return net.take();
}

}  // namespace tilewright
