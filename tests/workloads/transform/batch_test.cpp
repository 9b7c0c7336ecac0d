#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"
#include "tests/workloads/transform/traffic.hpp"
#include "workloads/transform/transform.hpp"
#include "workloads/zoo/builder.hpp"
#include "workloads/zoo/zoo.hpp"

using namespace tilewright;

TEST_CASE("a rebatched graph equals the graph generated with that batch") {
  const auto [name, from, to] = GENERATE(table<std::string, int, int>({{"resnet18:", 1, 8},
                                                                       {"resnet50:", 6, 4},
                                                                       {"vgg16:", 2, 1},
                                                                       {"mobilenet_v2:", 1, 3},
                                                                       {"bert-base:", 1, 5},
                                                                       {"bert-base:", 4, 2},
                                                                       {"gpt2:phase=decode,context=100,", 1, 7},
                                                                       {"gpt2:phase=prefill,seq=16,", 3, 2},
                                                                       {"llama-7b:phase=decode,context=33,", 1, 4},
                                                                       {"llama-7b:seq=24,", 1, 2},
                                                                       {"llama-70b:phase=decode,context=9,", 2, 6},
                                                                       {"lstm:layers=2,", 20, 5},
                                                                       {"gru:bidirectional=1,", 4, 6},
                                                                       {"seqnas:", 1, 3}}));
  CAPTURE(name, from, to);
  const WorkloadGraph changed = set_batch(generate(name + "batch=" + std::to_string(from)), to);
  const WorkloadGraph wanted = generate(name + "batch=" + std::to_string(to));
  REQUIRE(changed.batch == to);
  REQUIRE(changed.layers.size() == wanted.layers.size());
  for (std::size_t i = 0; i < wanted.layers.size(); ++i) {
    CAPTURE(wanted.layers[i].name);
    REQUIRE(macs(changed.layers[i]) == macs(wanted.layers[i]));
  }
  REQUIRE(traffic(changed) == traffic(wanted));
  REQUIRE(peak_activation_bytes(changed) == peak_activation_bytes(wanted));
}

TEST_CASE("there and back again gives the same sizes") {
  const WorkloadGraph graph = generate("bert-base:batch=2");
  const WorkloadGraph back = set_batch(set_batch(graph, 6), 2);
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) REQUIRE(back.tensors[i].shape == graph.tensors[i].shape);
}

TEST_CASE("a fused graph can be rebatched where residuals and biases are apart") {
  const WorkloadGraph graph = fuse(generate("resnet18"), Fusion::normal);
  REQUIRE(traffic(set_batch(graph, 4)) == traffic(fuse(generate("resnet18:batch=4"), Fusion::normal)));
}

TEST_CASE("a layer that hides the batch is named") {
  zoo::Builder b(zoo::Arguments("net", {}), 4, DataType::fp32);
  const TensorId x = b.input("x", {4, 3});
  const WorkloadGraph graph = b.take({b.layer("everything", "ReduceMean", Reduce{1, 12, 1}, {x}, {})});
  REQUIRE_THROWS_WITH(set_batch(graph, 8), Catch::Contains("everything") && Catch::Contains("batch"));
  REQUIRE_THROWS_AS(set_batch(graph, 0), InputError);
  REQUIRE_THROWS_AS(set_batch(graph, -3), InputError);
}
