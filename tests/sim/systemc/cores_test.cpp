#include <catch2/catch.hpp>
#include <map>

#include "arch_models/load.hpp"
#include "sim/search/search.hpp"
#include "sim/systemc/simulate.hpp"
#include "sim/twin/cores.hpp"
#include "sim/twin/layered.hpp"
#include "sim/twin/ledger.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

namespace tilewright {
namespace {

using testing::gemm;
using testing::tiny_chip;

struct Played {
  PlayResult result;
  std::vector<TimeParts> rows;
};

Played play(const std::vector<KernelRun>& runs, const Chip& chip, std::int64_t most_cores = 256) {
  const auto program = layered_program(runs, chip, 1000, most_cores);
  Ledger ledger(*program);
  Played played;
  played.result = simulate(*program, &ledger, {});
  ledger.close(played.result.end);
  played.rows = ledger.rows();
  return played;
}

/// Two 2 x 2 arrays, each under a buffer of its own.
Chip two_cores() {
  Chip chip = tiny_chip();
  chip.levels[0].fanout_x = 2;
  chip.levels[1].instances = 2;
  chip.levels[1].bandwidth = BytesPerCycle{0};
  chip.levels[2].instances = 8;
  return chip;
}

/// A product of `rows` rows, half of them on each core, in steps of `tile` rows a core.
Evaluation product(std::int64_t rows, std::int64_t steps, std::int64_t tile, double cycles, const Chip& chip) {
  Evaluation e;
  e.problem = gemm(rows, 1, 2);
  e.mapping.levels = {{{{0, steps, LoopKind::temporal}, {0, 2, LoopKind::spatial_x}}, {true, true, true}},
                      {{{0, tile, LoopKind::temporal}, {2, 2, LoopKind::temporal}}, {true, true, true}},
                      {{}, {false, false, false}}};
  e.problem.operands[1].on_chip = true;
  e.counts = count_accesses(e.problem, e.mapping);
  e.levels.resize(chip.levels.size());
  e.compute.cycles = Cycles{cycles};
  return e;
}

}  // namespace

TEST_CASE("the cores of a chip: a CPU's own caches, a GPU's multiprocessors, an overlay's engines, an array's none") {
  const std::map<std::string, std::string> expected{
      {"epyc-7763", "L2"}, {"raspberry-pi-4", "L1"}, {"a100-sxm4-80gb", "SM"}, {"zcu102-dpu", "Engine"}};
  for (const auto& [name, level] : expected) {
    const Chip chip = load_chip(name);
    CHECK(chip.levels[core_level(chip)].name == level);
  }
  for (const char* name : {"tpu-v1", "eyeriss", "gemmini-16x16", "kv260-dpu"}) CHECK(core_level(load_chip(name)) == 0);
}

TEST_CASE("two cores on one memory, on paper") {
  // A step of a core: inputs of 8 bytes, 4 cycles on the port; 10 cycles of work; 4 bytes of results, 2 cycles.
  // Port: loads 0-4 and 4-8, of the second step 8-12 and 12-16; results 16-18, 18-20, and at the end 24-26 and 28-30.
  // Core 0 works 4-24, core 1 8-28.
  const Chip chip = two_cores();
  const Evaluation e = product(16, 2, 4, 20, chip);
  const Played played = play({{"layer", 0, {&e}, 1}}, chip);
  CHECK(cycles_of(played.result.end).value == 30);
  const TimeParts& mean = played.rows[0];
  CHECK(cycles_of(mean.fill).value == 6);  // 4 and 8
  CHECK(cycles_of(mean.compute).value == 20);
  CHECK(cycles_of(mean.idle).value == 2);  // 4 and 0
  CHECK(cycles_of(mean.drain).value == 2);
  CHECK(mean.total() == played.result.end);
}

TEST_CASE("cores that wait for each other's tiles: contention on paper") {
  // As above with 4 cycles of work in a step: core 0 works 4-8 and, its tile there at 12, 12-16; core 1 8-12 and 16-20, so it waits for
  // its tile from 12 to 16, in which the port serves it; core 0's waits from 8 to 12 for its own as well. Results of the first step
  // leave in 16-20, of the second one in 20-24.
  const Chip chip = two_cores();
  const Evaluation e = product(16, 2, 4, 8, chip);
  const Played played = play({{"layer", 0, {&e}, 1}}, chip);
  CHECK(cycles_of(played.result.end).value == 24);
  const TimeParts& mean = played.rows[0];
  CHECK(cycles_of(mean.compute).value == 8);
  CHECK(cycles_of(mean.dram).value == 4);
  CHECK(mean.total() == played.result.end);
}

TEST_CASE("a last wave with work for one core alone leaves the other one idle") {
  // 20 rows in tiles of 4: in the third step core 1 has none. 10 cycles a step.
  Chip chip = two_cores();
  chip.levels[0].bandwidth = BytesPerCycle{0};
  const Evaluation e = product(20, 3, 4, 30, chip);
  const Played played = play({{"layer", 0, {&e}, 1}}, chip);
  CHECK(cycles_of(played.result.end).value == 30);
  CHECK(cycles_of(played.rows[0].compute).value == 25);
  CHECK(cycles_of(played.rows[0].idle).value == 5);
}

TEST_CASE("a multiprocessor with more resident blocks is never slower, and faster where the L2 is the bound at times") {
  const Chip chip = load_chip("a100-sxm4-80gb");
  Problem problem = gemm(4096, 2048, 512, DataType::fp16);
  Evaluation e = find_best(problem, chip, Objective::latency)->best;
  CHECK(e.compute.blocks_per_core > 1);
  Ticks before = ~Ticks{0};
  for (const std::int64_t blocks : {1, 2, 4, 8}) {
    e.compute.blocks_per_core = blocks;
    const Ticks end = play({{"layer", 0, {&e}, 1}}, chip).result.end;
    REQUIRE(end <= before);
    before = end;
  }
}

TEST_CASE("cores that are not told apart run in step: the same words, no time below the bounds") {
  const Chip chip = load_chip("epyc-7763");
  const Evaluation e = find_best(gemm(512, 512, 512, DataType::fp32), chip, Objective::latency)->best;
  for (const std::int64_t most : {1, 7, 64}) {
    const Cores cores(e.problem, e.mapping, chip, most);
    CHECK(cores.count() <= static_cast<std::size_t>(most));
    REQUIRE(cycles_of(play({{"layer", 0, {&e}, 1}}, chip, most).result.end).value >= e.compute.cycles.value);
  }
}

}  // namespace tilewright
