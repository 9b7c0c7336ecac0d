#include "sim/report/layer_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/checked.hpp"

namespace tilewright {
namespace {

std::string scaled(double value, std::string_view unit) {
  struct Prefix {
    double factor;
    std::string_view letter;
  };
  static constexpr std::array<Prefix, 12> prefixes{{{1e18, "E"},
                                                    {1e15, "P"},
                                                    {1e12, "T"},
                                                    {1e9, "G"},
                                                    {1e6, "M"},
                                                    {1e3, "k"},
                                                    {1, ""},
                                                    {1e-3, "m"},
                                                    {1e-6, "u"},
                                                    {1e-9, "n"},
                                                    {1e-12, "p"},
                                                    {1e-15, "f"}}};
  if (value == 0) return fmt::format("0 {}", unit);
  for (const Prefix& prefix : prefixes) {
    // 999.5 and more would print as 1e+03: take the next prefix then.
    if (std::abs(value) >= prefix.factor * 0.9995)
      return fmt::format("{:.3g} {}{}", value / prefix.factor, prefix.letter, unit);
  }
  return fmt::format("{:.3g} {}", value, unit);
}

template <class Key, class Amount>
void add_to(std::vector<std::pair<Key, Amount>>& sums, const Key& key, Amount amount) {
  const auto found = std::ranges::find(sums, key, &std::pair<Key, Amount>::first);
  if (found == sums.end()) {
    sums.emplace_back(key, amount);
  } else {
    found->second += amount;
  }
}

}  // namespace

std::string training_in_words(const NetworkEvaluation& network) {
  if (!network.training) return "";
  const TrainingStep& t = *network.training;
  const Bytes fixed = t.weights + t.gradients + t.master + t.states;
  std::string text = fmt::format("training step with {}: {} = forward {} + backward {} + update {}", t.optimizer,
                                 human(t.total), human(t.forward), human(t.backward), human(t.update));
  if (t.gpus > 1)
    text += fmt::format(" + exchange {} + idle {} ({} GPUs, {} parallel over {})", human(t.exchange), human(t.idle),
                        t.gpus, t.parallel, t.link);
  const std::string held = t.gpus_for_memory > 0 ? fmt::format("{} of these GPUs hold it", t.gpus_for_memory)
                                                 : "no number of these GPUs holds it";
  return text +
         fmt::format(
             "; {} samples/s, board energy {}; memory{} {} of weights, gradients and optimiser and {} of "
             "activations: {}",
             human_count(t.samples_per_s), human(t.board), t.parallel == "tensor" ? " of each" : "", human(fixed),
             human(t.activations), held) +
         (t.epoch_steps == 0 ? ""
                             : fmt::format("; an epoch of {} steps takes {} and {}", t.epoch_steps,
                                           human(static_cast<double>(t.epoch_steps) * t.total),
                                           human(static_cast<double>(t.epoch_steps) * t.board)));
}

std::string stack_in_words(const NetworkEvaluation& network) {
  if (network.stack.empty()) return "";
  std::string text =
      fmt::format("stack {}: {}; board energy {}", network.stack, network.stack_meaning, human(*network.board));
  if (network.batch > 1)
    text += fmt::format(", {} a sample", human(1 / static_cast<double>(network.batch) * *network.board));
  text += network.board_band_pct ? fmt::format(" (mean error {:.0f} %)", *network.board_band_pct)
                                 : " (its power is not validated)";
  if (network.parallel) return text + ", of one GPU";
  return text + fmt::format("; weights and live activations {}: {} of these GPUs hold{} them",
                            human(Bytes{static_cast<double>(network.peak_memory_bytes)}), network.chips_for_memory,
                            network.chips_for_memory == 1 ? "s" : "");
}

std::string parallel_in_words(const NetworkEvaluation& network) {
  if (!network.parallel) return "";
  const TensorParallelRun& run = *network.parallel;
  return fmt::format(
      "tensor parallel on {} GPUs over {}: figures are those of one of them, {} of its {} are exchanges; {} "
      "weight products are shared; weights and live activations of each {}: {}; board energy of all {}, {} "
      "a sample",
      run.gpus, run.link, human(run.exchange), human(network.latency), run.split, human(run.memory),
      network.chips_for_memory > 0 ? fmt::format("{} of these GPUs would hold all", network.chips_for_memory)
                                   : "no number of these GPUs holds all",
      human(run.board), human(1 / static_cast<double>(network.batch) * run.board));
}

std::string validation_in_words(const NetworkEvaluation& network) {
  if (!network.band_pct) return network.validation;
  return fmt::format("{}: mean error {:.1f} %", network.validation, *network.band_pct);
}

const Evaluation& main_kernel(const LayerEvaluation& layer) {
  const auto largest =
      std::ranges::max_element(layer.kernels, {}, [](const auto& kernel) { return kernel.first.counts.points; });
  return largest->first;
}

std::vector<AccessRow> accesses(const LayerEvaluation& layer) {
  std::vector<AccessRow> rows;
  for (const auto& [evaluation, repeat] : layer.kernels) {
    for (std::size_t level = 0; level < evaluation.counts.levels.size(); ++level) {
      for (std::size_t operand = 0; operand < evaluation.problem.operands.size(); ++operand) {
        const OperandAccesses& counts = evaluation.counts.levels[level][operand];
        if (!counts.kept) continue;
        const std::string& level_name = evaluation.levels[level].name;
        const std::string& tensor = evaluation.problem.operands[operand].name;
        auto row =
            std::ranges::find_if(rows, [&](const AccessRow& r) { return r.level == level_name && r.tensor == tensor; });
        if (row == rows.end()) row = rows.insert(rows.end(), AccessRow{level_name, tensor, 0, 0, 0, 0, {}});
        row->reads = checked_add(row->reads, checked_mul(counts.reads, repeat));
        row->fills = checked_add(row->fills, checked_mul(counts.fills, repeat));
        row->updates = checked_add(row->updates, checked_mul(counts.updates, repeat));
        row->drains = checked_add(row->drains, checked_mul(counts.drains, repeat));
        row->energy += static_cast<double>(repeat) * evaluation.levels[level].operand_energy[operand];
      }
    }
  }
  return rows;
}

std::vector<MergedReads> merged_reads(const Evaluation& evaluation) {
  std::vector<MergedReads> rows;
  for (std::size_t level = 0; level < evaluation.counts.levels.size(); ++level) {
    for (std::size_t o = 0; o < evaluation.problem.operands.size(); ++o) {
      const OperandAccesses& counts = evaluation.counts.levels[level][o];
      if (!counts.kept || evaluation.problem.operands[o].role == Role::output || counts.merged_reads == counts.reads)
        continue;
      rows.push_back({evaluation.levels[level].name, evaluation.problem.operands[o].name, counts.merged_reads});
    }
  }
  return rows;
}

std::vector<std::pair<std::string, Joules>> energy_by_level(const LayerEvaluation& layer) {
  std::vector<std::pair<std::string, Joules>> sums;
  for (const auto& [evaluation, repeat] : layer.kernels) {
    for (const LevelCost& level : evaluation.levels)
      add_to(sums, level.name, static_cast<double>(repeat) * level.energy);
  }
  return sums;
}

std::vector<std::pair<std::string, Joules>> energy_by_level(const NetworkEvaluation& network) {
  std::vector<std::pair<std::string, Joules>> sums;
  for (const LayerEvaluation& layer : network.layers) {
    for (const auto& [level, energy] : energy_by_level(layer))
      add_to(sums, level, static_cast<double>(layer.repeat) * energy);
  }
  return sums;
}

std::vector<std::pair<std::string, double>> time_by_bound(const NetworkEvaluation& network) {
  std::vector<std::pair<std::string, double>> sums;
  for (const LayerEvaluation& layer : network.layers) {
    add_to(sums, layer.bound, static_cast<double>(layer.repeat) * (layer.latency / network.latency));
  }
  std::ranges::stable_sort(sums, std::greater{}, &std::pair<std::string, double>::second);
  return sums;
}

std::string loops_in_short(const Problem& problem, const LevelMapping& level) {
  std::string temporal;
  std::string spatial;
  for (const Loop& loop : level.loops) {
    if (loop.bound == 1) continue;
    std::string& text = loop.kind == LoopKind::temporal ? temporal : spatial;
    if (!text.empty()) text += ' ';
    text += fmt::format("{}{}", problem.dims[static_cast<std::size_t>(loop.dim)].name, loop.bound);
    if (loop.kind != LoopKind::temporal) text += loop.kind == LoopKind::spatial_x ? "@x" : "@y";
  }
  if (temporal.empty() && spatial.empty()) return "-";
  if (spatial.empty()) return temporal;
  return temporal.empty() ? spatial : temporal + " " + spatial;
}

std::string placement_in_short(const LayerEvaluation& layer) {
  if (!layer.placement) return "-";
  const Placement& placement = *layer.placement;
  const auto listed = [](const auto& places, std::string_view direction) {
    std::vector<std::pair<std::string, int>> counts;
    for (const auto& [tensor, place] : places) add_to(counts, place, 1);
    std::string text;
    for (const auto& [place, count] : counts) {
      text += text.empty() ? fmt::format("{} ", direction) : ", ";
      text += count == 1 ? place : fmt::format("{} x{}", place, count);
    }
    return text;
  };
  std::vector<std::string> parts;
  for (std::string part : {listed(placement.inputs, "in"), listed(placement.outputs, "out")}) {
    if (!part.empty()) parts.push_back(std::move(part));
  }
  if (!placement.group.empty())
    parts.push_back(fmt::format("{} tiles with {}", placement.tiles, fmt::join(placement.group, " > ")));
  if (placement.weights_ahead) parts.emplace_back("weights loaded ahead");
  if (placement.weights_pinned) parts.emplace_back("weights pinned");
  return parts.empty() ? "-" : fmt::format("{}", fmt::join(parts, "; "));
}

std::string residency_in_words(const NetworkEvaluation& network) {
  if (!network.residency) return "";
  const Residency& r = *network.residency;
  return fmt::format(
      "activations stay in {} (at most {} at a time): energy {:+.1f} %, latency {:+.1f} %, {} traffic {:+.1f} % "
      "against "
      "layer by layer ({}, {}, {}); {} over: {}",
      r.level, human(r.peak_reserved), 100 * (network.energy.total() / r.energy - 1),
      100 * (network.latency / r.latency - 1), network.layers.front().kernels.front().first.levels.front().name,
      100 * (network.dram / r.dram - 1), human(r.energy), human(r.latency), human(r.dram),
      r.proven ? "proven best" : "not proven best", r.space);
}

std::vector<std::string> tiling_in_short(const Evaluation& evaluation) {
  std::vector<std::string> parts;
  for (std::size_t level = 0; level < evaluation.mapping.levels.size(); ++level) {
    const std::string loops = loops_in_short(evaluation.problem, evaluation.mapping.levels[level]);
    if (loops != "-") parts.push_back(fmt::format("{}: {}", evaluation.levels[level].name, loops));
  }
  if (parts.empty()) parts.emplace_back("no loops");
  return parts;
}

std::string human(Seconds value) { return scaled(value.value, "s"); }
std::string human(Joules value) { return scaled(value.value, "J"); }
std::string human(Bytes value) { return scaled(value.value, "B"); }
std::string human(Watts value) { return scaled(value.value, "W"); }

std::string human_size(Bytes value) {
  double size = value.value;
  std::string_view unit = "B";
  for (const std::string_view larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (size < 1024) break;
    size /= 1024;
    unit = larger;
  }
  return fmt::format("{:.4g} {}", size, unit);
}

std::string human_count(double value) {
  std::string text = scaled(value, "");
  if (text.ends_with(' ')) text.pop_back();
  return text;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string human_score(double value, Objective objective) {
  return scaled(value, objective == Objective::latency ? "s" : objective == Objective::energy ? "J" : "J s");
}

Chip in_order_of(const Evaluation& evaluation, const Chip& chip) {
  Chip ordered = chip;
  for (std::size_t level = 0; level < evaluation.levels.size(); ++level) {
    const auto same = std::ranges::find(chip.levels, evaluation.levels[level].name, &BufferLevel::name);
    if (same != chip.levels.end()) ordered.levels[level] = *same;
  }
  return ordered;
}

LevelUse level_use(const Evaluation& evaluation, const Chip& chip, std::size_t level) {
  LevelUse use;
  for (const OperandAccesses& operand : evaluation.counts.levels[level]) {
    if (operand.kept) use.instances = std::max(use.instances, operand.utilized_instances);
  }
  use.bytes = occupied_bytes(evaluation.problem, evaluation.mapping, chip, level);
  use.capacity = chip.levels[level].capacity;
  if (use.capacity) use.occupancy = Bytes{static_cast<double>(use.bytes)} / *use.capacity;
  return use;
}

std::string_view name(Objective objective) {
  switch (objective) {
    case Objective::latency: return "latency";
    case Objective::energy: return "energy";
    case Objective::edp: return "edp";
  }
  return "";
}

std::string_view name(Engine engine) {
  switch (engine) {
    case Engine::roofline: return "roofline";
    case Engine::analytical: return "analytical";
    case Engine::systemc: return "systemc";
  }
  return "";
}

}  // namespace tilewright
