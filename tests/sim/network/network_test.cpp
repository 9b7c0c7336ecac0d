#include <catch2/catch.hpp>

#include <algorithm>
#include <set>
#include <vector>

#include "sim/cost/roofline.hpp"
#include "sim/network/network.hpp"
#include "sim/network/shadows.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

/// A chain of dense layers: sizes[0] -> sizes[1] -> ...
WorkloadGraph dense_chain(const std::vector<std::int64_t>& sizes, DataType type = DataType::int8) {
  WorkloadGraph graph;
  graph.name = "chain";
  graph.source = "built in the test";
  const auto tensor = [&](std::string name, std::vector<std::int64_t> shape, TensorKind kind) {
    Tensor t;
    t.name = std::move(name);
    t.shape = std::move(shape);
    t.type = type;
    t.kind = kind;
    graph.tensors.push_back(t);
    return static_cast<TensorId>(graph.tensors.size() - 1);
  };
  TensorId activation = tensor("x", {4, sizes[0]}, TensorKind::input);
  graph.inputs = {activation};
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    const TensorId weights = tensor("w" + std::to_string(i), {sizes[i - 1], sizes[i]}, TensorKind::weight);
    const TensorId result = tensor("y" + std::to_string(i), {4, sizes[i]}, TensorKind::activation);
    graph.weight_elements += sizes[i - 1] * sizes[i];
    Layer layer;
    layer.name = "fc" + std::to_string(i);
    layer.op = "MatMul";
    layer.work = MatMul{{}, 4, sizes[i], sizes[i - 1]};
    layer.inputs = {activation, weights};
    layer.outputs = {result};
    graph.layers.push_back(layer);
    activation = result;
  }
  graph.outputs = {activation};
  finish(graph);
  return graph;
}

}  // namespace

TEST_CASE("totals are the sums of the layers and equal layers are evaluated once") {
  Chip chip = tiny_chip();
  chip.static_power = Watts{0.1};
  const NetworkEvaluation n = evaluate_network(dense_chain({16, 16, 16, 16, 8}), chip, {});
  REQUIRE(n.failure.empty());
  REQUIRE(n.layers.size() == 2);
  CHECK(n.layers[0].repeat == 3);
  CHECK(n.layer_count == 4);
  CHECK(n.macs == 4 * (3 * 16 * 16 + 16 * 8));
  double cycles = 0, seconds = 0, joules = 0;
  for (const LayerEvaluation& layer : n.layers) {
    const double times = static_cast<double>(layer.repeat);
    cycles += times * layer.cycles.value;
    seconds += times * layer.latency.value;
    joules += times * layer.energy.total().value;
    CHECK(layer.optimality_gap >= 0);
    CHECK(layer.utilization > 0);
    CHECK(layer.arithmetic_intensity > 0);
    CHECK(layer.precision == "int8");
    CHECK_FALSE(layer.bound.empty());
  }
  CHECK(n.cycles.value == Approx(cycles));
  CHECK(n.latency.value == Approx(seconds));
  CHECK(n.energy.total().value == Approx(joules));
  CHECK(n.energy.static_.value == Approx(0.1 * seconds));
  CHECK(n.average_power.value == Approx(joules / seconds));
  CHECK(n.throughput_per_s == Approx(1 / seconds));
  CHECK(n.operations == 2.0 * static_cast<double>(n.macs));
  // Weights 3 x 256 + 128 B; the largest two neighbouring activations, 64 + 64 B, live at once.
  CHECK(n.peak_memory_bytes == 896 + 128);
}

