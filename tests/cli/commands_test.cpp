// Every command on real input, as a user types it.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/program.hpp"

using tilewright::test::Outcome;
using tilewright::test::Scratch;
using tilewright::test::slurp;
using Json = nlohmann::json;

namespace {

const std::string resnet = "workloads/models/resnet50.onnx";

Outcome tw(const std::string& arguments) { return tilewright::test::tilewright(arguments); }

double sum_of_kinds(const Json& by) {
  return by["compute_j"].get<double>() + by["memory_j"].get<double>() + by["link_j"].get<double>() +
         by["static_j"].get<double>();
}

void require_all_numbers_sound(const Json& json, const std::string& where) {
  if (json.is_number()) {
    INFO(where);
    REQUIRE(std::isfinite(json.get<double>()));
    REQUIRE(json.get<double>() >= 0);
  } else if (json.is_structured()) {
    for (const auto& [key, value] : json.items())
      require_all_numbers_sound(value, std::string(where).append("/").append(key));
  }
}

}  // namespace

TEST_CASE("run --format json prints one document of the published schema whose layers add up to the totals") {
  const Outcome outcome = tw("run " + resnet + " --chip all --format json");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json report = Json::parse(outcome.out);
  REQUIRE(report["schema"] == "tilewright.run/1");
  REQUIRE(report["request"]["workload"] == resnet);
  REQUIRE(report["results"].size() >= 20);
  std::set<std::string> families;
  for (const Json& result : report["results"]) {
    INFO(result["chip"]["name"]);
    families.insert(result["chip"]["family"]);
    REQUIRE(result["workload"]["macs"] == 4089184256);
    REQUIRE(result["workload"]["params"] == 25507944);
    for (const char* key : {"name", "family", "source"}) REQUIRE(result["chip"].contains(key));
    for (const char* key : {"engine", "objective", "energy_table", "validation", "totals", "layers"})
      REQUIRE(result.contains(key));
    const Json& totals = result["totals"];
    double latency = 0, cycles = 0, energy = 0, flops = 0;
    std::int64_t macs = 0;
    for (const Json& layer : result["layers"]) {
      INFO(layer["name"]);
      const double repeat = layer["repeat"].get<double>();
      for (const char* key : {"name", "op", "dims", "macs", "flops", "precision", "bound", "arithmetic_intensity",
                              "utilization", "optimality_gap", "mapping", "accesses"}) {
        REQUIRE(layer.contains(key));
      }
      REQUIRE(layer["latency_s"].get<double>() > 0);
      REQUIRE(layer["cycles"].get<double>() > 0);
      REQUIRE(layer["energy_j"].get<double>() > 0);
      REQUIRE(layer["utilization"].get<double>() <= 1.0 + 1e-9);
      REQUIRE(!layer["bound"].get<std::string>().empty());
      REQUIRE(!layer["mapping"].empty());
      REQUIRE(!layer["accesses"].empty());
      REQUIRE(sum_of_kinds(layer["energy_by"]) == Approx(layer["energy_j"].get<double>()).epsilon(1e-9));
      latency += repeat * layer["latency_s"].get<double>();
      cycles += repeat * layer["cycles"].get<double>();
      energy += repeat * layer["energy_j"].get<double>();
      flops += repeat * layer["flops"].get<double>();
      macs += layer["repeat"].get<std::int64_t>() * layer["macs"].get<std::int64_t>();
    }
    REQUIRE(macs == totals["macs"].get<std::int64_t>());
    REQUIRE(latency == Approx(totals["latency_s"].get<double>()).epsilon(1e-9));
    REQUIRE(cycles == Approx(totals["cycles"].get<double>()).epsilon(1e-9));
    REQUIRE(energy == Approx(totals["energy_j"].get<double>()).epsilon(1e-9));
    REQUIRE(flops == Approx(totals["flops"].get<double>()).epsilon(1e-9));
    REQUIRE(sum_of_kinds(totals["energy_by"]) == Approx(totals["energy_j"].get<double>()).epsilon(1e-9));
    for (const char* key : {"dram_bytes", "peak_memory_bytes", "utilization", "average_power_w", "throughput_per_s"}) {
      INFO(key);
      REQUIRE(totals[key].get<double>() > 0);
    }
  }
  REQUIRE(families == std::set<std::string>{"cpu", "fpga", "gpu", "neuromorphic", "systolic"});
  require_all_numbers_sound(report, "");
}

