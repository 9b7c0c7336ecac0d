#include "sim/scalesim/scalesim.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "core/diagnostics.hpp"
#include "sim/scalesim/report.hpp"
#include "sim/scalesim/word_set.hpp"
#include "tests/sim/scalesim/naive.hpp"

using namespace tilewright;

namespace {

using Generator = std::mt19937_64;

std::int64_t uniform(Generator& random, std::int64_t least, std::int64_t most) {
  return std::uniform_int_distribution<std::int64_t>(least, most)(random);
}

/// A random layer whose windows may overlap, leave gaps and hang over the edge, on a random array with small buffers.
std::pair<ScaleSimLayer, ScaleSimConfig> random_case(std::uint64_t seed, bool user) {
  Generator random(seed);
  ScaleSimLayer l;
  l.name = "random";
  l.ifmap_h = uniform(random, 1, 14);
  l.ifmap_w = uniform(random, 1, 14);
  l.filter_h = uniform(random, 1, std::min<std::int64_t>(l.ifmap_h, 4));
  l.filter_w = uniform(random, 1, std::min<std::int64_t>(l.ifmap_w, 4));
  l.channels = uniform(random, 1, 12);
  l.filters = uniform(random, 1, 30);
  l.stride_h = uniform(random, 1, 3);
  l.stride_w = uniform(random, 1, 3);
  ScaleSimConfig g;
  g.rows = uniform(random, 1, 12);
  g.cols = uniform(random, 1, 12);
  g.ifmap_kib = uniform(random, 1, 2);
  g.filter_kib = uniform(random, 1, 2);
  g.ofmap_kib = 1;
  g.dataflow = static_cast<ScaleSimDataflow>(seed % 3);
  g.user_bandwidth = user;
  g.bandwidth = uniform(random, 1, 12);
  return {l, g};
}

void require_same(const ScaleSimResult& fast, const ScaleSimResult& naive) {
  REQUIRE(fast.total_cycles == naive.total_cycles);
  REQUIRE(fast.stall_cycles == naive.stall_cycles);
  for (std::size_t o = 0; o < 3; ++o) {
    INFO(ScaleSimResult::operands[o]);
    REQUIRE(fast.sram[o].start == naive.sram[o].start);
    REQUIRE(fast.sram[o].stop == naive.sram[o].stop);
    REQUIRE(fast.dram[o].start == naive.dram[o].start);
    REQUIRE(fast.dram[o].stop == naive.dram[o].stop);
    REQUIRE(fast.dram[o].words == naive.dram[o].words);
  }
}

ScaleSimResult simulate(const std::pair<ScaleSimLayer, ScaleSimConfig>& c) {
  return simulate_scalesim(c.first, c.second, ScaleSimDetail::memory);
}

}  // namespace

TEST_CASE("DRAM counts from runs of words equal those of a set of words, line by line") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto c = random_case(seed, false);
    INFO("seed " << seed);
    require_same(simulate(c), test::naive_scalesim(c.first, c.second));
  }
}

TEST_CASE("stalls from planned prefetches equal those of a window of lines, word by word") {
  for (std::uint64_t seed = 0; seed < 90; ++seed) {
    const auto c = random_case(seed, true);
    INFO("seed " << seed);
    require_same(simulate(c), test::naive_scalesim(c.first, c.second));
  }
}

TEST_CASE("the formulas alone give the cycles and SRAM words of the whole simulation") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto c = random_case(seed, false);
    const ScaleSimResult quick = simulate_scalesim(c.first, c.second, ScaleSimDetail::array);
    const ScaleSimResult full = simulate(c);
    INFO("seed " << seed);
    REQUIRE(quick.total_cycles == full.total_cycles);
    REQUIRE(quick.overall_util_pct == full.overall_util_pct);
    for (std::size_t o = 0; o < 3; ++o) REQUIRE(quick.sram[o].words == full.sram[o].words);
  }
}

TEST_CASE("stalls are never negative, every word is fetched, and less bandwidth is never faster") {
  for (std::uint64_t seed = 200; seed < 260; ++seed) {
    auto c = random_case(seed, true);
    INFO("seed " << seed);
    c.second.bandwidth = 2;
    const ScaleSimResult slow = simulate(c);
    c.second.bandwidth = 8;
    const ScaleSimResult fast = simulate(c);
    c.second.user_bandwidth = false;
    const ScaleSimResult free = simulate(c);
    REQUIRE(slow.stall_cycles >= 0);
    REQUIRE(slow.total_cycles >= fast.total_cycles);
    REQUIRE(fast.total_cycles >= free.total_cycles);
    REQUIRE(free.dram[1].words >= c.first.k() * c.first.n());
    REQUIRE(free.dram[2].words >= c.first.m() * c.first.n());
  }
}

