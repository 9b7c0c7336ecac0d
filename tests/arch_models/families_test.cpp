#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <set>

#include "arch_models/family_tools.hpp"
#include "tests/arch_models/problems.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

/// One small chip of every family.
std::vector<Chip> chips() {
  const std::string energy = "\nmac_energy: {fp32: {value: 4 pJ, source: t}, int8: {value: 1 pJ, source: t}}\n";
  return {
      chip_of("cpu", {level("DRAM", 0, 1, 2), level("L1", 32768, 2), level("Registers", 512, 2)},
              "cores: 2\nsimd_bits: 128\nfma_units: 2\nfma_latency: 4\nprecisions: {fp32: 1}" + energy),
      chip_of("gpu", {level("DRAM", 0, 1), level("L2", 1e6, 1, 4), level("SM", 425984, 4)},
              "sms: 4\ncuda_cores_per_sm: 64\nprecisions: {fp32: 64}" + energy),
      chip_of(
          "fpga", {level("DRAM", 0, 1), level("BRAM", 1e6, 1)},
          "style: overlay\ndsp: 64\npixel_parallel: 2\ninput_parallel: 4\noutput_parallel: 4\nprecisions: {int8: 1}" +
              energy),
      chip_of("fpga", {level("DRAM", 0, 1), level("BRAM", 1e6, 1)},
              "style: streaming\ndsp: 64\nbram36: 10\nprecisions: {int8: 1}" + energy),
      chip_of("systolic", {level("DRAM", 0, 1), level("Buffer", 1e6, 1)},
              "rows: 4\ncols: 4\ndataflow: weight_stationary\nprecisions: {int8: 1}" + energy),
      chip_of("systolic", {level("DRAM", 0, 1), level("Buffer", 1e6, 1), level("Spads", 512, 16)},
              "rows: 4\ncols: 4\ndataflow: row_stationary\nprecisions: {int8: 1}" + energy),
      chip_of("neuromorphic", {level("Host", 0, 1, 4), level("Core", 65536, 4)},
              "cores: 4\nneurons_per_core: 64\naxons_per_core: 256\nsynapse_memory: 64 KiB\nmesh: [2, 2]\ntime_steps: "
              "4\nspike_rate: 0.1\n"
              "synop: {energy: 20 pJ, time: 3 ns}\nsource: t\nprecisions: {int8: 1}\n"),
  };
}

Problem attention_scores() {  // S[H, M, N] = Q[H, M, K] K[H, N, K]: two activations
  Problem p;
  p.dims = {{"B", 4}, {"M", 16}, {"N", 16}, {"K", 8}};
  p.operands = {{"inputs_a", Role::input, DataType::int8, {{{0, 1}}, {{1, 1}}, {{3, 1}}}, 1.0},
                {"inputs_b", Role::input, DataType::int8, {{{0, 1}}, {{2, 1}}, {{3, 1}}}, 1.0},
                {"outputs", Role::output, DataType::int8, {{{0, 1}}, {{1, 1}}, {{2, 1}}}, 1.0}};
  return p;
}

}  // namespace

TEST_CASE("every family gives positive finite cycles and a reason for any problem and any pass") {
  const std::vector<Problem> problems{product(1, 1, 1),           product(33, 17, 5, DataType::int8),
                                      convolution(8, 3, 9, 9, 3), depthwise(7, 5, 3),
                                      attention_scores(),         elementwise(1, 1),
                                      elementwise(1000, 0),       elementwise(100, 12, DataType::int8)};
  for (const Chip& chip : chips()) {
    for (const Problem& p : problems) {
      const MapRules rules = family_of(chip).rules(chip, p);
      REQUIRE(rules.x_dims.size() == chip.levels.size());
      REQUIRE(rules.y_dims.size() == chip.levels.size());
      REQUIRE(rules.keeps.size() == chip.levels.size());
      REQUIRE(std::count(rules.keeps[0].begin(), rules.keeps[0].end(), false) == 0);
      const int level = family_of(chip).array_level(chip);
      REQUIRE(level >= 0);
      REQUIRE(level < static_cast<int>(chip.levels.size()));
      const ComputeCost cost = cost_of(chip, p, pass_of(p, {}, {}, p.points()));
      INFO(chip.family << ": " << cost.why);
      REQUIRE(std::isfinite(cost.cycles.value));
      REQUIRE(cost.cycles.value > 0);
      REQUIRE(std::isfinite(cost.fill_drain.value));
      REQUIRE(cost.fill_drain.value >= 0);
      REQUIRE(!cost.why.empty());
      REQUIRE(!cost.events.empty());
      for (const Event& event : cost.events) {
        REQUIRE(event.count >= 0);
        REQUIRE(event.each.value >= 0);
      }
    }
  }
}

TEST_CASE("arithmetic energy is proportional to the work and to the energy of one MAC") {
  for (Chip chip : chips()) {
    if (chip.family == "neuromorphic") continue;  // its events are tested on their own
    const Problem once = product(8, 8, 8), twice = product(16, 8, 8);
    const auto energy = [&](const Problem& p) {
      const ComputeCost cost = cost_of(chip, p, pass_of(p, {}, {}, p.points()));
      return cost.events.at(0).count * cost.events.at(0).each.value;
    };
    const double base = energy(once);
    REQUIRE(energy(twice) == Approx(2 * base));
    for (auto& [type, arithmetic] : chip.arithmetic) arithmetic.energy_per_mac = 2 * arithmetic.energy_per_mac;
    REQUIRE(energy(once) == Approx(2 * base));
  }
}

