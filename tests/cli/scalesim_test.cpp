// SCALE-Sim's files and the PE array from the command line.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

using tilewright::test::Outcome;
using tilewright::test::Scratch;
using tilewright::test::slurp;
using Json = nlohmann::json;

namespace {

Outcome tw(const std::string& arguments) { return tilewright::test::tilewright(arguments); }

const std::string examples = "docs/examples/scalesim/";
const std::string resnet18 = "run " + examples + "resnet18.csv --chip " + examples + "array_32x32_os.cfg ";

}  // namespace

TEST_CASE("a topology runs on a SCALE-Sim configuration with our own engine by default") {
  const Outcome own = tw(resnet18 + "--format json");
  INFO(own.err);
  REQUIRE(own.code == 0);
  const Json report = Json::parse(own.out);
  REQUIRE(report["results"][0]["chip"]["name"] == "array_32x32_os");
  REQUIRE(tw("check " + examples + "array_32x32_os.cfg").out == examples + "array_32x32_os.cfg: ok\n");
  REQUIRE_THAT(tw("show chip " + examples + "array_32x32_os.cfg").out, Catch::Contains("IfmapSRAM"));
}

TEST_CASE("the compatibility mode gives SCALE-Sim's cycles beside ours and says why they differ") {
  const Outcome text = tw(resnet18 + "--engine scalesim-v2");
  INFO(text.err);
  REQUIRE(text.code == 0);
  REQUIRE_THAT(text.out, Catch::Contains("158421"));  // Conv1: 392 x 2 folds of 147 + 32 + 32 - 2... lines, less 1
  REQUIRE_THAT(text.out, Catch::Contains("Why the two columns of cycles differ"));
  const Outcome user =
      tw("run " + examples + "resnet18.csv --chip " + examples + "array_32x32_os_10_words.cfg --engine scalesim-v2");
  REQUIRE(user.code == 0);
  REQUIRE_THAT(user.out, Catch::Contains("10 words a cycle for each operand") && Catch::Contains("interface each"));
}

TEST_CASE("the compatibility mode writes SCALE-Sim's three files, and a table of all figures") {
  const Scratch scratch;
  const Outcome files = tw(resnet18 + "--engine scalesim-v2 --format scalesim -o " + scratch.path("out"));
  INFO(files.err);
  REQUIRE(files.code == 0);
  REQUIRE(files.out.empty());
  for (const char* name : {"COMPUTE_REPORT.csv", "BANDWIDTH_REPORT.csv", "DETAILED_ACCESS_REPORT.csv"}) {
    const std::string report = slurp(scratch.path(std::string("out/") + name));
    REQUIRE(report.starts_with("LayerID, "));
    REQUIRE(std::count(report.begin(), report.end(), '\n') == 22);
  }
  REQUIRE_THAT(slurp(scratch.path("out/COMPUTE_REPORT.csv")), Catch::Contains("\n0, 158421, 0, 70.17298842956426, "));
  const Outcome csv = tw(resnet18 + "--engine scalesim-v2 --format csv");
  REQUIRE(std::count(csv.out.begin(), csv.out.end(), '\n') == 22);
  REQUIRE_THAT(csv.out, Catch::Contains(",dram_ifmap_start,dram_ifmap_stop,dram_ifmap_reads,"));
}

