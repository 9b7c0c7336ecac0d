// law: whatever the bytes, an import ends in a graph or in an InputError that names the place.
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <random>

#include "core/diagnostics.hpp"
#include "tests/workloads/onnx/model_builder.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright::test {
namespace {

/// The message of the InputError that the import ends in; "" when it succeeds.
std::string refusal(const std::string& path, const ImportOptions& options = {}) {
  try {
    (void)import_onnx(path, options);
  } catch (const InputError& error) { return error.what(); }
  return "";
}

std::string refusal_of_bytes(const std::string& bytes) { return refusal(TemporaryFile(bytes).path()); }
std::string refusal(const ModelBuilder& model) { return refusal_of_bytes(model.bytes()); }

ModelBuilder convolution() {
  ModelBuilder m;
  m.input("x", {1, 3, 8, 8}).weight("w", {4, 3, 3, 3}).output("y");
  m.node("Conv", {"x", "w"}, {"y"}).integers("pads", {1, 1, 1, 1});
  return m;
}

struct Case {
  std::string what;
  std::string expected;  // part of the message
  std::function<void(ModelBuilder&)> make;
};

const std::int64_t huge = std::int64_t{1} << 62;

void unary(ModelBuilder& m, const std::string& type, const Shape& x = {2, 6}) {
  m.input("x", x).output("y");
  m.node(type, {"x"}, {"y"});
}

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {"no nodes", "no nodes", [](ModelBuilder& m) { m.input("x", {1}); }},
      {"no opset", "no ONNX opset",
       [](ModelBuilder& m) {
         m.proto.clear_opset_import();
         unary(m, "Relu");
       }},
      {"opset too new", "opset 18",
       [](ModelBuilder& m) {
         m.proto.mutable_opset_import(0)->set_version(18);
         unary(m, "Relu");
       }},
      {"opset too old", "opset 6",
       [](ModelBuilder& m) {
         m.proto.mutable_opset_import(0)->set_version(6);
         unary(m, "Relu");
       }},
      {"cycle", "cyclic",
       [](ModelBuilder& m) {
         m.input("x", {2});
         m.node("Add", {"x", "b"}, {"a"});
         m.node("Relu", {"a"}, {"b"});
       }},
      {"self loop", "cyclic", [](ModelBuilder& m) { m.node("Relu", {"a"}, {"a"}); }},
      {"missing tensor", "'ghost', which nothing produces", [](ModelBuilder& m) { m.node("Relu", {"ghost"}, {"y"}); }},
      {"missing output", "nothing produces",
       [](ModelBuilder& m) {
         unary(m, "Relu");
         m.output("ghost");
       }},
      {"two producers", "already has a value",
       [](ModelBuilder& m) {
         unary(m, "Relu");
         m.node("Exp", {"x"}, {"y"});
       }},
      {"two initialisers", "initialised twice",
       [](ModelBuilder& m) {
         m.weight("w", {1}).weight("w", {1});
         unary(m, "Relu");
       }},
      {"two inputs of one name", "declared twice",
       [](ModelBuilder& m) {
         m.input("x", {2});
         unary(m, "Relu");
       }},
      {"negative input axis", "--set x.0=VALUE. The file gives input 'x' the size -1 on axis 0",
       [](ModelBuilder& m) {
         unary(m, "Relu", {-1, 4});
       }},
      {"zero input axis", "--set x.1=VALUE. The file gives input 'x' the size 0 on axis 1",
       [](ModelBuilder& m) {
         unary(m, "Relu", {2, 0});
       }},
      {"elements overflow", "64",
       [](ModelBuilder& m) {
         unary(m, "Relu", {huge, huge});
       }},
      {"MACs overflow", "64",
       [](ModelBuilder& m) {
         m.input("x", {huge / 2, 2}).weight("w", {2, huge / 2});
         m.node("MatMul", {"x", "w"}, {"y"});
       }},
      {"initialiser of negative size", "negative size -2",
       [](ModelBuilder& m) {
         m.weight("w", {-2});
         unary(m, "Relu");
       }},
      {"initialiser of 2^124 elements", "2^63",
       [](ModelBuilder& m) {
         m.weight("w", {huge, huge});
         unary(m, "Relu");
       }},
      {"initialiser of unknown type", "element type 99",
       [](ModelBuilder& m) {
         m.weight("w", {2}, 99);
         unary(m, "Relu");
       }},
      {"initialiser with too few numbers", "2 numbers where",
       [](ModelBuilder& m) {
         m.constant("c", {1, 2});
         m.graph().mutable_initializer(0)->set_dims(0, 3);
         unary(m, "Relu");
       }},
      {"initialiser with too few bytes", "5 bytes of data",
       [](ModelBuilder& m) {
         m.constant("c", {1, 2});
         m.graph().mutable_initializer(0)->clear_int64_data();
         m.graph().mutable_initializer(0)->set_raw_data("12345");
         unary(m, "Relu");
       }},
      {"text tensor", "not supported",
       [](ModelBuilder& m) {
         m.input("x", {2}, onnx::TensorProto::STRING);
         m.node("Identity", {"x"}, {"y"});
       }},
      {"input without a shape", "known rank",
       [](ModelBuilder& m) {
         m.graph().add_input()->set_name("x");
         m.node("Relu", {"x"}, {"y"});
       }},
      {"unknown operator", "'Frobnicate_y' (Frobnicate)", [](ModelBuilder& m) { unary(m, "Frobnicate"); }},
      {"control flow", "(If)", [](ModelBuilder& m) { unary(m, "If"); }},
      {"custom domain", "(my.domain.Relu)",
       [](ModelBuilder& m) {
         unary(m, "Relu");
         m.graph().mutable_node(0)->set_domain("my.domain");
       }},
      {"empty operator type", "without a model",
       [](ModelBuilder& m) {
         unary(m, "Relu");
         m.graph().mutable_node(0)->clear_op_type();
       }},
      {"function that calls itself", "'F_y' (F)",
       [](ModelBuilder& m) {
         unary(m, "F");
         auto* f = m.proto.add_functions();
         f->set_name("F");
         f->add_node()->set_op_type("F");
       }},
      {"node without operands", "operand 0 is missing", [](ModelBuilder& m) { m.node("Relu", {}, {"y"}); }},
      {"convolution without weights", "operand 1 is missing",
       [](ModelBuilder& m) {
         unary(m, "Conv", {1, 3, 8, 8});
       }},
      {"convolution of a matrix", "rank",
       [](ModelBuilder& m) {
         m.input("x", {3, 3}).weight("w", {3, 3});
         m.node("Conv", {"x", "w"}, {"y"});
       }},
      {"convolution with other channels", "channels",
       [](ModelBuilder& m) {
         m.input("x", {1, 5, 8, 8}).weight("w", {4, 3, 3, 3});
         m.node("Conv", {"x", "w"}, {"y"});
       }},
      {"convolution with group 0", "group = 0",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.integer("group", 0);
       }},
      {"convolution with group 2^62", "",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.integer("group", huge);
       }},
      {"convolution with stride 0", "'strides' holds 0",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.integers("strides", {0, 1});
       }},
      {"convolution with three strides", "expected 2",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.integers("strides", {1, 1, 1});
       }},
      {"convolution with strides as a number", "not a list",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.integer("strides", 1);
       }},
      {"convolution with huge dilation", "",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.integers("dilations", {huge, huge});
       }},
      {"convolution with huge pads", "",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.integers("pads", {huge, huge, huge, huge});
       }},
      {"convolution with unknown auto_pad", "unknown auto_pad",
       [](ModelBuilder& m) {
         m = convolution();
         Attributes{m.graph().mutable_node(0)}.text("auto_pad", "BEST");
       }},
      {"kernel larger than its input", "does not fit",
       [](ModelBuilder& m) {
         m.input("x", {1, 3, 2, 2}).weight("w", {4, 3, 3, 3});
         m.node("Conv", {"x", "w"}, {"y"});
       }},
      {"pooling without a kernel", "'kernel_shape' is missing",
       [](ModelBuilder& m) {
         unary(m, "MaxPool", {1, 2, 4, 4});
       }},
      {"product of unequal sizes", "inner sizes 3 and 4",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).weight("w", {4, 5});
         m.node("MatMul", {"x", "w"}, {"y"});
       }},
      {"product with a scalar", "scalar operand",
       [](ModelBuilder& m) {
         m.input("x", {}).weight("w", {4, 5});
         m.node("MatMul", {"x", "w"}, {"y"});
       }},
      {"sum of unequal shapes", "do not broadcast",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).input("z", {4});
         m.node("Add", {"x", "z"}, {"y"});
       }},
      {"reshape to another size", "cannot become",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).constant("s", {4});
         m.node("Reshape", {"x", "s"}, {"y"});
       }},
      {"reshape by computed data", "cannot be computed from the shapes",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).input("s", {1}, onnx::TensorProto::INT64);
         m.node("Reshape", {"x", "s"}, {"y"});
       }},
      {"division by zero in a shape", "divides by zero",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).constant("z", {0, 0});
         m.node("Shape", {"x"}, {"s"});
         m.node("Div", {"s", "z"}, {"t"});
         m.node("Reshape", {"x", "t"}, {"y"});
       }},
      {"transpose with a repeated axis", "twice",
       [](ModelBuilder& m) {
         m.input("x", {2, 3});
         m.node("Transpose", {"x"}, {"y"}).integers("perm", {0, 0});
       }},
      {"axis outside", "axis 7",
       [](ModelBuilder& m) {
         m.input("x", {2, 3});
         m.node("Softmax", {"x"}, {"y"}).integer("axis", 7);
       }},
      {"slice to nothing", "axis of size 0",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).constant("b", {1}).constant("e", {1});
         m.node("Slice", {"x", "b", "e"}, {"y"});
       }},
      {"slice with step 0", "step of 0",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).constant("b", {0}).constant("e", {1}).constant("a", {0}).constant("s", {0});
         m.node("Slice", {"x", "b", "e", "a", "s"}, {"y"});
       }},
      {"expansion to 2^124 elements", "",
       [](ModelBuilder& m) {
         m.input("x", {1, 1}).constant("s", {huge, huge});
         m.node("Expand", {"x", "s"}, {"y"});
       }},
      {"scale that is not a number", "scale nan",
       [](ModelBuilder& m) {
         m.input("x", {1, 1}).reals("r", {}).reals("s", {1.0F, std::numeric_limits<float>::quiet_NaN()});
         m.node("Resize", {"x", "r", "s"}, {"y"});
       }},
      {"recurrent weights that do not fit", "do not fit",
       [](ModelBuilder& m) {
         m.input("x", {5, 2, 3}).weight("w", {1, 16, 4}).weight("r", {1, 16, 4});
         m.node("LSTM", {"x", "w", "r"}, {"y"});
       }},
      {"einsum of broken equation", "",
       [](ModelBuilder& m) {
         m.input("x", {2, 3});
         m.node("Einsum", {"x"}, {"y"}).text("equation", "i?->");
       }},
      {"einsum with unequal letters", "sizes",
       [](ModelBuilder& m) {
         m.input("x", {2, 3}).input("z", {4, 5});
         m.node("Einsum", {"x", "z"}, {"y"}).text("equation", "ij,jk->ik");
       }},
      {"range without end", "in steps of 0",
       [](ModelBuilder& m) {
         m.constant("a", {0}, true).constant("b", {5}, true).constant("c", {0}, true);
         m.node("Range", {"a", "b", "c"}, {"y"});
       }},
      {"constant without a value", "no dense value", [](ModelBuilder& m) { m.node("Constant", {}, {"y"}); }},
      {"ranks that double with every node", "axes",
       [](ModelBuilder& m) {
         m.input("t0", {1, 1}, onnx::TensorProto::INT64);  // 2, 3, 5, 9, 17, 33 axes
         for (int i = 0; i < 40; ++i)
           m.node("Gather", {"t" + std::to_string(i), "t" + std::to_string(i)}, {"t" + std::to_string(i + 1)});
       }},
      {"split that does not divide", "does not split",
       [](ModelBuilder& m) {
         m.input("x", {5});
         m.node("Split", {"x"}, {"y", "z"});
       }},
      {"node without results", "has no results",
       [](ModelBuilder& m) {
         unary(m, "Relu");
         m.graph().mutable_node(0)->clear_output();
       }},
      {"quantisation without results", "has no results",
       [](ModelBuilder& m) {
         m.input("x", {2}).reals("s", {1});
         m.node("QuantizeLinear", {"x", "s"}, {""});
       }},
      {"branch without a name for its result", "operand 0 is missing",
       [](ModelBuilder& m) {
         m.input("x", {2}).constant("c", {1});
         Attributes node = m.node("If", {"c"}, {"y"});
         for (const char* name : {"then_branch", "else_branch"})
           node.add(name, onnx::AttributeProto::GRAPH)->mutable_g()->add_output();
       }},
      {"branch with two results for one", "then_branch gives 2 results",
       [](ModelBuilder& m) {
         m.input("x", {2}).constant("c", {1});
         Attributes node = m.node("If", {"c"}, {"y"});
         for (const char* name : {"then_branch", "else_branch"}) {
           auto* g = node.add(name, onnx::AttributeProto::GRAPH)->mutable_g();
           g->add_output()->set_name("x");
           g->add_output()->set_name("x");
         }
       }},
      {"branch that reads nothing made", "reads tensor 'ghost'",
       [](ModelBuilder& m) {
         m.input("x", {2}).constant("c", {1});
         Attributes node = m.node("If", {"c"}, {"y"});
         for (const char* name : {"then_branch", "else_branch"})
           node.add(name, onnx::AttributeProto::GRAPH)->mutable_g()->add_output()->set_name("ghost");
       }},
      {"packed weights of 5 bits", "bits = 5",
       [](ModelBuilder& m) {
         m.input("x", {5, 64}).weight("w", {48, 2, 16}, onnx::TensorProto::UINT8);
         m.node_of("com.microsoft", "MatMulNBits", {"x", "w"}, {"y"})
             .integer("K", 64)
             .integer("N", 48)
             .integer("bits", 5);
       }},
      {"attention with heads that do not divide", "does not divide into 5 heads",
       [](ModelBuilder& m) {
         m.input("x", {2, 7, 32});
         m.node_of("com.microsoft", "MultiHeadAttention", {"x", "x", "x"}, {"y"}).integer("num_heads", 5);
       }},
      {"grid of another batch", "does not fit image",
       [](ModelBuilder& m) {
         m.input("x", {1, 3, 8, 8}).input("g", {2, 5, 5, 2});
         m.node("GridSample", {"x", "g"}, {"y"});
       }},
      {"top-k of more than there are", "k = 9",
       [](ModelBuilder& m) {
         m.input("x", {5}).constant("k", {9});
         m.node("TopK", {"x", "k"}, {"y", "z"});
       }},
  };
  return list;
}

}  // namespace

