#include "validation/gpu/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "validation/gpu/fit.hpp"

namespace tilewright {
namespace {

constexpr double robust_scale = 0.08;   // log error above which a row counts by its size, not its square
constexpr double constant_prior = 0.4;  // the guesses are physical: a factor of 1.5 counts as one residual
constexpr double wide_scale = 0.5;
constexpr double trim_prior = 0.10;       // devices differ from their data sheets by about a tenth
constexpr double largest_floor = 100e-6;  // s: no host needs longer to dispatch one operator
constexpr double largest_drift = 1e-3;    // s: the same where the host grows slower
constexpr int most_steps = 40;

template <class Kernel>
bool is(const MeasuredRow& row) {
  return std::holds_alternative<Kernel>(row.kernel);
}

bool is_cuda_product(const MeasuredRow& row) {
  return is<GemmKernel>(row) && (row.precision == "fp32" || row.precision == "fp16_fp32math" ||
                                 (row.precision == "int8" && stack_profile(row.stack).legacy_library));
}

double log_ratio(double predicted, double measured) { return std::log(predicted / measured); }

/// The rows of one floor, and what is known of it before the fit.
struct FloorGroup {
  const MeasuredRow* sample = nullptr;
  std::vector<std::size_t> rows;                                // positions in the fit
  std::array<double, 2> fastest{largest_drift, largest_drift};  // s, in the halves of the table: no floor is above

