#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "arch_models/load.hpp"
#include "sim/network/network.hpp"
#include "sim/report/trace.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright {
namespace {

NetworkOptions simulated() {
  NetworkOptions options;
  options.engine = Engine::systemc;
  return options;
}

}  // namespace

TEST_CASE("the cycles of a simulated network are those of its layers, and each layer's are those of its parts") {
  const WorkloadGraph graph = generate("mobilenet_v2");
  for (const char* name : {"tpu-v1", "xeon-8380", "zcu102-dpu"}) {
    const Chip chip = load_chip(name);
    const NetworkEvaluation network = evaluate_network(graph, chip, simulated());
    const NetworkEvaluation analytical = evaluate_network(graph, chip, {});
    INFO(name);
    REQUIRE(network.failure.empty());
    REQUIRE(network.layers.size() == graph.layers.size());
    Cycles sum;
    for (const LayerEvaluation& layer : network.layers) {
      const CycleParts& p = *layer.parts;
      REQUIRE((p.compute + p.overhead + p.fill + p.drain + p.dram + p.contention + p.buffer + p.idle) == layer.cycles);
      sum += layer.cycles;
    }
    REQUIRE(sum == network.cycles);
    // The same words, so the same dynamic energy.
    REQUIRE(network.energy.memory.value == Approx(analytical.energy.memory.value));
    REQUIRE(network.energy.compute.value == Approx(analytical.energy.compute.value));
  }
}

TEST_CASE(
    "a streaming design is played as a pipeline: the words of the mappings, the cycles of its parts, overlap of "
    "samples") {
  const WorkloadGraph graph = generate("mobilenet_v2");
  const Chip chip = load_chip("pynq-z2-streaming");
  const NetworkEvaluation analytical = evaluate_network(graph, chip, {});
  NetworkOptions options = simulated();
  const NetworkEvaluation one = evaluate_network(graph, chip, options);
  REQUIRE(one.failure.empty());
  Cycles sum, lanes;
  for (const LayerEvaluation& layer : one.layers) {
    const CycleParts& p = *layer.parts;
    REQUIRE((p.compute + p.overhead + p.fill + p.drain + p.dram + p.contention + p.buffer + p.idle) == layer.cycles);
    sum += layer.cycles;
    lanes += layer.kernels.front().first.compute.cycles;
  }
  REQUIRE(sum == one.cycles);
  REQUIRE(one.cycles >= lanes);  // all stages share the lanes, so none is faster than all of the work on all of them
  REQUIRE(one.energy.memory.value == Approx(analytical.energy.memory.value));
  REQUIRE(one.energy.compute.value == Approx(analytical.energy.compute.value));

  options.requests = 4;
  const NetworkEvaluation four = evaluate_network(graph, chip, options);
  REQUIRE(four.cycles >= 4.0 * lanes);
  REQUIRE(four.cycles < 0.8 * (4.0 * one.cycles));
  REQUIRE(four.throughput_per_s > one.throughput_per_s);
  REQUIRE(four.energy.memory.value == Approx(4 * one.energy.memory.value));
}

TEST_CASE(
    "neuromorphic layers are played in time steps: never below the slowest layer's steps, energy of the hops that were "
    "counted") {
  const WorkloadGraph graph = generate("resnet18");
  for (const char* name : {"loihi-2", "spinnaker-2"}) {
    const Chip chip = load_chip(name);
    const auto& p = std::get<NeuromorphicParameters>(chip.parameters);
    const NetworkEvaluation analytical = evaluate_network(graph, chip, {});
    NetworkOptions options = simulated();
    const NetworkEvaluation one = evaluate_network(graph, chip, options);
    INFO(name);
    REQUIRE(one.failure.empty());
    Cycles sum;
    double hops = 0;
    for (const LayerEvaluation& layer : one.layers) {
      const CycleParts& parts = *layer.parts;
      REQUIRE((parts.compute + parts.overhead + parts.fill + parts.drain + parts.dram + parts.contention +
               parts.buffer + parts.idle) == layer.cycles);
      sum += layer.cycles;
      for (const auto& [e, repeat] : layer.kernels) {
        if (e.compute.stage != Stage::own || e.compute.resident <= 0) continue;
        const auto cores = static_cast<std::int64_t>(e.compute.resident * static_cast<double>(p.cores) + 0.5);
        const Seconds step = std::max(p.min_step_time, spiking_step(chip, e.problem, cores).core + p.barrier_time);
        REQUIRE(one.latency.value >= static_cast<double>(p.time_steps) * step.value * (1 - 1e-12));
        for (const Event& event : e.compute.events) hops += event.name == "spike hop" ? event.count : 0;
      }
    }
    REQUIRE(sum == one.cycles);
    REQUIRE(hops > 0);
    REQUIRE(one.energy.compute.value == Approx(analytical.energy.compute.value));
    options.requests = 5;
    const NetworkEvaluation five = evaluate_network(graph, chip, options);
    REQUIRE(five.cycles < 4.5 * one.cycles);
    REQUIRE(five.energy.link.value == Approx(5 * one.energy.link.value));
  }
}

