// Studies, comparisons and validation as the window shows them, against what the commands say.
#include <unistd.h>

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>

#include "core/text_file.hpp"
#include "gui/viewmodels/compare.hpp"
#include "gui/viewmodels/study_draft.hpp"
#include "gui/viewmodels/study_runner.hpp"
#include "gui/viewmodels/validation_rows.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/sweep.hpp"
#include "tests/gui/event_loop.hpp"

namespace tilewright::gui {
namespace {

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("study_models_test_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string at(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

TEST_CASE("answers side by side are the figures of each, and their differences") {
  Analyser analyser;
  const AnalysisPtr edge = analyser.analyse({"mobilenet_v2", "edge-systolic-16x16", {}});
  const AnalysisPtr gemmini = analyser.analyse({"mobilenet_v2", "gemmini-16x16", {}});
  CompareModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  model.show({edge, gemmini});
  REQUIRE(model.columnCount() == 7);
  const auto figure = [&](int row, int column) {
    return model.index(row, column).data(CompareModel::figure_role).toDouble();
  };
  CHECK(figure(0, 1) == edge->result.latency.value);
  CHECK(figure(0, 2) == edge->result.energy.total().value);
  CHECK(figure(0, 3) == gemmini->result.latency.value);
  CHECK(figure(0, 4) == gemmini->result.latency.value / edge->result.latency.value - 1);
  double sum = 0;
  for (int r = 1; r < model.rowCount(); ++r) sum += figure(r, 1);
  CHECK(sum == Approx(edge->result.latency.value).epsilon(1e-9));
}

TEST_CASE("a study run from the window holds what the command's store holds, and its front is not beaten") {
  const EventLoop loop;
  const Folder folder;
  const std::string file = folder.at("study.yaml");
  write_file(file,
             "study: small\nworkloads: [\"gemm:m=64,n=64,k=64\"]\nchips: [edge-systolic-16x16]\n"
             "vary:\n  chip.compute.rows: [4, 8, 16]\n  chip.levels.DRAM.bandwidth: [1 GB/s, 4 GB/s]\n");
  StudyRunner runner;
  QSignalSpy finished(&runner, &StudyRunner::finished);
  runner.start(QString::fromStdString(file), QString::fromStdString(folder.at("results")), 1);
  REQUIRE((finished.count() > 0 || finished.wait(30'000)));
  REQUIRE(finished.front().front().toBool());
  const auto results = study_results(store_file(folder.at("results"), {}));
  REQUIRE(results->size() == 6);
  REQUIRE(results->goals.size() == 2);

  const StudyRequest request = load_study(file);
  PointEvaluator evaluator(request);
  std::size_t front = 0;
  for (std::size_t p = 0; p < results->size(); ++p) {
    front += results->front[p] != 0;
    // The two axes that vary come first.
    const Position position{0, 0, static_cast<std::size_t>(results->values[0][p]),
                            static_cast<std::size_t>(results->values[1][p])};
    const PointResult again = evaluator.evaluate(point_at(request, position), Engine::analytical);
    for (std::size_t m = 0; m < study_metrics().size(); ++m) {
      const auto column = std::ranges::find(results->columns, study_metrics()[m].column, &StudyColumn::name);
      if (column == results->columns.end()) {
        REQUIRE(std::isnan(again.figures[m]));  // no point of this chip has it
      } else {
        REQUIRE(results->values[static_cast<std::size_t>(column - results->columns.begin())][p] == again.figures[m]);
      }
    }
    for (std::size_t q = 0; q < results->size() && results->front[p] != 0; ++q) {
      bool better = true;
      for (const std::size_t goal : results->goals)
        better = better && results->values[goal][q] < results->values[goal][p];
      REQUIRE_FALSE(better);
    }
  }
  REQUIRE(front > 0);
}

TEST_CASE("a study gives up its points at work when it is stopped, and goes on to the same results") {
  const EventLoop loop;
  const Folder folder;
  const std::string file = folder.at("study.yaml");
  // Each point searches the mappings of a network for a chip of its own.
  write_file(file,
             "study: stopped\nworkloads: [resnet18]\nchips: [edge-systolic-16x16]\n"
             "vary:\n  chip.levels.DRAM.bandwidth: {range: [1 GB/s, 12 GB/s], step: 1 GB/s}\n");
  const auto run = [&](const std::string& to, bool stop) {
    StudyRunner runner;
    QSignalSpy finished(&runner, &StudyRunner::finished);
    runner.start(QString::fromStdString(file), QString::fromStdString(folder.at(to)), 1);
    if (stop) runner.stop();  // while the first point is at work, or before
    REQUIRE((finished.count() > 0 || finished.wait(60'000)));
    return finished.front().front().toBool();
  };
  CHECK_FALSE(run("stopped", true));
  CHECK(study_results(store_file(folder.at("stopped"), {}))->size() < 12);
  CHECK(run("stopped", false));
  CHECK(run("whole", false));
  const auto stopped = study_results(store_file(folder.at("stopped"), {})),
             whole = study_results(store_file(folder.at("whole"), {}));
  REQUIRE(whole->size() == 12);
  CHECK(stopped->front == whole->front);
  for (const std::size_t goal : whole->goals) CHECK(stopped->values[goal] == whole->values[goal]);
}

TEST_CASE("a drafted study is read back with what was chosen, and keeps what was turned but not varied") {
  Project project{"mobilenet_v2", "edge-systolic-16x16", {}, Objective::latency, Engine::roofline, 1.5};
  project.change("chip.clock", "250 MHz");
  project.change("chip.compute.rows", "8");
  project.change("model.resolution", "160");
  StudyDraft draft{project, nullptr, "edge-systolic-16x16", {{"chip.compute.rows", "8, 16"}}, draft_goals()};
  const StudyRequest plain = parse_study(draft_text(draft), "draft");
  REQUIRE(plain.workloads == std::vector<std::string>{"mobilenet_v2"});
  REQUIRE(axis_keys(plain) == std::vector<std::string>{"chip.compute.rows", "chip.clock", "model.resolution"});
  REQUIRE(axis_sizes(plain) == std::vector<std::size_t>{1, 1, 2, 1, 1});
  REQUIRE(plain.goals.size() == draft_goals().size() - 1);  // one network has no accuracy to compare
  REQUIRE(plain.latency_slack == 1.5);
  REQUIRE(plain.engines == std::vector<Engine>{Engine::roofline});

  for (const ScoredSpace& space : scored_spaces()) {
    INFO(space.title);
    draft.space = &space;
    draft.chips = "edge-systolic-16x16, l4";
    draft.strategy = Strategy::random;
    draft.budget = 7;
    const StudyRequest joint = parse_study(draft_text(draft), "draft");
    REQUIRE(joint.architectures->codes.size() > 300);
    REQUIRE(joint.accuracy != nullptr);
    REQUIRE(joint.chips.size() == 2);
    REQUIRE(axis_keys(joint) == std::vector<std::string>{"arch", "chip.compute.rows", "chip.clock"});
    REQUIRE(joint.goals.size() == draft_goals().size());
    REQUIRE(joint.budget == 7);
  }
}

TEST_CASE("measured kernels are filtered, and the worst stands first") {
  ValidationModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  model.show({{"A100", "linear", "fp16", "gemm.csv", "m 1", 1e-3, 1.1e-3, "why"},
              {"A100", "softmax", "fp16", "vector.csv", "n 1", 2e-3, 1e-3, "why"},
              {"T4", "linear", "fp32", "gemm.csv", "m 2", 1e-3, 1e-3, "why"}});
  REQUIRE(model.rowCount() == 3);
  CHECK(model.shown().front()->op == "softmax");  // off by a factor of two
  CHECK(model.mean_error_pct() == Approx(20));    // 10, 50, 0
  CHECK(model.devices() == std::vector<std::string>{"A100", "T4"});
  model.filter("A100", "linear");
  REQUIRE(model.rowCount() == 1);
  CHECK(model.index(0, 6).data().toString() == "+10 %");
  model.filter("T4", "softmax");
  CHECK(model.rowCount() == 0);
  CHECK(model.mean_error_pct() == 0);
}

}  // namespace
}  // namespace tilewright::gui
