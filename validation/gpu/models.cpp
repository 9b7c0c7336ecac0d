#include "validation/gpu/models.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <utility>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/parallel.hpp"
#include "core/csv.hpp"
#include "validation/gpu/rows.hpp"
#include "validation/gpu/vision.hpp"

namespace tilewright {
namespace {

constexpr double known_target_pct = 8, unseen_target_pct = 12;
constexpr std::size_t worst_shown = 3;
constexpr double image_bytes = 3 * 224 * 224 * 4;  // of one fp32 picture
// Copies that a host may make of its images: none to be seen, up to 1 ns a byte (1 GB/s), by steps of 0.02 ns.
constexpr double copy_step = 0.02e-9;
constexpr int copy_steps = 50;
// Clock of a board without a kernel table over that of its data sheet.
constexpr double least_clock = 0.8, clock_step = 0.05;
constexpr int clock_steps = 14;

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
  const bool names_torch = table.has("torch");
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
    } else if (auto vision = vision_kernels(one.model, one.batch, *precision, training, one.variant != "amp")) {
      // NVIDIA's examples run mixed precision channels last (`--memory-format nhwc`).
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

/// Hosts without a row of MnasNet, which torchvision has since 0.3 (May 2019), run a PyTorch that was built before CUDA 11.
void set_libraries(std::vector<ModelRow>& rows) {
  std::set<std::string> newer;
  for (const ModelRow& row : rows)
    if (row.model.starts_with("mnasnet")) newer.insert(row.host());
  for (ModelRow& row : rows)
    if (row.kind == "vision" && !newer.contains(row.host())) row.software = Stack::profiler_2018;
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
  for (ModelRow& row : rows) {
    row.sets_host = false;
    if (row.kind == "vision") by_host[row.host()][row.phase].push_back(&row);
  }
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

/// A classifier behind its own host.
double seconds_behind(const WallClockHost& own, const ModelRow& row, const GpuDevice& gpu,
                      const GpuConstants& constants) {
  const HostSide host{row.software, Seconds{own.dispatch.at(row.phase)},
                      find_stack("pytorch")->host.fixed + Seconds{own.copy * row.copied_bytes}, Seconds{0}};
  return model_time(gpu, constants, row.kernels, host).total.value;
}

double kernels_alone(const ModelRow& row, const GpuDevice& gpu, const GpuConstants& constants) {
  return model_time(gpu, constants, row.kernels, {row.software, Seconds{0}, Seconds{0}, Seconds{0}}).kernels.value;
}

/// A board that runs at another clock than its data sheet lists.
GpuDevice at_clock(GpuDevice gpu, double share) {
  gpu.boost = share * gpu.boost;
  for (double* peak : {&gpu.fp32_peak, &gpu.fp16_vector_peak, &gpu.fp16_tensor_peak, &gpu.tf32_tensor_peak})
    *peak *= share;
  return gpu;
}

/// Clock of a board that only networks were timed on, over that of its data sheet (GeForce boards pass the listed one; what other library versions gain is in
/// it too): for each network the share with the least sum of errors over the other networks.
std::map<std::string, double> clocks_by_network(std::vector<ModelRow> rows, const GpuDevice& gpu,
                                                const GpuConstants& constants) {
  std::map<std::string, std::pair<double, double>> best;  // network: least error, factor
  for (int step = 0; step <= clock_steps; ++step) {
    const double share = least_clock + step * clock_step;
    const GpuDevice clocked = at_clock(gpu, share);
    for (ModelRow& row : rows) row.kernel_seconds = kernels_alone(row, clocked, constants);
    const std::map<std::string, WallClockHost> hosts = wall_clock_hosts(rows);
    std::map<std::string, double> errors;
    double all = 0;
    for (const ModelRow& row : rows) {
      const double error = std::abs(seconds_behind(hosts.at(row.host()), row, clocked, constants) / row.measured - 1);
      errors[row.model] += error;
      all += error;
    }
    for (const auto& [network, own] : errors) {
      auto& [least, factor] = best.try_emplace(network, std::numeric_limits<double>::infinity(), 1).first->second;
      if (all - own < least) {
        least = all - own;
        factor = share;
      }
    }
  }
  std::map<std::string, double> clocks;
  for (const auto& [network, found] : best) clocks[network] = found.second;
  return clocks;
}

/// Behind the host of `run --stack pytorch`.
double pass_seconds(const ModelRow& row, const GpuDevice& device, const GpuConstants& constants) {
  return model_time(device, constants, row.kernels, row.on("pytorch")).total.value;
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

/// Boards of the tables that the constants are from are known; those of other tables by their data sheet and trim alone.
bool is_calibrated_on(const Calibration& calibration, const std::string& folder) {
  return std::filesystem::exists(folder + "/gemm.csv") && read_measured(folder).hash == calibration.data_hash;
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
  set_libraries(rows);

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

  const auto data_sheet = [&](const ModelRow& row) -> const GpuDevice& {
    const auto device = std::ranges::find(devices, row.device, &GpuDevice::name);
    if (device == devices.end())
      throw InputError({table.file, row.line, 0, "device"}, fmt::format("'{}' has no row in devices.csv", row.device));
    return *device;
  };
  std::map<std::string, std::map<std::string, double>>
      clocks;  // of boards known from their networks alone: device, network
  const auto gpu_of = [&](const ModelRow& row) {
    GpuDevice gpu = data_sheet(row);
    if (leave_out != LeaveOut::none) return gpu;
    const auto trim = calibration.trims.find(row.device);
    if (trim != calibration.trims.end()) gpu.trim = trim->second;
    if (const auto own = clocks.find(row.device); own != clocks.end() && row.kind == "vision")
      gpu = at_clock(gpu, own->second.at(row.model));
    return gpu;
  };
  if (leave_out == LeaveOut::none && is_calibrated_on(calibration, folder)) {
    std::map<std::string, std::vector<ModelRow>> by_device;
    for (const ModelRow& row : rows)
      if (row.kind == "vision" && !calibration.trims.contains(row.device)) by_device[row.device].push_back(row);
    for (const auto& [device, own] : by_device)
      clocks[device] = clocks_by_network(own, data_sheet(own.front()), calibration.constants);
  }
  for (ModelRow& row : rows) row.kernel_seconds = kernels_alone(row, gpu_of(row), constants_of(row.device));
  const std::map<std::string, WallClockHost> hosts = wall_clock_hosts(rows);

  std::map<std::array<std::string, 4>, std::vector<Compared>> groups;  // kind, phase, dtype, device
  std::vector<Compared> unknown_host;
  for (const ModelRow& row : rows) {
    const GpuDevice gpu = gpu_of(row);
    const GpuConstants& constants = constants_of(row.device);
    const WallClockHost* own = row.kind == "vision" ? &hosts.at(row.host()) : nullptr;
    if (own != nullptr)
      unknown_host.push_back({pass_seconds(row, gpu, constants) / (row.measured - own->copy * row.copied_bytes), {}});
    if (row.sets_host) continue;
    const double predicted = row.gpus > 1     ? parallel_seconds(row, gpu, constants)
                             : own != nullptr ? seconds_behind(*own, row, gpu, constants)
                                              : pass_seconds(row, gpu, constants);
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
  for (const auto& [device, by_network] : clocks) {
    const auto [least, most] = std::ranges::minmax(by_network | std::views::values);
    result.notes.push_back(
        fmt::format("{}: {:.2f} to {:.2f} times the clock of its data sheet, for each network from the other ones",
                    device, least, most));
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
