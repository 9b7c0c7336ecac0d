#include "validation/gpu/models.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/parallel.hpp"
#include "core/csv.hpp"
#include "validation/gpu/vision.hpp"

namespace tilewright {
namespace {

constexpr double known_target_pct = 8, unseen_target_pct = 12;
constexpr std::size_t worst_shown = 3;
constexpr double image_bytes = 3 * 224 * 224 * 4;  // of one fp32 picture
// Copies that a host may make of its images: none to be seen, up to 1 ns a byte (1 GB/s), by steps of 0.02 ns.
constexpr double copy_step = 0.02e-9;
constexpr int copy_steps = 50;

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

namespace {

/// A row of the table with its kernels.
struct ModelRow {
  int line = 0;
  std::string model, device, phase, dtype, variant, timing, kind;
  std::int64_t batch = 1, tokens = 1, gpus = 1;
  const Transformer* transformer = nullptr;
  double measured = 0;  // s
  std::vector<ModelKernel> kernels;
  std::int64_t launches = 0;
  double copied_bytes = 0;    // images that the timing takes to the GPU
  double kernel_seconds = 0;  // as predicted
  bool sets_host = false;     // the dispatch of its own host was read off it
  Stack software =
      Stack::profiler_2023;  // whose kernels ran: rows that name their PyTorch are later than the open tables

