#include <catch2/catch.hpp>

#include "sim/cost/cost.hpp"
#include "sim/cost/cost_model.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

/// M = 4 rows stream through a 2x2 array that holds all of K = 2 (rows) and N = 2 (columns).
Mapping all_at_once() {
  Mapping m;
  m.levels.resize(3);
  m.levels[0].keeps = {true, true, true};
  m.levels[1] = {{{2, 2, LoopKind::spatial_y}, {1, 2, LoopKind::spatial_x}}, {true, true, true}};
  m.levels[2] = {{{0, 4, LoopKind::temporal}}, {false, true, false}};
  return m;
}

}  // namespace

TEST_CASE("a product that fits the array at once costs what paper says") {
  const Chip chip = tiny_chip();
  const Problem problem = gemm(4, 2, 2);
  REQUIRE(check(problem, all_at_once(), chip).has_value());
  const Evaluation e = evaluate(problem, all_at_once(), chip);

  // DRAM: reads 8 inputs and 4 weights at 100 pJ, writes 8 results at 200 pJ. 20 B at 2 B/cycle.
  CHECK(in_picojoules(e.levels[0].energy) == Approx(12 * 100 + 8 * 200));
  CHECK(e.levels[0].traffic.value == 20);
  CHECK(e.levels[0].time.value == 10);
  // Buffer, two int8 words an access: weights 2 fills x 12 + 2 reads x 10 = 44; inputs 4 x 12 + 4 x 10 = 88 (each read is multicast
  // to both columns); results 4 updates x 12 (summed over the rows in the array) + 4 drains x 10 = 88. 40 B at 16 B/cycle.
  CHECK(in_picojoules(e.levels[1].operand_energy[0]) == Approx(88));
  CHECK(in_picojoules(e.levels[1].operand_energy[1]) == Approx(44));
  CHECK(in_picojoules(e.levels[1].operand_energy[2]) == Approx(88));
  CHECK(e.levels[1].traffic.value == 40);
  CHECK(e.levels[1].time.value == 2.5);
  // PE: 4 weights written once, read for each of the 16 MACs.
  CHECK(in_picojoules(e.levels[2].energy) == Approx(4 + 16));
  CHECK(in_picojoules(e.energy.memory) == Approx(2800 + 220 + 20));
  CHECK(in_picojoules(e.energy.compute) == Approx(16));
  CHECK(e.energy.static_.value == 0);

  // One fold of 4 rows: 4 cycles; weights load in 2 and the skew is 2 + 2 - 2. The first tile (12 B at 2 B/cycle) is there after 6
  // cycles, so the array ends after 6 + 4 = 10, as DRAM does.
  CHECK(e.compute.cycles.value == 4);
  CHECK(e.compute.fill_drain.value == 4);
  CHECK(e.cycles.value == 14);
  CHECK(e.overhead.value == 4);
  CHECK(e.bounds.front().name == "memory:DRAM");
  CHECK(e.utilization == Approx(16.0 / (4 * 14)));
  CHECK(e.cycles_bound.value == 10);
  // Bound: DRAM once per word 2800, link of the 12 words read 96 bit x 1 pJ, 16 MACs.
  CHECK(in_picojoules(e.energy_bound) == Approx(2800 + 96 + 16));
}

TEST_CASE("a level with separate ports takes as long as the busier of reads and writes") {
  Chip chip = tiny_chip();
  chip.levels[1].separate_ports = true;
  // Reads: 4 weights, 8 inputs, 8 drains; writes: 4 + 8 fills, 8 updates: 20 B each at 16 B/cycle, where shared ports need 40 / 16.
  CHECK(evaluate(gemm(4, 2, 2), all_at_once(), chip).levels[1].time.value == 1.25);
}

TEST_CASE("launching a kernel takes its time on top and binds when it is the longest") {
  Chip chip = tiny_chip();
  chip.launch_overhead = Seconds{1e-6};  // 1000 cycles at 1 GHz
  const Evaluation e = evaluate(gemm(4, 2, 2), all_at_once(), chip);
  CHECK(e.cycles.value == Approx(1014));
  CHECK(e.bounds.front().name == "overhead");
  CHECK(e.cycles_bound.value == Approx(1010));
}

TEST_CASE("static power and leakage cost energy for as long as the layer runs") {
  Chip chip = tiny_chip();
  chip.static_power = Watts{0.5};
  chip.levels[2].leakage = Watts{0.125};  // 4 instances
  const Evaluation e = evaluate(gemm(4, 2, 2), all_at_once(), chip);
  CHECK(e.energy.static_.value == Approx(1.0 * 14e-9));  // 1 W x 14 ns
  CHECK(e.energy.total().value ==
        Approx((e.energy.compute + e.energy.memory + e.energy.link + e.energy.static_).value));
}

TEST_CASE("a slow buffer becomes the bound and a buffer without a bandwidth never does") {
  Chip chip = tiny_chip();
  chip.levels[1].bandwidth = BytesPerCycle{1};
  CHECK(evaluate(gemm(4, 2, 2), all_at_once(), chip).bounds.front().name == "memory:Buffer");  // 40 cycles
  chip.levels[1].bandwidth = BytesPerCycle{0};
  CHECK(evaluate(gemm(4, 2, 2), all_at_once(), chip).bounds.front().name == "memory:DRAM");
}

TEST_CASE("a level that is not double buffered exposes its first tile") {
  Chip chip = tiny_chip();
  chip.levels[2].double_buffered = false;
  // The first tile goes on from the buffer: 4 weights and the inputs of one step, 8 words in the union of all steps: 12 B at 16 B/cycle.
  const Evaluation e = evaluate(gemm(4, 2, 2), all_at_once(), chip);
  CHECK(e.cycles.value > 14);
  CHECK(e.cycles.value <= 14.75);
}

TEST_CASE("the family sees what is unrolled and what is iterated") {
  const Problem problem = gemm(8, 4, 2);
  Mapping m = all_at_once();
  m.levels[0].loops = {{0, 2, LoopKind::temporal}};
  m.levels[1].loops.insert(m.levels[1].loops.begin(), {1, 2, LoopKind::temporal});
  const ArrayPass pass = array_pass(problem, m, tiny_chip());
  CHECK(pass.spatial == std::vector<std::int64_t>{1, 2, 2});
  CHECK(pass.temporal == std::vector<std::int64_t>{4, 1, 1});
  CHECK(pass.chip == std::vector<std::int64_t>{1, 1, 1});
  CHECK(pass.passes == 4);  // 2 of M at DRAM x 2 of N at the buffer
}

TEST_CASE("a stride that skips elements lowers what must be read") {
  const Problem dense = conv(1, 1, 4, 3, 1);     // 4 outputs, window 3: 6 x 6 inputs
  const Problem skipping = conv(1, 1, 4, 1, 2);  // window 1, stride 2: 4 x 4 of the 7 x 7 box
  CHECK(touched_words(dense, dense.operands[0]) == 36);
  CHECK(touched_words(skipping, skipping.operands[0]) == 16);
  CHECK(tensor_words(skipping, skipping.operands[0]) == 49);
}

TEST_CASE("each objective scores its own unit") {
  const Chip chip = tiny_chip();
  const Evaluation e = evaluate(gemm(4, 2, 2), all_at_once(), chip);
  CHECK(score(e, chip, Objective::latency) == Approx(14e-9));
  CHECK(score(e, chip, Objective::energy) == Approx(e.energy.total().value));
  CHECK(score(e, chip, Objective::edp) == Approx(14e-9 * e.energy.total().value));
  CHECK(score_bound(e, chip, Objective::latency) == Approx(10e-9));
}
