// The writers on a small hand-made result.
#include "sim/report/report.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/csv.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/svg.hpp"
#include "sim/report/table.hpp"

using namespace tilewright;

namespace {

/// A 2 x 3 x 4 product: 24 MACs, A 8, B 12 and Z 6 words, each moved once between DRAM and the lanes.
LayerEvaluation product_layer() {
  Evaluation evaluation;
  evaluation.problem.dims = {{"M", 2}, {"N", 3}, {"K", 4}};
  evaluation.problem.operands = {{"inputs", Role::input, DataType::int8, {{{0, 1}}, {{2, 1}}}, 1.0},
                                 {"weights", Role::weight, DataType::int8, {{{2, 1}}, {{1, 1}}}, 1.0},
                                 {"outputs", Role::output, DataType::int32, {{{0, 1}}, {{1, 1}}}, 1.0}};
  evaluation.mapping.levels = {
      {{{0, 2, LoopKind::temporal}, {1, 3, LoopKind::spatial_x}, {2, 4, LoopKind::temporal}}, {true, true, true}}};
  evaluation.counts.points = 24;
  evaluation.counts.levels = {{{.kept = true, .tile_words = 8, .utilized_instances = 1, .reads = 8, .delivered = 8},
                               {.kept = true, .tile_words = 12, .utilized_instances = 1, .reads = 12, .delivered = 12},
                               {.kept = true, .tile_words = 6, .utilized_instances = 1, .updates = 6, .delivered = 6}}};
  evaluation.levels = {{"DRAM", Bytes{44}, Cycles{11}, picojoules(26), {picojoules(8), picojoules(12), picojoules(6)}}};
  evaluation.bounds = {{"compute", Cycles{24}}, {"memory:DRAM", Cycles{11}}};
  evaluation.cycles = Cycles{24};
  evaluation.energy = {picojoules(24), picojoules(26), {}, picojoules(50)};
  LayerEvaluation layer;
  layer.name = "fc \"one\", <a&b>";
  layer.op = "Gemm";
  layer.repeat = 2;
  layer.kernels.emplace_back(evaluation, 1);
  layer.macs = 24;
  layer.operations = 48;
  layer.precision = "int8";
  layer.cycles = Cycles{24};
  layer.latency = Seconds{24e-9};
  layer.energy = evaluation.energy;
  layer.bound = "compute";
  layer.arithmetic_intensity = 48.0 / 44.0;
  layer.utilization = 1.0;
  return layer;
}

RunReport small_report() {
  NetworkEvaluation network;
  network.workload = "small";
  network.chip = "tiny";
  network.family = "systolic";
  network.energy_table = "horowitz-2014";
  network.validation = "not validated";
  network.macs = 48;
  network.layer_count = 2;
  network.layers = {product_layer()};
  network.latency = Seconds{48e-9};
  network.cycles = Cycles{48};
  network.energy = {picojoules(48), picojoules(52), {}, picojoules(100)};
  network.operations = 96;
  network.dram = Bytes{88};
  network.utilization = 1.0;
  NetworkEvaluation refused = network;
  refused.chip = "smaller";
  refused.failure = "layer fc needs 44 bytes, Buffer has 40";
  RunReport report;
  report.request.fields = {{"workload", "small"}, {"chips", "tiny,smaller"}};
  report.results = {network, refused};
  report.rooflines = {{"small on tiny", {{"DRAM", 4e9}}, {{"int8", 2e9}}, {{"fc <a&b>", 1.09, 1e9, 1.0, "compute"}}}};
  return report;
}

}  // namespace

TEST_CASE("the JSON report keeps every figure and says why a chip failed") {
  const auto json = nlohmann::json::parse(report_json(small_report()));
  REQUIRE(json["schema"] == "tilewright.run/1");
  const auto& layer = json["results"][0]["layers"][0];
  REQUIRE(layer["name"] == "fc \"one\", <a&b>");
  REQUIRE(layer["dims"] == nlohmann::json{{"M", 2}, {"N", 3}, {"K", 4}});
  REQUIRE(layer["mapping"][0]["loops"][1] == nlohmann::json{{"dim", "N"}, {"bound", 3}, {"kind", "spatial_x"}});
  REQUIRE(layer["accesses"][2]["updates"] == 6);
  REQUIRE(layer["accesses"][1]["energy_pj"].get<double>() == Approx(12));
  REQUIRE(json["results"][0]["totals"]["energy_by"]["static_j"].get<double>() == Approx(100e-12));
  REQUIRE(json["results"][0]["totals"]["energy_by_level_j"]["DRAM"].get<double>() == Approx(52e-12));  // two executions
  REQUIRE(json["results"][1]["failure"] == "layer fc needs 44 bytes, Buffer has 40");
  REQUIRE(!json["results"][1].contains("totals"));
}

TEST_CASE("the CSV report has one row a layer, quotes names, and keeps failed chips as rows") {
  const CsvTable table = parse_csv(report_csv(small_report()), "report.csv");
  REQUIRE(table.rows.size() == 2);
  REQUIRE(table.text(table.rows[0], table.column("layer")) == "fc \"one\", <a&b>");
  REQUIRE(table.integer(table.rows[0], table.column("repeat"), 1, 100) == 2);
  REQUIRE(table.number(table.rows[0], table.column("energy_j")) == Approx(100e-12));
  REQUIRE(table.text(table.rows[1], table.column("status")) == "layer fc needs 44 bytes, Buffer has 40");
}

TEST_CASE("the HTML report escapes names and needs nothing from outside") {
  const std::string html = report_html(small_report());
  REQUIRE(html.find("<a&b>") == std::string::npos);
  REQUIRE(html.find("&lt;a&amp;b&gt;") != std::string::npos);
  REQUIRE(html.find("src=") == std::string::npos);
  REQUIRE(html.find("layer fc needs 44 bytes") != std::string::npos);
}

