// Every command on real input, as a user types it.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

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
    const auto number = json.get<double>();
    if (!std::isfinite(number) || number < 0) FAIL(where << ": " << number);  // a REQUIRE for each takes its time
  } else if (json.is_structured()) {
    for (const auto& [key, value] : json.items())
      require_all_numbers_sound(value, std::string(where).append("/").append(key));
  }
}

}  // namespace

TEST_CASE("run --format json prints one document of the published schema whose layers add up to the totals") {
#ifdef __SANITIZE_ADDRESS__  // one of each family: the others run through the same code
  const std::string chips = "epyc-7763,a100-sxm4-80gb,kv260-dpu,loihi-2,gemmini-16x16";
  constexpr std::size_t least = 5;
#else
  const std::string chips = "all";
  constexpr std::size_t least = 20;
#endif
  const Outcome outcome = tw("run " + resnet + " --chip " + chips + " --format json");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json report = Json::parse(outcome.out);
  REQUIRE(report["schema"] == "tilewright.run/1");
  REQUIRE(report["request"]["workload"] == resnet);
  REQUIRE(report["results"].size() >= least);
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
#ifdef __SANITIZE_ADDRESS__  // every network and every chip, but not every pair
  std::string chips = "xeon-8380,t4,zcu102-dpu,truenorth", others = "pynq-z2-streaming,tpu-v4i,eyeriss,spinnaker-2";
#else
  std::string chips = "xeon-8380,t4,zcu102-dpu,pynq-z2-streaming,tpu-v4i,eyeriss,truenorth,spinnaker-2", others = chips;
#endif
  for (const char* graph : {"mobilenet_v2", "llama7b_decode_p2047", "lstm_lm_t35_b20", "dlrm_small_b128",
                            "seqnas_enc4_t128", "resnet18_qdq_int8"}) {
    const Outcome outcome = tw(fmt::format("run workloads/models/{}.onnx --format json --chip {}", graph, chips));
    chips.swap(others);
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
  REQUIRE(text.out.find("most time bound by") != std::string::npos);
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

TEST_CASE(
    "run --set chip.PATH=VALUE gives the figures of a chip file with that value, and refuses what the file would") {
  const Scratch scratch;
  std::string chip = slurp(TILEWRIGHT_SOURCE_DIR "/arch_models/chips/edge-systolic-example.yaml");
  const std::string now = "12.8 GB/s";
  chip.replace(chip.find(now), now.size(), "3.2 GB/s");
  const auto totals = [](const std::string& options) {
    const Outcome outcome = tw("run gemm:m=64,n=64,k=64 --format json --chip " + options);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out)["results"][0]["totals"];
  };
  const Json set = totals("edge-systolic-example --set 'chip.levels.DRAM.bandwidth=3.2 GB/s'");
  CHECK(set == totals("'" + scratch.file("slow.yaml", chip) + "'"));
  CHECK(set != totals("edge-systolic-example"));
  const auto refused = [](const std::string& options) {
    const Outcome outcome = tw(options);
    CHECK(outcome.code == 2);
    return outcome.err;
  };
  const std::string run = "run gemm --chip edge-systolic-example --set ";
  CHECK(refused(run + "'chip.levels.DRAM.bandwith=1 GB/s'").find("bandwidth") != std::string::npos);
  CHECK(refused(run + "chip.levels.DRAM.bandwidth=1").find("GB/s") != std::string::npos);
  CHECK(refused(run + "chip.compute.rows=").find("chip.PATH=VALUE") != std::string::npos);
  CHECK(refused(run + "chip.compute.rows=8 chip.compute.rows=4").find("twice") != std::string::npos);
}

TEST_CASE("map prints the loop nest, the gap and the runners-up of one layer") {
  const Outcome outcome = tw("map gemm:m=512,n=384,k=256 --chip eyeriss --objective energy");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE(outcome.out.find("for ") != std::string::npos);
  REQUIRE(outcome.out.find("lower bound") != std::string::npos);
  REQUIRE(outcome.out.find("Runners-up") != std::string::npos);
}

TEST_CASE("map shows tiles, accesses, costs, the certificate, runners-up, the Pareto set and what one more buys") {
  const std::string command = "map gemm:m=256,n=256,k=256 --chip edge-systolic-example --pareto";
  const Outcome text = tw(command);
  INFO(text.err);
  REQUIRE(text.code == 0);
  for (const char* part :
       {"for ", "lower bound", "space of the bound: ", "Tiles of one instance", "occupancy",
        "Accesses of all instances, in words", "Time and energy", "Runners-up", "Latency-energy Pareto set",
        "What one more of a resource buys", "DRAM.bandwidth", "Buffer.capacity", "rows", "cols"}) {
    INFO(part);
    REQUIRE(text.out.find(part) != std::string::npos);
  }
  std::istringstream lines(text.out);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    REQUIRE(line.size() <= 120);
  }

  const Outcome json = tw(command + " --format json");
  REQUIRE(json.code == 0);
  const Json result = Json::parse(json.out)["results"][0];
  const Json kernel = result["map"]["kernels"][0];
  REQUIRE(kernel["cycles"] == result["layers"][0]["cycles"]);
  REQUIRE(kernel["code"].get<std::string>().find("for ") != std::string::npos);
  // The objective's value is above its bound by the gap.
  const Json& objective = kernel["objective"];
  REQUIRE(objective["name"] == "latency");
  REQUIRE(objective["value"].get<double>() == Approx(kernel["latency_s"].get<double>()).epsilon(1e-12));
  REQUIRE(objective["bound"].get<double>() ==
          Approx(objective["value"].get<double>() * (1 - objective["gap"].get<double>())).epsilon(1e-9));
  REQUIRE(!objective["space"].get<std::string>().empty());
  // Occupancy is what the tiles take of the capacity.
  double memory = 0;
  for (const Json& level : kernel["levels"]) {
    INFO(level["level"]);
    memory += level["energy_pj"].get<double>() * 1e-12;
    if (level["capacity_bytes"].is_null()) continue;
    REQUIRE(level["occupancy"].get<double>() ==
            Approx(level["used_bytes"].get<double>() / level["capacity_bytes"].get<double>()));
    REQUIRE(level["occupancy"].get<double>() <= 1.0);
  }
  REQUIRE(memory == Approx(kernel["energy_by"]["memory_j"].get<double>()).epsilon(1e-9));
  REQUIRE(!kernel["runners_up"].empty());
  // Along the set each point is slower and cheaper than the one before; its first point is not slower than the best found.
  const Json& pareto = kernel["pareto"];
  REQUIRE(!pareto.empty());
  REQUIRE(pareto[0]["latency_s"].get<double>() <= kernel["latency_s"].get<double>() * (1 + 1e-12));
  for (std::size_t i = 1; i < pareto.size(); ++i) {
    REQUIRE(pareto[i]["latency_s"].get<double>() >= pareto[i - 1]["latency_s"].get<double>());
    REQUIRE(pareto[i]["energy_j"].get<double>() < pareto[i - 1]["energy_j"].get<double>());
  }
}