  void add(const MeasuredRow& row, std::size_t position) {
    sample = &row;
    rows.push_back(position);
    double& half = fastest[row.place > 0.5 ? 1 : 0];
    half = std::min(half, row.latency.value);
  }
  bool drifts() const { return host_drifts(*sample); }
  double most(std::size_t half) const {
    return drifts() ? fastest[half] : std::min({fastest[0], fastest[1], largest_floor});
  }
};

}  // namespace

const std::vector<FitGroup>& fit_groups() {
  static const std::vector<FitGroup> groups{
      {"vector", {"vector."}, is<VectorKernel>, {}},
      {"gemm_cuda",
       {"gemm.cuda", "gemm.dp4a", "gemm.drift", "gemm.wave", "power.idle", "power.die", "power.cuda",
        "power.node_exponent_cuda", "power.dp4a", "power.byte", "power.boost"},
       is_cuda_product,
       {&DeviceTrim::cuda, &DeviceTrim::dram, &DeviceTrim::power}},
      {"gemm_tensor",
       {"gemm.tensor", "gemm.epilogue", "gemm.quantise", "gemm.scale", "power.tensor", "power.node_exponent_tensor"},
       [](const MeasuredRow& row) { return is<GemmKernel>(row) && !is_cuda_product(row); },
       {&DeviceTrim::tensor}},
      {"conv", {"conv."}, is<ConvKernel>, {&DeviceTrim::conv}},
      {"attention", {"attention."}, is<AttentionKernel>, {}},
      {"recurrent", {"recurrent."}, is<RecurrentKernel>, {}},
  };
  return groups;
}

const FitGroup& fit_group_of(const MeasuredRow& row) {
  return *std::ranges::find_if(fit_groups(), [&](const FitGroup& group) { return group.takes(row); });
}

namespace {

/// One group's fit: parameters are the constants, then the trims, then the floors.
void fit_group(const FitGroup& group, const std::vector<const MeasuredRow*>& rows, const MeasuredData& data,
               Calibration& calibration) {
  std::vector<FitParameter> parameters;
  std::vector<const ConstantSpec*> constants;
  for (const ConstantSpec& spec : constant_specs()) {
    if (std::ranges::none_of(group.constants, [&](std::string_view prefix) { return spec.name.starts_with(prefix); }))
      continue;
    constants.push_back(&spec);
    parameters.push_back({std::string(spec.name), spec.guess, spec.least, spec.most, constant_prior, {}});
  }
  std::map<std::size_t, std::vector<std::size_t>> by_device;
  std::map<std::string, FloorGroup> by_floor;
  std::map<std::string, double> class_rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    by_device[rows[i]->device_index].push_back(i);
    by_floor[floor_key(*rows[i])].add(*rows[i], i);
    class_rows[rows[i]->op + rows[i]->precision + std::string(stack_profile(rows[i]->stack).name)] += 1;
  }
  struct Trim {
    std::size_t device;
    double DeviceTrim::*factor;
  };
  std::vector<Trim> trims;
  for (const auto& [device, own] : by_device) {
    for (double DeviceTrim::*factor : group.trims) {
      trims.push_back({device, factor});
      parameters.push_back({"trim", 1, 0.3, 3, trim_prior, own});
    }
  }
  struct Floor {
    const FloorGroup* group;
    std::size_t first, last;  // parameters
  };
  std::vector<Floor> floors;
  for (const auto& [key, floor] : by_floor) {
    floors.push_back({&floor, parameters.size(), parameters.size() + (floor.drifts() ? 1 : 0)});
    for (std::size_t half = 0; half < (floor.drifts() ? 2U : 1U); ++half) {
      const double most = floor.most(half);
      parameters.push_back({key, 0.6 * most, 1e-3 * most, most, 0, floor.rows});
    }
  }
  // A class of few rows counts as much as one of many to the power of one half.
  std::vector<double> weights(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    weights[i] =
        1 / std::sqrt(class_rows[rows[i]->op + rows[i]->precision + std::string(stack_profile(rows[i]->stack).name)]);

  std::vector<const Floor*> floor_of(rows.size());
  for (const Floor& floor : floors)
    for (const std::size_t row : floor.group->rows) floor_of[row] = &floor;
  GpuConstants at = calibration.constants;
  std::vector<GpuDevice> devices = data.devices;
  for (GpuDevice& device : devices)
    if (const auto trim = calibration.trims.find(device.name); trim != calibration.trims.end())
      device.trim = trim->second;
  const auto set = [&](std::span<const double> values) {
    for (std::size_t c = 0; c < constants.size(); ++c) constants[c]->at(at) = values[c];
    for (std::size_t t = 0; t < trims.size(); ++t)
      devices[trims[t].device].trim.*trims[t].factor = values[constants.size() + t];
  };
  const FitResiduals residuals = [&](std::span<const double> values, std::span<const std::size_t> which,
                                     std::span<double> out) {
    set(values);
    for (std::size_t i = 0; i < which.size(); ++i) {
      const MeasuredRow& row = *rows[which[i]];
      const Floor& floor = *floor_of[which[i]];
      const double seconds = (1 - row.place) * values[floor.first] + row.place * values[floor.last];
      out[i] = log_ratio(predict(row, devices[row.device_index], at, Seconds{seconds}).total.value, row.latency.value);
    }
  };
  // First towards the bulk of the rows with a wide scale, then robustly.
  FitResult fit = fit_least_squares(parameters, weights, residuals, wide_scale, most_steps);
  for (std::size_t p = 0; p < parameters.size(); ++p) parameters[p].start = fit.values[p];
  fit = fit_least_squares(parameters, weights, residuals, robust_scale, most_steps);
  set(fit.values);
  calibration.constants = at;
  if (!group.trims.empty())
    for (const auto& [device, own] : by_device) calibration.trims[devices[device].name] = devices[device].trim;
  for (const Floor& floor : floors) {
    const MeasuredRow& sample = *floor.group->sample;
    calibration.floors.push_back({std::string(stack_profile(sample.stack).name), sample.op + "/" + sample.precision,
                                  sample.device, Seconds{fit.values[floor.first]}, Seconds{fit.values[floor.last]}});
  }
}

}  // namespace

Calibration calibrate(const MeasuredData& data, const std::function<bool(const MeasuredRow&)>& use) {
  Calibration calibration;
  calibration.data_hash = data.hash;
  for (const FitGroup& group : fit_groups()) {
    std::vector<const MeasuredRow*> rows;
    for (const MeasuredRow& row : data.rows)
      if (row.flag.empty() && group.takes(row) && use(row)) rows.push_back(&row);
    calibration.rows += static_cast<std::int64_t>(rows.size());
    if (!rows.empty()) fit_group(group, rows, data, calibration);
  }
  std::map<std::string, std::pair<double, double>> sums;
  for (const HostFloor& floor : calibration.floors) {
    auto& [sum, count] = sums[floor.stack + "/" + floor.op];
    sum += std::log(floor.floor.value);
    count += 1;
  }
  for (const auto& [key, sum] : sums) calibration.stack_floors[key] = std::exp(sum.first / sum.second);
  return calibration;
}

GpuPredictor::GpuPredictor(const MeasuredData& data, const Calibration& calibration, const std::string& unseen)
    : calibration_(calibration), devices_(data.devices) {
  for (GpuDevice& device : devices_) {
    const auto trim = calibration.trims.find(device.name);
    if (trim != calibration.trims.end() && device.name != unseen) device.trim = trim->second;
  }
  for (const HostFloor& floor : calibration.floors)
    if (floor.device != unseen) floors_[floor.stack + "/" + floor.op + "/" + floor.device] = floor;
  std::map<std::string, std::vector<const MeasuredRow*>> without;
  for (const MeasuredRow& row : data.rows)
    if (!floors_.contains(floor_key(row)) && (unseen.empty() || row.device == unseen))
      without[floor_key(row)].push_back(&row);
  for (auto& [key, rows] : without) {
    // The floor that leaves the smallest mean |log error| of the fastest quarter of the host's rows, on a grid of 2 % up to the fastest row.
    std::ranges::stable_sort(rows, {}, [](const MeasuredRow* row) { return row->latency.value; });
    rows.resize(std::max<std::size_t>(1, rows.size() / 4));
    const bool drifts = host_drifts(*rows.front());
    HostFloor best;
    double least = std::numeric_limits<double>::infinity();
    const auto consider = [&](double first, double last) {
      const HostFloor floor{"", "", "", Seconds{first}, Seconds{last}};
      double error = 0;
      for (const MeasuredRow* row : rows) {
        const KernelTime time =
            predict(*row, devices_[row->device_index], calibration_.constants, floor.at(row->place));
        error += std::abs(log_ratio(time.total.value, row->latency.value));
      }
      if (error < least) {
        least = error;
        best = floor;
      }
    };
    const double fastest = std::min(rows.front()->latency.value, largest_floor);
    if (drifts) {
      for (double first = rows.front()->latency.value; first > 0.01 * fastest; first /= 1.1)
        for (double last = largest_drift; last > 0.01 * fastest; last /= 1.1) consider(first, last);
    } else {
      for (double floor = fastest; floor > 0.01 * fastest; floor /= 1.02) consider(floor, floor);
    }
    floors_[key] = best;
    notes_.push_back(fmt::format(
        "{}: host floor {:.1f} us{} from its {} fastest rows", key, 1e6 * best.floor.value,
        drifts ? fmt::format(" at the first row, {:.1f} us at the last", 1e6 * best.last.value) : "", rows.size()));
  }
}

KernelTime GpuPredictor::operator()(const MeasuredRow& row) const {
  return predict(row, devices_[row.device_index], calibration_.constants, floors_.at(floor_key(row)).at(row.place));
}

}  // namespace tilewright
