// law: what holds for any shape and any chip, those of the tables and those that are only a row of a device table.
#include <unistd.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/stack.hpp"
#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {

constexpr std::string_view header =
    "device,arch,generation,compute_cap,sms,fp32_cores_per_sm,tensor_cores_per_sm,base_mhz,boost_mhz,fp32_tflops,"
    "fp16_vector_tflops,fp16_tensor_tflops,bf16_tensor_tflops,tf32_tensor_tflops,int8_tops,fp8_tensor_tflops,mem_type,"
    "mem_gb,dram_gbps,l2_mb,smem_kb_per_sm,regs_kb_per_sm,tdp_w,node_nm,die_mm2\n";

/// Three chips that no calibration saw: another vendor's, one of the next decade, one of a watch.
std::vector<GpuDevice> unknown_devices(
    const std::string& text = std::string(header) +
                              "MI300X,CDNA3,CDNA,9.4,304,128,4,,2100,163.4,,1307,"
                              "1307,653,2614,2614,HBM3,192,5300,256,64,512,750,5,\n"
                              "Future,X,X,12,400,256,8,,3000,400,,9000,9000,4500,"
                              "18000,18000,HBM5,576,40000,512,512,512,2000,1.4,1600\n"
                              "Watch,X,X,5,1,32,0,,300,0.02,,,,,,,LPDDR4,1,3,0.25,32,"
                              "64,1,14,5\n") {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tilewright_unknown_devices_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << text;
  return read_gpu_devices(path.string());
}

struct Draw {
  std::mt19937_64 random{11};
  /// A side from 1 to 2^log2_most, sides of one and odd sides among them.
  std::int64_t side(unsigned log2_most) {
    if (random() % 6 == 0) return 1;
    const std::int64_t most = std::int64_t{1} << (random() % (log2_most + 1));
    return std::clamp<std::int64_t>(most + static_cast<std::int64_t>(random() % 3) - 1, 1,
                                    std::int64_t{1} << log2_most);
  }
  GpuPrecision precision() { return static_cast<GpuPrecision>(random() % gpu_precision_names.size()); }
  Timing timing() { return {static_cast<Stack>(random() % stack_count), Seconds{1e-6}}; }

  GemmKernel gemm() {
    GemmKernel kernel{.batch = side(6), .m = side(20), .n = side(20), .k = side(20), .precision = precision()};
    kernel.strided_batch = kernel.batch > 1;
    kernel.quantises = random() % 2 == 0;
    kernel.a_transposed = random() % 2 == 0;
    kernel.b_transposed = random() % 2 == 0;
    return kernel;
  }
  ConvKernel conv() {
    ConvKernel kernel{
        .phase = static_cast<ConvPhase>(random() % 3), .n = side(8), .c = side(10), .precision = precision()};
    kernel.r = 1 + static_cast<std::int64_t>(random() % 11);
    kernel.s = 1 + static_cast<std::int64_t>(random() % 11);
    kernel.h = kernel.r + side(9);
    kernel.w = kernel.s + side(9);
    kernel.k = side(10);
    kernel.channels_last = random() % 2 == 0;
    kernel.stride_h = kernel.stride_w = 1 + static_cast<std::int64_t>(random() % 3);
    return kernel;
  }
};

bool sound(const KernelTime& time) {
  const auto good = [](double value) { return std::isfinite(value) && value >= 0; };
  return good(time.total.value) && time.total.value > 0 && good(time.compute.value) && good(time.dram.value) &&
         good(time.fixed.value) && good(time.power_w) && time.clock > 0 && time.clock <= 1;
}

}  // namespace

