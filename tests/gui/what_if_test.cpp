// The quick answer while a slider moves, the waterfall, and the roofline's zones and paths, against the report of the same request.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/text_file.hpp"
#include "gui/viewmodels/knobs.hpp"
#include "gui/viewmodels/roofline_lines.hpp"
#include "gui/viewmodels/waterfall.hpp"
#include "sim/report/report.hpp"
#include "sim/twin/program.hpp"

namespace tilewright::gui {
namespace {

nlohmann::json report_of(const Analysis& analysis) {
  return nlohmann::json::parse(report_json({{}, {analysis.result}, {}})).at("results").at(0);
}

AnalysisPtr analysed(const Project& project) { return Analyser().analyse(project); }

const Project small{"mobilenet_v2", "edge-systolic-16x16", {}};

TEST_CASE("a quick answer is marked, has the layers of the report, and gives way to the searched one") {
  Analyser analyser;
  CHECK(analyser.preview(small) == nullptr);  // nothing is known yet
  const AnalysisPtr own = analyser.analyse(small);
  CHECK(own->searched);
  Project turned = small;
  turned.change("chip.levels.DRAM.bandwidth", "3.2 GB/s");
  const AnalysisPtr quick = analyser.preview(turned);
  REQUIRE(quick);
  CHECK_FALSE(quick->searched);
  CHECK(quick->result.latency > own->result.latency);
  const AnalysisPtr settled = analyser.analyse(turned);
  CHECK(settled->searched);
  CHECK(settled->result.latency <= quick->result.latency * (1 + 1e-12));
  CHECK(report_of(*settled) == report_of(*analysed(turned)));  // what was shown before leaves no trace
  REQUIRE(quick->result.layers.size() == settled->result.layers.size());
  for (std::size_t l = 0; l < quick->result.layers.size(); ++l)
    CHECK(quick->result.layers[l].name == settled->result.layers[l].name);
  CHECK(analyser.preview(turned)->result.latency == settled->result.latency);
}

TEST_CASE("a quick answer follows every slider, another network or an engine that plays has none") {
  Analyser analyser;
  const Project gemm{"gemm:m=64,n=64,k=64", "edge-systolic-16x16", {}};
  const AnalysisPtr own = analyser.analyse(gemm);
  for (const Knob& knob : knobs(*own)) {
    if (knob.key == "model.batch") continue;  // a product has none
    for (const std::string& value : {knob.values.front(), knob.values.back()}) {
      INFO(knob.key << " = " << value);
      Project turned = gemm;
      turned.change(knob.key, value);
      CHECK(analyser.preview(turned)->result.failure.empty());
    }
  }
  CHECK(analyser.preview(small) == nullptr);
  Project played = gemm;
  played.engine = Engine::systemc;
  CHECK(analyser.preview(played) == nullptr);
}

TEST_CASE("an analysis that is overtaken stops") {
  CHECK_THROWS_AS(Analyser().analyse({"resnet18", "zigzag-tpu-like", {}}, [] { return true; }), Stopped);
}

TEST_CASE("a waterfall leads from the peak to what the report achieved, and its parts add up") {
  Project played = small;
  played.engine = Engine::systemc;
  Project bound = small;
  bound.engine = Engine::roofline;
  for (const Project& project : {small, played, bound, Project{"resnet18", "a100-sxm4-80gb", {}},
                                 Project{"resnet18", "xeon-8380", {}}, Project{"resnet18", "pynq-z2-streaming", {}},
                                 Project{"resnet18", "zcu102-dpu", {}}, Project{"mobilenet_v2", "loihi-2", {}}}) {
    INFO(project.workload << " on " << project.chip);
    const AnalysisPtr analysis = analysed(project);
    const nlohmann::json report = report_of(*analysis);
    const auto fall = waterfall(*analysis);
    REQUIRE(fall);
    CHECK(fall->whole == Approx(report.at("totals").at("latency_s").get<double>()).epsilon(1e-9));
    CHECK(fall->operations == Approx(2 * report.at("totals").at("macs").get<double>()).epsilon(1e-9));
    double seconds = fall->ideal, rate = fall->peak;
    for (const WaterfallStep& step : fall->steps) {
      seconds += step.seconds;
      CHECK(step.before == Approx(rate).epsilon(1e-9));
      rate += step.after - step.before;
    }
    CHECK(seconds == Approx(fall->whole).epsilon(1e-9));
    CHECK(rate == Approx(fall->achieved).epsilon(1e-9));
    // The layers' own waterfalls add up to the network's.
    double ideal = 0, whole = 0;
    for (std::size_t row = 0; row < analysis->result.layers.size(); ++row) {
      if (const auto own = waterfall(*analysis, row)) {
        ideal += own->ideal;
        CHECK(own->whole == Approx(static_cast<double>(analysis->result.layers[row].repeat) *
                                   report.at("layers").at(row).at("latency_s").get<double>()));
      }
      whole += static_cast<double>(analysis->result.layers[row].repeat) * analysis->result.layers[row].latency.value;
    }
    CHECK(ideal == Approx(fall->ideal).epsilon(1e-9));
    CHECK(whole == Approx(fall->whole).epsilon(1e-9));
  }
}

TEST_CASE(
    "the peak of a waterfall is that of the lanes, and one product falls by the causes that can be counted by hand") {
  // 16 x 16 weights on 16 x 16 lanes, 1,000 rows: all lanes work, and what is left is start and DRAM.
  const AnalysisPtr full = analysed({"gemm:m=1000,n=16,k=16", "edge-systolic-16x16", {{"model.precision", "int8"}}});
  const auto fall = waterfall(*full);
  REQUIRE(fall);
  CHECK(fall->ideal == Approx(1000 / full->chip.clock.value));
  CHECK(fall->peak == Approx(full->roofline.peaks.front().operations_per_s));
  // 8 of 16 columns: half of the lanes stand idle, so the array alone takes as long again as all lanes would.
  Project half{"gemm:m=1000,n=8,k=16", "edge-systolic-16x16", {{"model.precision", "int8"}}};
  half.change("chip.levels.DRAM.bandwidth", "1000 GB/s");
  const AnalysisPtr narrow = analysed(half);
  const auto idle = waterfall(*narrow);
  REQUIRE(idle);
  CHECK(idle->peak == Approx(fall->peak));
  REQUIRE_FALSE(idle->steps.empty());
  CHECK(idle->steps.front().cause == LossCause::array);
  CHECK(idle->steps.front().seconds == Approx(idle->ideal));
}

TEST_CASE("a layer's path starts at the intensity of the report and divides by the bytes of each level") {
  for (const Project& project : {small, Project{"resnet18", "xeon-8380", {}}}) {
    const AnalysisPtr analysis = analysed(project);
    const nlohmann::json layers = report_of(*analysis).at("layers");
    for (std::size_t row = 0; row < layers.size(); ++row) {
      const RooflinePath path = roofline_path(*analysis, row);
      if (path.levels.empty()) continue;
      CHECK(path.rate == Approx(layers.at(row).at("flops").get<double>() / layers.at(row).at("latency_s").get<double>())
                             .epsilon(1e-9));
      CHECK(path.levels.front() == analysis->chip.levels.front().name);
      CHECK(path.intensity.front() == Approx(layers.at(row).at("arithmetic_intensity").get<double>()).epsilon(1e-9));
      // No level moves its bytes faster than its roof allows.
      for (std::size_t l = 0; l < path.levels.size(); ++l) {
        for (const RooflineCeiling& ceiling : analysis->roofline.ceilings) {
          if (ceiling.name == path.levels[l])
            CHECK(path.rate <= ceiling.bandwidth * path.intensity[l] * 2 * (1 + 1e-9));
        }
      }
    }
  }
}

TEST_CASE("zones lie between the ridges, and layers of two answers meet by name") {
  RooflinePlot plot;
  plot.ceilings = {{"DRAM", 10}, {"SRAM", 100}};
  plot.peaks = {{"fp16", 1000}};
  plot.points = {{"thin", 5, 25, 0.5, "memory:DRAM"}, {"thick", 200, 250, 0.5, "compute"}, {"none", 0, 0, 0, ""}};
  RooflineLines lines = roofline_lines(plot);
  REQUIRE(lines.zones.size() == 3);
  CHECK(lines.zones[0].kind == RooflineZone::Kind::below_all);
  CHECK(lines.zones[0].from == lines.intensity.least);
  CHECK(lines.zones[0].to == 10);  // 1000 / 100
  CHECK(lines.zones[1].kind == RooflineZone::Kind::between);
  CHECK(lines.zones[1].level == "DRAM");
  CHECK(lines.zones[1].to == 100);  // 1000 / 10
  CHECK(lines.zones[2].kind == RooflineZone::Kind::above_all);
  CHECK(lines.zones[2].to == lines.intensity.most);

  RooflinePlot other = plot;
  other.points = {{"none", 1, 1, 0.5, ""}, {"thick", 400, 500, 0.5, "compute"}};
  const std::vector<RooflineMove> moves = roofline_moves(plot, other);
  REQUIRE(moves.size() == 1);
  CHECK(moves[0].from == 1);
  CHECK(moves[0].to == 1);
  other.points = {{"far", 40000, 1, 1, ""}};
  widen(lines, roofline_lines(other));
  CHECK(lines.intensity.most > 40000);
  CHECK(lines.zones.back().to == lines.intensity.most);
}

/// A field of a protobuf message: a number, or bytes.
std::string field(int number, std::uint64_t value) {
  return {static_cast<char>(number << 3), static_cast<char>(value)};  // below 128
}
std::string field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}

/// y = relu(x) for x of [batch, tokens, 8]: ModelProto of ONNX, opset 13.
std::string open_model() {
  const std::string shape = field(1, field(2, "batch")) + field(1, field(2, "tokens")) + field(1, field(1, 8));
  const std::string type = field(1, field(1, 1) + field(2, shape));
  const std::string node = field(1, "x") + field(2, "y") + field(3, "relu") + field(4, "Relu");
  const std::string graph = field(1, node) + field(2, "g") + field(11, field(1, "x") + field(2, type)) +
                            field(12, field(1, "y") + field(2, type));
  return field(1, 7) + field(7, graph) + field(8, field(2, 13));
}

TEST_CASE("sizes that a file leaves open are bound, get a slider, and stand on the command line") {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("open_" + std::to_string(::getpid()) + ".onnx")).string();
  write_file(path, open_model());
  Analyser analyser;
  const Project asked{path, "edge-systolic-16x16", {}};
  const AnalysisPtr own = analyser.analyse(asked);
  CHECK(own->asked == asked);
  CHECK(own->project.value("model.batch") == "1");
  CHECK(own->project.value("model.set.tokens") == "128");
  CHECK(command_line(own->project, "p.yaml").find("--batch 1 --set tokens=128 ") != std::string::npos);
  const std::vector<Knob> all = knobs(*own);
  const auto tokens =
      std::find_if(all.begin(), all.end(), [](const Knob& knob) { return knob.key == "model.set.tokens"; });
  REQUIRE(tokens != all.end());
  CHECK(tokens->values[static_cast<std::size_t>(tokens->own)] == "128");
  Project longer = own->project;
  longer.change(tokens->key, "256");
  CHECK(analyser.analyse(longer)->result.operations == 2 * own->result.operations);
  std::filesystem::remove(path);
}

TEST_CASE("a generator has a slider for the length that its phase takes and its name leaves open") {
  const auto lengths = [](const std::string& workload) {
    std::vector<std::string> keys;
    for (const Knob& knob : knobs(*analysed({workload, "edge-systolic-16x16", {}}))) {
      if (knob.key == "model.seq" || knob.key == "model.context" || knob.key == "model.steps") keys.push_back(knob.key);
    }
    return keys;
  };
  CHECK(lengths("bert-base") == std::vector<std::string>{"model.seq"});
  CHECK(lengths("gpt2:phase=decode") == std::vector<std::string>{"model.context"});
  CHECK(lengths("lstm") == std::vector<std::string>{"model.steps"});
  CHECK(lengths("bert-base:seq=64").empty());
}

}  // namespace
}  // namespace tilewright::gui
