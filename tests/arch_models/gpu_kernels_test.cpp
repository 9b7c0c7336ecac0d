#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "arch_models/gpu/constants.hpp"
#include "tests/arch_models/round_chip.hpp"

using namespace tilewright;

namespace {

constexpr Timing no_floor{Stack::cuda_graph_tensorrt_llm, Seconds{0}};

struct Shapes {
  std::mt19937_64 random{7};
  std::int64_t side(int log2_most) {
    return std::int64_t{1} + static_cast<std::int64_t>(
                                 random() % (std::uint64_t{1} << (1 + random() % static_cast<unsigned>(log2_most))));
  }
  GemmKernel gemm() {
    GemmKernel kernel{.batch = side(4), .m = side(13), .n = side(13), .k = side(13)};
    kernel.precision = random() % 2 == 0 ? GpuPrecision::fp32 : GpuPrecision::fp16;
    kernel.strided_batch = kernel.batch > 1;
    return kernel;
  }
};

}  // namespace

TEST_CASE("gpu: no product is faster than the roofline at the allowed clock") {
  const GpuDevice device = round_chip();
  Shapes shapes;
  for (int i = 0; i < 3000; ++i) {
    const GemmKernel kernel = shapes.gemm();
    const KernelTime time = gemm_time(device, initial_constants(), kernel, no_floor);
    const double operations =
        2.0 * static_cast<double>(kernel.batch * kernel.m) * static_cast<double>(kernel.n * kernel.k);
    const double peak = math_peak(device, kernel.precision, false).peak * time.clock;
    INFO("batch " << kernel.batch << " m " << kernel.m << " n " << kernel.n << " k " << kernel.k);
    REQUIRE(time.total.value >= operations / peak * (1 - 1e-9));
    REQUIRE(time.total.value >= time.dram.value * (1 - 1e-9));
    REQUIRE((time.clock > 0 && time.clock <= 1));
  }
}

TEST_CASE("gpu: more DRAM bandwidth never makes a product slower") {
  GpuDevice device = round_chip();
  Shapes shapes;
  for (int i = 0; i < 1000; ++i) {
    const GemmKernel kernel = shapes.gemm();
    double before = 1e9;
    for (const double bandwidth : {0.25e12, 0.5e12, 1e12, 2e12, 4e12}) {
      device.dram_bandwidth = BytesPerSecond{bandwidth};
      const double now = gemm_time(device, initial_constants(), kernel, no_floor).total.value;
      INFO("batch " << kernel.batch << " m " << kernel.m << " n " << kernel.n << " k " << kernel.k << " at "
                    << bandwidth);
      REQUIRE(now <= before * (1 + 1e-3));
      before = now;
    }
  }
}

