#include <catch2/catch.hpp>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/library.hpp"
#include "arch_models/load.hpp"
#include "tests/arch_models/problems.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

/// One lowered layer of a graph with just that layer.
std::vector<Kernel> lowered(Operator work, std::vector<std::vector<std::int64_t>> inputs,
                            std::vector<std::int64_t> result, DataType type = DataType::fp16,
                            std::vector<Epilogue> epilogues = {}) {
  WorkloadGraph graph;
  graph.source = "built in the test";
  Layer layer;
  layer.name = "layer";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    graph.tensors.push_back(
        {"t" + std::to_string(i), inputs[i], type, i == 0 ? TensorKind::input : TensorKind::weight});
    layer.inputs.push_back(static_cast<TensorId>(i));
  }
  graph.tensors.push_back({"y", std::move(result), type, TensorKind::activation});
  layer.outputs = {static_cast<TensorId>(inputs.size())};
  layer.work = std::move(work);
  layer.epilogues = std::move(epilogues);
  return lower(graph, layer);
}

LibraryKernel only(const std::vector<Kernel>& kernels) {
  const auto found = library_kernels(kernels, TensorFormat::channels_last);
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().first == 0);
  CHECK(found->front().last == kernels.size());
  return found->front();
}

}  // namespace

TEST_CASE("a convolution with fused work is one launch of the library with its sizes, strides and padding") {
  // 56 x 56 to 28 x 28, 3 x 3 filters, stride 2, a residual of the result's size
  const Window axis{56, 28, 3, 2, 1};
  const auto kernels = lowered(Conv{2, 1, 64, 128, {axis, axis}}, {{2, 64, 56, 56}, {128, 64, 3, 3}}, {2, 128, 28, 28},
                               DataType::fp16, {{"Add", 1, 2 * 128 * 28 * 28}, {"Relu", 1, 0}});
  REQUIRE(kernels.size() == 3);
  const LibraryKernel kernel = only(kernels);
  const auto& conv = std::get<ConvKernel>(kernel.kernel);
  CHECK(conv.phase == ConvPhase::forward);
  CHECK(std::vector{conv.n, conv.c, conv.k, conv.r, conv.s} == std::vector<std::int64_t>{2, 64, 128, 3, 3});
  CHECK(std::vector{conv.stride_h, conv.stride_w, conv.pad_h, conv.pad_w} == std::vector<std::int64_t>{2, 2, 1, 1});
  CHECK(conv.out_h() == 28);
  CHECK(conv.out_w() == 28);
  CHECK(conv.precision == GpuPrecision::fp16);
  CHECK(kernel.epilogue_bytes == 2 * 2 * 128 * 28 * 28);
}

TEST_CASE("depthwise, one-dimensional and transposed convolutions keep their meaning") {
  const Window axis{30, 30, 3, 1, 1};
  const auto depth = std::get<ConvKernel>(
      only(lowered(Conv{1, 32, 32, 32, {axis, axis}}, {{1, 32, 30, 30}, {32, 1, 3, 3}}, {1, 32, 30, 30})).kernel);
  CHECK(depth.groups == 32);
  CHECK(depth.c == 32);
  CHECK(depth.k == 32);
  const auto line =
      std::get<ConvKernel>(only(lowered(Conv{4, 1, 8, 16, {axis}}, {{4, 8, 30}, {16, 8, 3}}, {4, 16, 30})).kernel);
  CHECK(line.out_h() == 1);
  CHECK(line.out_w() == 30);
  // 2 x 2 filters, stride 2: 16 x 16 inputs with 64 channels become 32 x 32 results with 32
  const Window up{16, 32, 2, 2, 1};
  const auto transposed = std::get<ConvKernel>(
      only(lowered(ConvTranspose{1, 1, 64, 32, {up, up}}, {{1, 64, 16, 16}, {64, 32, 2, 2}}, {1, 32, 32, 32})).kernel);
  CHECK(transposed.phase == ConvPhase::backward_data);
  CHECK(transposed.c == 32);
  CHECK(transposed.k == 64);
  CHECK(transposed.out_h() == 16);
}

