#include "validation/gpu/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "validation/gpu/plot.hpp"

namespace tilewright {
namespace {

constexpr int shape_folds = 3;
constexpr std::size_t worst_shown = 3;

/// A class of rows and the errors that the project wants to stay within: mean absolute percentage error for an unseen device and for known ones.
struct Target {
  std::string_view name;
  std::vector<std::string_view> ops;   // names, or what they begin with when they end in '*'
  std::string_view precision, timing;  // empty: any
  double unseen_pct, known_pct;
};

const std::vector<Target>& targets() {
  static const std::vector<Target> list{
      {"GEMM fp32 linear, eager", {"linear"}, "fp32", "torch_event_best5of25", 13, 9},
      {"GEMM fp32 bmm, eager", {"bmm"}, "fp32", "torch_event_best5of25", 13, 9},
      {"GEMM fp32, DeepBench", {"linear"}, "fp32", "loop_avg", 18, 14},
      {"GEMM bf16, graph", {"linear"}, "bf16", "cuda_graph_avg", 13, 9},
      {"GEMM fp16, Vidur", {"linear"}, "fp16", "profiler_median_1us_resolution", 6, 5},
      {"GEMM fp16, DeepBench", {"linear"}, "fp16", "loop_avg", 10, 8},
      {"GEMM int8, graph", {"linear"}, "int8", "cuda_graph_avg", 17, 14},
      {"GEMM int8, DeepBench", {"linear"}, "int8", "loop_avg", 17, 14},
      {"GEMM fp8, graph", {"linear"}, "fp8", "cuda_graph_avg", 28, 15},
      {"convolution forward fp32, eager", {"conv_fwd"}, "fp32", "torch_event_best5of25", 17, 13},
      {"convolution forward fp32, DeepBench", {"conv_fwd"}, "fp32", "loop_avg", 17, 13},
      {"convolution forward fp16, DeepBench", {"conv_fwd"}, "fp16", "loop_avg", 21, 16},
      {"convolution backward data fp32", {"conv_bwd_data"}, "fp32", "loop_avg", 28, 22},
      {"convolution backward filter fp32", {"conv_bwd_filter"}, "fp32", "loop_avg", 28, 22},
      {"element-wise fp32", {"add", "pow", "relu", "gelu", "tanh"}, "fp32", "torch_event_best5of25", 6, 4},
      {"softmax fp32", {"softmax"}, "fp32", "torch_event_best5of25", 10, 7},
      {"layer norm fp32", {"layernorm"}, "fp32", "torch_event_best5of25", 9, 7},
      {"attention prefill bf16", {"attention_prefill"}, "bf16", "cuda_graph_avg", 15, 11},
      {"attention decode bf16", {"attention_decode"}, "bf16", "cuda_graph_avg", 22, 13},
      {"recurrent, all formats", {"recurrent_*"}, "", "", 30, 20},
  };
  return list;
}

bool takes(const Target& target, const MeasuredRow& row) {
  const auto named = [&](std::string_view op) {
    return op.ends_with('*') ? row.op.starts_with(op.substr(0, op.size() - 1)) : row.op == op;
  };
  return row.flag.empty() && (target.precision.empty() || target.precision == row.precision) &&
         (target.timing.empty() || target.timing == row.timing) && std::ranges::any_of(target.ops, named);
}

int fold_of(const MeasuredRow& row) {
  std::uint64_t state = 14695981039346656037ULL;
  for (const char c : shape_key(row)) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return static_cast<int>((state >> 32) % shape_folds);
}

std::string worst_text(const ComparedRow& compared) {
  const MeasuredRow& row = *compared.row;
  return fmt::format("{} {} {} {}: measured {:.1f} us, predicted {:.1f} us ({:+.0f} %); {}", row.name(), row.device,
                     row.precision, shape_text(row.kernel), 1e6 * row.latency.value, 1e6 * compared.time.total.value,
                     100 * (compared.ratio() - 1), explain(compared.time));
}

SuiteGroup group_of(std::map<std::string, std::string> keys, const std::vector<const ComparedRow*>& rows,
                    bool show_worst) {
  std::vector<Compared> compared;
  for (const ComparedRow* row : rows) compared.push_back({row->ratio(), show_worst ? worst_text(*row) : ""});
  return measured_group(std::move(keys), std::move(compared), show_worst ? worst_shown : 0);
}

/// Board power where a row has it, by device and format: the mean of the loop, idle while it launches. A flag speaks of the row's rate, not of its power.
void add_board_power(const MeasuredData& data, const std::vector<ComparedRow>& compared, SuiteResult& result) {
  std::map<std::pair<std::string, std::string>, std::vector<Compared>> groups;
  for (const ComparedRow& row : compared) {
    const MeasuredRow& measured = *row.row;
    if (!measured.power) continue;
    const Watts idle = idle_power(data.devices[measured.device_index], library_calibration().constants.board);
    const KernelTime& time = row.time;
    const double predicted = (time.power_w * time.kernel().value + (idle * time.launch).value) / time.total.value,
                 watts = measured.power->value;
    groups[{measured.device, measured.precision}].push_back(
        {predicted / watts, fmt::format("{} {} {}: measured {:.0f} W, predicted {:.0f} W", measured.name(),
                                        measured.precision, shape_text(measured.kernel), watts, predicted)});
  }
  for (auto& [key, rows] : groups)
    result.groups.push_back(measured_group({{"figure", "board power"}, {"device", key.first}, {"dtype", key.second}},
                                           std::move(rows), worst_shown));
}

}  // namespace

double ComparedRow::ape_pct() const { return 100 * std::abs(ratio() - 1); }

std::vector<ComparedRow> compare(const MeasuredData& data, const Calibration& calibration, LeaveOut leave_out,
                                 std::vector<std::string>& notes) {
  std::vector<ComparedRow> compared(data.rows.size());
  const auto fill = [&](const GpuPredictor& predictor, const auto& chosen) {
    for (std::size_t i = 0; i < data.rows.size(); ++i)
      if (chosen(data.rows[i])) compared[i] = {&data.rows[i], predictor(data.rows[i])};
    notes.insert(notes.end(), predictor.notes().begin(), predictor.notes().end());
  };
  switch (leave_out) {
    case LeaveOut::none: fill(GpuPredictor(data, calibration), [](const MeasuredRow&) { return true; }); break;
    case LeaveOut::device: {
      std::set<std::string> devices;
      for (const MeasuredRow& row : data.rows) devices.insert(row.device);
      for (const std::string& device : devices) {
        const Calibration without = calibrate(data, [&](const MeasuredRow& row) { return row.device != device; });
        fill(GpuPredictor(data, without, device), [&](const MeasuredRow& row) { return row.device == device; });
      }
      break;
    }
    case LeaveOut::shape:
      for (int fold = 0; fold < shape_folds; ++fold) {
        const Calibration without = calibrate(data, [&](const MeasuredRow& row) { return fold_of(row) != fold; });
        fill(GpuPredictor(data, without), [&](const MeasuredRow& row) { return fold_of(row) == fold; });
      }
      break;
  }
  return compared;
}

std::vector<ErrorBand> error_bands(const std::vector<ComparedRow>& rows, std::string_view transfer) {
  std::map<std::pair<std::string, std::string>, std::pair<double, std::int64_t>> sums;
  for (const ComparedRow& row : rows) {
    if (!row.row->flag.empty()) continue;
    auto& [sum, count] = sums[{std::string(fit_group_of(*row.row).name), row.row->precision}];
    sum += row.ape_pct();
    ++count;
  }
  std::vector<ErrorBand> bands;
  for (const auto& [key, sum] : sums)
    bands.push_back(
        {key.first, key.second, std::string(transfer), sum.first / static_cast<double>(sum.second), sum.second});
  return bands;
}

SuiteResult validate_gpu(const std::string& folder, LeaveOut leave_out) {
  const MeasuredData data = read_measured(folder.empty() ? measured_gpu_folder() : folder);
  SuiteResult result;
  result.suite = "gpu";
  result.notes = data.notes;
  result.data = fmt::format("{} ({} rows, hash {})", folder.empty() ? "validation/measured/gpu" : folder,
                            data.rows.size(), data.hash);
  const Calibration calibration = leave_out == LeaveOut::none ? library_calibration() : Calibration{};
  const std::vector<ComparedRow> compared = compare(data, calibration, leave_out, result.notes);

  // Finest groups: table, operator, format, timing and device; above them classes over all devices, and each device over all classes.
  using Keys = std::array<std::string, 6>;  // flag, table, op, dtype, timing, device
  std::map<Keys, std::vector<const ComparedRow*>> classes, devices, finest;
  for (const ComparedRow& row : compared) {
    const MeasuredRow& measured = *row.row;
    Keys key{measured.flag.empty() ? "" : "flagged",
             measured.table,
             measured.op,
             measured.precision,
             measured.timing,
             measured.device};
    finest[key].push_back(&row);
    key[5] = "*";
    classes[key].push_back(&row);
    devices[{key[0], "*", "*", "*", "*", measured.device}].push_back(&row);
  }
  const auto add = [&](const auto& groups, bool show_worst) {
    for (const auto& [key, rows] : groups) {
      std::map<std::string, std::string> named{
          {"table", key[1]}, {"op", key[2]}, {"dtype", key[3]}, {"timing", key[4]}, {"device", key[5]}};
      if (!key[0].empty()) named["flag"] = key[0];
      result.groups.push_back(group_of(std::move(named), rows, show_worst && key[0].empty()));
    }
  };
  add(classes, true);
  add(devices, false);
  add(finest, false);
  if (leave_out == LeaveOut::none) add_board_power(data, compared, result);  // the refits are of times alone

  result.pass = true;
  for (const Target& target : targets()) {
    std::vector<const ComparedRow*> rows;
    for (const ComparedRow& row : compared)
      if (takes(target, *row.row)) rows.push_back(&row);
    if (rows.empty()) continue;
    const double wanted = leave_out == LeaveOut::device ? target.unseen_pct : target.known_pct;
    const SuiteGroup group = group_of({}, rows, false);
    const bool met = *group.mape_pct <= wanted;
    result.pass = result.pass && met;
    result.notes.push_back(fmt::format(
        "{:36} {:5} rows: mean {:5.1f} %, median {:5.1f} %, ratio {:.3f}; target {:g} %: {}", target.name, group.n,
        *group.mape_pct, *group.median_ape_pct, *group.geomean_ratio, wanted, met ? "met" : "missed"));
  }
  result.svg = predicted_against_measured_svg(compared);
  return result;
}

}  // namespace tilewright
