// The fitted constants of the GPU kernel models, their initial guesses and their file.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arch_models/gpu/attention.hpp"
#include "arch_models/gpu/board.hpp"
#include "arch_models/gpu/conv.hpp"
#include "arch_models/gpu/device.hpp"
#include "arch_models/gpu/gemm.hpp"
#include "arch_models/gpu/power.hpp"
#include "arch_models/gpu/recurrent.hpp"
#include "arch_models/gpu/vector.hpp"

namespace tilewright {

/// All fitted constants. Each operator class adds its own struct here and lists its members in constant_specs().
struct GpuConstants {
  PowerConstants power;
  BoardConstants board;
  GemmConstants gemm;
  ConvConstants conv;
  VectorConstants vector;
  AttentionConstants attention;
  RecurrentConstants recurrent;
};

/// One fitted constant: where it lives, the initial guess and bounds of its fit (all above 0), what it means.
struct ConstantSpec {
  std::string_view name;  // "gemm.cuda.efficiency": the part before the first dot is the operator class
  double& (*at)(GpuConstants&);
  double guess, least, most;
  std::string_view meaning;  // unit included
};
std::span<const ConstantSpec> constant_specs();
/// Every constant at its initial guess.
GpuConstants initial_constants();

/// A calibrated figure of one device or host.
struct HostFloor {
  std::string stack, op,
      device;  // op with precision, "linear/fp32"; the machine is known by its GPU: one host per device and stack in the tables
  Seconds floor;  // at the first row of the table
  Seconds last;   // at its last row: some hosts grew slower while a table was measured

  /// Floor of the row at a place of the table between 0 (first) and 1 (last).
  Seconds at(double place) const { return (1 - place) * floor + place * last; }
};
/// Residual error of an operator class: what a prediction carries as its band.
struct ErrorBand {
  std::string op_class, precision, transfer;  // transfer: known_device, unseen_device
  double mape_pct = 0;
  std::int64_t rows = 0;
};

/// The calibration file: constants, what belongs to single devices and hosts, error bands.
struct Calibration {
  GpuConstants constants = initial_constants();
  std::map<std::string, DeviceTrim> trims;
  std::vector<HostFloor> floors;
  std::vector<ErrorBand> bands;
  std::map<std::string, double>
      stack_floors;  // "stack/op/precision": geometric mean over the hosts, for a host never seen, s
  std::string data_hash;
  std::int64_t rows = 0;
  // Of the constants `board.*`, which are fitted to wattmeters alone.
  std::string power_hash;
  std::int64_t power_rows = 0;
  std::vector<std::string> power_devices;  // that had a wattmeter
};
/// Reads arch_models/gpu/constants.yaml or another file of its form. InputError with line and key.
Calibration read_calibration(const std::string& path);
std::string calibration_yaml(const Calibration& calibration);
/// The calibration in the library, read once.
const Calibration& library_calibration();

}  // namespace tilewright
