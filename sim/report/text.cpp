// Reports for a terminal.
#include <fmt/format.h>

#include <algorithm>

#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {
namespace {

/// Left-aligned first column, the others right-aligned unless they start with '<'.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  std::string text() const {
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], cell(row[i]).size());
    }
    std::string out;
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      std::string line;
      for (std::size_t i = 0; i < rows_[r].size(); ++i) {
        const bool left = i == 0 || rows_.front()[i].starts_with('<');
        line += left ? fmt::format("{:<{}}", cell(rows_[r][i]), widths[i])
                     : fmt::format("{:>{}}", cell(rows_[r][i]), widths[i]);
        if (i + 1 < rows_[r].size()) line += "  ";
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
      if (r == 0) out += std::string(line.size(), '-') + "\n";
    }
    return out;
  }

 private:
  static std::string_view cell(std::string_view text) { return text.starts_with('<') ? text.substr(1) : text; }
  std::vector<std::vector<std::string>> rows_;
};

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// "not validated; because ..." without its explanation.
std::string short_status(const std::string& validation) { return validation.substr(0, validation.find(';')); }

std::string main_bound(const NetworkEvaluation& network) {
  const auto bounds = time_by_bound(network);
  return fmt::format("{} {:.0f} %", bounds.front().first, 100 * bounds.front().second);
}

std::string comparison(const RunReport& report) {
  Table table({"chip", "<family", "latency", "cycles", "energy", "power", "samples/s", "utilisation", "DRAM traffic",
               "<most time bound by", "<energy table", "<validation"});
  std::string failures;
  for (const NetworkEvaluation& network : report.results) {
    if (!network.failure.empty()) {
      failures += fmt::format("{}: {}\n", network.chip, network.failure);
      continue;
    }
    table.add({network.chip, network.family, human(network.latency), human_count(network.cycles.value),
               human(network.energy.total()), human(network.average_power),
               fmt::format("{:.4g}", network.throughput_per_s), percent(network.utilization), human(network.dram),
               main_bound(network), network.energy_table, short_status(network.validation)});
  }
  return table.text() + (failures.empty() ? "" : "\nNot runnable:\n" + failures);
}

std::string energy_line(const NetworkEvaluation& network) {
  const Joules total = network.energy.total();
  std::string line = fmt::format("energy {}: arithmetic {}, static {}, links {}", human(total),
                                 percent(network.energy.compute / total), percent(network.energy.static_ / total),
                                 percent(network.energy.link / total));
  for (const auto& [level, energy] : energy_by_level(network))
    line += fmt::format(", {} {}", level, percent(energy / total));
  return line + "\n";
}

std::string mapping_in_short(const LayerEvaluation& layer) {
  const Evaluation& evaluation = main_kernel(layer);
  std::string text;
  for (std::size_t level = 0; level < evaluation.mapping.levels.size(); ++level) {
    const std::string loops = loops_in_short(evaluation.problem, evaluation.mapping.levels[level]);
    if (loops == "-") continue;
    if (!text.empty()) text += " | ";
    text += fmt::format("{}: {}", evaluation.levels[level].name, loops);
  }
  return text.empty() ? "-" : text;
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
    out += fmt::format("  {} of the time: {} ({}) x{}, bound by {}; compute: {}\n      tiling: {}\n",
                       percent(time(&layer) / network.latency), layer.name, layer.op, layer.repeat, layer.bound,
                       main_kernel(layer).compute.why, mapping_in_short(layer));
  }
  return out;
}

std::string layer_table(const NetworkEvaluation& network) {
  Table table(
      {"layer", "<op", "x", "MACs", "latency", "time", "energy", "util", "<bound", "<tiling (outermost level first)"});
  for (const LayerEvaluation& layer : network.layers) {
    table.add({layer.name, layer.op, std::to_string(layer.repeat),
               layer.macs == 0 ? "-" : human_count(static_cast<double>(layer.macs)), human(layer.latency),
               percent(static_cast<double>(layer.repeat) * (layer.latency / network.latency)),
               human(layer.energy.total()), percent(layer.utilization), layer.bound, mapping_in_short(layer)});
  }
  return table.text();
}