TEST_CASE("a 2 x 3 x 2 product on a 2 x 2 output stationary array, by hand") {
  // one fold of 3 + 2 + 2 - 2 = 5 lines: last line 4. 6 words of each operand: ceil(ceil(6 / 10) x 10 / 10) = 1 cycle before the start.
  ScaleSimConfig config;
  config.rows = config.cols = 2;
  config.ifmap_kib = config.filter_kib = config.ofmap_kib = 1;
  config.dataflow = ScaleSimDataflow::os;
  const ScaleSimResult r = simulate_scalesim({"gemm", 2, 3, 1, 3, 1, 2, 1, 1}, config, ScaleSimDetail::memory);
  REQUIRE(r.total_cycles == 4);
  REQUIRE(r.sram[0].words == 6);
  REQUIRE(r.sram[2].words == 4 + 1 * (2 + 2));  // the stray rows + columns of a fold
  REQUIRE(r.overall_util_pct == 100.0 * 12 / (4 * 4));
  REQUIRE(r.mapping_eff_pct == 100);
  REQUIRE(r.compute_util_pct == 100.0 * 3 / 5);
  REQUIRE(r.sram[0].start == 1);  // a word that is there takes one cycle
  REQUIRE(r.sram[0].stop == 4);   // row 1, word 2: line 3
  REQUIRE(r.sram[2].start == 2);  // "leaves" with the third word
  REQUIRE(r.sram[2].stop == 4);
  REQUIRE(r.dram[0].start == -1);
  REQUIRE(r.dram[0].words == 6);
  REQUIRE(r.dram[2].start == 4);
  REQUIRE(r.dram[2].stop == 5);  // 4 words, 2 a cycle
}

TEST_CASE("a total of zero cycles has no utilisation instead of a division by zero") {
  ScaleSimConfig config;
  config.rows = config.cols = 1;
  config.dataflow = ScaleSimDataflow::os;
  const ScaleSimResult r = simulate_scalesim({"one", 1, 1, 1, 1, 1, 1, 1, 1}, config, ScaleSimDetail::memory);
  REQUIRE(r.total_cycles == 0);
  REQUIRE(r.overall_util_pct == 0);
  REQUIRE(r.sram_bandwidth(0) == 0);
}

TEST_CASE("layers beyond the limits are refused at once, not simulated for hours") {
  ScaleSimConfig config;
  const std::int64_t huge = std::int64_t{1} << 31;
  REQUIRE_THROWS_AS(simulate_scalesim({"gemm", huge, huge, 1, huge, 1, huge, 1, 1}, config, ScaleSimDetail::memory),
                    OverflowError);
  REQUIRE_THROWS_WITH(
      simulate_scalesim({"gemm", 1 << 20, 1 << 20, 1, 1 << 20, 1, 1 << 20, 1, 1}, config, ScaleSimDetail::memory),
      Catch::Contains("too large") && Catch::Contains("--engine analytical"));
}

TEST_CASE("only layers that SCALE-Sim knows become one of its layers") {
  Layer layer;
  layer.name = "conv";
  layer.work = Conv{1, 1, 3, 8, {{8, 4, 3, 2, 1}, {8, 6, 3, 1, 1}}};  // ceil((8 - 3) / 2) + 1 = 4: hangs over
  const ScaleSimLayer conv = scalesim_layer(layer);
  REQUIRE(conv.m() == 24);
  REQUIRE(conv.k() == 27);
  const auto refused = [&](Operator work) {
    layer.work = std::move(work);
    REQUIRE_THROWS_WITH(scalesim_layer(layer), Catch::Contains("conv") && Catch::Contains("--engine analytical"));
  };
  refused(Conv{2, 1, 3, 8, {{8, 6, 3, 1, 1}, {8, 6, 3, 1, 1}}});
  refused(Conv{1, 3, 3, 3, {{8, 6, 3, 1, 1}, {8, 6, 3, 1, 1}}});
  refused(Conv{1, 1, 3, 8, {{8, 8, 3, 1, 1}, {8, 8, 3, 1, 1}}});  // padded
  refused(Conv{1, 1, 3, 8, {{8, 4, 3, 1, 2}, {8, 4, 3, 1, 2}}});
  refused(Conv{1, 1, 3, 8, {{8, 6, 3, 1, 1}}});
  refused(Pool{});
  MatMul batched;
  batched.batch.push_back({4, true, true});
  refused(batched);
}

TEST_CASE("the reports have SCALE-Sim's columns, one value for each") {
  ScaleSimConfig config;
  const std::vector<ScaleSimResult> layers{
      simulate_scalesim({"gemm", 8, 8, 1, 8, 1, 8, 1, 1}, config, ScaleSimDetail::memory)};
  const std::size_t columns[]{6, 7, 19};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string text = scalesim_reports()[i].write(layers);
    const std::size_t end = text.find('\n');
    const auto commas = [](std::string_view line) {
      return static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
    };
    REQUIRE(commas(std::string_view(text).substr(0, end)) == columns[i]);
    REQUIRE(commas(std::string_view(text).substr(end)) == columns[i]);
  }
  REQUIRE(scalesim_reports()[0].write(layers).starts_with(
      "LayerID, Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, Compute Util %,\n0, "));
}

TEST_CASE("a set of words counts, adds and forgets runs across its blocks") {
  WordSet set(300);
  set.add(60, 140);
  REQUIRE(set.missing(0, 300) == 160);
  REQUIRE(set.missing(60, 140) == 0);
  REQUIRE(set.missing(59, 142) == 2);
  REQUIRE(set.contains(199));
  REQUIRE_FALSE(set.contains(200));
  set.remove(199);
  REQUIRE(set.missing(60, 140) == 1);
  set.clear();
  REQUIRE(set.missing(0, 300) == 300);
}
