// Matrix products: library tiles, split-K, waves, operand delivery, caches, DRAM, the allowed clock.
#pragma once

#include "arch_models/gpu/kernel.hpp"

namespace tilewright {

struct GpuConstants;

/// C[m,n] = A[m,k] B[k,n], `batch` times.
struct GemmKernel {
  std::int64_t batch = 1, m = 1, n = 1, k = 1;
  GpuPrecision precision = GpuPrecision::fp32;
  bool a_transposed = false, b_transposed = false;  // in the row-major sense of the cuBLAS letters of the tables
  bool strided_batch = false;  // called as a batched product (bmm), for which libraries offer fewer kernels
};

/// Constants of one kind of arithmetic unit.
struct GemmUnitConstants {
  double efficiency = 1;    // e0: share of the peak of an ideal tile
  double operand = 0.5;     // c: e_tile = 1 / (1 + c (32 / TM + 32 / TN)), operand delivery from shared memory
  double warp_half = 1;     // h: w / (w + h) of the issue slots are used with w resident warps per SM partition
  double start_k = 40;      // k0: reduction steps' worth of start and write-back of a tile
  double split_us = 1;      // fixed time of a split-K reduction
  double dram_share = 0.8;  // achieved share of the listed DRAM bandwidth
};

struct GemmConstants {
  GemmUnitConstants cuda, tensor;
  double l2_bytes_per_cycle = 32;  // L2 to one SM
  double l2_reach = 0.6;           // share of the L2 that holds a working set: half of it misses there
};

/// Time of one product. Pure; assumes positive extents. At least the roofline at the allowed clock.
KernelTime gemm_time(const GpuDevice& device, const GpuConstants& constants, const GemmKernel& kernel, const Timing& timing);

}  // namespace tilewright
