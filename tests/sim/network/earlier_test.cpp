// A network with the mappings of earlier answers: quick, exact for these mappings, and never better than the search.
#include <catch2/catch.hpp>

#include "arch_models/load.hpp"
#include "sim/network/network.hpp"
#include "workloads/onnx/load.hpp"

namespace {

using namespace tilewright;

WorkloadGraph network(std::int64_t batch) {
  WorkloadRequest request;
  request.workload = std::string(TILEWRIGHT_SOURCE_DIR) + "/workloads/models/mlperf_tiny_kws_dscnn.onnx";
  request.precision = precision_from("int8");
  request.import.batch = batch;
  return prepare_workload(request);
}

Chip changed(const char* path, const char* value) {
  return read_chip(with_overrides(chip_document("edge-systolic-16x16"), {{path, value, {"test", 0, 0, ""}}}));
}

}  // namespace

TEST_CASE("on the same chip the mappings of the last answer are the answer") {
  const WorkloadGraph graph = network(1);
  const Chip chip = load_chip("edge-systolic-16x16");
  for (const Objective objective : {Objective::latency, Objective::energy}) {
    NetworkOptions options;
    options.objective = objective;
    const NetworkEvaluation searched = evaluate_network(graph, chip, options);
    options.earlier = {&searched};
    const NetworkEvaluation again = evaluate_network(graph, chip, options);
    if (objective == Objective::latency) CHECK(again.latency == searched.latency);
    if (objective == Objective::energy) CHECK(again.energy.total() == searched.energy.total());
  }
}

TEST_CASE("with earlier mappings every layer is legal, costed exactly, and no faster than its bound") {
  const Chip chip = load_chip("edge-systolic-16x16");
  const NetworkEvaluation earlier = evaluate_network(network(1), chip, {});
  NetworkOptions options;
  options.earlier = {&earlier};
  struct Case {
    const char *path, *value;
    std::int64_t batch;
  };
  for (const Case& one :
       {Case{"levels.DRAM.bandwidth", "1.6 GB/s", 1}, Case{"compute.rows", "7", 1}, Case{"compute.cols", "64", 1},
        Case{"levels.Scratchpad.capacity", "8 KiB", 1}, Case{"clock", "1 GHz", 8}}) {
    INFO(one.path << " = " << one.value);
    const Chip other = changed(one.path, one.value);
    const NetworkEvaluation known = evaluate_network(network(one.batch), other, options);
    REQUIRE(known.failure.empty());
    REQUIRE(known.layers.size() == earlier.layers.size());
    for (const LayerEvaluation& layer : known.layers) {
      for (const auto& [e, repeat] : layer.kernels) {
        REQUIRE(check(e.problem, e.mapping, other));
        REQUIRE(e.cycles == evaluate(e.problem, e.mapping, other).cycles);
        REQUIRE(e.cycles >= e.cycles_bound * (1 - 1e-12));
        REQUIRE(e.search_gap == Approx(std::max(0.0, 1 - e.cycles_bound / e.cycles)).margin(1e-12));
      }
    }
  }
  // Four times the columns are used at once: they do not wait for the search.
  CHECK(evaluate_network(network(1), changed("compute.cols", "64"), options).latency < earlier.latency);
}

TEST_CASE("of several earlier answers each layer takes the best mapping") {
  const WorkloadGraph graph = network(1);
  const NetworkEvaluation narrow = evaluate_network(graph, changed("levels.DRAM.bandwidth", "1.6 GB/s"), {}),
                          wide = evaluate_network(graph, changed("levels.DRAM.bandwidth", "51.2 GB/s"), {});
  const Chip between = changed("levels.DRAM.bandwidth", "6.4 GB/s");
  const auto with = [&](std::vector<const NetworkEvaluation*> earlier) {
    NetworkOptions options;
    options.earlier = std::move(earlier);
    return evaluate_network(graph, between, options);
  };
  const NetworkEvaluation first = with({&narrow}), second = with({&wide}), both = with({&narrow, &wide});
  for (std::size_t l = 0; l < both.layers.size(); ++l)
    CHECK(both.layers[l].cycles <= std::min(first.layers[l].cycles, second.layers[l].cycles));
}

TEST_CASE("a search that is told to stop gives up before the next mapping") {
  NetworkOptions options;
  int asked = 0;
  options.limits.stop = [&] { return ++asked > 2; };
  CHECK_THROWS_AS(evaluate_network(network(1), load_chip("edge-systolic-16x16"), options), Stopped);
  CHECK(asked == 3);
}