/// Where the simulated cycles went, layer by layer.
std::string parts_table(const NetworkEvaluation& network) {
  Table table({"layer", "cycles", "compute", "overhead", "fill", "drain", "wait DRAM", "contention", "wait buffer"});
  const auto cycles = [](Cycles value) { return fmt::format("{:.12g}", value.value); };
  for (const LayerEvaluation& layer : network.layers) {
    if (!layer.parts) return "";
    table.add({layer.name, cycles(layer.cycles), cycles(layer.parts->compute), cycles(layer.parts->overhead),
               cycles(layer.parts->fill), cycles(layer.parts->drain), cycles(layer.parts->dram),
               cycles(layer.parts->contention), cycles(layer.parts->buffer)});
  }
  return "\n" + table.text();
}

std::string bytes_or_unbounded(const BufferLevel& level) {
  return level.capacity ? human(*level.capacity) : std::string("unbounded");
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
    out += fmt::format("\n{}: {}", network.chip, energy_line(network));
    for (const std::string& note : network.notes) out += fmt::format("  note: {}\n", note);
    if (network.validation.size() > short_status(network.validation).size()) {
      out += fmt::format("  {}\n", network.validation);
    }
    out += report.results.size() == 1 ? "\n" + layer_table(network) + parts_table(network) : slowest_layers(network, 2);
  }
  return out;
}

std::string evaluation_text(const Evaluation& evaluation, const Chip& chip) {
  std::string out = to_code(evaluation.problem, evaluation.mapping, chip);
  out += fmt::format("\n{} points in {} cycles ({}), energy {}, utilisation {}; compute: {}\n\n",
                     evaluation.counts.points, evaluation.cycles.value, human(evaluation.cycles / chip.clock),
                     human(evaluation.energy.total()), percent(evaluation.utilization), evaluation.compute.why);
  Table bounds({"what", "cycles"});
  for (const Bound& bound : evaluation.bounds) bounds.add({bound.name, fmt::format("{:.6g}", bound.time.value)});
  out += bounds.text() + "\n";
  Table table({"level", "<tensor", "tile words", "instances", "reads", "fills", "updates", "occupancy", "energy"});
  for (std::size_t level = 0; level < evaluation.levels.size(); ++level) {
    const std::optional<Bytes> capacity = chip.levels[level].capacity;
    for (std::size_t operand = 0; operand < evaluation.problem.operands.size(); ++operand) {
      const OperandAccesses& counts = evaluation.counts.levels[level][operand];
      if (!counts.kept) continue;
      const Bytes tile{static_cast<double>(counts.tile_words) * bits(evaluation.problem.operands[operand].type) / 8.0};
      table.add({evaluation.levels[level].name, evaluation.problem.operands[operand].name,
                 std::to_string(counts.tile_words), std::to_string(counts.utilized_instances),
                 std::to_string(counts.reads), std::to_string(counts.fills), std::to_string(counts.updates),
                 capacity ? percent(tile / *capacity) : "-", human(evaluation.levels[level].operand_energy[operand])});
    }
  }
  out += table.text() + "\n";
  const EnergyBy& energy = evaluation.energy;
  out +=
      fmt::format("energy: compute {}, memory {}, links {}, static {} (table {}; {})\n", human(energy.compute),
                  human(energy.memory), human(energy.link), human(energy.static_), chip.energy_table, chip.validation);
  return out;
}

std::string chip_text(const Chip& chip) {
  std::string out = fmt::format("{} ({}): {}\nsource: {}\nvalidation: {}\n", chip.name, chip.family, chip.summary,
                                chip.source, chip.validation);
  out += fmt::format("clock {:.6g} MHz, {} lanes, {:.3g} nm, static power {}, TDP {}, energy table {}\n\n",
                     chip.clock.value / 1e6, chip.lanes(), chip.technology_nm, human(chip.static_power),
                     human(chip.tdp), chip.energy_table);
  Table levels({"level", "capacity", "instances", "bandwidth of one", "read", "write", "access", "<energy source"});
  for (const BufferLevel& level : chip.levels) {
    const bool limited = level.bandwidth.value > 0;
    levels.add({level.name, bytes_or_unbounded(level), std::to_string(level.instances),
                limited ? human(Bytes{(level.bandwidth * chip.clock).value}) + "/s" : "-", human(level.read_energy),
                human(level.write_energy), level.access_bits > 0 ? fmt::format("{} bit", level.access_bits) : "word",
                level.energy_source});
  }
  out += levels.text() + "\n";
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
