#include "arch_models/gpu/conv.hpp"

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

/// The product that an implicit-GEMM pass computes, for one group.
GemmKernel product_of(const ConvKernel& kernel) {
  const std::int64_t pixels = kernel.n * kernel.out_h() * kernel.out_w(), c = kernel.c / kernel.groups,
                     k = kernel.k / kernel.groups, window = kernel.r * kernel.s;
  GemmKernel product;
  product.batch = kernel.groups;
  product.precision = kernel.precision;
  switch (kernel.phase) {
    case ConvPhase::forward:
      product.m = pixels, product.n = k, product.k = c * window;
      break;
    case ConvPhase::backward_data:
      product.m = kernel.n * kernel.h * kernel.w, product.n = c, product.k = k * window;
      break;
    case ConvPhase::backward_filter:
      product.m = k, product.n = c * window, product.k = pixels;
      break;
  }
  return product;
}

}  // namespace

KernelTime conv_time(const GpuDevice& device, const GpuConstants& constants, const ConvKernel& kernel, const Timing& timing) {
  KernelTime time = gemm_time(device, constants, product_of(kernel), timing);
  time.algorithm = "implicit GEMM";
  time.total = timing.floor + constants.conv.gather * time.kernel();
  return time;
}

}  // namespace tilewright