TEST_CASE("every kind of network has sound numbers on one chip of every kind") {
  for (const char* graph : {"mobilenet_v2", "llama7b_decode_p2047", "lstm_lm_t35_b20", "dlrm_small_b128",
                            "seqnas_enc4_t128", "resnet18_qdq_int8"}) {
    const Outcome outcome = tw(
        std::string("run workloads/models/") + graph +
        ".onnx --format json --chip xeon-8380,t4,zcu102-dpu,pynq-z2-streaming,tpu-v4i,eyeriss,truenorth,spinnaker-2");
    INFO(graph << outcome.err);
    REQUIRE(outcome.code == 0);
    const Json report = Json::parse(outcome.out);
    require_all_numbers_sound(report, graph);
    for (const Json& result : report["results"]) {
      INFO(result["chip"]["name"]);
      REQUIRE(result["totals"]["utilization"].get<double>() <= 1.0 + 1e-9);
      double latency = 0;
      for (const Json& layer : result["layers"]) {
        INFO(layer["name"]);
        REQUIRE(layer["latency_s"].get<double>() > 0);
        REQUIRE(layer["cycles"].get<double>() > 0.5);
        REQUIRE(layer["energy_j"].get<double>() > 0);
        REQUIRE(layer["utilization"].get<double>() <= 1.0 + 1e-9);
        REQUIRE(!layer["bound"].get<std::string>().empty());
        latency += layer["repeat"].get<double>() * layer["latency_s"].get<double>();
      }
      REQUIRE(latency == Approx(result["totals"]["latency_s"].get<double>()).epsilon(1e-9));
    }
  }
}

TEST_CASE("the report does not depend on the number of threads") {
  const std::string command =
      "run workloads/models/mobilenet_v2.onnx --chip a100-sxm4-80gb,eyeriss --format json --jobs ";
  REQUIRE(tw(command + "1").out == tw(command + "3").out);
}

TEST_CASE("run writes text, CSV and HTML, and -o leaves standard output empty") {
  const Outcome text = tw("run " + resnet + " --chip tpu-v1");
  REQUIRE(text.code == 0);
  REQUIRE(text.out.find("tpu-v1") != std::string::npos);
  REQUIRE(text.out.find("DRAM traffic") != std::string::npos);
  const Outcome csv = tw("run " + resnet + " --chip tpu-v1 --format csv");
  REQUIRE(csv.out.starts_with("workload,chip,family,layer,op,repeat,"));
  const Scratch scratch;
  const Outcome html = tw("run " + resnet + " --chip tpu-v1,loihi-2 --format html -o " + scratch.path("r.html"));
  REQUIRE(html.code == 0);
  REQUIRE(html.out.empty());
  const std::string page = slurp(scratch.path("r.html"));
  REQUIRE(page.find("<svg") != std::string::npos);
  REQUIRE(page.find("http://www.w3.org/2000/svg") != std::string::npos);
  REQUIRE(page.find("src=") == std::string::npos);  // self-contained
  REQUIRE(page.find("href=") == std::string::npos);
}

TEST_CASE("map prints the loop nest, the gap and the runners-up of one layer") {
  const Outcome outcome = tw("map gemm:m=512,n=384,k=256 --chip eyeriss --objective energy");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.out.find("for ") != std::string::npos);
  REQUIRE(outcome.out.find("above the lower bound") != std::string::npos);
  REQUIRE(outcome.out.find("runners-up") != std::string::npos);
}

TEST_CASE("map chooses a layer by name and names the nearest when it is mistyped") {
  REQUIRE(tw("map workloads/models/resnet18.onnx --layer /fc/Gemm --chip tpu-v1 --format json").code == 0);
  const Outcome wrong = tw("map workloads/models/resnet18.onnx --layer /fc/Gem --chip tpu-v1");
  REQUIRE(wrong.code == 2);
  REQUIRE(wrong.err.find("Did you mean '/fc/Gemm'?") != std::string::npos);
}

TEST_CASE("evaluate costs the mapping of a case file") {
  const Outcome outcome = tw("evaluate docs/examples/gemm_weight_stationary.yaml --format json");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json result = Json::parse(outcome.out);
  REQUIRE(result["points"] == 16 * 16 * 16);
  // Each of the three 16 x 16 matrices crosses DRAM once: K is summed over the rows of the array.
  for (const Json& row : result["accesses"]) {
    if (row["level"] != "DRAM") continue;
    INFO(row["tensor"]);
    if (row["tensor"] == "Z") {
      REQUIRE(row["updates"] == 256);
      REQUIRE(row["reads"] == 0);
    } else {
      REQUIRE(row["reads"] == 256);
    }
  }
}

