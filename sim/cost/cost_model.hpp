// The cost of many mappings of one problem: what does not change with the mapping is resolved once.
#pragma once

#include "sim/cost/cost.hpp"

namespace tilewright {

/// A problem on a chip. Refers to both: they must outlive it.
struct CostModel {
  const Problem* problem = nullptr;
  const Chip* chip = nullptr;
  const ArchFamily* family = nullptr;
  std::size_t array_level = 0;
  bool peer_compatible = false;  // the chip's energy table: drains are free, reads and writes have ports of their own
  Cycles ideal;                  // all points at the chip's peak rate
  Cycles cycles_bound;
  EnergyBy energy_bound;
};

/// InputError when the chip names an energy table that does not exist.
CostModel cost_model(const Problem& problem, const Chip& chip);

/// Time and energy of one mapping, without the tables behind them.
struct CostFigures {
  Cycles cycles, overhead;
  EnergyBy energy;
};

ArrayPass array_pass(const CostModel& model, const Mapping& mapping);
std::vector<LevelCost> level_costs(const CostModel& model, const AccessCounts& counts);
CostFigures cost_figures(const CostModel& model, const Mapping& mapping, const AccessCounts& counts,
                         const std::vector<LevelCost>& levels, const ComputeCost& compute);
Evaluation evaluate(const CostModel& model, const Mapping& mapping);

/// Seconds, joules or joule-seconds of a time and an energy.
double score(Cycles cycles, Joules energy, const Chip& chip, Objective objective);

/// Power that flows whatever the chip does: leakage of all levels plus the chip's static power; zero where a measured energy
/// per synaptic operation already includes it.
Watts static_power(const Chip& chip);

/// Distinct words of an operand that a problem touches: what must cross the outermost level at least once. Less than the
/// bounding box where a stride skips elements.
std::int64_t touched_words(const Problem& problem, const Operand& operand);

}  // namespace tilewright
