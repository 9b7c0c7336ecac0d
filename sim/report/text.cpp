// Reports for a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"
#include "sim/report/table.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {
namespace {

std::string main_bound(const NetworkEvaluation& network) {
  const auto bounds = time_by_bound(network);
  return fmt::format("{} {:.0f} %", bounds.front().first, 100 * bounds.front().second);
}

std::string comparison(const RunReport& report) {
  Table table(
      {"chip", "<family", "latency", "cycles", "energy", "power", "samples/s", "util", "DRAM", "<most time bound by"});
  std::string failures;
  for (const NetworkEvaluation& network : report.results) {
    if (!network.failure.empty()) {
      failures += paragraph(fmt::format("{}: {}", network.chip, network.failure), 2);
      continue;
    }
    table.add({network.chip, network.family, human(network.latency), human_count(network.cycles.value),
               human(network.energy.total()), human(network.average_power), human_count(network.throughput_per_s),
               percent(network.utilization), human(network.dram), main_bound(network)});
  }
  return table.text() + (failures.empty() ? "" : "\nNot runnable:\n" + failures);
}

std::string energy_line(const NetworkEvaluation& network) {
  const Joules total = network.energy.total();
  std::vector<std::string> parts{fmt::format("arithmetic {}", percent(network.energy.compute / total)),
                                 fmt::format("static {}", percent(network.energy.static_ / total)),
                                 fmt::format("links {}", percent(network.energy.link / total))};
  for (const auto& [level, energy] : energy_by_level(network))
    parts.push_back(fmt::format("{} {}", level, percent(energy / total)));
  return wrapped(fmt::format("{}: energy {}: ", network.chip, human(total)), parts, ", ", 2);
}

/// The layers that take most of the time, each with its bound, the reason and its tiling.
std::string slowest_layers(const NetworkEvaluation& network, std::size_t most) {
  std::vector<const LayerEvaluation*> layers;
  for (const LayerEvaluation& layer : network.layers) layers.push_back(&layer);
  const auto time = [](const LayerEvaluation* layer) { return static_cast<double>(layer->repeat) * layer->latency; };
  std::ranges::stable_sort(layers, std::greater{}, time);
  std::string out;
  for (std::size_t i = 0; i < std::min(most, layers.size()); ++i) {
    const LayerEvaluation& layer = *layers[i];
    const Evaluation& main = main_kernel(layer);
    out += paragraph(
        fmt::format("  {} of the time: {} ({}) x{}, bound by {}; compute: {}", percent(time(&layer) / network.latency),
                    layer.name, layer.op, layer.repeat, layer.bound, main.compute.why),
        6);
    out += wrapped("      ", tiling_in_short(main), " | ", 8);
  }
  return out;
}

std::string layer_table(const NetworkEvaluation& network) {
  Table table({"layer", "<op", "x", "MACs", "latency", "time", "energy", "util", "gap", "<bound", "<on chip"});
  std::string tilings;
  for (const LayerEvaluation& layer : network.layers) {
    table.add({layer.name, layer.op, std::to_string(layer.repeat),
               layer.macs == 0 ? "-" : human_count(static_cast<double>(layer.macs)), human(layer.latency),
               percent(static_cast<double>(layer.repeat) * (layer.latency / network.latency)),
               human(layer.energy.total()), percent(layer.utilization), percent(layer.optimality_gap), layer.bound,
               placement_in_short(layer)});
    tilings += wrapped(fmt::format("  {}  ", layer.name), tiling_in_short(main_kernel(layer)), " | ", 6);
  }
  return table.text() + "\nTiling, outermost level first\n" + tilings;
}

/// Where the simulated cycles went, layer by layer.
std::string parts_table(const NetworkEvaluation& network) {
  Table table(
      {"layer", "cycles", "compute", "overhead", "fill", "drain", "wait DRAM", "contention", "wait buffer", "idle"});
  const auto cycles = [](Cycles value) { return fmt::format("{:.12g}", value.value); };
  for (const LayerEvaluation& layer : network.layers) {
    if (!layer.parts) return "";
    table.add({layer.name, cycles(layer.cycles), cycles(layer.parts->compute), cycles(layer.parts->overhead),
               cycles(layer.parts->fill), cycles(layer.parts->drain), cycles(layer.parts->dram),
               cycles(layer.parts->contention), cycles(layer.parts->buffer), cycles(layer.parts->idle)});
  }
  return "\n" + table.text();
}

/// The explanation of a kernel without its times.
std::string kernel_in_short(const std::string& why) { return why.substr(0, why.find(';')); }

/// Where the time goes on a software stack, layer by layer.
std::string library_table(const NetworkEvaluation& network) {
  if (network.stack.empty()) return "";
  Table table({"layer", "latency", "bound", "rest", "start", "wait", "board", "error", "<kernel"});
  for (const LayerEvaluation& layer : network.layers) {
    if (!layer.library) continue;
    const LibraryTime& t = *layer.library;
    table.add({layer.name, human(layer.latency), human(t.limit), human(t.rest), human(t.start), human(t.wait),
               human(t.board), t.band_pct ? fmt::format("{:.0f} %", *t.band_pct) : "-",
               kernel_in_short(main_kernel(layer).compute.why)});
  }
  return "\nTime by part: the bound, what does not overlap with it, start-up, waits for the host\n" + table.text();
}

}  // namespace