TEST_CASE("what one more buys is the difference to the same question on the changed chip") {
  const Scratch scratch;
  const std::string chip = slurp(TILEWRIGHT_SOURCE_DIR "/arch_models/chips/edge-systolic-example.yaml");
  const auto asked = [&](const std::string& text, const std::string& name) {
    const Outcome outcome = tw("map gemm:m=200,n=200,k=200 --format json --chip '" + scratch.file(name, text) + "'");
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out)["results"][0];
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = chip;
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
  };
  const Json now = asked(chip, "now.yaml");
  struct Step {
    std::string resource, from, to;
  };
  for (const Step& step : {Step{"rows", "rows: 16", "rows: 17"}, Step{"cols", "cols: 16", "cols: 17"},
                           Step{"DRAM.bandwidth", "12.8 GB/s", "13.8 GB/s"}}) {
    INFO(step.resource);
    const Json changed = asked(with(step.from, step.to), step.resource + ".yaml");
    bool found = false;
    for (const Json& row : now["map"]["one_more"]) {
      if (row["resource"] != step.resource) continue;
      found = true;
      const double then = changed["totals"]["latency_s"].get<double>();
      REQUIRE(row["latency_s"].get<double>() == Approx(then).epsilon(1e-9));
      REQUIRE(row["latency_change_s"].get<double>() ==
              Approx(then - now["totals"]["latency_s"].get<double>()).margin(1e-15));
    }
    REQUIRE(found);
  }
}

