// Studies: what a file asks for, and that nothing changes or loses a result.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "arch_models/load.hpp"
#include "sim/network/network.hpp"
#include "sim/study/ladder.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/surrogate.hpp"
#include "sim/study/sweep.hpp"
#include "sim/study/table.hpp"
#include "workloads/onnx/load.hpp"

namespace {

using namespace tilewright;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// A folder that goes with the test.
struct Folder {
  std::string path;
  explicit Folder(const std::string& name)
      : path((fs::temp_directory_path() / fmt::format("tilewright-{}-{}", name, getpid())).string()) {
    fs::remove_all(path);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
};

const std::string small_study = R"(
study: small
workloads: ["gemm:m=64,n=32,k=16", "gemm:m=8,n=8,k=8"]
chips: [edge-systolic-16x16]
vary:
  chip.compute.rows: [4, 8]
  chip.levels.DRAM.bandwidth: {log_range: [1 GB/s, 16 GB/s], points: 5}
  model.precision: [int8, fp16]
constraints: ["latency <= 1 ms"]
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

StudyRequest study(const std::string& text) { return parse_study(text, "study.yaml"); }

std::string table(const StudyStore& store) {
  std::string text;
  write_table(store, TableFormat::csv, [&text](std::string_view part) { text += part; });
  return text;
}

SweepProgress sweep(const StudyRequest& request, const std::string& folder, int jobs = 1, Shard shard = {},
                    std::function<void(const SweepProgress&)> progress = {}, const std::atomic<bool>* stop = nullptr) {
  PointEvaluator evaluator(request);
  StudyStore store = StudyStore::open(folder, request, evaluator.inputs(), shard);
  SweepOptions options;
  options.jobs = jobs;
  options.shard = shard;
  options.progress = std::move(progress);
  options.stop = stop;
  return run_sweep(request, evaluator, store, options);
}

}  // namespace

TEST_CASE("a study's grid is workloads x chips x axes, zipped axes once") {
  const StudyRequest request = study(R"(
study: grid
workloads: [resnet18]
chips: [eyeriss, tpu-v1]
vary:
  chip.compute.rows: [8, 16, 32]
  chip.clock: {range: [100 MHz, 300 MHz], step: 100 MHz}
  model.batch: [1, 4]
zip: [[chip.compute.rows, chip.clock]]
)");
  CHECK(axis_sizes(request) == std::vector<std::size_t>{1, 2, 3, 2});
  REQUIRE(PointList(request).size() == 2 * 3 * 2);
  CHECK(axis_keys(request) == std::vector<std::string>{"chip.compute.rows", "chip.clock", "model.batch"});
  CHECK(point_at(request, {0, 0, 0, 0}).values == std::vector<std::string>{"8", "100 MHz", "1"});
  CHECK(point_at(request, {0, 1, 1, 1}).values == std::vector<std::string>{"16", "200 MHz", "4"});
  CHECK(point_at(request, {0, 1, 0, 0}).chip == "tpu-v1");
}

TEST_CASE("ranges keep their unit, sizes of different units become bytes, and logarithmic ends are exact") {
  const auto values = [](const std::string& axis) {
    return study("study: s\nworkloads: [resnet18]\nchips: [eyeriss]\nvary: {chip.x: " + axis + "}\n").axes[0][0].values;
  };
  CHECK(values("{range: [2, 8], step: 3}") == std::vector<std::string>{"2", "5", "8"});
  CHECK(values("{log_range: [64 KiB, 1 MiB], points: 5}") ==
        std::vector<std::string>{"65536 B", "131072 B", "262144 B", "524288 B", "1048576 B"});
  CHECK(values("{log_range: [1, 2], points: 9}") == std::vector<std::string>{"1", "2"});  // rounded values once
}

TEST_CASE("a study file that asks for nonsense is refused at its place") {
  const auto error = [](const std::string& from, const std::string& to) {
    std::string text = small_study;
    text.replace(text.find(from), from.size(), to);
    try {
      study(text);
    } catch (const InputError& e) { return std::string(e.what()); }
    return std::string("accepted");
  };
  CHECK_THAT(error("constraints", "constraint"), Contains("study.yaml:9") && Contains("'constraints'"));
  CHECK_THAT(error("latency <=", "latencie <="), Contains("Did you mean 'latency'"));
  CHECK_THAT(error("1 ms", "1"), Contains("no unit"));
  CHECK_THAT(error("<= 1 ms", "< 1 ms"), Contains("METRIC <= LIMIT"));
  CHECK_THAT(error("chip.compute.rows", "compute.rows"), Contains("begins with 'chip.'"));
  CHECK_THAT(error("[4, 8]", "[]"), Contains("empty"));
  CHECK_THAT(error("[4, 8]", "[4, 4]"), Contains("twice"));
  CHECK_THAT(error("int8, fp16", "int8, fp166"), Contains("Did you mean 'fp16'"));
  CHECK_THAT(error("[1 GB/s, 16 GB/s]", "[0 GB/s, 16 GB/s]"), Contains("above zero"));
  CHECK_THAT(error("points: 5", "points: 1"), Contains("points"));
}

TEST_CASE("a point's figures are those of the same run on the changed chip") {
  const StudyRequest request = study(small_study);
  PointEvaluator evaluator(request);
  const StudyPoint point = point_at(request, {0, 0, 1, 1, 1});
  REQUIRE(point.values == std::vector<std::string>{"8", "2 GB/s", "fp16"});
  const PointResult result = evaluator.evaluate(point, Engine::analytical);
  REQUIRE(result.status == PointStatus::done);

  Chip chip = load_chip("edge-systolic-16x16");
  const Place here{"test", 0, 0, ""};
  chip = read_chip(with_overrides(chip_document("edge-systolic-16x16"),
                                  {{"compute.rows", "8", here}, {"levels.DRAM.bandwidth", "2 GB/s", here}}));
  WorkloadRequest workload;
  workload.workload = point.workload;
  workload.precision = precision_from("fp16");
  NetworkOptions options;
  options.precision_given = true;
  const NetworkEvaluation expected = evaluate_network(prepare_workload(workload), chip, options);
  CHECK(result.figures[0] == expected.latency.value);
  CHECK(result.figures[1] == expected.energy.total().value);
}

TEST_CASE("a bad point is a row with its reason and stops nothing") {
  const StudyRequest request = study(R"(
study: bad
workloads: ["gemm:m=8,n=8,k=8"]
chips: [edge-systolic-16x16]
vary:
  chip.compute.rows: [0, 8, many]
  chip.levels.Scratchpad.capacity: [0 B, 64 KiB]
)");
  const Folder folder("bad");
  const SweepProgress end = sweep(request, folder.path);
  CHECK(end.stored == 6);
  CHECK(end.by_status[static_cast<int>(PointStatus::failed)] == 5);
  CHECK(end.by_status[static_cast<int>(PointStatus::done)] == 1);
  CHECK_THAT(table(StudyStore::read(store_file(folder.path, {}))),
             Contains("study.yaml:6") && Contains("compute.rows"));
}

TEST_CASE("threads, shards and interruptions leave the same table") {
  // Longer than a batch of the store, which is 1,024 points or what a tenth of a second brings.
#ifdef __SANITIZE_ADDRESS__
  constexpr int bandwidths = 60;
#else
  constexpr int bandwidths = 300;
#endif
  constexpr std::int64_t points = 8 * bandwidths;
  const StudyRequest request = study(with(small_study, "points: 5", fmt::format("points: {}", bandwidths)));
  const Folder plain("plain"), threads("threads"), shards("shards"), stopped("stopped");
  sweep(request, plain.path);
  const std::string expected = table(StudyStore::read(store_file(plain.path, {})));
  REQUIRE(std::count(expected.begin(), expected.end(), '\n') == 1 + points);

  sweep(request, threads.path, 3);
  CHECK(table(StudyStore::read(store_file(threads.path, {}))) == expected);

  for (int part = 1; part <= 3; ++part) sweep(request, shards.path, 1, {part, 3});
  CHECK(merge_shards(shards.path) == points);
  CHECK(table(StudyStore::read(store_file(shards.path, {}))) == expected);

  constexpr int interruptions = 3;
  std::int64_t stored = 0;
  for (int run = 0; run < interruptions && stored < points; ++run) {
    std::atomic<bool> stop{false};
    const std::int64_t before = stored;
    stored = sweep(
                 request, stopped.path, 2, {}, [&](const SweepProgress&) { stop = true; }, &stop)
                 .stored;
    CHECK(stored > before);
    if (run == 0) CHECK(stored < points);
  }
  sweep(request, stopped.path, 2);
  CHECK(table(StudyStore::read(store_file(stopped.path, {}))) == expected);
}

TEST_CASE("a study of simulations on several processes leaves the same table") {
  std::string text = small_study + "engine: systemc\n";
  text.replace(text.find("[4, 8]"), 6, "[4, nonsense]");
  const StudyRequest request = study(text);
  std::string tables[2];
  for (const int jobs : {1, 3}) {
    const Folder folder("simulations-" + std::to_string(jobs));
    PointEvaluator evaluator(request);
    evaluator.fork_simulations(jobs);
    StudyStore store = StudyStore::open(folder.path, request, {});
    SweepOptions options;
    options.jobs = jobs;
    const SweepProgress progress = run_sweep(request, evaluator, store, options);
    CHECK(progress.by_status[0] == 20);
    CHECK(progress.by_status[3] == 20);  // no number of rows, said as in one process
    tables[jobs == 1 ? 0 : 1] = table(store);
  }
  CHECK(tables[0] == tables[1]);
}

TEST_CASE("merging names the shards that were not run") {
  const StudyRequest request = study(small_study);
  const Folder folder("missing");
  sweep(request, folder.path, 1, {1, 3});
  sweep(request, folder.path, 1, {3, 3});
  CHECK_THROWS_WITH(merge_shards(folder.path), Contains("shards 2/3 were not run"));
  CHECK_THROWS_WITH(merge_shards(folder.path + "/nowhere"), Contains("nowhere"));
}

TEST_CASE("a changed study is refused with the lines that differ, and a new comment is no change") {
  const Folder folder("changed");
  sweep(study(small_study), folder.path);
  const auto reopen = [&](const StudyRequest& request) {
    return StudyStore::open(folder.path, request, PointEvaluator(request).inputs());
  };
  CHECK_NOTHROW(reopen(study("# again\n" + small_study)));
  std::string changed = small_study;
  changed.replace(changed.find("1 ms"), 4, "2 ms");
  CHECK_THROWS_WITH(reopen(study(changed)),
                    Contains("- constraint: latency <= 1 ms") && Contains("+ constraint: latency <= 2 ms"));
}

TEST_CASE("a store gives back each point to the bit, with no figure of its neighbours") {
  const Folder folder("store");
  const StudyRequest request = study(small_study);
  const PointEvaluator evaluator(request);
  const auto stored = [](std::size_t rows, const std::string& digits, PointResult result) {
    return StoredPoint{{0, 0, rows, 0, 0}, 0, digits, std::move(result)};
  };
  std::vector<double> figures;  // thirds have no short form
  for (std::size_t m = 0; m < study_metrics().size(); ++m) figures.push_back(static_cast<double>(m) / 3);
  std::vector<double> without = figures;
  without[0] = no_figure;
  const std::vector<StoredPoint> points{
      stored(0, "0123456789abcdeffedcba9876543210", {PointStatus::done, "", figures}),
      stored(1, "00000000000000000000000000000000", {PointStatus::violates, "too slow", without})};
  StudyStore store = StudyStore::open(folder.path, request, evaluator.inputs());
  store.add({points[1], points[0]});
  std::size_t i = 0;
  store.for_each([&](const StoredPoint& point) {
    REQUIRE(point.position == points.at(i).position);
    REQUIRE(point.identity == points[i].identity);
    REQUIRE(point.result.message == points[i].result.message);
    REQUIRE(point.result.figures.size() == figures.size());
    for (std::size_t m = 0; m < figures.size(); ++m) {
      if (i == 1 && m == 0) {
        REQUIRE(std::isnan(point.result.figures[m]));
      } else {
        REQUIRE(point.result.figures[m] == figures[m]);
      }
    }
    ++i;
  });
  REQUIRE(i == points.size());
}

TEST_CASE("a store in use, damaged, deleted or foreign is said so, and what was stored stays") {
  const StudyRequest request = study(small_study);
  const Folder folder("damaged");
  const std::string file = store_file(folder.path, {});
  sweep(request, folder.path);
  {
    const StudyStore held = StudyStore::open(folder.path, request, PointEvaluator(request).inputs());
    CHECK_THROWS_WITH(StudyStore::open(folder.path, request, PointEvaluator(request).inputs()),
                      Contains("another process"));
  }
  {
    StudyStore store = StudyStore::open(folder.path, request, PointEvaluator(request).inputs());
    fs::remove(file);
    CHECK_THROWS_WITH(store.add({{{0, 0, 0, 0, 0}, 0, "00", {PointStatus::failed, "x", {}}}}), Contains("deleted"));
  }
  std::ofstream(file) << std::string(8192, 'x');
  CHECK_THROWS_AS(StudyStore::open(folder.path, request, PointEvaluator(request).inputs()), StoreError);
  CHECK_THROWS_WITH(StudyStore::read(folder.path + "/none.sqlite"), Contains("no such store"));
}

TEST_CASE("comparing two runs finds the figures that changed") {
  const Folder before("before"), after("after");
  const StudyRequest request = study(small_study);
  sweep(request, before.path);
  sweep(request, after.path);
  const std::string a = store_file(before.path, {}), b = store_file(after.path, {});
  CHECK(compare_studies(a, b, 0).changed == 0);
  {
    StudyStore store = StudyStore::open(after.path, request, PointEvaluator(request).inputs());
    StoredPoint point;
    store.for_each([&](const StoredPoint& p) {
      if (p.position == Position{0, 0, 0, 3, 1}) point = p;
    });
    point.result.figures[1] *= 1.5;
    store.add({point});
  }
  const StudyComparison comparison = compare_studies(a, b, 0.1);
  CHECK(comparison.points == 40);
  REQUIRE(comparison.changed == 1);
  CHECK(comparison.largest[0].metric == "energy_j");
  CHECK(comparison.largest[0].relative == Approx(0.5));
  CHECK(compare_studies(a, b, 0.6).changed == 0);
}

TEST_CASE("an adaptive study gives the same table for any threads and after interruptions, and is not divided") {
  std::string text = small_study;
  text.replace(text.find("points: 5"), 9, "points: 100");
  const std::string strategy =
      GENERATE(as<std::string>{}, "nsga2", "annealing", "nsga2, surrogate: {model: gaussian_process, proposals: 60}");
  INFO(strategy);
  const StudyRequest request =
      study(text + "search: {strategy: " + strategy + ", budget: 150, population: 12}\nseed: 3\n");
  const Folder plain("aplain"), threads("athreads"), stopped("astopped");
  const SweepProgress end = sweep(request, plain.path);
  CHECK(end.complete);
  CHECK((end.points <= 150 && end.points > 50));
  const std::string expected = table(StudyStore::read(store_file(plain.path, {})));
  CHECK(std::count(expected.begin(), expected.end(), '\n') == 1 + end.points);
  sweep(request, threads.path, 3);
  CHECK(table(StudyStore::read(store_file(threads.path, {}))) == expected);

  bool complete = false;
  int runs = 0;
  for (; !complete && runs < 100; ++runs) {
    std::atomic<bool> stop{false};
    complete = sweep(
                   request, stopped.path, 2, {}, [&](const SweepProgress&) { stop = true; }, &stop)
                   .complete;
  }
  CHECK(complete);
  CHECK(table(StudyStore::read(store_file(stopped.path, {}))) == expected);
  CHECK_THROWS_WITH(sweep(request, plain.path, 1, {1, 2}), Contains("run it with --jobs"));
}

TEST_CASE("a point without a figure for a goal does not go on to the next engine") {
  const StudyRequest request =
      study("study: unpriced\nworkloads: ['gemm:m=32,n=32,k=32']\nchips: [edge-systolic-16x16, '" +
            std::string(TILEWRIGHT_SOURCE_DIR) +
            "/docs/examples/edge_by_parts.yaml']\n"
            "objectives: {minimize: [latency, price]}\nengine: [roofline, analytical]\n"
            "search: {strategy: grid, keep: 1}\n");
  const Folder folder("unpriced");
  CHECK(sweep(request, folder.path, 1).complete);
  std::map<std::size_t, std::vector<Position>> by_stage;
  StudyStore::read(store_file(folder.path, {})).for_each([&](const StoredPoint& p) {
    by_stage[p.stage].push_back(p.position);
  });
  CHECK(by_stage[0].size() == 2);
  REQUIRE(by_stage[1].size() == 1);  // only one of the chips has a price
}

TEST_CASE("engines follow one another: the front of one goes on to the next, the others stay as they are") {
  const StudyRequest request = study(small_study + R"(search: {strategy: grid, keep: 0.2}
engine: [roofline, analytical, systemc]
)");
  const Folder folder("engines");
  const SweepProgress end = sweep(request, folder.path, 2);
  CHECK(end.complete);
  std::map<std::size_t, std::set<Position>> by_stage;
  std::map<std::size_t, std::vector<std::vector<double>>> goals;
  const StudyStore store = StudyStore::read(store_file(folder.path, {}));
  store.for_each([&](const StoredPoint& p) {
    by_stage[p.stage].insert(p.position);
    if (p.stage == 0 && p.result.status == PointStatus::done) goals[0].push_back(score_of(request, p.result).goals);
  });
  REQUIRE(by_stage[0].size() == 40);
  CHECK(by_stage[1].size() >= 8);  // a fifth of 40, and the rest of the last front
  CHECK(by_stage[1].size() < 40);
  CHECK(by_stage[2].size() >= by_stage[1].size() / 5);
  CHECK(by_stage[2].size() < by_stage[1].size());
  for (const std::size_t stage : {1U, 2U}) {
    for (const Position& p : by_stage[stage]) CHECK(by_stage[stage - 1].contains(p));
  }
  // No point that is left out of the second stage is better in both goals than one that goes on.
  store.for_each([&](const StoredPoint& out) {
    if (out.stage != 0 || by_stage[1].contains(out.position)) return;
    store.for_each([&](const StoredPoint& in) {
      if (in.stage != 0 || !by_stage[1].contains(in.position)) return;
      CHECK_FALSE((out.result.figures[0] < in.result.figures[0] && out.result.figures[1] < in.result.figures[1]));
    });
  });
  CHECK_THROWS_WITH(sweep(request, folder.path, 1, {1, 2}), Contains("roofline to analytical"));
  const Folder cut("cut");
  bool complete = false;
  for (int runs = 0; !complete && runs < 100; ++runs) {
    std::atomic<bool> stop{false};
    complete = sweep(
                   request, cut.path, 2, {}, [&](const SweepProgress&) { stop = true; }, &stop)
                   .complete;
  }
  CHECK(table(StudyStore::read(store_file(cut.path, {}))) == table(store));
}

TEST_CASE("strategies and engines that do not fit are refused at their place") {
  CHECK_THROWS_WITH(study(small_study + "search: {strategy: nsga3, budget: 9}\n"), Contains("Did you mean 'nsga2'"));
  CHECK_THROWS_WITH(study(small_study + "search: {strategy: nsga2}\n"), Contains("budget"));
  CHECK_THROWS_WITH(study(small_study + "objectives: {minimize: [energy]}\nsearch: {strategy: nsga2, budget: 9}\n"),
                    Contains("cmaes or annealing"));
  CHECK_THROWS_WITH(study(small_study + "search: {strategy: grid, budget: 9}\n"), Contains("'budget'"));
  CHECK_THROWS_WITH(study(small_study + "engine: [analytical, roofline]\n"), Contains("quickest"));
  CHECK_THROWS_WITH(study(small_study + "engine: [roofline, analytical]\n"), Contains("keep: 0.1"));
  const auto surrogate = [](const std::string& search, const std::string& goals = "latency, energy") {
    return study(small_study + "objectives: {minimize: [" + goals + "]}\nsearch: {" + search + "}\n");
  };
  CHECK(surrogate("strategy: nsga2, budget: 30, surrogate: {model: gaussian_process}").proposals == 1000);
  CHECK_THROWS_WITH(surrogate("strategy: moead, budget: 30, surrogate: {model: gaussian_process}"), Contains("nsga2"));
  CHECK_THROWS_WITH(surrogate("strategy: nsga2, budget: 30, surrogate: {model: ridge}"), Contains("gaussian_process"));
  CHECK_THROWS_WITH(surrogate("strategy: nsga2, budget: 3000, surrogate: {model: gaussian_process}"),
                    Contains("budget") && Contains("2000 points"));
  CHECK_THROWS_WITH(surrogate("strategy: nsga2, budget: 30, surrogate: {model: gaussian_process, proposals: 10}"),
                    Contains("proposals"));
  CHECK_THROWS_WITH(
      surrogate("strategy: nsga2, budget: 30, surrogate: {model: gaussian_process}", "latency, energy, area, price"),
      Contains("two or three"));
}

TEST_CASE("a surrogate sees of each goal the axes that decide it") {
  const StudyRequest request = study(R"(
study: seen
space: nasbench-macro
architectures: [ "00000000", "01210002" ]
accuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}
chips: [edge-systolic-16x16, raspberry-pi-4]
vary: {model.batch: [1, 2, 4]}
objectives: {maximize: [accuracy], minimize: [latency, price]}
search: {strategy: nsga2, budget: 12, surrogate: {model: gaussian_process}}
)");
  const SurrogateOptions seen = surrogate_axes(request);  // workload, chip, eight layers, batch
  CHECK(seen.spans == std::vector<double>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2});
  REQUIRE(seen.reads.size() == 3);
  CHECK(seen.reads[0] ==
        std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});            // latency; of one workload nothing is told
  CHECK(seen.reads[1] == std::vector<std::size_t>{1});                       // a price is the chip's
  CHECK(seen.reads[2] == std::vector<std::size_t>{2, 3, 4, 5, 6, 7, 8, 9});  // accuracy: the table reads arch
}

