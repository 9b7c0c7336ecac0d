#include "workloads/graph.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <random>
#include <set>

#include <fmt/format.h>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {

TensorId add_tensor(WorkloadGraph& graph, std::int64_t elements, TensorKind kind, TensorId alias = -1) {
  Tensor tensor;
  tensor.name = fmt::format("t{}", graph.tensors.size());
  tensor.shape = {elements};
  tensor.type = DataType::int8;
  tensor.kind = kind;
  tensor.alias_of = alias;
  graph.tensors.push_back(tensor);
  return static_cast<TensorId>(graph.tensors.size()) - 1;
}

void add_layer(WorkloadGraph& graph, const std::string& name, std::vector<TensorId> in, std::vector<TensorId> out,
               Operator work = Movement{1}) {
  graph.layers.push_back({name, "Op", std::move(work), std::move(in), std::move(out), {}});
}

/// Layers a, b, c in a chain over tensors 0 (input), 1, 2, 3, written in the given order.
WorkloadGraph chain(const std::string& order) {
  WorkloadGraph graph;
  add_tensor(graph, 1, TensorKind::input);
  for (int i = 0; i < 3; ++i) add_tensor(graph, 1, TensorKind::activation);
  for (const char c : order) add_layer(graph, std::string(1, c), {c - 'a'}, {c - 'a' + 1});
  graph.inputs = {0};
  graph.outputs = {3};
  return graph;
}

std::string names(const WorkloadGraph& graph) {
  std::string result;
  for (const Layer& layer : graph.layers) result += layer.name;
  return result;
}

TensorId root_of(const WorkloadGraph& graph, TensorId t) {
  while (graph.tensors[static_cast<std::size_t>(t)].alias_of >= 0)
    t = graph.tensors[static_cast<std::size_t>(t)].alias_of;
  return t;
}

/// At every step, adds up all memory that exists already and that somebody needs now or later.
std::int64_t peak_by_simulation(const WorkloadGraph& graph) {
  std::int64_t peak = 0;
  for (std::size_t step = 0; step < graph.layers.size(); ++step) {
    std::set<TensorId> born, needed;
    for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
      if (graph.tensors[t].kind == TensorKind::input) born.insert(static_cast<TensorId>(t));
      if (step == 0 && graph.tensors[t].kind == TensorKind::input) needed.insert(static_cast<TensorId>(t));
    }
    for (std::size_t l = 0; l <= step; ++l) {
      for (const TensorId t : graph.layers[l].outputs) born.insert(t);
    }
    for (std::size_t l = step; l < graph.layers.size(); ++l) {
      for (const TensorId t : graph.layers[l].inputs) needed.insert(root_of(graph, t));
    }
    for (const TensorId t : graph.layers[step].outputs) needed.insert(t);
    for (const TensorId t : graph.outputs) needed.insert(root_of(graph, t));
    std::int64_t bytes = 0;
    for (const TensorId t : born) {
      if (needed.contains(t)) bytes += graph.tensors[static_cast<std::size_t>(t)].shape[0];
    }
    peak = std::max(peak, bytes);
  }
  return peak;
}

}  // namespace

TEST_CASE("layers are put into topological order, in file order among the ready") {
  for (const std::string order : {"abc", "cba", "bca"}) {
    WorkloadGraph graph = chain(order);
    finish(graph);
    CHECK(names(graph) == "abc");
    CHECK(edges(graph) == std::vector<std::pair<int, int>>{{0, 1}, {1, 2}});
  }
  WorkloadGraph graph;
  add_tensor(graph, 1, TensorKind::input);
  for (const std::string name : {"z", "y", "x"})
    add_layer(graph, name, {0}, {add_tensor(graph, 1, TensorKind::activation)});
  finish(graph);
  CHECK(names(graph) == "zyx");
}

TEST_CASE("a cycle is an error that names its layers and no others") {
  WorkloadGraph graph = chain("abc");
  add_layer(graph, "d", {3}, {add_tensor(graph, 1, TensorKind::activation)});
  graph.layers[0].inputs.push_back(2);  // b's result: a -> b -> a
  CHECK_THROWS_WITH(finish(graph), Catch::Contains("'a' -> 'b' -> 'a'") && !Catch::Contains("'d'"));
  WorkloadGraph self = chain("abc");
  self.layers[1].inputs.push_back(2);
  CHECK_THROWS_WITH(finish(self), Catch::Contains("'b' -> 'b'"));
}

TEST_CASE("dangling edges, second producers and repeated names are errors") {
  WorkloadGraph graph = chain("abc");
  std::string expected;
  SECTION("no producer") {
    graph.layers.erase(graph.layers.begin());
    expected = "reads 't1', which nothing produces";
  }
  SECTION("two producers") {
    add_layer(graph, "d", {0}, {2});
    expected = "two producers: 'b' and 'd'";
  }
  SECTION("a layer name twice") {
    graph.layers[2].name = "a";
    expected = "two layers are named 'a'";
  }
  SECTION("a tensor name twice") {
    graph.tensors[2].name = "t1";
    expected = "two tensors are named 't1'";
  }
  SECTION("an unknown tensor") {
    graph.layers[1].inputs = {17};
    expected = "unknown tensor";
  }
  SECTION("views of each other") {
    graph.tensors[0].alias_of = 1;
    graph.tensors[1].alias_of = 0;
    expected = "a view of itself";
  }
  CHECK_THROWS_WITH(finish(graph), Catch::Contains(expected));
}

