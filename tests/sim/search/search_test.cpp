#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "arch_models/load.hpp"
#include "sim/search/search.hpp"
#include "sim/search/solved.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

const std::vector<Objective> objectives{Objective::latency, Objective::energy, Objective::edp};

std::vector<Problem> problems(DataType type) {
  return {gemm(64, 48, 96, type), gemm(1, 100, 33, type), gemm(1, 1, 1, type), conv(16, 8, 14, 3, 1, type),
          conv(7, 3, 9, 5, 2, type)};
}

/// R rows of C columns, read in T passes.
Problem row_wise(std::int64_t rows, std::int64_t passes, std::int64_t columns) {
  Problem p;
  p.compute = Compute::vector;
  p.ops_per_point = 3;
  p.dims = {{"R", rows}, {"T", passes}, {"C", columns}};
  p.operands = {{"inputs", Role::input, DataType::int8, {{{0, 1}}, {{2, 1}}}},
                {"outputs", Role::output, DataType::int8, {{{0, 1}}, {{2, 1}}}}};
  return p;
}

}  // namespace

TEST_CASE("the search is legal and never worse than the trivial mapping") {
  Chip chip = tiny_chip();
  chip.levels[1].capacity = Bytes{512};
  const ArchFamily& family = family_of(chip);
  for (const Problem& problem : problems(DataType::int8)) {
    const Mapping trivial = trivial_mapping(problem, chip, family.rules(chip, problem).keeps);
    const Evaluation plain = evaluate(problem, trivial, chip);
    for (const Objective objective : objectives) {
      const auto found = find_best(problem, chip, objective);
      REQUIRE(found.has_value());
      REQUIRE(check(problem, found->best.mapping, chip).has_value());
      REQUIRE(score(found->best, chip, objective) <= score(plain, chip, objective));
      REQUIRE(score(found->best, chip, objective) >= score_bound(found->best, chip, objective) * (1 - 1e-12));
    }
  }
}

TEST_CASE("a product that fills the array at once is found at its bound") {
  // 4 x 2 x 2 on a 2x2 array: DRAM needs 20 B at 2 B/cycle; no mapping streams less. Energy: each word crosses DRAM once.
  const Chip chip = tiny_chip();
  const auto fast = find_best(gemm(4, 2, 2), chip, Objective::latency);
  REQUIRE(fast.has_value());
  CHECK(fast->best.cycles.value <= 14);
  const auto frugal = find_best(gemm(4, 2, 2), chip, Objective::energy);
  REQUIRE(frugal.has_value());
  CHECK(frugal->best.levels[0].traffic.value == 20);
}

TEST_CASE("every chip of the library gets a legal mapping within the bounds") {
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    const DataType type = native_type(chip, DataType::int8);
    for (const Problem& problem : problems(type)) {
      const auto found = find_best(problem, chip, Objective::latency);
      INFO(name);
      REQUIRE(found.has_value());
      const Evaluation& e = found->best;
      INFO(to_code(problem, e.mapping, chip));
      REQUIRE(check(problem, e.mapping, chip).has_value());
      REQUIRE(e.cycles.value >= e.cycles_bound.value * (1 - 1e-12));
      REQUIRE(e.energy.total().value >= e.energy_bound.value * (1 - 1e-12));
      REQUIRE(e.energy.total().value > 0);
    }
  }
}

TEST_CASE("no objective is worse served than by the answer to another one", "[repeated]") {
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    for (const Problem& problem : problems(native_type(chip, DataType::int8))) {
      std::vector<Evaluation> found;
      for (const Objective objective : objectives) {
        SearchOptions options;
        options.objective = objective;
        options.other_objectives = true;
        auto answer = find_best(problem, chip, options);
        REQUIRE(answer.has_value());
        CHECK(answer->bound <= score(answer->best, chip, objective));
        CHECK(answer->gap == Approx(1 - answer->bound / score(answer->best, chip, objective)).margin(1e-12));
        found.push_back(std::move(answer->best));
      }
      INFO(name);
      for (std::size_t own = 0; own < objectives.size(); ++own) {
        for (const Evaluation& other : found) {
          REQUIRE(score(found[own], chip, objectives[own]) <= score(other, chip, objectives[own]) * (1 + 1e-9));
        }
      }
    }
  }
}

TEST_CASE("imperfect factors are never worse than perfect ones") {
  const Chip chip = load_chip("edge-systolic-16x16");
  for (const Objective objective : objectives) {
    SearchOptions perfect;
    perfect.objective = objective;
    perfect.factors = Factors::perfect;
    SearchOptions imperfect = perfect;
    imperfect.factors = Factors::imperfect;
    for (const Problem& problem : problems(DataType::int8)) {
      const auto a = find_best(problem, chip, perfect), b = find_best(problem, chip, imperfect);
      REQUIRE((a && b));
      CHECK(score(b->best, chip, objective) <= score(a->best, chip, objective) * (1 + 1e-12));
    }
  }
}

