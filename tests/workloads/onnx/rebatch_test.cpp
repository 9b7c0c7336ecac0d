// law: a graph of batch 2 taken to batch 6 is the graph that is exported with batch 6.
#include <catch2/catch.hpp>

#include <functional>

#include "core/diagnostics.hpp"
#include "tests/workloads/onnx/model_builder.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright::test {
namespace {

/// Tensor shapes, peak and MACs agree with those of a model that is built for the other batch.
void same_as_exported(const std::function<void(ModelBuilder&, std::int64_t)>& make) {
  const auto at_batch = [&](std::int64_t batch) {
    ModelBuilder m;
    make(m, batch);
    m.output("y");
    return m.import();
  };
  const WorkloadGraph changed = set_batch(at_batch(2), 6), exported = at_batch(6);
  CHECK(changed.batch == 6);
  CHECK(total_macs(changed) == total_macs(exported));
  CHECK(peak_activation_bytes(changed) == peak_activation_bytes(exported));
  REQUIRE(changed.tensors.size() == exported.tensors.size());
  for (std::size_t i = 0; i < changed.tensors.size(); ++i) {
    INFO(changed.tensors[i].name);
    CHECK(changed.tensors[i].shape == exported.tensors[i].shape);
  }
  const auto groups = merge_repeats(changed), expected = merge_repeats(exported);
  CHECK(groups.size() == expected.size());
}

}  // namespace

TEST_CASE("attention with time in front and heads merged behind the batch is followed") {
  same_as_exported([](ModelBuilder& m, std::int64_t b) {  // 7 steps of width 32 in 4 heads of 8, as PyTorch writes it
    m.input("x", {b, 7, 32}).weight("w", {32, 32}).constant("heads", {7, 4 * b, 8}).constant("flat", {7 * b, 32});
    m.constant("back", {7, b, 32});
    m.node("Transpose", {"x"}, {"t"}).integers("perm", {1, 0, 2});
    m.node("MatMul", {"t", "w"}, {"p"});
    m.node("Reshape", {"p", "heads"}, {"h"});
    m.node("Transpose", {"h"}, {"q"}).integers("perm", {1, 0, 2});
    m.node("Transpose", {"h"}, {"k"}).integers("perm", {1, 2, 0});
    m.node("MatMul", {"q", "k"}, {"s"});
    m.node("Softmax", {"s"}, {"a"}).integer("axis", -1);
    m.node("MatMul", {"a", "q"}, {"c"});
    m.node("Transpose", {"c"}, {"ct"}).integers("perm", {1, 0, 2});
    m.node("Reshape", {"ct", "flat"}, {"f"});
    m.node("Gemm", {"f", "w"}, {"o"});
    m.node("Reshape", {"o", "back"}, {"r"});
    m.node("Transpose", {"r"}, {"u"}).integers("perm", {1, 0, 2});
    m.node("Add", {"x", "u"}, {"y"});
  });
}

TEST_CASE(
    "windows, reductions, gathers and recurrent layers are followed where other axes have the size of the batch") {
  same_as_exported([](ModelBuilder& m, std::int64_t b) {  // 2 x 2 windows of 2 channels, Swin's partition
    m.input("x", {b, 4, 4, 2}).constant("cut", {b, 2, 2, 2, 2, 2}).constant("windows", {b * 4, 4, 2});
    m.node("Reshape", {"x", "cut"}, {"c"});
    m.node("Transpose", {"c"}, {"t"}).integers("perm", {0, 1, 3, 2, 4, 5});
    m.node("Reshape", {"t", "windows"}, {"w"});
    m.node("ReduceMean", {"w"}, {"y"}).integers("axes", {1}).integer("keepdims", 0);
  });
  same_as_exported([](ModelBuilder& m, std::int64_t b) {
    m.input("x", {5, b, 3}).weight("w", {1, 8, 3}).weight("r", {1, 8, 2}).constant("last", {-1}, true);
    m.constant("s", {1});
    m.node("LSTM", {"x", "w", "r"}, {"h"}).integer("hidden_size", 2);
    m.node("Squeeze", {"h", "s"}, {"q"});
    m.node("Transpose", {"q"}, {"t"}).integers("perm", {1, 0, 2});
    m.node("Gather", {"t", "last"}, {"y"}).integer("axis", 1);
  });
  same_as_exported([](ModelBuilder& m, std::int64_t b) {
    m.input("x", {b, 2, 3}).weight("w", {3, 5});
    m.node("Einsum", {"x", "w"}, {"e"}).text("equation", "bij,jk->kib");
    m.node("Relu", {"e"}, {"y"});
  });
}

TEST_CASE("a layer that takes one sample out of the batch is an error that names it") {
  ModelBuilder m;
  m.input("x", {2, 3, 4}).constant("first", {0}, true).output("y");
  m.node("Gather", {"x", "first"}, {"g"}).integer("axis", 0);
  m.node("Relu", {"g"}, {"y"});
  CHECK_THROWS_WITH(set_batch(m.import(), 6), Catch::Contains("Gather_g") && Catch::Contains("batch (2)"));
}

}  // namespace tilewright::test
