#include "validation/gpu/models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "arch_models/gpu/constants.hpp"
#include "core/csv.hpp"

namespace tilewright {
namespace {

constexpr double wanted_error_pct = 12;

// Shapes as published with the models; passes as the framework's model code runs them.
constexpr std::array transformers{Transformer{"bert_large", 24, 1024, 16, 30522, 2, 1, false},
                                  Transformer{"gpt2_large", 36, 1280, 20, 50257, 3, 8, true},
                                  Transformer{"gpt3_xl", 24, 2048, 24, 50257, 3, 8, true},
                                  Transformer{"opt_13", 24, 2048, 32, 50272, 2, 1, true}};

class Builder {
 public:
  void linear(std::int64_t rows, std::int64_t in, std::int64_t out) {
    GemmKernel kernel;
    kernel.m = rows;
    kernel.k = in;
    kernel.n = out;
    kernel.b_transposed = true;
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

void add_layer(Builder& net, const Transformer& model, std::int64_t batch, std::int64_t tokens, bool compiled) {
  const std::int64_t rows = batch * tokens, hidden = model.hidden, pairs = batch * model.heads,
                     score_rows = pairs * tokens;
  net.vector(VectorOp::layernorm, rows, hidden);
  net.linear(rows, hidden, 3 * hidden);
  net.vector(VectorOp::relu, rows, hidden, 1, compiled ? 1 : 3);  // heads to the front: copies of query, key, value
  net.bmm(pairs, tokens, tokens, hidden / model.heads);
  if (!compiled) net.vector(VectorOp::relu, score_rows, tokens, 1, model.score_passes);
  net.vector(VectorOp::softmax, score_rows, tokens);
  net.bmm(pairs, tokens, hidden / model.heads, tokens);
  net.vector(VectorOp::relu, rows, hidden);  // heads back
  net.linear(rows, hidden, hidden);
  net.vector(VectorOp::add, rows, hidden, 2);
  net.vector(VectorOp::layernorm, rows, hidden);
  net.linear(rows, hidden, 4 * hidden);
  net.vector(VectorOp::gelu, rows, 4 * hidden, 1, compiled ? 1 : model.activation_passes);
  net.linear(rows, 4 * hidden, hidden);
  net.vector(VectorOp::add, rows, hidden, 2);
}

}  // namespace

const Transformer* find_transformer(std::string_view name) {
  const auto found = std::ranges::find(transformers, name, &Transformer::name);
  return found == transformers.end() ? nullptr : &*found;
}

std::vector<ModelKernel> forward_kernels(const Transformer& model, std::int64_t batch, std::int64_t tokens,
                                         bool compiled) {
  Builder net;
  for (std::int64_t layer = 0; layer < model.layers; ++layer) add_layer(net, model, batch, tokens, compiled);
  net.vector(VectorOp::layernorm, batch * tokens, model.hidden);
  if (model.language_head) net.linear(batch * tokens, model.hidden, model.vocabulary);
  return net.take();
}

std::vector<ModelKernel> backward_kernels(const std::vector<ModelKernel>& forward) {
  std::vector<ModelKernel> backward;
  for (auto step = forward.rbegin(); step != forward.rend(); ++step) {
    if (const auto* product = std::get_if<GemmKernel>(&step->kernel)) {
      GemmKernel data = *product, weights = *product;  // dA = dC B^T, dB = A^T dC
      std::swap(data.n, data.k);
      weights.m = product->k;
      weights.k = product->m;
      weights.a_transposed = true;
      backward.push_back({data, step->repeat});
      backward.push_back({weights, step->repeat});
    } else {
      backward.push_back({step->kernel, 2 * step->repeat});
    }
  }
  return backward;
}

SuiteResult validate_models(const std::string& folder, const GpuConstants& constants) {
  const std::vector<GpuDevice> devices = read_gpu_devices(folder + "/devices.csv");
  const CsvTable table = read_csv(folder + "/model_latency.csv");
  SuiteResult result;
  result.suite = "gpu_models";
  result.data = folder;
  std::map<std::pair<std::string, std::string>, std::vector<Compared>> groups;
  std::int64_t others = 0;
  for (const CsvRow& row : table.rows) {
    const auto text = [&](std::string_view column) -> const std::string& {
      return table.text(row, table.column(column));
    };
    const Transformer* model = find_transformer(text("model"));
    const std::string& phase = text("phase");
    const bool training = phase == "train_fwd_bwd";
    if (model == nullptr || text("gpus") != "1" || text("dtype") != "fp32" || (!training && phase != "prefill")) {
      ++others;
      continue;
    }
    const auto device = std::ranges::find(devices, text("device"), &GpuDevice::name);
    if (device == devices.end())
      throw InputError({table.file, row.line, 0, "device"},
                       fmt::format("'{}' has no row in devices.csv", text("device")));
    const std::int64_t batch = table.integer(row, table.column("batch"), 1, 4096),
                       tokens = table.integer(row, table.column("seq_or_res"), 1, 1 << 20);
    const double measured = table.number(row, table.column("latency_ms"));
    if (measured <= 0) throw InputError({table.file, row.line, 0, "latency_ms"}, "a latency is above 0");
    std::vector<ModelKernel> kernels = forward_kernels(*model, batch, tokens, text("variant") == "fusion");
    if (training) {
      const std::vector<ModelKernel> backward = backward_kernels(kernels);
      kernels.insert(kernels.end(), backward.begin(), backward.end());
    }
    const double predicted = 1e3 * model_time(*device, constants, kernels, find_stack("pytorch")->host).total.value;
    const Compared one{
        predicted / measured,
        fmt::format("model_latency.csv:{} {} {} {} batch {} tokens {} {}: measured {:.1f} ms, predicted {:.1f} ms",
                    row.line, model->name, device->name, phase, batch, tokens, text("variant"), measured, predicted)};
    for (const std::string& each : {std::string("*"), device->name}) groups[{phase, each}].push_back(one);
    groups[{"*", "*"}].push_back(one);
  }
  for (auto& [key, cases] : groups) {
    SuiteGroup group =
        measured_group({{"phase", key.first}, {"device", key.second}}, std::move(cases), key.second == "*" ? 3 : 0);
    if (key.first == "*") result.pass = *group.mape_pct <= wanted_error_pct;
    result.groups.push_back(std::move(group));
  }
  result.notes.push_back(fmt::format("{} rows left out: other models, several GPUs or other number formats", others));
  return result;
}

}  // namespace tilewright