TEST_CASE("gpu: every kernel has a sound time for odd shapes on chips that are only a row of a device table") {
  const std::vector<GpuDevice> devices = unknown_devices();
  REQUIRE(devices.size() == 3);
  const GpuConstants& constants = library_calibration().constants;
  Draw draw;
  for (int i = 0; i < 1500; ++i) {
    const GpuDevice& device = devices[static_cast<std::size_t>(i) % devices.size()];
    const GemmKernel gemm = draw.gemm();
    INFO(device.name << " batch " << gemm.batch << " m " << gemm.m << " n " << gemm.n << " k " << gemm.k);
    const Timing timing = draw.timing();
    const KernelTime product = gemm_time(device, constants, gemm, timing);
    REQUIRE(sound(product));
    const MathPeak peak = math_peak(device, gemm.precision, stack_profile(timing.stack).legacy_library);
    const double operations = 2.0 * static_cast<double>(gemm.batch) * static_cast<double>(gemm.m) *
                              static_cast<double>(gemm.n) * static_cast<double>(gemm.k);
    REQUIRE(product.total.value >= operations / (peak.peak * product.clock) * (1 - 1e-9));

    const ConvKernel conv = draw.conv();
    INFO("n " << conv.n << " c " << conv.c << " h " << conv.h << " w " << conv.w << " k " << conv.k << " r " << conv.r);
    REQUIRE(sound(conv_time(device, constants, conv, timing)));
    const VectorKernel vector{static_cast<VectorOp>(draw.random() % vector_op_names.size()), draw.side(20),
                              draw.side(20), 1, draw.precision()};
    REQUIRE(sound(vector_time(device, constants, vector, timing)));
    const std::int64_t keys = draw.side(17), kv_heads = draw.side(5);
    const AttentionKernel attention{draw.side(8),
                                    draw.random() % 2 == 0 ? 1 : keys,
                                    keys,
                                    kv_heads * draw.side(3),
                                    kv_heads,
                                    draw.side(8),
                                    true,
                                    false,
                                    GpuPrecision::fp16,
                                    static_cast<AttentionLibrary>(draw.random() % attention_library_names.size())};
    REQUIRE(sound(attention_time(device, constants, attention, timing)));
    const RecurrentKernel recurrent{static_cast<RecurrentCell>(draw.random() % 3), draw.side(13), draw.side(10),
                                    draw.side(11), GpuPrecision::fp32};
    REQUIRE(sound(recurrent_time(device, constants, recurrent, timing)));
  }
}

TEST_CASE("gpu: a product never gets slower with a higher clock or with more SMs and their share of the L2") {
  const std::vector<GpuDevice> devices = unknown_devices();
  const GpuConstants& constants = library_calibration().constants;
  Draw draw;
  for (int i = 0; i < 600; ++i) {
    GemmKernel kernel = draw.gemm();
    kernel.precision = i % 2 == 0 ? GpuPrecision::fp32 : GpuPrecision::fp16;
    INFO("batch " << kernel.batch << " m " << kernel.m << " n " << kernel.n << " k " << kernel.k << " " << i);
    for (const bool more_sms : {false, true}) {
      // Split sums of tensor-core products fill the waves of the SMs: their menu moves with the SMs (docs/gpu.md).
      if (more_sms && kernel.precision == GpuPrecision::fp16) continue;
      GpuDevice device = devices.front();
      device.tdp = Watts{1e6};  // the power limit is a law of its own
      const auto grow = [&](double factor) {
        device.fp32_peak *= factor;
        device.fp16_tensor_peak *= factor;
        if (more_sms) {  // in an L2 that does not grow, the blocks of more SMs drift apart sooner
          device.sms = static_cast<std::int64_t>(static_cast<double>(device.sms) * factor);
          device.l2_size = factor * device.l2_size;
        } else {
          device.boost = factor * device.boost;
        }
      };
      double before = 1e30;
      for (int step = 0; step < 4; ++step) {
        const double now = gemm_time(device, constants, kernel, {Stack::profiler, Seconds{0}}).total.value;
        CAPTURE(more_sms, device.sms, device.boost.value, now, before);
        REQUIRE(now <= before * (1 + 1e-3));
        before = now;
        grow(2);
      }
    }
  }
}

TEST_CASE("gpu: a device table without a column that the models need names the column") {
  std::string text(header);
  text.replace(text.find(",dram_gbps"), 10, "");
  try {
    unknown_devices(text + "X,X,X,8,1,32,0,,300,0.02,,,,,,,LPDDR4,1,0.25,32,64,1,14,5\n");
    FAIL("no error");
  } catch (const InputError& error) { REQUIRE_THAT(error.what(), Catch::Contains("dram_gbps")); }
}
