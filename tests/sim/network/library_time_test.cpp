#include "sim/network/library_time.hpp"

#include <catch2/catch.hpp>

#include "arch_models/load.hpp"
#include "sim/network/network.hpp"

using namespace tilewright;

namespace {

/// Dense layers with an addition behind each, all of one width.
WorkloadGraph tower(int layers, std::int64_t rows, std::int64_t width) {
  WorkloadGraph graph;
  graph.name = "tower";
  graph.source = "built in the test";
  const auto tensor = [&](std::string name, std::vector<std::int64_t> shape, TensorKind kind) {
    graph.tensors.push_back({std::move(name), std::move(shape), DataType::fp16, kind});
    return static_cast<TensorId>(graph.tensors.size() - 1);
  };
  TensorId last = tensor("x", {rows, width}, TensorKind::input);
  graph.inputs = {last};
  for (int i = 0; i < layers; ++i) {
    const std::string number = std::to_string(i);
    const TensorId weights = tensor("w" + number, {width, width}, TensorKind::weight);
    const TensorId product = tensor("p" + number, {rows, width}, TensorKind::activation);
    const TensorId sum = tensor("s" + number, {rows, width}, TensorKind::activation);
    graph.layers.push_back({"fc" + number, "MatMul", MatMul{{}, rows, width, width}, {last, weights}, {product}, {}});
    graph.layers.push_back({"add" + number,
                            "Add",
                            Elementwise{{rows, width}, {{true, true}, {true, true}}, 1},
                            {product, last},
                            {sum},
                            {}});
    last = sum;
  }
  graph.outputs = {last};
  finish(graph);
  return graph;
}

NetworkEvaluation on(const char* stack, const WorkloadGraph& graph, const Chip& chip) {
  NetworkOptions options;
  options.stack = find_stack(stack);
  return evaluate_network(graph, chip, options);
}

}  // namespace

TEST_CASE("a kernel waits for the host, for the one before it and for the gap; waits and kernels add up") {
  const HostSide host{Stack::profiler, Seconds{5e-6}, Seconds{20e-6}, Seconds{1e-6}};
  const std::vector<QueuedLayer> layers{{1, Seconds{2e-6}}, {1, Seconds{30e-6}}, {2, Seconds{8e-6}}};
  const std::vector<Seconds> wait = waits(layers, host);
  CHECK(wait[0].value == Approx(25e-6));  // start of the pass and the first dispatch
  CHECK(wait[1].value == Approx(3e-6));   // dispatched at 30 us, the first kernel ends at 27
  CHECK(wait[2].value == Approx(2e-6));   // dispatched long ago: two gaps
}

TEST_CASE("on a stack the parts of every layer add up to it and the layers to the network") {
  const WorkloadGraph graph = tower(6, 256, 1024);
  for (const SoftwareStack& stack : software_stacks()) {
    for (const char* name : {"a100-sxm4-80gb", "t4", "h100-sxm5-80gb"}) {
      const NetworkEvaluation n = on(stack.name.data(), graph, load_chip(name));
      REQUIRE(n.failure.empty());
      CHECK(n.stack == stack.name);
      double sum = 0;
      for (const LayerEvaluation& layer : n.layers) {
        REQUIRE(layer.library);
        const LibraryTime& t = *layer.library;
        CHECK(t.limit.value + t.rest.value + t.start.value + t.wait.value == Approx(layer.latency.value));
        CHECK(std::min({t.limit.value, t.rest.value, t.start.value, t.wait.value}) >= 0);
        sum += static_cast<double>(layer.repeat) * layer.latency.value;
      }
      CHECK(sum == Approx(n.latency.value));
    }
  }
}

TEST_CASE("the library's time leaves counts, traffic and dynamic energy of the mappings as they are") {
  const WorkloadGraph graph = tower(2, 512, 768);
  const Chip chip = load_chip("v100-sxm2-16gb");
  const NetworkEvaluation mapped = evaluate_network(graph, chip, {}), timed = on("cuda-graph", graph, chip);
  CHECK(mapped.stack.empty());
  CHECK(!mapped.layers.front().library);
  CHECK(mapped.dram.value == timed.dram.value);
  CHECK(mapped.energy.memory.value == timed.energy.memory.value);
  CHECK(mapped.energy.compute.value == timed.energy.compute.value);
  REQUIRE(mapped.layers.size() == timed.layers.size());
  for (std::size_t l = 0; l < mapped.layers.size(); ++l) {
    CHECK(mapped.layers[l].kernels[0].first.mapping == timed.layers[l].kernels[0].first.mapping);
    CHECK(mapped.layers[l].arithmetic_intensity == timed.layers[l].arithmetic_intensity);
  }
}

TEST_CASE("an eager host bounds a network of small kernels, a graph does not wait for it") {
  const WorkloadGraph graph = tower(20, 8, 128);
  const Chip chip = load_chip("a100-sxm4-80gb");
  const NetworkEvaluation eager = on("pytorch", graph, chip), captured = on("cuda-graph", graph, chip);
  CHECK(eager.latency.value >= 40 * find_stack("pytorch")->host.per_operator.value);
  CHECK(eager.layers.front().bound == "overhead");
  CHECK(captured.latency < eager.latency);
  CHECK(on("profiler", graph, chip).latency < captured.latency);
}

TEST_CASE("a chip without a library and other engines keep the times of the mappings") {
  const WorkloadGraph graph = tower(1, 64, 64);
  CHECK(on("pytorch", graph, load_chip("tpu-v4i")).stack.empty());
  NetworkOptions options;
  options.stack = find_stack("pytorch");
  options.engine = Engine::roofline;
  CHECK(evaluate_network(graph, load_chip("t4"), options).stack.empty());
}

TEST_CASE(
    "a prediction carries the error of its kernels on this device or on others, none where no rows were measured") {
  const WorkloadGraph graph = tower(4, 4096, 4096);
  const NetworkEvaluation known = on("cuda-graph", graph, load_chip("a100-sxm4-80gb")),
                          unseen = on("cuda-graph", graph, load_chip("h100-sxm5-80gb"));
  REQUIRE(known.band_pct);
  REQUIRE(unseen.band_pct);
  CHECK(*known.band_pct > 0);
  CHECK(*unseen.band_pct > *known.band_pct);
  CHECK(known.validation.starts_with("kernel times validated"));
  CHECK(unseen.validation.starts_with("kernel times validated on other devices"));
  CHECK(!evaluate_network(graph, load_chip("a100-sxm4-80gb"), {}).band_pct);
  CHECK(evaluate_network(graph, load_chip("tpu-v4i"), {}).validation == "not validated");
}
