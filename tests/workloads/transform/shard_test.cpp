#include "workloads/transform/shard.hpp"

#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"
#include "workloads/transform/transform.hpp"
#include "workloads/zoo/builder.hpp"
#include "workloads/zoo/zoo.hpp"

using namespace tilewright;

namespace {

zoo::Builder builder() { return {zoo::Arguments("net", {}), 1, DataType::fp16}; }

const Tensor& tensor(const WorkloadGraph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.tensors, name, &Tensor::name);
  REQUIRE(found != graph.tensors.end());
  return *found;
}

const Layer& layer(const WorkloadGraph& graph, const std::string& name) {
  const auto found = std::ranges::find(graph.layers, name, &Layer::name);
  REQUIRE(found != graph.layers.end());
  return *found;
}

std::int64_t count(const WorkloadGraph& graph, const std::string& op) {
  return std::ranges::count(graph.layers, op, &Layer::op);
}

std::string failure(const WorkloadGraph& graph, std::int64_t gpus) {
  try {
    (void)shard(graph, gpus);
  } catch (const InputError& error) { return error.what(); }
  return "";
}

}  // namespace

TEST_CASE("the first of two products is split by columns, the second by rows, and its result is added up") {
  zoo::Builder b = builder();
  const TensorId x = b.elementwise("x", "Relu", {b.input("in", {4, 8})});
  TensorId y = b.elementwise("gelu", "Gelu", {b.linear("fc1", x, 32, true)}, 8);
  y = b.linear("fc2", y, 8, true);
  const WorkloadGraph graph = b.take({b.elementwise("end", "Add", {x, y})});
  const WorkloadGraph part = shard(graph, 2);
  CHECK(std::get<MatMul>(layer(part, "fc1").work).n == 16);
  CHECK(std::get<MatMul>(layer(part, "fc2").work).k == 16);
  CHECK(std::get<Elementwise>(layer(part, "gelu").work).shape == std::vector<std::int64_t>{4, 16});
  CHECK(tensor(part, "fc1.weight").shape == std::vector<std::int64_t>{8, 16});
  CHECK(tensor(part, "fc2.weight").shape == std::vector<std::int64_t>{16, 8});
  CHECK(tensor(part, "fc1.bias").shape == std::vector<std::int64_t>{16});
  CHECK(tensor(part, "fc2.bias").shape == std::vector<std::int64_t>{8});
  CHECK(2 * total_macs(part) == total_macs(graph));
  // 8 x 32 twice and the bias of 32 in halves, the bias of 8 on both
  CHECK(part.weight_elements == 8 * 16 + 16 * 8 + 16 + 8);
  REQUIRE(count(part, "AllReduce") == 1);
  const auto& sum = std::get<Collective>(layer(part, "fc2.all_reduce").work);
  CHECK(sum.kind == Collective::Kind::all_reduce);
  CHECK(sum.elements == 4 * 8);
  CHECK(part.tensor_parallel.gpus == 2);
  CHECK(part.tensor_parallel.split == 2);
  CHECK(part.tensor_parallel.replicated == std::vector<TensorId>{x});  // its gradient is added up on the way back
  CHECK(shard(graph, 1).layers.size() == graph.layers.size());
}

TEST_CASE("language models: two sums a layer, the words' look-up and the gathered result; every product is shared") {
  for (const std::string spec : {"llama-7b:seq=16", "llama-7b:phase=decode,context=63,batch=2", "llama-70b:seq=16",
                                 "llama-70b:phase=decode,context=63"}) {
    const WorkloadGraph graph = generate(spec);
    for (const std::int64_t gpus : {2, 4, 8}) {
      const WorkloadGraph part = shard(graph, gpus);
      const std::int64_t layers = spec.starts_with("llama-7b") ? 32 : 80;
      CHECK(gpus * total_macs(part) == total_macs(graph));
      CHECK(count(part, "AllReduce") == 2 * layers + 1);
      CHECK(count(part, "AllGather") == 1);
      CHECK(part.tensor_parallel.whole.empty());
      CHECK(part.tensor_parallel.replicated.size() == static_cast<std::size_t>(2 * layers + 1));
      // only the norms' scales are on every GPU
      const std::int64_t norms = (2 * layers + 1) * (spec.starts_with("llama-7b") ? 4096 : 8192);
      CHECK(gpus * (part.weight_elements - norms) == graph.weight_elements - norms);
      const WorkloadGraph fused = fuse(part, Fusion::attention);
      CHECK(total_macs(fused) == total_macs(part));
      CHECK(count(fused, "AllReduce") == 2 * layers + 1);
      for (const TensorId id : fused.tensor_parallel.replicated) CHECK(id >= 0);
    }
  }
  const WorkloadGraph part = shard(generate("llama-7b:phase=decode,context=63"), 4);
  CHECK(tensor(part, "past.layers.0.self_attn.key").shape == std::vector<std::int64_t>{1, 8, 63, 128});
}

