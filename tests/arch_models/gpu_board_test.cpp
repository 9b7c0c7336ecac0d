#include "arch_models/gpu/board.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/stack.hpp"

using namespace tilewright;

namespace {

/// 8 nm, 1.5 GHz, HBM: no scale of node or clock differs from one.
GpuDevice board() {
  GpuDevice device;
  device.sms = 10;
  device.boost = Hertz{1.5e9};
  device.fp32_peak = 10e12;
  device.fp16_tensor_peak = 100e12;
  device.tensor_cores_per_sm = 4;
  device.compute_capability = 8;
  device.memory = "HBM2";
  device.dram_bandwidth = BytesPerSecond{1e12};
  device.l2_size = Bytes{4e6};
  device.shared_per_sm = Bytes{164 * 1024.0};
  device.registers_per_sm = Bytes{256 * 1024.0};
  device.tdp = Watts{300};
  device.node_nm = 8;
  device.die_mm2 = 100;
  return device;
}

GpuConstants round_constants() {
  GpuConstants constants = initial_constants();
  constants.board = {.idle_hbm = 0.1,
                     .idle_gddr = 0.2,
                     .active_w_per_mm2 = 0.05,
                     .cuda_pj = 4,
                     .tensor_pj = 1,
                     .padded = 0.5,
                     .node_exponent = 1,
                     .boost_exponent = 1,
                     .l2_pj = 20,
                     .shared_pj = 10,
                     .between = 0.5,
                     .hbm_pj = 40,
                     .gddr_pj = 80};
  return constants;
}

/// One second of 16-bit tensor cores: 10 T operations, as many padded ones, 1 TB from the L2, half of it staged, 0.5 TB from memory.
KernelTime one_second() {
  KernelTime time;
  time.total = Seconds{1};
  time.work = {10e12, 0.5e12, MathUnit::tensor, 2, 10e12, 1e12, 0.5e12};
  return time;
}

}  // namespace

TEST_CASE("board power: idle, active, operations, bytes by hand") {
  const GpuConstants constants = round_constants();
  GpuDevice device = board();
  KernelTime time = one_second();
  const auto watts = [&] { return board_power(device, constants, time).value; };
  // Idle 0.1 x 300 = 30 W, active 0.05 x 100 = 5 W; on the chip 10 + 0.5 x 10 + 20 + 5 = 40 W; memory 0.5 x 40 = 20 W.
  CHECK(watts() == Approx(95));
  CHECK(idle_power(device, constants.board).value == Approx(30));
  time.clock = 0.5;  // voltage 0.75: 40 x 0.5625 = 22.5 W on the chip
  CHECK(watts() == Approx(77.5));
  time.clock = 1;
  device.node_nm = 16;  // twice the energy on the chip
  CHECK(watts() == Approx(135));
  device.boost = Hertz{3e9};  // and twice again
  CHECK(watts() == Approx(215));
  device = board();
  time.work.operand_bytes = 4;  // tf32: half of the rate of 16 bits, twice the energy of an operation
  CHECK(watts() == Approx(110));
  time.work.operand_bytes = 1;
  CHECK(watts() == Approx(87.5));
  time = one_second();
  time.work.unit = MathUnit::cuda;  // 4 x (10 + 5) + 25 = 85 W on the chip
  CHECK(watts() == Approx(140));
  device.memory = "GDDR6";  // idle 60 W, memory 40 W
  CHECK(watts() == Approx(190));
  time.launch = Seconds{1};  // the host's second is no part of the kernel's
  time.total = Seconds{2};
  CHECK(watts() == Approx(190));
}

TEST_CASE("board power: never above the limit, nor below what holds the clock down, none without a TDP") {
  const GpuConstants constants = round_constants();
  GpuDevice device = board();
  KernelTime time = one_second();
  device.power_limit = Watts{80};
  CHECK(board_power(device, constants, time).value == 80);
  device.power_limit = Watts{0};
  time.clock_power_w = 300;
  CHECK(board_power(device, constants, time).value == 300);
  device.tdp = Watts{0};
  CHECK(board_power(device, constants, time).value == 0);
}

TEST_CASE(
    "law: board power grows with operations and bytes, is idle plus active without load, and stays within the TDP") {
  const GpuConstants& constants = library_calibration().constants;
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> exponent(8, 15);
  for (int i = 0; i < 2000; ++i) {
    GpuDevice device = board();
    device.memory = i % 2 == 0 ? "HBM2e" : "GDDR6";
    KernelTime time;
    time.total = Seconds{1};
    const double none = board_power(device, constants, time).value;
    REQUIRE(none == Approx((idle_power(device, constants.board) + active_power(device, constants.board)).value));
    time.work.unit = i % 3 == 0 ? MathUnit::cuda : i % 3 == 1 ? MathUnit::tensor : MathUnit::dp4a;
    double before = none;
    for (double PowerWork::*count : {&PowerWork::operations, &PowerWork::padded_operations, &PowerWork::l2_bytes,
                                     &PowerWork::staged_bytes, &PowerWork::dram_bytes}) {
      time.work.*count = std::pow(10, exponent(random));
      const double now = board_power(device, constants, time).value;
      REQUIRE(now >= before);
      REQUIRE(now <= device.tdp.value);
      before = now;
    }
  }
}

TEST_CASE("a kernel whose clock the power limit holds down draws the limit") {
  GpuDevice device = board();
  device.tdp = Watts{60};
  GemmKernel kernel{.batch = 1, .m = 4096, .n = 4096, .k = 4096};
  const KernelTime time = kernel_time(device, initial_constants(), kernel, {Stack::profiler, Seconds{0}});
  REQUIRE(time.clock < 0.99);
  CHECK(time.power_w == Approx(60).epsilon(1e-3));
  CHECK(time.power_w <= 60);
}
