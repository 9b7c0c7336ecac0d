#include <catch2/catch.hpp>

#include <random>

#include "tests/workloads/transform/traffic.hpp"
#include "workloads/transform/transform.hpp"
#include "workloads/zoo/builder.hpp"
#include "workloads/zoo/zoo.hpp"

using namespace tilewright;

namespace {

zoo::Builder builder(DataType type = DataType::fp16) { return {zoo::Arguments("net", {}), 1, type}; }

TensorId batch_norm(zoo::Builder& b, const std::string& name, TensorId x) {
  const std::vector<std::int64_t> shape = b.shape(x);
  const TensorId scale = b.weight(name + ".scale", {shape[1]}), shift = b.weight(name + ".shift", {shape[1]});
  return b.layer(name, "BatchNormalization", RowWise{shape[0] * shape[1], shape[2] * shape[3], 1, 2}, {x, scale, shift},
                 shape);
}

TensorId reduce_mean(zoo::Builder& b, const std::string& name, TensorId x) {
  std::vector<std::int64_t> shape = b.shape(x);
  const std::int64_t columns = shape.back();
  shape.back() = 1;
  return b.layer(name, "ReduceMean", Reduce{zoo::product(shape), columns, 1}, {x}, shape);
}

const Tensor& out(const WorkloadGraph& graph) { return graph.tensors[static_cast<std::size_t>(graph.outputs[0])]; }

}  // namespace

TEST_CASE("convolution, batch norm and ReLU fused move the map once instead of five times") {
  // 56 x 56 x 64 fp16 = 401,408 B a pass. Unfused: conv writes, norm reads and writes, ReLU reads and writes.
  zoo::Builder b = builder();
  const TensorId x = b.input("x", {1, 64, 56, 56});
  TensorId y = b.conv("conv", x, 64, 3, 1, 1);
  y = batch_norm(b, "bn", y);
  y = b.elementwise("relu", "Relu", {y});
  const WorkloadGraph graph = b.take({y});
  const WorkloadGraph fused = fuse(graph, Fusion::normal);
  REQUIRE(fused.layers.size() == 1);
  REQUIRE(fused.layers[0].op == "Conv+BatchNormalization+Relu");
  REQUIRE(fused.layers[0].epilogues.size() == 2);
  REQUIRE(fused.layers[0].epilogues[0].extra_elements == 2 * 64);
  REQUIRE(traffic(graph) - traffic(fused) == 4 * 401408);
  REQUIRE(total_macs(fused) == total_macs(graph));
  REQUIRE(out(fused).name == "relu_out");
}

TEST_CASE("a residual joins the product and is read once more") {
  zoo::Builder b = builder();
  const TensorId x = b.input("x", {1, 8, 4, 4});
  const TensorId y = b.elementwise("add", "Add", {b.conv("conv", x, 8, 3, 1, 1), x});
  const WorkloadGraph fused = fuse(b.take({b.elementwise("relu", "Relu", {y})}), Fusion::normal);
  REQUIRE(fused.layers.size() == 1);
  REQUIRE(fused.layers[0].op == "Conv+Add+Relu");
  REQUIRE(fused.layers[0].epilogues[0].extra_elements == 8 * 4 * 4);
  REQUIRE(fused.layers[0].epilogues[1].extra_elements == 0);
}

TEST_CASE("a tensor with a second reader or that leaves the graph is not fused away") {
  zoo::Builder b = builder();
  const TensorId x = b.input("x", {1, 8, 4, 4});
  const TensorId y = b.conv("conv", x, 8, 1, 1, 0);
  const TensorId r = b.elementwise("relu", "Relu", {y});
  SECTION("graph output") { REQUIRE(fuse(b.take({r, y}), Fusion::normal).layers.size() == 2); }
  SECTION("second reader") {
    const TensorId z = b.pool("pool", "MaxPool", y, 2, 2, 0);
    REQUIRE(fuse(b.take({r, z}), Fusion::normal).layers.size() == 3);
  }
}

TEST_CASE("x times sigmoid of x behind a convolution is SiLU") {
  zoo::Builder b = builder();
  const TensorId y = b.conv("conv", b.input("x", {1, 8, 4, 4}), 8, 1, 1, 0);
  const TensorId s = b.elementwise("sigmoid", "Sigmoid", {y}, 4);
  const WorkloadGraph fused = fuse(b.take({b.elementwise("mul", "Mul", {y, s})}), Fusion::normal);
  REQUIRE(fused.layers.size() == 1);
  REQUIRE(fused.layers[0].op == "Conv+Silu");
  REQUIRE(fused.layers[0].epilogues[0].ops_per_element == 5);
  REQUIRE(fused.layers[0].epilogues[0].extra_elements == 0);
}

