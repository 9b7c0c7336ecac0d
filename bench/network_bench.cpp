// The plan of a whole network: layer by layer against residency and fusion. Counters: what is saved, and mappings searched.
#include <benchmark/benchmark.h>

#include "arch_models/load.hpp"
#include "sim/network/network.hpp"
#include "workloads/onnx/load.hpp"
#include "workloads/transform/transform.hpp"

namespace {

using namespace tilewright;

void plan_network(benchmark::State& state, const char* file, const char* chip_name, ResidencyOption residency) {
  const WorkloadGraph graph =
      fuse(set_precision(load_workload(TILEWRIGHT_MODELS + std::string("/") + file, {}), *precision_from("int8")),
           Fusion::normal);
  const Chip chip = load_chip(chip_name);
  NetworkOptions options;
  options.objective = Objective::energy;
  options.residency = residency;
  NetworkEvaluation network;
  for (auto _ : state) {
    network = evaluate_network(graph, chip, options);
    benchmark::DoNotOptimize(network);
  }
  state.counters["energy_pj"] = in_picojoules(network.energy.total());
  if (!network.residency) return;
  const Residency& r = *network.residency;
  state.counters["proven"] = r.proven ? 1 : 0;
  state.counters["searches"] = static_cast<double>(r.searches);
  state.counters["energy_saved_pct"] = 100 * (1 - network.energy.total() / r.energy);
  state.counters["dram_saved_pct"] = 100 * (1 - network.dram / r.dram);
}

}  // namespace

int main(int argc, char** argv) {
  struct Network {
    const char *name, *file;
  };
  struct Target {
    const char *name, *chip;
  };
  for (const Network& network :
       {Network{"resnet18", "resnet18.onnx"}, Network{"resnet50", "resnet50.onnx"},
        Network{"mobilenet_v2", "mobilenet_v2.onnx"}, Network{"bert", "bert_base_s128.onnx"}}) {
    for (const Target& target : {Target{"tpu_like", "zigzag-tpu-like"}, Target{"edge_systolic", "edge-systolic-16x16"},
                                 Target{"tpu_v1", "tpu-v1"}}) {
      const std::string name = std::string("network/") + network.name + "_" + target.name;
      const auto add = [&](const std::string& label, ResidencyOption residency) {
        benchmark::RegisterBenchmark(label.c_str(), plan_network, network.file, target.chip, residency)
            ->Unit(benchmark::kMillisecond);
      };
      add(name + "_layer_by_layer", ResidencyOption::none);
      add(name, ResidencyOption::on);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