TEST_CASE("the peak counts what lives at once, and a view only once") {
  // Input 10, a: 10 -> 20, view of 20, b: view -> 5. At a: 30; at b: 25.
  WorkloadGraph graph;
  const TensorId input = add_tensor(graph, 10, TensorKind::input);
  const TensorId middle = add_tensor(graph, 20, TensorKind::activation);
  const TensorId view = add_tensor(graph, 20, TensorKind::activation, middle);
  const TensorId weight = add_tensor(graph, 1000, TensorKind::weight);
  const TensorId result = add_tensor(graph, 5, TensorKind::activation);
  add_layer(graph, "a", {input, weight}, {middle});
  add_layer(graph, "b", {view}, {result});
  graph.outputs = {result};
  finish(graph);
  CHECK(peak_activation_bytes(graph) == 30);
  graph.tensors[static_cast<std::size_t>(input)].type = DataType::int1;  // 10 bits in 2 bytes: 22 at a, 25 at b
  CHECK(peak_activation_bytes(graph) == 25);
}

TEST_CASE("the peak of random graphs equals a step-by-step simulation") {
  std::mt19937 random(11);
  const auto draw = [&](std::size_t low, std::size_t high) {
    return std::uniform_int_distribution<std::size_t>(low, high)(random);
  };
  for (int round = 0; round < 200; ++round) {
    WorkloadGraph graph;
    std::vector<TensorId> readable;
    for (std::size_t i = draw(1, 3); i > 0; --i) {
      readable.push_back(add_tensor(graph, static_cast<std::int64_t>(draw(1, 50)), TensorKind::input));
    }
    for (std::size_t l = 0, count = draw(1, 15); l < count; ++l) {
      std::vector<TensorId> in;
      for (std::size_t i = draw(1, 3); i > 0; --i) in.push_back(readable[draw(0, readable.size() - 1)]);
      if (draw(0, 2) == 0) {
        in.push_back(add_tensor(graph, 1, TensorKind::activation, in.back()));
        readable.push_back(in.back());
      }
      std::vector<TensorId> out;
      for (std::size_t i = draw(1, 2); i > 0; --i) {
        out.push_back(add_tensor(graph, static_cast<std::int64_t>(draw(1, 50)), TensorKind::activation));
      }
      readable.insert(readable.end(), out.begin(), out.end());
      add_layer(graph, fmt::format("l{}", l), in, out);
    }
    graph.outputs = {readable.back()};
    finish(graph);
    CHECK(peak_activation_bytes(graph) == peak_by_simulation(graph));
  }
}

TEST_CASE("equal layers are merged; another size, format, density or epilogue is another layer") {
  WorkloadGraph graph;
  const TensorId x = add_tensor(graph, 4, TensorKind::input);
  for (int i = 0; i < 6; ++i) add_tensor(graph, 4, TensorKind::activation);
  for (int i = 0; i < 6; ++i) add_layer(graph, fmt::format("l{}", i), {x}, {i + 1}, Movement{4});
  CHECK(merge_repeats(graph).size() == 1);
  graph.layers[1].work = Movement{5};
  graph.tensors[3].type = DataType::fp16;
  graph.tensors[4].density = 0.5;
  graph.layers[4].epilogues.push_back({"Relu", 1, 0});
  const auto groups = merge_repeats(graph);
  REQUIRE(groups.size() == 5);
  CHECK(groups[0].members == std::vector<int>{0, 5});
  CHECK(groups[0].repeat == 2);
  CHECK(groups[2].layer == 2);
}

TEST_CASE("a hundred thousand layers are sorted and merged without delay") {
  WorkloadGraph graph;
  add_tensor(graph, 4, TensorKind::input);
  constexpr int count = 100000;
  for (int i = 0; i < count; ++i) add_tensor(graph, 4, TensorKind::activation);
  for (int i = count - 1; i >= 0; --i)
    add_layer(graph, fmt::format("l{}", i), {i}, {i + 1}, MatMul{{}, i % 7 + 1, 2, 3});
  finish(graph);
  CHECK(graph.layers.front().name == "l0");
  CHECK(merge_repeats(graph).size() == 7);
  CHECK(peak_activation_bytes(graph) == 8);
}

TEST_CASE("a total that leaves 64 bits is an error") {
  WorkloadGraph graph;
  const TensorId x = add_tensor(graph, 1, TensorKind::input);
  for (const std::string name : {"a", "b"}) {
    add_layer(graph, name, {x}, {add_tensor(graph, 1, TensorKind::activation)},
              MatMul{{}, std::int64_t{1} << 62, 1, 1});
  }
  CHECK_THROWS_AS(total_macs(graph), OverflowError);
  graph.layers.pop_back();
  CHECK(total_macs(graph) == std::int64_t{1} << 62);
}