TEST_CASE("the erf form of GELU behind a product becomes one epilogue") {
  zoo::Builder b = builder();
  const TensorId x = b.linear("fc", b.input("x", {4, 16}), 32, true);
  const TensorId root = b.weight("sqrt2", {}), one = b.weight("one", {}), half = b.weight("half", {});
  TensorId y = b.elementwise("div", "Div", {x, root});
  y = b.elementwise("add", "Add", {b.elementwise("erf", "Erf", {y}), one});
  y = b.elementwise("half_of", "Mul", {b.elementwise("mul", "Mul", {x, y}), half});
  const WorkloadGraph fused = fuse(b.take({y}), Fusion::normal);
  REQUIRE(fused.layers.size() == 1);
  REQUIRE(fused.layers[0].op == "Gemm+Gelu");
  REQUIRE(fused.layers[0].epilogues[0].ops_per_element == 5);
}

TEST_CASE("layer norm written as primitives becomes one layer that reads its rows twice") {
  zoo::Builder b = builder();
  const TensorId x = b.input("x", {2, 5, 16});
  const TensorId d = b.elementwise("sub", "Sub", {x, reduce_mean(b, "mean", x)});
  TensorId v = b.elementwise("pow", "Pow", {d, b.weight("two", {})});
  v = b.elementwise("eps", "Add", {reduce_mean(b, "var", v), b.weight("epsilon", {})});
  TensorId y = b.elementwise("div", "Div", {d, b.elementwise("sqrt", "Sqrt", {v})});
  y = b.elementwise("gamma", "Mul", {y, b.weight("g", {16})});
  y = b.elementwise("beta", "Add", {y, b.weight("s", {16})});
  const WorkloadGraph fused = fuse(b.take({y}), Fusion::normal);
  REQUIRE(fused.layers.size() == 1);
  REQUIRE(fused.layers[0].op == "LayerNormalization");
  const auto& rows = std::get<RowWise>(fused.layers[0].work);
  REQUIRE(rows.rows == 10);
  REQUIRE(rows.columns == 16);
  REQUIRE(rows.passes == 2);
  REQUIRE(fused.layers[0].inputs.size() == 3);
}

TEST_CASE("root-mean-square norm written as primitives becomes one layer") {
  zoo::Builder b = builder();
  const TensorId x = b.elementwise("start", "Relu", {b.input("x", {2, 5, 16})});
  TensorId v = reduce_mean(b, "mean", b.elementwise("square", "Mul", {x, x}));
  v = b.elementwise("sqrt", "Sqrt", {b.elementwise("eps", "Add", {v, b.weight("epsilon", {})})});
  TensorId y = b.elementwise("div", "Div", {x, v});
  y = b.elementwise("gamma", "Mul", {b.weight("g", {16}), y});
  const WorkloadGraph fused = fuse(b.take({b.elementwise("residual", "Add", {y, x})}), Fusion::normal);
  REQUIRE(fused.layers.size() == 3);
  REQUIRE(fused.layers[1].op == "RMSNormalization");
}

TEST_CASE("attention on request is one layer per block with the MACs of its two products") {
  for (const std::string spec :
       {"bert-base", "gpt2:phase=decode,context=63", "llama-70b:seq=64,batch=2", "llama-7b:seq=32"}) {
    const WorkloadGraph graph = generate(spec);
    const WorkloadGraph fused = fuse(graph, Fusion::attention);
    std::int64_t blocks = 0, softmaxes = 0;
    for (const Layer& layer : fused.layers) {
      blocks += std::holds_alternative<Attention>(layer.work);
      softmaxes += layer.op == "Softmax";
    }
    REQUIRE(blocks > 0);
    REQUIRE(softmaxes == 0);
    REQUIRE(total_macs(fused) == total_macs(graph));
    REQUIRE(traffic(fused) < traffic(fuse(graph, Fusion::normal)));
  }
  const WorkloadGraph grouped = fuse(generate("llama-70b:seq=64,batch=2"), Fusion::attention);
  for (const Layer& layer : grouped.layers) {
    const auto* work = std::get_if<Attention>(&layer.work);
    if (work == nullptr) continue;
    REQUIRE(work->batch == 2);
    REQUIRE(work->heads == 64);
    REQUIRE(work->kv_heads == 8);
    REQUIRE(work->queries == 64);
    REQUIRE(work->head_dim == 128);
  }
}

