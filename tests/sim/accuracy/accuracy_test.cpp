#include "sim/accuracy/accuracy.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "core/csv.hpp"
#include "sim/accuracy/candidate.hpp"
#include "tests/core/message_of.hpp"

using namespace tilewright;

namespace {

struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / fmt::format("tilewright-accuracy-{}", getpid());
  Folder() { std::filesystem::create_directories(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(path / name) << text; }
};

AccuracySource source(const Folder& folder, const std::string& yaml, const SearchSpace* space = nullptr) {
  return {read_accuracy(parse_yaml(yaml, "study.yaml"), folder.path.string()), space};
}

}  // namespace

TEST_CASE("A user's table gives the mean of the rows that fit, by any coordinates of a point") {
  const Folder folder;
  folder.write("mine.csv", "model,format,epochs,top1\na,int8,5,70\na,int8,25,74\na,int8,25,76\na,fp16,25,80\n");
  const AccuracySource mine = source(folder,
                                     "{table: mine.csv, score: top1, where: {epochs: 25}, match: {workload: model, "
                                     "model.precision: format}}");
  REQUIRE(mine.of({{"workload", "a"}, {"model.precision", "int8"}}).value == 75);
  REQUIRE(mine.of({{"workload", "a"}, {"model.precision", "fp16"}}).value == 80);
  REQUIRE_FALSE(mine.of({{"workload", "a"}, {"model.precision", "fp16"}}).predicted);
  REQUIRE(message_of([&] {
            mine.of({{"workload", "b"}, {"model.precision", "fp16"}});
          }).find("no score for b, fp16") != std::string::npos);
  REQUIRE(message_of([&] {
            mine.of({{"workload", "a"}});
          }).find("unknown coordinate of a point 'model.precision'") != std::string::npos);
}

TEST_CASE("A wrong table, column or filter is an error that names the nearest") {
  const Folder folder;
  folder.write("mine.csv", "arch,top1\na,70\n");
  const auto error = [&](const std::string& yaml) { return message_of([&] { source(folder, yaml); }); };
  REQUIRE(error("{table: mine.cvs, score: top1}").find("unknown table") != std::string::npos);
  REQUIRE(error("{table: mine.csv, score: top}").find("top1") != std::string::npos);
  REQUIRE(error("{table: mine.csv, score: top1, where: {arch: b}}").find("no row") != std::string::npos);
  REQUIRE(error("{table: mine.csv, score: top1, predict: ridge}").find("needs a space") != std::string::npos);
}

TEST_CASE("A command runs once for each candidate, and its cache outlives the process") {
  const Folder folder;
  folder.write("train.sh", "echo run >> \"$(dirname \"$0\")/runs\"\necho training\necho \"0.$2\"\n");
  const std::string yaml = fmt::format("{{command: [sh, {}, train, '{{model.width}}'], limit: 20 s, cache: cache.csv}}",
                                       (folder.path / "train.sh").string());
  const auto runs = [&] {
    std::ifstream in(folder.path / "runs");
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  {
    const AccuracySource mine = source(folder, yaml);
    REQUIRE(mine.of({{"model.width", "75"}}).value == 0.75);
    REQUIRE(mine.of({{"model.width", "75"}}).value == 0.75);
    REQUIRE(mine.of({{"model.width", "50"}}).value == 0.5);
    REQUIRE(runs() == 2);
  }
  REQUIRE(source(folder, yaml).of({{"model.width", "50"}}).value == 0.5);
  REQUIRE(runs() == 2);
}

TEST_CASE("A command that failed is not run again for the same candidate by the same process, and is not cached") {
  const Folder folder;
  folder.write("train.sh", "echo run >> \"$(dirname \"$0\")/runs\"\nexit 3\n");
  const std::string yaml = fmt::format("{{command: [sh, {}, '{{arch}}'], limit: 20 s, cache: cache.csv}}",
                                       (folder.path / "train.sh").string());
  const auto runs = [&] {
    std::ifstream in(folder.path / "runs");
    return std::count(std::istreambuf_iterator<char>(in), {}, '\n');
  };
  const auto error = [&](const AccuracySource& mine, const std::string& arch) {
    return message_of([&] { mine.of({{"arch", arch}}); });
  };
  {
    const AccuracySource mine = source(folder, yaml);
    const std::string first = error(mine, "a");
    REQUIRE(first.find("code 3") != std::string::npos);
    REQUIRE(error(mine, "a") == first);  // on another chip, say
    REQUIRE(runs() == 1);
    REQUIRE(error(mine, "b").find("code 3") != std::string::npos);
    REQUIRE(runs() == 2);
  }
  REQUIRE(error(source(folder, yaml), "a").find("code 3") != std::string::npos);
  REQUIRE(runs() == 3);
}

TEST_CASE("A command that fails, prints no number or takes too long is an error, and is killed with its children") {
  const auto error = [](std::vector<std::string> command, double limit) {
    return message_of([&] { run_candidate(command, Seconds{limit}); });
  };
  REQUIRE(run_candidate({"sh", "-c", "echo 1; echo 0.25"}, Seconds{20}) == 0.25);
  REQUIRE(error({"sh", "-c", "exit 3"}, 20).find("code 3") != std::string::npos);
  REQUIRE(error({"echo", "good"}, 20).find("'good' is not a number") != std::string::npos);
  REQUIRE(error({"/nowhere/train"}, 20).find("cannot be started") != std::string::npos);
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(error({"sh", "-c", "sleep 600 & sleep 600"}, 0.2).find("longer than 0.2 s") != std::string::npos);
  REQUIRE(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}

TEST_CASE("Predictors learn the real scores of NAS-Bench-Macro from 400 networks and say how well") {
  const Folder folder;
  const SearchSpace space = load_space("nasbench-macro");
  const CsvTable all =
      read_csv(std::string(TILEWRIGHT_SOURCE_DIR) + "/workloads/spaces/scores/nasbench_macro_cifar10.csv");
  std::string text = "arch,top1\n";
  for (std::size_t r = 0; r < all.rows.size(); r += 16)
    text += fmt::format("{},{}\n", all.text(all.rows[r], 0), all.text(all.rows[r], 1));
  folder.write("part.csv", text);
  for (const std::string predictor : {"ridge", "gaussian_process"}) {
    CAPTURE(predictor);
    const AccuracySource mine = source(folder, "{table: part.csv, score: top1, predict: " + predictor + "}", &space);
    const PredictionError error = *mine.prediction_error();
    REQUIRE(error.rows == 400);
    REQUIRE(error.spearman > 0.8);
    double squares = 0;
    int count = 0;
    for (std::size_t r = 8; r < all.rows.size(); r += 160) {  // rows that were not fitted
      const AccuracyFigure figure = mine.of({{"arch", all.text(all.rows[r], 0)}});
      REQUIRE(figure.predicted);
      squares += std::pow(figure.value - all.number(all.rows[r], 1), 2);
      ++count;
    }
    // The cross-validated error is what unseen rows show, within the spread of a sample of 41.
    REQUIRE(std::sqrt(squares / count) < 2 * error.rmse);
    REQUIRE_FALSE(mine.of({{"arch", all.text(all.rows[0], 0)}}).predicted);  // a scored one stays measured
  }
}
