#include "sim/study/metrics.hpp"

#include <array>
#include <cmath>

namespace tilewright {
namespace {

double number(const Value& text) { return text.as_number(0, 1e300); }

/// Part of the objective that the searches could not prove necessary, all layers.
double gap_of(const NetworkEvaluation& result) {
  double all = 0, unproven = 0;
  for (const LayerEvaluation& layer : result.layers) {
    const double time = layer.latency.value, energy = layer.energy.total().value;
    const double each = result.objective == Objective::latency  ? time
                        : result.objective == Objective::energy ? energy
                                                                : time * energy;
    all += static_cast<double>(layer.repeat) * each;
    unproven += static_cast<double>(layer.repeat) * each * layer.optimality_gap;
  }
  return all > 0 ? unproven / all : 0;
}

constexpr std::array metrics{
    Metric{"latency", "latency_s", [](const NetworkEvaluation& r, const Chip&) { return r.latency.value; },
           [](const Value& v) { return v.as_time().value; }},
    Metric{"energy", "energy_j", [](const NetworkEvaluation& r, const Chip&) { return r.energy.total().value; },
           [](const Value& v) { return v.as_energy().value; }},
    Metric{"edp", "edp_js",
           [](const NetworkEvaluation& r, const Chip&) { return r.latency.value * r.energy.total().value; }, number},
    Metric{"throughput", "throughput_per_s", [](const NetworkEvaluation& r, const Chip&) { return r.throughput_per_s; },
           number},
    Metric{"power", "average_power_w", [](const NetworkEvaluation& r, const Chip&) { return r.average_power.value; },
           [](const Value& v) { return v.as_power().value; }},
    Metric{"utilization", "utilization", [](const NetworkEvaluation& r, const Chip&) { return r.utilization; }, number},
    Metric{"dram", "dram_bytes", [](const NetworkEvaluation& r, const Chip&) { return r.dram.value; },
           [](const Value& v) { return v.as_bytes().value; }},
    Metric{"memory", "peak_memory_bytes",
           [](const NetworkEvaluation& r, const Chip&) { return static_cast<double>(r.peak_memory_bytes); },
           [](const Value& v) { return v.as_bytes().value; }},
    Metric{"macs", "macs", [](const NetworkEvaluation& r, const Chip&) { return static_cast<double>(r.macs); }, number},
    Metric{"params", "params", [](const NetworkEvaluation& r, const Chip&) { return static_cast<double>(r.params); },
           number},
    Metric{"area", "area_mm2",
           [](const NetworkEvaluation&, const Chip& chip) { return chip.area ? chip.area->value : no_figure; },
           [](const Value& v) { return v.as_area().value; }},
    Metric{"price", "price_usd",
           [](const NetworkEvaluation&, const Chip& chip) { return chip.price ? chip.price->value : no_figure; },
           [](const Value& v) { return v.as_price().value; }},
    Metric{"gap", "optimality_gap", [](const NetworkEvaluation& r, const Chip&) { return gap_of(r); }, number},
};

}  // namespace

std::span<const Metric> study_metrics() { return metrics; }

std::size_t metric_position(const Value& where, std::string_view name) {
  std::vector<std::string> known;
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    if (metrics[m].name == name) return m;
    known.emplace_back(metrics[m].name);
  }
  where.fail(unknown_message("metric", name, known));
}

}  // namespace tilewright