TEST_CASE("rungs are powers of four of a capacity and of two of a bandwidth, and a chip on them is its own anchor") {
  const auto chip = [](const std::string& capacity, const std::string& bandwidth) {
    const Place here{"test", 0, 0, ""};
    return read_chip(
        with_overrides(chip_document("edge-systolic-16x16"),
                       {{"levels.Scratchpad.capacity", capacity, here}, {"levels.DRAM.bandwidth", bandwidth, here}}));
  };
  const std::vector<std::string> sizes{"levels.Scratchpad.capacity", "levels[0].bandwidth", "levels.Nowhere.capacity"};
  const Ladder between = ladder_of(chip("100 KiB", "24 B/cycle"), sizes);
  REQUIRE(between.anchors.size() == 4);
  CHECK(between.anchors.front().values[0].text == "65536 B");
  CHECK(between.anchors.front().values[1].text == "16 B/cycle");
  CHECK(between.anchors.back().values[0].text == "262144 B");
  CHECK(between.anchors.back().values[1].text == "32 B/cycle");
  CHECK(between.other_capacities);
  const Ladder half = ladder_of(chip("128 KiB", "0.75 B/cycle"), sizes);  // 128 Ki = 2 x 4^8
  CHECK(half.anchors.front().values[0].text == "65536 B");
  CHECK(half.anchors.front().values[1].text == "0.5 B/cycle");
  const Ladder on = ladder_of(chip("64 KiB", "32 B/cycle"), sizes);
  REQUIRE(on.anchors.size() == 1);
  CHECK_FALSE(on.other_capacities);
}