TEST_CASE("a fused operator waits for the words of its producer at the outermost level") {
  // The product moves at least 64 + 256 words in and 64 out, the sum 64 further ones in: 448 B at 2 B a cycle take 224 cycles, although
  // each of the two alone needs fewer.
  WorkloadGraph graph = dense_chain({16, 16});
  graph.layers[0].epilogues = {{"Add", 1, 64}};
  const NetworkEvaluation n = evaluate_network(graph, tiny_chip(), {});
  REQUIRE(n.failure.empty());
  REQUIRE(n.layers[0].kernels.size() == 2);
  Bytes moved;
  Cycles longest;
  for (const auto& [evaluation, repeat] : n.layers[0].kernels) {
    moved += evaluation.levels.front().traffic;
    longest = std::max(longest, evaluation.cycles);
  }
  CHECK(moved.value >= 448);
  CHECK(longest < n.layers[0].cycles);
  CHECK(n.layers[0].cycles.value >= moved.value / 2);
  CHECK(n.layers[0].bound == "memory:DRAM");
}

TEST_CASE("a run of kernels takes as long as its longest or as all its words at the outermost level") {
  const RunTime product{false, Cycles{100}, Cycles{80}, Cycles{5}}, sum{true, Cycles{60}, Cycles{50}, Cycles{4}},
      small{true, Cycles{20}, Cycles{3}, Cycles{4}}, next{false, Cycles{7}, Cycles{7}, Cycles{}};
  CHECK(time_of_run(std::vector{product}) == Cycles{100});
  CHECK(time_of_run(std::vector{product, small}) == Cycles{100});  // 5 + 80 + 3 = 88
  CHECK(time_of_run(std::vector{product, sum}) == Cycles{135});    // 5 + 80 + 50
  CHECK(time_in_shadows(std::vector{product, sum, next}) == Cycles{142});
}

TEST_CASE("the number of jobs never changes a result") {
  const WorkloadGraph graph = dense_chain({8, 12, 20, 6, 10});
  NetworkOptions options;
  const NetworkEvaluation one = evaluate_network(graph, tiny_chip(), options);
  for (const int jobs : {2, 4, 64}) {
    options.jobs = jobs;
    const NetworkEvaluation many = evaluate_network(graph, tiny_chip(), options);
    REQUIRE(many.layers.size() == one.layers.size());
    CHECK(many.cycles == one.cycles);
    CHECK(many.energy.total() == one.energy.total());
    for (std::size_t i = 0; i < one.layers.size(); ++i) {
      CHECK(many.layers[i].name == one.layers[i].name);
      CHECK(many.layers[i].kernels[0].first.mapping == one.layers[i].kernels[0].first.mapping);
    }
  }
}

TEST_CASE("progress names every layer group once") {
  std::set<std::string> seen;
  int calls = 0;
  NetworkOptions options;
  options.jobs = 3;
  options.progress = [&](std::string_view name) {
    ++calls;
    seen.insert(std::string(name));
  };
  const NetworkEvaluation n = evaluate_network(dense_chain({8, 12, 20, 6}), tiny_chip(), options);
  CHECK(calls == 3);
  CHECK(seen.size() == n.layers.size());
}

TEST_CASE("a format that the chip lacks is replaced with a note, or refused when it was asked for") {
  const WorkloadGraph graph = dense_chain({8, 8}, DataType::fp32);
  const NetworkEvaluation replaced = evaluate_network(graph, tiny_chip(), {});
  REQUIRE(replaced.failure.empty());
  CHECK(replaced.layers[0].precision == "int8");
  REQUIRE_FALSE(replaced.notes.empty());
  CHECK(replaced.notes[0].find("fp32 runs as int8") != std::string::npos);
  NetworkOptions asked;
  asked.precision_given = true;
  const NetworkEvaluation refused = evaluate_network(graph, tiny_chip(), asked);
  CHECK(refused.failure.find("fp32") != std::string::npos);
  CHECK(refused.failure.find("supports int8") != std::string::npos);
}

TEST_CASE("a layer that does not fit is a failure with its name and level") {
  Chip chip = tiny_chip();
  chip.levels[1].capacity = Bytes{2};
  const NetworkEvaluation n = evaluate_network(dense_chain({8, 8}), chip, {});
  CHECK(n.failure.find("fc1") != std::string::npos);
  CHECK(n.failure.find("Buffer") != std::string::npos);
}

