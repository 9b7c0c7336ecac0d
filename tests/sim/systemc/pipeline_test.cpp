#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "sim/systemc/simulate.hpp"
#include "sim/twin/max_plus.hpp"
#include "sim/twin/path.hpp"
#include "sim/twin/pipeline.hpp"

namespace tilewright {
namespace {

std::int64_t pick(std::mt19937_64& random, std::int64_t least, std::int64_t most) {
  return least + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most - least + 1));
}

Chip fabric() {
  Chip chip;
  chip.levels.emplace_back().name = "outside";
  return chip;
}

PipelineStage stage(std::string name, std::int64_t rows, Ticks ticks, std::vector<StageInput> inputs,
                    std::int32_t row) {
  PipelineStage stage;
  stage.layer = std::move(name);
  stage.rows = rows;
  stage.ticks = ticks;
  stage.inputs = std::move(inputs);
  stage.row = row;
  return stage;
}

struct Played {
  Ticks end = 0;
  std::vector<TimeParts> rows;
};

Played play(PlayResult (*engine)(Program&, Observer*, const PlayLimits&), const std::vector<PipelineStage>& stages,
            std::int64_t samples, std::int64_t frames) {
  const Chip chip = fabric();
  const auto program = pipelined_program(stages, chip, samples, frames);
  PathLedger ledger(*program);
  Played played;
  played.end = engine(*program, &ledger, {}).end;
  ledger.close(played.end);
  played.rows = ledger.rows();
  return played;
}

/// A graph of window stages, proportional ones and joins of two branches; rows fit.
std::vector<PipelineStage> random_pipeline(std::mt19937_64& random, std::int64_t fifo) {
  std::vector<PipelineStage> stages;
  const std::int64_t count = pick(random, 1, 9);
  for (std::int64_t i = 0; i < count; ++i) {
    PipelineStage next = stage("stage " + std::to_string(i), pick(random, 1, 20),
                               static_cast<Ticks>(pick(random, 0, 5000)), {}, static_cast<std::int32_t>(i));
    next.latency = static_cast<Ticks>(pick(random, 0, 30));
    next.columns = pick(random, 1, 6);
    next.pieces = pick(random, 1, next.columns);
    if (i > 0) {
      const auto from = static_cast<std::size_t>(pick(random, std::max<std::int64_t>(0, i - 3), i - 1));
      const std::int64_t rows = stages[from].rows;
      switch (pick(random, 0, 2)) {
        case 0: {
          const std::int64_t window = pick(random, 1, 5), stride = pick(random, 1, 2),
                             padding = pick(random, 0, window / 2);
          next.rows = std::max<std::int64_t>(1, (rows + 2 * padding - window) / stride + 1);
          next.inputs.push_back({from, window, stride, padding, fifo});
          if (pick(random, 0, 1) == 0) break;
          next.columns = std::max<std::int64_t>(1, (stages[from].columns + 2 * padding - window) / stride + 1);
          next.pieces = pick(random, 1, next.columns);
          next.inputs.back().column_window = window;
          next.inputs.back().column_stride = stride;
          next.inputs.back().column_padding = padding;
          break;
        }
        case 1: next.inputs.push_back({from, 0, 1, 0, fifo}); break;
        default: next.inputs.push_back(whole_input(from, rows)); break;
      }
      if (pick(random, 0, 1) == 1)
        next.inputs.push_back({static_cast<std::size_t>(pick(random, 0, i - 1)), 0, 1, 0, fifo});
    }
    stages.push_back(next);
  }
  return stages;
}

/// When each piece of each stage is there, with every one remembered and without FIFO limits: the definition, read aloud. A piece of a
/// window stage waits for every piece of its input that holds an element of the windows of its elements.
Ticks by_definition(const std::vector<PipelineStage>& stages, std::int64_t samples) {
  std::vector<std::vector<Ticks>> there(stages.size());
  const auto first_column = [](const PipelineStage& s, std::int64_t piece) {
    return part_of(s.columns, piece, s.pieces);
  };
  Ticks end = 0;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const PipelineStage& s = stages[i];
    const std::int64_t parts = s.rows * s.pieces;
    Ticks free = 0;
    for (std::int64_t f = 0; f < parts * samples; ++f) {
      const std::int64_t k = f % parts, sample = f / parts;
      Ticks start = free;
      for (const StageInput& input : s.inputs) {
        const PipelineStage& from = stages[input.from];
        const std::int64_t made = from.rows * from.pieces;
        const std::int64_t last = first_column(s, k % s.pieces + 1) - 1;  // column of the piece
        for (std::int64_t p = 0; p < made; ++p) {
          bool needed = p * parts < made * (k + 1);
          if (input.window > 0) {
            const std::int64_t row = k / s.pieces * input.stride - input.padding;
            needed = p / from.pieces < row + input.window;
            if (input.column_window > 0) {
              const std::int64_t column =
                  std::max<std::int64_t>(1, last * input.column_stride - input.column_padding + input.column_window);
              const bool bottom = p / from.pieces == std::min(row + input.window, from.rows) - 1;
              needed = needed && (!bottom || first_column(from, p % from.pieces) < column);
            }
          }
          if (needed) start = std::max(start, there[input.from][static_cast<std::size_t>(sample * made + p)]);
        }
      }
      free = start + static_cast<Ticks>(share_of(static_cast<std::int64_t>(s.ticks), f, parts * samples));
      there[i].push_back(free + s.latency);
      end = std::max(end, free + s.latency);
    }
  }
  return end;
}

}  // namespace

