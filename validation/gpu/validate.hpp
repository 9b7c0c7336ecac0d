// Predicted against measured GPU times.
#pragma once

#include <string>

#include "validation/gpu/calibrate.hpp"
#include "validation/suite.hpp"

namespace tilewright {

enum class LeaveOut { none, device, shape };

/// A row with its prediction.
struct ComparedRow {
  const MeasuredRow* row = nullptr;
  KernelTime time;

  double ratio() const { return time.total / row->latency; }
  double ape_pct() const;  // |predicted - measured| / measured in percent
};

/// Predictions of all rows. `device`: each device from a cold refit without any of its rows; `shape`: each third of the shapes from a refit
/// without them; `none`: from `calibration`. Notes name what was assumed.
std::vector<ComparedRow> compare(const MeasuredData& data, const Calibration& calibration, LeaveOut leave_out,
                                 std::vector<std::string>& notes);

/// Suite `gpu`: errors by table, operator, format, timing and device ("*": all), flagged rows apart, the worst rows with their explanation,
/// a plot. The notes end with the classes that have targets. Passes when every class of the tables meets its target (docs/gpu.md); with `none` the targets of `shape` hold.
/// `folder` empty: the open tables of the project.
SuiteResult validate_gpu(const std::string& folder, LeaveOut leave_out);

/// Residuals as error bands by fit group and precision.
std::vector<ErrorBand> error_bands(const std::vector<ComparedRow>& rows, std::string_view transfer);

}  // namespace tilewright