TEST_CASE("map shows the reads of overlapping windows merged and unmerged") {
  // Rows P + R lie on a diagonal of the array: of p x r of them p + r - 1 differ, and the buffer's inputs are read for each PE.
  const std::string asked = "map conv2d:c=16,h=18,w=18,k=16 --chip eyeriss ";
  CHECK(tw(asked + "--effort quick").out.find("reads with the overlaps of neighbours merged: GlobalBuffer inputs ") !=
        std::string::npos);
  const Json kernel = Json::parse(tw(asked + "--format json").out)["results"][0]["map"]["kernels"][0];
  std::map<std::string, double> bounds;  // of the loops in space
  for (const Json& level : kernel["mapping"]) {
    for (const Json& loop : level["loops"]) {
      if (loop["kind"] != "temporal") bounds[loop["dim"]] = loop["bound"];
    }
  }
  const double p = bounds["P"], r = bounds["R"];
  REQUIRE(p * r > p + r - 1);
  double apart = 0, together = 0;  // rows for all 16 rows of results, the last tile may be short
  for (double first = 0; first < 16; first += p) {
    const double rows = std::min(p, 16 - first);
    apart += rows * r;
    together += rows + r - 1;
  }
  bool found = false;
  for (const Json& row : kernel["accesses"]) {
    if (row["level"] != "GlobalBuffer" || row["tensor"] != "inputs") continue;
    found = true;
    const double merged = row["reads"].get<double>() * together / apart;
    CHECK(kernel["merged_reads"][0] == Json{{"level", "GlobalBuffer"}, {"tensor", "inputs"}, {"reads", merged}});
  }
  CHECK(found);
  CHECK_FALSE(
      Json::parse(tw("map gemm:m=8,n=8,k=8 --chip eyeriss --format json").out)["results"][0]["map"]["kernels"][0]
          .contains("merged_reads"));
}

TEST_CASE("a slack of latency (--latency-slack) takes the cheapest mapping within it and shows both proofs") {
  const std::string asked = "map gemm:m=200,n=200,k=200 --chip edge-systolic-example --effort thorough ";
  const auto kernel = [&](const std::string& options) {
    const Outcome outcome = tw(asked + "--format json " + options);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out)["results"][0]["map"]["kernels"][0];
  };
  const Json exact = kernel(""), slack = kernel("--latency-slack 5");
  CHECK(kernel("--latency-slack 0") == exact);
  CHECK_FALSE(exact.contains("slack"));
  CHECK(slack["slack"]["fastest_s"] == exact["latency_s"]);
  CHECK(slack["slack"]["fastest_energy_j"] == exact["energy_j"]);
  CHECK(slack["objective"] == exact["objective"]);
  CHECK(slack["latency_s"].get<double>() <= 1.05 * exact["latency_s"].get<double>());
  CHECK(slack["energy_j"].get<double>() <= exact["energy_j"].get<double>());
  CHECK(slack["slack"]["energy_bound_j"].get<double>() <= slack["energy_j"].get<double>());
  CHECK(tw(asked + "--latency-slack 5").out.find("within the slack") != std::string::npos);

  const Outcome energy = tw(asked + "--latency-slack 5 --objective energy");
  CHECK(energy.code == 2);
  CHECK(energy.err.find("--objective latency") != std::string::npos);
  CHECK(tw(asked + "--latency-slack 5 --uneven").code == 2);
  CHECK(tw(asked + "--latency-slack -1").code == 2);
}

TEST_CASE("a mapping written as a case file is read back with the same figures") {
  const Scratch scratch;
  struct Request {
    std::string workload, chip;
  };
  for (const Request& request :
       {Request{"workloads/models/resnet18.onnx --layer /conv1/Conv", "eyeriss"},
        Request{"workloads/models/mobilenet_v2.onnx --layer /features/features.1/conv/conv.0/conv.0.0/Conv", "tpu-v1"},
        Request{"workloads/models/bert_base_s128.onnx --fuse none --layer /n/ReduceMean", "xeon-8380"},
        Request{"gemm:m=100,n=60,k=36", "a100-sxm4-80gb"}}) {
    INFO(request.workload << " on " << request.chip);
    const std::string file = scratch.path("case.yaml");
    const std::string map = fmt::format("map {} --chip {} --effort quick", request.workload, request.chip);
    const Outcome written = tw(fmt::format("{} --format yaml -o '{}'", map, file));
    INFO(written.err);
    REQUIRE(written.code == 0);
    REQUIRE(written.out.empty());
    const Outcome read = tw("evaluate '" + file + "' --format json");
    INFO(read.err);
    REQUIRE(read.code == 0);
    const Json given = Json::parse(read.out);
    const Json found = Json::parse(tw(map + " --format json").out)["results"][0]["map"]["kernels"];
    const Json* main = &found[0];
    for (const Json& kernel : found) {
      if (kernel["points"] > (*main)["points"]) main = &kernel;
    }
    for (const char* key :
         {"dims", "points", "cycles", "energy_j", "energy_by", "bounds", "compute", "levels", "accesses", "code"}) {
      INFO(key);
      REQUIRE(given[key] == (*main)[key]);
    }
  }
}

