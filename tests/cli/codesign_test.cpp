// A study of network and chip, its front, its pictures and what serving costs, as a user meets them.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

using tilewright::test::Outcome;
using tilewright::test::Scratch;

namespace {

Outcome program(const std::string& arguments) { return tilewright::test::tilewright(arguments); }

const std::string study =
    "study: own\nspace: own.yaml\naccuracy: {table: own.csv, score: top1}\nchips: [edge-systolic-16x16, "
    "raspberry-pi-4]\n"
    "objectives: {maximize: [accuracy], minimize: [latency]}\nbaseline: {arch: '32', chip: raspberry-pi-4}\n";
const std::string space = "space: own\nchoices: {n: [32, 64, 128]}\nworkload: 'gemm:m=16,k=16,n={n}'\ncode: '{n}'\n";

}  // namespace

TEST_CASE("a user's own space and table become a front that is explained, drawn and exported") {
  const Scratch scratch;
  scratch.file("own.yaml", space);
  scratch.file("own.csv", "arch,top1\n32,70\n64,75\n128,72\n");
  const std::string file = scratch.file("study.yaml", study), folder = scratch.path("results");
  REQUIRE(program("check " + file + " " + scratch.path("own.yaml")).code == 0);
  const Outcome sweep = program("sweep " + file + " -o " + folder + " --progress none");
  REQUIRE(sweep.code == 0);
  REQUIRE(sweep.out.find("6 of 6 points") != std::string::npos);

  const Outcome front = program("front " + folder);
  REQUIRE(front.code == 0);
  REQUIRE(front.out.find("arch 128") == std::string::npos);  // 64 is more accurate and less work
  REQUIRE(front.out.find("joint gains") != std::string::npos);
  const Outcome table = program("front " + folder + " --format csv");
  REQUIRE(table.out.starts_with("identity,point,"));
  const std::string identity = table.out.substr(table.out.find('\n') + 1, 10);
  const Outcome why = program("explain " + folder + " " + identity);
  REQUIRE(why.code == 0);
  REQUIRE(why.out.find("On the front") != std::string::npos);
  REQUIRE(program("explain " + folder + " nothing").code == 2);

  for (const std::string kind :
       {"pareto", "parallel", "tornado --metric latency", "heatmap --x chip --y arch --metric energy"}) {
    CAPTURE(kind);
    const Outcome plot = program("plot " + folder + " --kind " + kind);
    REQUIRE(plot.code == 0);
    REQUIRE(plot.out.starts_with("<svg"));
  }
  REQUIRE(program("plot " + folder + " --kind pie").code == 2);
  const Outcome page = program("export " + folder + " --format html");
  REQUIRE(page.out.starts_with("<!DOCTYPE html>"));
}

TEST_CASE("a point without a score is a row that says so, and a prediction needs to be asked for") {
  const Scratch scratch;
  scratch.file("own.yaml", space);
  scratch.file("own.csv", "arch,top1\n32,70\n");
  std::string all = study;
  all.replace(all.find("accuracy:"), 0, "architectures: all\n");
  const Outcome sweep =
      program("sweep " + scratch.file("study.yaml", all) + " -o " + scratch.path("results") + " --progress none");
  REQUIRE(sweep.code == 1);
  REQUIRE(sweep.out.find("2 done") != std::string::npos);
  REQUIRE(sweep.out.find("4 failed") != std::string::npos);
  REQUIRE(program("export " + scratch.path("results")).out.find("has no score for 64") != std::string::npos);
}

TEST_CASE("price counts devices, the energy bill and the price of a request") {
  const Outcome outcome = program(
      "price gemm:m=256,n=256,k=256 --chip a100-sxm4-80gb --format json --terms '{rent: 5 USD, electricity: 0.2 USD, "
      "tokens: 100}'");
  REQUIRE(outcome.code == 0);
  const nlohmann::json cost = nlohmann::json::parse(outcome.out)["results"][0];
  REQUIRE(cost["devices"] == 1);
  REQUIRE(cost["hardware_usd_per_hour"] == 5);
  REQUIRE(cost["usd_per_hour"].get<double>() > 5);
  REQUIRE(cost["usd_per_request"].get<double>() ==
          Approx(cost["usd_per_hour"].get<double>() / 3600 / cost["requests_per_s"].get<double>()));
  REQUIRE(cost["usd_per_million_tokens"].get<double>() == Approx(1e4 * cost["usd_per_request"].get<double>()));
  const Outcome wrong = program("price resnet18 --chip a100-sxm4-80gb --terms '{rnt: 5 USD}'");
  REQUIRE(wrong.code == 2);
}

TEST_CASE("the library's spaces are listed with their sizes") {
  const Outcome outcome = program("list spaces");
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.out.find("nasbench-macro") != std::string::npos);
  REQUIRE(outcome.out.find("6561") != std::string::npos);
}