TEST_CASE("a malformed model is refused with the file and a reason") {
  REQUIRE(cases().size() >= 60);
  for (const Case& c : cases()) {
    INFO(c.what);
    ModelBuilder model;
    c.make(model);
    const std::string message = refusal(model);
    CHECK(message.find("tilewright_onnx_") != std::string::npos);
    CHECK_THAT(message, Catch::Contains(c.expected));
  }
}

TEST_CASE("a batch that leaves 64 bits is refused with the file") {
  const TemporaryFile file(convolution().bytes());
  const WorkloadGraph graph = import_onnx(file.path(), {});
  CHECK_THROWS_WITH(set_batch(graph, std::int64_t{1} << 55),
                    Catch::Contains(file.path()) && Catch::Contains("batch 36028797018963968 is too large"));
}

TEST_CASE("control characters of a file do not reach a message") {
  ModelBuilder m;
  m.input("x", {2, 3, 4}).constant("first", {0}, true).output("y");
  m.node("Gather", {"x", "first"}, {"y"}).integer("axis", 0).node->set_name("a\nb\x1b[31m");
  const WorkloadGraph graph = m.import();
  try {
    (void)set_batch(graph, 6);
    FAIL("one sample is taken out of the batch");
  } catch (const InputError& error) {
    const std::string message = error.what();
    CHECK(std::none_of(message.begin(), message.end(), [](unsigned char c) { return c < 32; }));
  }
}

