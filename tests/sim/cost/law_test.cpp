#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "core/checked.hpp"
#include "sim/cost/cost.hpp"
#include "sim/cost/cost_model.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

std::int64_t draw(std::mt19937& random, std::int64_t most) { return 1 + static_cast<std::int64_t>(random()) % most; }

/// A random legal mapping on the tiny chip: random factors from the inside outwards, loops in random order.
Mapping random_mapping(const Problem& problem, const Chip& chip, std::mt19937& random) {
  while (true) {
    Mapping m;
    m.levels.resize(3);
    m.levels[0].keeps = m.levels[1].keeps = {true, true, true};
    m.levels[2].keeps = {false, true, false};
    std::vector<std::int64_t> inside(problem.dims.size(), 1);
    std::int64_t free_x = 2, free_y = 2;
    for (std::size_t l = 3; l-- > 0;) {
      std::vector<Loop> loops, spatial;
      for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) {
        const auto i = static_cast<std::size_t>(d);
        const auto left = [&] { return ceil_div(problem.dims[i].bound, inside[i]); };
        const auto unroll = [&](std::int64_t& free, LoopKind kind) {
          if (l != 1 || free == 1 || left() == 1 || random() % 3 != 0) return;
          spatial.push_back({d, free, kind});
          inside[i] *= free;
          free = 1;
        };
        unroll(free_x, LoopKind::spatial_x);
        unroll(free_y, LoopKind::spatial_y);
        const std::int64_t n = l == 0              ? left()
                               : random() % 2 == 0 ? 1
                                                   : draw(random, std::min<std::int64_t>(left(), 4));
        if (n > 1) loops.push_back({d, n, LoopKind::temporal});
        inside[i] *= n;
      }
      for (std::size_t i = loops.size(); i > 1; --i) std::swap(loops[i - 1], loops[random() % i]);
      loops.insert(loops.end(), spatial.begin(), spatial.end());
      m.levels[l].loops = std::move(loops);
    }
    if (check(problem, m, chip)) return m;
  }
}

const std::vector<Problem>& problems() {
  static const std::vector<Problem> all{gemm(7, 5, 9), gemm(16, 1, 12), conv(6, 3, 5, 3, 1), conv(4, 4, 5, 1, 2),
                                        conv(3, 5, 4, 3, 2)};
  return all;
}

}  // namespace

TEST_CASE("no mapping is faster or needs less energy than the bounds") {
  Chip chip = tiny_chip();
  chip.levels[1].capacity = Bytes{256};
  chip.static_power = Watts{0.01};
  chip.launch_overhead = Seconds{3e-9};
  std::mt19937 random(7);
  for (const Problem& problem : problems()) {
    for (int i = 0; i < 300; ++i) {
      const Mapping m = random_mapping(problem, chip, random);
      const Evaluation e = evaluate(problem, m, chip);
      INFO(to_code(problem, m, chip));
      REQUIRE(e.cycles.value >= e.cycles_bound.value * (1 - 1e-12));
      REQUIRE(e.energy.total().value >= e.energy_bound.value * (1 - 1e-12));
      REQUIRE(e.overhead.value >= 0);
      REQUIRE(e.utilization > 0);
      REQUIRE(e.utilization <= 1);
    }
  }
}

TEST_CASE("doubling every energy doubles the dynamic energy and leaves time alone") {
  Chip chip = tiny_chip();
  Chip doubled = chip;
  for (BufferLevel& level : doubled.levels) {
    level.read_energy = 2.0 * level.read_energy;
    level.write_energy = 2.0 * level.write_energy;
    level.transfer_energy_per_bit = 2.0 * level.transfer_energy_per_bit;
  }
  doubled.arithmetic[DataType::int8].energy_per_mac = picojoules(2);
  std::mt19937 random(11);
  for (const Problem& problem : problems()) {
    for (int i = 0; i < 50; ++i) {
      const Mapping m = random_mapping(problem, chip, random);
      const Evaluation once = evaluate(problem, m, chip), twice = evaluate(problem, m, doubled);
      REQUIRE(twice.energy.total().value == Approx(2.0 * once.energy.total().value));
      REQUIRE(twice.cycles == once.cycles);
    }
  }
}

