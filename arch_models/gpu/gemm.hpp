// Matrix products: library tiles, split-K, waves, operand delivery, caches, DRAM, the allowed clock.
#pragma once

#include "arch_models/gpu/kernel.hpp"

namespace tilewright {

struct GpuConstants;

/// Which kernels a library offers: plain products, convolutions as implicit products with (backward filter) or without split sums, products in a
/// transform domain, a Winograd kernel that transforms in shared memory.
enum class KernelMenu { product, implicit, implicit_split, transformed, fused_winograd };

/// C[m,n] = A[m,k] B[k,n], `batch` times.
struct GemmKernel {
  std::int64_t batch = 1, m = 1, n = 1, k = 1;
  GpuPrecision precision = GpuPrecision::fp32;
  bool a_transposed = false, b_transposed = false;  // in the row-major sense of the cuBLAS letters of the tables
  bool strided_batch = false;  // called as a batched product (bmm), for which libraries offer fewer kernels
  bool quantises =
      true;  // fp8: the activations are scaled and rounded around it, as in the layers of an engine; false: the product alone
  KernelMenu menu = KernelMenu::product;
  // Elements that the product names per element that is stored: windows overlap, transforms repeat.
  double activation_reuse = 1, weight_reuse = 1, result_reuse = 1;
  double useful = 1;  // share of the operations that are not padding: zeros take time but switch nothing
};

/// Constants of one kind of arithmetic unit.
struct GemmUnitConstants {
  double efficiency = 1;    // e0: share of the peak of an ideal tile
  double operand = 0.5;     // c: e_tile = 1 / (1 + c (32 / TM + 32 / TN)), operand delivery from shared memory
  double warp_half = 1;     // h: w / (w + h) of the issue slots are used with w resident warps per SM partition
  double start_k = 40;      // k0: reduction steps' worth of start and write-back of a tile
  double split_us = 1;      // fixed time of a split-K reduction
  double unaligned = 0.8;   // rate where rows are not multiples of 16 bytes
  double l2_reach = 0.6;    // share of the L2 that holds a working set between replays: half of it misses there
  double dram_share = 0.8;  // achieved share of the listed DRAM bandwidth
};

struct GemmConstants {
  GemmUnitConstants cuda, cuda_legacy, dp4a, tensor;
  double epilogue = 1;  // L2 passes of the results after the arithmetic of a tensor-core block
  // fp8 activations: cycles of one SM for an element and for a row whose scale is found at run time; launch of a pass over rows or results
  double quantise_cycles = 0.4, quantise_row_cycles = 1000, scale_us = 1.5;
  double drift_pascal = 1.5,
         drift_volta =
             0.1;  // DRAM reads per shared tile read of a wave that drifted apart, before Volta and from it on
  double drift_windows = 40;  // L2 windows of k at which half of the drift is reached
  double wave_reach = 0.5;    // operands above this share of the L2 are read again by later waves
};

/// True when 16-byte loads fit the rows of both operands.
bool has_aligned_rows(const GemmKernel& kernel);

/// Time of one product. Pure; assumes positive extents. At least the roofline at the allowed clock.
KernelTime gemm_time(const GpuDevice& device, const GpuConstants& constants, const GemmKernel& kernel,
                     const Timing& timing);

}  // namespace tilewright
