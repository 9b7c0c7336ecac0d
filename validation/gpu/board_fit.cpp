#include "validation/gpu/board_fit.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <span>

#include "validation/gpu/fit.hpp"
#include "validation/gpu/rows.hpp"

namespace tilewright {
namespace {

constexpr double robust_scale = 0.15;  // log error above which a row counts by its size, not its square
constexpr double constant_prior = 0.4;
constexpr int most_steps = 60;

}  // namespace

BoardConstants fit_board(const std::vector<PowerRow>& rows, GpuConstants constants,
                         const std::function<bool(const PowerRow&)>& use) {
  std::vector<const PowerRow*> fitted;
  std::map<std::pair<std::string, std::string_view>, double> counts;
  for (const PowerRow& row : rows) {
    if (!row.fitted || !use(row)) continue;
    fitted.push_back(&row);
    counts[{row.device.name, row.kind}] += 1;
  }
  std::vector<FitParameter> parameters;
  std::vector<const ConstantSpec*> specs;
  for (const ConstantSpec& spec : constant_specs()) {
    if (!spec.name.starts_with("board.")) continue;
    specs.push_back(&spec);
    parameters.push_back({std::string(spec.name), spec.guess, spec.least, spec.most, constant_prior, {}});
    spec.at(constants) = spec.guess;
  }
  if (fitted.empty()) return constants.board;
  std::vector<double> weights;
  for (const PowerRow* row : fitted) weights.push_back(1 / std::sqrt(counts[{row->device.name, row->kind}]));
  const FitResiduals residuals = [&](std::span<const double> values, std::span<const std::size_t> which,
                                     std::span<double> out) {
    for (std::size_t c = 0; c < specs.size(); ++c) specs[c]->at(constants) = values[c];
    for (std::size_t i = 0; i < which.size(); ++i)
      out[i] = std::log(mean_power(*fitted[which[i]], constants) / fitted[which[i]]->watts);
  };
  const FitResult fit = fit_least_squares(parameters, weights, residuals, robust_scale, most_steps);
  for (std::size_t c = 0; c < specs.size(); ++c) specs[c]->at(constants) = fit.values[c];
  return constants.board;
}

namespace {

bool has_wattmeter(const std::string& folder) {
  std::error_code ignored;
  return std::filesystem::exists(folder + "/energy.csv", ignored) &&
         std::filesystem::exists(folder + "/roofline_power.csv", ignored);
}

}  // namespace

void calibrate_board(const std::string& folder, Calibration& calibration) {
  if (!has_wattmeter(folder)) {
    const Calibration& library = library_calibration();
    calibration.constants.board = library.constants.board;
    calibration.power_hash = library.power_hash;
    calibration.power_rows = library.power_rows;
    calibration.power_devices = library.power_devices;
    return;
  }
  const std::vector<PowerRow> rows = read_power_rows(folder, read_gpu_devices(folder + "/devices.csv"), calibration);
  calibration.constants.board = fit_board(rows, calibration.constants, [](const PowerRow&) { return true; });
  calibration.power_hash = hash_of_files({folder + "/energy.csv", folder + "/roofline_power.csv"});
  calibration.power_rows = std::ranges::count_if(rows, &PowerRow::fitted);
  std::set<std::string> devices;
  for (const PowerRow& row : rows)
    if (row.fitted) devices.insert(row.device.name);
  calibration.power_devices.assign(devices.begin(), devices.end());
}

std::vector<ErrorBand> board_bands(const std::string& folder, const Calibration& calibration) {
  if (!has_wattmeter(folder)) return {};
  const std::vector<PowerRow> rows = read_power_rows(folder, read_gpu_devices(folder + "/devices.csv"), calibration);
  std::vector<ErrorBand> bands;
  const auto add = [&](std::string_view transfer, const std::function<std::string(const PowerRow&)>& key_of) {
    std::map<std::string, GpuConstants> without;
    std::map<std::string, std::map<std::pair<std::string_view, std::string>, std::pair<double, double>>> sums;
    for (const PowerRow& row : rows) {
      if (!row.fitted || row.kind == "waiting") continue;
      const std::string key = key_of(row);
      auto [found, added] = without.try_emplace(key, calibration.constants);
      if (added)
        found->second.board =
            fit_board(rows, calibration.constants, [&](const PowerRow& other) { return key_of(other) != key; });
      const bool fp32 = row.kind == "stream" || row.kind == "training";
      auto& [sum, count] = sums[fp32 ? "fp32" : "fp16"][{row.kind, row.device.name}];
      sum += 100 * std::abs(mean_power(row, found->second) / row.watts - 1);
      count += 1;
    }
    for (const auto& [precision, groups] : sums) {
      double mean = 0, count = 0;
      for (const auto& [group, sum] : groups) {
        mean += sum.first / sum.second / static_cast<double>(groups.size());
        count += sum.second;
      }
      bands.push_back({"board_power", precision, std::string(transfer), mean, static_cast<std::int64_t>(count)});
    }
  };
  add("known_device", [](const PowerRow& row) { return row.model; });
  add("unseen_device", [](const PowerRow& row) { return row.device.name; });
  return bands;
}

}  // namespace tilewright