TEST_CASE("products carry batch, weights on either side, and the formats of both operands") {
  const auto linear =
      std::get<GemmKernel>(only(lowered(MatMul{{}, 512, 1024, 256}, {{512, 256}, {256, 1024}}, {512, 1024})).kernel);
  CHECK(std::vector{linear.batch, linear.m, linear.n, linear.k} == std::vector<std::int64_t>{1, 512, 1024, 256});
  CHECK(!linear.strided_batch);
  Problem swapped =
      product(512, 1024, 256, DataType::fp16);  // weights first: their rows are the columns of the product
  std::swap(swapped.operands[0].role, swapped.operands[1].role);
  const std::vector<Kernel> turned{{swapped}};
  const auto gemm = std::get<GemmKernel>(only(turned).kernel);
  CHECK(gemm.m == 1024);
  CHECK(gemm.n == 512);

  Problem mixed = product(16, 32, 64, DataType::fp16);
  const auto precision_with = [&](DataType weights) -> std::optional<GpuPrecision> {
    mixed.operands[1].type = weights;
    const std::vector<Kernel> kernels{{mixed}};
    const auto found = library_kernels(kernels, TensorFormat::channels_last);
    return found ? std::optional(std::get<GemmKernel>(found->front().kernel).precision) : std::nullopt;
  };
  CHECK(precision_with(DataType::fp16) == GpuPrecision::fp16);
  CHECK(precision_with(DataType::int8) == GpuPrecision::w8a16);
  CHECK(precision_with(DataType::int4) == GpuPrecision::w4a16);
  CHECK(precision_with(DataType::int1) == std::nullopt);
}

TEST_CASE("fused attention, recurrent layers, softmax, norms and the rest go to their kernels") {
  const auto prefill =
      std::get<AttentionKernel>(only(lowered(Attention{2, 8, 8, 256, 256, 64, true},
                                             {{2, 256, 512}, {2, 256, 512}, {2, 256, 512}}, {2, 256, 512}))
                                    .kernel);
  CHECK(prefill.batch * prefill.kv_heads == 16);
  CHECK(prefill.queries == 256);
  CHECK(prefill.keys == 256);
  CHECK(prefill.causal);
  const LibraryKernel causal = only(
      lowered(Attention{2, 8, 2, 256, 256, 64, true}, {{2, 256, 512}, {2, 256, 128}, {2, 256, 128}}, {2, 256, 512}));
  const auto grouped = std::get<AttentionKernel>(causal.kernel);
  CHECK(grouped.causal);
  CHECK(grouped.queries == 256);
  CHECK(grouped.heads == 4);  // of one key head
  CHECK(grouped.batch == 4);
  CHECK(causal.computed == Approx(257.0 / 512));  // query i sees i keys of 256: 256 x 257 / 2 pairs
  const LibraryKernel whole = only(
      lowered(Attention{2, 8, 8, 256, 256, 64, false}, {{2, 256, 512}, {2, 256, 512}, {2, 256, 512}}, {2, 256, 512}));
  CHECK_FALSE(std::get<AttentionKernel>(whole.kernel).causal);
  CHECK(whole.computed == 1);
  // a prompt behind a cache: every query sees all cached keys, nothing is left out
  const LibraryKernel later =
      only(lowered(Attention{2, 8, 8, 64, 256, 64, true}, {{2, 64, 512}, {2, 256, 512}, {2, 256, 512}}, {2, 64, 512}));
  CHECK_FALSE(std::get<AttentionKernel>(later.kernel).causal);
  const auto decode = std::get<AttentionKernel>(
      only(lowered(Attention{4, 32, 8, 1, 2048, 128, false}, {{4, 4096}, {4, 2048, 1024}, {4, 2048, 1024}}, {4, 4096}))
          .kernel);
  CHECK(decode.queries == 1);
  CHECK(decode.heads == 4);  // of one key head
  CHECK(decode.batch == 32);

  const auto lstm = only(lowered(Recurrent{Cell::lstm, 25, 8, 512, 512, 2},
                                 {{25, 8, 512}, {2, 2048, 512}, {2, 2048, 512}}, {25, 2, 8, 512}));
  CHECK(lstm.launches == 2);  // directions
  const auto& cell = std::get<RecurrentKernel>(lstm.kernel);
  CHECK(cell.cell == RecurrentCell::lstm);
  CHECK(std::vector{cell.hidden, cell.batch, cell.steps} == std::vector<std::int64_t>{512, 8, 25});

  const auto op_of = [](const LibraryKernel& kernel) { return std::get<VectorKernel>(kernel.kernel).op; };
  CHECK(op_of(only(lowered(RowWise{64, 1000, 2, 5}, {{64, 1000}}, {64, 1000}))) == VectorOp::softmax);
  CHECK(op_of(only(lowered(RowWise{64, 1000, 2, 7}, {{64, 1000}, {1000}, {1000}}, {64, 1000}))) == VectorOp::layernorm);
  const auto gather = only(lowered(Gather{128, 64, 5000}, {{5000, 64}, {128}}, {128, 64}));
  CHECK(std::get<VectorKernel>(gather.kernel).cols * 8 >= 2 * 128 * 64 * 2);
}

