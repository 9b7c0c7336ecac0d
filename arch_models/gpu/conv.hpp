// Convolutions: implicit GEMM, Winograd and FFT, and the two backward passes.
#pragma once

#include "arch_models/gpu/kernel.hpp"

namespace tilewright {

struct GpuConstants;

enum class ConvPhase { forward, backward_data, backward_filter };

/// A 2-D convolution; n, c, h, w is the input of the forward pass.
struct ConvKernel {
  ConvPhase phase = ConvPhase::forward;
  std::int64_t n = 1, c = 1, h = 1, w = 1, k = 1, r = 1, s = 1;
  std::int64_t pad_h = 0, pad_w = 0, stride_h = 1, stride_w = 1, groups = 1;
  GpuPrecision precision = GpuPrecision::fp32;

  std::int64_t out_h() const { return (h + 2 * pad_h - r) / stride_h + 1; }
  std::int64_t out_w() const { return (w + 2 * pad_w - s) / stride_w + 1; }
};

struct ConvConstants {
  double gather = 1.1;          // time of an implicit GEMM over a plain one: address arithmetic
  double winograd_share = 0.8;  // efficiency of the products of a Winograd kernel against a plain product
};

/// Time of one convolution pass by the fastest algorithm of the library. Pure; assumes out_h(), out_w() >= 1.
KernelTime conv_time(const GpuDevice& device, const GpuConstants& constants, const ConvKernel& kernel, const Timing& timing);

}  // namespace tilewright