TEST_CASE("bytes that are no model are refused") {
  CHECK_THAT(refusal_of_bytes(""), Catch::Contains("is empty"));
  CHECK_THAT(refusal_of_bytes("name: my-chip\nfamily: systolic\n"), Catch::Contains("not an ONNX model"));
  CHECK_THAT(refusal_of_bytes(std::string(4096, '\0')), Catch::Contains("not an ONNX model"));
  CHECK_THAT(refusal_of_bytes(std::string(4096, '\xff')), Catch::Contains("not an ONNX model"));
  CHECK_THAT(refusal("/no/such/model.onnx"), Catch::Contains("no such file"));
  CHECK_THAT(refusal(std::filesystem::temp_directory_path().string()), Catch::Contains("is a directory"));
}

TEST_CASE("a pipe is refused, not waited for") {
  const std::string path = TemporaryFile("").path() + ".pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK_THAT(refusal(path), Catch::Contains("not a regular file"));
  std::filesystem::remove(path);
}

TEST_CASE("a model cut off anywhere is refused or is a shorter model, never a crash") {
  const std::string whole = convolution().bytes();
  CHECK(refusal_of_bytes(whole).empty());
  for (std::size_t n = 0; n < whole.size(); ++n) (void)refusal_of_bytes(whole.substr(0, n));
}

