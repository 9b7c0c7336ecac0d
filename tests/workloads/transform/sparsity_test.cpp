#include <catch2/catch.hpp>

#include "tests/core/message_of.hpp"
#include "workloads/lowering.hpp"
#include "workloads/transform/transform.hpp"
#include "workloads/zoo/zoo.hpp"

using namespace tilewright;

namespace {

/// The weights of the first kernel of a layer.
Operand weights_of(const WorkloadGraph& graph, const std::string& layer) {
  for (const Layer& each : graph.layers) {
    if (each.name != layer) continue;
    const std::vector<Kernel> kernels = lower(graph, each);
    for (const Operand& operand : kernels.front().problem.operands) {
      if (operand.role == Role::weight) return operand;
    }
  }
  return {};
}

}  // namespace

TEST_CASE("Sparsity reaches the weights of the named layers alone, structured with its block") {
  const WorkloadGraph dense = generate("resnet18");
  const WorkloadGraph sparse = set_sparsity(dense, "layer1.*", sparsity_from("2:4"));
  REQUIRE(weights_of(sparse, "layer1.0.conv1").density == 0.5);
  REQUIRE(weights_of(sparse, "layer1.0.conv1").block == 4);
  REQUIRE(weights_of(sparse, "layer2.0.conv1").density == 1);
  const WorkloadGraph loose = set_sparsity(dense, "*", sparsity_from("0.75"));
  REQUIRE(weights_of(loose, "fc").density == 0.25);
  REQUIRE(weights_of(loose, "fc").block == 0);
  REQUIRE(total_macs(loose) == total_macs(dense));  // the work is the network's; what zeros save is the chip's
}

TEST_CASE("Precision by layer changes weights and inputs of the named layers") {
  const WorkloadGraph graph = generate("resnet18");
  const WorkloadGraph mixed = set_layer_precision(graph, "layer1.0.conv2", *precision_from("int8"));
  REQUIRE(weights_of(mixed, "layer1.0.conv2").type == DataType::int8);
  REQUIRE(weights_of(mixed, "layer1.0.conv1").type == DataType::fp32);
}

TEST_CASE("Unknown layers and wrong sparsities are errors with the way out") {
  const WorkloadGraph graph = generate("resnet18");
  REQUIRE(message_of([&] { set_sparsity(graph, "layer1.0.conv9", {}); }).find("Did you mean 'layer1.0.conv1'?") !=
          std::string::npos);
  for (const std::string text : {"", "1", "-0.5", "0.5x", "4:2", "0:4", "2:", ":4", "nan"}) {
    CAPTURE(text);
    REQUIRE(message_of([&] { sparsity_from(text); }).find("such as 2:4") != std::string::npos);
  }
}
