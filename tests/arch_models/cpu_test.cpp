#include <catch2/catch.hpp>

#include "tests/arch_models/problems.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

/// Two 256-bit FMA units of four stages: 16 lanes a core, registers of 512 bytes.
Chip avx2(std::int64_t cores) {
  const std::string n = std::to_string(cores);
  return chip_of("cpu", {level("DRAM", 0, 1, cores), level("L1", 32768, cores), level("Registers", 512, cores)},
                 "cores: " + n + R"(
simd_bits: 256
fma_units: 2
fma_latency: 4
precisions: {fp32: 1, int8: 4}
mac_energy: {fp32: {value: 4 pJ, source: test}, int8: {value: 1 pJ, source: test}}
)");
}

}  // namespace

TEST_CASE("a CPU core with enough accumulators reaches one MAC per lane and cycle") {
  // 8 x 32 x 64 = 16,384 MACs on 16 lanes: 1,024 cycles. Block of 2 x 2 vectors = 4 accumulators per unit of 4 stages; 4 blocks of rows.
  const Problem p = product(8, 32, 64);
  const ComputeCost cost = cost_of(avx2(1), p, pass_of(p, {{"N", 16}}, {{"M", 2}, {"N", 2}, {"K", 64}}, 4));
  REQUIRE(cost.cycles.value == Approx(1024));
  REQUIRE(cost.fill_drain.value == Approx(4));
  REQUIRE(cost.events.at(0).count == 16384);
  REQUIRE(in_picojoules(cost.events.at(0).each) == Approx(4));
}

TEST_CASE("a CPU core with one accumulator waits for the FMA latency") {
  // One vector of results: each of the 64 steps waits 4 cycles; 8 x 2 blocks: 16 x 64 x 4 = 4,096 cycles.
  const Problem p = product(8, 32, 64);
  const ComputeCost cost = cost_of(avx2(1), p, pass_of(p, {{"N", 16}}, {{"K", 64}}, 16));
  REQUIRE(cost.cycles.value == Approx(4096));
  REQUIRE(cost.why.find("1 of 4 accumulators") != std::string::npos);
}

TEST_CASE("a CPU runs int8 at its own rate, or as fp32 where it has none") {
  const Problem p = product(8, 32, 64, DataType::int8);
  const ArrayPass pass = pass_of(p, {{"N", 16}}, {{"M", 2}, {"N", 2}, {"K", 64}}, 4);
  Chip chip = avx2(1);
  REQUIRE(cost_of(chip, p, pass).cycles.value == Approx(256));  // 1,024 / 4
  chip.arithmetic.erase(DataType::int8);
  REQUIRE(cost_of(chip, p, pass).cycles.value == Approx(1024));
}

TEST_CASE("more CPU cores are never slower when the rows are split over them") {
  const Problem p = product(64, 16, 32);
  double last = 1e300;
  for (std::int64_t cores : {1, 2, 3, 4, 8, 16}) {
    const std::int64_t rows = (64 + cores - 1) / cores;  // rows of one core
    const std::int64_t blocks = (rows + 3) / 4;          // register blocks of 4 rows
    const ArrayPass pass = pass_of(p, {{"N", 16}}, {{"M", 4}, {"K", 32}}, blocks, {{"M", cores}});
    const double cycles = cost_of(avx2(cores), p, pass).cycles.value;
    REQUIRE(cycles <= last);
    last = cycles;
  }
  REQUIRE(last == Approx(32 * 4));
}

TEST_CASE("CPU cores split results, never sums, and lanes take unit-stride dims") {
  const Problem p = convolution(64, 32, 14, 14, 3);
  const Chip chip = avx2(4);
  const MapRules rules = family_of(chip).rules(chip, p);
  REQUIRE(rules.x_dims.at(0) == std::vector<int>{0, 1, 3, 4});  // N K P Q
  REQUIRE(rules.x_dims.at(2) == std::vector<int>{1, 4});        // K and Q
  REQUIRE(family_of(chip).array_level(chip) == 1);
  REQUIRE(chip.lanes() == 64);
}

TEST_CASE("CPU vector work runs at lanes x width factor") {
  // 4 cores x 16 lanes = 64 operations per cycle in fp32; 6,400 elements x 2 operations = 200 cycles; int8: four to a lane: 50.
  const Chip chip = avx2(4);
  const Problem wide = elementwise(6400, 2), narrow = elementwise(6400, 2, DataType::int8);
  REQUIRE(cost_of(chip, wide, pass_of(wide, {}, {}, 6400)).cycles.value == Approx(200));
  REQUIRE(cost_of(chip, narrow, pass_of(narrow, {}, {}, 6400)).cycles.value == Approx(50));
}

TEST_CASE("a CPU whose innermost level is not one per core is refused with both numbers") {
  REQUIRE_THROWS_WITH(
      chip_of("cpu", {level("DRAM", 0, 1)},
              "cores: 4\nsimd_bits: 128\nprecisions: {fp32: 1}\nmac_energy: {fp32: {value: 1 pJ, source: t}}\n"),
      Catch::Contains("1 instances") && Catch::Contains("4 cores"));
}
