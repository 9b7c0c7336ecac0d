// The clock that the power limit allows.
#pragma once

#include "arch_models/gpu/kernel.hpp"

namespace tilewright {

/// Constants of board power: P = idle TDP + die area + (switched energy per operation V(f)^2 + bytes) / time.
struct PowerConstants {
  double idle = 0.10;           // share of the TDP that a busy board draws besides die, operations and DRAM bytes
  double die_w_per_mm2 = 0.06;  // leakage and clock tree
  double cuda_pj =
      12;  // energy of an fp32 operation in a product, registers and shared memory included, at 8 nm and full clock
  double tensor_pj = 1.1;                                        // the same for a 16-bit tensor operation (8-bit: half)
  double node_exponent_cuda = 0.34, node_exponent_tensor = 0.9;  // energy ~ (node / 8 nm)^exponent
  double dp4a =
      0.25;  // energy of a multiply-add of a dp4a over an fp32 one: four share an instruction and its operands
  double byte_pj = 60;          // DRAM path
  double boost_exponent = 0.5;  // energy ~ (boost / 1.5 GHz)^exponent: higher clocks need more voltage
};

/// Relative supply voltage at a clock given as share of boost: 0.5 + 0.5 f (linear V-f, threshold at half of the full voltage).
inline double relative_voltage(double clock) { return 0.5 + 0.5 * clock; }

/// Largest share of the boost clock in [0.1, 1] at which the board stays within its TDP. `clocked` is the part of the time that scales with
/// 1 / clock, `fixed` the part that does not (DRAM); both in seconds at boost, joined as the 4-norm of the kernel models.
double allowed_clock(const GpuDevice& device, const PowerConstants& constants, const PowerWork& work, double clocked,
                     double fixed);
/// Power that the clock model counts with at a clock and time. It serves the clock alone: what a board draws is board_power (board.hpp).
double clock_power(const GpuDevice& device, const PowerConstants& constants, const PowerWork& work, double clock,
                   double seconds);

}  // namespace tilewright