TEST_CASE("the compatibility mode says what it cannot take") {
  const auto refused = [](const std::string& arguments, const std::string& message) {
    const Outcome outcome = tw(arguments);
    INFO(outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Catch::Contains(message));
  };
  refused("run " + examples + "resnet18.csv --chip tpu-v1 --engine scalesim-v2", "takes one SCALE-Sim configuration");
  refused(resnet18 + "--engine scalesim-v2 --format scalesim", "name the folder");
  refused(resnet18 + "--engine scalesim-v2 --format html", "known: text, csv, scalesim");
  refused(resnet18 + "--engine scalesim-v3", "Did you mean 'scalesim-v2'?");
  refused("map gemm:m=4,n=4,k=4 --chip " + examples + "array_32x32_os.cfg --engine scalesim-v2", "tilewright run");
  refused("run workloads/models/resnet18.onnx --chip " + examples + "array_32x32_os.cfg --engine scalesim-v2",
          "SCALE-Sim knows no such layer");
  refused("run " + examples + "resnet18.csv --chip ./none.cfg", "none.cfg");
  const Scratch scratch;
  const std::string sparse = scratch.file("sparse.cfg", "[sparsity]\nSparsitySupport: true\n");
  refused("run " + examples + "resnet18.csv --engine scalesim-v2 --chip " + sparse, "turns on SparsitySupport");
  const std::string bad = scratch.file("bad.cfg", "[architecture_presets]\nArrayHeigth: 4\n");
  refused("run " + examples + "resnet18.csv --chip " + bad, "bad.cfg:2: architecture_presets.ArrayHeigth");
}

TEST_CASE("array multiplies on PEs and shows the wavefront") {
  const Outcome shown = tw("array gemm:m=6,n=4,k=4 --rows 4 --cols 4 --dataflow ws --show 6");
  INFO(shown.err);
  REQUIRE(shown.code == 0);
  REQUIRE_THAT(shown.out, Catch::Contains("cycle 5 (fold 0)\n  1  0  .  .\n  0  .  .  .\n"));
  REQUIRE_THAT(shown.out, Catch::Contains("cycles        16\n"));  // 6 + 2 x 4 + 4 - 2
  REQUIRE_THAT(shown.out, Catch::Contains("equal to the definition"));
  const Outcome bottom = tw("array gemm:m=4,n=4,k=8 --dataflow os --exit bottom");
  REQUIRE_THAT(bottom.out, Catch::Contains("cycles        18\n"));  // 8 + 2 x 4 + 4 - 2
}

TEST_CASE("array writes frames, a waveform and a picture") {
  const Scratch scratch;
  const Outcome outcome =
      tw("array gemm:m=3,n=2,k=2 --rows 2 --cols 2 --dataflow os --frames " + scratch.path("f.json") + " --vcd " +
         scratch.path("w.vcd") + " --svg " + scratch.path("w.svg"));
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json frames = Json::parse(slurp(scratch.path("f.json")));
  REQUIRE(frames["cycles"] == 8);  // 2 folds x (2 + 2 + 2 - 2)
  REQUIRE(frames["frames"].size() == 8);
  REQUIRE(frames["frames"][0]["pes"].size() == 4);
  REQUIRE(frames["frames"][0]["pes"][0][0] == "mac");
  REQUIRE(frames["product"].size() == 6);
  REQUIRE_THAT(slurp(scratch.path("w.vcd")), Catch::Contains("module pe_1_1 "));
  const std::string svg = slurp(scratch.path("w.svg"));
  REQUIRE(svg.starts_with("<svg"));
  REQUIRE_THAT(svg, Catch::Contains("cycle 7"));
}

TEST_CASE("array says what it cannot take") {
  for (const auto& [arguments, message] : {std::pair<std::string, std::string>{"resnet18", "multiplies two matrices"},
                                           {"gemm:m=4,n=4,k=4 --dataflow oss", "Did you mean 'os'?"},
                                           {"gemm:m=4,n=4,k=4 --exit bottom", "--dataflow os"},
                                           {"gemm:m=4,n=4,k=4 --rows 300 --cols 300", "65536"},
                                           {"gemm:m=5000,n=5000,k=5000 --rows 1 --cols 1", "million PE cycles"},
                                           {"gemm:m=99999999,n=4,k=4", "too large"},
                                           {"gemm:m=500,n=500,k=500 --frames /tmp/none.json", "PE states"},
                                           {"gemm:m=500,n=500,k=500 --vcd /tmp/none.vcd", "with a waveform"},
                                           {"gemm:m=4,n=4,k=4 --vcd /nowhere/w.vcd", "/nowhere"}}) {
    const Outcome outcome = tw("array " + arguments);
    INFO(arguments << ": " << outcome.err);
    REQUIRE(outcome.code == 2);
    REQUIRE_THAT(outcome.err, Catch::Contains(message));
  }
}
