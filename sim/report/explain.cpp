#include "sim/report/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/report/layer_view.hpp"

namespace tilewright {
namespace {

std::string cycles_text(Cycles cycles) { return fmt::format("{:.6g} cycles", cycles.value); }

std::string chip_file(const Chip& chip) { return chip.path.empty() ? chip.source : chip.path; }

/// "a + b + c" of the operands' values.
std::string sum_of(const std::vector<Explanation>& operands) {
  std::string text;
  for (const Explanation& operand : operands) text += (text.empty() ? "" : " + ") + operand.value;
  return text;
}

Explanation clock_of(const Chip& chip) {
  return {"clock", fmt::format("{:.6g} MHz", chip.clock.value / 1e6), "", chip_file(chip), {}};
}

/// Time at the ports of a level.
Explanation level_time(const Evaluation& e, const Chip& chip, std::size_t l) {
  const LevelCost& cost = e.levels[l];
  const BufferLevel& level = chip.levels[l];
  Explanation time{fmt::format("memory:{}", cost.name), cycles_text(cost.time), "", "docs/model.md, section 4", {}};
  std::int64_t instances = 1;
  for (const OperandAccesses& a : e.counts.levels[l])
    instances = std::max(instances, a.kept ? a.utilized_instances : 1);
  time.formula =
      fmt::format("traffic at its ports / ({} instances x {:.6g} B/cycle)", instances, level.bandwidth.value);
  time.operands.push_back({"traffic, all operands", human(cost.traffic), "", "counted: docs/model.md, section 2", {}});
  time.operands.push_back({"bandwidth of an instance",
                           fmt::format("{:.6g} B/cycle", level.bandwidth.value),
                           "",
                           level.energy_source.empty() ? chip_file(chip) : level.energy_source,
                           {}});
  return time;
}

Explanation kernel_cycles(const Evaluation& e, const Chip& chip) {
  Explanation cycles{"kernel", cycles_text(e.cycles), "", "docs/model.md, section 4", {}};
  std::string largest;
  for (const Bound& bound : e.bounds) {
    if (bound.name == "overhead") continue;
    largest += fmt::format("{}{} {:.6g}", largest.empty() ? "" : ", ", bound.name, bound.time.value);
    if (bound.name == "compute") {
      cycles.operands.push_back({"compute", cycles_text(bound.time), e.compute.why, chip_file(chip), {}});
      continue;
    }
    for (std::size_t l = 0; l < e.levels.size(); ++l) {
      if ("memory:" + e.levels[l].name == bound.name) cycles.operands.push_back(level_time(e, chip, l));
    }
  }
  cycles.operands.push_back({"overhead",
                             cycles_text(e.overhead),
                             "first tile, fill and drain of the array, launch",
                             "docs/model.md, section 4",
                             {}});
  cycles.formula = fmt::format("max({}) + overhead {:.6g}", largest, e.overhead.value);
  return cycles;
}

Explanation latency_of(const LayerEvaluation& layer, const Chip& chip) {
  Explanation latency{
      fmt::format("latency of {}", layer.name), human(layer.latency), "", "docs/model.md, section 4", {}};
  if (layer.library) {
    const LibraryTime& time = *layer.library;
    latency.operands = {
        {"largest of arithmetic, cache and memory",
         human(time.limit),
         main_kernel(layer).compute.why,
         "docs/gpu.md",
         {}},
        {"what does not overlap with it", human(time.rest), "", "docs/gpu.md", {}},
        {"start of the kernels", human(time.start), fmt::format("{} launches", time.launches), "docs/gpu.md", {}},
        {"waiting for the host and between kernels", human(time.wait), "", "software stack, docs/gpu.md", {}}};
    latency.formula = sum_of(latency.operands);
    if (time.band_pct)
      latency.operands.push_back({"mean error of such kernels",
                                  fmt::format("{:.1f} %", *time.band_pct),
                                  "",
                                  time.same_device ? "measured on this device" : "measured on other devices",
                                  {}});
    return latency;
  }
  latency.formula = fmt::format("{} / {:.6g} MHz", cycles_text(layer.cycles), chip.clock.value / 1e6);
  Explanation cycles{"cycles", cycles_text(layer.cycles), "", "", {}};
  for (const auto& [evaluation, repeat] : layer.kernels) {
    cycles.operands.push_back(kernel_cycles(evaluation, in_order_of(evaluation, chip)));
    if (repeat > 1) cycles.operands.back().what = fmt::format("kernel, {} times in sequence", repeat);
  }
  cycles.formula = layer.kernels.size() == 1 ? "the kernel, and its share of a pipeline"
                                             : "the kernels in order, fused ones in the shadow of the one before";
  latency.operands = {std::move(cycles), clock_of(chip)};
  return latency;
}

Explanation level_energy(const Evaluation& e, const Chip& chip, std::size_t l) {
  const LevelCost& cost = e.levels[l];
  const BufferLevel& level = chip.levels[l];
  Explanation energy{cost.name, human(cost.energy), "", "docs/model.md, section 3", {}};
  const std::string width = level.access_bits > 0 ? fmt::format("{} bit", level.access_bits) : "a word";
  for (std::size_t o = 0; o < e.problem.operands.size(); ++o) {
    const OperandAccesses& a = e.counts.levels[l][o];
    if (!a.kept) continue;
    energy.operands.push_back(
        {e.problem.operands[o].name,
         human(cost.operand_energy[o]),
         fmt::format("({} reads + {} drains) x {:.4g} pJ + ({} fills + {} updates) x {:.4g} pJ, in accesses of {}",
                     a.reads, a.drains, in_picojoules(level.read_energy), a.fills, a.updates,
                     in_picojoules(level.write_energy), width),
         level.energy_source.empty() ? "energy table " + chip.energy_table : level.energy_source,
         {}});
  }
  energy.formula = sum_of(energy.operands);
  return energy;
}

Explanation energy_of(const LayerEvaluation& layer, const Chip& chip) {
  Explanation energy{
      fmt::format("energy of {}", layer.name), human(layer.energy.total()), "", "docs/model.md, section 3", {}};
  Explanation arithmetic{"arithmetic", human(layer.energy.compute), "", "", {}};
  Explanation memory{"memory", human(layer.energy.memory), "", "", {}};
  for (const auto& [evaluation, repeat] : layer.kernels) {
    const Chip ordered = in_order_of(evaluation, chip);
    const std::string times = repeat > 1 ? fmt::format(", {} times", repeat) : "";
    for (const Event& event : evaluation.compute.events) {
      Explanation& kind = event.kind == EventKind::compute ? arithmetic : memory;
      if (event.kind == EventKind::link) continue;
      kind.operands.push_back({event.name + times,
                               human(event.count * event.each),
                               fmt::format("{:.6g} x {:.4g} pJ", event.count, in_picojoules(event.each)),
                               "energy table " + chip.energy_table,
                               {}});
    }
    for (std::size_t l = 0; l < evaluation.levels.size(); ++l) {
      memory.operands.push_back(level_energy(evaluation, ordered, l));
      memory.operands.back().what += times;
    }
  }
  energy.operands = {std::move(arithmetic),
                     std::move(memory),
                     {"links", human(layer.energy.link), "", "docs/model.md, section 3", {}},
                     {"static",
                      human(layer.energy.static_),
                      fmt::format("static power x {}", human(layer.latency)),
                      chip_file(chip),
                      {}}};
  energy.formula = sum_of(energy.operands);
  return energy;
}

}  // namespace

std::vector<Explanation> explain(const LayerEvaluation& layer, const Chip& chip) {
  return {latency_of(layer, chip), energy_of(layer, chip)};
}

std::vector<Explanation> explain(const NetworkEvaluation& network, const Chip& chip) {
  Explanation latency{"latency", human(network.latency), "sum over the layers of repeats x latency", "", {}};
  Explanation energy{"energy", human(network.energy.total()), "sum over the layers of repeats x energy", "", {}};
  for (const LayerEvaluation& layer : network.layers) {
    latency.operands.push_back(latency_of(layer, chip));
    energy.operands.push_back(energy_of(layer, chip));
    for (Explanation* last : {&latency.operands.back(), &energy.operands.back()})
      last->what += fmt::format(" (x {})", layer.repeat);
  }
  return {std::move(latency), std::move(energy), {"validation", validation_in_words(network), "", "", {}}};
}

}  // namespace tilewright
