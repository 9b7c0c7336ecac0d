#include "arch_models/gpu/conv.hpp"

#include <algorithm>
#include <initializer_list>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// The product that an implicit-GEMM pass computes, for each group.
GemmKernel implicit_product(const ConvKernel& kernel) {
  const std::int64_t pixels = kernel.n * kernel.out_h() * kernel.out_w(), c = kernel.c / kernel.groups,
                     k = kernel.k / kernel.groups;
  // Elements of the gathered operand per stored element: each input is in r s / (stride_h stride_w) windows; a 1x1 filter with a stride skips inputs.
  const double overlap =
      static_cast<double>(kernel.r * kernel.s) / static_cast<double>(kernel.stride_h * kernel.stride_w);
  GemmKernel product;
  product.menu = kernel.phase == ConvPhase::backward_filter ? KernelMenu::implicit_split : KernelMenu::implicit;
  product.batch = kernel.groups;
  product.precision = kernel.precision;
  switch (kernel.phase) {
    case ConvPhase::forward:
      product.m = pixels, product.n = k, product.k = c * kernel.r * kernel.s;
      product.activation_reuse = std::max(1.0, overlap);
      break;
    case ConvPhase::backward_data:  // a strided pass multiplies the zeros between the pixels of the gradient
      product.m = kernel.n * kernel.h * kernel.w, product.n = c, product.k = k * kernel.r * kernel.s;
      product.activation_reuse = static_cast<double>(kernel.r * kernel.s * kernel.stride_h * kernel.stride_w);
      break;
    case ConvPhase::backward_filter:
      product.m = k, product.n = c * kernel.r * kernel.s, product.k = pixels;
      product.weight_reuse = std::max(1.0, overlap);
      break;
  }
  return product;
}

/// Products in a transform domain: `points` of them, over `tiles` tiles of the image.
GemmKernel transformed_product(const ConvKernel& kernel, std::int64_t points, std::int64_t tiles) {
  GemmKernel product;
  product.menu = KernelMenu::transformed;
  product.precision = kernel.precision;
  product.batch = points;
  switch (kernel.phase) {
    case ConvPhase::forward: product.m = tiles, product.n = kernel.k, product.k = kernel.c; break;
    case ConvPhase::backward_data: product.m = tiles, product.n = kernel.c, product.k = kernel.k; break;
    case ConvPhase::backward_filter: product.m = kernel.k, product.n = kernel.c, product.k = tiles; break;
  }
  return product;
}

/// Backward data as a product whose columns are added to the image with atomics: for few channels.
GemmKernel scatter_product(const ConvKernel& kernel) {
  GemmKernel product;
  product.menu = KernelMenu::implicit;
  product.precision = kernel.precision;
  product.batch = kernel.groups;
  product.m = kernel.n * kernel.out_h() * kernel.out_w();
  product.n = kernel.c / kernel.groups * kernel.r * kernel.s;
  product.k = kernel.k / kernel.groups;
  product.result_reuse = static_cast<double>(kernel.r * kernel.s);
  return product;
}

struct Evaluator {
  const GpuDevice& device;
  const GpuConstants& constants;
  const ConvKernel& kernel;
  const Timing& timing;
  double bytes_per_element;
  KernelTime best = {};

  double elements(double count) const { return count * bytes_per_element; }
  double input_bytes() const {
    return elements(static_cast<double>(kernel.n * kernel.c) * static_cast<double>(kernel.h * kernel.w));
  }
  double output_bytes() const {
    return elements(static_cast<double>(kernel.n * kernel.k) * static_cast<double>(kernel.out_h() * kernel.out_w()));
  }
  double filter_bytes() const {
    return elements(static_cast<double>(kernel.k * kernel.c) * static_cast<double>(kernel.r * kernel.s));
  }

  /// Keeps the algorithm when it is the fastest so far: products x factor, then `passes` further kernels that move `bytes`.
  void consider(std::string_view name, const GemmKernel& product, double factor, int passes, double bytes,
                double serial_s = 0) {
    KernelTime time = gemm_time(device, constants, product, timing);
    const double rate = device.dram_bandwidth.value * constants.conv.transform_share * device.trim.dram;
    const double reach =
        0.5 * device.l2_size.value;  // a pass that fits half of the L2 reads what the one before it wrote there
    const double moved = bytes / (1 + reach / (bytes + 1));
    const double extra = moved / rate + 1e-6 * constants.conv.pass_us * passes + serial_s;
    factor = std::max(1.0, factor / device.trim.conv);  // never above the rate of the product itself
    time.algorithm = name;
    time.compute = time.compute * factor;
    time.fixed = time.fixed + Seconds{extra};
    time.total = timing.floor + factor * time.kernel() + Seconds{extra};
    if (best.total.value == 0 || time.total < best.total) best = time;
  }
};