TEST_CASE("a streaming design whose FIFOs are too small for its residual branches fails with the name of one") {
  Chip chip = load_chip("pynq-z2-streaming");
  std::get<FpgaParameters>(chip.parameters).fifo_rows = 1;
  const NetworkEvaluation network = evaluate_network(generate("resnet18"), chip, simulated());
  CHECK(network.failure.starts_with("deadlock: the FIFO from "));
}

TEST_CASE("requests behind one another on a chip that runs layers in turn overlap at their ends") {
  const WorkloadGraph graph = generate("resnet18");
  const Chip chip = load_chip("edge-systolic-16x16");
  NetworkOptions options = simulated();
  const NetworkEvaluation one = evaluate_network(graph, chip, options);
  options.requests = 3;
  const NetworkEvaluation three = evaluate_network(graph, chip, options);
  REQUIRE(three.cycles < 3.0 * one.cycles);
  REQUIRE(three.cycles > 2.5 * one.cycles);
  REQUIRE(three.energy.memory.value == Approx(3 * one.energy.memory.value));
}

TEST_CASE("a limit on transactions is a failure with its number, a stop is thrown") {
  const WorkloadGraph graph = generate("gemm:m=512,n=512,k=512");
  const Chip chip = load_chip("edge-systolic-16x16");
  NetworkOptions options = simulated();
  options.limits.max_transactions = 10;
  CHECK(evaluate_network(graph, chip, options).failure.find("after 10 tile transactions") != std::string::npos);
  options.limits = {};
  options.limits.max_cycles = Cycles{1000};
  CHECK(evaluate_network(graph, chip, options).failure.find("at cycle 1000 of simulated time") != std::string::npos);
}

TEST_CASE(
    "a trace is one JSON document with a track per resource, slices that do not overlap on it, and paired arrows") {
  const WorkloadGraph graph = generate("gemm:m=256,n=256,k=256");
  for (const auto& [name, most] :
       {std::pair{"edge-systolic-16x16", std::size_t{100'000}}, std::pair{"edge-systolic-16x16", std::size_t{5}},
        std::pair{"raspberry-pi-4", std::size_t{100'000}}}) {
    const Chip chip = load_chip(name);
    NetworkOptions options = simulated();
    std::optional<TraceWriter> writer;
    std::size_t tracks = 0;
    options.watch = [&](const Program& program) {
      tracks = program.resources().size();
      return &writer.emplace(program, chip.clock, most);
    };
    const NetworkEvaluation network = evaluate_network(graph, chip, options);
    const nlohmann::json trace = nlohmann::json::parse(writer->finish());
    std::map<int, double> free;
    std::set<int> named, starts, ends;
    std::size_t slices = 0;
    double buffered = 0;
    for (const auto& event : trace["traceEvents"]) {
      if (event["name"] == "buffered bytes") buffered = event["args"]["value"];
      REQUIRE(buffered >= 0);
      const std::string phase = event["ph"];
      if (phase == "M" && event["name"] == "thread_name") named.insert(event["tid"].get<int>());
      if (phase == "s") starts.insert(event["id"].get<int>());
      if (phase == "f") ends.insert(event["id"].get<int>());
      if (phase != "X") continue;
      ++slices;
      double& before = free[event["tid"].get<int>()];
      REQUIRE(event["ts"].get<double>() >= before - 1e-5);
      before = event["ts"].get<double>() + event["dur"].get<double>();
      REQUIRE(before <= network.latency.value * 1e6 + 1e-5);
    }
    CHECK(named.size() == tracks);
    CHECK(starts == ends);
    CHECK(slices == trace["otherData"]["slices"].get<std::size_t>());
    CHECK((slices == most) == (writer->left_out() > 0));
  }
}

}  // namespace tilewright
