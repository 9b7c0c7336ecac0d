#include <catch2/catch.hpp>

#include "tests/workloads/transform/traffic.hpp"
#include "workloads/transform/transform.hpp"
#include "workloads/zoo/zoo.hpp"

using namespace tilewright;

TEST_CASE("int8 weights and fp16 activations leave the token numbers alone") {
  const WorkloadGraph graph = set_precision(generate("gpt2"), {DataType::int8, DataType::fp16});
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.name.ends_with("_ids")) {
      REQUIRE(tensor.type == DataType::int64);
    } else {
      REQUIRE(tensor.type == (tensor.kind == TensorKind::weight ? DataType::int8 : DataType::fp16));
    }
  }
}

TEST_CASE("half the bits move half the bytes") {
  const WorkloadGraph graph = generate("resnet18");
  const WorkloadGraph half = set_precision(graph, {DataType::fp16, DataType::fp16});
  REQUIRE(2 * traffic(half) == traffic(graph));
  REQUIRE(total_macs(half) == total_macs(graph));
}
