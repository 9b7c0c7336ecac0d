#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/arch_models/problems.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

Chip gpu(std::int64_t sms) {
  const std::string n = std::to_string(sms);
  return chip_of("gpu", {level("DRAM", 0, 1), level("L2", 40e6, 1, sms), level("SM", 425984, sms)}, "sms: " + n + R"(
cuda_cores_per_sm: 64
tensor_cores_per_sm: 4
registers_per_sm: 256 KiB
shared_per_sm: 164 KiB
precisions: {fp32: 64, fp16: 1024, int8: 2048}
mac_energy: {fp32: {value: 10 pJ, source: test}, fp16: {value: 2 pJ, source: test}, int8: {value: 1 pJ, source: test}}
)");
}

double fp32_cycles(std::int64_t sms, std::int64_t tiles, std::int64_t k) {
  const Problem p = product(128 * tiles, 128, k);
  return cost_of(gpu(sms), p, pass_of(p, {}, {{"M", 128}, {"N", 128}, {"K", 8}}, 1)).cycles.value;
}

}  // namespace

TEST_CASE("one tile more than the SMs costs a second wave") {
  // One wave: 128 x 128 x 1024 MACs / (64 per cycle x 1.13 x e x h), e = 1 / (1 + 0.45 x 0.5) = 1 / 1.225,
  // 8 warps (16,384 results / 2,048): h = 8 / 8.6 = 1 / 1.075; two blocks resident in the second case: h = 16 / 16.6 = 1 / 1.0375.
  const double tile = 128.0 * 128 * 1024 / (64 * 1.13) * 1.225;
  REQUIRE(fp32_cycles(108, 108, 1024) == Approx(tile * 1.075));
  REQUIRE(fp32_cycles(108, 109, 1024) == Approx(2 * tile * 1.0375));
}

TEST_CASE("more SMs are never slower for the same tile") {
  double last = 1e300;
  for (std::int64_t sms = 1; sms <= 160; ++sms) {
    const double cycles = fp32_cycles(sms, 60, 4096);
    REQUIRE(cycles <= last);
    last = cycles;
  }
}

TEST_CASE("a deep product with few tiles splits the reduction over idle SMs") {
  // One tile, k = 65,536, 32 parts: one wave of 2,048 steps plus 400 cycles (0.4 us at 1 GHz) for the second pass.
  const double tile = 128.0 * 128 * 2048 / (64 * 1.13) * 1.225 * 1.075;
  REQUIRE(fp32_cycles(108, 1, 65536) == Approx(tile + 400));
  const Problem p = product(128, 128, 65536);
  REQUIRE(cost_of(gpu(108), p, pass_of(p, {}, {{"M", 128}, {"N", 128}, {"K", 8}}, 1)).why.find("split-K 32") !=
          std::string::npos);
}

TEST_CASE("fp16 convolutions use tensor cores only with channels that fill 16 bytes") {
  const Chip chip = gpu(108);
  const Problem aligned = convolution(64, 8, 56, 56, 3, DataType::fp16),
                odd = convolution(64, 7, 56, 56, 3, DataType::fp16);
  const Extents tile{{"P", 2}, {"Q", 56}, {"K", 64}};
  const ComputeCost fast = cost_of(chip, aligned, pass_of(aligned, {}, tile, 1)),
                    slow = cost_of(chip, odd, pass_of(odd, {}, tile, 1));
  REQUIRE(fast.why.find("tensor cores") != std::string::npos);
  REQUIRE(slow.why.find("CUDA cores") != std::string::npos);
  REQUIRE(slow.why.find("not aligned") != std::string::npos);
  REQUIRE(slow.cycles > fast.cycles);
  // 3,136 pixels in 128-wide tiles (112 used of 128): 25 tiles of 128 x 64
  REQUIRE(fast.why.find("25 tiles of 128x64") != std::string::npos);
}

TEST_CASE("the tile menu fills innermost dims first and fits registers and shared memory") {
  const Chip chip = gpu(108);
  const Problem p = convolution(64, 64, 56, 56, 3);
  const MapRules rules = family_of(chip).rules(chip, p);
  REQUIRE(rules.menu_level == 2);
  REQUIRE(family_of(chip).array_level(chip) == 1);
  // 128 x 64, k step 8: Q 56, P floor(128 / 56) = 2, K 64; k group C R S from the inside: S 3, R floor(8 / 3) = 2, C 1
  const std::vector<std::int64_t> tile{1, 64, 1, 2, 56, 2, 3};
  REQUIRE(std::find(rules.menu.begin(), rules.menu.end(), tile) != rules.menu.end());
  for (const auto& extents : rules.menu) {
    double bytes = 0;
    for (const Operand& operand : p.operands) bytes += 4.0 * static_cast<double>(box_words(operand, extents));
    REQUIRE(bytes <= chip.levels[2].capacity->value);
    REQUIRE(4 * box_words(p.operands.back(), extents) <= 262144);
  }
}

TEST_CASE("GPU cycles are positive for any tile of any problem") {
  const Chip chip = gpu(4);
  for (const Problem& p : {product(1, 1, 1), product(1, 4096, 4096, DataType::int8), convolution(3, 5, 7, 7, 3),
                           depthwise(32, 14, 3, DataType::fp16)}) {
    const ComputeCost cost = cost_of(chip, p, pass_of(p, {}, {}, p.points()));
    REQUIRE(cost.cycles.value >= 1);
    REQUIRE(cost.cycles.value < 1e18);
    REQUIRE(!cost.why.empty());
  }
}