TEST_CASE("deep nesting of subgraphs is refused") {
  ModelBuilder m;
  auto* graph = &m.graph();
  for (int i = 0; i < 500; ++i) {
    auto* node = graph->add_node();
    node->set_op_type("If");
    graph = Attributes{node}.add("then_branch", onnx::AttributeProto::GRAPH)->mutable_g();
  }
  CHECK_FALSE(refusal(m).empty());
}

namespace {

ModelBuilder mixed_model() {
  ModelBuilder m = convolution();
  m.constant("c", {0, -1}).constant("axes", {0}).reals("scale", {0.1F}).weight("w2", {256, 10}).weight("b2", {10});
  m.node("Shape", {"y"}, {"s"});
  m.node("Reshape", {"y", "c"}, {"flat"});
  m.node("Gemm", {"flat", "w2", "b2"}, {"z"});
  m.node("QuantizeLinear", {"z", "scale"}, {"q"});
  m.node("DequantizeLinear", {"q", "scale"}, {"d"});
  m.node("Softmax", {"d"}, {"p"}).integer("axis", 1);
  m.node("Transpose", {"p"}, {"t"}).integers("perm", {1, 0});
  m.node("Unsqueeze", {"t", "axes"}, {"u"});
  m.node("Slice", {"u", "axes", "axes2"}, {"v"});
  m.constant("axes2", {1}).output("v");
  return m;
}

}  // namespace