TEST_CASE(
    "points that share mappings have the same figures in any order, thread and shard, and on a rung those of their own "
    "search") {
  std::string text = with(small_study, R"("gemm:m=64,n=32,k=16", "gemm:m=8,n=8,k=8")",
                          R"("gemm:m=640,n=320,k=160", "gemm:m=64,n=64,k=64")");
  text = with(text, "points: 5}", "points: 9}\n  chip.levels.Scratchpad.capacity: [40 KiB, 64 KiB, 100 KiB]");
  const StudyRequest request = study(text + "mappings: shared\n");
  const Folder plain("splain"), threads("sthreads"), shards("sshards");
  sweep(request, plain.path);
  const std::string expected = table(StudyStore::read(store_file(plain.path, {})));
  sweep(request, threads.path, 3);
  CHECK(table(StudyStore::read(store_file(threads.path, {}))) == expected);
  for (int part = 7; part >= 1; --part) sweep(request, shards.path, 2, {part, 7});
  CHECK(merge_shards(shards.path) == 2 * 2 * 9 * 3 * 2);
  CHECK(table(StudyStore::read(store_file(shards.path, {}))) == expected);

  StudyRequest own = request;
  own.mappings = StudyMappings::own;
  PointEvaluator sharing(request), searching(own);
  // 0.5 GHz: 1, 2, 4, 8, 16 GB/s are 2, 4, 8, 16, 32 B a cycle.
  for (const Position& position : {Position{0, 0, 1, 0, 1, 0}, {0, 0, 0, 4, 1, 1}, {1, 0, 1, 8, 1, 0}}) {
    const StudyPoint point = point_at(request, position);
    REQUIRE(point.values[2] == "64 KiB");
    CHECK(sharing.evaluate(point, Engine::analytical).figures[0] ==
          searching.evaluate(point, Engine::analytical).figures[0]);
    CHECK(sharing.evaluate(point, Engine::analytical).figures[1] ==
          searching.evaluate(point, Engine::analytical).figures[1]);
    CHECK(sharing.identity(point, Engine::analytical) != searching.identity(point, Engine::analytical));
  }
}