TEST_CASE("a window stage behind another on paper") {
  // Producer: 4 rows of 10 cycles, there at 10, 20, 30, 40. Consumer: window of 3 with one row of padding, 4 rows of 20 cycles:
  // row 0 needs rows 0 and 1 (start 20), row 1 row 2 (start 40), row 2 row 3 (60), row 3 nothing more: 100.
  const Ticks cycle = 1024;
  const std::vector<PipelineStage> stages{stage("a", 4, 40 * cycle, {}, 0),
                                          stage("b", 4, 80 * cycle, {{0, 3, 1, 1, -1}}, 1)};
  const Played played = play(simulate, stages, 1, 1);
  CHECK(played.end == 100 * cycle);
  CHECK(played.rows[0].fill == 20 * cycle);
  CHECK(played.rows[1].compute == 80 * cycle);
  // Three samples: the slower stage sets the pace, the fill is paid once.
  CHECK(play(simulate, stages, 1, 3).end == (20 + 3 * 80) * cycle);
}

TEST_CASE("a window stage behind another, pixel by pixel, on paper") {
  // 3 x 3 pixels of 10 cycles each, there at 10, ..., 90. Window of 2 x 2 without padding, 2 x 2 pixels of 10 cycles: the first one
  // needs pixel (1, 1), the fifth (start 50), the second one (1, 2) (60), the third one (2, 1) (80), the last one (2, 2) (90): 100.
  const Ticks cycle = 1024;
  std::vector<PipelineStage> stages{stage("a", 3, 90 * cycle, {}, 0),
                                    stage("b", 2, 40 * cycle, {{0, 2, 1, 0, -1, 2, 1, 0}}, 1)};
  stages[0].columns = stages[0].pieces = 3;
  stages[1].columns = stages[1].pieces = 2;
  CHECK(play(simulate, stages, 1, 1).end == 100 * cycle);
  // Row by row: start when the second row is there, 60, and the third one, 90.
  stages[0].pieces = stages[1].pieces = 1;
  CHECK(play(simulate, stages, 1, 1).end == 110 * cycle);
}

TEST_CASE(
    "a pipeline takes at least its slowest stage, at most the sum of its stages, and what its rows say by definition") {
  std::mt19937_64 random(11);
  for (int i = 0; i < 300; ++i) {
    const std::vector<PipelineStage> stages = random_pipeline(random, -1);
    Ticks slowest = 0, sum = 0;
    for (const PipelineStage& s : stages) {
      slowest = std::max(slowest, s.ticks);
      sum += s.ticks + s.latency;
    }
    const Played one = play(simulate, stages, 1, 1);
    REQUIRE(one.end >= slowest);
    REQUIRE(one.end <= sum);
    REQUIRE(one.end == by_definition(stages, 1));
    REQUIRE(play(play_max_plus, stages, 1, 1).end == one.end);
    Ticks parts = 0;
    for (const TimeParts& row : one.rows) parts += row.total();
    REQUIRE(parts == one.end);
  }
}

TEST_CASE("a smaller FIFO is never faster, and both engines agree with FIFOs and several samples") {
  std::mt19937_64 random(12);
  int played_with_limit = 0;
  for (int i = 0; i < 350; ++i) {
    const auto seed = random();
    const std::int64_t frames = pick(random, 1, 4);
    Ticks before = 0;
    for (const std::int64_t fifo : {-1, 8, 2, 0}) {
      std::mt19937_64 same(seed);
      const std::vector<PipelineStage> stages = random_pipeline(same, fifo);
      try {
        const Played one = play(simulate, stages, 2, frames);
        REQUIRE(one.end >= before);
        before = one.end;
        const Played twin = play(play_max_plus, stages, 2, frames);
        REQUIRE(twin.end == one.end);
        Ticks parts = 0;
        for (const TimeParts& row : one.rows) parts += row.total();
        REQUIRE(parts == one.end);
        played_with_limit += fifo == 0 ? 1 : 0;
      } catch (const PlayError&) {
        REQUIRE(fifo >= 0);  // with room for a sample nothing locks
        break;
      }
    }
  }
  REQUIRE(played_with_limit > 50);
}

TEST_CASE("a long row does not keep the engine from playing what thousands of others do beside it") {
  const std::vector<PipelineStage> stages{stage("rows", 9000, 9000 * 64, {}, 0),
                                          stage("long", 1, 8000 * 64, {whole_input(0, 9000)}, 1)};
  const Played played = play(simulate, stages, 1, 3);
  CHECK(played.end == (3 * 9000 + 8000) * 64);
  CHECK(play(play_max_plus, stages, 1, 3).end == played.end);
}

TEST_CASE("a FIFO that is too small is a deadlock with names, on both engines") {
  // The long way needs five rows before its first result; the short way holds one row and a FIFO of two.
  const std::vector<PipelineStage> stages{stage("fork", 20, 2000, {}, 0),
                                          stage("long", 16, 2000, {{0, 5, 1, 0, -1}}, 1),
                                          stage("join", 16, 2000, {{1, 0, 1, 0, -1}, {0, 1, 1, 0, 2}}, 2)};
  for (const auto engine : {simulate, play_max_plus}) {
    CHECK_THROWS_WITH(
        play(engine, stages, 1, 1),
        "deadlock: the FIFO from fork to join is too small; fork waits for room in the FIFO to join, which holds "
        "3 rows; join waits for row 1 of long; long waits for row 5 of fork");
  }
  std::vector<PipelineStage> enough = stages;
  enough[2].inputs[1].fifo = 4;
  CHECK(play(simulate, enough, 1, 1).end > 0);
}

}  // namespace tilewright
