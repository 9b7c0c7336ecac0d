#include "sim/network/totals.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tilewright {

NetworkEvaluation heading(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options) {
  NetworkEvaluation result;
  result.workload = graph.name;
  result.workload_source = graph.source;
  result.chip = chip.name;
  result.family = chip.family;
  result.chip_source = chip.source;
  result.energy_table = chip.energy_table;
  result.validation = chip.validation;
  result.batch = graph.batch;
  result.macs = total_macs(graph);
  result.params = graph.weight_elements;
  result.layer_count = static_cast<std::int64_t>(graph.layers.size());
  result.engine = options.engine;
  result.objective = options.objective;
  return result;
}

std::string misfit(const std::string& layer, const Chip& chip, const Infeasible& why) {
  return fmt::format("layer {} does not fit on {}: {}: {}{}{}", layer, chip.name, why.level, why.reason,
                     why.remedy.empty() ? "" : "; ", why.remedy);
}

void sum_up(NetworkEvaluation& result, Bytes dram, Cycles ideal, Cycles work, const Pipeline& pipeline,
            const Chip& chip) {
  for (const LayerEvaluation& layer : result.layers) {
    const double times = static_cast<double>(layer.repeat);
    result.cycles += times * layer.cycles;
    result.latency += times * layer.latency;
    result.energy.compute += times * layer.energy.compute;
    result.energy.memory += times * layer.energy.memory;
    result.energy.link += times * layer.energy.link;
    result.energy.static_ += times * layer.energy.static_;
    result.operations += times * layer.operations;
  }
  result.dram = dram;
  if (work.value > 0) result.utilization = ideal / work;
  if (result.latency.value > 0) {
    const bool pipelined = pipeline.pace.value > 0;
    const Seconds interval = pipelined ? std::max(pipeline.pace, pipeline.in_turn) / chip.clock : result.latency;
    result.average_power = result.energy.total() / result.latency;
    const Watts limit = pipeline.chips * chip.tdp;
    if (limit.value > 0 && result.average_power > limit) {
      result.notes.push_back(
          fmt::format("average power {:.4g} W is above the limit of {:.4g} W: the chip would lower its clock, which is "
                      "not modelled",
                      result.average_power.value, limit.value));
    }
    result.throughput_per_s = static_cast<double>(result.batch) / interval.value;
  }
}

void total_up(NetworkEvaluation& result, TimedNetwork timed, const WorkloadGraph& graph, const Chip& chip) {
  const Pipeline pipeline = pipeline_of(timed.layers);
  if (pipeline.chips > 1) {
    result.notes.push_back(
        fmt::format("the network is resident on {:.0f} chips; static power is that of all of them", pipeline.chips));
  }
  result.layers.reserve(timed.layers.size());
  for (TimedLayer& t : timed.layers) {
    contribute(t.layer, contribution(t, pipeline), chip, pipeline.chips);
    result.layers.push_back(std::move(t.layer));
  }
  result.batch = graph.batch;
  sum_up(result, timed.dram, timed.ideal, timed.work, pipeline, chip);
}

}  // namespace tilewright