TEST_CASE("a bound without small divisors still fills the array") {
  // 509 is prime: perfect factors use one column of 16; ceil(509 / 16) = 32 passes use all but 3 of 512 places.
  const Chip chip = load_chip("edge-systolic-16x16");
  const auto found = find_best(gemm(256, 509, 256), chip, Objective::latency);
  REQUIRE(found.has_value());
  CHECK(found->best.counts.lanes_used == 16 * 16);
}

TEST_CASE("an equal question under other names gets the same answer in its own names") {
  const Chip chip = tiny_chip();
  Problem other = gemm(18, 12, 20);
  const auto first = find_best(other, chip, Objective::energy);
  other.dims[0].name = "rows";
  other.operands[0].name = "a";
  const auto second = find_best(other, chip, Objective::energy);
  REQUIRE((first && second));
  CHECK(second->best.problem == other);
  CHECK(first->best.mapping == second->best.mapping);
  CHECK(first->evaluated == second->evaluated);
}

TEST_CASE("a chip is the same question whatever lies between its fields") {
  const auto asked = [](auto parameters, int filling) {
    using Parameters = decltype(parameters);
    alignas(Parameters) std::array<std::byte, sizeof(Parameters)> memory;
    std::memset(memory.data(), filling, memory.size());
    Chip chip = tiny_chip();
    chip.parameters = *new (memory.data()) Parameters;  // padding keeps the filling
    return question(gemm(4, 4, 4), chip, {});
  };
  CHECK((asked(CpuParameters{}, 0) == asked(CpuParameters{}, 0xff)));
  CHECK((asked(GpuParameters{}, 0) == asked(GpuParameters{}, 0xff)));
  CHECK((asked(FpgaParameters{}, 0) == asked(FpgaParameters{}, 0xff)));
  CHECK((asked(SystolicParameters{}, 0) == asked(SystolicParameters{}, 0xff)));
  CHECK((asked(NeuromorphicParameters{}, 0) == asked(NeuromorphicParameters{}, 0xff)));
}

TEST_CASE("free keeps are never worse than the chip's own, and may be better") {
  // A level whose accesses cost more than the ones it saves is better left out.
  Chip chip = tiny_chip();
  chip.levels[1].write_energy = picojoules(5000);
  SearchOptions options;
  options.objective = Objective::energy;
  options.budget = thorough_budget;
  const auto fixed = find_best(gemm(8, 8, 8), chip, options);
  options.free_keeps = true;
  const auto free = find_best(gemm(8, 8, 8), chip, options);
  REQUIRE((fixed && free));
  CHECK(free->gap == 0);
  CHECK(free->best.energy.total() < fixed->best.energy.total());
}

TEST_CASE("register levels of one operand each may stand in any order") {
  // Two stores under the array: results outside of weights. Turned round they can only be better or the same.
  Chip chip = tiny_chip();
  BufferLevel results = chip.levels[2];
  results.name = "Sum";
  results.capacity = Bytes{8};
  for (bool& keeps : results.keeps) keeps = !keeps;
  results.keeps[static_cast<int>(Role::input)] = false;
  chip.levels.insert(chip.levels.begin() + 2, results);
  std::swap(chip.levels[2].fanout_x, chip.levels[3].fanout_x);
  SearchOptions options;
  options.objective = Objective::energy;
  const auto fixed = find_best(gemm(12, 8, 6), chip, options);
  options.uneven = true;
  const auto any = find_best(gemm(12, 8, 6), chip, options);
  REQUIRE((fixed && any));
  CHECK(any->gap == 0);
  CHECK(any->best.energy.total() <= fixed->best.energy.total());
}

TEST_CASE("the front of a layer falls in energy as it grows in time, from the fastest to the most frugal mapping") {
  const Chip chip = load_chip("edge-systolic-16x16");
  const Problem problem = conv(16, 8, 14, 3, 1);
  const auto front = pareto_set(problem, chip, {});
  REQUIRE(front.has_value());
  REQUIRE_FALSE(front->empty());
  for (std::size_t i = 1; i < front->size(); ++i) {
    CHECK((*front)[i].cycles > (*front)[i - 1].cycles);
    CHECK((*front)[i].energy.total() < (*front)[i - 1].energy.total());
  }
  CHECK(front->front().cycles == find_best(problem, chip, Objective::latency)->best.cycles);
  CHECK(front->back().energy.total() == find_best(problem, chip, Objective::energy)->best.energy.total());
}

