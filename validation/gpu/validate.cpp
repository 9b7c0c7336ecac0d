#include "validation/gpu/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "validation/gpu/plot.hpp"

namespace tilewright {
namespace {

constexpr int shape_folds = 3;
constexpr std::size_t worst_shown = 3;

/// Errors that the project wants to stay within, by class of rows: mean absolute percentage error for an unseen device and for known ones.
struct Target {
  std::string_view op, precision, stack;
  double unseen_pct, known_pct;
};
constexpr std::array targets{
    Target{"linear", "fp32", "pytorch_eager", 13, 9},
    Target{"bmm", "fp32", "pytorch_eager", 13, 9},
    Target{"linear", "fp32", "library_loop", 18, 14},
    Target{"linear", "bf16", "cuda_graph", 13, 9},
    Target{"linear", "fp16", "profiler", 6, 5},
    Target{"linear", "fp16", "library_loop", 10, 8},
    Target{"linear", "int8", "cuda_graph", 17, 14},
    Target{"linear", "int8", "library_loop", 17, 14},
    Target{"linear", "fp8", "cuda_graph", 28, 15},
    Target{"conv_fwd", "fp32", "pytorch_eager", 17, 13},
    Target{"conv_fwd", "fp32", "library_loop", 17, 13},
    Target{"conv_fwd", "fp16", "library_loop", 21, 16},
    Target{"conv_bwd_data", "fp32", "library_loop", 28, 22},
    Target{"conv_bwd_filter", "fp32", "library_loop", 28, 22},
    Target{"add", "fp32", "pytorch_eager", 6, 4},
    Target{"pow", "fp32", "pytorch_eager", 6, 4},
    Target{"relu", "fp32", "pytorch_eager", 6, 4},
    Target{"gelu", "fp32", "pytorch_eager", 6, 4},
    Target{"tanh", "fp32", "pytorch_eager", 6, 4},
    Target{"softmax", "fp32", "pytorch_eager", 10, 7},
    Target{"layernorm", "fp32", "pytorch_eager", 9, 7},
    Target{"attention_prefill", "bf16", "cuda_graph", 15, 11},
    Target{"attention_decode", "bf16", "cuda_graph", 22, 13},
};

/// The stack of a class: the two graph profiles are one timing method.
std::string class_stack(const MeasuredRow& row) {
  const std::string name(stack_profile(row.stack).name);
  return name.starts_with("cuda_graph") ? "cuda_graph" : name;
}

const Target* target_of(const std::string& op, const std::string& precision, const std::string& stack) {
  const auto found = std::ranges::find_if(targets, [&](const Target& target) {
    return target.op == op && target.precision == precision && target.stack == stack;
  });
  return found == targets.end() ? nullptr : &*found;
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

SuiteGroup group_of(std::map<std::string, std::string> keys, std::vector<const ComparedRow*> rows, bool show_worst) {
  SuiteGroup group;
  group.keys = std::move(keys);
  group.n = static_cast<std::int64_t>(rows.size());
  std::ranges::stable_sort(rows, {}, [](const ComparedRow* row) { return row->ape_pct(); });
  const double n = static_cast<double>(rows.size());
  double sum = 0, log_sum = 0;
  for (const ComparedRow* row : rows) {
    sum += row->ape_pct();
    log_sum += std::log(row->ratio());
  }
  group.mape_pct = sum / n;
  group.median_ape_pct = 0.5 * (rows[(rows.size() - 1) / 2]->ape_pct() + rows[rows.size() / 2]->ape_pct());
  group.geomean_ratio = std::exp(log_sum / n);
  for (std::size_t i = 0; show_worst && i < std::min(worst_shown, rows.size()); ++i)
    group.worst.push_back(worst_text(*rows[rows.size() - 1 - i]));
  return group;
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

  std::map<std::vector<std::string>, std::vector<const ComparedRow*>> classes, devices;
  for (const ComparedRow& row : compared) {
    const std::vector<std::string> key{row.row->flag.empty() ? "" : "flagged", row.row->table, row.row->op,
                                       row.row->precision, class_stack(*row.row)};
    classes[key].push_back(&row);
    std::vector<std::string> with_device = key;
    with_device.push_back(row.row->device);
    devices[with_device].push_back(&row);
  }
  const auto keys = [](const std::vector<std::string>& key, const std::string& device) {
    std::map<std::string, std::string> named{
        {"table", key[1]}, {"op", key[2]}, {"precision", key[3]}, {"stack", key[4]}, {"device", device}};
    if (!key[0].empty()) named["flag"] = key[0];
    return named;
  };
  result.pass = true;
  for (const auto& [key, rows] : classes) {
    result.groups.push_back(group_of(keys(key, "*"), rows, key[0].empty()));
    const Target* target = key[0].empty() ? target_of(key[2], key[3], key[4]) : nullptr;
    if (target == nullptr) continue;
    const double wanted = leave_out == LeaveOut::device ? target->unseen_pct : target->known_pct;
    const double got = *result.groups.back().mape_pct;
    if (got > wanted) result.pass = false;
    result.notes.push_back(fmt::format("{} {} {}: mean error {:.1f} %, target {:g} %: {}", key[2], key[3], key[4], got,
                                       wanted, got <= wanted ? "met" : "missed"));
  }
  for (const auto& [key, rows] : devices) result.groups.push_back(group_of(keys(key, key[5]), rows, false));
  result.svg = predicted_against_measured_svg(compared);
  return result;
}

}  // namespace tilewright
