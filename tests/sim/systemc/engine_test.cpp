#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "arch_models/load.hpp"
#include "sim/cost/cost.hpp"
#include "sim/search/search.hpp"
#include "sim/systemc/simulate.hpp"
#include "sim/twin/layered.hpp"
#include "sim/twin/ledger.hpp"
#include "sim/twin/max_plus.hpp"
#include "sim/twin/transfer.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

namespace tilewright {
namespace {

using testing::conv;
using testing::gemm;
using testing::tiny_chip;

std::int64_t pick(std::mt19937_64& random, std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most - least + 1));
}

/// One chip of every family of the library, and the tiny one.
std::vector<Chip> chips() {
  std::vector<Chip> chips{tiny_chip()};
  for (const char* name : {"xeon-8380", "epyc-7763", "raspberry-pi-4", "a100-sxm4-80gb", "t4", "zcu102-dpu", "tpu-v1",
                           "eyeriss", "gemmini-16x16", "pynq-z2-streaming", "loihi-2"}) {
    chips.push_back(load_chip(name));
  }
  return chips;
}

Problem random_layer(std::mt19937_64& random) {
  if (pick(random, 0, 1) == 0) return gemm(pick(random, 1, 200), pick(random, 1, 200), pick(random, 1, 300));
  return conv(pick(random, 1, 32), pick(random, 1, 24), pick(random, 1, 20), pick(random, 1, 3), pick(random, 1, 2));
}

/// Mappings that the search likes, by any objective.
Evaluation random_evaluation(std::mt19937_64& random, const Chip& chip) {
  while (true) {
    auto found = find_best(random_layer(random), chip, static_cast<Objective>(pick(random, 0, 2)));
    if (!found) continue;
    const auto at = static_cast<std::size_t>(pick(random, 0, static_cast<std::int64_t>(found->runners_up.size())));
    return at == 0 ? found->best : found->runners_up[at - 1];
  }
}

struct Played {
  PlayResult result;
  std::vector<TimeParts> rows;
  std::vector<AccessCounts> kernels;
};

Played play(PlayResult (*engine)(Program&, Observer*, const PlayLimits&), const std::vector<KernelRun>& runs,
            const Chip& chip, std::int64_t most_steps) {
  const auto program = layered_program(runs, chip, most_steps);
  Ledger ledger(*program);
  Played played;
  played.result = engine(*program, &ledger, {});
  ledger.close(played.result.end);
  played.rows = ledger.rows();
  played.kernels = ledger.kernels();
  return played;
}

std::vector<KernelRun> alone(const Evaluation& evaluation) { return {{"layer", 0, {&evaluation}, 1}}; }

void require_equal(const AccessCounts& moved, const AccessCounts& counts) {
  REQUIRE(moved.points == counts.points);
  for (std::size_t l = 0; l < counts.levels.size(); ++l) {
    for (std::size_t o = 0; o < counts.levels[l].size(); ++o) {
      const OperandAccesses &a = moved.levels[l][o], &b = counts.levels[l][o];
      INFO("level " << l << " operand " << o);
      REQUIRE(a.reads == b.reads);
      REQUIRE(a.fills == b.fills);
      REQUIRE(a.updates == b.updates);
      REQUIRE(a.drains == b.drains);
      REQUIRE(a.delivered == b.delivered);
    }
  }
}

}  // namespace

TEST_CASE(
    "SystemC moves exactly the words of the access counts, is never below a bound, and equals its twin to the tick") {
  std::mt19937_64 random(4);
  for (const Chip& chip : chips()) {
    for (int i = 0; i < 12; ++i) {
      const Evaluation e = random_evaluation(random, chip);
      INFO(chip.name << "\n" << to_code(e.problem, e.mapping, chip));
      const std::int64_t steps = std::int64_t{1} << pick(random, 0, 10);
      const Played simulated = play(simulate, alone(e), chip, steps);
      require_equal(simulated.kernels.front(), e.counts);
      const double cycles = cycles_of(simulated.result.end).value;
      REQUIRE(cycles >= e.compute.cycles.value);
      for (const LevelCost& level : e.levels) REQUIRE(cycles >= level.time.value);
      REQUIRE(simulated.rows.front().total() == simulated.result.end);
      const Played twin = play(play_max_plus, alone(e), chip, steps);
      REQUIRE(twin.result.end == simulated.result.end);
      REQUIRE(twin.result.transactions == simulated.result.transactions);
      REQUIRE(twin.rows.front().dram == simulated.rows.front().dram);
    }
  }
}