TEST_CASE("a case file beside a chip of one's own names it by a path from the case's folder") {
  const Scratch scratch;
  const std::string chip =
      scratch.file("mine.yaml", slurp(TILEWRIGHT_SOURCE_DIR "/arch_models/chips/edge-systolic-example.yaml"));
  const std::string file = scratch.path("case.yaml");
  REQUIRE(tw("map gemm:m=32,n=32,k=32 --chip '" + chip + "' --format yaml -o '" + file + "'").code == 0);
  REQUIRE(slurp(file).find("chip: \"mine.yaml\"") != std::string::npos);
  REQUIRE(tw("evaluate '" + file + "'").code == 0);
  REQUIRE(tw("check '" + file + "'").code == 0);
}

TEST_CASE("a layer or a mapping that does not fit says what, where, by how much and what would help") {
  const Scratch scratch;
  std::string chip = slurp(TILEWRIGHT_SOURCE_DIR "/arch_models/chips/edge-systolic-example.yaml");
  const std::string capacity = "capacity: 256 KiB";
  REQUIRE(chip.find(capacity) != std::string::npos);
  chip.replace(chip.find(capacity), capacity.size(),
               "capacity: 2 B, read_energy: {value: 1 pJ, per: 64 bit, source: example}");
  const std::string small = scratch.file("small.yaml", chip);
  const std::string map = "map gemm:m=64,n=64,k=64 --chip '" + small + "'";
  const Outcome text = tw(map);
  INFO(text.out << text.err);
  REQUIRE(text.code == 1);
  REQUIRE(text.out.find("does not fit on edge-systolic-example: Buffer: ") != std::string::npos);
  REQUIRE(text.out.find("B too much") != std::string::npos);
  REQUIRE(tw(map + " --format yaml").code == 1);
  const Outcome json = tw(map + " --format json");
  REQUIRE(json.code == 1);
  const Json why = Json::parse(json.out)["results"][0]["infeasible"];
  REQUIRE(why["level"] == "Buffer");
  REQUIRE(why["available"] == 2);
  REQUIRE(why["missing"].get<double>() == why["needed"].get<double>() - 2);
  // The change that is named is enough.
  std::string larger = chip;
  larger.replace(larger.find("capacity: 2 B"), 13, "capacity: " + std::to_string(why["needed"].get<int>()) + " B");
  REQUIRE(tw("map gemm:m=64,n=64,k=64 --chip '" + scratch.file("larger.yaml", larger) + "'").code == 0);

  // Two levels that are too small are named together.
  std::string both = slurp(TILEWRIGHT_SOURCE_DIR "/arch_models/chips/eyeriss.yaml");
  for (const std::string& size : {std::string("capacity: 100 KiB"), std::string("capacity: 24 B")}) {
    REQUIRE(both.find(size) != std::string::npos);
    both.replace(both.find(size), size.size(),
                 "capacity: 1 B, read_energy: {value: 1 pJ, per: 16 bit, source: example}");
  }
  const Outcome two = tw("map gemm:m=8,n=8,k=8 --chip '" + scratch.file("two.yaml", both) + "'");
  INFO(two.out << two.err);
  REQUIRE(two.code == 1);
  // A word of inputs (2 B) and of outputs in the buffer, a word of inputs in the pad.
  REQUIRE(two.out.find("GlobalBuffer needs 4 B instead of 1 B, and InputSpad needs 2 B instead of 1 B") !=
          std::string::npos);

  // 16 x 16 words of A, B (int8) and Z (int32) are 1536 B; the buffer of this copy holds 1000.
  std::string tight = slurp(TILEWRIGHT_SOURCE_DIR "/arch_models/chips/edge-systolic-example.yaml");
  tight.replace(tight.find(capacity), capacity.size(),
                "capacity: 1000 B, read_energy: {value: 1 pJ, per: 64 bit, source: example}");
  scratch.file("tight.yaml", tight);
  std::string given = slurp(TILEWRIGHT_SOURCE_DIR "/docs/examples/gemm_weight_stationary.yaml");
  given.replace(given.find("edge-systolic-example"), 21, "tight.yaml");
  const std::string file = scratch.file("case.yaml", given);
  const Outcome refused = tw("evaluate '" + file + "'");
  INFO(refused.out << refused.err);
  REQUIRE(refused.code == 1);
  REQUIRE(refused.out.find("Buffer: the tiles need 1536 B (double buffered), the capacity is 1000 B: 536 B too much; a "
                           "capacity of 1536 B at Buffer (+536 B) would hold them") != std::string::npos);
  const Outcome document = tw("evaluate '" + file + "' --format json");
  REQUIRE(document.code == 1);
  const Json status = Json::parse(document.out);
  REQUIRE(status["status"] == "infeasible");
  REQUIRE(status["infeasible"]["missing"] == 536);
}

