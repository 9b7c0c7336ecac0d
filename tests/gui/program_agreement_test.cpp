// What the window shows against what the program prints for the same request: measured kernels, simulated schedules, studies.
#include <fmt/format.h>

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "core/text_file.hpp"
#include "gui/viewmodels/study_runner.hpp"
#include "gui/viewmodels/study_table.hpp"
#include "gui/viewmodels/timeline.hpp"
#include "gui/viewmodels/validation_rows.hpp"
#include "sim/study/metrics.hpp"
#include "sim/study/store.hpp"
#include "tests/cli/program.hpp"
#include "tests/gui/event_loop.hpp"

namespace tilewright::gui {
namespace {

using Json = nlohmann::json;
using test::Scratch;

/// What the program prints; `most`: the largest exit code that is no error here.
std::string said(const std::string& arguments, int most = 0) {
  const test::Outcome outcome = test::tilewright(arguments);
  INFO(arguments << "\n" << outcome.err);
  REQUIRE(outcome.code <= most);
  return outcome.out;
}

Approx same(double value) { return Approx(value).epsilon(1e-9); }

/// Sums over the rows of one table, operator, format and device.
struct Group {
  std::int64_t n = 0;
  double error = 0, log_ratio = 0;
};
using GroupKey = std::array<std::string, 4>;

TEST_CASE("the kernels of the validation view are those of `validate gpu`, table by table, device by device") {
  ValidationModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  model.show(gpu_validation_rows());
  std::map<GroupKey, Group> shown, reported;
  std::map<std::pair<std::string, std::string>, Group> filtered;  // by device and operator
  for (int r = 0; r < model.rowCount(); ++r) {
    const auto word = [&](int column) { return model.index(r, column).data().toString().toStdString(); };
    const auto figure = [&](int column) {
      return model.index(r, column).data(ValidationModel::figure_role).toDouble();
    };
    const double ratio = figure(5) / figure(4);
    REQUIRE(figure(6) == Approx(ratio - 1).epsilon(1e-9).margin(1e-12));
    for (Group* group : {&shown[{model.shown()[static_cast<std::size_t>(r)]->table, word(1), word(2), word(0)}],
                         &filtered[{word(0), word(1)}]}) {
      ++group->n;
      group->error += std::abs(ratio - 1);
      group->log_ratio += std::log(ratio);
    }
  }
  const Json report = Json::parse(said("validate gpu --format json", 1));  // 1: an error band is missed
  for (const Json& group : report.at("groups")) {
    const Json& keys = group.at("keys");
    if (keys.contains("flag") || !keys.contains("table") || keys.at("device") == "*" || keys.at("table") == "*")
      continue;
    Group& sum = reported[{keys.at("table"), keys.at("op"), keys.at("dtype"), keys.at("device")}];
    const auto n = group.at("n").get<std::int64_t>();
    sum.n += n;
    sum.error += static_cast<double>(n) * group.at("mape_pct").get<double>() / 100;
    sum.log_ratio += static_cast<double>(n) * std::log(group.at("geomean_ratio").get<double>());
  }
  REQUIRE(shown.size() > 100);
  REQUIRE(shown.size() == reported.size());
  for (const auto& [key, group] : shown) {
    INFO(key[0] << ", " << key[1] << ", " << key[2] << ", " << key[3]);
    REQUIRE(reported.contains(key));
    REQUIRE(group.n == reported[key].n);
    REQUIRE(group.error == Approx(reported[key].error).epsilon(1e-9).margin(1e-9));
    REQUIRE(group.log_ratio == Approx(reported[key].log_ratio).epsilon(1e-9).margin(1e-9));
  }
  // And what a filter leaves.
  for (const auto& [key, group] : filtered) {
    model.filter(key.first, key.second);
    REQUIRE(model.rowCount() == group.n);
    REQUIRE(model.mean_error_pct() == same(100 * group.error / static_cast<double>(group.n)));
  }
}

const char* reported_name(SliceKind kind) {
  switch (kind) {
    case SliceKind::launch: return "overhead";
    case SliceKind::prime:
    case SliceKind::fill: return "fill";
    case SliceKind::drain: return "drain";
    case SliceKind::dram: return "wait_dram";
    case SliceKind::contention: return "contention";
    case SliceKind::buffer: return "wait_buffer";
    case SliceKind::idle: return "idle";
    default: return "compute";
  }
}

TEST_CASE(
    "every lane of the timeline is that of `run --engine systemc`: cycles by cause and layer, and every slice of the "
    "trace") {
  for (const char* chip : {"edge-systolic-16x16", "zcu102-dpu", "raspberry-pi-4"}) {
    INFO(chip);
    const Scratch scratch;
    const std::string network = "mobilenet_v2:resolution=16,width=0.1";  // some ten thousand slices
    const Json report = Json::parse(said("run " + network + " --engine systemc --format json --chip " + chip +
                                         " --trace " + scratch.path("trace.json")))
                            .at("results")
                            .at(0);
    const AnalysisPtr analysis = Analyser().analyse({network, chip, {}});
    const TimelinePtr shown = simulate_timeline(*analysis, {10'000'000, nullptr, {}});
    REQUIRE(cycles_of(shown->end).value == same(report.at("totals").at("cycles").get<double>()));

    std::vector<std::map<std::string, double>> parts(shown->result.layers.size());
    double arrays = 0;
    for (const Lane& lane : shown->lanes) {
      if (!lane.array || lane.slices.empty()) continue;
      ++arrays;
      for (const Slice& slice : lane.slices)
        parts.at(static_cast<std::size_t>(slice.row))[reported_name(slice.kind)] +=
            cycles_of(slice.end - slice.start).value;
    }
    REQUIRE(report.at("layers").size() == parts.size());
    for (std::size_t row = 0; row < parts.size(); ++row) {
      const Json& layer = report.at("layers").at(row);
      INFO(layer.at("name"));
      REQUIRE(layer.at("name") == shown->result.layers[row].name);
      // The report cuts the mean of several arrays to whole ticks.
      for (const auto& [part, cycles] : layer.at("cycles_by").items())
        REQUIRE(parts[row][part] / arrays == Approx(cycles.get<double>()).epsilon(1e-9).margin(cycles_of(1).value));
    }

    // Slices of the trace by track, in the order in which they begin; its times have six digits behind the microsecond.
    std::map<int, std::string> tracks;
    std::map<std::string, std::vector<std::array<double, 3>>> traced;
    const Json trace = Json::parse(read_file(scratch.path("trace.json"), 1 << 30));
    for (const Json& event : trace.at("traceEvents")) {
      if (event.at("name") == "thread_name") tracks[event.at("tid")] = event.at("args").at("name");
      if (event.at("ph") == "X")
        traced[tracks.at(event.at("tid"))].push_back({event.at("ts"),
                                                      event.at("ts").get<double>() + event.at("dur").get<double>(),
                                                      event.at("args").at("bytes")});
    }
    std::size_t compared = 0;
    for (const Lane& lane : shown->lanes) {
      INFO(lane.name);
      std::vector<std::array<double, 3>>& events = traced[lane.name];
      std::sort(events.begin(), events.end());
      std::size_t next = 0;
      for (const Slice& slice : lane.slices) {
        if (slice.kind >= SliceKind::fill) continue;  // a standstill
        REQUIRE(next < events.size());
        const auto microseconds = [&](Ticks at) { return 1e6 * cycles_of(at).value / shown->clock.value; };
        constexpr double digits = 2e-6;
        REQUIRE(events[next][0] == Approx(microseconds(slice.start)).epsilon(1e-9).margin(digits));
        REQUIRE(events[next][1] == Approx(microseconds(slice.end)).epsilon(1e-9).margin(digits));
        REQUIRE(events[next][2] == Approx(slice.bytes).epsilon(1e-5));  // written with six digits
        ++next;
        ++compared;
      }
      REQUIRE(next == events.size());
    }
    REQUIRE(compared > 1000);
  }
}

const std::string networks_of_images =
    "study: images\nspace: nasbench-macro\narchitectures: {sample: 6}\n"
    "accuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}\n"
    "chips: [" TILEWRIGHT_SOURCE_DIR
    "/docs/examples/edge_by_parts.yaml]\n"
    "vary:\n  chip.compute.rows: [8, 16]\n  chip.compute.cols: [8, 16]\n"
    "  chip.levels.Scratchpad.capacity: [64 KiB, 256 KiB]\n"
    "zip: [[chip.compute.rows, chip.compute.cols]]\nmappings: shared\n"
    "constraints: [\"area <= 4 mm2\"]\n"
    "objectives: {maximize: [accuracy], minimize: [latency, energy, area, price]}\nseed: 3\n";
const std::string networks_of_sequences =
    "study: sequences\nspace: seqnas\n"
    "accuracy: {table: seqnas.csv, score: score, where: {dataset: RBchurn}}\narchitectures: scored\n"
    "chips: [edge-systolic-16x16, raspberry-pi-4]\nvary: {model.batch: [1, 4, 16]}\n"
    "serving: {rent: 0.5 USD, utilization: 0.5, load: 2000}\n"
    "objectives: {maximize: [accuracy], minimize: [request_price, latency]}\n"
    "search: {strategy: nsga2, budget: 16, population: 8}\nseed: 5\n";

TEST_CASE(
    "a study of networks and chips from the window is that of `sweep`, cell by cell, and its front that of `front`") {
  const EventLoop loop;
  for (const std::string& study : {networks_of_images, networks_of_sequences}) {
    INFO(study);
    const Scratch scratch;
    const std::string file = scratch.file("study.yaml", study), own = scratch.path("own"),
                      swept = scratch.path("swept");
    StudyRunner runner;
    QSignalSpy finished(&runner, &StudyRunner::finished), refused(&runner, &StudyRunner::refused);
    runner.start(QString::fromStdString(file), QString::fromStdString(own), 2);
    constexpr int patience = 300'000;
    REQUIRE((finished.count() > 0 || finished.wait(patience)));
    REQUIRE(refused.isEmpty());
    REQUIRE(finished.front().front().toBool());

    said(fmt::format("sweep {} -o {} --jobs 1 --progress none", file, swept));
    std::vector<Json> lines;  // in the order of the study, as the points of the window
    std::istringstream printed(said("export " + swept + " --format jsonl"));
    for (std::string line; std::getline(printed, line);) lines.push_back(Json::parse(line));
    const auto results = study_results(store_file(own, {}));
    REQUIRE(results->size() == lines.size());
    REQUIRE(results->goals.size() >= 3);

    StudyTable table;
    const QAbstractItemModelTester tester(&table, QAbstractItemModelTester::FailureReportingMode::Fatal);
    table.show(results, {});
    REQUIRE(table.rowCount() == static_cast<int>(lines.size()));
    std::size_t figures = 0;
    for (int c = 0; c < table.columnCount(); ++c) {
      const std::string column = table.headerData(c, Qt::Horizontal, Qt::DisplayRole).toString().toStdString();
      INFO(column);
      for (int r = 0; r < table.rowCount(); ++r) {
        const QModelIndex cell = table.index(r, c);
        const Json& reported = lines[table.point(r)].at(column);
        const QVariant figure = table.data(cell, StudyTable::figure_role);
        if (reported.is_string()) {
          REQUIRE(table.data(cell, Qt::DisplayRole).toString().toStdString() == reported.get<std::string>());
        } else if (reported.is_null()) {
          REQUIRE_FALSE(figure.isValid());
        } else {
          REQUIRE(figure.toDouble() == same(reported.get<double>()));
          ++figures;
        }
      }
    }
    REQUIRE(figures > 10 * lines.size());
    // A metric that is not shown is one that no point has.
    for (const Metric& metric : study_metrics()) {
      if (std::ranges::find(results->columns, metric.column, &StudyColumn::name) != results->columns.end()) continue;
      for (const Json& line : lines) REQUIRE(line.at(std::string(metric.column)).is_null());
    }

    std::set<std::string> best, shown;  // identities
    std::istringstream front(said("front " + swept + " --format csv"));
    std::string row;
    std::getline(front, row);  // heading
    while (std::getline(front, row)) best.insert(row.substr(0, row.find(',')));
    for (std::size_t p = 0; p < lines.size(); ++p) {
      if (results->front[p] != 0) shown.insert(lines[p].at("identity"));
    }
    REQUIRE(!best.empty());
    REQUIRE(shown == best);
  }
}

TEST_CASE("a point of a study is a project whose figures are those of its row, on its own chip") {
  const EventLoop loop;
  const Scratch scratch;
  const std::string file = scratch.file("study.yaml", networks_of_sequences);
  StudyRunner runner;
  QSignalSpy finished(&runner, &StudyRunner::finished);
  runner.start(QString::fromStdString(file), QString::fromStdString(scratch.path("own")), 2);
  constexpr int patience = 300'000;
  REQUIRE((finished.count() > 0 || finished.wait(patience)));
  const auto results = study_results(store_file(scratch.path("own"), {}));
  const auto column = [&](const char* name) {
    const auto at = std::ranges::find(results->columns, name, &StudyColumn::name);
    return results->values[static_cast<std::size_t>(at - results->columns.begin())];
  };
  Analyser analyser;
  for (std::size_t p = 0; p < results->size(); ++p) {
    const AnalysisPtr answer = analyser.analyse(project_of(*results->request, results->positions[p]));
    INFO(answer->project.workload << " on " << answer->project.chip);
    REQUIRE(answer->result.latency.value == same(column("latency_s")[p]));
    REQUIRE(answer->result.energy.total().value == same(column("energy_j")[p]));
  }
}

}  // namespace
}  // namespace tilewright::gui
