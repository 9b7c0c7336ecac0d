// CSV: one row per layer and chip, units in the header.
#include <fmt/format.h>

#include "core/csv.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"

namespace tilewright {

std::string report_csv(const RunReport& report) {
  std::string csv =
      "workload,chip,family,layer,op,repeat,precision,macs,flops,latency_s,cycles,energy_j,compute_j,memory_j,link_j,"
      "static_j,"
      "bound,arithmetic_intensity_flop_per_byte,utilization,optimality_gap,stack,wait_s,band_pct,status\n";
  for (const NetworkEvaluation& network : report.results) {
    const std::string prefix =
        fmt::format("{},{},{}", csv_cell(network.workload), csv_cell(network.chip), csv_cell(network.family));
    if (!network.failure.empty()) {
      csv += fmt::format("{},,,,,,,,,,,,,,,,,,,,,{}\n", prefix, csv_cell(network.failure));
      continue;
    }
    for (const LayerEvaluation& layer : network.layers) {
      csv += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},ok\n", prefix,
                         csv_cell(layer.name), csv_cell(layer.op), layer.repeat, csv_cell(layer.precision), layer.macs,
                         layer.operations, layer.latency.value, layer.cycles.value, layer.energy.total().value,
                         layer.energy.compute.value, layer.energy.memory.value, layer.energy.link.value,
                         layer.energy.static_.value, csv_cell(layer.bound), layer.arithmetic_intensity,
                         layer.utilization, layer.optimality_gap, csv_cell(network.stack),
                         layer.library ? fmt::format("{}", layer.library->wait.value) : "",
                         layer.library && layer.library->band_pct ? fmt::format("{}", *layer.library->band_pct) : "");
    }
  }
  return csv;
}

}  // namespace tilewright
