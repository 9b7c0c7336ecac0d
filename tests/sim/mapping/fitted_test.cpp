// Mappings taken over to problems and chips that have changed.
#include "sim/mapping/fitted.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

/// Weights stay in the 2x2 array: K and N unrolled, M in the buffer, the rest outside.
Mapping stationary(std::int64_t m, std::int64_t n, std::int64_t k) {
  Mapping mapping;
  mapping.levels.resize(3);
  mapping.levels[0] = {{{1, n / 2, LoopKind::temporal}, {2, k / 2, LoopKind::temporal}}, {true, true, true}};
  mapping.levels[1] = {{{0, m, LoopKind::temporal}, {1, 2, LoopKind::spatial_x}, {2, 2, LoopKind::spatial_y}},
                       {true, true, true}};
  mapping.levels[2] = {{}, {false, true, false}};
  return mapping;
}

}  // namespace

TEST_CASE("a legal mapping that fills the array stays as it is") {
  const Mapping mapping = stationary(4, 6, 8);
  REQUIRE(check(gemm(4, 6, 8), mapping, tiny_chip()));
  CHECK(fitted(mapping, gemm(4, 6, 8), tiny_chip()) == mapping);
}

TEST_CASE("unrolled loops take the fan-out that there is") {
  Chip chip = tiny_chip();
  chip.levels[1].fanout_x = 4;
  chip.levels[1].fanout_y = 1;
  const auto mapping = fitted(stationary(4, 8, 8), gemm(4, 8, 8), chip);
  REQUIRE(mapping);
  // N = 8 over 4 columns leaves 2 outside, K = 8 over one row leaves all 8.
  CHECK(mapping->levels[1].loops[1].bound == 4);
  CHECK(mapping->levels[1].loops[2].bound == 1);
  CHECK(mapping->levels[0].loops[0].bound == 2);
  CHECK(mapping->levels[0].loops[1].bound == 8);
}

TEST_CASE("a tile that no longer fits is halved, and the outermost level repeats it") {
  Chip chip = tiny_chip();
  // 4 rows of M: inputs 4 x 2, weights 2 x 2, outputs 4 x 2 of 4 bytes at most, each twice. Half of the rows need about half of it.
  Problem problem = gemm(4, 6, 8);
  const auto whole = static_cast<double>(occupied_bytes(problem, stationary(4, 6, 8), chip, 1));
  chip.levels[1].capacity = Bytes{whole - 1};
  const auto mapping = fitted(stationary(4, 6, 8), problem, chip);
  REQUIRE(mapping);
  CHECK(mapping->levels[1].loops[0].bound == 2);
  CHECK(mapping->levels[0].loops.front() == Loop{0, 2, LoopKind::temporal});
  chip.levels[1].capacity = Bytes{1};
  CHECK_FALSE(fitted(stationary(4, 6, 8), problem, chip));
}

TEST_CASE("whatever changes, a fitted mapping is legal, and it refuses other shapes") {
  std::mt19937_64 random(11);
  const auto any = [&](std::int64_t most) {
    return 1 + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most));
  };
  int fits = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    Chip chip = tiny_chip();
    chip.levels[1].fanout_x = any(9);
    chip.levels[1].fanout_y = any(9);
    chip.levels[1].capacity = Bytes{static_cast<double>(any(400))};
    const Problem problem = gemm(any(40), any(40), any(40));
    const auto mapping = fitted(stationary(any(12), 2 * any(9), 2 * any(9)), problem, chip);
    if (!mapping) continue;
    ++fits;
    REQUIRE(check(problem, *mapping, chip));
  }
  CHECK(fits > 1000);
  CHECK_FALSE(fitted(stationary(4, 6, 8), conv(4, 4, 4, 3, 1), [] {
    Chip chip = tiny_chip();
    chip.levels.pop_back();
    return chip;
  }()));
}