TEST_CASE("eager PyTorch converts images for tensor cores, an engine pools without index arithmetic") {
  const Chip chip = load_chip("a100-sxm4-80gb");
  const auto seconds = [&](const std::vector<Kernel>& kernels, const char* stack) {
    const auto launches = gpu_library(chip, kernels, *find_stack(stack));
    REQUIRE(launches);
    return launches->front().busy.value;
  };
  const Window axis{28, 28, 3, 1, 1}, half{56, 28, 2, 2, 1};
  const auto conv =
      lowered(Conv{16, 1, 256, 256, {axis, axis}}, {{16, 256, 28, 28}, {256, 256, 3, 3}}, {16, 256, 28, 28});
  CHECK(seconds(conv, "pytorch") > seconds(conv, "profiler"));
  CHECK(seconds(conv, "tensorrt") == seconds(conv, "profiler"));
  const auto pool = lowered(Pool{16, 256, {half, half}}, {{16, 256, 56, 56}}, {16, 256, 28, 28});
  CHECK(seconds(pool, "tensorrt") < seconds(pool, "profiler"));
  CHECK(seconds(pool, "pytorch") == seconds(pool, "profiler"));
}

TEST_CASE("library launches are never faster than their operands once over the memory, and carry the device's trim") {
  for (const char* name : {"a100-sxm4-80gb", "l4", "t4", "v100-sxm2-16gb", "h100-sxm5-80gb", "a100-pcie-40gb"}) {
    const Chip chip = load_chip(name);
    const double bandwidth = gpu_device_of(chip).dram_bandwidth.value;
    for (const std::int64_t n : {1, 64, 4096, 16384}) {
      const std::vector<Kernel> kernels{{product(n, 4096, 4096, DataType::fp16)}, {elementwise(n * 4096, 1)}};
      const auto launches = gpu_library(chip, kernels, default_stack());
      REQUIRE(launches);
      REQUIRE(launches->size() == 2);
      const double weights = 2.0 * (static_cast<double>(n) * 8192 + 4096.0 * 4096);
      CHECK((*launches)[0].busy.value >= weights / bandwidth);
      CHECK((*launches)[1].busy.value >= 8.0 * static_cast<double>(n) * 4096 / bandwidth);
      for (const LibraryLaunch& launch : *launches) {
        for (const auto& [limit, time] : launch.limits) CHECK(time.value <= launch.busy.value * (1 + 1e-12));
        CHECK(launch.clock <= 1);
        CHECK(launch.power.value <= chip.tdp.value);
      }
    }
  }
  CHECK(calibrated_device(load_chip("t4")).trim.cuda == library_calibration().trims.at("T4").cuda);
}

TEST_CASE(
    "a 16-bit product whose rows are no multiples of 16 bytes has no error band: no measured row of a new library has "
    "such rows") {
  const Chip chip = load_chip("h100-sxm5-80gb");
  const auto launch = [&](std::int64_t k, DataType type) {
    const std::vector<Kernel> kernels{{product(512, 1024, k, type)}};
    return gpu_library(chip, kernels, default_stack())->front();
  };
  CHECK(launch(1024, DataType::fp16).band_pct);
  CHECK_FALSE(launch(1023, DataType::fp16).band_pct);
  CHECK(launch(1023, DataType::fp16).why.find("not validated") != std::string::npos);
  CHECK(launch(1023, DataType::fp32).band_pct);
}
