// Each cell of a view model against the field of the JSON report of the same request.
#include <QAbstractItemModelTester>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "gui/viewmodels/bars.hpp"
#include "gui/viewmodels/compare.hpp"
#include "gui/viewmodels/why_model.hpp"
#include "sim/report/explain.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"

namespace tilewright::gui {
namespace {

using Json = nlohmann::json;

AnalysisPtr analysed(const Project& project) { return Analyser().analyse(project); }

Json report_of(const Analysis& analysis) {
  return Json::parse(report_json({{}, {analysis.result}, {}})).at("results").at(0);
}

const std::vector<Project> projects{{"mobilenet_v2", "edge-systolic-16x16", {}},
                                    {"resnet18", "a100-sxm4-80gb", {}},
                                    {"resnet18", "loihi-2", {}},
                                    {"resnet18", "zcu102-dpu", {}},
                                    {"resnet18", "xeon-8380", {}}};

Approx same(double value) { return Approx(value).epsilon(1e-9); }

double repeated(const Json& layer, const char* field) {
  return layer.at(field).get<double>() * layer.at("repeat").get<double>();
}

TEST_CASE("every cell of a comparison is a field of the two reports, or their difference") {
  std::vector<AnalysisPtr> answers{analysed(projects[0]), analysed({"mobilenet_v2", "gemmini-16x16", {}})};
  const std::vector<Json> reports{report_of(*answers[0]), report_of(*answers[1])};
  CompareModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  model.show(answers);
  // For each answer latency and energy, from the second on each with its difference to the first.
  const std::vector<std::tuple<std::size_t, const char*, bool>> columns{{0, "latency_s", false}, {0, "energy_j", false},
                                                                        {1, "latency_s", false}, {1, "latency_s", true},
                                                                        {1, "energy_j", false},  {1, "energy_j", true}};
  REQUIRE(model.columnCount() == static_cast<int>(columns.size()) + 1);
  const auto reported = [&](std::size_t answer, const std::string& name, const char* field) -> std::optional<double> {
    if (name == "whole network") return reports[answer].at("totals").at(field).get<double>();
    for (const Json& layer : reports[answer].at("layers")) {
      if (layer.at("name") == name) return repeated(layer, field);
    }
    return std::nullopt;
  };
  std::size_t cells = 0;
  for (int r = 0; r < model.rowCount(); ++r) {
    const std::string name = model.index(r, 0).data().toString().toStdString();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const auto& [answer, field, difference] = columns[c];
      const QVariant cell = model.index(r, static_cast<int>(c) + 1).data(CompareModel::figure_role);
      const auto own = reported(answer, name, field), first = reported(0, name, field);
      INFO(name << ", column " << c);
      if (difference && own && first && *first > 0) {
        REQUIRE(cell.toDouble() == Approx(*own / *first - 1).epsilon(1e-9).margin(1e-12));
      } else if (!difference && own) {
        REQUIRE(cell.toDouble() == same(*own));
      } else {
        REQUIRE_FALSE(cell.isValid());
      }
      cells += cell.isValid() ? 1 : 0;
    }
  }
  REQUIRE(cells > 100);
}

TEST_CASE("every bar is the time of its layer under its bound, every energy that of a level or a part of the report") {
  for (const Project& project : projects) {
    const AnalysisPtr analysis = analysed(project);
    const Json report = report_of(*analysis);
    const Bars time = bars(*analysis, BarKind::time_by_bound, BarOrder::network),
               energy = bars(*analysis, BarKind::energy_by_level, BarOrder::sorted);
    const auto part = [](const Bars& shown, const std::string& series, std::size_t bar) {
      const auto at = std::find(shown.series.begin(), shown.series.end(), series) - shown.series.begin();
      return static_cast<std::size_t>(at) < shown.series.size() ? shown.parts[static_cast<std::size_t>(at)][bar] : 0;
    };
    for (std::size_t bar = 0; bar < time.rows.size(); ++bar) {
      const Json& layer = report.at("layers").at(time.rows[bar]);
      INFO(project.chip << ", " << layer.at("name"));
      REQUIRE(part(time, layer.at("bound"), bar) == same(repeated(layer, "latency_s")));
    }
    for (std::size_t bar = 0; bar < energy.rows.size(); ++bar) {
      const Json& layer = report.at("layers").at(energy.rows[bar]);
      INFO(project.chip << ", " << layer.at("name"));
      double total = 0;
      for (const std::vector<double>& values : energy.parts) total += values[bar];
      REQUIRE(total == same(repeated(layer, "energy_j")));
      const double repeat = layer.at("repeat").get<double>();
      const Json& by = layer.at("energy_by");
      REQUIRE(part(energy, "compute", bar) == same(repeat * by.at("compute_j").get<double>()));
      REQUIRE(part(energy, "links", bar) == same(repeat * by.at("link_j").get<double>()));
      REQUIRE(part(energy, "static", bar) == same(repeat * by.at("static_j").get<double>()));
      std::map<std::string, double> levels;
      for (const Json& row : layer.at("accesses")) levels[row.at("level")] += 1e-12 * row.at("energy_pj").get<double>();
      for (const auto& [level, joules] : levels)
        REQUIRE(part(energy, level, bar) == Approx(repeat * joules).epsilon(1e-9).margin(1e-24));
    }
  }
}

TEST_CASE("every dot of the roofline is its layer's intensity, rate and share of the time") {
  for (const Project& project : projects) {
    const AnalysisPtr analysis = analysed(project);
    const Json report = report_of(*analysis);
    const std::vector<RooflinePoint>& points = analysis->roofline.points;
    REQUIRE(points.size() == report.at("layers").size());
    const double whole = report.at("totals").at("latency_s").get<double>();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const Json& layer = report.at("layers").at(i);
      INFO(project.chip << ", " << layer.at("name"));
      REQUIRE(points[i].intensity == same(layer.at("arithmetic_intensity").get<double>()));
      REQUIRE(points[i].time_share == same(repeated(layer, "latency_s") / whole));
      REQUIRE(points[i].bound == layer.at("bound"));
      const double latency = layer.at("latency_s").get<double>();
      if (latency > 0) REQUIRE(points[i].operations_per_s == same(layer.at("flops").get<double>() / latency));
    }
  }
}

TEST_CASE("the first figures of an explanation are those of the report, layer by layer") {
  for (const Project& project : projects) {
    const AnalysisPtr analysis = analysed(project);
    const Json report = report_of(*analysis);
    WhyModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    const auto value = [&](int row) { return model.index(row, 1).data().toString().toStdString(); };
    model.show(explain(analysis->result, analysis->chip));
    REQUIRE(value(0) == human(Seconds{report.at("totals").at("latency_s").get<double>()}));
    REQUIRE(value(1) == human(Joules{report.at("totals").at("energy_j").get<double>()}));
    for (std::size_t i = 0; i < analysis->result.layers.size(); ++i) {
      const Json& layer = report.at("layers").at(i);
      INFO(project.chip << ", " << layer.at("name"));
      model.show(explain(analysis->result.layers[i], analysis->chip));
      REQUIRE(value(0) == human(Seconds{layer.at("latency_s").get<double>()}));
      REQUIRE(value(1) == human(Joules{layer.at("energy_j").get<double>()}));
    }
  }
}

}  // namespace
}  // namespace tilewright::gui