TEST_CASE("a slack of latency is part of a point's identity and buys energy within it") {
  const std::string text =
      "study: s\nworkloads: [\"gemm:m=200,n=200,k=200\"]\nchips: [edge-systolic-example]\nvary: {model.precision: "
      "[int8]}\n";
  const StudyRequest exact = study(text), none = study(text + "latency_slack: 0\n"),
                     slack = study(text + "latency_slack: 2.5\n");
  PointEvaluator fastest(exact), same(none), frugal(slack);
  const StudyPoint point = point_at(exact, {0, 0, 0});
  CHECK(same.identity(point, Engine::analytical) == fastest.identity(point, Engine::analytical));
  CHECK(frugal.identity(point, Engine::analytical) != fastest.identity(point, Engine::analytical));
  const auto before = fastest.evaluate(point, Engine::analytical).figures,
             after = frugal.evaluate(point, Engine::analytical).figures;
  CHECK(after[0] <= 1.025 * before[0]);
  CHECK(after[1] <= before[1]);
  CHECK_THROWS_WITH(study(text + "objective: energy\nlatency_slack: 1\n"), Contains("objective: latency"));
  CHECK_THROWS_WITH(study(text + "mappings: shared\nlatency_slack: 1\n"), Contains("mappings: own"));
  CHECK_THROWS_WITH(study(text + "latency_slack: -1\n"), Contains("latency_slack"));
}

