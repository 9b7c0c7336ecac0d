// Fitting the constants of the GPU models to measured rows.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "validation/gpu/rows.hpp"

namespace tilewright {

/// An operator class that is fitted on its own, in the order of fit_groups(): constants of earlier groups are fixed in later ones.
struct FitGroup {
  std::string_view name;                    // in reports and error bands
  std::vector<std::string_view> constants;  // names or prefixes of names of constant_specs()
  bool (*takes)(const MeasuredRow&);        // rows of this class
  std::vector<double DeviceTrim::*> trims;  // factors of single devices that this class determines
};
const std::vector<FitGroup>& fit_groups();
/// The group of a row. Every row that read_measured returns has one.
const FitGroup& fit_group_of(const MeasuredRow& row);

/// Fits all groups that have rows, from the initial guesses of constant_specs(), on the unflagged rows that `use` admits. Every device and host
/// that has rows gets its trim (prior: 10 % around 1) and floors. The same rows give the same bits.
Calibration calibrate(const MeasuredData& data, const std::function<bool(const MeasuredRow&)>& use);

/// Resolves what belongs to devices and hosts, for fast repeated predictions.
class GpuPredictor {
 public:
  /// Devices named in `unseen` get no trim. A host without a calibrated floor gets the one that its own fastest rows in `data` show (the floor
  /// is a property of the host, not of the GPU), never the floor of another machine.
  GpuPredictor(const MeasuredData& data, const Calibration& calibration, const std::string& unseen = {});
  KernelTime operator()(const MeasuredRow& row) const;
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  const Calibration& calibration_;
  std::vector<GpuDevice> devices_;
  std::map<std::string, HostFloor> floors_;
  std::vector<std::string> notes_;
};

}  // namespace tilewright
