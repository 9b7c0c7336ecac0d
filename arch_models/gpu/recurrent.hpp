// Recurrent layers: one product for the inputs of all time steps, then a chain of steps that wait for each other.
#pragma once

#include <array>

#include "arch_models/gpu/kernel.hpp"

namespace tilewright {

struct GpuConstants;

enum class RecurrentCell { vanilla, lstm, gru };
inline constexpr std::array<std::string_view, 3> recurrent_cell_names{"vanilla", "lstm", "gru"};
/// Products of hidden x hidden weights per step: gates of the cell.
std::int64_t recurrent_gates(RecurrentCell cell);

/// One layer forward; the input is as wide as the hidden state.
struct RecurrentKernel {
  RecurrentCell cell = RecurrentCell::lstm;
  std::int64_t hidden = 1, batch = 1, steps = 1;
  GpuPrecision precision = GpuPrecision::fp32;
  bool input_product = true;  // false: the input is added to the gates as it comes (CUDNN_SKIP_INPUT)
};

/// Operand delivery of the block of one step: share of peak = efficiency / (1 + operand (32 / TM + 32 / TN)).
struct RecurrentUnitConstants {
  double efficiency = 1, operand = 0.5;
  double persistent_share = 0.3;  // share of peak with the weights in registers
};

struct RecurrentConstants {
  RecurrentUnitConstants cuda, tensor;
  double step_us = 3;           // launch of the kernels of a step and its element-wise part
  double first_us = 30;         // further time of each of the first 50 steps: the queue of launches fills
  double start_k = 100;         // reduction steps' worth of start and write-back of a block
  double narrow_cycles = 190;   // of a reduction step in a block 32 columns wide on CUDA cores: it waits for its loads
  double batch_slope = 0.05;    // each sample's addition to a step that streams the weights (batch of at most 16)
  double register_share = 0.3;  // weights up to this share of the register files stay there
  double sync_us = 20;          // grid-wide barrier and exchange of the state in a persistent step
  double l2_reach = 0.6;        // share of the L2 that holds the weights between steps
  double half_storage = 0.5;    // rate of such a block with 16-bit storage over fp32: conversions
};

/// Time of one layer. Pure; assumes positive extents. The libraries of these rows do not split the reduction of a step.
KernelTime recurrent_time(const GpuDevice& device, const GpuConstants& constants, const RecurrentKernel& kernel,
                          const Timing& timing);

}  // namespace tilewright