TEST_CASE("map chooses a layer by name and names the nearest when it is mistyped") {
  REQUIRE(tw("map workloads/models/resnet18.onnx --layer /fc/Gemm --chip tpu-v1 --format json").code == 0);
  const Outcome wrong = tw("map workloads/models/resnet18.onnx --layer /fc/Gem --chip tpu-v1");
  REQUIRE(wrong.code == 2);
  REQUIRE(wrong.err.find("Did you mean '/fc/Gemm'?") != std::string::npos);
  const Outcome fused = tw("map workloads/models/resnet18.onnx --layer /relu/Relu --chip tpu-v1");
  REQUIRE(fused.code == 2);
  REQUIRE(fused.err.find("fused into the layer before it; --fuse none keeps it apart") != std::string::npos);
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
  for (const char* what : {"chips", "workloads", "families", "engines", "energy-tables", "suites"}) {
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

TEST_CASE("help and version exit with 0") {
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

TEST_CASE("validate mapping passes on the project's own cases and exits with 1 when a count differs") {
  const Outcome own = tw("validate mapping --format json");
  INFO(own.err);
  REQUIRE(own.code == 0);
  const Json result = Json::parse(own.out);
  REQUIRE(result["suite"] == "mapping");
  REQUIRE(result["pass"] == true);
  REQUIRE(result["groups"].size() == 16);
  REQUIRE(result["groups"][0]["keys"]["case"] == "*");
  REQUIRE(result["groups"][0]["n"].get<int>() > 1000);
  REQUIRE(result["groups"][0]["mismatches"] == 0);
  REQUIRE(result["groups"][0]["first_mismatch"].is_null());

  const Scratch scratch;
  std::string cases = slurp(TILEWRIGHT_SOURCE_DIR "/validation/measured/mapping/timeloop_cases.json");
  const std::string reads = "\"reads_per_instance\": 48";  // of the weights of the first case, in its buffer
  cases.replace(cases.find(reads), reads.size(), "\"reads_per_instance\": 47");
  const std::string file = scratch.file("cases.json", cases);
  const Outcome changed = tw("validate mapping --data '" + file + "'");
  REQUIRE(changed.code == 1);
  REQUIRE(changed.out.find("00-model-conv1d-1level Buffer Weights reads: ours 48, theirs 47") != std::string::npos);
  REQUIRE(changed.out.find("FAIL") != std::string::npos);
  const Outcome json = tw("validate mapping --format json --data '" + file + "'");
  REQUIRE(json.code == 1);
  REQUIRE(Json::parse(json.out)["groups"][0]["mismatches"] == 1);
}

TEST_CASE("run --residency says what staying on chip saves, the same for any number of jobs") {
  const std::string command =
      "run workloads/models/resnet18.onnx --chip zigzag-tpu-like --objective energy --format json";
  const Outcome one = tw(command + " --residency on --jobs 1");
  INFO(one.err);
  REQUIRE(one.code == 0);
  CHECK(tw(command + " --residency on --jobs 2").out == one.out);
  CHECK(tw(command + " --residency on --jobs 4").out == one.out);
  const Json on = Json::parse(one.out), none = Json::parse(tw(command).out);
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

TEST_CASE("imported measurements are what validate gpu reads") {
  const Scratch scratch;
  const std::string trace = scratch.file("t.json",
                                         R"({"deviceProperties": [{"id": 0, "name": "NVIDIA L4"}], "traceEvents": [
 {"cat": "cpu_op", "name": "aten::mm", "args": {"External id": 1, "Input Dims": [[4096, 4096], [4096, 4096]], "Input type": ["float", "float"]}},
 {"cat": "kernel", "name": "sm80_xmma_gemm_f32f32_tf32f32_f32_tn", "dur": 4000, "args": {"device": 0, "External id": 1}}]})");
  const std::string folder = scratch.path("mine");
  const Outcome imported = tw("import '" + trace + "' -o '" + folder + "'");
  INFO(imported.err);
  REQUIRE(imported.code == 0);
  REQUIRE(imported.out.find("gemm.csv: 1 rows") != std::string::npos);
  const Outcome again = tw("import '" + trace + "' -o '" + folder + "'");
  REQUIRE(again.code == 2);
  REQUIRE(again.err.find("stands there already") != std::string::npos);
  const Outcome validated = tw("validate gpu --data '" + folder + "'");
  INFO(validated.out << validated.err);
  REQUIRE(validated.code <= 1);  // the verdict on one made-up row does not matter here
  REQUIRE(validated.out.find("gemm.csv:2 L4 tf32 batch 1 m 4096 n 4096 k 4096 TN") != std::string::npos);
}

TEST_CASE("run on a GPU names its software stack, explains each layer's time and gives the error to expect") {
  const Outcome outcome =
      tw("run workloads/models/resnet18.onnx --chip t4,tpu-v1 --precision int8 --stack tensorrt --format json");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json run = Json::parse(outcome.out);
  CHECK(run["request"]["stack"] == "tensorrt");
  CHECK(run["request"]["fuse"] == "attention");
  const Json &gpu = run["results"][0], &tpu = run["results"][1];
  CHECK(gpu["stack"]["name"] == "tensorrt");
  CHECK(gpu["validation"]["band_pct"].is_number());
  CHECK(!tpu.contains("stack"));
  CHECK(tpu["validation"]["status"] == "not validated");
  CHECK(tpu["validation"]["band_pct"].is_null());
  for (const Json& layer : gpu["layers"]) {
    const Json& t = layer["time_by"];
    const double sum =
        t["bound_s"].get<double>() + t["rest_s"].get<double>() + t["start_s"].get<double>() + t["wait_s"].get<double>();
    CHECK(sum == Approx(layer["latency_s"].get<double>()));
  }
  const Outcome mapped = tw("run workloads/models/resnet18.onnx --chip t4 --stack none --format json");
  CHECK(Json::parse(mapped.out)["results"][0]["validation"]["status"] == "not validated");
  const Outcome wrong = tw("run workloads/models/resnet18.onnx --chip t4 --stack tensort");
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("tensorrt") != std::string::npos);
  CHECK(tw("run workloads/models/resnet18.onnx --chip t4 --stack pytorch --engine roofline").code == 2);
}

TEST_CASE("run --dispatch is what the user's host spends on an operator") {
  const auto on_host = [](const std::string& dispatch) {
    const Outcome outcome =
        tw("run gpt2:phase=decode,context=64 --chip h100-sxm5-80gb --stack pytorch --format json" + dispatch);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out);
  };
  const Json own = on_host(" --dispatch '100 us'");
  CHECK(own["request"]["dispatch"] == "100 us");
  CHECK(own["results"][0]["stack"]["includes"].get<std::string>().ends_with("100 us an operator"));
  // Nothing but the host: 100 us for each operator, the last kernel and 20 us at the end.
  std::int64_t operators = 0;
  for (const Json& layer : own["results"][0]["layers"]) operators += layer["repeat"].get<std::int64_t>();
  const double latency = own["results"][0]["totals"]["latency_s"].get<double>();
  CHECK(latency > 100e-6 * static_cast<double>(operators));
  CHECK(latency < 100e-6 * static_cast<double>(operators) + 200e-6);
  CHECK(on_host("")["request"]["dispatch"] == "40 us");
  for (const char* wrong : {"20", "-1us", "'2 s'", "soon"})
    CHECK(tw("run gpt2 --chip t4 --stack pytorch --dispatch " + std::string(wrong)).code == 2);
  CHECK(tw("run gpt2 --chip t4 --dispatch 20us").code == 2);  // a CUDA graph has no host between its kernels
}

