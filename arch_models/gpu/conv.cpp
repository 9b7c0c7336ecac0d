#include "arch_models/gpu/conv.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t narrowest_tile = 32;  // columns: with fewer channels the kernels leave theirs empty

/// The product that an implicit-GEMM pass computes, for each group.
GemmKernel implicit_product(const GpuDevice& device, const ConvKernel& kernel) {
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
    case ConvPhase::backward_data: {
      // A strided pass skips rows of zeros between the pixels of the gradient, and multiplies those within a row. The kernels with 32 columns did
      // not before Volta.
      const bool skips = device.compute_capability >= 7 || c > narrowest_tile;
      const std::int64_t skipped = skips ? std::min(kernel.r, kernel.stride_h) : 1;
      product.m = kernel.n * (skips ? ceil_div(kernel.h * skipped, kernel.stride_h) : kernel.h) * kernel.w,
      product.n = c;
      product.k = ceil_div(k * kernel.r * kernel.s, skipped);
      product.activation_reuse = static_cast<double>(kernel.r * kernel.s * kernel.stride_h * kernel.stride_w);
      break;
    }
    case ConvPhase::backward_filter:
      product.m = k, product.n = c * kernel.r * kernel.s, product.k = pixels;
      product.weight_reuse = std::max(1.0, overlap);
      break;
  }
  return product;
}

