// Kernels of the libraries of 2024 and later, and of Hopper.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "arch_models/gpu/constants.hpp"
#include "tests/arch_models/round_chip.hpp"

using namespace tilewright;

namespace {

constexpr Timing profiled{Stack::profiler, Seconds{0}};
constexpr Timing eager{Stack::pytorch_eager, Seconds{0}};

KernelTime gemm(const GpuDevice& device, const GemmKernel& kernel) {
  return gemm_time(device, initial_constants(), kernel, profiled);
}
KernelTime conv(const GpuDevice& device, const ConvKernel& kernel, Stack stack = Stack::profiler) {
  return conv_time(device, initial_constants(), kernel, {stack, Seconds{0}});
}
KernelTime rows(VectorOp op, std::int64_t count, std::int64_t columns, GpuPrecision precision, const Timing& timing) {
  return vector_time(round_chip(9.0), initial_constants(), {op, count, columns, 1, precision}, timing);
}

}  // namespace

TEST_CASE("gpu: batches of small fp32 products take small tiles on Hopper, 128 x 128 on Ampere") {
  const GemmKernel kernel{.batch = 44, .m = 148, .n = 20, .k = 224, .strided_batch = true};
  const KernelTime ampere = gemm(round_chip(8.0), kernel), hopper = gemm(round_chip(9.0), kernel);
  REQUIRE(ampere.tile_m * ampere.tile_n == 128 * 128);
  REQUIRE(hopper.tile_n == 32);
  REQUIRE(hopper.total < ampere.total);
}

TEST_CASE("gpu: the weights of up to four rows in fp32 are streamed") {
  GemmKernel kernel{.n = 4096, .k = 4096};
  for (kernel.m = 1; kernel.m <= 4; ++kernel.m) {
    const double least = 2.0 * static_cast<double>(kernel.m) * 4096 * 4096 / 12.8e12;
    REQUIRE(gemm(round_chip(8.0), kernel).compute.value == Approx(least));
  }
  kernel.m = 5;
  REQUIRE(gemm(round_chip(8.0), kernel).compute.value > 2 * 2.0 * 5 * 4096 * 4096 / 12.8e12);
  // libraries before CUDA 11 and batched products of more than one row have no such kernel
  kernel.m = 4;
  const double least = 2.0 * 4 * 4096 * 4096 / 12.8e12;
  REQUIRE(gemm_time(round_chip(8.0), initial_constants(), kernel, {Stack::library_loop, Seconds{0}}).compute.value >
          2 * least);
  kernel.batch = 8, kernel.strided_batch = true;
  REQUIRE(gemm(round_chip(8.0), kernel).compute.value > 2 * 8 * least);
}

TEST_CASE("gpu: an fp8 product alone has no passes around it and may split its sum") {
  GemmKernel layer{.m = 128, .n = 128, .k = 131072};
  layer.precision = GpuPrecision::fp8;
  GemmKernel alone = layer;
  alone.quantises = false;
  const KernelTime with = gemm(round_chip(9.0), layer), without = gemm(round_chip(9.0), alone);
  REQUIRE(with.split == 1);
  REQUIRE(without.split > 1);
  REQUIRE(with.fixed.value > 1e-6 * initial_constants().gemm.scale_us);
  REQUIRE(without.total < with.total);
}

TEST_CASE("gpu: Hopper's kernels write results under the next tile, the last turn's are left") {
  GemmKernel kernel{.batch = 32, .m = 2048, .n = 2048, .k = 128};
  kernel.precision = GpuPrecision::bf16;
  const GpuDevice device = round_chip(9.0);
  const KernelTime time = gemm(device, kernel);
  REQUIRE(time.split == 1);
  const double results =
      initial_constants().gemm.epilogue * 32 * 2048.0 * 2048 * 2 / (l2_bytes_per_sm_cycle(device) * 100 * 1e9);
  REQUIRE(time.waves > 2);
  REQUIRE(time.fixed.value == Approx(results / std::ceil(time.waves)));
}

