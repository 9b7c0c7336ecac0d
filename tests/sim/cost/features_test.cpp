// Links, storage formats, sparsity, precision of partial sums and access width, each by hand on the tiny chip.
#include <catch2/catch.hpp>

#include "sim/cost/cost.hpp"
#include "sim/mapping/stored_words.hpp"
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

Evaluation evaluated(const Chip& chip, const Problem& problem = gemm(4, 2, 2)) {
  return evaluate(problem, all_at_once(), chip);
}

}  // namespace

TEST_CASE("results pay the link outwards and every addition in the network its energy") {
  Chip chip = tiny_chip();
  // DRAM link, 1 pJ a bit: 12 words in, 8 results out, 8 bit each.
  CHECK(in_picojoules(evaluated(chip).energy.link) == Approx(20 * 8));
  // 16 products leave the lanes for the buffer, 8 sums arrive: 8 additions of 8 bit.
  chip.levels[1].link.reduction_energy_per_bit = picojoules(0.5);
  CHECK(in_picojoules(evaluated(chip).energy.link) == Approx(20 * 8 + 8 * 8 * 0.5));
}

TEST_CASE("forwarded words pay the link once and then a hop from neighbour to neighbour") {
  Chip chip = tiny_chip();
  chip.levels[1].transfer_energy_per_bit = picojoules(1);
  // From the buffer: 4 weights to the registers, 8 inputs that arrive at 2 columns each; 16 products back.
  CHECK(in_picojoules(evaluated(chip).energy.link) == Approx(20 * 8 + (4 + 16 + 16) * 8));
  chip.levels[1].link.forwarding = true;
  chip.levels[1].link.hop_energy_per_bit = picojoules(0.25);
  CHECK(in_picojoules(evaluated(chip).energy.link) == Approx(20 * 8 + (4 + 8 + 16) * 8 + 8 * 8 * 0.25));
}

TEST_CASE("a link that merges overlapping windows reads their common words once") {
  // One row of outputs, P 2 in space on the columns: windows 0-2 and 1-3 of the filter R 3, read word by word in time.
  Problem problem;
  problem.dims = {{"P", 2}, {"R", 2}};
  problem.operands = {{"inputs", Role::input, DataType::int8, {{{0}, {1}}}},
                      {"weights", Role::weight, DataType::int8, {{{1}}}},
                      {"outputs", Role::output, DataType::int8, {{{0}}}}};
  Mapping m;
  m.levels.resize(3);
  m.levels[0].keeps = {true, true, true};
  m.levels[1] = {{{1, 2, LoopKind::spatial_y}, {0, 2, LoopKind::spatial_x}}, {true, true, true}};
  m.levels[2] = {{}, {false, true, false}};
  Chip chip = tiny_chip();
  chip.levels[1].access_bits = 8;
  // Lanes (p, r) read words p + r: 0, 1, 1, 2. The buffer: 3 fills at 12 pJ and 4 reads at 10 pJ, or 3 where word 1 is shared.
  CHECK(in_picojoules(evaluate(problem, m, chip).levels[1].operand_energy[0]) == Approx(3 * 12 + 4 * 10));
  chip.levels[1].link.merged_overlap = true;
  CHECK(in_picojoules(evaluate(problem, m, chip).levels[1].operand_energy[0]) == Approx(3 * 12 + 3 * 10));
}

TEST_CASE("every instance rounds its own words up to whole accesses") {
  Chip chip = tiny_chip();
  chip.levels[2].access_bits = 32;
  // Each of 4 PEs is filled with one byte (1 access of 4 B) and reads it 4 times (1 access): 8 pJ in all.
  CHECK(in_picojoules(evaluated(chip).levels[2].energy) == Approx(8));
}

