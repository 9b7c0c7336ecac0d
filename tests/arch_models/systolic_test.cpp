#include <catch2/catch.hpp>

#include "core/checked.hpp"
#include "tests/arch_models/problems.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

Chip array(std::int64_t rows, std::int64_t cols, const std::string& dataflow, bool double_buffered,
           const std::string& more = "") {
  return chip_of("systolic", {level("DRAM", 0, 1), level("Buffer", 1 << 20, 1)},
                 "rows: " + std::to_string(rows) + "\ncols: " + std::to_string(cols) + "\ndataflow: " + dataflow +
                     "\nweights_double_buffered: " + (double_buffered ? "true" : "false") +
                     "\nprecisions: {int8: 1, fp16: 0.5}\nmac_energy: {int8: {value: 0.2 pJ, source: t}, fp16: {value: "
                     "1 pJ, source: t}}\n" +
                     more);
}

/// A pass that unrolls `y` over the rows and `x` over the columns and streams the third dim.
ArrayPass fold(const Problem& p, const char* y, std::int64_t rows, const char* x, std::int64_t cols,
               const char* stream) {
  const auto bound = [&](const char* name) { return p.dims[static_cast<std::size_t>(p.dim(name))].bound; };
  const std::int64_t folds = ceil_div(bound(y), rows) * ceil_div(bound(x), cols);
  return pass_of(p, {{y, std::min(rows, bound(y))}, {x, std::min(cols, bound(x))}}, {{stream, bound(stream)}}, folds);
}

}  // namespace

TEST_CASE("the single-buffered fold formulas give SCALE-Sim's cycles") {
  // SCALE-Sim v2 (22f88b17f1dd), topology GEMM_mnk/NCF.csv layer 10, M 128, K 2048, N 1; its total is the index of the last line, one less.
  struct Row {
    const char* dataflow;
    std::int64_t rows, cols, total;
  };
  const Problem p = product(128, 1, 2048, DataType::int8);
  for (const Row& row : {Row{"input_stationary", 12, 14, 63269}, Row{"input_stationary", 16, 16, 48127},
                         Row{"input_stationary", 32, 32, 24319}, Row{"output_stationary", 8, 8, 32991},
                         Row{"output_stationary", 32, 32, 8439}, Row{"output_stationary", 128, 128, 2301},
                         Row{"weight_stationary", 8, 8, 38399}}) {
    const Chip chip = array(row.rows, row.cols, row.dataflow, false);
    const std::string dataflow = row.dataflow;
    const ArrayPass pass = dataflow == "input_stationary"    ? fold(p, "K", row.rows, "M", row.cols, "N")
                           : dataflow == "output_stationary" ? fold(p, "M", row.rows, "N", row.cols, "K")
                                                             : fold(p, "K", row.rows, "N", row.cols, "M");
    const ComputeCost cost = cost_of(chip, p, pass);
    INFO(row.dataflow << " " << row.rows << "x" << row.cols << ": " << cost.why);
    REQUIRE(cost.cycles.value == Approx(static_cast<double>(row.total + 1)).epsilon(1e-12));
    REQUIRE(cost.fill_drain.value == 0);
  }
}

TEST_CASE("a double-buffered array hides the weight load behind long folds only") {
  // 4 x 4 array, K 8: two folds. M 8: max(8, 4) each = 16 cycles; M 2: the load of 4 rows bounds, 2 x 4 = 8. Once: 4 rows + skew 4 + 4 - 2.
  const Chip chip = array(4, 4, "weight_stationary", true);
  const Problem longer = product(8, 4, 8, DataType::int8), shorter = product(2, 4, 8, DataType::int8);
  REQUIRE(cost_of(chip, longer, fold(longer, "K", 4, "N", 4, "M")).cycles.value == 16);
  REQUIRE(cost_of(chip, longer, fold(longer, "K", 4, "N", 4, "M")).fill_drain.value == 10);
  REQUIRE(cost_of(chip, shorter, fold(shorter, "K", 4, "N", 4, "M")).cycles.value == 8);
}

TEST_CASE("a PE that holds several weights takes as many shifts to load") {
  // 4 x 4 array, K 8, N 4, M 2, both weights of a column pair in one PE: one pass of 2 x 2 steps, but 2 x 4 rows to shift.
  const Chip chip = array(4, 4, "weight_stationary", true);
  const Problem p = product(2, 4, 8, DataType::int8);
  const ComputeCost cost = cost_of(chip, p, pass_of(p, {{"K", 4}, {"N", 4}}, {{"M", 2}, {"K", 2}}, 1));
  REQUIRE(cost.cycles.value == 8);
  REQUIRE(cost.fill_drain.value == 8 + 6);
}

TEST_CASE("half-rate formats stream twice as long") {
  const Chip chip = array(4, 4, "weight_stationary", true);
  const Problem p = product(8, 4, 8, DataType::fp16);
  REQUIRE(cost_of(chip, p, fold(p, "K", 4, "N", 4, "M")).cycles.value == 32);
}

