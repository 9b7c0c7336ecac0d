#include "workloads/problem.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {

/// Calls visit(index) for every iteration point of the given extents.
template <typename Visit>
void for_each_point(const std::vector<std::int64_t>& extents, Visit visit) {
  std::vector<std::int64_t> at(extents.size(), 0);
  while (true) {
    visit(at);
    std::size_t d = 0;
    while (d < at.size() && ++at[d] == extents[d]) at[d++] = 0;
    if (d == at.size()) return;
  }
}

/// The bounding box by visiting every point: product over axes of (largest - smallest index + 1).
std::int64_t box_by_enumeration(const Operand& operand, const std::vector<std::int64_t>& extents) {
  std::int64_t words = 1;
  for (const Axis& axis : operand.axes) {
    std::int64_t low = 0, high = 0;
    for_each_point(extents, [&](const std::vector<std::int64_t>& at) {
      std::int64_t value = 0;
      for (const Term& term : axis) value += term.coefficient * at[static_cast<std::size_t>(term.dim)];
      low = std::min(low, value);
      high = std::max(high, value);
    });
    words *= high - low + 1;
  }
  return words;
}

Operand output() { return {"outputs", Role::output, DataType::fp32, {{{0, 1}}}}; }

}  // namespace

TEST_CASE("a strided and dilated window needs (P-1) stride + (R-1) dilation + 1 rows") {
  // P = 5, stride 2, R = 3, dilation 4: 4 x 2 + 2 x 4 + 1 = 17.
  const Operand rows{"inputs", Role::input, DataType::fp32, {{{0, 2}, {1, 4}}}};
  CHECK(box_words(rows, {5, 3}) == 17);
  CHECK(box_words(rows, {1, 1}) == 1);
}

TEST_CASE("boxes and points of random small problems equal those found by enumeration") {
  std::mt19937 random(7);
  const auto draw = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  for (int round = 0; round < 300; ++round) {
    Problem problem;
    std::vector<std::int64_t> extents;
    const int dims = draw(1, 4);
    for (int d = 0; d < dims; ++d) {
      extents.push_back(draw(1, 5));
      problem.dims.push_back({std::string(1, static_cast<char>('A' + d)), extents.back()});
    }
    Operand operand{"inputs", Role::input, DataType::fp32, {}};
    for (int a = draw(0, 3); a > 0; --a) {
      Axis axis;
      for (int t = draw(0, 3); t > 0; --t) axis.push_back({draw(0, dims - 1), draw(0, 4)});
      operand.axes.push_back(axis);
    }
    std::int64_t points = 0;
    for_each_point(extents, [&](const auto&) { ++points; });
    CHECK(problem.points() == points);
    CHECK(box_words(operand, extents) == box_by_enumeration(operand, extents));
    CHECK(tensor_words(problem, operand) == box_words(operand, extents));
  }
}

TEST_CASE("a dim is relevant to the operands that it moves") {
  const Operand operand{"inputs", Role::input, DataType::fp32, {{{0, 2}, {1, 0}}}};
  CHECK(relevant(operand, 0));
  CHECK_FALSE(relevant(operand, 1));
  CHECK_FALSE(relevant(operand, 2));
}

TEST_CASE("sizes beyond 2^62 points are errors, not wrapped numbers") {
  const std::int64_t huge = std::int64_t{1} << 62;
  Problem problem{{{"M", huge}}, {output()}};
  CHECK(problem.points() == huge);
  problem.dims.push_back({"N", 2});
  CHECK_THROWS_AS(problem.points(), OverflowError);
  CHECK_THROWS_AS(validate(problem), OverflowError);
  const Operand wide{"inputs", Role::input, DataType::fp32, {{{0, 4}}}};
  CHECK_THROWS_AS(box_words(wide, {huge, 1}), OverflowError);
}

TEST_CASE("a problem that does not make sense is refused") {
  const Problem good{{{"M", 4}}, {{"inputs", Role::input, DataType::fp32, {{{0, 1}}}}, output()}};
  CHECK_NOTHROW(validate(good));
  CHECK_NOTHROW(validate(Problem{{{"E", 4}}, {output()}}));
  Problem bad = good;
  SECTION("no dims") { bad.dims.clear(); }
  SECTION("a bound of zero") { bad.dims[0].bound = 0; }
  SECTION("a dim twice") { bad.dims.push_back({"M", 2}); }
  SECTION("a term without a dim") { bad.operands[0].axes[0][0].dim = 1; }
  SECTION("an operand twice") { bad.operands[0].name = "outputs"; }
  SECTION("two outputs") { bad.operands[0].role = Role::output; }
  SECTION("no output") { bad.operands[1].role = Role::input; }
  SECTION("an output that is not the last") { std::swap(bad.operands[0], bad.operands[1]); }
  SECTION("a density of zero") { bad.operands[0].density = 0; }
  SECTION("a density above one") { bad.operands[0].density = 1.5; }
  SECTION("negative work") { bad.ops_per_point = -1; }
  CHECK_THROWS_AS(validate(bad), InputError);
}

TEST_CASE("every data type and precision is found again by its name") {
  for (const std::string& text : data_type_names()) {
    REQUIRE(data_type_from(text));
    CHECK(name(*data_type_from(text)) == text);
  }
  for (const char* text : {"fp32", "int8", "w8a16", "w4a16"}) {
    REQUIRE(precision_from(text));
    CHECK(name(*precision_from(text)) == text);
  }
  CHECK(bits(DataType::tf32) == 32);
  CHECK(bits(DataType::int4) == 4);
  CHECK_FALSE(data_type_from("fp31"));
  CHECK_FALSE(precision_from("w3a3"));
}
