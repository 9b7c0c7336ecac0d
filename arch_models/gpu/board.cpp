#include "arch_models/gpu/board.hpp"

#include <algorithm>
#include <cmath>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {

Watts idle_power(const GpuDevice& device, const BoardConstants& constants) {
  return (device.has_hbm() ? constants.idle_hbm : constants.idle_gddr) * device.tdp;
}

Watts active_power(const GpuDevice& device, const BoardConstants& constants) {
  return Watts{constants.active_w_per_mm2 * die_area(device)};
}

Watts board_power(const GpuDevice& device, const GpuConstants& constants, const KernelTime& time) {
  if (device.tdp.value <= 0 || time.kernel().value <= 0) return Watts{0};
  const BoardConstants& fit = constants.board;
  const PowerWork& work = time.work;
  const double voltage = relative_voltage(time.clock);
  // A tensor core switches alike in every cycle: half of the rate costs twice as much an operation.
  const double each = work.unit == MathUnit::tensor ? fit.tensor_pj * work.operand_bytes / 2
                      : work.unit == MathUnit::dp4a ? fit.cuda_pj * constants.power.dp4a
                                                    : fit.cuda_pj;
  const double chip_pj = each * (work.operations + fit.padded * work.padded_operations) + fit.l2_pj * work.l2_bytes +
                         fit.shared_pj * work.staged_bytes;
  const double scaled_pj = chip_pj * std::pow(device.node_nm / 8, fit.node_exponent) *
                           std::pow(device.boost.value / 1.5e9, fit.boost_exponent) * voltage * voltage;
  const double dram_pj = (device.has_hbm() ? fit.hbm_pj : fit.gddr_pj) * work.dram_bytes;
  const double watts =
      (idle_power(device, fit) + active_power(device, fit)).value + 1e-12 * (scaled_pj + dram_pj) / time.kernel().value;
  return Watts{std::min(device.limit().value, std::max(time.clock_power_w, watts))};
}

}  // namespace tilewright