TEST_CASE("the five families are listed once, each with its keys") {
  std::set<std::string_view> names;
  for (const ArchFamily& family : arch_families()) {
    names.insert(family.name);
    const auto keys = family.compute_keys();
    REQUIRE(std::count(keys.begin(), keys.end(), "precisions") == 1);
    REQUIRE(!family.summary.empty());
  }
  REQUIRE(names == std::set<std::string_view>{"cpu", "gpu", "fpga", "systolic", "neuromorphic"});
}

TEST_CASE("an unsupported format runs as the nearest one") {
  using enum DataType;
  const auto native = [](std::initializer_list<DataType> has, DataType asked) {
    Chip chip;
    for (DataType type : has) chip.arithmetic[type] = {1.0, {}, ""};
    return native_type(chip, asked);
  };
  REQUIRE(native({fp32, int8}, fp32) == fp32);
  REQUIRE(native({tf32, bf16}, fp32) == tf32);
  REQUIRE(native({bf16, int8}, fp32) == bf16);
  REQUIRE(native({int8}, fp32) == int8);
  REQUIRE(native({int16, int8}, fp16) == int16);
  REQUIRE(native({fp32, int8}, fp16) == fp32);  // wider of the same kind before another kind
  REQUIRE(native({fp32}, int8) == fp32);
  REQUIRE(native({fp16, fp32}, int8) == fp16);
  REQUIRE(native({int8}, int4) == int8);
  REQUIRE(native({int8, int4}, int16) == int8);
}

TEST_CASE("dims are grouped by the operands they move") {
  const DimGroups conv = group_dims(convolution(8, 4, 5, 5, 3));  // N K C P Q R S
  REQUIRE(conv.m == std::vector<int>{0, 3, 4});
  REQUIRE(conv.n == std::vector<int>{1});
  REQUIRE(conv.k == std::vector<int>{2, 5, 6});
  REQUIRE(conv.batch.empty());
  REQUIRE(window_dims(convolution(8, 4, 5, 5, 3)) == std::vector<int>{5, 6});
  const DimGroups scores = group_dims(attention_scores());
  REQUIRE(scores.batch == std::vector<int>{0});
  REQUIRE(scores.m == std::vector<int>{1});
  REQUIRE(scores.n == std::vector<int>{2});
  REQUIRE(group_dims(depthwise(8, 4, 3)).batch == std::vector<int>{0});
}

TEST_CASE("the second factor of a product of activations takes the weights' way") {
  const auto all = chips();
  const Chip& ws = all[4];
  REQUIRE(family_of(ws).rules(ws, attention_scores()).keeps.at(2) == std::vector<bool>{false, true, false});
}

TEST_CASE("a precision without any known MAC energy names the key to give") {
  REQUIRE_THROWS_WITH(chip_of("systolic", {level("DRAM", 0, 1), level("Buffer", 1e6, 1)},
                              "rows: 4\ncols: 4\ndataflow: weight_stationary\nprecisions: {int8: 1}\n"),
                      Catch::Contains("compute.mac_energy"));
}

TEST_CASE("an unknown format names the nearest") {
  REQUIRE_THROWS_WITH(chip_of("systolic", {level("DRAM", 0, 1), level("Buffer", 1e6, 1)},
                              "rows: 4\ncols: 4\ndataflow: weight_stationary\nprecisions: {int9: 1}\n"),
                      Catch::Contains("int8"));
}

TEST_CASE("time and events on the array, and what may be mapped, do not depend on capacities and bandwidths") {
  // What lets chips that differ in their memories alone share mappings (sim/network/shared_network.hpp).
  const std::vector<Problem> problems{product(33, 17, 5, DataType::int8), convolution(8, 3, 9, 9, 3),
                                      depthwise(7, 5, 3), elementwise(1000, 3)};
  for (const Chip& chip : chips()) {
    if (family_of(chip).library != nullptr) continue;
    Chip other = chip;
    for (BufferLevel& level : other.levels) {
      if (level.capacity) level.capacity->value *= 3;
      level.bandwidth = 5.0 * level.bandwidth;
    }
    for (const Problem& p : problems) {
      INFO(chip.family);
      for (const std::int64_t passes : {std::int64_t{1}, p.points()}) {
        const ComputeCost a = cost_of(chip, p, pass_of(p, {}, {}, passes)),
                          b = cost_of(other, p, pass_of(p, {}, {}, passes));
        CHECK(a.cycles == b.cycles);
        CHECK(a.fill_drain == b.fill_drain);
        CHECK(a.why == b.why);
        REQUIRE(a.events.size() == b.events.size());
        for (std::size_t e = 0; e < a.events.size(); ++e) {
          CHECK(a.events[e].count == b.events[e].count);
          CHECK(a.events[e].each == b.events[e].each);
        }
      }
      const MapRules r = family_of(chip).rules(chip, p), s = family_of(other).rules(other, p);
      CHECK((r.x_dims == s.x_dims && r.y_dims == s.y_dims && r.keeps == s.keeps && r.menu == s.menu));
    }
  }
}
