#include "workloads/lowering.hpp"

#include <catch2/catch.hpp>

#include <random>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {

/// A graph with one layer: input 0 (fp16), weight 1 (int8), activation 2, result 3; `second` is the second operand.
struct Single {
  WorkloadGraph graph;
  explicit Single(Operator work, TensorId second = 1) {
    graph.tensors = {{"x", {4}, DataType::fp16, TensorKind::input},
                     {"w", {4}, DataType::int8, TensorKind::weight, 0.5},
                     {"y", {4}, DataType::fp16, TensorKind::activation},
                     {"r", {24}, DataType::fp32, TensorKind::activation}};
    graph.layers = {{"layer", "Op", std::move(work), {0, second}, {3}, {}}};
  }
  std::vector<Kernel> kernels() const { return lower(graph, graph.layers[0]); }
};

std::string dims(const Problem& problem) {
  std::string result;
  for (const Dim& dim : problem.dims) result += dim.name + std::to_string(dim.bound) + " ";
  return result;
}

std::vector<std::int64_t> words(const Problem& problem) {
  std::vector<std::int64_t> result;
  for (const Operand& operand : problem.operands) result.push_back(tensor_words(problem, operand));
  return result;
}

std::int64_t lowered_macs(const std::vector<Kernel>& kernels) {
  std::int64_t result = 0;
  for (const Kernel& kernel : kernels) {
    if (kernel.problem.compute == Compute::mac) result += kernel.problem.points() * kernel.repeat;
  }
  return result;
}

}  // namespace

TEST_CASE("a grouped strided convolution becomes one problem with the sizes of its tensors") {
  // 2 groups of 3 -> 4 channels, rows: 5 results, stride 2, kernel 3: 4 x 2 + 3 = 11 rows; columns: 4 + (2-1) x 2 = 6.
  const auto kernels = Single(Conv{2, 2, 6, 8, {{11, 5, 3, 2, 1}, {6, 4, 2, 1, 2}}}).kernels();
  REQUIRE(kernels.size() == 1);
  const Problem& p = kernels[0].problem;
  CHECK(dims(p) == "N2 G2 K4 C3 P5 Q4 R3 S2 ");
  CHECK(words(p) == std::vector<std::int64_t>{2 * 6 * 11 * 6, 8 * 3 * 3 * 2, 2 * 8 * 5 * 4});
  CHECK(p.operands[1].name == "weights");
  CHECK(p.operands[1].type == DataType::int8);
  CHECK(p.operands[1].density == 0.5);
  CHECK(p.operands[0].type == DataType::fp16);
  CHECK(p.operands[2].type == DataType::fp32);
}

TEST_CASE("windows of one and three axes use Q and Z P Q") {
  CHECK(dims(Single(Conv{1, 1, 2, 3, {{8, 6, 3, 1, 1}}}).kernels()[0].problem) == "N1 K3 C2 Q6 S3 ");
  const Window w{4, 2, 3, 1, 1};
  CHECK(dims(Single(Conv{1, 1, 2, 3, {w, w, w}}).kernels()[0].problem) == "N1 K3 C2 Z2 P2 Q2 T3 R3 S3 ");
  CHECK_THROWS_AS(Single(Conv{1, 1, 2, 3, {w, w, w, w}}).kernels(), InputError);
}

TEST_CASE("a transposed convolution iterates over its input") {
  // 5 inputs, stride 2, kernel 3: (5-1) x 2 + 3 = 11 results.
  const Problem p = Single(ConvTranspose{1, 1, 2, 3, {{5, 11, 3, 2, 1}}}).kernels()[0].problem;
  CHECK(words(p) == std::vector<std::int64_t>{2 * 5, 2 * 3 * 3, 3 * 11});
}

TEST_CASE("the batch of one factor joins its rows, and factors are named by what they are") {
  const MatMul product{{{2, true, true}, {3, true, false}, {5, true, true}}, 4, 6, 7};
  const Problem weighted = Single(product).kernels()[0].problem;
  CHECK(dims(weighted) == "B10 M12 N6 K7 ");
  CHECK(weighted.operands[0].name == "inputs");
  CHECK(weighted.operands[1].role == Role::weight);
  const Problem activations = Single(product, 2).kernels()[0].problem;
  CHECK(activations.operands[0].name == "inputs_a");
  CHECK(activations.operands[1].name == "inputs_b");
  CHECK(words(activations) == std::vector<std::int64_t>{10 * 12 * 7, 10 * 7 * 6, 10 * 12 * 6});
}

TEST_CASE("a view of a weight is a weight") {
  Single single(MatMul{{}, 4, 6, 7}, 2);
  single.graph.tensors[2].alias_of = 1;
  CHECK(single.kernels()[0].problem.operands[1].name == "weights");
}

TEST_CASE("grouped attention reads each key and value head once and keeps the scores on chip") {
  // Batch 2, 8 heads on 2 key/value heads (groups of 4), 3 queries, 5 keys, width 16.
  const auto kernels = Single(Attention{2, 8, 2, 3, 5, 16, false}, 2).kernels();
  REQUIRE(kernels.size() == 3);
  CHECK(dims(kernels[0].problem) == "B4 M12 N5 K16 ");
  CHECK(words(kernels[0].problem)[1] == 2 * 2 * 5 * 16);
  CHECK(kernels[0].problem.operands.back().on_chip);
  CHECK(kernels[1].fused);
  CHECK(kernels[1].problem.points() == 2 * 8 * 3 * 5);
  CHECK(dims(kernels[2].problem) == "B4 M12 N16 K5 ");
  CHECK(kernels[2].problem.operands[0].on_chip);
  CHECK(words(kernels[2].problem)[2] == 2 * 8 * 3 * 16);
}

