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
  bool channels_last = false;  // how images and filters lie: NHWC, else NCHW

  std::int64_t out_h() const { return (h + 2 * pad_h - r) / stride_h + 1; }
  std::int64_t out_w() const { return (w + 2 * pad_w - s) / stride_w + 1; }
};

struct ConvConstants {
  double gather = 1.2, gather_tensor = 1.5;  // implicit GEMM over a plain one: address arithmetic, smaller menu
  double window_cycles = 6,
         filter_window_cycles = 12;  // of one SM for each place of a tensor-core window; of a filter pass
  double backward_data = 1.1, backward_filter = 1.2;  // backward passes over the forward form
  double winograd_fused = 1.4, winograd_split = 1.2;  // products in the Winograd domain over plain ones
  double transform_share = 0.6;                       // share of the streaming rate of passes over images
  double filter_share = 0.3;                          // the same over filters: they are read in pieces of r s elements
  double zero_activity = 0.6;                         // switched energy with images of zeros over random ones
  double pass_us = 4;                                 // each further kernel
  double atomics_per_cycle = 0.6;                     // of one SM, when a backward pass adds columns to the image
  double fft = 1.5;                                   // complex products of an FFT over plain ones
};

/// Time of one convolution pass by the fastest algorithm of the library. Pure; assumes out_h(), out_w() >= 1.
KernelTime conv_time(const GpuDevice& device, const GpuConstants& constants, const ConvKernel& kernel,
                     const Timing& timing);

}  // namespace tilewright