TEST_CASE("where no port is ever the bound the simulated cycles are the analytical ones") {
  std::mt19937_64 random(5);
  for (Chip chip : chips()) {
    for (BufferLevel& level : chip.levels) level.bandwidth = BytesPerCycle{0};
    for (int i = 0; i < 8; ++i) {
      const Evaluation found = random_evaluation(random, chip);
      const Evaluation e = evaluate(found.problem, found.mapping, chip);
      const Played simulated = play(simulate, alone(e), chip, 1000);
      INFO(chip.name << "\n" << to_code(e.problem, e.mapping, chip));
      // Each part of the time is rounded up to a tick.
      const double cycles = cycles_of(simulated.result.end).value;
      REQUIRE(cycles >= e.cycles.value - 1e-6);
      REQUIRE(cycles <= e.cycles.value + 3.0 / ticks_per_cycle);
      REQUIRE(simulated.rows.front().dram == 0);
      REQUIRE(simulated.rows.front().contention == 0);
    }
  }
}

TEST_CASE("less bandwidth never takes fewer cycles") {
  std::mt19937_64 random(6);
  for (const Chip& chip : chips()) {
    for (int i = 0; i < 8; ++i) {
      const Evaluation e = random_evaluation(random, chip);
      const PlayResult before = play(simulate, alone(e), chip, 300).result;
      for (std::size_t l = 0; l < chip.levels.size(); ++l) {
        Chip slower = chip;
        slower.levels[l].bandwidth = static_cast<double>(pick(random, 1, 9)) / 10.0 * slower.levels[l].bandwidth;
        INFO(chip.name << " level " << l);
        REQUIRE(play(simulate, alone(e), slower, 300).result.end >= before.end);
      }
    }
  }
}

TEST_CASE("layers one after another overlap, and their parts add up to the end") {
  std::mt19937_64 random(7);
  for (const Chip& chip : chips()) {
    std::vector<Evaluation> layers;
    for (int i = 0; i < 4; ++i) layers.push_back(random_evaluation(random, chip));
    std::vector<KernelRun> runs;
    Ticks apart = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      apart += play(simulate, alone(layers[i]), chip, 200).result.end;
      runs.push_back({"layer " + std::to_string(i), static_cast<std::int32_t>(i), {&layers[i]}, 1});
    }
    runs[1].repeat = 3;
    apart += 2 * play(simulate, alone(layers[1]), chip, 200).result.end;
    const Played together = play(simulate, runs, chip, 200);
    INFO(chip.name);
    REQUIRE(together.result.end <= apart);
    Ticks sum = 0;
    for (const TimeParts& row : together.rows) sum += row.total();
    REQUIRE(sum == together.result.end);
    REQUIRE(together.kernels[1].levels[0][0].reads == 3 * layers[1].counts.levels[0][0].reads);
    REQUIRE(play(play_max_plus, runs, chip, 200).result.end == together.result.end);
  }
}

TEST_CASE("a double-buffered product on paper") {
  // 4 tiles of 8 bytes at 2 B/cycle: 4 cycles each; 6 cycles of work a tile; results of 4 bytes leave in 2 cycles.
  // Loads end at 4, 8, 14, ...; work runs 4-10-16-22-28 without a gap, the last result is out at 30.
  Chip chip = tiny_chip();
  chip.levels[1].bandwidth = BytesPerCycle{0};
  Problem problem = gemm(16, 1, 2);
  Evaluation e;
  e.problem = problem;
  e.mapping.levels = {{{{0, 4, LoopKind::temporal}}, {true, true, true}},
                      {{{0, 4, LoopKind::temporal}, {2, 2, LoopKind::temporal}}, {true, true, true}},
                      {{}, {false, false, false}}};
  e.problem.operands[1].on_chip = true;
  e.counts = count_accesses(e.problem, e.mapping);
  e.compute.cycles = Cycles{24};
  const Played played = play(simulate, alone(e), chip, 100);
  CHECK(cycles_of(played.result.end).value == 30);
  CHECK(cycles_of(played.rows[0].fill).value == 4);
  CHECK(cycles_of(played.rows[0].compute).value == 24);
  CHECK(cycles_of(played.rows[0].drain).value == 2);
}

