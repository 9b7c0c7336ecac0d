#include <catch2/catch.hpp>

#include "tests/arch_models/problems.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

/// DPU B4096: 8 pixels x 16 inputs x 16 outputs = 2,048 MACs per cycle.
Chip overlay() {
  return chip_of("fpga", {level("DRAM", 0, 1), level("BRAM", 1 << 20, 1)},
                 "style: overlay\ndsp: 710\nbram36: 255\npixel_parallel: 8\ninput_parallel: 16\noutput_parallel: 16\n"
                 "precisions: {int8: 1}\nmac_energy: {int8: {value: 1 pJ, source: t}}\n");
}

Chip streaming(std::int64_t dsp) {
  return chip_of("fpga", {level("DRAM", 0, 1), level("BRAM", 1 << 20, 1)},
                 "style: streaming\ndsp: " + std::to_string(dsp) +
                     "\nbram36: 140\nprecisions: {int8: 1, int4: 2}\n"
                     "mac_energy: {int8: {value: 1 pJ, source: t}, int4: {value: 1 pJ, source: t}}\n");
}

}  // namespace

TEST_CASE("an overlay engine does its wired unrolling in one cycle per step") {
  // 32 x 32 channels, 8 x 8 pixels, 3 x 3: 589,824 MACs / 2,048 = 288 steps, no rest.
  const Problem p = convolution(32, 32, 8, 8, 3, DataType::int8);
  const Chip chip = overlay();
  REQUIRE(chip.lanes() == 2048);
  const ComputeCost cost = cost_of(chip, p, pass_of(p, {{"Q", 8}, {"C", 16}, {"K", 16}}, {}, 288));
  REQUIRE(cost.cycles.value == 288);
  REQUIRE(cost.fill_drain.value == 10);  // 4 DSP stages + log2(16) adders + read and write
}

TEST_CASE("an overlay unrolls each side of its engine over the dims that the side is wired for") {
  // Levels: DRAM, BRAM (16 outputs along x, 8 pixels along y), the adder trees (16 inputs), which store nothing.
  const Problem p = convolution(32, 32, 8, 8, 3, DataType::int8);
  const Chip chip = overlay();
  REQUIRE(chip.levels.size() == 3);
  REQUIRE(chip.levels[1].fanout_x == 16);
  REQUIRE(chip.levels[1].fanout_y == 8);
  REQUIRE(chip.levels[2].fanout_x == 16);
  const MapRules rules = family_of(chip).rules(chip, p);
  const auto names = [&](const std::vector<int>& dims) {
    std::string text;
    for (const int d : dims) text += p.dims[static_cast<std::size_t>(d)].name;
    return text;
  };
  REQUIRE(names(rules.x_dims.at(1)) == "K");
  REQUIRE(names(rules.x_dims.at(2)) == "C");  // no filter taps
  REQUIRE(names(rules.y_dims.at(1)).find('C') == std::string::npos);
  REQUIRE(rules.keeps.at(2) == std::vector<bool>{false, false, false});
}

TEST_CASE("depthwise convolution on an overlay uses pixels and outputs only") {
  // 32 groups, 8 x 8 pixels, 3 x 3: 2 x 8 x 9 steps of 8 x 16 lanes; 1/16 of the engine.
  const Problem p = depthwise(32, 8, 3, DataType::int8);
  const Chip chip = overlay();
  const MapRules rules = family_of(chip).rules(chip, p);
  REQUIRE(rules.x_dims.at(1) == std::vector<int>{0});
  REQUIRE(rules.y_dims.at(1) == std::vector<int>{1, 2});
  REQUIRE(cost_of(chip, p, pass_of(p, {{"G", 16}, {"Q", 8}}, {}, 144)).cycles.value == 144);
}

TEST_CASE("a streaming stage follows FINN's folding") {
  // MH 32 / PE 8 x MW 64 / SIMD 16 x 16 vectors = 4 x 4 x 16 = 256 cycles; the first result after one of 16 vectors,
  // and the pipeline: 4 + log2(16) + 2 = 10. Weights: 16 words of 128 x 8 bit = 1,024 bit: ceil(16/512) x ceil(1024/36) = 29 BRAM18.
  const Problem p = product(16, 32, 64, DataType::int8);
  const ComputeCost cost = cost_of(streaming(128), p, pass_of(p, {{"N", 8}, {"K", 16}}, {}, 256));
  REQUIRE(cost.cycles.value == 256);
  REQUIRE(cost.fill_drain.value == 10);
  REQUIRE(cost.fill_share == Approx(1.0 / 16));
  REQUIRE(cost.why.find("29 of 280 BRAM18") != std::string::npos);
}

TEST_CASE("a streaming convolution waits for the rows of its window") {
  // 8 x 8 results of 3 x 3 windows: input 10 x 10. First result after 2 rows + 3 pixels = 23 of 100 pixels.
  const Problem p = convolution(4, 2, 8, 8, 3, DataType::int8);
  const ComputeCost cost = cost_of(streaming(8), p, pass_of(p, {{"K", 4}, {"C", 2}}, {}, 576));
  REQUIRE(cost.cycles.value == 576);
  REQUIRE(cost.fill_drain.value == 4 + 1 + 2);
  REQUIRE(cost.fill_share == Approx(0.23));
}

TEST_CASE("DSP packing halves the cycles and more DSPs are never slower") {
  const Problem p8 = product(16, 32, 64, DataType::int8), p4 = product(16, 32, 64, DataType::int4);
  REQUIRE(cost_of(streaming(128), p4, pass_of(p4, {{"N", 8}, {"K", 16}}, {}, 256)).cycles.value == 128);
  double last = 1e300;
  for (std::int64_t pe : {1, 2, 4, 8, 16, 32}) {
    const double cycles =
        cost_of(streaming(pe * 16), p8, pass_of(p8, {{"N", pe}, {"K", 16}}, {}, 32 / pe * 4 * 16)).cycles.value;
    REQUIRE(cycles < last);
    last = cycles;
  }
}

TEST_CASE("only streaming designs are pipelined") {
  REQUIRE(is_pipelined(streaming(16)));
  REQUIRE_FALSE(is_pipelined(overlay()));
}
