// What one more of a resource buys.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "arch_models/load.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/network/marginal.hpp"
#include "workloads/onnx/load.hpp"

namespace {

using namespace tilewright;

WorkloadGraph workload(const std::string& name) {
  WorkloadRequest request;
  request.workload = name;
  request.precision = precision_from("int8");
  return prepare_workload(request);
}

Chip changed(const std::string& chip, const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<Override> overrides;
  for (const auto& [path, value] : changes) overrides.push_back({path, value, {"test", 0, 0, ""}});
  return read_chip(with_overrides(chip_document(chip), overrides));
}

const Marginal& named(const std::vector<Marginal>& all, const std::string& resource) {
  const auto found = std::ranges::find(all, resource, &Marginal::resource);
  REQUIRE(found != all.end());
  return *found;
}

}  // namespace

TEST_CASE("one more row or column that no work needs makes the array slower, and is starred") {
  // 4 x 4 PEs, output stationary: a product of 4 x 4 results of 8 terms is one fold of 8 + 4 + 4 - 2 = 14 cycles. A fifth row or column
  // stays empty, but operands and results pass it: 8 + 5 + 4 - 2 = 15. DRAM brings 256 B a cycle, and never limits.
  const Chip chip = changed("edge-systolic-example", {{"compute.rows", "4"},
                                                      {"compute.cols", "4"},
                                                      {"compute.dataflow", "output_stationary"},
                                                      {"compute.weights_double_buffered", "false"},
                                                      {"levels.DRAM.bandwidth", "128 GB/s"}});
  const WorkloadGraph graph = workload("gemm:m=4,n=4,k=8");
  const NetworkEvaluation now = evaluate_network(graph, chip, {});
  REQUIRE(now.failure.empty());
  REQUIRE(now.layers.at(0).kernels.at(0).first.compute.cycles.value == 14);
  const std::vector<Marginal> all = marginals(graph, chip, {}, now);
  for (const char* resource : {"rows", "cols"}) {
    INFO(resource);
    const Marginal& one = named(all, resource);
    CHECK(one.slower_array);
    CHECK((one.latency_change * chip.clock).value == Approx(1).epsilon(1e-9));
  }
  CHECK_FALSE(named(all, "Buffer.capacity").slower_array);
  CHECK_FALSE(named(all, "DRAM.bandwidth").slower_array);
  // A row that work needs is worth its skew: 5 x 4 results are two folds of 14 cycles on 4 rows, and one of 15 on 5.
  const WorkloadGraph tall = workload("gemm:m=5,n=4,k=8");
  const NetworkEvaluation two_folds = evaluate_network(tall, chip, {});
  const Marginal rows = named(marginals(tall, chip, {}, two_folds), "rows");
  CHECK_FALSE(rows.slower_array);
  CHECK(rows.latency_change.value < 0);
}

TEST_CASE("one more of a capacity or a bandwidth never makes the objective worse") {
  std::mt19937 random(20);
  const auto any = [&](int most) { return 1 + static_cast<int>(random() % static_cast<unsigned>(most)); };
  const std::vector<Chip> chips{load_chip("edge-systolic-example"), load_chip("gemmini-16x16"),
                                changed("edge-systolic-example", {{"levels.Buffer.capacity", "20 KiB"}})};
  int compared = 0, better = 0;
  for (int i = 0; i < 12; ++i) {
    const int kernel = 1 + 2 * (any(2) - 1), image = kernel + any(20);
    const std::string layer = i % 2 == 0 ? fmt::format("gemm:m={},n={},k={}", any(200), any(200), any(200))
                                         : fmt::format("conv2d:c={},h={},w={},k={},r={},s={}", any(32), image, image,
                                                       any(32), kernel, kernel);
    const WorkloadGraph graph = workload(layer);
    for (const Chip& chip : chips) {
      for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
        NetworkOptions options;
        options.objective = objective;
        const auto value = [&](Seconds latency, Joules energy) {
          return score(latency * chip.clock, energy, chip, objective);
        };
        const NetworkEvaluation now = evaluate_network(graph, chip, options);
        REQUIRE(now.failure.empty());
        const double before = value(now.latency, now.energy.total());
        for (const Marginal& one : marginals(graph, chip, options, now)) {
          if (!one.resource.contains('.')) continue;
          INFO(layer << " on " << chip.name << ", objective " << static_cast<int>(objective) << ", " << one.resource);
          REQUIRE(one.failure.empty());
          const double after = value(one.latency, one.energy);
          REQUIRE(after <= before * (1 + 1e-9));
          REQUIRE_FALSE(one.slower_array);
          ++compared;
          better += after < before * (1 - 1e-9);
        }
      }
    }
  }
  REQUIRE(compared > 300);
  REQUIRE(better > 20);  // the steps buy something
}