TEST_CASE("the text report compares the chips and names those that cannot run the network") {
  const std::string text = report_text(small_report());
  REQUIRE(text.find("tiny") != std::string::npos);
  REQUIRE(text.find("smaller: layer fc needs 44 bytes") != std::string::npos);
  REQUIRE(text.find("compute 100 %") != std::string::npos);
}

TEST_CASE("a roofline draws a line per ceiling and peak and a circle per layer") {
  const std::string svg = roofline_svg(small_report().rooflines.front());
  REQUIRE(svg.starts_with("<svg"));
  REQUIRE(svg.ends_with("</svg>\n"));
  REQUIRE(svg.find("DRAM 4 GB/s") != std::string::npos);
  REQUIRE(svg.find("fc &lt;a&amp;b&gt;") != std::string::npos);
}

TEST_CASE("a sentence breaks between words and its further lines are indented") {
  REQUIRE(paragraph("one two three", 2, 9) == "one two\n  three\n");
  REQUIRE(paragraph("short", 2, 9) == "short\n");
  REQUIRE(paragraph("unbreakable", 2, 5) == "unbreakable\n");
  REQUIRE(paragraph("unbreakable words here", 0, 5) == "unbreakable\nwords\nhere\n");
}

TEST_CASE("no line of the text report is wider than a terminal of 120 columns") {
  RunReport report = small_report();
  report.results[0].notes = {std::string(100, 'a') + " " + std::string(100, 'b')};
  report.results[1].failure = "does not fit because " + std::string(90, 'c') + " is more than " + std::string(40, 'd');
  std::istringstream lines(report_text(report));
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    REQUIRE(line.size() <= 120);
  }
}

TEST_CASE("quantities are shown with three digits and the right prefix") {
  REQUIRE(human(Seconds{0.0012345}) == "1.23 ms");
  REQUIRE(human(Joules{0}) == "0 J");
  REQUIRE(human(Bytes{999.9}) == "1 kB");
  REQUIRE(human_count(4089184256) == "4.09 G");
  REQUIRE(human_count(12) == "12");
  REQUIRE(human_size(Bytes{448}) == "448 B");
  REQUIRE(human_size(Bytes{1536}) == "1.5 KiB");
  REQUIRE(human_size(Bytes{40.0 * 1024 * 1024}) == "40 MiB");
}

TEST_CASE("time by bound sums to one and puts the largest first") {
  const auto shares = time_by_bound(small_report().results.front());
  REQUIRE(shares.size() == 1);
  REQUIRE(shares.front().first == "compute");
  REQUIRE(shares.front().second == Approx(1.0));
}

TEST_CASE("a table aligns its columns and long lists break between their parts") {
  Table table({"level", "<tensor", "reads"});
  table.add({"DRAM", "A", "12"});
  table.add({"Buffer", "weights", "3"});
  REQUIRE(table.text() ==
          "level   tensor   reads\n"
          "----------------------\n"
          "DRAM    A           12\n"
          "Buffer  weights      3\n");
  REQUIRE(wrapped("> ", {"aaaa", "bbbb", "cccc"}, ", ", 4, 13) == "> aaaa, bbbb,\n    cccc\n");
  REQUIRE(wrapped("> ", {"aaaa", "bbbb", "cccc"}, ", ", 4, 12) == "> aaaa,\n    bbbb,\n    cccc\n");
  REQUIRE(wrapped("", {"a part that is longer than the line"}, " ", 0, 10) == "a part that is longer than the line\n");
}

TEST_CASE("what one more of a resource buys: gains, losses, nothing, and what no longer runs") {
  LayerMap map;
  map.result = small_report().results.front();
  map.one_more = {
      {"rows", "2", "3", Seconds{9e-9}, Seconds{-1e-9}, picojoules(110), picojoules(10), ""},
      {"Buffer.capacity", "1 KiB", "2 KiB", Seconds{10e-9}, {}, picojoules(100), {}, ""},
      {"cols", "4", "5", {}, {}, {}, {}, "does not fit"},
  };
  Chip chip;
  chip.name = "tiny";
  chip.clock = Hertz{1e9};
  const std::string text = map_text(map, chip);
  REQUIRE(text.find("rows        2     3     9 ns  -10.00 %  110 pJ  +10.00 %") != std::string::npos);
  REQUIRE(text.find("buys nothing: Buffer.capacity (1 KiB -> 2 KiB)\n") != std::string::npos);
  REQUIRE(text.find("cols 4 -> 5: does not fit") != std::string::npos);
  const auto json = nlohmann::json::parse(map_json({}, {map}, {chip}));
  const auto& rows = json["results"][0]["map"]["one_more"];
  REQUIRE(rows[0]["latency_change_s"].get<double>() == Approx(-1e-9));
  REQUIRE(rows[0]["buys_nothing"] == false);
  REQUIRE(rows[1]["buys_nothing"] == true);
  REQUIRE(rows[2]["failure"] == "does not fit");
}

TEST_CASE("an infeasible mapping says what is missing and the way out in text and JSON") {
  const Infeasible why{"Buffer", "the tiles need 90 B, the capacity is 64 B", 90, 64, "26 B more"};
  REQUIRE(infeasible_text(why) == "Buffer: the tiles need 90 B, the capacity is 64 B; 26 B more");
  const Chip chip;
  const auto json = nlohmann::json::parse(infeasible_json(why, chip));
  REQUIRE(json["status"] == "infeasible");
  REQUIRE(json["infeasible"]["missing"] == 26);
  REQUIRE(json["infeasible"]["remedy"] == "26 B more");
}
