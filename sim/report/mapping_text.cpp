// One layer's mapping for a terminal: loop nest, tiles, accesses, energy and time by level, and what else was found.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"
#include "sim/report/table.hpp"

namespace tilewright {
namespace {

constexpr double rounding = 1e-12;  // relative: the same sum in another order

std::string change(double share) {
  if (std::abs(share) < rounding) return "same";
  if (std::abs(share) < 5e-5) return share > 0 ? "+<0.01 %" : "-<0.01 %";
  return fmt::format("{:+.2f} %", 100 * share);
}

std::string cycles_text(Cycles cycles) {
  constexpr double whole = 1e5;  // from here a part of a cycle says nothing
  return cycles.value < whole ? fmt::format("{:.6g}", cycles.value) : fmt::format("{:.0f}", cycles.value);
}

std::string tiles_table(const Evaluation& evaluation, const Chip& chip) {
  Table table({"level", "in use", "of", "tile bytes", "capacity", "occupancy", "<words of one tile"});
  for (std::size_t level = 0; level < evaluation.levels.size(); ++level) {
    const LevelUse use = level_use(evaluation, chip, level);
    std::string words;
    for (std::size_t o = 0; o < evaluation.problem.operands.size(); ++o) {
      const OperandAccesses& counts = evaluation.counts.levels[level][o];
      if (!counts.kept) continue;
      words +=
          fmt::format("{}{} {}", words.empty() ? "" : ", ", evaluation.problem.operands[o].name, counts.tile_words);
    }
    table.add({evaluation.levels[level].name, words.empty() ? "-" : std::to_string(use.instances),
               std::to_string(chip.levels[level].instances), std::to_string(use.bytes),
               use.capacity ? fmt::format("{:.0f}", use.capacity->value) : "-",
               use.occupancy ? percent(*use.occupancy) : "-", words.empty() ? "none" : words});
  }
  return table.text();
}

std::string merged_text(const Evaluation& evaluation) {
  std::vector<std::string> merged;
  for (const MergedReads& row : merged_reads(evaluation))
    merged.push_back(fmt::format("{} {} {}", row.level, row.tensor, row.reads));
  return merged.empty() ? "" : wrapped("reads with the overlaps of neighbours merged: ", merged, ", ", 2);
}

std::string accesses_table(const Evaluation& evaluation) {
  Table table({"level", "<tensor", "reads", "fills", "updates", "drains", "energy", "share"});
  for (std::size_t level = 0; level < evaluation.levels.size(); ++level) {
    for (std::size_t o = 0; o < evaluation.problem.operands.size(); ++o) {
      const OperandAccesses& counts = evaluation.counts.levels[level][o];
      if (!counts.kept) continue;
      const Joules energy = evaluation.levels[level].operand_energy[o];
      table.add({evaluation.levels[level].name, evaluation.problem.operands[o].name, std::to_string(counts.reads),
                 std::to_string(counts.fills), std::to_string(counts.updates), std::to_string(counts.drains),
                 human(energy), percent(energy / evaluation.energy.total())});
    }
  }
  return table.text() + merged_text(evaluation);
}

/// Time and energy of each level, then of what is no level; times overlap, energies add up.
std::string costs_table(const Evaluation& evaluation) {
  Table table({"level", "traffic", "cycles", "of latency", "energy", "share"});
  const Joules total = evaluation.energy.total();
  const auto add = [&](std::string name, std::string traffic, Cycles time, std::optional<Joules> energy) {
    const bool timed = time.value > 0;
    table.add({std::move(name), std::move(traffic), timed ? cycles_text(time) : "-",
               timed ? percent(time / evaluation.cycles) : "-", energy ? human(*energy) : "-",
               energy ? percent(*energy / total) : "-"});
  };
  for (const LevelCost& level : evaluation.levels) add(level.name, human(level.traffic), level.time, level.energy);
  Joules elsewhere = evaluation.energy.memory;  // events of the array that touch memory, no level's own
  for (const LevelCost& level : evaluation.levels) elsewhere -= level.energy;
  if (std::abs(elsewhere / total) > 1e-9) add("memory events", "-", {}, elsewhere);
  add("arithmetic", "-", evaluation.compute.cycles, evaluation.energy.compute);
  if (evaluation.energy.link.value > 0) add("links", "-", {}, evaluation.energy.link);
  add("static", "-", {}, evaluation.energy.static_);
  if (evaluation.overhead.value > 0) add("fill, drain, launch", "-", evaluation.overhead, std::nullopt);
  add("total", "-", evaluation.cycles, total);
  return table.text();
}

/// What the slack of latency was taken for.
std::string slack_text(const SearchResult& found, const Chip& chip) {
  const auto& [fastest, bound, gap] = *found.slack;
  const Joules energy = found.best.energy.total();
  const std::string proof = gap <= 0 ? "proven the least within the slack"
                                     : fmt::format("{:.3g} % above the lower bound {} within the slack",
                                                   100 * (energy.value / bound - 1), human(Joules{bound}));
  return fmt::format("taken: {} ({}), {} instead of {} ({}), {}\n", human(found.best.cycles / chip.clock),
                     change(found.best.cycles / fastest.cycles - 1), human(energy), human(fastest.energy.total()),
                     change(energy / fastest.energy.total() - 1), proof);
}

std::string certificate(const SearchResult& found, Objective objective, const Chip& chip) {
  const Evaluation& best = found.slack ? found.slack->fastest : found.best;
  const double value = score(best, chip, objective);
  const std::string reached = human_score(value, objective);
  std::string out = fmt::format("{} {}: ", name(objective), reached);
  if (found.gap <= 0) {
    out += "proven optimal, equal to its lower bound\n";
  } else if (found.bound > 0) {
    out += fmt::format("{:.3g} % above the lower bound {}\n", 100 * (value / found.bound - 1),
                       human_score(found.bound, objective));
  } else {
    out += "no lower bound above zero is known\n";
  }
  if (found.slack) out += slack_text(found, chip);
  return out + paragraph(fmt::format("space of the bound: {}; {} mappings evaluated", found.space, found.evaluated));
}

std::string others_table(const std::vector<Evaluation>& others, const Evaluation& best, const Chip& chip) {
  std::string out;
  int rank = 0;
  for (const Evaluation& other : others) {
    const Joules energy = other.energy.total();
    out += fmt::format("  {}. {} ({}), {} ({})\n", ++rank, human(other.cycles / chip.clock),
                       change(other.cycles / best.cycles - 1), human(energy), change(energy / best.energy.total() - 1));
    out += wrapped("      ", tiling_in_short(other), " | ", 8);
  }
  return out;
}

std::string one_more_table(const std::vector<Marginal>& marginals) {
  Table table({"one more", "now", "then", "latency", "change", "energy", "change"});
  std::vector<std::string> nothing;
  std::string failures;
  for (const Marginal& m : marginals) {
    if (!m.failure.empty()) {
      failures += fmt::format("{} {} -> {}: {}\n", m.resource, m.from, m.to, m.failure);
      continue;
    }
    const double latency = m.latency_change / (m.latency - m.latency_change);
    const double energy = m.energy_change / (m.energy - m.energy_change);
    if (std::abs(latency) < rounding && std::abs(energy) < rounding) {
      nothing.push_back(fmt::format("{} ({} -> {})", m.resource, m.from, m.to));
      continue;
    }
    table.add({m.resource + (m.slower_array ? " *" : ""), m.from, m.to, human(m.latency), change(latency),
               human(m.energy), change(energy)});
  }
  const bool some = nothing.size() + static_cast<std::size_t>(std::ranges::count_if(
                                         marginals, [](const Marginal& m) { return !m.failure.empty(); })) <
                    marginals.size();
  std::string out = some ? table.text() : "";
  if (std::ranges::any_of(marginals, &Marginal::slower_array))
    out += paragraph(
        "* the mapping above was tried there, too: the larger array itself takes longer to fill, to drain or to shift "
        "through all of it");
  if (!nothing.empty()) out += wrapped("buys nothing: ", nothing, ", ", 2);
  return out + failures;
}

}  // namespace

std::string evaluation_text(const Evaluation& evaluation, const Chip& given) {
  const Chip chip = in_order_of(evaluation, given);
  std::string out = to_code(evaluation.problem, evaluation.mapping, chip);
  out += fmt::format("\n{} points in {} cycles ({}), energy {}, utilisation {}\n", evaluation.counts.points,
                     cycles_text(evaluation.cycles), human(evaluation.cycles / chip.clock),
                     human(evaluation.energy.total()), percent(evaluation.utilization));
  out += paragraph("compute: " + evaluation.compute.why);
  out += "\nTiles of one instance\n" + tiles_table(evaluation, chip);
  out += "\nAccesses of all instances, in words\n" + accesses_table(evaluation);
  out += "\nTime and energy (times overlap, energies add up)\n" + costs_table(evaluation);
  out += fmt::format("\nbound by {}\n", evaluation.bounds.front().name);
  return out + paragraph(fmt::format("energies of table {}; {}", chip.energy_table, chip.validation));
}

std::string infeasible_text(const Infeasible& why) {
  return fmt::format("{}{}{}{}{}", why.level, why.level.empty() ? "" : ": ", why.reason, why.remedy.empty() ? "" : "; ",
                     why.remedy);
}

std::string map_text(const LayerMap& map, const Chip& chip) {
  const NetworkEvaluation& result = map.result;
  if (!result.failure.empty()) return fmt::format("{}: {}\n", chip.name, result.failure);
  const LayerEvaluation& layer = result.layers.front();
  std::string out =
      fmt::format("{} ({}) on {}: {} ({} cycles), {}, bound by {}\n", layer.name, layer.op, chip.name,
                  human(layer.latency), cycles_text(layer.cycles), human(layer.energy.total()), layer.bound);
  for (const std::string& note : result.notes) out += paragraph("note: " + note);
  for (std::size_t k = 0; k < map.kernels.size(); ++k) {
    const KernelMap& kernel = map.kernels[k];
    out += "\n";
    if (map.kernels.size() > 1) {
      out += fmt::format("== kernel {} of {}, executed {} time{} per layer\n", k + 1, map.kernels.size(), kernel.repeat,
                         kernel.repeat == 1 ? "" : "s");
    }
    out += certificate(kernel.found, result.objective, chip) + "\n";
    out += evaluation_text(layer.kernels[k].first, chip);
    if (!kernel.found.runners_up.empty()) {
      out += "\nRunners-up\n" + others_table(kernel.found.runners_up, kernel.found.best, chip);
    }
    if (!kernel.pareto.empty()) {
      out += "\nLatency-energy Pareto set\n" + others_table(kernel.pareto, kernel.found.best, chip);
    }
  }
  if (!map.one_more.empty()) {
    out +=
        "\nWhat one more of a resource buys (searched again; energies per access, static power and area unchanged)\n" +
        one_more_table(map.one_more);
  }
  return out;
}

}  // namespace tilewright