TEST_CASE("the same question gets the same answer") {
  const Chip chip = tiny_chip();
  const auto first = find_best(conv(6, 4, 7, 3, 1), chip, Objective::edp),
             second = find_best(conv(6, 4, 7, 3, 1), chip, Objective::edp);
  REQUIRE((first && second));
  CHECK(first->best.mapping == second->best.mapping);
  CHECK(first->evaluated == second->evaluated);
}

TEST_CASE("runners-up differ from the best and from each other") {
  const auto found = find_best(gemm(12, 10, 8), tiny_chip(), Objective::energy);
  REQUIRE(found.has_value());
  REQUIRE(found->runners_up.size() == 4);
  std::vector<Mapping> all{found->best.mapping};
  for (const Evaluation& e : found->runners_up) {
    CHECK(std::find(all.begin(), all.end(), e.mapping) == all.end());
    all.push_back(e.mapping);
  }
}

TEST_CASE("a bigger buffer never needs more DRAM energy") {
  double before = 1e300;
  for (const double capacity : {32.0, 128.0, 512.0, 4096.0}) {
    Chip chip = tiny_chip();
    chip.levels[1].capacity = Bytes{capacity};
    const auto found = find_best(gemm(24, 24, 24), chip, Objective::energy);
    REQUIRE(found.has_value());
    CHECK(found->best.energy.total().value <= before * (1 + 1e-12));
    before = found->best.energy.total().value;
  }
}

TEST_CASE("a buffer that cannot hold a word of each operand is infeasible by name") {
  Chip chip = tiny_chip();
  chip.levels[1].capacity = Bytes{2};
  const auto found = find_best(gemm(4, 4, 4), chip, Objective::latency);
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().level == "Buffer");
  CHECK(found.error().needed > found.error().available);
  CHECK(found.error().remedy == "Buffer needs 6 B instead of 2 B");
}

TEST_CASE("passes over a row stay outside the loops over its columns") {
  Chip chip = tiny_chip();
  for (const double capacity : {8.0, 64.0, 4096.0}) {  // less than, about, more than a row of 48 words twice
    chip.levels[1].capacity = Bytes{capacity};
    const auto found = find_best(row_wise(6, 2, 48), chip, Objective::latency);
    REQUIRE(found.has_value());
    bool columns_seen = false;
    for (const LevelMapping& level : found->best.mapping.levels) {
      for (const Loop& loop : level.loops) {
        if (loop.kind != LoopKind::temporal) continue;
        if (loop.dim == 1) CHECK_FALSE(columns_seen);
        if (loop.dim == 2) columns_seen = true;
      }
    }
    // A row that fits is read from DRAM once, one that does not is read in each pass.
    const std::int64_t reads = found->best.counts.levels[0][0].reads;
    if (capacity < 48) CHECK(reads == 2 * 6 * 48);
    if (capacity > 1000) CHECK(reads == 6 * 48);
  }
}

TEST_CASE("an engine with wired sides is filled on all of them") {
  // 8 pixels x 16 inputs x 16 outputs: 4096^3 points / (3 engines x 2048 lanes), the rows a little unevenly over three engines.
  const Chip chip = load_chip("zcu102-dpu");
  const auto found = find_best(gemm(4096, 4096, 4096), chip, Objective::latency);
  REQUIRE(found.has_value());
  CHECK(found->best.utilization > 0.98);
}

TEST_CASE("a buffer shared by two operands is split between them") {
  // Eyeriss keeps inputs and results in 51,200 words and streams the weights past them. With tiles of m rows, n columns and few of K
  // the inputs cross DRAM 8192 / n times and the weights 8192 / m times; m = n = 224 gives 37 + 37 times 67 million words of two bytes
  // at 2.4 bytes per cycle: 4.1e9 cycles.
  const auto found = find_best(gemm(8192, 8192, 8192, DataType::int16), load_chip("eyeriss"), Objective::latency);
  REQUIRE(found.has_value());
  CHECK(found->best.cycles.value < 1.15 * 4.1e9);
}

TEST_CASE("a second activation goes where the chip keeps activations") {
  // The array of this chip holds weights only: a product of two activations would otherwise fetch a word from DRAM for every point.
  const Chip chip = load_chip("zigzag-tpu-like");
  Problem product = gemm(128, 128, 64);
  product.operands[1].role = Role::input;
  const auto found = find_best(product, chip, Objective::latency);
  REQUIRE(found.has_value());
  CHECK(found->best.levels[0].traffic.value == 128 * 64 + 64 * 128 + 128 * 128);
}
