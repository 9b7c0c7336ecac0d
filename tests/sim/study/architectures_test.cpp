// The model side of a study: spaces, architectures, accuracy, baseline.
#include "sim/study/architectures.hpp"

#include <catch2/catch.hpp>

#include "sim/study/point.hpp"
#include "sim/study/request.hpp"
#include "tests/core/message_of.hpp"

using namespace tilewright;

namespace {

const std::string head = "study: s\nspace: nasbench-macro\nchips: [edge-systolic-16x16]\n";
const std::string scores = "accuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}\n";

std::string error(const std::string& text) {
  return message_of([&] { parse_study(text, "study.yaml"); });
}

}  // namespace

TEST_CASE("a space gives an axis of architectures: all, the scored ones, a list or a sample") {
  REQUIRE(axis_sizes(parse_study(head, "s.yaml")) == std::vector<std::size_t>{1, 1, 6561});
  REQUIRE(axis_sizes(parse_study(head + scores, "s.yaml"))[2] == 6561);
  REQUIRE(axis_sizes(parse_study(head + "architectures: {sample: 10}\n", "s.yaml"))[2] == 10);
  const StudyRequest request =
      parse_study(head + "architectures: ['00000001', '21000000']\nvary: {model.batch: [1, 2]}\n", "s.yaml");
  REQUIRE(axis_sizes(request) == std::vector<std::size_t>{1, 1, 2, 2});
  REQUIRE(axis_keys(request) == std::vector<std::string>{"arch", "model.batch"});
  REQUIRE(point_at(request, {0, 0, 1, 0}).values.front() == "21000000");
  REQUIRE(parse_study("study: s\nspace: seqnas\nchips: [eyeriss]\narchitectures: {sample: 3}\n", "s.yaml")
              .architectures->codes.size() == 3);
}

TEST_CASE("what a space cannot give is an error with the way out") {
  REQUIRE(error("study: s\nspace: seqnas\nchips: [eyeriss]\n").find("{sample: 10000}") != std::string::npos);
  REQUIRE(error(head + "architectures: ['3']\n").find("is no code of nasbench-macro; one is 00000000") !=
          std::string::npos);
  REQUIRE(error(head + "architectures: scored\n").find("no table") != std::string::npos);
  REQUIRE(error(head + "workloads: [resnet18]\n").find("workloads") != std::string::npos);
  REQUIRE(error(head + scores + "search: {strategy: annealing, budget: 10}\n").find("use nsga2 or moead") !=
          std::string::npos);
  REQUIRE(error(head + scores + "baseline: {chip: edge-systolic-16x16}\n").find("says nothing of arch") !=
          std::string::npos);
  REQUIRE(error(head + scores + "baseline: {arch: '3'}\n").find("none of the 6561 values") != std::string::npos);
  REQUIRE(error(head + scores + "baseline: {ach: '3'}\n").find("Did you mean 'arch'?") != std::string::npos);
  REQUIRE(error(head + "serving: {rnt: 5 USD}\n").find("Did you mean 'rent'?") != std::string::npos);
  REQUIRE(
      error("study: s\nworkloads: [resnet18]\nchips: [eyeriss]\nvary: {model.sparsity: [1.5]}\n").find("such as 2:4") !=
      std::string::npos);
}

TEST_CASE("a proposal that is not listed means the listed architecture that differs in the fewest choices") {
  const StudyRequest request = parse_study(head + "architectures: ['00000000', '22222222']\n", "s.yaml");
  const SearchSpace& space = request.architectures->space;
  REQUIRE(nearest(*request.architectures, *architecture_of(space, "22220000")) == 0);  // four choices each: the first
  REQUIRE(nearest(*request.architectures, *architecture_of(space, "22222001")) == 1);
  REQUIRE(nearest(*request.architectures, *architecture_of(space, "22222222")) == 1);
  REQUIRE(nearest(*request.architectures, *architecture_of(space, "22222222"), [](std::size_t i) { return i != 1; }) ==
          0);
  REQUIRE(nearest(*request.architectures, *architecture_of(space, "22222222"), [](std::size_t) { return false; }) == 1);
}

TEST_CASE("accuracy, serving and per-layer axes decide a point's identity and reach its network") {
  const std::string one = head + "architectures: ['00000001']\n";
  const StudyRequest plain = parse_study(one, "s.yaml"), scored = parse_study(one + scores, "s.yaml");
  const StudyRequest sparse =
      parse_study(one + "vary: {model.precision.stem: [int8], model.sparsity.last: ['2:4']}\n", "s.yaml");
  PointEvaluator a(plain), b(scored), c(sparse);
  const StudyPoint point = point_at(plain, {0, 0, 0});
  REQUIRE(a.identity(point, Engine::analytical) != b.identity(point, Engine::analytical));
  const NetworkEvaluation network = c.network_of(point_at(sparse, {0, 0, 0, 0, 0}), Engine::roofline);
  REQUIRE(network.failure.empty());
  for (const LayerEvaluation& layer : network.layers) {
    const Problem& problem = layer.kernels.front().first.problem;
    for (const Operand& operand : problem.operands) {
      if (operand.role != Role::weight) continue;
      if (layer.name == "stem") REQUIRE(operand.type == DataType::int8);
      REQUIRE(operand.density == (layer.name == "last" ? 0.5 : 1.0));
    }
  }
}
