#include "validation/gpu/nas.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "arch_models/gpu/constants.hpp"
#include "core/csv.hpp"
#include "sim/accuracy/rank_correlation.hpp"
#include "workloads/zoo/nas_blocks.hpp"

namespace tilewright {
namespace {

constexpr double wanted_correlation = 0.95;
constexpr std::int64_t largest_batch = 4096;

/// A model under construction: the tensor that flows and the kernels so far.
class Builder {
 public:
  Builder(std::int64_t batch, std::int64_t channels, std::int64_t side)
      : batch_(batch), channels_(channels), side_(side) {}

  /// Convolution with "same" padding and its batch norm.
  void conv(std::int64_t out, std::int64_t size, std::int64_t stride, std::int64_t groups = 1) {
    ConvKernel kernel;
    kernel.n = batch_;
    kernel.c = channels_;
    kernel.h = kernel.w = side_;
    kernel.k = out;
    kernel.r = kernel.s = size;
    kernel.pad_h = kernel.pad_w = size / 2;
    kernel.stride_h = kernel.stride_w = stride;
    kernel.groups = groups;
    kernels_.push_back({kernel, 1});
    channels_ = out;
    side_ = kernel.out_h();
  }
  void depthwise(std::int64_t size, std::int64_t stride) { conv(channels_, size, stride, channels_); }
  void average_pool() {
    map();
    std::get<VectorKernel>(kernels_.back().kernel).op = VectorOp::avg_pool;
  }
  /// Element-wise pass over the current tensor: activation, batch norm, scale.
  void map(std::int64_t inputs = 1, std::int64_t passes = 1) {
    vector(batch_ * channels_, side_ * side_, inputs, passes);
  }
  void vector(std::int64_t rows, std::int64_t cols, std::int64_t inputs, std::int64_t passes) {
    VectorKernel kernel;
    kernel.op = inputs > 1 ? VectorOp::add : VectorOp::relu;
    kernel.rows = rows;
    kernel.cols = cols;
    kernel.inputs = inputs;
    kernels_.push_back({kernel, passes});
  }
  void pool_to(std::int64_t side) {
    map();
    side_ = side;
  }
  void linear(std::int64_t in, std::int64_t out) {
    GemmKernel kernel;
    kernel.m = batch_;
    kernel.k = in;
    kernel.n = out;
    kernel.b_transposed = true;
    kernels_.push_back({kernel, 1});
  }
  std::int64_t channels() const { return channels_; }
  std::int64_t side() const { return side_; }
  std::int64_t batch() const { return batch_; }
  void set(std::int64_t channels, std::int64_t side) { channels_ = channels, side_ = side; }
  std::vector<ModelKernel> take() { return std::move(kernels_); }