TEST_CASE("run --train adds a training step, its memory and its GPUs") {
  const Outcome outcome = tw(
      "run llama-7b:phase=prefill,seq=128 --chip a100-sxm4-80gb --precision fp16 --train adam --gpus 4 --format json");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json step = Json::parse(outcome.out)["results"][0]["training"];
  CHECK(step["link"] == "NVLink 3");
  const Json& memory = step["memory"];
  const double states = memory["weights_bytes"].get<double>() + memory["gradients_bytes"].get<double>() +
                        memory["master_bytes"].get<double>() + memory["optimizer_bytes"].get<double>();
  CHECK(states == Approx(107.8e9).epsilon(0.001));
  CHECK(memory["gpus"] == 2);
  CHECK(tw("run resnet18 --chip t4 --gpus 4").code == 2);
  CHECK(tw("run resnet18 --chip t4 --train adam --fuse default").code == 2);
  CHECK(tw("run resnet18 --chip t4 --train lion").code == 2);
  const Outcome twice = tw("run gpt2:phase=train --chip t4 --train adam");
  CHECK(twice.code == 2);
  CHECK_THAT(twice.err, Catch::Contains("holds a backward pass already"));
  // 16 bytes for each of 6.74 billion parameters: 108 GB
  CHECK_THAT(outcome.out, Catch::Contains("data parallel keeps all of it on each"));
}

