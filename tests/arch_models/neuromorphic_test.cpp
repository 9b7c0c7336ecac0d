#include <catch2/catch.hpp>

#include "tests/arch_models/problems.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

/// Constants of Loihi: Davies et al., IEEE Micro 2018, table 2. Mesh 8 x 16: mean distance 8.
Chip loihi(const std::string& more = "", std::int64_t cores = 128) {
  return chip_of("neuromorphic", {level("Host", 0, 1, cores), level("Core", 131072, cores)},
                 "cores: " + std::to_string(cores) + R"(
neurons_per_core: 1024
axons_per_core: 4096
synapse_memory: 128 KiB
synapse_bits: 8
mesh: [8, 16]
time_steps: 10
spike_rate: 0.1
synop: {energy: 23.6 pJ, time: 3.5 ns}
update: {energy: 81 pJ, time: 8.4 ns}
hop: {energy: 3 pJ, time: 4.1 ns}
spike: {energy: 1.7 pJ}
barrier: 465 ns
source: test
precisions: {int8: 1}
)" + more);
}

double energy_pj(const ComputeCost& cost) {
  double sum = 0;
  for (const Event& event : cost.events) sum += event.count * in_picojoules(event.each);
  return sum;
}

}  // namespace

TEST_CASE("a layer on Loihi counts synapses, updates, hops and spikes over the time steps") {
  // 100 inputs x 10 neurons, T 10, rate 0.1: synops 10 x 1000 x 0.1 = 1000; updates 100; 100 arriving spikes x 1 core x 8 hops = 800;
  // output spikes 10.
  const Problem p = product(1, 10, 100, DataType::int8);
  const ComputeCost cost = cost_of(loihi(), p, pass_of(p, {}, {}, 1));
  REQUIRE(cost.events.size() == 4);
  REQUIRE(cost.events[0].count == Approx(1000));
  REQUIRE(cost.events[1].count == Approx(100));
  REQUIRE(cost.events[2].count == Approx(800));
  REQUIRE(cost.events[2].kind == EventKind::link);
  REQUIRE(cost.events[3].count == Approx(10));
  REQUIRE(energy_pj(cost) == Approx(1000 * 23.6 + 100 * 81 + 800 * 3 + 10 * 1.7));
  // step: 100 x 3.5 + 10 x 8.4 + 80 x 4.1 + 465 = 1,227 ns at 1 GHz
  REQUIRE(cost.cycles.value == Approx(12270));
  REQUIRE(cost.stage == Stage::own);
  REQUIRE(cost.fill_share == Approx(0.1));      // one of ten steps
  REQUIRE(cost.resident == Approx(1.0 / 128));  // one core
}

TEST_CASE("a minimum time step hides the work of the cores") {
  const Problem p = product(1, 10, 100, DataType::int8);
  REQUIRE(cost_of(loihi("min_step: 1 ms\n"), p, pass_of(p, {}, {}, 1)).cycles.value == Approx(10e6));
}

TEST_CASE("an all-in synaptic energy takes nothing on top") {
  const Problem p = product(1, 10, 100, DataType::int8);
  const ComputeCost cost = cost_of(loihi("all_in_synop: true\n"), p, pass_of(p, {}, {}, 1));
  REQUIRE(cost.events.size() == 1);
  REQUIRE(energy_pj(cost) == Approx(23600));
}

TEST_CASE("a sparse input replaces the assumed spike rate") {
  Problem p = product(1, 10, 100, DataType::int8);
  p.operands[0].density = 0.02;
  REQUIRE(cost_of(loihi(), p, pass_of(p, {}, {}, 1)).events[0].count == Approx(200));
}

TEST_CASE("cores are asked for by neurons, axons and synapse memory, chips by cores") {
  // 8,192 inputs x 4,096 neurons: neurons 4; axons 4 x ceil(8192 / 4096) = 8; synapses 33,554,432 x 8 bit / 1,048,576 bit = 256 cores = 2 chips.
  const Problem p = product(1, 4096, 8192, DataType::int8);
  const ComputeCost cost = cost_of(loihi(), p, pass_of(p, {}, {}, 1));
  INFO(cost.why);
  REQUIRE(cost.why.find("256 cores (neurons 4, axons 8, synapse memory 256), 2 chips of 128 cores") !=
          std::string::npos);
}

TEST_CASE("spreading a layer over more cores is never slower") {
  const Problem p = product(1, 1024, 512, DataType::int8);
  double last = 1e300;
  for (std::int64_t cores : {1, 2, 4, 8, 16, 64, 128}) {
    const double cycles = cost_of(loihi(), p, pass_of(p, {{"N", cores}}, {}, 1)).cycles.value;
    REQUIRE(cycles <= last);
    last = cycles;
  }
}

TEST_CASE("twice the synaptic energy doubles that share and no other") {
  const Problem p = product(1, 10, 100, DataType::int8);
  Chip chip = loihi();
  const double once = energy_pj(cost_of(chip, p, pass_of(p, {}, {}, 1)));
  std::get<NeuromorphicParameters>(chip.parameters).synop_energy = picojoules(47.2);
  REQUIRE(energy_pj(cost_of(chip, p, pass_of(p, {}, {}, 1))) - once == Approx(23600));
}

TEST_CASE("threshold work is part of the neuron, softmax is not") {
  const Problem relu = elementwise(1024, 1, DataType::int8);
  const ComputeCost inside = cost_of(loihi(), relu, pass_of(relu, {}, {}, 1));
  REQUIRE(inside.events.at(0).name == "neuron update");
  REQUIRE(inside.cycles.value == Approx(10 * (1024 * 8.4 + 465)));  // one core, ten steps, each with its barrier
  const Problem softmax = elementwise(1024, 8, DataType::int8);
  const ComputeCost outside = cost_of(loihi(), softmax, pass_of(softmax, {}, {}, 1));
  REQUIRE(outside.events.at(0).name == "vector op");
  REQUIRE(outside.why.find("embedded processors") != std::string::npos);
  REQUIRE(is_pipelined(loihi()));
}

TEST_CASE("a chip without any time is refused") {
  REQUIRE_THROWS_WITH(chip_of("neuromorphic", {level("Host", 0, 1, 1), level("Core", 1024, 1)},
                              "cores: 1\nneurons_per_core: 1\nmesh: [1, 1]\ntime_steps: 1\nspike_rate: 0.1\nsynop: "
                              "{energy: 1 pJ}\nsource: t\n"
                              "precisions: {int8: 1}\n"),
                      Catch::Contains("min_step"));
}