/// Winograd on m x m outputs: each tile has (m + r - 1)^2 points.
void consider_winograd(Evaluator& evaluator, std::int64_t m) {
  const ConvKernel& kernel = evaluator.kernel;
  const ConvConstants& fit = evaluator.constants.conv;
  const std::int64_t side = m + kernel.r - 1;
  const bool data = kernel.phase == ConvPhase::backward_data;
  const std::int64_t rows = data ? kernel.h : kernel.out_h(), columns = data ? kernel.w : kernel.out_w();
  const std::int64_t tiles = kernel.n * ceil_div(rows, m) * ceil_div(columns, m), points = side * side;
  GemmKernel product = transformed_product(kernel, points, tiles);
  const double growth = static_cast<double>(points) / static_cast<double>(m * m);
  if (m == 2) {  // one kernel transforms in shared memory: a block computes all points of its tiles in turn
    product.menu = KernelMenu::fused_winograd;
    product.batch = 1;
    product.k *= points;
    product.activation_reuse = growth;
    product.weight_reuse = static_cast<double>(points) / static_cast<double>(kernel.r * kernel.s);
    product.result_reuse = 0.25;  // 2 x 2 results of each tile
    evaluator.consider("fused Winograd F(2x2)", product, fit.winograd_fused, 0, 0);
  } else {  // transformed images go through memory: written by one kernel, read by the products, the results likewise
    const double inputs = evaluator.input_bytes() * (1 + growth), outputs = evaluator.output_bytes() * (1 + growth);
    const double filters =
        evaluator.filter_bytes() * (1 + static_cast<double>(points) / static_cast<double>(kernel.r * kernel.s));
    evaluator.consider("Winograd F(4x4)", product, fit.winograd_split, 3, inputs + outputs + filters);
  }
}

/// FFT over 32x32 tiles: 32 x 17 complex points, 8 real operations per complex multiply-add.
void consider_fft(Evaluator& evaluator) {
  constexpr std::int64_t side = 32, points = side * (side / 2 + 1);
  const ConvKernel& kernel = evaluator.kernel;
  const std::int64_t tiles =
      kernel.n * ceil_div(kernel.out_h(), side - kernel.r + 1) * ceil_div(kernel.out_w(), side - kernel.s + 1);
  GemmKernel product = transformed_product(kernel, points, tiles);
  product.k *= 4;                                       // a complex product is four real ones
  product.activation_reuse = product.weight_reuse = 2;  // of two stored numbers each
  const double per_tile = evaluator.elements(2.0 * points);
  const double images = static_cast<double>(tiles) * static_cast<double>(kernel.c + kernel.k) * per_tile;
  const double filters = static_cast<double>(kernel.c * kernel.k) * per_tile;
  evaluator.consider("FFT 32x32", product, evaluator.constants.conv.fft, 3,
                     images + filters + evaluator.input_bytes() + evaluator.output_bytes() + evaluator.filter_bytes());
}

}  // namespace

KernelTime conv_time(const GpuDevice& device, const GpuConstants& constants, const ConvKernel& kernel,
                     const Timing& timing) {
  const ConvConstants& fit = constants.conv;
  const StackProfile& stack = stack_profile(timing.stack);
  const bool tensor_format = math_peak(device, kernel.precision, stack.legacy_library).unit == MathUnit::tensor;
  // Tensor-core kernels load 16 bytes along the channels; others run on the CUDA cores (cuDNN developer guide).
  const std::int64_t channels = static_cast<std::int64_t>(16 / element_bytes(kernel.precision).activation);
  const bool tensor =
      tensor_format && (kernel.c / kernel.groups) % channels == 0 && (kernel.k / kernel.groups) % channels == 0;
  ConvKernel run = kernel;
  if (tensor_format && !tensor)
    run.precision = kernel.precision == GpuPrecision::tf32 ? GpuPrecision::fp32 : GpuPrecision::fp16_fp32math;
  Evaluator evaluator{device, constants, run, timing, element_bytes(run.precision).activation};

  const double pass = kernel.phase == ConvPhase::forward         ? 1
                      : kernel.phase == ConvPhase::backward_data ? fit.backward_data
                                                                 : fit.backward_filter;
  // Tensor-core kernels want channels last: NCHW tensors are transposed in and out, except for 1x1 filters (plain products of the image planes).
  const bool transposed = tensor && kernel.r * kernel.s > 1;
  evaluator.consider("implicit GEMM", implicit_product(run), pass * (tensor ? fit.gather_tensor : fit.gather),
                     transposed ? 2 : 0, transposed ? 2 * (evaluator.input_bytes() + evaluator.output_bytes()) : 0);
  if (kernel.phase == ConvPhase::backward_data && !tensor) {
    const GemmKernel scatter = scatter_product(run);
    const double atomics = static_cast<double>(scatter.batch * scatter.m) * static_cast<double>(scatter.n);
    const double rate = fit.atomics_per_cycle * static_cast<double>(device.sms) * device.boost.value;
    evaluator.consider("scattering GEMM", scatter, fit.gather, 1, 0, atomics / rate);
  }
  const bool dense = kernel.groups == 1 && kernel.stride_h == 1 && kernel.stride_w == 1;
  if (dense && !tensor && run.precision != GpuPrecision::int8) {
    const bool square = kernel.r == kernel.s;
    if (square && kernel.r == 3 && kernel.phase != ConvPhase::backward_filter) consider_winograd(evaluator, 2);
    if (square && (kernel.r == 3 || kernel.r == 5)) consider_winograd(evaluator, 4);
    if (kernel.r * kernel.s > 1 && kernel.r < 32 && kernel.s < 32) consider_fft(evaluator);
  }
  return evaluator.best;
}

}  // namespace tilewright
