// Element-wise operators, softmax and layer norm: bytes by passes over the rows, what the L2 keeps between passes, dependent loads.
#pragma once

#include <array>

#include "arch_models/gpu/kernel.hpp"

namespace tilewright {

struct GpuConstants;

/// Batch norm and biases as PyTorch runs them. plane_norm: given moments, one block for each plane of an image. channel_moments, channel_sum and
/// channel_norm: one block for each channel, whose elements in all images are a row; channel_norm reads them twice (moments, result; with two inputs
/// it is the backward pass), the other two leave a number a channel. bias: a map whose gradient is a channel_sum. copy moves without arithmetic, with
/// no input it fills.
enum class VectorOp {
  add,
  pow,
  relu,
  gelu,
  tanh,
  softmax,
  layernorm,
  avg_pool,
  max_pool,
  copy,
  bias,
  plane_norm,
  channel_moments,
  channel_sum,
  channel_norm
};
inline constexpr std::array<std::string_view, 15> vector_op_names{
    "add",         "pow",      "relu", "gelu", "tanh",       "softmax",         "layernorm",
    "avg_pool",    "max_pool", "copy", "bias", "plane_norm", "channel_moments", "channel_sum",
    "channel_norm"};

/// An operator on a rows x cols tensor; softmax, norms and sums run along cols. Pools: rows x cols results of `inputs` elements each.
struct VectorKernel {
  VectorOp op = VectorOp::relu;
  std::int64_t rows = 1, cols = 1, inputs = 1;
  GpuPrecision precision = GpuPrecision::fp32;
};

/// Constants of kernels that stream tensors. A "step" is one load of a thread block on which its next one depends.
struct VectorConstants {
  double share_hbm = 0.85;     // achieved share of DRAM bandwidth, HBM from Volta on
  double share_gddr = 0.80;    // the same, GDDR from Turing on
  double share_pascal = 0.75;  // the same up to Pascal, whose memory controllers deliver less
  double start_us = 1;         // start and drain of a kernel
  // Share of the host's dispatch that passes before the kernel starts; the rest overlaps it. By operator: outputs are allocated first.
  double map_before = 0.7, softmax_before = 0.7, norm_before = 0.7;
  double l2_bytes_per_cycle = 24;  // L2 to one SM
  double l2_reach = 0.8;           // share of the L2 that holds a working set between replays: half of it misses there
  double softmax_reach = 0.6, norm_reach = 0.6;      // share of the L2 that holds the rows in flight between passes
  double softmax_row_us = 1, softmax_step_us = 0.5;  // barriers of a row; one vector load of a block
  double softmax_tail = 2;                           // scalar loads of a row's remainder, in steps each
  double norm_row_us = 2, norm_step_us = 0.3;
  // SM cycles per result of PyTorch's average pooling with a 3 x 3 window: index divisions dominate. Not fitted by `calibrate`: from the cells
  // with and without pooling of NAS-Bench-201 at batch 256 on the RTX 2080 Ti; 4.3 on the two Pascal chips of that table.
  double pool_cycles = 4.1;
};

/// Achieved DRAM bandwidth of streaming kernels, bytes per second.
double streaming_bandwidth(const GpuDevice& device, const VectorConstants& constants);
/// Time to move bytes of which the last `working_set` bytes were touched just before: hits at L2 speed, the rest from DRAM.
struct StreamTime {
  double seconds = 0, dram_bytes = 0;
};
StreamTime stream_time(const GpuDevice& device, const VectorConstants& constants, double bytes, double working_set);
/// Most threads resident on one SM (CUDA C++ Programming Guide, technical specifications per compute capability).
std::int64_t threads_per_sm(const GpuDevice& device);
/// Time in which a chip of compute capability 6.1 turns so many elements into fp32; 0 on others. PyTorch's builds for CUDA 11 and 12 hold code for 6.0
/// and none for 6.1 (pytorch issue 53164), and that converts in the half unit, which is slow on 6.1; earlier ones held code for both.
double half_conversion_seconds(const GpuDevice& device, double elements, Stack stack);
/// Host dispatch and kernel as one interval between events: the later of the whole dispatch and its first part plus the kernel.
/// `before`: share of the dispatch that passes before the kernel starts.
Seconds dispatched(Stack stack, Seconds floor, double before, double kernel_seconds);

/// Time of one operator. Pure; assumes positive extents. Softmax of up to 1024 columns holds a row in registers (one pass), longer ones read
/// it three times; layer norm reads it twice (PyTorch's kernels).
KernelTime vector_time(const GpuDevice& device, const GpuConstants& constants, const VectorKernel& kernel,
                       const Timing& timing);

}  // namespace tilewright
