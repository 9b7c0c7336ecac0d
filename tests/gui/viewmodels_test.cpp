// What the window shows against the report of the same request, and the laws of its drawings.
#include <QAbstractItemModelTester>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "core/diagnostics.hpp"
#include "core/text_file.hpp"
#include "gui/viewmodels/bars.hpp"
#include "gui/viewmodels/graph_layout.hpp"
#include "gui/viewmodels/knobs.hpp"
#include "gui/viewmodels/layers_model.hpp"
#include "gui/viewmodels/roofline_lines.hpp"
#include "gui/viewmodels/why_model.hpp"
#include "sim/report/report.hpp"

namespace tilewright::gui {
namespace {

AnalysisPtr analysed(const Project& project) {
  Analyser analyser;
  return analyser.analyse(project);
}

const Project small{"mobilenet_v2", "edge-systolic-16x16", {}};

TEST_CASE("every cell of the layer table is the field of the report") {
  for (const Project& project :
       {small, Project{"resnet18", "a100-sxm4-80gb", {}}, Project{"resnet18", "loihi-2", {}}}) {
    const AnalysisPtr analysis = analysed(project);
    LayersModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.show(analysis);
    const nlohmann::json layers =
        nlohmann::json::parse(report_json({{}, {analysis->result}, {}})).at("results").at(0).at("layers");
    REQUIRE(model.rowCount() == static_cast<int>(layers.size()));
    for (int r = 0; r < model.rowCount(); ++r) {
      for (int c = 0; c < model.columnCount(); ++c) {
        const nlohmann::json& field = layers.at(static_cast<std::size_t>(r)).at(LayersModel::key(c).toStdString());
        const QVariant figure = model.index(r, c).data(LayersModel::figure_role);
        if (field.is_string()) {
          REQUIRE(figure.toString().toStdString() == field.get<std::string>());
        } else {
          REQUIRE(figure.toDouble() == Approx(field.get<double>()).epsilon(1e-9));
        }
      }
    }
  }
}

TEST_CASE("bars add up to the totals of the report") {
  const AnalysisPtr analysis = analysed(small);
  for (const BarOrder order : {BarOrder::network, BarOrder::sorted}) {
    for (const BarKind kind : {BarKind::time_by_bound, BarKind::energy_by_level}) {
      const Bars shown = bars(*analysis, kind, order);
      double total = 0;
      for (const std::vector<double>& part : shown.parts) {
        for (const double value : part) total += value;
      }
      const NetworkEvaluation& result = analysis->result;
      REQUIRE(
          total ==
          Approx(kind == BarKind::time_by_bound ? result.latency.value : result.energy.total().value).epsilon(1e-9));
    }
  }
  const Bars sorted = bars(*analysis, BarKind::energy_by_level, BarOrder::sorted);
  const auto height = [&](std::size_t bar) {
    double sum = 0;
    for (const std::vector<double>& part : sorted.parts) sum += part[bar];
    return sum;
  };
  for (std::size_t b = 1; b < sorted.rows.size(); ++b) REQUIRE(height(b) <= height(b - 1) * (1 + 1e-12));
}

TEST_CASE("a project comes back from its study file, whatever its words hold") {
  Project project{"a \"quoted\" network.onnx", "chips/my chip.yaml", {}, Objective::energy, Engine::roofline};
  project.change("chip.levels.DRAM.bandwidth", "25.6 GB/s");
  project.change("model.batch", "4");
  REQUIRE(read_project(project_text(project), "project.yaml") == project);
  project.change("model.batch", "");
  REQUIRE(project.value("model.batch").empty());
  REQUIRE(read_project(project_text(project), "project.yaml") == project);
}

TEST_CASE("of a study over a search space the window shows the first network") {
  const std::string file = TILEWRIGHT_SOURCE_DIR "/docs/studies/seqnas_abank.yaml";
  const Project project = read_project(read_file(file, 1 << 20), file);
  REQUIRE(project.workload.starts_with("seqnas"));
  REQUIRE(project.value("arch").empty());
  REQUIRE(analysed(project)->result.failure.empty());
}

TEST_CASE("the command line names what run can say, and the study file for the rest") {
  Project project = small;
  project.change("model.batch", "4");
  REQUIRE(command_line(project, "p.yaml") ==
          "tilewright run mobilenet_v2 --chip edge-systolic-16x16 --batch 4 --objective latency --engine analytical");
  project.workload = "it's mine.onnx";
  REQUIRE(command_line(project, "p.yaml").starts_with("tilewright run 'it'\\''s mine.onnx' "));
  project = small;
  project.change("chip.levels.DRAM.bandwidth", "25.6 GB/s");
  project.change("model.resolution", "160");
  REQUIRE(
      command_line(project, "p.yaml") ==
      "tilewright run mobilenet_v2:resolution=160 --chip edge-systolic-16x16 --set 'chip.levels.DRAM.bandwidth=25.6 "
      "GB/s' --objective latency --engine analytical");
  project.change("model.sparsity", "0.5");
  REQUIRE(command_line(project, "p.yaml") == "tilewright sweep p.yaml -o results && tilewright export results");
}

TEST_CASE("a project that cannot be built says where and what") {
  REQUIRE_THROWS_WITH(analysed({"mobilenet_v2", "edge-systolic-16x61", {}}), Catch::Contains("edge-systolic-16x16"));
  Project project = small;
  project.change("chip.levels.DRAM.bandwith", "1 GB/s");
  REQUIRE_THROWS_WITH(analysed(project), Catch::Contains("bandwidth"));
}

TEST_CASE("every position of every slider can be analysed, and its own is the unchanged file") {
  const AnalysisPtr unchanged = analysed({"gemm:m=64,n=64,k=64", "edge-systolic-16x16", {}});
  Analyser analyser;
  const std::vector<Knob> all = knobs(*unchanged);
  REQUIRE(all.size() > 8);
  for (const Knob& knob : all) {
    REQUIRE(knob.position(unchanged->project) == knob.own);
    for (std::size_t i = 0; i < knob.values.size(); ++i) {
      if (knob.key == "model.batch") continue;  // a product has none
      Project project = unchanged->project;
      project.change(knob.key, knob.values[i]);
      INFO(knob.key << " = " << knob.values[i]);
      REQUIRE(knob.position(project) == static_cast<int>(i));
      const AnalysisPtr turned = analyser.analyse(project);
      if (static_cast<int>(i) == knob.own && knob.key != "model.precision")
        REQUIRE(turned->result.latency.value == unchanged->result.latency.value);
    }
  }
}

TEST_CASE("roofs end where they meet, and the gain is the way to the lower of them") {
  RooflinePlot plot;
  plot.ceilings = {{"DRAM", 10}, {"SRAM", 100}};
  plot.peaks = {{"fp16", 1000}, {"fp32", 500}};
  plot.points = {{"thin", 5, 25, 0.5, "memory:DRAM"}, {"thick", 200, 250, 0.5, "compute"}, {"none", 0, 0, 0, ""}};
  const RooflineLines lines = roofline_lines(plot);
  REQUIRE(lines.dots == std::vector<std::size_t>{0, 1});
  REQUIRE(lines.roofs.size() == 4);
  REQUIRE(lines.roofs[0].x.back() == 100);  // 1000 / 10
  REQUIRE(lines.roofs[0].y.back() == 1000);
  REQUIRE(lines.roofs[2].x.front() == 10);       // 1000 / 100: where the fastest memory roof meets it
  REQUIRE(roofline_gain(plot, 0)->factor == 2);  // 5 x 10 against 25
  REQUIRE(roofline_gain(plot, 0)->roof == "DRAM");
  REQUIRE(roofline_gain(plot, 1)->factor == 4);
  REQUIRE(roofline_gain(plot, 1)->roof == "fp16");
  REQUIRE_FALSE(roofline_gain(plot, 2));
}

TEST_CASE("explanations start from the figures of the report and can be followed down to constants with a source") {
  const AnalysisPtr analysis = analysed(small);
  WhyModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  model.show(explain(analysis->result, analysis->chip));
  REQUIRE(model.rowCount() == 3);
  REQUIRE(model.rowCount(model.index(0, 0)) == static_cast<int>(analysis->result.layers.size()));
  // latency > first layer > cycles > kernel > a level > bandwidth
  QModelIndex at = model.index(0, 0);
  int depth = 0;
  while (model.rowCount(at) > 0) {
    at = model.index(0, 0, at);
    ++depth;
  }
  REQUIRE(depth >= 4);
  REQUIRE_FALSE(at.siblingAtColumn(3).data().toString().isEmpty());
}

TEST_CASE("a chain of blocks is drawn once, its copies counted") {
  // in, (a b c) x 4, out
  const std::vector<std::size_t> kinds{9, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 8};
  std::vector<std::pair<int, int>> edges;
  for (int i = 0; i + 1 < static_cast<int>(kinds.size()); ++i) edges.emplace_back(i, i + 1);
  const GraphDrawing drawing = draw_graph(kinds, edges, true);
  REQUIRE(drawing.nodes.size() == 5);
  REQUIRE(drawing.blocks.size() == 1);
  CHECK(drawing.blocks[0].first == 1);
  CHECK(drawing.blocks[0].last == 4);
  CHECK(drawing.blocks[0].repeat == 4);
  CHECK(drawing.nodes[2].stands_for == 4);
  CHECK(drawing.node_of[11] == 2);
  CHECK(drawing.edges == std::vector<std::pair<std::size_t, std::size_t>>{{0, 1}, {1, 2}, {2, 3}, {3, 4}});
  CHECK(draw_graph(kinds, edges, false).nodes.size() == kinds.size());
}

TEST_CASE("on random graphs edges lead downwards, no two nodes share a place, and every layer has its node") {
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t layers = 1 + random() % 40;
    std::vector<std::size_t> kinds;
    for (std::size_t i = 0; i < layers; ++i) kinds.push_back(random() % 4);
    std::vector<std::pair<int, int>> edges;
    for (std::size_t to = 1; to < layers; ++to) {
      for (std::size_t n = random() % 3; n > 0; --n)
        edges.emplace_back(static_cast<int>(random() % to), static_cast<int>(to));
    }
    const GraphDrawing drawing = draw_graph(kinds, edges, trial % 2 == 0);
    std::size_t stands_for = 0;
    for (const GraphNode& node : drawing.nodes) stands_for += node.stands_for;
    REQUIRE(stands_for == layers);
    for (std::size_t layer = 0; layer < layers; ++layer)
      REQUIRE(kinds[drawing.nodes.at(drawing.node_of.at(layer)).layer] == kinds[layer]);
    for (const auto& [from, to] : drawing.edges) REQUIRE(drawing.nodes[from].rank < drawing.nodes[to].rank);
    for (std::size_t a = 0; a < drawing.nodes.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b)
        REQUIRE((drawing.nodes[a].rank != drawing.nodes[b].rank || drawing.nodes[a].x != drawing.nodes[b].x));
    }
  }
}

}  // namespace
}  // namespace tilewright::gui