TEST_CASE("four thousand mutated models end in a graph or in an InputError") {
  const std::string whole = mixed_model().bytes();
  REQUIRE(refusal_of_bytes(whole).empty());
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int refused = 0;
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = whole;
    for (std::size_t flips = 1 + below(3); flips > 0; --flips)
      bytes[below(bytes.size())] ^= static_cast<char>(1U << below(8));
    refused += refusal_of_bytes(bytes).empty() ? 0 : 1;
  }
  CHECK(refused > 100);
  CHECK(refused < 4000);
}

namespace {

/// Changes one field of one node, attribute, size or initialiser to a value that is likely to hurt.
void hurt(onnx::GraphProto& graph, const std::function<int(int)>& below) {
  static const std::int64_t values[] = {0, 1, -1, 2, 3, -3, 7, 1 << 16, 1 << 20, huge, -huge, INT64_MAX, INT64_MIN};
  const auto value = [&] { return values[below(13)]; };
  static const char* const types[] = {"Conv",
                                      "MatMul",
                                      "Gemm",
                                      "Reshape",
                                      "Slice",
                                      "Gather",
                                      "Concat",
                                      "Split",
                                      "Pad",
                                      "Tile",
                                      "Expand",
                                      "Einsum",
                                      "LSTM",
                                      "MaxPool",
                                      "Resize",
                                      "TopK",
                                      "Range",
                                      "ConstantOfShape",
                                      "Where",
                                      "NonZero",
                                      "Unsqueeze",
                                      "Squeeze",
                                      "Transpose",
                                      "ReduceSum",
                                      "GatherND",
                                      "OneHot",
                                      "Div",
                                      "Mod",
                                      "Cast",
                                      "DepthToSpace",
                                      "ConvTranspose",
                                      "LayerNormalization",
                                      "GroupNormalization",
                                      "Constant"};
  onnx::NodeProto& node = *graph.mutable_node(below(graph.node_size()));
  switch (below(7)) {
    case 0: node.set_op_type(types[below(34)]); break;
    case 1:
      if (node.input_size() > 0)
        node.set_input(below(node.input_size()), graph.initializer(below(graph.initializer_size())).name());
      break;
    case 2: {
      auto& t = *graph.mutable_initializer(below(graph.initializer_size()));
      if (t.dims_size() > 0) t.set_dims(below(t.dims_size()), value());
      break;
    }
    case 3: {
      auto& t = *graph.mutable_initializer(below(graph.initializer_size()));
      if (t.int64_data_size() > 0) t.set_int64_data(below(t.int64_data_size()), value());
      break;
    }
    case 4: {
      if (node.attribute_size() == 0) break;
      auto& a = *node.mutable_attribute(below(node.attribute_size()));
      if (a.ints_size() > 0)
        a.set_ints(below(a.ints_size()), value());
      else
        a.set_i(value());
      break;
    }
    case 5: Attributes{&node}.integer(below(2) == 0 ? "axis" : "group", value()); break;
    default: {
      auto& shape = *graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
      shape.mutable_dim(below(shape.dim_size()))->set_dim_value(value());
    }
  }
}

}  // namespace

TEST_CASE("six thousand models with hostile fields end in a graph or in an InputError") {
  std::mt19937 random(11);
  const std::function<int(int)> below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int accepted = 0;
  for (int i = 0; i < 6000; ++i) {
    ModelBuilder m = mixed_model();
    for (int changes = 1 + below(3); changes > 0; --changes) hurt(m.graph(), below);
    accepted += refusal(m).empty() ? 1 : 0;
  }
  CHECK(accepted > 0);
  CHECK(accepted < 6000);
}

}  // namespace tilewright::test