TEST_CASE("channels, banks and rows of a DRAM on paper") {
  BufferLevel level;
  level.bandwidth = BytesPerCycle{8};
  const Hertz clock{1e9};
  const auto cycles = [&](double bytes, double run, double pitch = 4096, double together = 1) {
    return cycles_of(transfer_ticks(level, clock, bytes, {run, pitch, together})).value;
  };
  CHECK(cycles(512, 8) == 64);  // an ideal port
  level.dram = DramTiming{2, 2, Bytes{64}, Seconds{40e-9}, Seconds{10e-9}};
  CHECK(cycles(512, 512) == 64);  // 8 rows, 4 a channel, 2 a bank: 40 cycles between them hide behind 64
  CHECK(cycles(512, 8) == 600);   // 64 rows, 16 a bank: 15 activations behind the first
  CHECK(cycles(512, 8, 16, 32) ==
        Approx(120).epsilon(1e-5));  // 32 runs lie in 504 bytes, 8 rows, so twice: 16 rows, 4 a bank
  CHECK(cycles(64, 64) == 16);       // one row is on one channel, at half of the bandwidth
  CHECK(cycles_of(transfer_latency(level, clock)).value == 10);
}

TEST_CASE("the busiest bank, on paper") {
  CHECK(busiest_bank(4, 8, 4, 4) == 8);  // rows of 4: each run asks every bank once
  CHECK(busiest_bank(4, 8, 1, 4) == 8);  // a column: all in one bank
  CHECK(busiest_bank(4, 8, 1, 5) == 2);  // rows of 5: the column turns through the banks
  CHECK(busiest_bank(4, 8, 1, 2) == 4);  // two banks take turns
  CHECK(busiest_bank(4, 2, 3, 3) == 2);  // banks 0-2, then 3, 0, 1
  CHECK(busiest_bank(4, 3, 6, 8) == 6);  // each run goes round once, and two banks again
  CHECK(busiest_bank(1, 5, 7, 9) == 35);
  CHECK(busiest_bank(4, 0, 1, 1) == 0);
  std::mt19937_64 random(11);
  for (int i = 0; i < 500; ++i) {
    const std::int64_t banks = pick(random, 1, 12), runs = pick(random, 0, 40), length = pick(random, 1, 30),
                       pitch = pick(random, 1, 40);
    std::vector<std::int64_t> served(static_cast<std::size_t>(banks), 0);
    for (std::int64_t r = 0; r < runs; ++r) {
      for (std::int64_t a = 0; a < length; ++a) ++served[static_cast<std::size_t>((r * pitch + a) % banks)];
    }
    REQUIRE(busiest_bank(banks, runs, length, pitch) == *std::max_element(served.begin(), served.end()));
  }
}

TEST_CASE(
    "banks move the same words, are never faster than the bandwidth alone, nor with a part of them or of the ports") {
  std::mt19937_64 random(12);
  int slower = 0;
  for (const Chip& chip : chips()) {
    for (int i = 0; i < 5; ++i) {
      const Evaluation e = random_evaluation(random, chip);
      Ticks before = play(simulate, alone(e), chip, 200).result.end;
      for (const auto& [banks, ports] : {std::pair{32, 2}, std::pair{32, 1}, std::pair{8, 1}, std::pair{1, 1}}) {
        Chip with = chip;
        for (std::size_t l = 1; l < with.levels.size(); ++l) with.levels[l].banks = BankTiming{banks, ports};
        const Played played = play(simulate, alone(e), with, 200);
        INFO(chip.name << " banks " << banks << " ports " << ports);
        REQUIRE(played.result.end >= before);
        slower += played.result.end > before ? 1 : 0;
        before = played.result.end;
        require_equal(played.kernels.front(), e.counts);
        REQUIRE(played.rows.front().total() == played.result.end);
        REQUIRE(play(play_max_plus, alone(e), with, 200).result.end == played.result.end);
      }
    }
  }
  CHECK(slower > 20);
}