std::string report_text(const RunReport& report) {
  std::string out;
  if (report.results.empty()) return out;
  const NetworkEvaluation& first = report.results.front();
  out += fmt::format("{} (batch {}): {} MACs, {} parameters, {} layers; engine {}, objective {}\n\n", first.workload,
                     first.batch, human_count(static_cast<double>(first.macs)),
                     human_count(static_cast<double>(first.params)), first.layer_count, name(first.engine),
                     name(first.objective));
  out += comparison(report);
  for (const NetworkEvaluation& network : report.results) {
    if (!network.failure.empty()) continue;
    out += "\n" + energy_line(network);
    if (network.parallel) out += paragraph("  " + parallel_in_words(network), 4);
    if (network.training) out += paragraph("  " + training_in_words(network), 4);
    if (network.residency) out += paragraph(fmt::format("  {}", residency_in_words(network)), 4);
    if (!network.stack.empty()) out += paragraph("  " + stack_in_words(network), 4);
    out += paragraph(fmt::format("  energies of table {}; {}", network.energy_table, validation_in_words(network)), 2);
    for (const std::string& note : network.notes) out += paragraph("  note: " + note, 4);
    out += report.results.size() == 1 ? "\n" + layer_table(network) + parts_table(network) + library_table(network)
                                      : slowest_layers(network, 2);
  }
  return out;
}

std::string chip_text(const Chip& chip) {
  std::string out = paragraph(fmt::format("{} ({}): {}", chip.name, chip.family, chip.summary), 2) +
                    paragraph("source: " + chip.source, 2) + paragraph("validation: " + chip.validation, 2);
  out += fmt::format("clock {:.6g} MHz, {} lanes, {:.3g} nm, static power {}, TDP {}, energy table {}\n\n",
                     chip.clock.value / 1e6, chip.lanes(), chip.technology_nm, human(chip.static_power),
                     human(chip.tdp), chip.energy_table);
  Table levels({"level", "capacity", "instances", "bandwidth of one", "read", "write", "access"});
  std::string sources;
  for (const BufferLevel& level : chip.levels) {
    const bool limited = level.bandwidth.value > 0;
    levels.add({level.name, level.capacity ? human_size(*level.capacity) : "unbounded", std::to_string(level.instances),
                limited ? human(Bytes{(level.bandwidth * chip.clock).value}) + "/s" : "-", human(level.read_energy),
                human(level.write_energy), level.access_bits > 0 ? fmt::format("{} bit", level.access_bits) : "word"});
    sources += paragraph(fmt::format("  {}: {}", level.name, level.energy_source), 4);
  }
  out += levels.text() + "energies of an access from\n" + sources + "\n";
  Table arithmetic({"format", "peak op/s", "energy per MAC", "<source"});
  for (const auto& [type, lane] : chip.arithmetic) {
    arithmetic.add(
        {std::string(name(type)), human_count(peak_operations(chip, type)), human(lane.energy_per_mac), lane.source});
  }
  out += arithmetic.text();
  out += fmt::format("\nvector path: {:.6g} fp32 op/cycle, {} per op; {}\n", chip.vector.ops_per_cycle_fp32,
                     human(chip.vector.energy_per_op), chip.vector.source);
  if (chip.area) out += fmt::format("area {:.6g} mm2\n", chip.area->value);
  if (chip.price) out += fmt::format("price {:.6g} USD\n", chip.price->value);
  return out;
}

std::string workload_text(const WorkloadGraph& graph) {
  std::string out = fmt::format(
      "{}: {} MACs, {} parameters, {} layers, batch {}, peak activations {}\nsource: {}\n\n", graph.name,
      human_count(static_cast<double>(total_macs(graph))), human_count(static_cast<double>(graph.weight_elements)),
      graph.layers.size(), graph.batch, human(Bytes{static_cast<double>(peak_activation_bytes(graph))}), graph.source);
  Table table({"layer", "<op", "x", "MACs", "<sizes", "<format"});
  for (const LayerGroup& group : merge_repeats(graph)) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(group.layer)];
    const std::vector<Kernel> kernels = lower(graph, layer);
    std::string sizes;
    for (const Dim& dim : kernels.front().problem.dims)
      sizes += fmt::format("{}{}={}", sizes.empty() ? "" : " ", dim.name, dim.bound);
    const std::int64_t work = macs(layer);
    table.add({layer.name, layer.op, std::to_string(group.repeat),
               work == 0 ? "-" : human_count(static_cast<double>(work)), sizes,
               std::string(name(compute_format(kernels.front().problem)))});
  }
  out += table.text();
  out += fmt::format("\n{} free views (Reshape and the like)\n", graph.views.size());
  for (const std::string& node : graph.unmodelled) out += fmt::format("not modelled, traffic only: {}\n", node);
  return out;
}

}  // namespace tilewright