TEST_CASE("roofline writes an SVG with one dot a layer") {
  const Outcome outcome = tw("roofline resnet18 --chip v100-sxm2-16gb");
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.out.starts_with("<svg"));
  REQUIRE(outcome.out.find("<circle") != std::string::npos);
}

TEST_CASE("list and show find everything that they name") {
  for (const char* what : {"chips", "workloads", "families", "engines", "energy-tables"}) {
    const Outcome outcome = tw(std::string("list ") + what);
    INFO(what << outcome.err);
    REQUIRE(outcome.code == 0);
    REQUIRE(!outcome.out.empty());
  }
  const Outcome chip = tw("show chip tpu-v1 --format json");
  REQUIRE(chip.code == 0);
  REQUIRE(Json::parse(chip.out)["family"] == "systolic");
  const Outcome workload = tw("show workload " + resnet + " --format json");
  REQUIRE(workload.code == 0);
  const Json graph = Json::parse(workload.out);
  REQUIRE(graph["macs"] == 4089184256);
  REQUIRE(graph["params"] == 25507944);
  REQUIRE(graph["peak_activation_bytes"].get<std::int64_t>() > 0);
  std::int64_t macs = 0;
  for (const Json& layer : graph["layers"])
    macs += layer["macs"].get<std::int64_t>() * layer["repeat"].get<std::int64_t>();
  REQUIRE(macs == 4089184256);
}

TEST_CASE("check accepts every chip of the library and every shipped graph") {
  const Outcome outcome =
      tw("check arch_models/chips/*.yaml arch_models/energy/*.yaml workloads/models/*.onnx docs/examples/*.yaml");
  INFO(outcome.out);
  REQUIRE(outcome.code == 0);
}

TEST_CASE("completion knows the commands and their options") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Outcome outcome = tw(std::string("completion ") + shell);
    REQUIRE(outcome.code == 0);
    REQUIRE(outcome.out.find("roofline") != std::string::npos);
    REQUIRE(outcome.out.find("objective") != std::string::npos);
  }
}

TEST_CASE("--help and --version exit with 0") {
  for (const char* arguments :
       {"--help", "--version", "run --help", "map --help", "evaluate --help", "roofline --help", "show --help"}) {
    INFO(arguments);
    REQUIRE(tw(arguments).code == 0);
  }
}

TEST_CASE("a precision that the chip lacks is a failed result, not a silent substitute") {
  const Outcome outcome = tw("run resnet18 --chip tpu-v1 --precision fp32 --format json");
  REQUIRE(outcome.code == 1);
  REQUIRE(Json::parse(outcome.out)["results"][0]["failure"].get<std::string>().find("int8") != std::string::npos);
}

TEST_CASE("run --residency says what staying on chip saves, the same for any number of jobs") {
  const std::string command =
      "run workloads/models/resnet18.onnx --chip zigzag-tpu-like --objective energy --format json";
  const Outcome one = tw(command + " --jobs 1");
  INFO(one.err);
  REQUIRE(one.code == 0);
  CHECK(tw(command + " --jobs 2").out == one.out);
  CHECK(tw(command + " --jobs 4").out == one.out);
  const Json on = Json::parse(one.out), none = Json::parse(tw(command + " --residency none").out);
  CHECK(on["request"]["residency"] == "on");
  CHECK(none["request"]["residency"] == "none");
  const Json& residency = on["results"][0]["residency"];
  CHECK_FALSE(none["results"][0].contains("residency"));
  CHECK(residency["level"] == "SRAM");
  CHECK(residency["proven"] == true);
  CHECK(residency["layer_by_layer"]["energy_j"].get<double>() ==
        Approx(none["results"][0]["totals"]["energy_j"].get<double>()));
  CHECK(residency["layer_by_layer"]["dram_bytes"] == none["results"][0]["totals"]["dram_bytes"]);
  const double saved =
      1 - on["results"][0]["totals"]["energy_j"].get<double>() / none["results"][0]["totals"]["energy_j"].get<double>();
  CHECK(residency["saving_pct"]["energy"].get<double>() == Approx(100 * saved));
  CHECK(saved > 0);
  for (const Json& layer : on["results"][0]["layers"]) CHECK(layer.contains("placement"));
  const Outcome wrong = tw("run gemm:m=8,n=8,k=8 --chip eyeriss --residency of");
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("on") != std::string::npos);
}
