// unit: local functions, branches and the several-layer operators of ONNX Runtime are replaced by their nodes.
#include <catch2/catch.hpp>

#include "core/diagnostics.hpp"
#include "tests/workloads/onnx/model_builder.hpp"

namespace tilewright::test {
namespace {

void add(onnx::NodeProto* node, const std::string& type, const std::vector<std::string>& inputs,
         const std::vector<std::string>& outputs, const std::string& domain = "") {
  node->set_op_type(type);
  node->set_domain(domain);
  for (const auto& i : inputs) node->add_input(i);
  for (const auto& o : outputs) node->add_output(o);
}

/// Function `name`(a, w) -> o in domain "my".
onnx::FunctionProto* function(ModelBuilder& m, const std::string& name) {
  auto* f = m.proto.add_functions();
  f->set_name(name);
  f->set_domain("my");
  f->add_input("a");
  f->add_input("w");
  f->add_output("o");
  auto* import = f->add_opset_import();
  import->set_domain("");
  import->set_version(m.proto.opset_import(0).version());
  return f;
}

/// Block(a, w) = Softmax(a w), the softmax axis being an attribute of the call.
void add_block(ModelBuilder& m) {
  auto* f = function(m, "Block");
  add(f->add_node(), "MatMul", {"a", "w"}, {"t"});
  auto* softmax = f->add_node();
  add(softmax, "Softmax", {"t"}, {"o"});
  auto* axis = Attributes{softmax}.add("axis", onnx::AttributeProto::INT);
  axis->set_ref_attr_name("over");
}

std::vector<std::string> names(const WorkloadGraph& graph) {
  std::vector<std::string> result;
  for (const Layer& layer : graph.layers) result.push_back(layer.name);
  return result;
}

/// An If on `condition` whose branches hold one node each, of the types given, from x to its own result.
Attributes branches(ModelBuilder& m, const std::string& condition, const std::string& then, const std::string& other) {
  const Attributes node = m.node("If", {condition}, {"y"});
  for (const auto& [name, type] : {std::pair("then_branch", then), std::pair("else_branch", other)}) {
    auto* graph = Attributes(node).add(name, onnx::AttributeProto::GRAPH)->mutable_g();
    add(graph->add_node(), type, {"x"}, {"inner"});
    graph->add_output()->set_name("inner");
  }
  return node;
}

}  // namespace

TEST_CASE("a call of a local function is the function's nodes, nested calls and attributes included") {
  ModelBuilder m;
  m.input("x", {2, 8}).weight("w", {8, 8}).output("y");
  add_block(m);
  auto* twice = function(m, "Twice");
  add(twice->add_node(), "Block", {"a", "w"}, {"t"}, "my");
  add(twice->add_node(), "Block", {"t", "w"}, {"o"}, "my");
  m.node_of("my", "Twice", {"x", "w"}, {"h"});
  m.node_of("my", "Block", {"h", "w"}, {"y"}).integer("over", 0);
  const WorkloadGraph graph = m.import();
  CHECK(total_macs(graph) == 3 * 2 * 8 * 8);
  REQUIRE(graph.layers.size() == 6);
  CHECK(names(graph)[0] == "Twice_h/Block_0/MatMul_0");
  CHECK(names(graph)[3] == "Twice_h/Block_1/Softmax_1");
  CHECK(std::get<RowWise>(graph.layers[3].work).columns == 8);  // the operator's own default: the last axis
  CHECK(std::get<RowWise>(graph.layers[5].work).columns == 2);  // axis 0 by the call
}

TEST_CASE("a function that only passes its operand on is an identity") {
  ModelBuilder m;
  m.input("x", {2, 8}).weight("w", {8, 8}).output("y");
  auto* f = function(m, "Same");
  f->set_output(0, "a");
  add(f->add_node(), "Relu", {"w"}, {"unused"});
  m.node_of("my", "Same", {"x", "w"}, {"y"});
  const WorkloadGraph graph = m.import();
  CHECK(graph.layers.empty());
  CHECK(tensor(graph, "y").alias_of >= 0);
}

TEST_CASE("functions that unfold without end, or in another opset, are refused") {
  ModelBuilder m;
  m.input("x", {2, 8}).weight("w", {8, 8}).output("y");
  std::string inner = "Relu";
  for (int i = 0; i < 30; ++i) {  // every level calls the one below twice: 2^30 nodes
    auto* f = function(m, "F" + std::to_string(i));
    const std::string domain = i == 0 ? "" : "my";
    add(f->add_node(), inner, i == 0 ? std::vector<std::string>{"a"} : std::vector<std::string>{"a", "w"}, {"t"},
        domain);
    add(f->add_node(), inner, i == 0 ? std::vector<std::string>{"t"} : std::vector<std::string>{"t", "w"}, {"o"},
        domain);
    inner = "F" + std::to_string(i);
  }
  m.node_of("my", inner, {"x", "w"}, {"y"});
  CHECK_THROWS_WITH(m.import(), Catch::Contains("unfold to more than 100000 nodes"));

  ModelBuilder loop;
  loop.input("x", {2, 8}).weight("w", {8, 8}).output("y");
  add(function(loop, "A")->add_node(), "B", {"a", "w"}, {"o"}, "my");
  add(function(loop, "B")->add_node(), "A", {"a", "w"}, {"o"}, "my");
  loop.node_of("my", "A", {"x", "w"}, {"y"});
  CHECK_THROWS_WITH(loop.import(), Catch::Contains("calls itself"));

  ModelBuilder other;
  other.input("x", {2, 8}).output("y");
  function(other, "A")->mutable_opset_import(0)->set_version(9);
  other.node("Relu", {"x"}, {"y"});
  CHECK_THROWS_WITH(other.import(), Catch::Contains("function 'A'") && Catch::Contains("opset 9"));
}

TEST_CASE("an If whose condition follows from the shapes is the branch that it takes") {
  const auto taken = [](std::int64_t size) {
    ModelBuilder m;  // squeeze(x, 1) where axis 1 may be longer than 1, as exporters write it
    m.input("x", {4, size}).constant("one", {1}, true).output("y");
    m.node("Shape", {"x"}, {"s"});
    m.node("Gather", {"s", "one"}, {"length"});
    m.node("Equal", {"length", "one"}, {"is_one"});
    branches(m, "is_one", "Squeeze", "Relu");
    return m.import();
  };
  CHECK(taken(1).layers.empty());
  CHECK(tensor(taken(1), "y").shape == Shape{4});
  REQUIRE(taken(3).layers.size() == 1);
  CHECK(taken(3).layers[0].op == "Relu");
  CHECK(tensor(taken(3), "y").shape == Shape{4, 3});
}

TEST_CASE("a branch that depends on data, and an unknown operator in a branch, are errors that name the node") {
  ModelBuilder m;
  m.input("x", {4, 3}).input("c", {1}, onnx::TensorProto::BOOL).output("y");
  branches(m, "c", "Relu", "Exp");
  CHECK_THROWS_WITH(m.import(), Catch::Contains("'If_y' (If): its condition (operand 0, 'c') is not known"));

  ModelBuilder unknown;
  unknown.input("x", {4, 3}).constant("c", {1}).output("y");
  branches(unknown, "c", "Frobnicate", "Relu");
  CHECK_THROWS_WITH(unknown.import(), Catch::Contains("'If_y/Frobnicate_0' (Frobnicate)"));

  ModelBuilder late;  // the branch reads what a later node of the file makes
  late.input("z", {4, 3}).constant("c", {0}).output("y");
  branches(late, "c", "Relu", "Exp");
  late.node("Neg", {"z"}, {"x"});
  CHECK(late.import().layers.back().op == "Exp");
}

TEST_CASE("fused attention of ONNX Runtime is its projection and the attention itself") {
  ModelBuilder m;  // 2 sequences of 7, width 32 in 4 heads: 14 x 32 x 96 and 2 x (2 x 4 x 7 x 7 x 8)
  m.input("x", {2, 7, 32}).weight("w", {32, 96}).weight("b", {96}).output("y");
  m.node_of("com.microsoft", "Attention", {"x", "w", "b"}, {"y"}).integer("num_heads", 4);
  const WorkloadGraph graph = m.import();
  CHECK(total_macs(graph) == 14 * 32 * 96 + 2 * 2 * 4 * 49 * 8);
  CHECK(tensor(graph, "y").shape == Shape{2, 7, 32});

  ModelBuilder q;
  q.input("x", {2, 7, 32}, onnx::TensorProto::UINT8).weight("w", {32, 96}, onnx::TensorProto::INT8).weight("b", {96});
  q.reals("s", {1}).output("y");
  q.node_of("com.microsoft", "QAttention", {"x", "w", "b", "s", "s"}, {"y"}).integer("num_heads", 4);
  CHECK(total_macs(q.import()) == 14 * 32 * 96 + 2 * 2 * 4 * 49 * 8);

  ModelBuilder past;  // with a cache it is another operator
  past.input("x", {2, 7, 32}).input("p", {2, 2, 4, 3, 8}).weight("w", {32, 96}).weight("b", {96}).output("y");
  past.node_of("com.microsoft", "Attention", {"x", "w", "b", "", "p"}, {"y", "present"}).integer("num_heads", 4);
  CHECK_THROWS_WITH(past.import(), Catch::Contains("(com.microsoft.Attention)"));
}

TEST_CASE("grouped attention reads its cache, and packed weights keep their sizes and format") {
  ModelBuilder m;  // one new token behind 9: 10 keys; 4 heads of 8 share 2 of the cache
  m.input("q", {2, 1, 32}).input("k", {2, 1, 16}).input("v", {2, 1, 16});
  m.input("pk", {2, 2, 9, 8}).input("pv", {2, 2, 9, 8}).output("y").output("present");
  m.node_of("com.microsoft", "GroupQueryAttention", {"q", "k", "v", "pk", "pv"}, {"y", "present"})
      .integer("num_heads", 4)
      .integer("kv_num_heads", 2);
  const WorkloadGraph graph = m.import();
  CHECK(total_macs(graph) == 2 * 2 * 4 * 10 * 8);
  CHECK(tensor(graph, "present").shape == Shape{2, 2, 10, 8});

  ModelBuilder packed;
  packed.input("x", {5, 64}).weight("w", {48, 2, 16}, onnx::TensorProto::UINT8).weight("s", {96}).output("y");
  packed.node_of("com.microsoft", "MatMulNBits", {"x", "w", "s"}, {"y"})
      .integer("K", 64)
      .integer("N", 48)
      .integer("bits", 4)
      .integer("block_size", 32);
  const WorkloadGraph product = packed.import();
  CHECK(total_macs(product) == 5 * 64 * 48);
  CHECK(product.weight_elements == 48 * 64 + 96);
  CHECK(tensor(product, "w").type == DataType::int4);
  CHECK(tensor(product, "w").elements() == 48 * 64);
}

TEST_CASE("the quantised operators of ONNX Runtime run on 8-bit tensors") {
  ModelBuilder m;
  m.input("x", {1, 3, 8, 8}, onnx::TensorProto::UINT8).weight("w", {4, 3, 3, 3}, onnx::TensorProto::INT8);
  m.weight("w2", {10, 8}, onnx::TensorProto::INT8)
      .weight("s", {})
      .weight("z", {}, onnx::TensorProto::UINT8)
      .output("y");
  const std::string ms = "com.microsoft";
  m.node("QLinearConv", {"x", "s", "z", "w", "s", "z", "s", "z"}, {"c"});
  m.node_of(ms, "QLinearConcat", {"s", "z", "c", "s", "z", "c", "s", "z"}, {"cc"}).integer("axis", 1);
  m.node_of(ms, "QLinearAveragePool", {"cc", "s", "z", "s", "z"}, {"p"}).integers("kernel_shape", {2, 2});
  m.node_of(ms, "QLinearGlobalAveragePool", {"p", "s", "z", "s", "z"}, {"g"});
  m.node("Flatten", {"g"}, {"f"});
  m.node_of(ms, "QGemm", {"f", "s", "z", "w2", "s", "z", "", "s", "z"}, {"q"}).integer("transB", 1);
  m.node_of(ms, "QLinearSoftmax", {"q", "s", "z", "s", "z"}, {"y"}).integer("opset", 13);
  const WorkloadGraph graph = m.import();
  CHECK(total_macs(graph) == 4 * 36 * 27 + 8 * 10);
  CHECK(tensor(graph, "p").shape == Shape{1, 8, 5, 5});
  for (const Tensor& t : graph.tensors) {
    if (t.name.size() == 1 && t.name != "s") CHECK(t.type == DataType::int8);
  }
}

}  // namespace tilewright::test
