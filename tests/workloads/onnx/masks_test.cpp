#include <catch2/catch.hpp>

#include "tests/workloads/onnx/model_builder.hpp"
#include "workloads/transform/transform.hpp"

using namespace tilewright;
using namespace tilewright::test;

namespace {

using Shape = std::vector<std::int64_t>;

/// Queries, keys and values [1, 2, side, 8]; `mask` builds the tensor "mask" that the scores are combined with by `how`.
bool attends_causally(std::int64_t side, const std::function<void(ModelBuilder&)>& mask, const std::string& how) {
  ModelBuilder m;
  for (const char* name : {"xq", "xk", "xv"}) m.input(name, {1, 2, side, 8});
  m.node("Relu", {"xq"}, {"q"});
  m.node("Relu", {"xk"}, {"k"});
  m.node("Transpose", {"k"}, {"kt"}).integers("perm", {0, 1, 3, 2});
  m.node("MatMul", {"q", "kt"}, {"scores"});
  m.reals("low", {-1e9F});
  mask(m);
  if (how == "Where") {
    m.node("Where", {"mask", "scores", "low"}, {"masked"});
  } else {
    m.node(how, {"scores", "mask"}, {"masked"});
  }
  m.node("Softmax", {"masked"}, {"p"}).integer("axis", -1);
  m.node("MatMul", {"p", "xv"}, {"y"});
  m.output("y");
  for (const Layer& layer : fuse(m.import(), Fusion::attention).layers) {
    if (const auto* work = std::get_if<Attention>(&layer.work)) return work->causal;
  }
  FAIL("no attention was found");
  return false;
}

void filled(ModelBuilder& m, const Shape& shape, float value) {
  m.constant("extents", shape);
  auto* tensor =
      m.node("ConstantOfShape", {"extents"}, {"fill"}).add("value", onnx::AttributeProto::TENSOR)->mutable_t();
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->add_dims(1);
  tensor->add_float_data(value);
}

/// A stored mask of bytes, 1 where the key is visible.
void stored(ModelBuilder& m, std::int64_t side, bool causal) {
  auto* t = m.graph().add_initializer();
  t->set_name("bias");
  t->set_data_type(onnx::TensorProto::BOOL);
  for (const std::int64_t d : {std::int64_t{1}, std::int64_t{1}, side, side}) t->add_dims(d);
  std::string raw;
  for (std::int64_t q = 0; q < side; ++q)
    for (std::int64_t k = 0; k < side; ++k) raw.push_back(static_cast<char>(!causal || k <= q));
  t->set_raw_data(raw);
}

}  // namespace

TEST_CASE("a triangle of a constant masks later keys, whatever its size") {
  for (const std::int64_t side : {16, 512}) {  // 512 x 512 numbers are not kept
    const auto triangle = [&](std::int64_t upper, std::int64_t offset) {
      return [=](ModelBuilder& m) {
        filled(m, {side, side}, -1e9F);
        m.constant("offset", {offset}, true);
        m.node("Trilu", {"fill", "offset"}, {"mask"}).integer("upper", upper);
      };
    };
    CHECK(attends_causally(side, triangle(1, 1), "Add"));
    CHECK_FALSE(attends_causally(side, triangle(1, 0), "Add"));  // a query does not see itself
    CHECK_FALSE(attends_causally(side, triangle(0, 1), "Add"));
  }
}

TEST_CASE("a stored mask is told by its numbers, cut out and combined masks by what they are made of") {
  for (const bool causal : {true, false}) {
    CHECK(attends_causally(
              16,
              [&](ModelBuilder& m) {
                stored(m, 16, causal);
                m.node("Identity", {"bias"}, {"mask"});
              },
              "Where") == causal);
    CHECK(attends_causally(
              64,
              [&](ModelBuilder& m) {
                stored(m, 300, causal);  // 90,000 numbers: more than are kept
                m.constant("from", {0, 0}).constant("to", {64, 64}).constant("axes", {2, 3});
                m.node("Slice", {"bias", "from", "to", "axes"}, {"part"});
                m.input("padding", {1, 1, 1, 64}, onnx::TensorProto::BOOL);
                m.node("And", {"part", "padding"}, {"mask"});
              },
              "Where") == causal);
  }
}

TEST_CASE("rows and columns compared make a causal mask; a bias of distances does not") {
  const auto places = [](ModelBuilder& m) {
    m.constant("zero", {0}, true).constant("end", {16}, true).constant("one", {1}, true).constant("last", {1});
    m.node("Range", {"zero", "end", "one"}, {"keys"});
    m.node("Unsqueeze", {"keys", "last"}, {"queries"});
  };
  CHECK(attends_causally(
      16,
      [&](ModelBuilder& m) {
        places(m);
        m.node("LessOrEqual", {"keys", "queries"}, {"mask"});
      },
      "Where"));
  CHECK_FALSE(attends_causally(
      16,
      [&](ModelBuilder& m) {
        places(m);
        m.node("Sub", {"keys", "queries"}, {"distance"});
        m.node("Cast", {"distance"}, {"mask"}).integer("to", onnx::TensorProto::FLOAT);
      },
      "Add"));
}
