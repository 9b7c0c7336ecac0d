// The three report files of SCALE-Sim, with its columns.
#pragma once

#include <span>
#include <string>

#include "sim/scalesim/scalesim.hpp"

namespace tilewright {

struct ScaleSimReport {
  std::string_view file;  // "COMPUTE_REPORT.csv"
  std::string (*write)(const std::vector<ScaleSimResult>& layers);
};

/// COMPUTE_REPORT.csv, BANDWIDTH_REPORT.csv and DETAILED_ACCESS_REPORT.csv: one row for each layer, numbered from 0, numbers in the shortest form
/// that reads back to the same value, every line with SCALE-Sim's comma at its end.
std::span<const ScaleSimReport> scalesim_reports();

}  // namespace tilewright