TEST_CASE("a changed chip file is a changed study") {
  const Folder folder("chipfile");
  fs::create_directories(folder.path);
  const std::string chip = folder.path + "/mine.yaml";
  fs::copy_file(chip_library_folder() + "/edge-systolic-16x16.yaml", chip);
  const StudyRequest request = study("study: s\nworkloads: [\"gemm:m=8,n=8,k=8\"]\nchips: [" + chip + "]\n");
  sweep(request, folder.path);
  CHECK_NOTHROW(sweep(request, folder.path));
  std::ofstream(chip, std::ios::app) << "\n# another day\n";
  CHECK_THROWS_WITH(sweep(request, folder.path), Contains("- content of ") && Contains("+ content of "));
}

TEST_CASE("a drawn study visits distinct points with memories changing fastest, the same for the same seed") {
  const std::string strategy = GENERATE(as<std::string>{}, "random", "sobol");
  const std::string text = small_study + "search: {strategy: " + strategy + ", budget: 12}\nseed: ";
  const PointList one(study(text + "1")), again(study(text + "1")), other(study(text + "2"));
  REQUIRE(one.size() == 12);
  std::int64_t same = 0;
  for (std::int64_t i = 0; i < 12; ++i) {
    CHECK(one[i] == again[i]);
    CHECK(one.index_of(one[i]) == i);
    const auto slow = [&](std::int64_t j) { return std::vector{one[j][0], one[j][1], one[j][2], one[j][4]}; };
    CHECK((i == 0 || slow(i) >= slow(i - 1)));
    same += one[i] == other[i];
  }
  CHECK(same < 12);
  const PointList grid(study(small_study));
  for (std::int64_t i = 0; i < grid.size(); ++i) CHECK(grid.index_of(grid[i]) == i);
}