/// A 1 x 1 filter over channels-first tensors: a plain product for each image, whose planes are its rows. A filter pass leaves one result for each
/// image, which a further kernel adds up.
GemmKernel image_product(const ConvKernel& kernel) {
  GemmKernel product;
  product.batch = kernel.n;
  product.strided_batch = true;
  product.precision = kernel.precision;
  const std::int64_t pixels = kernel.out_h() * kernel.out_w();
  switch (kernel.phase) {
    case ConvPhase::forward: product.m = kernel.k, product.n = pixels, product.k = kernel.c; break;
    case ConvPhase::backward_data: product.m = kernel.c, product.n = pixels, product.k = kernel.k; break;
    case ConvPhase::backward_filter: product.m = kernel.k, product.n = kernel.c, product.k = pixels; break;
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

/// What an algorithm runs besides its products.
struct FurtherKernels {
  int count = 0;
  double image_bytes = 0, filter_bytes = 0;  // moved by passes that transform images and filters
  double layout_bytes = 0;                   // moved by passes that only reorder
  double serial_s = 0;
  double at_least_s = 0;  // gathering that no arithmetic hides
};

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

  /// Passes that move `bytes`. What fits the L2 is read where the pass before it wrote it.
  StreamTime pass(double bytes) const {
    return bytes > 0 ? stream_time(device, constants.vector, bytes, bytes) : StreamTime{};
  }
  /// Their seconds at a share of the streaming rates.
  double pass_seconds(double bytes, double share) const { return pass(bytes).seconds / (share * device.trim.dram); }

  /// Keeps the algorithm when it is the fastest so far: products x factor, and further kernels.
  void consider(std::string_view name, const GemmKernel& product, double factor, const FurtherKernels& further) {
    const ConvConstants& fit = constants.conv;
    GemmKernel switching = product;
    // NeuSight measured the convolutions of the eager tables on images of zeros.
    if (timing.stack == Stack::pytorch_eager) switching.useful *= fit.zero_activity;
    KernelTime time = gemm_time(device, constants, switching, timing);
    const double extra = pass_seconds(further.image_bytes, fit.transform_share) +
                         pass_seconds(further.filter_bytes, fit.filter_share) + pass_seconds(further.layout_bytes, 1) +
                         1e-6 * fit.pass_us * further.count + further.serial_s;
    factor = std::max(1.0, factor / device.trim.conv);  // never above the rate of the product itself
    time.algorithm = name;
    time.compute = time.compute * factor;
    time.fixed = time.fixed + Seconds{extra};
    for (const double bytes : {further.image_bytes, further.filter_bytes, further.layout_bytes}) {
      time.work.l2_bytes += bytes;
      time.work.dram_bytes += pass(bytes).dram_bytes;
    }
    time.total = timing.floor + std::max(factor * time.kernel(), Seconds{further.at_least_s}) + Seconds{extra};
    if (best.total.value == 0 || time.total < best.total) best = time;
  }
};

/// Blocks of a fused F(2x2, 3x3) kernel over the images: 32 tiles of 2 x 2 results each, shared by images, rows and columns in the ways that cuDNN's
/// kernels of the generation are named after (tile148: 1 image x 4 rows x 8 columns of tiles).
std::int64_t fused_blocks(const GpuDevice& device, std::int64_t images, std::int64_t rows, std::int64_t columns) {
  struct Share {
    std::int64_t images, rows, columns;
  };
  static constexpr std::array pascal{Share{1, 4, 8}, Share{2, 4, 4}, Share{4, 1, 8}, Share{4, 2, 4}};
  static constexpr std::array volta{Share{1, 4, 8}};
  static constexpr std::array ampere{Share{1, 4, 8}, Share{4, 4, 2}};
  const std::span<const Share> shares = device.compute_capability < 7   ? std::span<const Share>(pascal)
                                        : device.compute_capability < 8 ? std::span<const Share>(volta)
                                                                        : std::span<const Share>(ampere);
  std::int64_t least = 0;
  for (const Share& share : shares) {
    const std::int64_t blocks =
        ceil_div(images, share.images) * ceil_div(rows, 2 * share.rows) * ceil_div(columns, 2 * share.columns);
    if (least == 0 || blocks < least) least = blocks;
  }
  return least;
}

/// One kernel transforms 4 x 4 patches in shared memory and multiplies at all 16 points: a block of 32 tiles and 32 filters holds 128 x 128 sums.
void consider_fused_winograd(Evaluator& evaluator) {
  const ConvKernel& kernel = evaluator.kernel;
  const bool data = kernel.phase == ConvPhase::backward_data;
  const std::int64_t rows = data ? kernel.h : kernel.out_h(), columns = data ? kernel.w : kernel.out_w();
  const std::int64_t inner = data ? kernel.k : kernel.c, outer = data ? kernel.c : kernel.k;
  GemmKernel product;
  product.menu = KernelMenu::fused_winograd;
  product.precision = kernel.precision;
  product.m = 128 * fused_blocks(evaluator.device, kernel.n, rows, columns);
  product.n = 128 * ceil_div(outer, 32);
  product.k = inner;
  product.useful = static_cast<double>(kernel.n * ceil_div(rows, 2) * ceil_div(columns, 2)) * 4 /
                   static_cast<double>(product.m) * static_cast<double>(outer) * 4 / static_cast<double>(product.n);
  const auto reuse = [&](std::int64_t a, std::int64_t b, double stored) {
    return static_cast<double>(a) * static_cast<double>(b) * evaluator.bytes_per_element / stored;
  };
  product.activation_reuse = reuse(product.m, product.k, data ? evaluator.output_bytes() : evaluator.input_bytes());
  product.weight_reuse = reuse(product.n, product.k, evaluator.filter_bytes() * 16 / 9);
  product.result_reuse = reuse(product.m, product.n, data ? evaluator.input_bytes() : evaluator.output_bytes());
  evaluator.consider("fused Winograd F(2x2)", product, evaluator.constants.conv.winograd_fused,
                     {.count = 1, .filter_bytes = evaluator.filter_bytes() * (1 + 16.0 / 9)});
}

/// Winograd on 4 x 4 results in kernels of their own: transformed images go through memory, written by one kernel, read by the products, the results
/// likewise. Each tile has (4 + r - 1)^2 points.
void consider_winograd(Evaluator& evaluator) {
  constexpr std::int64_t m = 4;
  const ConvKernel& kernel = evaluator.kernel;
  const std::int64_t side = m + kernel.r - 1;
  const bool data = kernel.phase == ConvPhase::backward_data;
  const std::int64_t rows = data ? kernel.h : kernel.out_h(), columns = data ? kernel.w : kernel.out_w();
  const std::int64_t tiles = kernel.n * ceil_div(rows, m) * ceil_div(columns, m), points = side * side;
  const GemmKernel product = transformed_product(kernel, points, tiles);
  const double images = static_cast<double>(tiles * points) * static_cast<double>(kernel.c + kernel.k);
  const double filters = static_cast<double>(kernel.k * kernel.c) * static_cast<double>(points);
  evaluator.consider("Winograd F(4x4)", product, evaluator.constants.conv.winograd_split,
                     {.count = 3,
                      .image_bytes = evaluator.elements(images) + evaluator.input_bytes() + evaluator.output_bytes(),
                      .filter_bytes = evaluator.elements(filters) + evaluator.filter_bytes()});
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
  evaluator.consider("FFT 32x32", product, evaluator.constants.conv.fft,
                     {.count = 3,
                      .image_bytes = images + evaluator.input_bytes() + evaluator.output_bytes(),
                      .filter_bytes = filters + evaluator.filter_bytes()});
}

}  // namespace

