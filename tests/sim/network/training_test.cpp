#include "sim/network/training.hpp"

#include <catch2/catch.hpp>

#include "arch_models/load.hpp"
#include "core/diagnostics.hpp"
#include "sim/network/network.hpp"

using namespace tilewright;

namespace {

/// Two dense layers of one width.
WorkloadGraph dense(std::int64_t rows, std::int64_t width, DataType type) {
  WorkloadGraph graph;
  graph.name = "dense";
  graph.source = "built in the test";
  graph.batch = rows;
  const auto tensor = [&](std::string name, std::vector<std::int64_t> shape, TensorKind kind) {
    graph.tensors.push_back({std::move(name), std::move(shape), type, kind});
    return static_cast<TensorId>(graph.tensors.size() - 1);
  };
  TensorId last = tensor("x", {rows, width}, TensorKind::input);
  graph.inputs = {last};
  for (const char* name : {"a", "b"}) {
    const TensorId weights = tensor(std::string("w") + name, {width, width}, TensorKind::weight);
    const TensorId result = tensor(std::string("y") + name, {rows, width}, TensorKind::activation);
    graph.layers.push_back({name, "MatMul", MatMul{{}, rows, width, width}, {last, weights}, {result}, {}});
    graph.weight_elements += width * width;
    last = result;
  }
  graph.outputs = {last};
  finish(graph);
  return graph;
}

SoftwareStack profiler() { return *find_stack("profiler"); }

}  // namespace

TEST_CASE("a training step is forward, backward and update; mixed precision with Adam takes 16 bytes a parameter") {
  const WorkloadGraph graph = dense(4096, 4096, DataType::fp16);
  const Chip chip = load_chip("a100-sxm4-80gb");
  const TrainingStep step = training_step(graph, chip, profiler(), Optimizer::adam, 1, false);
  CHECK(step.total.value == Approx(step.forward.value + step.backward.value + step.update.value));
  CHECK(step.backward / step.forward == Approx(2).epsilon(0.15));  // two products for each one
  const double parameters = 2.0 * 4096 * 4096;
  CHECK((step.weights + step.gradients + step.master + step.states).value == Approx(16 * parameters));
  CHECK(step.activations.value == 3 * 2.0 * 4096 * 4096);
  CHECK(step.gpus_for_memory == 1);
  CHECK(step.samples_per_s == Approx(4096 / step.total.value));
  // 28 bytes a parameter through the memory: the update cannot be faster
  CHECK(step.update.value >= 28 * parameters / 2039e9);
  CHECK(step.board.value <= chip.tdp.value * step.total.value);
  CHECK(step.link.empty());
}

TEST_CASE("GPUs that share a step exchange gradients, or wait in a pipeline") {
  const WorkloadGraph graph = dense(1024, 2048, DataType::fp32);
  const Chip sxm = load_chip("a100-sxm4-80gb"), pcie = load_chip("a100-pcie-40gb");
  const TrainingStep one = training_step(graph, sxm, profiler(), Optimizer::sgd, 1, false);
  const TrainingStep four = training_step(graph, sxm, profiler(), Optimizer::sgd, 4, false);
  CHECK(four.forward == one.forward);
  CHECK(four.exchange.value > 0);
  CHECK(four.samples_per_s < 4 * one.samples_per_s);
  CHECK(four.samples_per_s > 2 * one.samples_per_s);
  CHECK(training_step(graph, pcie, profiler(), Optimizer::sgd, 4, false).exchange > four.exchange);
  const TrainingStep staged = training_step(graph, sxm, profiler(), Optimizer::sgd, 4, true);
  CHECK(staged.forward.value == Approx(one.forward.value / 4));
  CHECK((staged.forward + staged.backward + staged.idle).value == Approx((one.forward + one.backward).value));
  for (const TrainingStep& step : {four, staged}) {
    CHECK(step.total.value == Approx((step.forward + step.backward + step.update + step.exchange + step.idle).value));
  }
}

TEST_CASE("the network's report carries the step; integers do not train, other families have no backward model") {
  NetworkOptions options;
  options.stack = find_stack("pytorch");
  options.train = Optimizer::momentum;
  const NetworkEvaluation trained = evaluate_network(dense(64, 256, DataType::fp32), load_chip("t4"), options);
  REQUIRE(trained.training);
  CHECK(trained.training->optimizer == "momentum");
  CHECK(trained.training->total > trained.latency);
  CHECK_THROWS_AS(evaluate_network(dense(64, 256, DataType::int8), load_chip("t4"), options), InputError);
  const NetworkEvaluation other = evaluate_network(dense(64, 256, DataType::int8), load_chip("tpu-v1"), options);
  CHECK(!other.training);
  CHECK(other.notes.back().starts_with("no training step"));
}