 private:
  std::int64_t batch_, channels_, side_;
  std::vector<ModelKernel> kernels_;
};

void add_cell(Builder& net, const std::vector<std::string>& edges) {
  const std::int64_t channels = net.channels();
  for (const std::string& op : edges) {
    if (op == "none") net.map();  // multiplies by zero
    if (op == "avg_pool_3x3") net.average_pool();
    if (!op.starts_with("nor_conv")) continue;
    net.map();  // ReLU - convolution - batch norm
    net.conv(channels, op == "nor_conv_3x3" ? 3 : 1, 1);
    net.map();
  }
  net.map(2, 6);  // sums into three nodes of one, two and three edges
}

/// ResNet block between stages: halves the side, doubles the channels.
void add_reduction(Builder& net) {
  const std::int64_t in = net.channels(), side = net.side();
  net.map();
  net.conv(2 * in, 3, 2);
  net.map();
  net.map();
  net.conv(2 * in, 3, 1);
  net.map();
  net.set(in, side / 2);
  net.average_pool();  // of the shortcut
  net.conv(2 * in, 1, 1);
  net.map(2);
}

/// Activation passes in eager PyTorch: hard swish is written out as add, clamp, divide and multiply.
void activate(Builder& net, bool hard_swish) { net.map(1, hard_swish ? 4 : 1); }

void add_block(Builder& net, const MobileBlock& block) {
  const std::int64_t in = net.channels(), middle = round_channels(static_cast<double>(in * block.expansion)),
                     side = net.side();
  if (block.expansion > 1) {
    net.conv(middle, 1, 1);
    net.map();
    activate(net, block.hard_swish);
  }
  net.depthwise(block.kernel, block.stride);
  net.map();
  activate(net, block.hard_swish);
  if (block.squeeze) {
    const std::int64_t inner = round_channels(static_cast<double>(middle) / 4), after = net.side();
    net.vector(net.batch() * middle, after * after, 1, 1);
    net.linear(middle, inner);
    net.vector(net.batch(), inner, 1, 1);
    net.linear(inner, middle);
    net.vector(net.batch(), middle, 1, 3);
    net.map();
  }
  net.conv(block.out, 1, 1);
  net.map();
  if (block.stride == 1 && in == block.out && side == net.side()) net.map(2);
}

std::vector<std::int64_t> numbers(const CsvTable& table, const CsvRow& row, std::string_view column, std::size_t count,
                                  std::int64_t most) {
  const std::string& text = table.text(row, table.column(column));
  std::vector<std::int64_t> values;
  std::int64_t value = 0;
  bool digits = false;
  for (const char c : text + "-") {
    if (c >= '0' && c <= '9' && value <= most) {
      value = 10 * value + (c - '0');
      digits = true;
    } else if (c == '-' && digits && value >= 1 && value <= most) {
      values.push_back(value);
      value = 0;
      digits = false;
    } else {
      throw InputError({table.file, row.line, 0, std::string(column)},
                       fmt::format("numbers from 1 to {} joined by '-' are wanted", most));
    }
  }
  if (values.size() != count)
    throw InputError({table.file, row.line, 0, std::string(column)},
                     fmt::format("{} numbers are wanted, here are {}", count, values.size()));
  return values;
}

struct Family {
  std::string_view name, file;
  std::vector<ModelKernel> (*kernels)(const CsvTable&, const CsvRow&, std::int64_t batch);
};

std::vector<ModelKernel> nasbench_row(const CsvTable& table, const CsvRow& row, std::int64_t batch) {
  return nasbench201_kernels(table.text(row, table.column("arch")), batch, {table.file, row.line, 0, "arch"});
}

std::vector<ModelKernel> once_for_all_row(const CsvTable& table, const CsvRow& row, std::int64_t batch) {
  return once_for_all_kernels(
      table.integer(row, table.column("resolution"), 32, 1024), numbers(table, row, "depth_per_stage", 5, 4),
      numbers(table, row, "kernel_per_block", 20, 7), numbers(table, row, "expand_per_block", 20, 6), batch);
}

constexpr std::array families{Family{"nasbench201", "nasbench201_cuda_latency.csv", nasbench_row},
                              Family{"once_for_all", "ofa_cuda_latency.csv", once_for_all_row}};

/// The host of each device's table: at batch 1 the GPU waits for it, so latency over operators is the dispatch of one operator.
std::map<std::string, Seconds> host_dispatch(const Family& family, const CsvTable& table) {
  std::map<std::string, std::vector<double>> shares;
  for (const CsvRow& row : table.rows) {
    if (table.integer(row, table.column("batch"), 1, largest_batch) != 1) continue;
    std::int64_t launches = 0;
    for (const ModelKernel& kernel : family.kernels(table, row, 1)) launches += kernel.repeat;
    shares[table.text(row, table.column("device"))].push_back(1e-3 * table.number(row, table.column("latency_ms")) /
                                                              static_cast<double>(launches));
  }
  std::map<std::string, Seconds> dispatch;
  for (auto& [device, values] : shares) {
    std::ranges::sort(values);
    dispatch[device] = Seconds{values[values.size() / 2]};
  }
  return dispatch;
}

struct Series {
  std::vector<double> predicted, measured;
};

SuiteGroup group_of(const Series& series, std::map<std::string, std::string> keys) {
  SuiteGroup group;
  group.keys = std::move(keys);
  group.n = static_cast<std::int64_t>(series.measured.size());
  std::vector<double> errors;
  double sum = 0, log_sum = 0;
  for (std::size_t i = 0; i < series.measured.size(); ++i) {
    const double ratio = series.predicted[i] / series.measured[i];
    errors.push_back(100 * std::abs(ratio - 1));
    sum += errors.back();
    log_sum += std::log(ratio);
  }
  std::ranges::sort(errors);
  const double n = static_cast<double>(errors.size());
  group.mape_pct = sum / n;
  group.median_ape_pct = 0.5 * (errors[(errors.size() - 1) / 2] + errors[errors.size() / 2]);
  group.geomean_ratio = std::exp(log_sum / n);
  if (group.n > 1) group.spearman = rank_correlation(series.predicted, series.measured);
  return group;
}

}  // namespace

std::vector<ModelKernel> nasbench201_kernels(const std::string& cell, std::int64_t batch, const Place& where) {
  const std::vector<std::string> edges = cell_edges(cell, where);
  Builder net(batch, 3, 32);
  net.conv(16, 3, 1);
  net.map();
  for (int stage = 0; stage < 3; ++stage) {
    if (stage > 0) add_reduction(net);
    for (int i = 0; i < 5; ++i) add_cell(net, edges);
  }
  net.map(1, 3);  // batch norm, ReLU, global pool
  net.linear(64, 10);
  return net.take();
}

std::vector<ModelKernel> once_for_all_kernels(std::int64_t resolution, const std::vector<std::int64_t>& depths,
                                              const std::vector<std::int64_t>& sizes,
                                              const std::vector<std::int64_t>& expansions, std::int64_t batch) {
  const OnceForAll shape = once_for_all(1.2, depths, sizes, expansions);
  Builder net(batch, 3, resolution);
  net.conv(shape.stem, 3, 2);
  net.map();
  activate(net, true);
  for (const MobileBlock& block : shape.blocks) add_block(net, block);
  const std::int64_t last = shape.last, feature = shape.feature;
  net.conv(last, 1, 1);
  net.map();
  activate(net, true);
  net.pool_to(1);
  net.linear(last, feature);
  net.vector(batch, feature, 1, 4);
  net.linear(feature, 1000);
  return net.take();
}

SuiteResult validate_nas(const std::string& folder, const std::string& devices, const GpuConstants& constants) {
  const std::vector<GpuDevice> known = read_gpu_devices(devices);
  SuiteResult result;
  result.suite = "nas";
  result.data = folder;
  result.pass = true;
  result.notes.push_back("stack: eager PyTorch; at small batches the host decides");
  for (const Family& family : families) {
    const CsvTable table = read_csv(folder + "/" + std::string(family.file));
    std::map<std::pair<std::string, std::int64_t>, Series> series;
    std::map<std::string, std::int64_t> largest;
    const std::map<std::string, Seconds> dispatch = host_dispatch(family, table);
    for (const auto& [name, seconds] : dispatch)
      result.notes.push_back(
          fmt::format("{} {}: host dispatch {:.1f} us an operator, the median of the rows of batch 1", family.name,
                      name, 1e6 * seconds.value));
    for (const CsvRow& row : table.rows) {
      const std::string& name = table.text(row, table.column("device"));
      const auto device = std::ranges::find(known, name, &GpuDevice::name);
      if (device == known.end()) {
        std::vector<std::string> names;
        for (const GpuDevice& each : known) names.push_back(each.name);
        throw InputError({table.file, row.line, 0, "device"}, unknown_message("device", name, names));
      }
      const std::int64_t batch = table.integer(row, table.column("batch"), 1, largest_batch);
      const double measured = table.number(row, table.column("latency_ms"));
      if (measured <= 0) throw InputError({table.file, row.line, 0, "latency_ms"}, "a latency is above 0");
      HostSide host = find_stack("pytorch")->host;
      if (const auto own = dispatch.find(name); own != dispatch.end()) host.per_operator = own->second;
      const ModelTime time = model_time(*device, constants, family.kernels(table, row, batch), host);
      Series& one = series[{name, batch}];
      one.predicted.push_back(1e3 * time.total.value);
      one.measured.push_back(measured);
      largest[name] = std::max(largest[name], batch);
    }
    for (const auto& [key, one] : series) {
      result.groups.push_back(group_of(
          one,
          {{"family", std::string(family.name)}, {"device", key.first}, {"batch", fmt::format("{}", key.second)}}));
      if (key.second != largest[key.first]) continue;
      const double reached = result.groups.back().spearman.value_or(0);
      if (reached < wanted_correlation) result.pass = false;
      result.notes.push_back(fmt::format("{} {} batch {}: Spearman {:.3f}, target {:g}: {}", family.name, key.first,
                                         key.second, reached, wanted_correlation,
                                         reached >= wanted_correlation ? "met" : "missed"));
    }
  }
  return result;
}

}  // namespace tilewright