TEST_CASE("bytes in one piece are a tile's last axes as long as they are whole") {
  Problem problem = gemm(16, 8, 4);
  Mapping mapping;
  const auto tile = [&](std::int64_t m, std::int64_t n, std::int64_t k) {
    mapping.levels = {
        {{{0, 16 / m, LoopKind::temporal}, {1, 8 / n, LoopKind::temporal}, {2, 4 / k, LoopKind::temporal}},
         {true, true, true}},
        {{{0, m, LoopKind::temporal}, {1, n, LoopKind::temporal}, {2, k, LoopKind::temporal}}, {true, true, true}}};
  };
  const double word = bits(problem.operands[0].type) / 8.0;  // the first operand is M x K
  tile(4, 8, 2);
  CHECK(runs_of(problem, mapping, 0, 0).bytes == 2 * word);
  CHECK(runs_of(problem, mapping, 0, 0).pitch == 4 * word);
  CHECK(runs_of(problem, mapping, 0, 0).together == 4);
  tile(4, 8, 4);
  CHECK(runs_of(problem, mapping, 0, 0).bytes == 4 * 4 * word);
  tile(16, 8, 4);
  CHECK(runs_of(problem, mapping, 0, 0).bytes == 16 * 4 * word);
}

TEST_CASE(
    "a DRAM behind the port moves the same words, is never faster than the port alone, and not faster with fewer "
    "banks") {
  std::mt19937_64 random(9);
  for (const Chip& chip : chips()) {
    for (int i = 0; i < 6; ++i) {
      const Evaluation e = random_evaluation(random, chip);
      const PlayResult ideal = play(simulate, alone(e), chip, 200).result;
      Ticks before = ideal.end;
      for (const std::int64_t banks : {16, 4, 1}) {
        Chip with = chip;
        with.levels.front().dram = DramTiming{4, banks, Bytes{1024}, Seconds{48.75e-9}, Seconds{27.5e-9}};
        const Played played = play(simulate, alone(e), with, 200);
        INFO(chip.name << " banks " << banks);
        REQUIRE(played.result.end >= before);
        before = played.result.end;
        require_equal(played.kernels.front(), e.counts);
        REQUIRE(played.rows.front().total() == played.result.end);
        REQUIRE(play(play_max_plus, alone(e), with, 200).result.end == played.result.end);
      }
    }
  }
}

TEST_CASE("a thousand simulations follow one another, also after a limit and a stop") {
  std::mt19937_64 random(8);
  const Chip chip = tiny_chip();
  const Evaluation e = random_evaluation(random, chip);
  const Ticks end = play(simulate, alone(e), chip, 50).result.end;
  for (int i = 0; i < 1000; ++i) {
    if (i % 100 == 0) {
      const auto program = layered_program(alone(e), chip, 50);
      PlayLimits limits;
      limits.max_transactions = 3;
      CHECK_THROWS_AS(simulate(*program, nullptr, limits), PlayError);
    }
    REQUIRE(play(simulate, alone(e), chip, 50).result.end == end);
  }
}

TEST_CASE("limits end a simulation in both engines, each with its name; asking for a stop stops it") {
  const Chip chip = tiny_chip();
  const Evaluation large = find_best(gemm(512, 512, 512), chip, Objective::latency)->best;
  const double end = cycles_of(play(play_max_plus, alone(large), chip, 100'000).result.end).value;
  for (const auto engine : {simulate, play_max_plus}) {
    const auto message = [&](const PlayLimits& limits) {
      const auto program = layered_program(alone(large), chip, 100'000);
      try {
        engine(*program, nullptr, limits);
      } catch (const PlayError& error) { return std::string(error.what()); } catch (const Stopped&) {
        return std::string("stopped from outside");
      }
      return std::string();
    };
    PlayLimits limits;
    limits.max_cycles = Cycles{end};
    CHECK(message(limits).empty());
    limits.max_cycles = Cycles{1000};
    CHECK(message(limits).starts_with("stopped at cycle 1000 of simulated time"));
    limits = {};
    limits.max_seconds = 1e-6;
    CHECK(message(limits).starts_with("stopped after 1e-06 s of host time at cycle "));
    limits = {};
    std::uint64_t asked = 0;
    limits.stop = [&] {
      ++asked;
      return false;
    };
    const auto program = layered_program(alone(large), chip, 100'000);
    CHECK(asked == 0);
    const std::uint64_t transactions = engine(*program, nullptr, limits).transactions;
    CHECK(asked == transactions / 4096);  // at millions a second far below 0.2 s
    limits.stop = [] { return true; };
    CHECK(message(limits) == "stopped from outside");
  }
}

}  // namespace tilewright