KernelTime conv_time(const GpuDevice& device, const GpuConstants& constants, const ConvKernel& kernel,
                     const Timing& timing) {
  const ConvConstants& fit = constants.conv;
  const StackProfile& stack = stack_profile(timing.stack);
  const bool tensor_format = math_peak(device, kernel.precision, stack.legacy_library).unit == MathUnit::tensor;
  // Tensor-core kernels load 16 bytes along the channels (cuDNN developer guide). Channels of 16 bits are padded to that, by cuDNN from 7.6.3 on and by
  // DeepBench itself, those of 8 bits by the layout NHWC that they need. Groups and formats of 32 bits that do not fill 16 bytes run on the CUDA cores.
  const auto channels = static_cast<std::int64_t>(16 / element_bytes(kernel.precision).activation);
  ConvKernel run = kernel;
  if (tensor_format && kernel.groups == 1 && channels >= 8) {
    run.c = channels * ceil_div(kernel.c, channels);
    run.k = channels * ceil_div(kernel.k, channels);
  }
  const bool tensor = tensor_format && (run.c / run.groups) % channels == 0 && (run.k / run.groups) % channels == 0;
  if (tensor_format && !tensor)
    run.precision = kernel.precision == GpuPrecision::tf32 ? GpuPrecision::fp32 : GpuPrecision::fp16_fp32math;
  Evaluator evaluator{device, constants, run, timing, element_bytes(run.precision).activation};

  const double pass = kernel.phase == ConvPhase::forward         ? 1
                      : kernel.phase == ConvPhase::backward_data ? fit.backward_data
                                                                 : fit.backward_filter;
  // Tensor-core kernels gather from channels last. Of NCHW tensors libraries before CUDA 11 transpose the one that is gathered, newer ones all three
  // (nchwToNhwcKernel of image and filter, nhwcToNchwKernel of the result); 1x1 filters without a stride are plain products of the image planes.
  const bool plain = kernel.r * kernel.s == 1 && (stack.legacy_library || kernel.stride_h * kernel.stride_w == 1);
  const bool transposed = tensor && !kernel.channels_last && !plain;
  const double gathered = kernel.phase == ConvPhase::backward_data ? evaluator.output_bytes() : evaluator.input_bytes();
  const double all = evaluator.input_bytes() + evaluator.output_bytes() + evaluator.filter_bytes();
  // In libraries before CUDA 11 every place of a window costs its address arithmetic and a load of its own, however few its channels are.
  const double places =
      static_cast<double>(run.n * run.out_h() * run.out_w()) * static_cast<double>(run.r * run.s * run.groups);
  const double atomic_rate = fit.atomics_per_cycle * static_cast<double>(device.sms) * device.boost.value;
  // The filter passes of CUDA cores add their parts to the result with atomics (CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 and 3).
  const double sums_s = kernel.phase == ConvPhase::backward_filter && !tensor
                            ? evaluator.filter_bytes() / evaluator.bytes_per_element / atomic_rate
                            : 0;
  const double gather_s =
      tensor && stack.legacy_library
          ? places * (kernel.phase == ConvPhase::backward_filter ? fit.filter_window_cycles : fit.window_cycles) /
                (static_cast<double>(device.sms) * device.boost.value)
          : 0;
  GemmKernel product = implicit_product(device, run);
  FurtherKernels further{.count = !transposed            ? 0
                                  : stack.legacy_library ? 1
                                                         : 3,
                         .layout_bytes = transposed ? 2 * (stack.legacy_library ? gathered : all) : 0,
                         .serial_s = sums_s,
                         .at_least_s = gather_s};
  if (tensor && !kernel.channels_last && plain && run.groups == 1 && !stack.legacy_library) {
    product = image_product(run);
    if (kernel.phase == ConvPhase::backward_filter) {
      further.count = 1;
      further.layout_bytes = static_cast<double>(run.n + 1) * evaluator.filter_bytes();
    }
  }
  evaluator.consider("implicit GEMM", product, pass * (tensor ? fit.gather_tensor : fit.gather), further);
  if (kernel.phase == ConvPhase::backward_data && !tensor && kernel.c / kernel.groups < narrowest_tile) {
    const GemmKernel scatter = scatter_product(run);
    const double atomics = static_cast<double>(scatter.batch * scatter.m) * static_cast<double>(scatter.n);
    evaluator.consider("scattering GEMM", scatter, fit.gather, {.count = 1, .serial_s = atomics / atomic_rate});
  }
  const bool dense = kernel.groups == 1 && kernel.stride_h == 1 && kernel.stride_w == 1;
  if (dense && !tensor && run.precision != GpuPrecision::int8) {
    const bool square = kernel.r == kernel.s, filter_pass = kernel.phase == ConvPhase::backward_filter;
    // cuDNN's fused Winograd kernels are machine code up to Ampere and do not run on Hopper, where it keeps the transformed products for filter passes.
    const bool winograd = device.compute_capability < 9 || filter_pass;
    if (winograd && square && kernel.r == 3 && !filter_pass) consider_fused_winograd(evaluator);
    if (winograd && square && (kernel.r == 3 || kernel.r == 5)) consider_winograd(evaluator);
    if (kernel.r * kernel.s > 1 && kernel.r < 32 && kernel.s < 32) consider_fft(evaluator);
  }
  return evaluator.best;
}

}  // namespace tilewright