  std::string host() const { return device + "/" + timing; }
  /// The host side of a stack with the kernels of the row's software.
  HostSide on(std::string_view stack) const {
    HostSide side = find_stack(stack)->host;
    side.kernels = software;
    return side;
  }
};

std::optional<GpuPrecision> model_precision(std::string_view dtype) {
  if (dtype == "fp32") return GpuPrecision::fp32;
  if (dtype == "fp16") return GpuPrecision::fp16;
  if (dtype == "tf32_or_fp32") return GpuPrecision::tf32;  // PyTorch's default for convolutions since Ampere
  return std::nullopt;
}

/// How the GPUs of a row share the work: "dp4", "tp4" or "pp4_1" (micro-batches behind the line).
bool is_parallel(std::string_view variant) {
  return variant.starts_with("dp") || variant.starts_with("tp") || variant.starts_with("pp");
}

/// The rows whose model, number format and phase have kernels here; `others` counts the rest.
std::vector<ModelRow> read_rows(const CsvTable& table, std::int64_t& others) {
  std::vector<ModelRow> rows;
  const bool names_torch = std::ranges::find(table.header, "torch") != table.header.end();
  for (const CsvRow& row : table.rows) {
    const auto text = [&](std::string_view column) -> const std::string& {
      return table.text(row, table.column(column));
    };
    ModelRow one;
    one.line = row.line;
    one.model = text("model");
    one.device = text("device");
    one.phase = text("phase");
    one.dtype = text("dtype");
    one.variant = text("variant");
    one.timing = text("timing");
    if (names_torch && !text("torch").empty()) one.software = Stack::profiler;
    one.batch = table.integer(row, table.column("batch"), 1, 4096);
    one.tokens = table.integer(row, table.column("seq_or_res"), 1, 1 << 20);
    one.measured = 1e-3 * table.number(row, table.column("latency_ms"));
    if (one.measured <= 0) throw InputError({table.file, row.line, 0, "latency_ms"}, "a latency is above 0");
    const std::optional<GpuPrecision> precision = model_precision(one.dtype);
    const bool training = one.phase == "train_fwd_bwd";
    const Transformer* transformer = one.transformer = find_transformer(one.model);
    one.gpus = table.integer(row, table.column("gpus"), 1, 1 << 20);
    const bool parallel = one.gpus > 1;
    if (!precision || (parallel && (transformer == nullptr || !training || !is_parallel(one.variant)))) {
      ++others;
      continue;
    }
    if (parallel) {
      one.kind = "several GPUs";
    } else if (transformer != nullptr) {
      one.kind = "transformer";
      one.kernels = forward_kernels(*transformer, one.batch, one.tokens, one.variant == "fusion");
      if (training) {
        const std::vector<ModelKernel> backward = backward_kernels(one.kernels);
        one.kernels.insert(one.kernels.end(), backward.begin(), backward.end());
      }
    } else if (auto vision = vision_kernels(one.model, one.batch, *precision, training)) {
      one.kind = "vision";
      one.kernels = std::move(*vision);
      const double width = precision == GpuPrecision::fp16 ? 0.5 : 1;
      if (one.timing != "torch_event") one.copied_bytes = static_cast<double>(one.batch) * width * image_bytes;
    } else {
      ++others;
      continue;
    }
    for (const ModelKernel& kernel : one.kernels) one.launches += kernel.repeat;
    rows.push_back(std::move(one));
  }
  return rows;
}

/// A host that is timed by wall clock.
struct WallClockHost {
  double copy = 0;  // s for each byte of the images
  std::map<std::string, double>
      dispatch;      // s of an operator, by phase: Python runs the forward pass, C++ most of the backward pass
  double error = 0;  // sum of |predicted / measured - 1| over its rows
};

/// The dispatch with the least sum of errors over the rows of one host and phase: that sum has its least value where it predicts one row exactly.
/// Returns the sum and that row.
std::pair<double, ModelRow*> best_dispatch(std::span<ModelRow* const> rows, double copy) {
  const auto dispatch = [&](const ModelRow& row) {
    return std::max(0.0, row.measured - copy * row.copied_bytes) / static_cast<double>(row.launches);
  };
  std::pair<double, ModelRow*> best{std::numeric_limits<double>::infinity(), nullptr};
  for (ModelRow* candidate : rows) {
    double error = 0;
    for (const ModelRow* row : rows) {
      const double waited = dispatch(*candidate) * static_cast<double>(row->launches);
      error += std::abs((copy * row->copied_bytes + std::max(row->kernel_seconds, waited)) / row->measured - 1);
    }
    if (error < best.first) best = {error, candidate};
  }
  return best;
}

/// Copy and dispatch of each host that is timed by wall clock, from its own rows (least absolute errors; kernels as predicted). The rows that
/// the dispatches were read off are marked.
std::map<std::string, WallClockHost> wall_clock_hosts(std::vector<ModelRow>& rows) {
  std::map<std::string, std::map<std::string, std::vector<ModelRow*>>> by_host;  // host, phase
  for (ModelRow& row : rows)
    if (row.kind == "vision") by_host[row.host()][row.phase].push_back(&row);
  std::map<std::string, WallClockHost> hosts;
  for (const auto& [name, phases] : by_host) {
    WallClockHost best;
    best.error = std::numeric_limits<double>::infinity();
    std::vector<ModelRow*> marked;
    for (int step = 0; step <= copy_steps; ++step) {
      WallClockHost host{step * copy_step, {}, 0};
      std::vector<ModelRow*> exact;
      for (const auto& [phase, own] : phases) {
        const auto [error, row] = best_dispatch(own, host.copy);
        host.error += error;
        host.dispatch[phase] =
            std::max(0.0, row->measured - host.copy * row->copied_bytes) / static_cast<double>(row->launches);
        exact.push_back(row);
      }
      if (host.error < best.error) {
        best = std::move(host);
        marked = std::move(exact);
      }
    }
    for (ModelRow* row : marked) row->sets_host = true;
    hosts.emplace(name, std::move(best));
  }
  return hosts;
}

/// A training pass of a transformer on several GPUs of one machine, in fp32.
double parallel_seconds(const ModelRow& row, const GpuDevice& device, const GpuConstants& constants) {
  const Transformer& model = *row.transformer;
  const auto pass = [&](const std::vector<ModelKernel>& kernels) {
    return model_time(device, constants, kernels, row.on("pytorch")).total;
  };
  const GpuLink& link = link_of(device);
  const double activations = 4.0 * static_cast<double>(row.batch * row.tokens * model.hidden);
  if (row.variant.starts_with("dp")) {
    const auto forward = forward_kernels(model, row.batch / row.gpus, row.tokens, false);
    const Bytes gradients{4 * parameters(model)};
    return data_parallel(pass(forward), pass(backward_kernels(forward)), gradients, row.gpus, link).total.value;
  }
  const auto kernels_on = [&](std::int64_t gpus) {
    std::vector<ModelKernel> kernels = forward_kernels(model, row.batch, row.tokens, false, gpus);
    const std::vector<ModelKernel> backward = backward_kernels(kernels);
    kernels.insert(kernels.end(), backward.begin(), backward.end());
    return pass(kernels);
  };
  // Attention and feed-forward part each end in a sum over the GPUs, forward and backward.
  if (row.variant.starts_with("tp"))
    return tensor_parallel(kernels_on(row.gpus), Bytes{activations}, 4 * model.layers, row.gpus, link).total.value;
  std::int64_t microbatches = 1;
  if (const std::size_t line = row.variant.find('_'); line != std::string::npos)
    microbatches = std::max(1, std::atoi(row.variant.c_str() + line + 1));
  return pipeline_parallel(kernels_on(1), Bytes{activations}, 2, microbatches, row.gpus, link).total.value;
}

}  // namespace

SuiteResult validate_models(const std::string& folder, const Calibration& calibration, LeaveOut leave_out) {
  const std::vector<GpuDevice> devices = read_gpu_devices(folder + "/devices.csv");
  const CsvTable table = read_csv(folder + "/model_latency.csv");
  SuiteResult result;
  result.suite = "gpu_models";
  result.data = folder;
  std::int64_t others = 0;
  std::vector<ModelRow> rows = read_rows(table, others);

  std::map<std::string, GpuConstants> refits;  // leave-out device: constants without any of its rows
  const MeasuredData kernels = leave_out == LeaveOut::device ? read_measured(folder) : MeasuredData{};
  const auto constants_of = [&](const std::string& device) -> const GpuConstants& {
    const bool measured =
        std::ranges::any_of(kernels.rows, [&](const MeasuredRow& row) { return row.device == device; });
    if (!measured) return calibration.constants;
    const auto found = refits.find(device);
    if (found != refits.end()) return found->second;
    return refits
        .emplace(device, calibrate(kernels, [&](const MeasuredRow& row) { return row.device != device; }).constants)
        .first->second;
  };

  const auto gpu_of = [&](const ModelRow& row) {
    const auto device = std::ranges::find(devices, row.device, &GpuDevice::name);
    if (device == devices.end())
      throw InputError({table.file, row.line, 0, "device"}, fmt::format("'{}' has no row in devices.csv", row.device));
    GpuDevice gpu = *device;
    const auto trim = calibration.trims.find(row.device);
    if (trim != calibration.trims.end() && leave_out == LeaveOut::none) gpu.trim = trim->second;
    return gpu;
  };
  for (ModelRow& row : rows)
    row.kernel_seconds =
        model_time(gpu_of(row), constants_of(row.device), row.kernels, row.on("profiler")).kernels.value;
  const std::map<std::string, WallClockHost> hosts = wall_clock_hosts(rows);

  std::map<std::array<std::string, 4>, std::vector<Compared>> groups;  // kind, phase, dtype, device
  std::vector<Compared> unknown_host;
  for (const ModelRow& row : rows) {
    HostSide host = row.on("pytorch");
    if (const auto own = hosts.find(row.host()); own != hosts.end() && row.kind == "vision") {
      const double as_run = model_time(gpu_of(row), constants_of(row.device), row.kernels, host).total.value;
      unknown_host.push_back({as_run / (row.measured - own->second.copy * row.copied_bytes), {}});
      host.per_operator = Seconds{own->second.dispatch.at(row.phase)};
      host.fixed += Seconds{own->second.copy * row.copied_bytes};
    }
    if (row.sets_host) continue;
    const double predicted = row.gpus > 1
                                 ? parallel_seconds(row, gpu_of(row), constants_of(row.device))
                                 : model_time(gpu_of(row), constants_of(row.device), row.kernels, host).total.value;
    const Compared one{
        predicted / row.measured,
        fmt::format("model_latency.csv:{} {} {} {} {} batch {} {}{}: measured {:.1f} ms, predicted {:.1f} ms", row.line,
                    row.model, row.device, row.phase, row.dtype, row.batch,
                    row.transformer != nullptr ? fmt::format("tokens {} ", row.tokens) : "", row.variant,
                    1e3 * row.measured, 1e3 * predicted)};
    const std::string any = "*";
    for (const auto& key : std::vector<std::array<std::string, 4>>{{any, any, any, any},
                                                                   {row.kind, any, any, any},
                                                                   {row.kind, row.phase, row.dtype, any},
                                                                   {row.kind, row.phase, row.dtype, row.device},
                                                                   {row.kind, any, any, row.device}})
      groups[key].push_back(one);
  }
  const double target = leave_out == LeaveOut::device ? unseen_target_pct : known_target_pct;
  for (const auto& [key, cases] : groups) {
    result.groups.push_back(measured_group({{"kind", key[0]}, {"phase", key[1]}, {"dtype", key[2]}, {"device", key[3]}},
                                           cases, key[3] == "*" ? worst_shown : 0));
    if (key[0] == "*") result.pass = *result.groups.back().mape_pct <= target;
  }
  result.notes.push_back(fmt::format("target: mean error of all rows at most {:g} %", target));
  result.notes.push_back(
      fmt::format("{} rows left out: models, formats or splits over GPUs that are not described", others));
  for (const auto& [name, host] : hosts) {
    std::vector<std::string> dispatches;
    for (const auto& [phase, seconds] : host.dispatch)
      dispatches.push_back(fmt::format("{:.1f} us an operator in {}", 1e6 * seconds, phase));
    result.notes.push_back(
        fmt::format("host {}: {}, copies at {}, from its own rows; the row of each dispatch is left out", name,
                    fmt::join(dispatches, ", "),
                    host.copy > 0 ? fmt::format("{:.1f} GB/s", 1e-9 / host.copy) : "no cost to be seen"));
  }
  if (!unknown_host.empty()) {
    const auto as_run = measured_group({}, unknown_host, 0);
    result.notes.push_back(
        fmt::format("as `run --stack pytorch` has them, the host unknown ({:g} us an operator), copies taken off: mean "
                    "error {:.1f} %, ratio {:.2f}",
                    1e6 * find_stack("pytorch")->host.per_operator.value, *as_run.mape_pct, *as_run.geomean_ratio));
  }
  return result;
}

}  // namespace tilewright