TEST_CASE("more bandwidth is never slower") {
  const Chip chip = tiny_chip();
  std::mt19937 random(13);
  for (const Problem& problem : problems()) {
    for (int i = 0; i < 100; ++i) {
      const Mapping m = random_mapping(problem, chip, random);
      const Cycles before = evaluate(problem, m, chip).cycles;
      for (const std::size_t level : {0, 1}) {
        Chip wider = chip;
        wider.levels[level].bandwidth = 3.0 * wider.levels[level].bandwidth;
        REQUIRE(evaluate(problem, m, wider).cycles <= before);
      }
    }
  }
}

TEST_CASE("the energies of the operands add up to the level and the levels to the memory energy") {
  const Chip chip = tiny_chip();
  std::mt19937 random(17);
  for (const Problem& problem : problems()) {
    const Evaluation e = evaluate(problem, random_mapping(problem, chip, random), chip);
    Joules memory;
    for (const LevelCost& level : e.levels) {
      Joules sum;
      for (const Joules part : level.operand_energy) sum += part;
      REQUIRE(sum.value == Approx(level.energy.value));
      memory += level.energy;
    }
    REQUIRE(memory.value == Approx(e.energy.memory.value));
  }
}

TEST_CASE("a hundred thousand mappings keep the laws of cost") {
  Chip chip = tiny_chip();
  chip.levels[1].capacity = Bytes{256};
  chip.levels[1].transfer_energy_per_bit = picojoules(0.25);
  Chip doubled = chip, wider = chip, larger = chip;
  for (BufferLevel& level : doubled.levels) {
    level.read_energy = 2.0 * level.read_energy;
    level.write_energy = 2.0 * level.write_energy;
    level.transfer_energy_per_bit = 2.0 * level.transfer_energy_per_bit;
  }
  doubled.arithmetic[DataType::int8].energy_per_mac = picojoules(2);
  for (BufferLevel& level : wider.levels) level.bandwidth = 3.0 * level.bandwidth;
  for (BufferLevel& level : larger.levels) {
    if (level.capacity) level.capacity = 2.0 * *level.capacity;
  }
  std::mt19937 random(19);
  for (const Problem& problem : problems()) {
    const CostModel model = cost_model(problem, chip), twice = cost_model(problem, doubled),
                    fast = cost_model(problem, wider), roomy = cost_model(problem, larger);
    MappingEvaluator evaluator(model), evaluator_twice(twice), evaluator_fast(fast), evaluator_roomy(roomy);
    for (int i = 0; i < 20'000; ++i) {
      const Mapping m = random_mapping(problem, chip, random);
      const CostFigures figures = evaluator.evaluate(m);
      bool kept = figures.cycles.value >= model.cycles_bound.value * (1 - 1e-12) &&
                  figures.energy.total().value >= model.energy_bound.total().value * (1 - 1e-12);
      for (std::size_t o = 0; o < problem.operands.size(); ++o) {
        const OperandAccesses& outer = evaluator.counts().levels[0][o];
        const bool output = problem.operands[o].role == Role::output;
        kept = kept && (output ? outer.updates : outer.reads) >= touched_words(problem, problem.operands[o]);
      }
      kept = kept && evaluator_twice.evaluate(m).energy.total().value == 2 * figures.energy.total().value;
      kept = kept && evaluator_fast.evaluate(m).cycles <= figures.cycles;
      const CostFigures room = evaluator_roomy.evaluate(m);
      kept = kept && check(problem, m, larger) && room.cycles == figures.cycles &&
             room.energy.total() == figures.energy.total();
      if (!kept) FAIL("mapping " << i << "\n" << to_code(problem, m, chip));
    }
  }
}