TEST_CASE("a recurrent layer repeats its state product and its gates for every step") {
  const auto kernels = Single(Recurrent{Cell::lstm, 7, 2, 3, 4, 2}).kernels();
  REQUIRE(kernels.size() == 3);
  CHECK(dims(kernels[0].problem) == "M14 N32 K3 ");
  CHECK(dims(kernels[1].problem) == "B2 M2 N16 K4 ");
  CHECK(kernels[1].repeat == 7);
  CHECK(kernels[2].repeat == 7);
  CHECK(kernels[2].fused);
  CHECK(words(kernels[2].problem) == std::vector<std::int64_t>{2 * 2 * 4 * 4, 2 * 2 * 4});
}

TEST_CASE("neighbouring axes of the same operands are merged in element-wise work") {
  // [2, 3, 4, 1] with an operand that lacks the first axis: dims 2 and 12.
  const Elementwise add{{2, 3, 4, 1}, {{true, true, true, true}, {false, true, true, false}}, 1};
  const Problem p = Single(add, 2).kernels()[0].problem;
  CHECK(dims(p) == "E02 E112 ");
  CHECK(words(p) == std::vector<std::int64_t>{24, 12, 24});
}

TEST_CASE("vector work keeps its operations and its traffic") {
  const Problem softmax = Single(RowWise{6, 10, 2, 5}, 2).kernels()[0].problem;
  CHECK(dims(softmax) == "R6 T2 C10 ");
  CHECK(static_cast<double>(softmax.points()) * softmax.ops_per_point == 6 * 10 * 5);
  const Problem norm = Single(RowWise{6, 4, 2, 5}).kernels()[0].problem;  // the weight has one element per column
  CHECK(words(norm) == std::vector<std::int64_t>{24, 4, 24});
  const Problem resize = Single(Resize{6, 24, 4}, 2).kernels()[0].problem;
  CHECK(words(resize) == std::vector<std::int64_t>{6, 24});
  const auto uneven = Single(Resize{6, 8, 4}, 2).kernels();
  REQUIRE(uneven.size() == 2);
  CHECK(words(uneven[0].problem)[0] == 6);
  CHECK(words(uneven[1].problem) == std::vector<std::int64_t>{8});
  CHECK(words(Single(Gather{5, 8, 1000}).kernels()[0].problem) == std::vector<std::int64_t>{40, 5, 40});
  CHECK(words(Single(Pool{1, 3, {{4, 2, 2, 2, 1}}}, 2).kernels()[0].problem) == std::vector<std::int64_t>{12, 6});
}

TEST_CASE("epilogues are fused kernels that read only their extra elements") {
  Single single(MatMul{{}, 4, 6, 7});  // 24 results
  single.graph.layers[0].epilogues = {{"Add", 1, 6}, {"Relu", 1, 0}};
  const auto kernels = single.kernels();
  REQUIRE(kernels.size() == 3);
  CHECK(kernels[1].fused);
  CHECK(kernels[1].problem.points() == 24);
  CHECK(words(kernels[1].problem) == std::vector<std::int64_t>{6, 1});
  CHECK(kernels[2].problem.points() == 24);
  CHECK(words(kernels[2].problem) == std::vector<std::int64_t>{1});
  CHECK(kernels[2].problem.operands[0].on_chip);
}

TEST_CASE("lowering keeps the multiply-accumulates of random layers of every kind") {
  std::mt19937 random(3);
  const auto draw = [&](std::int64_t high) { return std::uniform_int_distribution<std::int64_t>(1, high)(random); };
  for (int round = 0; round < 200; ++round) {
    const std::int64_t groups = draw(4);
    std::vector<Window> axes;
    for (std::int64_t i = draw(3); i > 0; --i) axes.push_back({draw(9), draw(9), draw(3), draw(3), draw(2)});
    std::vector<Operator> works{
        Conv{draw(3), groups, groups * draw(5), groups * draw(5), axes},
        ConvTranspose{draw(3), groups, groups * draw(5), groups * draw(5), axes},
        MatMul{
            {{draw(4), draw(2) == 1, draw(2) == 1}, {draw(4), draw(2) == 1, draw(2) == 1}}, draw(9), draw(9), draw(9)},
        Einsum{{{"a", draw(4)}, {"b", draw(4)}, {"c", draw(4)}, {"d", draw(4)}, {"e", draw(4)}},
               {"a", "b", "c", "d"},
               {"a", "c", "e"},
               {"a", "b", "e"}},
        Recurrent{static_cast<Cell>(draw(3) - 1), draw(5), draw(5), draw(5), draw(5), draw(2)},
        Attention{draw(3), groups * draw(3), groups, draw(6), draw(6), draw(6), draw(2) == 1},
        Pool{draw(3), draw(3), axes},
        Reduce{draw(9), draw(9), 1}};
    for (const Operator& work : works) {
      const Single single(work);
      CHECK(lowered_macs(single.kernels()) == macs(single.graph.layers[0]));
    }
  }
}

TEST_CASE("sizes that do not fit are errors that name the layer") {
  CHECK_THROWS_WITH(Single(Conv{1, 2, 3, 4, {}}).kernels(), Catch::Contains("layer"));
  CHECK_THROWS_WITH(Single(Attention{1, 5, 2, 3, 3, 3, false}).kernels(), Catch::Contains("5 heads"));
  CHECK_THROWS_AS(Single(MatMul{{}, 0, 2, 2}).kernels(), InputError);
  CHECK_THROWS_WITH(Single(MatMul{{}, std::int64_t{1} << 62, 2, 2}).kernels(), Catch::Contains("leave 64 bits"));
  CHECK_THROWS_AS(Single(Einsum{{{"i", 2}}, {"i"}, {"j"}, {"i"}}).kernels(), InputError);
}
