#include "sim/cost/roofline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sim/cost/cost_model.hpp"

namespace tilewright {

double attainable(double peak, double intensity, double bandwidth) { return std::min(peak, intensity * bandwidth); }

double peak_operations(const Chip& chip, DataType type) {
  const auto found = chip.arithmetic.find(type);
  if (found == chip.arithmetic.end()) return 0.0;
  return 2.0 * static_cast<double>(chip.lanes()) * found->second.macs_per_cycle * chip.clock.value;
}

double level_bandwidth(const Chip& chip, std::size_t level) {
  const BufferLevel& l = chip.levels[level];
  return l.bandwidth.value <= 0 ? 0.0 : static_cast<double>(l.instances) * (l.bandwidth * chip.clock).value;
}

RooflinePlot roofline_plot(const NetworkEvaluation& network, const Chip& chip) {
  RooflinePlot plot;
  plot.title = fmt::format("{} on {}", network.workload, network.chip);
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    const double bandwidth = level_bandwidth(chip, l);
    if (bandwidth > 0) plot.ceilings.push_back({chip.levels[l].name, bandwidth});
  }
  std::set<DataType> used;
  for (const LayerEvaluation& layer : network.layers) {
    for (const auto& [evaluation, repeat] : layer.kernels) {
      for (const Operand& operand : evaluation.problem.operands) used.insert(operand.type);
    }
  }
  for (const auto& [type, arithmetic] : chip.arithmetic) {
    if (!used.empty() && !used.contains(type)) continue;
    plot.peaks.push_back({std::string(name(type)), peak_operations(chip, type)});
  }
  if (plot.peaks.empty()) {
    for (const auto& [type, arithmetic] : chip.arithmetic)
      plot.peaks.push_back({std::string(name(type)), peak_operations(chip, type)});
  }
  for (const LayerEvaluation& layer : network.layers) {
    const double repeats = static_cast<double>(layer.repeat);
    RooflinePoint point{layer.name, layer.arithmetic_intensity, 0.0, 0.0, layer.bound};
    if (layer.latency.value > 0) point.operations_per_s = layer.operations / layer.latency.value;
    if (network.latency.value > 0) point.time_share = repeats * layer.latency.value / network.latency.value;
    plot.points.push_back(std::move(point));
  }
  return plot;
}

RooflineVerdict roofline(const Problem& problem, double peak_operations_per_s, double bandwidth_bytes_per_s) {
  const double per_point = problem.compute == Compute::mac ? 2.0 : problem.ops_per_point;  // one MAC is two operations
  const double operations = per_point * static_cast<double>(problem.points());
  double bytes = 0;
  for (const Operand& operand : problem.operands) {
    bytes += static_cast<double>(touched_words(problem, operand)) * bits(operand.type) / 8.0;
  }
  RooflineVerdict verdict;
  verdict.intensity = operations / bytes;
  verdict.ridge = peak_operations_per_s / bandwidth_bytes_per_s;
  verdict.attainable = attainable(peak_operations_per_s, verdict.intensity, bandwidth_bytes_per_s);
  verdict.memory_bound = verdict.intensity < verdict.ridge;
  verdict.memory_time = Seconds{bytes / bandwidth_bytes_per_s};
  verdict.compute_time = Seconds{operations / peak_operations_per_s};
  return verdict;
}

}  // namespace tilewright