TEST_CASE("gpu: tensor-core convolutions of NCHW tensors convert all three of them and back, channels last none") {
  ConvKernel kernel{.n = 8, .c = 64, .h = 28, .w = 28, .k = 128, .r = 3, .s = 3, .pad_h = 1, .pad_w = 1};
  kernel.precision = GpuPrecision::fp16;
  const GpuDevice device = round_chip(8.0);
  const double image = 2.0 * 8 * 64 * 28 * 28, filter = 2.0 * 128 * 64 * 9, result = 2.0 * 8 * 128 * 28 * 28;
  const auto pass = [&](double bytes) { return stream_time(device, initial_constants().vector, bytes, bytes).seconds; };
  const double launch = 1e-6 * initial_constants().conv.pass_us;
  const auto conversions = [&](Stack stack) {
    ConvKernel last = kernel;
    last.channels_last = true;
    return conv(device, kernel, stack).fixed.value - conv(device, last, stack).fixed.value;
  };
  REQUIRE(conversions(Stack::profiler) == Approx(3 * launch + pass(2 * (image + filter + result))));
  REQUIRE(conversions(Stack::library_loop) ==
          Approx(launch + pass(2 * image)));  // before CUDA 11 the gathered tensor alone
  kernel.r = kernel.s = 1, kernel.pad_h = kernel.pad_w = 0;
  REQUIRE(conversions(Stack::profiler) == 0);  // a plain product of the image planes
  kernel.stride_h = kernel.stride_w = 2;
  REQUIRE(conversions(Stack::profiler) > 3 * launch);
}

TEST_CASE("gpu: fp32 convolutions run Winograd up to Ampere, on Hopper in filter passes alone") {
  ConvKernel kernel{.n = 32, .c = 128, .h = 28, .w = 28, .k = 128, .r = 3, .s = 3, .pad_h = 1, .pad_w = 1};
  const auto is_winograd = [](const KernelTime& time) { return time.algorithm.find("Winograd") != std::string::npos; };
  for (const ConvPhase phase : {ConvPhase::forward, ConvPhase::backward_data}) {
    kernel.phase = phase;
    REQUIRE(is_winograd(conv(round_chip(8.0), kernel)));
    REQUIRE_FALSE(is_winograd(conv(round_chip(9.0), kernel)));
  }
  kernel.phase = ConvPhase::backward_filter;
  kernel.c = kernel.k = 512, kernel.h = kernel.w = 14;
  REQUIRE(is_winograd(conv(round_chip(9.0), kernel)));
}

TEST_CASE(
    "gpu: softmax of PyTorch 2.11 reads rows once up to nine values a thread of a block, 2.1 up to a warp's "
    "registers") {
  const auto passes = [](std::int64_t columns, const Timing& timing) {
    return rows(VectorOp::softmax, 64, columns, GpuPrecision::fp32, timing).work.operations /
           (64 * static_cast<double>(columns));
  };
  REQUIRE(passes(1024, eager) == 1);
  REQUIRE(passes(1025, eager) == 3);
  REQUIRE(passes(2048, profiled) == 1);
  REQUIRE(passes(9 * 1024, profiled) == 1);
  REQUIRE(passes(9 * 1024 + 1, profiled) == 3);
  // The block's loads are on their way at once: one step, however long the row.
  const VectorConstants& fit = initial_constants().vector;
  REQUIRE(rows(VectorOp::softmax, 64, 8192, GpuPrecision::fp32, profiled).compute.value ==
          Approx(1e-6 * (fit.softmax_row_us + fit.softmax_step_us)));
}

TEST_CASE("gpu: layer norm loads four elements a thread in every number format") {
  const auto blocks = [](std::int64_t columns, GpuPrecision precision, const Timing& timing) {
    return rows(VectorOp::layernorm, 64, columns, precision, timing).compute.value;
  };
  const VectorConstants& fit = initial_constants().vector;
  for (const GpuPrecision precision : {GpuPrecision::fp32, GpuPrecision::fp16}) {
    REQUIRE(blocks(512, precision, profiled) == Approx(1e-6 * (fit.norm_row_us + 2 * fit.norm_step_us)));
    REQUIRE(blocks(513, precision, profiled) == Approx(1e-6 * (fit.norm_row_us + 4 * fit.norm_step_us)));
  }
  // 56 registers a thread leave 9 blocks of 128 on an SM, 39 leave 13 and 32 leave 16.
  REQUIRE(rows(VectorOp::layernorm, 64, 512, GpuPrecision::fp32, eager).resident == 9);
  REQUIRE(rows(VectorOp::layernorm, 64, 512, GpuPrecision::fp32, profiled).resident == 13);
  REQUIRE(rows(VectorOp::layernorm, 64, 512, GpuPrecision::fp16, profiled).resident == 16);
}
