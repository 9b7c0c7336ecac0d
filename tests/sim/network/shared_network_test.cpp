// Chips that share mappings: the same figures as chips that do not, where the mappings are the same.
#include "sim/network/shared_network.hpp"

#include <catch2/catch.hpp>
#include <thread>

#include "arch_models/load.hpp"
#include "workloads/onnx/load.hpp"

namespace {

using namespace tilewright;

WorkloadGraph network() {
  WorkloadRequest request;
  request.workload = std::string(TILEWRIGHT_SOURCE_DIR) + "/workloads/models/mlperf_tiny_kws_dscnn.onnx";
  request.precision = precision_from("int8");
  return prepare_workload(request);
}

/// A chip with a scratchpad of so many KiB and a memory of so many bytes a cycle.
Chip chip_with(double kib, double bytes) {
  const Place here{"test", 0, 0, ""};
  return read_chip(with_overrides(chip_document("edge-systolic-16x16"),
                                  {{"levels.Scratchpad.capacity", std::to_string(kib * 1024) + " B", here},
                                   {"levels.DRAM.bandwidth", std::to_string(bytes) + " B/cycle", here}}));
}

using Size = std::pair<double, double>;

SharedNetwork::Anchors anchors_at(const std::vector<Size>& sizes) {
  SharedNetwork::Anchors anchors;
  for (const auto& [kib, bytes] : sizes) anchors.keys.push_back(std::to_string(kib) + "," + std::to_string(bytes));
  anchors.chip = [sizes](std::size_t i) -> std::optional<Chip> { return chip_with(sizes[i].first, sizes[i].second); };
  anchors.last_bounds = true;
  return anchors;
}

void check_equal(const NetworkEvaluation& a, const NetworkEvaluation& b) {
  CHECK(a.latency == b.latency);
  CHECK(a.cycles == b.cycles);
  CHECK(a.energy.total() == b.energy.total());
  CHECK(a.energy.memory == b.energy.memory);
  CHECK(a.dram == b.dram);
  CHECK(a.utilization == b.utilization);
  CHECK(a.peak_memory_bytes == b.peak_memory_bytes);
  CHECK(a.throughput_per_s == b.throughput_per_s);
  REQUIRE(a.layers.size() == b.layers.size());
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    CHECK(a.layers[l].name == b.layers[l].name);
    CHECK(a.layers[l].bound == b.layers[l].bound);
    CHECK(a.layers[l].cycles == b.layers[l].cycles);
    CHECK(a.layers[l].optimality_gap == Approx(b.layers[l].optimality_gap).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("on an anchor a shared network has the figures of its own search, bit by bit") {
  const WorkloadGraph graph = network();
  for (const Engine engine : {Engine::analytical, Engine::roofline}) {
    NetworkOptions options;
    options.engine = engine;
    options.precision_given = true;
    SharedNetwork shared(graph, chip_with(64, 16), options);
    shared.evaluate(chip_with(100, 20), anchors_at({{64, 16}, {256, 32}}));
    for (const Size& size : {Size{64, 16}, Size{256, 32}, Size{64, 16}}) {
      const Chip chip = chip_with(size.first, size.second);
      check_equal(shared.evaluate(chip, anchors_at({size})), evaluate_network(graph, chip, options));
    }
  }
}

TEST_CASE(
    "between anchors a chip is as good as any anchor's mappings make it, and within the proven gap of its own search") {
  const WorkloadGraph graph = network();
  for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
    NetworkOptions options;
    options.objective = objective;
    options.precision_given = true;
    SharedNetwork shared(graph, chip_with(64, 16), options);
    const Chip chip = chip_with(100, 24);
    SharedNetwork::Anchors anchors = anchors_at({{64, 16}, {64, 32}, {256, 16}, {256, 32}});
    anchors.last_bounds = objective == Objective::latency;
    const NetworkEvaluation many = shared.evaluate(chip, anchors);
    const NetworkEvaluation own = evaluate_network(graph, chip, options);
    REQUIRE(many.failure.empty());
    const auto score = [&](const LayerEvaluation& layer) {
      const double time = layer.latency.value, energy = layer.energy.total().value;
      return objective == Objective::latency ? time : objective == Objective::energy ? energy : time * energy;
    };
    for (const Size& size : {Size{64, 16}, Size{64, 32}}) {  // anchors that fit the chip for sure
      const NetworkEvaluation one = shared.evaluate(chip, anchors_at({size}));
      for (std::size_t l = 0; l < many.layers.size(); ++l) {
        if (many.layers[l].name.find('+') == std::string::npos)
          CHECK(many.layers[l].cycles.value <=
                Approx(one.layers[l].cycles.value * (objective == Objective::latency ? 1 : 1e9)));
      }
    }
    for (std::size_t l = 0; l < many.layers.size(); ++l) {
      INFO(many.layers[l].name);
      CHECK(score(many.layers[l]) * (1 - many.layers[l].optimality_gap) <= Approx(score(own.layers[l])));
    }
  }
}

TEST_CASE("what a shared network answers does not depend on what was asked before, or by whom") {
  const WorkloadGraph graph = network();
  NetworkOptions options;
  options.precision_given = true;
  const std::vector<Size> around{{64, 16}, {64, 32}, {256, 16}, {256, 32}};
  std::vector<Chip> chips;
  for (const double kib : {70.0, 100.0, 200.0}) {
    for (const double bytes : {17.0, 23.0, 31.0}) chips.push_back(chip_with(kib, bytes));
  }
  std::vector<NetworkEvaluation> alone;
  for (const Chip& chip : chips)
    alone.push_back(SharedNetwork(graph, chip, options).evaluate(chip, anchors_at(around)));
  SharedNetwork shared(graph, chips.back(), options);
  std::vector<NetworkEvaluation> together(chips.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = chips.size(); i-- > 0;) {
          if (i % 3 == t) together[i] = shared.evaluate(chips[i], anchors_at(around));
        }
      });
    }
  }
  for (std::size_t i = 0; i < chips.size(); ++i) check_equal(together[i], alone[i]);
}

TEST_CASE("where no anchor's mapping fits, the chip is searched itself, and what does not fit at all is said") {
  const WorkloadGraph graph = network();
  NetworkOptions options;
  options.precision_given = true;
  const Chip small = chip_with(3, 16);
  SharedNetwork shared(graph, small, options);
  check_equal(shared.evaluate(small, anchors_at({{64, 16}})), evaluate_network(graph, small, options));
  SharedNetwork::Anchors none = anchors_at({{64, 16}});
  none.chip = [](std::size_t) { return std::nullopt; };
  none.keys = {"none"};
  check_equal(shared.evaluate(small, none), evaluate_network(graph, small, options));

  Chip tiny = small;
  tiny.levels[1].capacity = Bytes{2};
  const NetworkEvaluation own = evaluate_network(graph, tiny, options);
  REQUIRE_FALSE(own.failure.empty());
  CHECK(shared.evaluate(tiny, anchors_at({{64, 16}})).failure == own.failure);
}
