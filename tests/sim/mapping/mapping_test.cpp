#include "sim/mapping/mapping.hpp"

#include <catch2/catch.hpp>

namespace tilewright {
namespace {

constexpr auto in_time = LoopKind::temporal;
constexpr auto along_x = LoopKind::spatial_x;
const std::vector<bool> all{true, true, true};

Operand operand(const char* name, Role role, std::vector<Axis> axes) {
  Operand result;
  result.name = name;
  result.role = role;
  result.type = DataType::int8;
  result.axes = std::move(axes);
  return result;
}

/// Z[M, N] += A[M, K] B[K, N], one byte a word.
Problem product(std::int64_t m, std::int64_t n, std::int64_t k) {
  Problem problem;
  problem.dims = {{"M", m}, {"N", n}, {"K", k}};
  problem.operands = {operand("A", Role::input, {{{0, 1}}, {{2, 1}}}), operand("B", Role::weight, {{{2, 1}}, {{1, 1}}}),
                      operand("Z", Role::output, {{{0, 1}}, {{1, 1}}})};
  return problem;
}

Chip two_levels(double capacity) {
  Chip chip;
  chip.levels.resize(2);
  chip.levels[0].name = "DRAM";
  chip.levels[0].fanout_x = 4;
  chip.levels[1].name = "Buffer";
  chip.levels[1].capacity = Bytes{capacity};
  return chip;
}

std::string reason(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  const auto result = check(problem, mapping, chip);
  return result ? "" : result.error().level + ": " + result.error().reason;
}

}  // namespace

TEST_CASE("tiles are the products of the inner loops, clipped at the bound") {
  const Problem problem = product(10, 8, 16);
  const Mapping mapping{
      {{{{0, 3, in_time}}, all}, {{{0, 4, in_time}, {1, 8, in_time}, {2, 16, in_time}}, all}}};  // M: 3 x 4 covers 10
  CHECK(tile_extents(problem, mapping, 0) == std::vector<std::int64_t>{10, 8, 16});
  CHECK(tile_extents(problem, mapping, 1) == std::vector<std::int64_t>{4, 8, 16});
  CHECK(tile_extents(problem, mapping, 2) == std::vector<std::int64_t>{1, 1, 1});
  CHECK(tile_bytes(problem, mapping, 1) == 4 * 16 + 16 * 8 + 4 * 8);
}

TEST_CASE("words narrower than a byte are packed per operand") {
  Problem problem = product(3, 1, 1);
  for (Operand& o : problem.operands) o.type = DataType::int4;
  const Mapping mapping{{{{{0, 3, in_time}}, all}}};
  CHECK(tile_bytes(problem, mapping, 0) == 2 + 1 + 2);  // 3, 1 and 3 words of 4 bit
}

TEST_CASE("a mapping must cover every dim with loops no longer than what is left") {
  const Problem problem = product(10, 8, 16);
  const Chip chip = two_levels(1e6);
  CHECK(reason(problem, {{{{{0, 3, in_time}}, all}, {{{0, 4, in_time}, {1, 8, in_time}, {2, 16, in_time}}, all}}}, chip)
            .empty());
  CHECK(reason(problem, {{{{{0, 2, in_time}}, all}, {{{0, 4, in_time}, {1, 8, in_time}, {2, 16, in_time}}, all}}},
               chip) == ": the loops of M cover 8 of 10");
  CHECK(reason(problem, {{{{{0, 4, in_time}}, all}, {{{0, 4, in_time}, {1, 8, in_time}, {2, 16, in_time}}, all}}},
               chip) == "DRAM: loop M=4 is outside 1 to 3 (bound 10, tile below 4)");
  CHECK(reason(problem, {{{{{0, 3, in_time}}, all}}}, chip) == ": the mapping has 1 levels, the chip 2");
  CHECK(reason(problem, {{{{}, {true, true, false}}, {{}, all}}}, chip) == "DRAM: the outermost level must keep Z");
  CHECK(reason(problem, {{{{{7, 3, in_time}}, all}, {{}, all}}}, chip) == "DRAM: a loop names dim 7 of 3");
}

TEST_CASE("spatial loops fit the fan-out and tiles the capacity") {
  const Problem problem = product(8, 8, 8);
  const Mapping wide{{{{{0, 8, along_x}}, all}, {{{1, 8, in_time}, {2, 8, in_time}}, all}}};
  CHECK(reason(problem, wide, two_levels(1e6)) == "DRAM: spatial loops use 8 instances along x, the fan-out is 4");
  // A 2 x 8, B 8 x 8, Z 2 x 8: 96 bytes.
  const Mapping tiled{{{{{0, 4, in_time}}, all}, {{{0, 2, in_time}, {1, 8, in_time}, {2, 8, in_time}}, all}}};
  CHECK(reason(problem, tiled, two_levels(96)).empty());
  const auto full = check(problem, tiled, two_levels(95));
  REQUIRE_FALSE(full);
  CHECK(full.error().needed == 96);
  CHECK(full.error().available == 95);
  // Double buffered: A and Z move with M and need two tiles, B stays: 2 x 16 + 64 + 2 x 16 = 128.
  Chip chip = two_levels(128);
  chip.levels[1].double_buffered = true;
  CHECK(reason(problem, tiled, chip).empty());
  chip.levels[1].capacity = Bytes{127};
  CHECK_FALSE(check(problem, tiled, chip).has_value());
}

TEST_CASE("the trivial mapping is legal where one word of each operand fits") {
  const Problem problem = product(5, 1, 7);
  const Chip chip = two_levels(6);  // one byte each, twice where double buffered
  const Mapping mapping = trivial_mapping(problem, chip, {all, all});
  CHECK(mapping.levels[0].loops == std::vector<Loop>{{0, 5, in_time}, {2, 7, in_time}});
  CHECK(mapping.levels[1].loops.empty());
  CHECK(reason(problem, mapping, chip).empty());
}

TEST_CASE("a mapping prints as an indented loop nest") {
  const Problem problem = product(8, 8, 8);
  const Mapping mapping{
      {{{{0, 2, in_time}, {0, 4, along_x}}, all}, {{{1, 8, in_time}, {2, 8, in_time}}, {true, false, true}}}};
  CHECK(to_code(problem, mapping, two_levels(100)) ==
        "// DRAM: A, B, Z\n"
        "for M in 0..2\n"
        "  parallel x M in 0..4\n"
        "    // Buffer: A, Z\n"
        "    for N in 0..8\n"
        "      for K in 0..8\n"
        "        Z[M, N] += A[M, K] * B[K, N]\n");
}

}  // namespace tilewright