TEST_CASE("a vocabulary is padded and its tied table shared once") {
  const WorkloadGraph graph = generate("gpt2:seq=16"), part = shard(graph, 4);
  CHECK(tensor(part, "tokens.weight").shape == std::vector<std::int64_t>{12565, 768});  // 50257 / 4, up
  CHECK(tensor(part, "lm_head.weight").shape == std::vector<std::int64_t>{768, 12565});
  CHECK(tensor(part, "positions.weight").shape == std::vector<std::int64_t>{1024, 768});
  CHECK(std::get<Collective>(layer(part, "lm_head.all_gather").work).elements == 16 * 50257);
  CHECK(std::get<Gather>(layer(part, "tokens").work).table == 12565);
}

TEST_CASE("what does not divide is named with its layer") {
  const WorkloadGraph graph = generate("gpt2:seq=16");
  CHECK_THAT(failure(graph, 5), Catch::Contains("layers.0.attn.q_proj") && Catch::Contains("width of 768") &&
                                    Catch::Contains("among 5 GPUs"));
  CHECK_THAT(failure(graph, 8), Catch::Contains("layers.0.attn") && Catch::Contains("12 (heads"));
  CHECK_THAT(failure(generate("llama-70b:seq=16"), 16), Catch::Contains("8 (heads"));  // key/value heads
}

TEST_CASE("a product whose columns meet a norm, or whose operand is added to one that is whole, stays whole") {
  zoo::Builder b = builder();
  const TensorId x = b.elementwise("x", "Relu", {b.input("in", {4, 8})});
  const TensorId normed = b.layer_norm("norm", b.linear("alone", x, 16, false));
  TensorId y = b.linear("up", normed, 32, false);
  y = b.linear("down", b.elementwise("act", "Relu", {y}), 16, false);
  const WorkloadGraph part = shard(b.take({b.elementwise("end", "Add", {y, normed})}), 2);
  CHECK(part.tensor_parallel.whole == std::vector<std::string>{"alone"});
  CHECK(part.tensor_parallel.split == 2);
  CHECK(std::get<MatMul>(layer(part, "alone").work).n == 16);

  zoo::Builder convolutions = builder();
  const TensorId image = convolutions.input("image", {1, 8, 4, 4});
  CHECK_THAT(failure(convolutions.take({convolutions.conv("conv", image, 8, 3, 1, 1)}), 2),
             Catch::Contains("no product with weights"));
}

TEST_CASE("fused attention is shared by heads, joined queries, keys and values by the columns of each") {
  zoo::Builder b = builder();
  const TensorId x = b.elementwise("x", "Relu", {b.input("in", {2, 16, 64})});
  const TensorId qkv = b.linear("qkv", x, 192, false);
  std::vector<TensorId> parts;
  for (const char* name : {"q", "k", "v"})
    parts.push_back(b.layer(name, "Slice", Movement{2 * 16 * 64}, {qkv}, {2, 16, 64}));
  const TensorId y =
      b.layer("attention", "MultiHeadAttention", Attention{2, 8, 8, 16, 16, 8, true}, parts, {2, 16, 64});
  const WorkloadGraph graph = b.take({b.elementwise("end", "Relu", {b.linear("out", y, 64, false)})});
  const WorkloadGraph part = shard(graph, 4);
  CHECK(std::get<MatMul>(layer(part, "qkv").work).n == 48);
  CHECK(std::get<Attention>(layer(part, "attention").work).heads == 2);
  CHECK(std::get<MatMul>(layer(part, "out").work).k == 16);
  CHECK(4 * total_macs(part) == total_macs(graph));
  CHECK(count(part, "AllReduce") == 1);
  CHECK_THAT(failure(graph, 16), Catch::Contains("8 heads"));
}