TEST_CASE("a larger array is never slower when the folds are chosen again") {
  const Problem p = product(100, 70, 90, DataType::int8);
  for (const char* dataflow : {"weight_stationary", "output_stationary", "input_stationary"}) {
    double last = 1e300;
    for (std::int64_t side : {1, 2, 4, 8, 16}) {
      const std::string name = dataflow;
      const ArrayPass pass = name == "input_stationary"    ? fold(p, "K", side, "M", side, "N")
                             : name == "output_stationary" ? fold(p, "M", side, "N", side, "K")
                                                           : fold(p, "K", side, "N", side, "M");
      const double cycles = cost_of(array(side, side, dataflow, true), p, pass).cycles.value;
      REQUIRE(cycles <= last);
      last = cycles;
    }
  }
}

TEST_CASE("each dataflow lets its own dims onto rows and columns") {
  const Problem p = convolution(64, 32, 14, 14, 3, DataType::int8);  // N K C P Q R S = 0 .. 6
  const auto axes = [&](const char* dataflow) {
    const Chip chip = array(16, 16, dataflow, true);
    const MapRules rules = family_of(chip).rules(chip, p);
    const auto at = static_cast<std::size_t>(family_of(chip).array_level(chip));
    REQUIRE(at == 1);
    return std::pair{rules.y_dims[at], rules.x_dims[at]};
  };
  REQUIRE(axes("weight_stationary") == std::pair{std::vector<int>{2, 5, 6}, std::vector<int>{1}});
  REQUIRE(axes("output_stationary") == std::pair{std::vector<int>{0, 3, 4}, std::vector<int>{1}});
  REQUIRE(axes("input_stationary") == std::pair{std::vector<int>{2, 5, 6}, std::vector<int>{0, 3, 4}});
}

TEST_CASE("depthwise convolution uses one column of a weight-stationary array") {
  const Problem p = depthwise(32, 14, 3, DataType::int8);  // G P Q R S
  const Chip chip = array(16, 16, "weight_stationary", true);
  const MapRules rules = family_of(chip).rules(chip, p);
  REQUIRE(rules.y_dims.at(1) == std::vector<int>{3, 4});
  REQUIRE(rules.x_dims.at(1).empty());
}

TEST_CASE("a stationary array has a PE level that keeps the stationary operand alone") {
  const Chip chip = array(4, 8, "weight_stationary", true);
  REQUIRE(chip.levels.size() == 3);
  REQUIRE(chip.levels[2].name == "PE");
  REQUIRE(chip.levels[2].instances == 32);
  REQUIRE(chip.levels[2].capacity->value == 8);
  REQUIRE(chip.levels[1].fanout_x == 8);
  REQUIRE(chip.levels[1].fanout_y == 4);
  const Problem p = product(8, 8, 8, DataType::int8);
  REQUIRE(family_of(chip).rules(chip, p).keeps.at(2) == std::vector<bool>{false, true, false});
  const Problem v = elementwise(8, 1, DataType::int8);
  REQUIRE(family_of(chip).rules(chip, v).keeps.at(2) == std::vector<bool>{false, false});
  REQUIRE(chip.vector.ops_per_cycle_fp32 == 8);  // one unit per column
}

TEST_CASE("row-stationary passes pay their ramp-up") {
  // Eyeriss, 12 x 14: R 3 x C 4 on the rows (chain of 12), P 13 on the columns; Q 13, S 3 in the scratchpads.
  // C 8 takes two passes: 2 x (13 x 3 + 12 + 3) = 108 cycles.
  const Chip chip = chip_of("systolic", {level("DRAM", 0, 1), level("GLB", 110592, 1), level("Spads", 520, 168)},
                            "rows: 12\ncols: 14\ndataflow: row_stationary\nprecisions: {int16: 1}\n"
                            "mac_energy: {int16: {value: 1 pJ, source: t}}\n");
  const Problem p = convolution(1, 8, 13, 13, 3, DataType::int16);
  REQUIRE(family_of(chip).array_level(chip) == 1);
  REQUIRE(chip.levels.at(1).fanout_x == 14);
  const ComputeCost cost = cost_of(chip, p, pass_of(p, {{"R", 3}, {"C", 4}, {"P", 13}}, {{"Q", 13}, {"S", 3}}, 2));
  REQUIRE(cost.cycles.value == 108);
  const MapRules rules = family_of(chip).rules(chip, p);
  REQUIRE(rules.y_dims.at(1).front() == 5);  // R
  REQUIRE(rules.x_dims.at(1).front() == 3);  // P
}

TEST_CASE("an unknown dataflow names the nearest") {
  REQUIRE_THROWS_WITH(array(4, 4, "weight_stationery", true), Catch::Contains("weight_stationary"));
}
