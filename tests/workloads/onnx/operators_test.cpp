// unit: shapes, MACs and kinds of single operators, over opsets and quantised forms.
#include <catch2/catch.hpp>

#include <functional>

#include "core/diagnostics.hpp"
#include "tests/workloads/onnx/model_builder.hpp"

namespace tilewright::test {
namespace {

struct Expected {
  std::string what;
  std::int64_t macs;
  Shape shape;
};

/// A model of one node that reads `inputs` and writes y.
void check(const Expected& expected, std::int64_t opset, const std::function<void(ModelBuilder&)>& make) {
  INFO(expected.what);
  ModelBuilder m(opset);
  make(m);
  m.output("y");
  const WorkloadGraph graph = m.import();
  CHECK(total_macs(graph) == expected.macs);
  CHECK(tensor(graph, "y").shape == expected.shape);
}

void one(ModelBuilder& m, const std::string& type, const Shape& x,
         const std::function<void(Attributes)>& attributes = {}) {
  m.input("x", x);
  const Attributes node = m.node(type, {"x"}, {"y"});
  if (attributes) attributes(node);
}

void two(ModelBuilder& m, const std::string& type, const Shape& x, const Shape& w,
         const std::function<void(Attributes)>& attributes = {}) {
  m.input("x", x).weight("w", w);
  const Attributes node = m.node(type, {"x", "w"}, {"y"});
  if (attributes) attributes(node);
}

void with_constant(ModelBuilder& m, const std::string& type, const Shape& x, const Shape& numbers) {
  m.input("x", x).constant("c", numbers);
  m.node(type, {"x", "c"}, {"y"});
}

}  // namespace

TEST_CASE("convolutions count output elements x input channels of a group x kernel elements") {
  // (8 + 2 x 1 - 3) / 2 + 1 = 4 rows and columns: 4 x 16 results x 3 x 9
  check({"stride 2, pads 1", 4 * 16 * 27, {1, 4, 4, 4}}, 11, [](auto& m) {
    two(m, "Conv", {1, 3, 8, 8}, {4, 3, 3, 3}, [](Attributes a) {
      a.integers("strides", {2, 2}).integers("pads", {1, 1, 1, 1});
    });
  });
  // reach 2 x 2 + 1 = 5: 8 - 5 + 1 = 4
  check({"dilation 2", 4 * 4 * 3 * 3, {1, 4, 4}}, 11, [](auto& m) {
    two(m, "Conv", {1, 3, 8}, {4, 3, 3}, [](Attributes a) { a.integers("dilations", {2}); });
  });
  check({"depthwise", 6 * 36 * 9, {1, 6, 6, 6}}, 11, [](auto& m) {
    two(m, "Conv", {1, 6, 8, 8}, {6, 1, 3, 3}, [](Attributes a) { a.integer("group", 6); });
  });
  check({"3-D", 2 * 8 * 8, {1, 2, 2, 2, 2}}, 11, [](auto& m) { two(m, "Conv", {1, 1, 3, 3, 3}, {2, 1, 2, 2, 2}); });
  // SAME: ceil(7 / 2) = 4; VALID: (7 - 3) / 2 + 1 = 3
  check({"auto_pad SAME_UPPER", 4 * 3, {1, 1, 4}}, 11, [](auto& m) {
    two(m, "Conv", {1, 1, 7}, {1, 1, 3},
        [](Attributes a) { a.text("auto_pad", "SAME_UPPER").integers("strides", {2}); });
  });
  check({"auto_pad VALID", 3 * 3, {1, 1, 3}}, 11, [](auto& m) {
    two(m, "Conv", {1, 1, 7}, {1, 1, 3}, [](Attributes a) { a.text("auto_pad", "VALID").integers("strides", {2}); });
  });
  // 2 x (4 - 1) + 3 - 2 + 1 = 8; input elements 2 x 16 x out channels 5 x kernel 9
  check({"transposed", 2 * 16 * 5 * 9, {1, 5, 8, 8}}, 11, [](auto& m) {
    two(m, "ConvTranspose", {1, 2, 4, 4}, {2, 5, 3, 3}, [](Attributes a) {
      a.integers("strides", {2, 2}).integers("pads", {1, 1, 1, 1}).integers("output_padding", {1, 1});
    });
  });
}

TEST_CASE("matrix products broadcast their batch axes and accept vectors") {
  check({"2-D weight", 2 * 3 * 4 * 5, {2, 3, 5}}, 13, [](auto& m) { two(m, "MatMul", {2, 3, 4}, {4, 5}); });
  check({"both batched", 6 * 2 * 3 * 4, {2, 3, 2, 4}}, 13, [](auto& m) { two(m, "MatMul", {2, 1, 2, 3}, {3, 3, 4}); });
  check({"vector x matrix", 4 * 5, {5}}, 13, [](auto& m) { two(m, "MatMul", {4}, {4, 5}); });
  check({"matrix x vector", 3 * 4, {3}}, 13, [](auto& m) { two(m, "MatMul", {3, 4}, {4}); });
  check({"vector x vector", 4, {}}, 13, [](auto& m) { two(m, "MatMul", {4}, {4}); });
  check({"Gemm transA transB", 3 * 5 * 4, {3, 5}}, 13, [](auto& m) {
    two(m, "Gemm", {4, 3}, {5, 4}, [](Attributes a) { a.integer("transA", 1).integer("transB", 1); });
  });
  ModelBuilder m;
  two(m, "MatMul", {2, 1, 2, 3}, {3, 3, 4});
  const WorkloadGraph graph = m.import();
  const auto& product = std::get<MatMul>(graph.layers.at(0).work);
  REQUIRE(product.batch.size() == 2);
  CHECK((product.batch[0].in_a && !product.batch[0].in_b));
  CHECK((!product.batch[1].in_a && product.batch[1].in_b));
}

TEST_CASE("an einsum counts the product of all its letters") {
  const auto einsum = [](const std::string& equation, const Shape& x, const Shape& w) {
    return [=](ModelBuilder& m) { two(m, "Einsum", x, w, [&](Attributes a) { a.text("equation", equation); }); };
  };
  check({"attention scores", 2 * 3 * 4 * 5 * 6, {2, 3, 4, 5}}, 13,
        einsum("bhqd,bhkd->bhqk", {2, 3, 4, 6}, {2, 3, 5, 6}));
  check({"implicit result", 2 * 3 * 4, {2, 4}}, 13, einsum("ij,jk", {2, 3}, {3, 4}));
  check({"ellipsis", 7 * 2 * 3 * 4, {7, 2, 4}}, 13, einsum("...ij, jk -> ...ik", {7, 2, 3}, {3, 4}));
}

TEST_CASE("recurrent layers count steps x batch x directions x gates x hidden x (input + hidden)") {
  const auto cell = [](const std::string& type, std::int64_t gates, std::int64_t directions) {
    return [=](ModelBuilder& m) {
      m.input("x", {5, 2, 3}).weight("w", {directions, gates * 4, 3}).weight("r", {directions, gates * 4, 4});
      const Attributes a = m.node(type, {"x", "w", "r"}, {"y", "h"});
      Attributes(a).integer("hidden_size", 4).text("direction", directions == 2 ? "bidirectional" : "forward");
    };
  };
  check({"LSTM both ways", 5 * 2 * 2 * 4 * 4 * 7, {5, 2, 2, 4}}, 13, cell("LSTM", 4, 2));
  check({"GRU", 5 * 2 * 3 * 4 * 7, {5, 1, 2, 4}}, 13, cell("GRU", 3, 1));
  check({"RNN", 5 * 2 * 4 * 7, {5, 1, 2, 4}}, 13, cell("RNN", 1, 1));
}

TEST_CASE("pooling, resizing and rearranging operators give the specified shapes") {
  check({"max pool", 0, {1, 2, 2, 2}}, 12, [](auto& m) {
    one(m, "MaxPool", {1, 2, 5, 5}, [](Attributes a) {
      a.integers("kernel_shape", {2, 2}).integers("strides", {2, 2});
    });
  });
  check({"ceil mode", 0, {1, 2, 3, 3}}, 12, [](auto& m) {
    one(m, "AveragePool", {1, 2, 5, 5}, [](Attributes a) {
      a.integers("kernel_shape", {2, 2}).integers("strides", {2, 2}).integer("ceil_mode", 1);
    });
  });
  check({"global pool", 0, {1, 2, 1, 1}}, 13, [](auto& m) { one(m, "GlobalAveragePool", {1, 2, 5, 5}); });
  check({"Upsample 7", 0, {1, 2, 6, 10}}, 7, [](auto& m) {
    one(m, "Upsample", {1, 2, 3, 5}, [](Attributes a) { a.reals("scales", {1, 1, 2, 2}); });
  });
  check({"Resize by scales", 0, {1, 2, 6, 10}}, 11, [](auto& m) {
    m.input("x", {1, 2, 3, 5}).reals("roi", {}).reals("s", {1, 1, 2, 2});
    m.node("Resize", {"x", "roi", "s"}, {"y"}).text("mode", "linear");
  });
  check({"Resize by sizes", 0, {1, 2, 7, 7}}, 13, [](auto& m) {
    m.input("x", {1, 2, 3, 5}).constant("t", {1, 2, 7, 7});
    m.node("Resize", {"x", "", "", "t"}, {"y"});
  });
  check({"GridSample", 0, {1, 2, 7, 9}}, 16, [](auto& m) {
    m.input("x", {1, 2, 3, 5}).input("g", {1, 7, 9, 2});
    m.node("GridSample", {"x", "g"}, {"y"});
  });
  check({"DepthToSpace", 0, {1, 2, 4, 6}}, 13, [](auto& m) {
    one(m, "DepthToSpace", {1, 8, 2, 3}, [](Attributes a) { a.integer("blocksize", 2); });
  });
  check({"SpaceToDepth", 0, {1, 8, 2, 3}}, 13, [](auto& m) {
    one(m, "SpaceToDepth", {1, 2, 4, 6}, [](Attributes a) { a.integer("blocksize", 2); });
  });
  check({"Transpose", 0, {4, 3, 2}}, 13, [](auto& m) { one(m, "Transpose", {2, 3, 4}); });
  check({"Flatten", 0, {2, 12}}, 13, [](auto& m) { one(m, "Flatten", {2, 3, 4}); });
  check({"Tile", 0, {4, 3}}, 13, [](auto& m) { with_constant(m, "Tile", {2, 3}, {2, 1}); });
  check({"Expand", 0, {5, 2, 3}}, 13, [](auto& m) { with_constant(m, "Expand", {2, 3}, {5, 1, 1}); });
  check({"Gather", 0, {6, 3, 8}}, 13, [](auto& m) {
    m.weight("t", {100, 8}).input("x", {6, 3}, onnx::TensorProto::INT64);
    m.node("Gather", {"t", "x"}, {"y"});
  });
  check({"GatherND", 0, {5, 4}}, 13, [](auto& m) {
    m.input("x", {2, 3, 4}).input("i", {5, 2}, onnx::TensorProto::INT64);
    m.node("GatherND", {"x", "i"}, {"y"});
  });
  check({"TopK", 0, {2, 3}}, 13, [](auto& m) { with_constant(m, "TopK", {2, 9}, {3}); });
  check({"ArgMax", 0, {2}}, 13, [](auto& m) {
    one(m, "ArgMax", {2, 9}, [](Attributes a) { a.integer("axis", 1).integer("keepdims", 0); });
  });
  check({"Concat", 0, {2, 7}}, 13, [](auto& m) {
    two(m, "Concat", {2, 3}, {2, 4}, [](Attributes a) { a.integer("axis", -1); });
  });
}

TEST_CASE("every unary, binary and normalising operator becomes a layer of the shape of its input") {
  for (const char* type : {"Relu",
                           "LeakyRelu",
                           "Elu",
                           "Selu",
                           "Celu",
                           "Sigmoid",
                           "HardSigmoid",
                           "HardSwish",
                           "Softplus",
                           "Softsign",
                           "Tanh",
                           "Erf",
                           "Exp",
                           "Log",
                           "Sqrt",
                           "Reciprocal",
                           "Abs",
                           "Neg",
                           "Floor",
                           "Ceil",
                           "Round",
                           "Clip",
                           "Sin",
                           "Cos",
                           "Softmax",
                           "LogSoftmax",
                           "LRN",
                           "LpNormalization",
                           "ThresholdedRelu",
                           "Sign"}) {
    INFO(type);
    ModelBuilder m;
    one(m, type, {2, 3, 4, 4});
    const WorkloadGraph graph = m.import();
    REQUIRE(graph.layers.size() == 1);
    CHECK(tensor(graph, "y").shape == Shape{2, 3, 4, 4});
  }
  for (const char* type :
       {"Add", "Sub", "Mul", "Div", "Pow", "Mod", "Max", "Min", "Sum", "Mean", "PRelu", "Less", "Equal"}) {
    INFO(type);
    ModelBuilder m;
    two(m, type, {2, 3, 4}, {3, 1});
    const WorkloadGraph graph = m.import();
    const auto& work = std::get<Elementwise>(graph.layers.at(0).work);
    CHECK(work.shape == Shape{2, 3, 4});
    CHECK(work.operand_axes == std::vector<std::vector<bool>>{{true, true, true}, {false, true, false}});
  }
}

TEST_CASE("sizes move from attributes to operands between opsets") {
  check({"Squeeze 11", 0, {3}}, 11, [](auto& m) {
    one(m, "Squeeze", {1, 3}, [](Attributes a) { a.integers("axes", {0}); });
  });
  check({"Squeeze 13", 0, {3}}, 13, [](auto& m) { with_constant(m, "Squeeze", {1, 3}, {0}); });
  check({"Unsqueeze 11", 0, {1, 3, 1}}, 11, [](auto& m) {
    one(m, "Unsqueeze", {3}, [](Attributes a) { a.integers("axes", {0, 2}); });
  });
  check({"Unsqueeze 13", 0, {1, 3, 1}}, 13, [](auto& m) { with_constant(m, "Unsqueeze", {3}, {0, -1}); });
  check({"ReduceSum 11", 0, {2, 1}}, 11, [](auto& m) {
    one(m, "ReduceSum", {2, 3}, [](Attributes a) { a.integers("axes", {1}); });
  });
  check({"ReduceSum 13", 0, {2, 1}}, 13, [](auto& m) { with_constant(m, "ReduceSum", {2, 3}, {1}); });
  check({"Slice 9", 0, {2, 2}}, 9, [](auto& m) {
    one(m, "Slice", {4, 2},
        [](Attributes a) { a.integers("starts", {1}).integers("ends", {-1}).integers("axes", {0}); });
  });
  check({"Slice 10, backwards", 0, {2, 2}}, 10, [](auto& m) {  // rows 3 and 1
    m.input("x", {4, 2}).constant("b", {-1}).constant("e", {INT64_MIN}).constant("a", {0}).constant("s", {-2});
    m.node("Slice", {"x", "b", "e", "a", "s"}, {"y"});
  });
  check({"Pad 2", 0, {4, 6}}, 10, [](auto& m) {
    one(m, "Pad", {3, 4}, [](Attributes a) { a.integers("pads", {1, 0, 0, 2}); });
  });
  check({"Pad 11", 0, {4, 6}}, 11, [](auto& m) { with_constant(m, "Pad", {3, 4}, {1, 0, 0, 2}); });
  check({"Split 11", 0, {1, 3}}, 11, [](auto& m) {
    m.input("x", {3, 3});
    m.node("Split", {"x"}, {"y", "z"}).integers("split", {1, 2});
  });
  check({"Split 13", 0, {1, 3}}, 13, [](auto& m) {
    m.input("x", {3, 3}).constant("p", {1, 2});
    m.node("Split", {"x", "p"}, {"y", "z"});
  });
  check({"Clip 6", 0, {3}}, 7, [](auto& m) { one(m, "Clip", {3}); });
  check({"Clip 11", 0, {3}}, 11, [](auto& m) {
    m.input("x", {3}).reals("lo", {0});
    m.node("Clip", {"x", "lo"}, {"y"});
  });
  check({"Dropout 7", 0, {3}}, 7, [](auto& m) { one(m, "Dropout", {3}); });
  check({"Dropout 13", 0, {3}}, 13, [](auto& m) {
    m.input("x", {3}).reals("ratio", {0.5F});
    m.node("Dropout", {"x", "ratio"}, {"y", "mask"});
  });
}

TEST_CASE("a softmax row is all trailing axes before opset 13 and one axis since") {
  const auto row = [](std::int64_t opset) {
    ModelBuilder m(opset);
    one(m, "Softmax", {2, 3, 4}, [](Attributes a) { a.integer("axis", 1); });
    return std::get<RowWise>(m.import().layers.at(0).work);
  };
  CHECK(row(11).rows == 2);
  CHECK(row(11).columns == 12);
  CHECK(row(13).rows == 8);
  CHECK(row(13).columns == 3);
}

TEST_CASE("shape arithmetic is folded and leaves no layer") {
  ModelBuilder m;  // y = x reshaped to (batch, channels x height x width)
  m.input("x", {2, 3, 4, 5})
      .constant("one", {1})
      .constant("four", {4})
      .constant("zero", {0}, true)
      .constant("zeros", {0})
      .constant("none", {0});
  m.node("Shape", {"x"}, {"s"});
  m.node("Gather", {"s", "zero"}, {"batch"});
  m.node("Unsqueeze", {"batch", "zeros"}, {"batch1"});
  m.node("Slice", {"s", "one", "four"}, {"rest"});
  m.node("ReduceProd", {"rest"}, {"size"}).integer("keepdims", 1);
  m.node("Concat", {"batch1", "size"}, {"target"}).integer("axis", 0);
  m.node("Reshape", {"x", "target"}, {"y"});
  m.output("y");
  const WorkloadGraph graph = m.import();
  CHECK(graph.layers.empty());
  REQUIRE(graph.views.size() == 1);
  CHECK(tensor(graph, "y").shape == Shape{2, 60});
  CHECK(graph.tensors[static_cast<std::size_t>(tensor(graph, "y").alias_of)].name == "x");
}

TEST_CASE("work on weights alone is done once at load and is no layer") {
  ModelBuilder m;
  m.input("x", {2, 3}).weight("w", {5, 3}).output("y");
  m.node("Transpose", {"w"}, {"wt"});
  m.node("MatMul", {"x", "wt"}, {"y"});
  const WorkloadGraph graph = m.import();
  REQUIRE(graph.layers.size() == 1);
  CHECK(tensor(graph, "wt").kind == TensorKind::weight);
  CHECK(graph.weight_elements == 15);
}

TEST_CASE("symbolic sizes are bound by name or by the batch, and all open ones are named") {
  ModelBuilder m;
  m.symbolic_input("x", {"batch", "seq", "4"}).symbolic_input("z", {"", "4"}).weight("w", {4, 6}).output("y");
  m.node("MatMul", {"x", "w"}, {"y"});
  m.node("Relu", {"z"}, {"u"});
  CHECK_THROWS_WITH(m.import(), Catch::Contains("--set batch=VALUE --set seq=VALUE --set z.0=VALUE"));
  ImportOptions options;
  options.dims = {{"seq", 3}};
  options.batch = 2;
  const WorkloadGraph graph = m.import(options);
  CHECK(total_macs(graph) == 2 * 3 * 4 * 6);
  CHECK(graph.batch == 2);
  options.dims["sqe"] = 3;
  CHECK_THROWS_WITH(m.import(options), Catch::Contains("Did you mean 'seq'"));
  options.dims = {{"seq", 0}};
  CHECK_THROWS_WITH(m.import(options), Catch::Contains("at least 1"));
}

TEST_CASE("quantised operators run on 8-bit operands") {
  ModelBuilder qdq;
  qdq.input("x", {1, 3, 8, 8}).weight("w", {4, 3, 3, 3}, onnx::TensorProto::INT8).weight("s", {}).output("y");
  qdq.node("QuantizeLinear", {"x", "s"}, {"xq"});
  qdq.node("DequantizeLinear", {"xq", "s"}, {"xd"});
  qdq.node("DequantizeLinear", {"w", "s"}, {"wd"});
  qdq.node("Conv", {"xd", "wd"}, {"y"});
  const WorkloadGraph folded = qdq.import();
  REQUIRE(folded.layers.size() == 1);
  CHECK(folded.views.size() == 3);
  CHECK(tensor(folded, "x").type == DataType::int8);
  CHECK(tensor(folded, "w").type == DataType::int8);
  CHECK(tensor(folded, "y").type == DataType::fp32);

  ModelBuilder transposed;  // a dequantised weight that is transposed before the product stays int8
  transposed.input("x", {2, 3}).weight("w", {5, 3}, onnx::TensorProto::INT8).weight("s", {}).output("y");
  transposed.node("DequantizeLinear", {"w", "s"}, {"wd"});
  transposed.node("Transpose", {"wd"}, {"wt"});
  transposed.node("MatMul", {"x", "wt"}, {"y"});
  CHECK(tensor(transposed.import(), "wt").type == DataType::int8);

  ModelBuilder q;
  q.input("x", {1, 3, 8, 8}, onnx::TensorProto::UINT8)
      .weight("w", {4, 3, 3, 3}, onnx::TensorProto::INT8)
      .weight("s", {});
  q.weight("z", {}, onnx::TensorProto::UINT8).output("y");
  q.node("QLinearConv", {"x", "s", "z", "w", "s", "z", "s", "z"}, {"y"});
  const WorkloadGraph graph = q.import();
  CHECK(total_macs(graph) == 4 * 36 * 27);
  REQUIRE(graph.layers.at(0).inputs.size() == 2);
  CHECK(tensor(graph, "y").type == DataType::int8);

  ModelBuilder i;
  i.input("x", {2, 3}, onnx::TensorProto::UINT8).weight("w", {3, 4}, onnx::TensorProto::INT8).output("y");
  i.node("MatMulInteger", {"x", "w"}, {"y"});
  CHECK(total_macs(i.import()) == 2 * 3 * 4);
  CHECK(tensor(i.import(), "y").type == DataType::int32);
}

TEST_CASE("an operator without a model counts its traffic only when that is allowed") {
  ModelBuilder m;
  m.input("x", {2, 3}).output("y");
  m.node("Mystery", {"x"}, {"m"});
  m.node("Relu", {"m"}, {"y"});
  CHECK_THROWS_WITH(m.import(), Catch::Contains("'Mystery_m' (Mystery)"));
  ImportOptions options;
  options.allow_unmodelled = true;
  CHECK_THROWS_WITH(m.import(options), Catch::Contains("does not give the shape"));
  auto* info = m.graph().add_value_info();
  info->set_name("m");
  info->mutable_type()->mutable_tensor_type()->set_elem_type(onnx::TensorProto::FLOAT);
  info->mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(7);
  const WorkloadGraph graph = m.import(options);
  REQUIRE(graph.unmodelled == std::vector<std::string>{"Mystery_m (Mystery)"});
  const auto& work = std::get<Unmodelled>(graph.layers.at(0).work);
  CHECK(work.elements_in == 6);
  CHECK(work.elements_out == 7);
}

TEST_CASE("the stored shape of an operator without a model takes its symbols from the inputs") {
  ModelBuilder m;
  m.symbolic_input("x", {"batch", "3"}).output("y");
  m.node("Mystery", {"x"}, {"y"});
  auto* shape = m.graph().mutable_output(0)->mutable_type()->mutable_tensor_type();
  shape->set_elem_type(onnx::TensorProto::FLOAT);
  shape->mutable_shape()->add_dim()->set_dim_param("batch");
  shape->mutable_shape()->add_dim()->set_dim_value(5);
  ImportOptions options;
  options.allow_unmodelled = true;
  options.dims = {{"batch", 4}};
  CHECK(tensor(m.import(options), "y").shape == Shape{4, 5});
  shape->mutable_shape()->mutable_dim(1)->set_dim_param("found");
  CHECK_THROWS_WITH(m.import(options), Catch::Contains("does not give the shape"));
}

TEST_CASE("the weights of a file without initialisers are its Constant nodes") {
  const auto with_constant = [](bool initialiser) {
    ModelBuilder m;
    m.input("x", {2, 3}).output("y");
    if (initialiser) m.weight("v", {4, 4});
    onnx::TensorProto w;
    w.set_data_type(onnx::TensorProto::FLOAT);
    w.add_dims(3);
    w.add_dims(4);
    w.set_data_location(onnx::TensorProto::EXTERNAL);
    *m.node("Constant", {}, {"w"}).add("value", onnx::AttributeProto::TENSOR)->mutable_t() = w;
    m.node("MatMul", {"x", "w"}, {initialiser ? "h" : "y"});
    if (initialiser) m.node("MatMul", {"h", "v"}, {"y"});
    return m.import().weight_elements;
  };
  CHECK(with_constant(false) == 12);
  CHECK(with_constant(true) == 16);  // those of the initialiser, as tools that count parameters do
}

TEST_CASE("nodes out of order are sorted, nameless ones are named and equal names made unique") {
  ModelBuilder m;
  m.input("x", {2}).output("z");
  m.node("Exp", {"y"}, {"z"}).node->set_name("same");
  m.node("Relu", {"x"}, {"y"}).node->set_name("same");
  m.node("Neg", {"x"}, {"dead"}).node->clear_name();
  const WorkloadGraph graph = m.import();
  REQUIRE(graph.layers.size() == 3);
  CHECK(graph.layers[0].name == "same");
  CHECK(graph.layers[0].op == "Relu");
  CHECK(graph.layers[1].name != "same");
  CHECK(graph.layers[2].name == "Neg_2");
}

}  // namespace tilewright::test