TEST_CASE("the roofline engine gives the bound and is never slower than the analytical one") {
  NetworkOptions options;
  const NetworkEvaluation analytical = evaluate_network(dense_chain({16, 24, 8}), tiny_chip(), options);
  options.engine = Engine::roofline;
  const NetworkEvaluation bound = evaluate_network(dense_chain({16, 24, 8}), tiny_chip(), options);
  CHECK(bound.cycles <= analytical.cycles);
  for (const LayerEvaluation& layer : bound.layers) CHECK(layer.cycles == layer.kernels[0].first.cycles_bound);
}

TEST_CASE("stages of a streaming pipeline share the pace and add their fills") {
  Chip chip = tiny_chip();
  FpgaParameters streaming;
  streaming.style = FpgaStyle::streaming;
  streaming.dsp = 64;
  chip.family = "fpga";
  chip.parameters = streaming;
  const NetworkEvaluation n = evaluate_network(dense_chain({16, 16, 16, 8}), chip, {});
  REQUIRE(n.failure.empty());
  double sum = 0, pace = 0, drains = 0;
  std::int64_t layers = 0;
  for (const LayerEvaluation& layer : n.layers) {
    const Evaluation& e = layer.kernels[0].first;
    const double times = static_cast<double>(layer.repeat);
    sum += times * layer.cycles.value;
    pace += times * (e.cycles - e.overhead).value;
    drains += times * e.compute.fill_drain.value;
    layers += layer.repeat;
    CHECK(e.compute.fill_share == Approx(0.25));  // one of four rows
  }
  CHECK(layers == 3);
  CHECK(n.cycles.value == Approx(sum));
  CHECK(n.cycles.value == Approx(pace + 3 * 0.25 * pace + drains));
  CHECK(n.throughput_per_s == Approx(chip.clock.value / pace));
}

TEST_CASE("inside a pipeline only the graph's inputs and outputs cross the outermost level") {
  Chip chip = tiny_chip();
  FpgaParameters streaming;
  streaming.style = FpgaStyle::streaming;
  streaming.dsp = 64;
  streaming.bram36 = 1;  // 4,608 bytes: the 640 weight bytes stay in the fabric
  chip.family = "fpga";
  chip.parameters = streaming;
  NetworkOptions thrifty;  // each word once
  thrifty.objective = Objective::energy;
  // 4 x 16 bytes in, 4 x 8 bytes out.
  CHECK(evaluate_network(dense_chain({16, 16, 16, 8}), chip, thrifty).dram.value == 64 + 32);
  streaming.bram36 = 0;  // now every weight comes from outside for each sample
  chip.parameters = streaming;
  CHECK(evaluate_network(dense_chain({16, 16, 16, 8}), chip, thrifty).dram.value >= 64 + 32 + 640);
}

TEST_CASE("the roofline of a network has a ceiling per level with a bandwidth and a dot per layer") {
  const Chip chip = tiny_chip();
  const NetworkEvaluation n = evaluate_network(dense_chain({16, 24, 8}), chip, {});
  const RooflinePlot plot = roofline_plot(n, chip);
  REQUIRE(plot.ceilings.size() == 2);
  CHECK(plot.ceilings[0].bandwidth == Approx(2e9));  // 2 B/cycle at 1 GHz
  REQUIRE(plot.peaks.size() == 1);
  CHECK(plot.peaks[0].operations_per_s == Approx(2.0 * 4 * 1e9));  // 4 lanes, one MAC each
  REQUIRE(plot.points.size() == n.layers.size());
  double share = 0;
  for (const RooflinePoint& point : plot.points) {
    share += point.time_share;
    CHECK(point.operations_per_s <= plot.peaks[0].operations_per_s * (1 + 1e-9));
  }
  CHECK(share == Approx(1.0));
}