TEST_CASE("gpu: the power limit lowers the clock until the board stays within its TDP") {
  GpuDevice device = round_chip();
  const PowerConstants power = initial_constants().power;
  const PowerWork work{1e12, 1e9, MathUnit::cuda, 4};  // 78 ms of arithmetic at boost
  device.tdp = Watts{10'000};
  REQUIRE(allowed_clock(device, power, work, 1e12 / 12.8e12, 0) == 1.0);
  double before = 1;
  for (const double tdp : {400.0, 150.0, 110.0}) {
    device.tdp = Watts{tdp};
    const double clock = allowed_clock(device, power, work, 1e12 / 12.8e12, 0);
    REQUIRE(clock <= before);
    if (clock > 0.11) REQUIRE(clock_power(device, power, work, clock, 1e12 / 12.8e12 / clock) <= tdp * (1 + 1e-4));
    before = clock;
  }
  REQUIRE(before < 1);
}

TEST_CASE("gpu: a floor is added to the kernel and nothing else") {
  const GpuDevice device = round_chip();
  const GemmKernel kernel{.batch = 1, .m = 512, .n = 512, .k = 512};
  const KernelTime without = gemm_time(device, initial_constants(), kernel, no_floor);
  const KernelTime with =
      gemm_time(device, initial_constants(), kernel, {Stack::cuda_graph_tensorrt_llm, Seconds{30e-6}});
  REQUIRE(with.total.value == Approx(without.total.value + 30e-6));
  REQUIRE(with.kernel().value == Approx(without.total.value));
  REQUIRE_THAT(explain(with), Catch::Contains("launch 30.0 us"));
}

TEST_CASE("gpu: int8 runs on dp4a in old libraries and from compute capability 6.1, on tensor cores in new ones") {
  GpuDevice device = round_chip();
  REQUIRE(math_peak(device, GpuPrecision::int8, false).peak == 200e12);
  REQUIRE(math_peak(device, GpuPrecision::int8, true).peak == 4 * 12.8e12);
  device.compute_capability = 6.0;
  device.tensor_cores_per_sm = 0;
  REQUIRE(math_peak(device, GpuPrecision::int8, false).peak == 12.8e12);
}

TEST_CASE("gpu: tf32 stores 32 bits and runs on tensor cores that have it, otherwise as fp32") {
  GpuDevice device = round_chip();
  device.tf32_tensor_peak = 50e12;
  REQUIRE(math_peak(device, GpuPrecision::tf32, false).unit == MathUnit::tensor);
  REQUIRE(math_peak(device, GpuPrecision::tf32, false).peak == 50e12);
  REQUIRE(element_bytes(GpuPrecision::tf32).result == 4);
  device.tf32_tensor_peak = 0;
  REQUIRE(math_peak(device, GpuPrecision::tf32, false).peak == math_peak(device, GpuPrecision::fp32, false).peak);
}

TEST_CASE(
    "gpu: Winograd multiplies less than the direct form where images are large, a strided filter does not use it") {
  const GpuDevice device = round_chip();
  ConvKernel kernel{.n = 32, .c = 256, .h = 32, .w = 32, .k = 256, .r = 3, .s = 3, .pad_h = 1, .pad_w = 1};
  const KernelTime dense = conv_time(device, initial_constants(), kernel, no_floor);
  REQUIRE_THAT(std::string(dense.algorithm), Catch::Contains("Winograd"));
  const double direct = 2.0 * 32 * 32 * 32 * 256 * 256 * 9 / 12.8e12;
  REQUIRE(dense.total.value < direct);
  REQUIRE(dense.total.value > direct / 4);  // F(4x4) saves a factor of four at most
  kernel.stride_h = kernel.stride_w = 2;
  REQUIRE(conv_time(device, initial_constants(), kernel, no_floor).algorithm == "implicit GEMM");
}

TEST_CASE("gpu: a fused Winograd kernel pads images to blocks of 32 tiles") {
  // 64 images of 7 x 7: two images of 4 x 4 tiles a block, 32 blocks per 32 filters, as for 8 x 8; 16 x 16 results fill 128 blocks
  const GpuDevice device = round_chip();
  const auto blocks = [&](std::int64_t side) {
    const ConvKernel kernel{.n = 64, .c = 32, .h = side, .w = side, .k = 1024, .r = 3, .s = 3, .pad_h = 1, .pad_w = 1};
    const KernelTime time = conv_time(device, initial_constants(), kernel, no_floor);
    REQUIRE(time.algorithm == "fused Winograd F(2x2)");
    return time.tiles;
  };
  REQUIRE(blocks(7) == 32 * 32);
  REQUIRE(blocks(8) == 32 * 32);
  REQUIRE(blocks(16) == 128 * 32);
}

TEST_CASE("gpu: strided backward data multiplies the zeros within rows, not those between them") {
  const GpuDevice device = round_chip();
  const ConvKernel kernel{.phase = ConvPhase::backward_data,
                          .n = 16,
                          .c = 256,
                          .h = 64,
                          .w = 64,
                          .k = 256,
                          .r = 4,
                          .s = 4,
                          .stride_h = 2,
                          .stride_w = 2};
  const KernelTime time = conv_time(device, initial_constants(), kernel, no_floor);
  REQUIRE(time.algorithm == "implicit GEMM");
  const double half = 2.0 * 16 * 64 * 64 * 256 * 256 * 4 * 4 / 2 / 12.8e12;  // of the products at every pixel
  REQUIRE(time.compute.value >= half);
  REQUIRE(time.compute.value < 2 * half);
}

TEST_CASE("gpu: kernels of 32 columns multiply every zero of a strided backward data pass before Volta") {
  GpuDevice device = round_chip();
  ConvKernel kernel{.phase = ConvPhase::backward_data,
                    .n = 64,
                    .c = 32,
                    .h = 64,
                    .w = 64,
                    .k = 256,
                    .r = 4,
                    .s = 4,
                    .stride_h = 2,
                    .stride_w = 2};
  const auto compute = [&] {
    const KernelTime time = conv_time(device, initial_constants(), kernel, no_floor);
    REQUIRE(time.algorithm == "implicit GEMM");
    return time.compute.value;
  };
  const double skipping = compute();
  device.compute_capability = 6.1;
  REQUIRE(compute() == Approx(2 * skipping).epsilon(0.05));
  kernel.c = 64;
  const double wide = compute();
  device.compute_capability = 8;
  REQUIRE(compute() == wide);
}

TEST_CASE("gpu: a filter pass fills a wide tile, makes up to eight blocks an SM and adds its parts with atomics") {
  const GpuDevice device = round_chip();
  const GpuConstants constants = initial_constants();
  ConvKernel kernel{
      .phase = ConvPhase::backward_filter, .n = 256, .c = 64, .h = 112, .w = 112, .k = 64, .r = 1, .s = 1};
  const KernelTime time = conv_time(device, constants, kernel, no_floor);
  REQUIRE(std::max(time.tile_m, time.tile_n) == 128);  // 64 x 64 results: half of the tile or more is empty
  REQUIRE(time.tiles * time.split > 2 * device.sms);
  REQUIRE(time.tiles * time.split <= 8 * device.sms);
  const double padded = 2.0 * 256 * 112 * 112 * 64 * 128 / device.fp32_peak / constants.gemm.cuda.efficiency;
  REQUIRE(time.compute.value >= padded);
  kernel.c = kernel.k = 2048;
  kernel.h = kernel.w = 7;
  const double atomics = 2048.0 * 2048 / (constants.conv.atomics_per_cycle * 100 * 1e9);
  const double fixed = conv_time(device, constants, kernel, no_floor).fixed.value;
  REQUIRE(fixed >= atomics);
  REQUIRE(fixed < 1.2 * atomics);
}

TEST_CASE("gpu: an SM of 128 CUDA cores shares the operand delivery of one of 64") {
  const GpuDevice narrow = round_chip();
  GpuDevice wide = narrow;
  wide.sms = narrow.sms / 2;
  wide.cuda_cores_per_sm = 2 * narrow.cuda_cores_per_sm;
  const GemmKernel kernel{.m = 8192, .n = 8192, .k = 8192};
  const double fast = gemm_time(narrow, initial_constants(), kernel, no_floor).compute.value;
  REQUIRE(gemm_time(wide, initial_constants(), kernel, no_floor).compute.value > 1.05 * fast);
}

TEST_CASE("gpu: channels of 16 and 8 bits are padded to 16 bytes for the tensor cores, grouped ones leave them") {
  const GpuDevice device = round_chip();
  ConvKernel kernel{.n = 32, .c = 64, .h = 28, .w = 28, .k = 64, .r = 3, .s = 3, .precision = GpuPrecision::fp16};
  const auto time = [&] { return conv_time(device, initial_constants(), kernel, no_floor).total.value; };
  const double aligned = time();
  kernel.c = kernel.k = 63;
  REQUIRE(time() == aligned);
  kernel.c = 3;  // the picture: 16 channels of 8 bits take no longer than 8 of 16 bits
  const double picture = time();
  kernel.precision = GpuPrecision::int8;
  REQUIRE(time() <= picture);
  kernel.precision = GpuPrecision::fp16;
  kernel.c = kernel.groups = 63;
  const double grouped = time();
  kernel.precision = GpuPrecision::fp16_fp32math;
  REQUIRE(grouped == Approx(time()));
}

TEST_CASE("gpu: each place of a tensor-core window costs its addresses and a load in libraries before CUDA 11") {
  const GpuDevice device = round_chip();
  ConvKernel kernel{.n = 16, .c = 1, .h = 161, .w = 700, .k = 32, .r = 5, .s = 20, .precision = GpuPrecision::fp16};
  GpuConstants constants = initial_constants();
  const double places = static_cast<double>(kernel.n * kernel.out_h() * kernel.out_w()) * 5 * 20;
  for (const auto& [phase, cycles] : {std::pair{ConvPhase::forward, constants.conv.window_cycles},
                                      std::pair{ConvPhase::backward_filter, constants.conv.filter_window_cycles}}) {
    kernel.phase = phase;
    const double least = places * cycles / (100 * 1e9);  // SMs x clock
    const double time = conv_time(device, constants, kernel, {Stack::library_loop, Seconds{0}}).total.value;
    CHECK(time > least);
    CHECK(time < 1.2 * least);  // the layout pass of the image is all that comes on top
    CHECK(conv_time(device, constants, kernel, no_floor).total.value < 0.5 * least);
  }
}

TEST_CASE("gpu: a multiply-add of a dp4a switches less than one in fp32, so the same board clocks higher") {
  GpuDevice device = round_chip();
  device.compute_capability = 7.5;
  device.tdp = Watts{80};
  GemmKernel kernel{.m = 4096, .n = 4096, .k = 4096};
  const Timing loop{Stack::library_loop, Seconds{0}};
  const KernelTime fp32 = gemm_time(device, initial_constants(), kernel, loop);
  kernel.precision = GpuPrecision::int8;
  GpuConstants constants = initial_constants();
  constants.power.dp4a = 0.13;
  const KernelTime int8 = gemm_time(device, constants, kernel, loop);
  REQUIRE(fp32.clock < 0.9);
  REQUIRE(int8.clock > fp32.clock);
  REQUIRE(int8.split == 1);
  REQUIRE(int8.tile_m == 128);
}

TEST_CASE("gpu: products on dp4a have constants of their own") {
  GpuDevice device = round_chip();
  device.compute_capability = 6.1;
  device.tensor_cores_per_sm = 0;
  const Timing loop{Stack::library_loop, Seconds{0}};
  const auto time = [&](GpuPrecision precision, const GpuConstants& constants) {
    const GemmKernel kernel{.m = 2048, .n = 2048, .k = 2048, .precision = precision};
    return gemm_time(device, constants, kernel, loop).compute.value;
  };
  const GpuConstants before = initial_constants();
  GpuConstants after = before;
  after.gemm.dp4a.start_k *= 4;
  CHECK(time(GpuPrecision::int8, after) > 1.02 * time(GpuPrecision::int8, before));
  CHECK(time(GpuPrecision::fp32, after) == time(GpuPrecision::fp32, before));
  after = before;
  after.gemm.cuda_legacy.start_k *= 4;
  CHECK(time(GpuPrecision::int8, after) == time(GpuPrecision::int8, before));
  CHECK(time(GpuPrecision::fp32, after) > 1.02 * time(GpuPrecision::fp32, before));
}

TEST_CASE("gpu: up to 16 rows take as long as 64 before Volta in libraries before CUDA 11, their sums fill the SMs") {
  GpuDevice device = round_chip();
  device.compute_capability = 6.1;
  const Timing loop{Stack::library_loop, Seconds{0}};
  GemmKernel kernel{.m = 16, .n = 1024, .k = 65536};
  const auto time = [&](const Timing& timing) { return gemm_time(device, initial_constants(), kernel, timing); };
  const KernelTime few = time(loop);
  CHECK(few.tile_m == 64);
  CHECK(few.tiles * few.split > 2 * device.sms);
  CHECK(few.tiles * few.split <= 8 * device.sms);
  kernel.m = 1;
  CHECK(time(loop).compute == few.compute);
  kernel.m = 17;
  CHECK(time(loop).tile_m == 32);
  kernel.m = 16;
  CHECK(time({Stack::pytorch_eager, Seconds{0}}).tiles * time({Stack::pytorch_eager, Seconds{0}}).split <=
        2 * device.sms);
  device.compute_capability = 7;
  CHECK(time(loop).tile_m == 32);
}

TEST_CASE("gpu: the vectorised kernel of compute capability 6.1 has no remainders") {
  GpuDevice device = round_chip();
  device.compute_capability = 6.1;
  device.tensor_cores_per_sm = 0;
  GemmKernel kernel{.m = 968, .n = 4096, .k = 1024, .a_transposed = true};
  const Timing eager{Stack::pytorch_eager, Seconds{0}};
  REQUIRE(gemm_time(device, initial_constants(), kernel, eager).tile_m == 128);
  kernel.k = 1028;  // rows of 16 bytes, but not of eight steps
  const KernelTime time = gemm_time(device, initial_constants(), kernel, eager);
  REQUIRE(time.tile_m * time.tile_n == 64 * 64);
  kernel.m = 960;  // whole warps of rows, 16-byte rows of results: its sibling without vector loads
  kernel.k = 1030;
  REQUIRE(gemm_time(device, initial_constants(), kernel, eager).tile_m == 128);
  kernel.n = 4095;
  REQUIRE(gemm_time(device, initial_constants(), kernel, eager).tile_m < 128);
}

TEST_CASE("gpu: a calibration file is read back as it was written") {
  Calibration calibration;
  calibration.data_hash = "abc";
  calibration.rows = 12;
  calibration.trims["X"] = {1.1, 0.9, 1, 1, 1.05};
  calibration.floors.push_back({"profiler", "linear/fp16", "X", Seconds{2e-6}, Seconds{2e-6}});
  calibration.floors.push_back({"pytorch_eager", "conv_fwd/fp32", "X", Seconds{2e-6}, Seconds{3e-6}});
  calibration.bands.push_back({"conv", "fp32", "unseen_device", 17.5, 100});
  calibration.power_hash = "def";
  calibration.power_rows = 3;
  calibration.power_devices = {"X", "Y"};
  const std::string text = calibration_yaml(calibration);
  REQUIRE_THAT(text, Catch::Contains("power_data_hash: def"));
  REQUIRE_THAT(text, Catch::Contains("power_rows: 3\npower_devices: [X, Y]\n"));
  REQUIRE_THAT(text, Catch::Contains("stack_floors: []"));
  REQUIRE_THAT(text, Catch::Contains("op: linear/fp16, device: X, us: 2}"));
  REQUIRE_THAT(text, Catch::Contains("op: conv_fwd/fp32, device: X, us: 2, last_us: 3}"));
  REQUIRE_THAT(text, Catch::Contains("{name: X, cuda: 1.1, tensor: 0.9, dram: 1, power: 1, conv: 1.05}"));
  REQUIRE_THAT(text,
               Catch::Contains("{class: conv, precision: fp32, transfer: unseen_device, mape_pct: 17.5, rows: 100}"));
}

TEST_CASE("gpu: the calibration of the library holds every constant within its bounds") {
  GpuConstants constants = library_calibration().constants;
  for (const ConstantSpec& spec : constant_specs()) {
    INFO(spec.name);
    REQUIRE(spec.at(constants) >= spec.least);
    REQUIRE(spec.at(constants) <= spec.most);
  }
  REQUIRE(library_calibration().rows > 4000);
}
