#include "arch_models/gpu/power.hpp"

#include <algorithm>
#include <cmath>

#include "arch_models/gpu/device.hpp"

namespace tilewright {
namespace {

/// Switched energy of the work at full clock, without DRAM; J.
double switched_energy(const GpuDevice& device, const PowerConstants& constants, const PowerWork& work) {
  const bool tensor = work.unit == MathUnit::tensor;
  // 8-bit operands switch half of what 16-bit ones do.
  const double scale = work.unit == MathUnit::dp4a ? constants.dp4a : work.operand_bytes < 2 ? 0.5 : 1.0;
  const double each = tensor ? constants.tensor_pj : constants.cuda_pj;
  const double exponent = tensor ? constants.node_exponent_tensor : constants.node_exponent_cuda;
  return 1e-12 * each * scale * std::pow(device.node_nm / 8.0, exponent) *
         std::pow(device.boost.value / 1.5e9, constants.boost_exponent) * work.operations * device.trim.power;
}

/// Power of a busy board without work, W. Under a limit below the TDP its idle share is one of the limit: voltage and clock are lower.
double base_power(const GpuDevice& device, const PowerConstants& constants) {
  return std::min(0.9 * device.limit().value,
                  constants.idle * device.limit().value + constants.die_w_per_mm2 * die_area(device));
}

}  // namespace

double clock_power(const GpuDevice& device, const PowerConstants& constants, const PowerWork& work, double clock,
                   double seconds) {
  const double voltage = relative_voltage(clock);
  const double energy =
      switched_energy(device, constants, work) * voltage * voltage + 1e-12 * constants.byte_pj * work.dram_bytes;
  return base_power(device, constants) + energy / seconds;
}

double allowed_clock(const GpuDevice& device, const PowerConstants& constants, const PowerWork& work, double clocked,
                     double fixed) {
  const double budget = device.limit().value - base_power(device, constants);
  const double switched = switched_energy(device, constants, work);
  const double transfers = 1e-12 * constants.byte_pj * work.dram_bytes;
  const double fixed4 = fixed * fixed * fixed * fixed;
  const auto within = [&](double clock) {
    const double scaled = clocked / clock, scaled2 = scaled * scaled;
    const double seconds = std::sqrt(std::sqrt(scaled2 * scaled2 + fixed4));
    const double voltage = relative_voltage(clock);
    return switched * voltage * voltage + transfers <= budget * seconds;
  };
  if (within(1)) return 1;
  double low = 0.1, high = 1;  // 2^-20 of the clock: the result must not step where inputs move a little
  for (int step = 0; step < 20; ++step) {
    const double middle = 0.5 * (low + high);
    (within(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace tilewright
