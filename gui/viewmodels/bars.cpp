#include "gui/viewmodels/bars.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

using Parts = std::vector<std::pair<std::string, double>>;

Parts time_parts(const LayerEvaluation& layer) { return {{layer.bound, layer.latency.value}}; }

Parts energy_parts(const LayerEvaluation& layer) {
  Parts parts;
  Joules levels;
  for (const auto& [level, energy] : energy_by_level(layer)) {
    parts.emplace_back(level, energy.value);
    levels += energy;
  }
  parts.emplace_back("compute", layer.energy.compute.value);
  parts.emplace_back("links", layer.energy.link.value);
  parts.emplace_back("static", layer.energy.static_.value);
  // What a family counts as memory beside its levels (neuron state, buffers of an engine).
  parts.emplace_back("other memory", std::max(0.0, (layer.energy.memory - levels).value));
  return parts;
}

}  // namespace

Bars bars(const Analysis& analysis, BarKind kind, BarOrder order) {
  const std::vector<LayerEvaluation>& layers = analysis.result.layers;
  std::vector<Parts> parts;
  std::vector<double> totals;
  for (const LayerEvaluation& layer : layers) {
    parts.push_back(kind == BarKind::time_by_bound ? time_parts(layer) : energy_parts(layer));
    double total = 0;
    for (auto& [name, value] : parts.back()) total += value *= static_cast<double>(layer.repeat);
    totals.push_back(total);
  }
  Bars result;
  result.rows.resize(layers.size());
  std::iota(result.rows.begin(), result.rows.end(), std::size_t{0});
  if (order == BarOrder::sorted) {
    std::stable_sort(result.rows.begin(), result.rows.end(),
                     [&](std::size_t a, std::size_t b) { return totals[a] > totals[b]; });
  }
  for (std::size_t b = 0; b < result.rows.size(); ++b) {
    for (const auto& [name, value] : parts[result.rows[b]]) {
      if (value <= 0) continue;
      auto s =
          static_cast<std::size_t>(std::find(result.series.begin(), result.series.end(), name) - result.series.begin());
      if (s == result.series.size()) {
        result.series.push_back(name);
        result.parts.emplace_back(result.rows.size(), 0.0);
      }
      result.parts[s][b] += value;
    }
  }
  return result;
}

}  // namespace tilewright::gui