TEST_CASE("zeros that gate spare energy, zeros that skip spare time as well") {
  Problem problem = gemm(4, 2, 2);
  problem.operands[0].density = 0.5;
  Chip chip = tiny_chip();
  const Evaluation dense = evaluated(chip, problem);
  chip.sparse.gated[static_cast<int>(Role::input)] = true;
  const Evaluation gated = evaluated(chip, problem);
  CHECK(in_picojoules(gated.energy.compute) == Approx(8));        // half of 16 MACs
  CHECK(in_picojoules(gated.levels[2].energy) == Approx(4 + 8));  // 4 weights filled, read for 8 MACs
  // The inputs themselves must be looked at: 4 x 12 + 4 x 10. Half of the 8 results' updates: 2 x 12, and 4 x 10 to drain.
  CHECK(in_picojoules(gated.levels[1].operand_energy[0]) == Approx(88));
  CHECK(in_picojoules(gated.levels[1].operand_energy[2]) == Approx(2 * 12 + 4 * 10));
  CHECK(gated.cycles == dense.cycles);
  chip.sparse = {};
  chip.sparse.skipped[static_cast<int>(Role::input)] = true;
  const Evaluation skipped = evaluated(chip, problem);
  CHECK(skipped.energy.total() == gated.energy.total());
  CHECK(skipped.bounds.front().name == "memory:DRAM");
  CHECK(skipped.cycles.value == 10 + 4);  // 2 cycles of MACs hide behind DRAM: max(10, 2 + 6)
  CHECK(dense.cycles.value == 10 + 4);    // max(10, 4 + 6)
}

TEST_CASE("a compressed word takes its share of data and metadata") {
  Problem problem = gemm(4, 2, 16);
  Operand& inputs = problem.operands[0];
  BufferLevel level;
  Compression& stored = level.stored[static_cast<int>(Role::input)];
  inputs.density = 0.25;
  CHECK(stored_bits(problem, inputs, level) == 8);
  stored = {StorageFormat::bitmask};
  CHECK(stored_bits(problem, inputs, level) == Approx(0.25 * 8 + 1));
  inputs.density = 0.5;
  stored = {StorageFormat::run_length, 2};  // a run of 4 zeros needs a filler: 0.5 / (1 - 0.5^4) words
  CHECK(stored_bits(problem, inputs, level) == Approx(0.5 / (1 - 0.0625) * (8 + 2)));
  inputs.block = 4;  // 2:4: at most 4 zeros in a row, which 3 bits hold
  stored = {StorageFormat::run_length, 3};
  CHECK(stored_bits(problem, inputs, level) == Approx(0.5 * (8 + 3)));
  stored = {StorageFormat::coordinate, 4};
  CHECK(stored_bits(problem, inputs, level) == Approx(0.5 * (8 + 4)));
  stored = {StorageFormat::csr, 4, 16};  // rows of K = 16 words
  CHECK(stored_bits(problem, inputs, level) == Approx(0.5 * (8 + 4) + 1));
}

TEST_CASE("a compressed operand saves capacity and traffic") {
  Problem problem = gemm(4, 2, 2);
  problem.operands[0].density = 0.25;
  Chip chip = tiny_chip();
  chip.levels[1].capacity = Bytes{19};  // the tiles need 8 + 4 + 8 B
  CHECK_FALSE(check(problem, all_at_once(), chip));
  for (BufferLevel& level : chip.levels) level.stored[static_cast<int>(Role::input)] = {StorageFormat::bitmask};
  CHECK(check(problem, all_at_once(), chip));  // 8 words of 3 bit: 3 + 4 + 8 B
  CHECK(evaluated(chip, problem).levels[0].traffic.value == Approx(3 + 4 + 8));
}

TEST_CASE("sums that miss terms are as wide as the accumulator, results as wide as the result") {
  const Problem problem = gemm(4, 2, 2);
  Mapping m = all_at_once();
  m.levels[1].loops[0].kind = LoopKind::temporal;  // K in time: the buffer accumulates
  Chip chip = tiny_chip();
  chip.accumulator = DataType::int32;
  chip.levels[1].capacity = Bytes{43};  // 8 + 4 + 8 x 4 = 44 B
  CHECK_FALSE(check(problem, m, chip));
  chip.levels[1].capacity = Bytes{44};
  REQUIRE(check(problem, m, chip));
  const Evaluation e = evaluate(problem, m, chip);
  CHECK(e.counts.levels[1][2].partial_sums);
  CHECK(e.levels[0].traffic.value == 20);  // int8 at DRAM
  // Results at the buffer, 2 accesses of 16 bit a word: 16 updates, 8 reads to accumulate, 8 drains.
  CHECK(in_picojoules(e.levels[1].operand_energy[2]) == Approx(2 * (16 * 12 + 8 * 10 + 8 * 10)));
}