TEST_CASE("attention behind a causal mask is causal; behind padding, a bias of each head or a cache it is not") {
  const auto fused_layer = [](const WorkloadGraph& graph) {
    for (const Layer& layer : fuse(graph, Fusion::attention).layers) {
      if (const auto* work = std::get_if<Attention>(&layer.work)) return *work;
    }
    FAIL("no attention");
    return Attention{};
  };
  CHECK(fused_layer(generate("gpt2:seq=32")).causal);
  CHECK(fused_layer(generate("llama-70b:seq=32,batch=2")).causal);
  CHECK_FALSE(fused_layer(generate("llama-7b:phase=decode,context=63")).causal);
  CHECK_FALSE(fused_layer(generate("bert-base")).causal);  // a mask of padding
  const auto masked = [&](const std::vector<std::int64_t>& mask, std::int64_t keys) {
    zoo::Builder b = builder();
    const TensorId q = b.elementwise("q", "Relu", {b.input("xq", {2, 4, 16, 8})});
    const TensorId k = b.elementwise("k", "Relu", {b.input("xk", {2, 4, keys, 8})});
    return fused_layer(b.take({zoo::attention(b, "a", q, k, k, b.input("mask", mask))})).causal;
  };
  CHECK(masked({16, 16}, 16));  // given when the network runs: taken as causal
  CHECK(masked({1, 1, 16, 16}, 16));
  CHECK_FALSE(masked({1, 4, 16, 16}, 16));
  CHECK_FALSE(masked({2, 1, 1, 16}, 16));
  CHECK_FALSE(masked({16, 24}, 24));
}

TEST_CASE("fusion keeps the MACs and the outputs, never adds traffic and is done after one pass") {
  for (const Generator& generator : generators()) {
    const WorkloadGraph graph = generate(generator.name);
    for (const Fusion fusion : {Fusion::none, Fusion::normal, Fusion::attention}) {
      const WorkloadGraph fused = fuse(graph, fusion);
      REQUIRE(total_macs(fused) == total_macs(graph));
      REQUIRE(traffic(fused) <= traffic(graph));
      REQUIRE(fused.weight_elements == graph.weight_elements);
      REQUIRE(out(fused).name == out(graph).name);
      REQUIRE(fuse(fused, fusion).layers.size() == fused.layers.size());
    }
  }
}

TEST_CASE("the fusion laws hold for random networks of convolutions, norms and element-wise operators") {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  for (int run = 0; run < 200; ++run) {
    zoo::Builder b = builder();
    std::vector<TensorId> tensors{b.input("x", {1, 8, 6, 6})};
    for (int i = 0; i < 14; ++i) {
      const std::string name = "n" + std::to_string(i);
      const TensorId x = below(3) == 0 ? tensors[below(tensors.size())] : tensors.back();
      switch (below(6)) {
        case 0: tensors.push_back(b.conv(name, x, 8, 3, 1, 1)); break;
        case 1: tensors.push_back(batch_norm(b, name, x)); break;
        case 2: tensors.push_back(b.elementwise(name, "Relu", {x})); break;
        case 3: tensors.push_back(b.elementwise(name, "Sigmoid", {x}, 4)); break;
        case 4: tensors.push_back(b.elementwise(name, "Add", {x, b.weight(name + ".b", {8, 1, 1})})); break;
        default: tensors.push_back(b.elementwise(name, "Mul", {x, tensors[below(tensors.size())]})); break;
      }
    }
    std::vector<TensorId> outputs{tensors.back()};
    if (below(2) == 0) outputs.push_back(tensors[1 + below(tensors.size() - 2)]);
    const WorkloadGraph graph = b.take(outputs);
    const WorkloadGraph fused = fuse(graph, Fusion::normal);
    CAPTURE(run);
    REQUIRE(total_macs(fused) == total_macs(graph));
    REQUIRE(traffic(fused) <= traffic(graph));
    REQUIRE(fused.layers.size() <= graph.layers.size());
    REQUIRE(fused.outputs.size() == graph.outputs.size());
  }
}
