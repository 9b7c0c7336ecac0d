// What a board draws while a kernel runs, by constants fitted to wattmeters alone: the clock model does not see them.
#pragma once

#include "core/units.hpp"

namespace tilewright {

struct GpuConstants;
struct GpuDevice;
struct KernelTime;

/// Constants of board power: P = idle + active + (switched energy x V(f)^2 + DRAM bytes) / time. Energies on the chip are those of 8 nm at full clock and
/// scale with (node / 8 nm)^node_exponent.
struct BoardConstants {
  double idle_hbm = 0.15, idle_gddr = 0.27;  // shares of the TDP of a board with this memory that waits for its host
  double active_w_per_mm2 = 0.05;  // more while kernels run, by die area: clock tree, instructions, leakage of warm SMs
  double cuda_pj = 5;              // of an fp32 operation
  double tensor_pj = 0.8;          // of a 16-bit tensor operation
  double padded = 0.3;  // share of that where a tile reaches beyond its operands: they are delivered, not multiplied
  double node_exponent = 1;
  double boost_exponent = 0.5;  // energy on the chip ~ (boost clock / 1.5 GHz)^this
  double l2_pj = 30;            // of a byte between L2 and SM
  double shared_pj = 30;        // more where the byte goes through shared memory to a product
  // Share of the active power between the kernels of a server or of eager model code: sampling, exchanges, element-wise operators that their rows leave out.
  double between = 0.4;
  double hbm_pj = 40, gddr_pj = 70;  // of a DRAM byte on its way to the L2
};

/// Power of a board that waits for its host, W; 0 where the data sheet gives no TDP.
Watts idle_power(const GpuDevice& device, const BoardConstants& constants);
/// More than idle_power while any kernel runs, W.
Watts active_power(const GpuDevice& device, const BoardConstants& constants);
/// Power of the board while this kernel runs, launch apart, at most its limit; 0 where the data sheet gives no TDP. Never below what the clock model
/// takes it to draw: a kernel whose clock the limit holds down draws the limit.
Watts board_power(const GpuDevice& device, const GpuConstants& constants, const KernelTime& time);

}  // namespace tilewright