TEST_CASE("run --parallel tensor shares every layer among GPUs, in inference and training") {
  const std::string decode = "run llama-7b:phase=decode,context=127,batch=4 --chip a100-sxm4-80gb --format json";
  const Json alone = Json::parse(tw(decode).out)["results"][0];
  const Outcome outcome = tw(decode + " --gpus 4 --parallel tensor");
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json shared = Json::parse(outcome.out)["results"][0];
  CHECK(shared["parallel"]["link"] == "NVLink 3");
  CHECK(shared["parallel"]["shared_products"] == 32 * 7 + 1);
  CHECK(shared["totals"]["macs"].get<double>() == Approx(alone["totals"]["macs"].get<double>() / 4));
  CHECK(shared["parallel"]["memory_bytes"].get<double>() ==
        Approx(alone["totals"]["peak_memory_bytes"].get<double>() / 4).epsilon(0.01));
  CHECK(shared["totals"]["chips_for_memory"] == 1);
  double latency = 0;
  for (const Json& layer : shared["layers"])
    latency += layer["repeat"].get<double>() * layer["latency_s"].get<double>();
  CHECK(latency == Approx(shared["totals"]["latency_s"].get<double>()));
  CHECK(shared["parallel"]["board_energy_j"].get<double>() ==
        Approx(4 * shared["totals"]["board_energy_j"].get<double>()));
  CHECK(alone["totals"]["board_energy_per_sample_j"].get<double>() ==
        Approx(alone["totals"]["board_energy_j"].get<double>() / 4));

  const Outcome heads = tw("run gpt2 --chip t4 --gpus 8 --parallel tensor");
  CHECK(heads.code == 2);
  CHECK_THAT(heads.err, Catch::Contains("12 (heads") && Catch::Contains("among 8 GPUs"));
  const Outcome family = tw("run gpt2 --chip tpu-v1 --gpus 4 --parallel tensor");
  CHECK(family.code == 2);
  CHECK_THAT(family.err, Catch::Contains("tpu-v1 is of family systolic"));
  CHECK(tw("run gpt2 --chip t4 --gpus 4 --parallel tensor --stack none").code == 2);

  const Outcome train =
      tw("run gpt2:seq=64 --chip t4 --gpus 4 --parallel tensor --train adam --epoch 1001 --batch 2 --format json");
  INFO(train.err);
  REQUIRE(train.code == 0);
  const Json step = Json::parse(train.out)["results"][0]["training"];
  CHECK(step["parallel"] == "tensor");
  CHECK(step["exchange_s"].get<double>() > 0);
  CHECK(step["epoch"]["steps"] == 501);  // two samples a step
  CHECK(step["epoch"]["board_energy_j"].get<double>() == Approx(501 * step["board_energy_j"].get<double>()));
  CHECK(tw("run gpt2 --chip t4 --epoch 10").code == 2);
}
