#include "sim/cost/cost.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "arch_models/energy_table.hpp"
#include "arch_models/family_tools.hpp"
#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"

namespace tilewright {
namespace {

/// Whole accesses of a level that `words` words need: ceil(words x bits / access width); one access a word where no width is given.
double accesses_of(std::int64_t words, int word_bits, const BufferLevel& level) {
  if (level.access_bits <= 0) return static_cast<double>(words);
  return static_cast<double>(ceil_div(checked_mul(words, word_bits), level.access_bits));
}

double bytes_of(std::int64_t words, int word_bits) { return static_cast<double>(words) * word_bits / 8.0; }

bool is_peer_compatible(const Chip& chip) {
  return !chip.energy_table.empty() && load_energy_table(chip.energy_table).peer_compatible;
}

/// Bytes that a level reads and writes for one operand.
struct Traffic {
  double read = 0, written = 0;
};

Traffic traffic_of(const OperandAccesses& a, int word_bits, bool peer_compatible) {
  const std::int64_t read = peer_compatible ? a.reads : checked_add(a.reads, a.drains);
  return {bytes_of(read, word_bits), bytes_of(checked_add(a.fills, a.updates), word_bits)};
}

/// Time of a level's traffic: reads and writes share the bandwidth unless each has a port of its own, as in the peer convention.
Cycles transfer_time(Traffic traffic, const BufferLevel& level, std::int64_t instances, bool peer_compatible) {
  if (level.bandwidth.value <= 0) return {};
  const double bytes = peer_compatible || level.separate_ports ? std::max(traffic.read, traffic.written)
                                                               : traffic.read + traffic.written;
  return Bytes{bytes} / (static_cast<double>(std::max<std::int64_t>(instances, 1)) * level.bandwidth);
}

std::vector<LevelCost> level_costs(const Problem& problem, const AccessCounts& counts, const Chip& chip,
                                   bool peer_compatible) {
  assert(counts.levels.size() == chip.levels.size());
  std::vector<LevelCost> costs(chip.levels.size());
  for (std::size_t l = 0; l < costs.size(); ++l) {
    const BufferLevel& level = chip.levels[l];
    LevelCost& cost = costs[l];
    cost.name = level.name;
    cost.operand_energy.resize(problem.operands.size());
    Traffic traffic, outward;
    std::int64_t instances = 1;
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      const OperandAccesses& a = counts.levels[l][o];
      if (!a.kept) continue;
      const int word_bits = bits(problem.operands[o].type);
      const Traffic t = traffic_of(a, word_bits, peer_compatible);
      traffic.read += t.read;
      traffic.written += t.written;
      outward.read += peer_compatible ? 0.0 : bytes_of(a.drains, word_bits);
      outward.written += bytes_of(a.fills, word_bits);
      instances = std::max(instances, a.utilized_instances);
      const double drained = peer_compatible ? 0.0 : accesses_of(a.drains, word_bits, level);
      cost.operand_energy[o] =
          (accesses_of(a.reads, word_bits, level) + drained) * level.read_energy +
          (accesses_of(a.fills, word_bits, level) + accesses_of(a.updates, word_bits, level)) * level.write_energy;
      cost.energy += cost.operand_energy[o];
    }
    cost.traffic = Bytes{traffic.read + traffic.written};
    // What the lanes take from the innermost store is part of the array's own time (ArchFamily::compute), fragments and latches included.
    const bool feeds_lanes =
        l > 0 &&
        std::none_of(counts.levels.begin() + static_cast<std::ptrdiff_t>(l) + 1, counts.levels.end(),
                     [](const auto& inner) {
                       return std::any_of(inner.begin(), inner.end(), [](const OperandAccesses& a) { return a.kept; });
                     });
    cost.time = transfer_time(feeds_lanes ? outward : traffic, level, instances, peer_compatible);
  }
  return costs;
}

ArrayPass array_pass(const Problem& problem, const Mapping& mapping, std::size_t array_level) {
  ArrayPass pass;
  pass.spatial.assign(problem.dims.size(), 1);
  pass.temporal = pass.spatial;
  pass.chip = pass.spatial;
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    for (const Loop& loop : mapping.levels[l].loops) {
      const auto d = static_cast<std::size_t>(loop.dim);
      if (loop.kind != LoopKind::temporal) {
        (l >= array_level ? pass.spatial : pass.chip)[d] *= loop.bound;
      } else if (l > array_level) {
        pass.temporal[d] *= loop.bound;
      } else {
        pass.passes = checked_mul(pass.passes, loop.bound);
      }
    }
  }
  return pass;
}

/// Extents of the union of what all instances of `level` hold at once: the tile times the spatial loops outside it.
std::vector<std::int64_t> union_extents(const Problem& problem, const Mapping& mapping, std::size_t level) {
  std::vector<std::int64_t> extents = tile_extents(problem, mapping, level);
  for (std::size_t l = 0; l < level; ++l) {
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.kind == LoopKind::temporal) continue;
      const auto d = static_cast<std::size_t>(loop.dim);
      const std::int64_t bound = problem.dims[d].bound;
      extents[d] = extents[d] >= ceil_div(bound, loop.bound) ? bound : extents[d] * loop.bound;
    }
  }
  return extents;
}

/// Time until the first tile of the inputs has arrived: over the outermost level's ports, and over those of every level
/// whose inner neighbour cannot take the next part while the last one is in use (not double buffered).
Cycles first_tile_time(const CostModel& model, const Mapping& mapping, const AccessCounts& counts) {
  const Problem& problem = *model.problem;
  const Chip& chip = *model.chip;
  const std::size_t levels = chip.levels.size();
  Cycles time;
  for (std::size_t l = 0; l < levels; ++l) {
    const BufferLevel& level = chip.levels[l];
    const bool last = l + 1 == levels;
    if (level.bandwidth.value <= 0 || (l > 0 && (last || chip.levels[l + 1].double_buffered))) continue;
    Traffic traffic;
    std::int64_t instances = 1;
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      const OperandAccesses& a = counts.levels[l][o];
      if (!a.kept || problem.operands[o].role == Role::output) continue;
      std::size_t keeper = l + 1;
      while (keeper < levels && !counts.levels[keeper][o].kept) ++keeper;
      const std::int64_t words = box_words(problem.operands[o], union_extents(problem, mapping, keeper));
      traffic.read += bytes_of(words, bits(problem.operands[o].type));
      instances = std::max(instances, a.utilized_instances);
    }
    time += transfer_time(traffic, level, instances, model.peer_compatible);
  }
  return time;
}

Cycles longest(const std::vector<LevelCost>& levels) {
  Cycles time;
  for (const LevelCost& level : levels) time = std::max(time, level.time);
  return time;
}

EnergyBy with_static(EnergyBy dynamic, const Chip& chip, Seconds time, double chips) {
  dynamic.static_ = chips * static_power(chip) * time;
  return dynamic;
}

/// Chips that a resident layer needs: at least the one it runs on.
double chips_of(const ComputeCost& compute) { return std::max(1.0, std::ceil(compute.resident)); }

Seconds seconds(Cycles cycles, const Chip& chip) { return cycles / chip.clock; }
Cycles launch_cycles(const Chip& chip) { return chip.launch_overhead * chip.clock; }

bool event_driven(const Chip& chip) { return std::holds_alternative<NeuromorphicParameters>(chip.parameters); }

/// Number of distinct values of sum(coefficient x index) over the terms of one axis. Exact for small axes; else a lower bound: the
/// longest run of one term.
std::int64_t distinct_indices(const Problem& problem, const Axis& axis) {
  constexpr std::int64_t small = 1 << 16;
  std::int64_t span = 1, longest_term = 1, combinations = 1;
  int moving = 0;
  for (const Term& term : axis) {
    const std::int64_t bound = problem.dims[static_cast<std::size_t>(term.dim)].bound;
    if (term.coefficient == 0 || bound == 1) continue;
    ++moving;
    longest_term = std::max(longest_term, bound);
    span = checked_add(span, checked_mul(std::abs(term.coefficient), bound - 1));
    combinations = bound > small || combinations > small ? small + 1 : combinations * bound;
  }
  if (moving <= 1) return longest_term;
  if (span > small) return longest_term;
  std::vector<bool> reached(static_cast<std::size_t>(span), false), next;
  reached[0] = true;
  for (const Term& term : axis) {
    const std::int64_t bound = problem.dims[static_cast<std::size_t>(term.dim)].bound;
    const std::int64_t step = std::abs(term.coefficient);
    if (step == 0 || bound == 1) continue;
    next.assign(reached.size(), false);
    for (std::int64_t i = 0; i < span; ++i) {
      if (!reached[static_cast<std::size_t>(i)]) continue;
      for (std::int64_t k = 0, at = i; k < bound; ++k, at += step) next[static_cast<std::size_t>(at)] = true;
    }
    reached.swap(next);
  }
  return std::count(reached.begin(), reached.end(), true);
}

/// Bytes that must cross the outermost level's ports: every input word once, every result word once.
Traffic compulsory_traffic(const Problem& problem) {
  Traffic traffic;
  for (const Operand& operand : problem.operands) {
    if (operand.on_chip) continue;
    const double bytes = bytes_of(touched_words(problem, operand), bits(operand.type));
    (operand.role == Role::output ? traffic.written : traffic.read) += bytes;
  }
  return traffic;
}

/// All points at the peak rate: the lanes' for multiply-accumulates, the vector unit's for the rest.
Cycles ideal_cycles(const Problem& problem, const Chip& chip, const ComputeCost& vector) {
  if (problem.compute == Compute::vector) return vector.cycles;
  const double rate = static_cast<double>(chip.lanes()) * arithmetic_of(chip, problem).macs_per_cycle;
  return rate > 0 ? Cycles{static_cast<double>(problem.points()) / rate} : Cycles{};
}

/// Least energy by kind, static left out: arithmetic plus compulsory traffic of the outermost level and its link. Work on
/// operands with zeros may be skipped in proportion to their density; event-driven arithmetic has no such floor.
EnergyBy dynamic_energy_bound(const Problem& problem, const Chip& chip, const ComputeCost& vector) {
  EnergyBy bound;
  if (!event_driven(chip)) {
    if (problem.compute == Compute::vector) {
      for (const Event& event : vector.events) bound.compute += event.count * event.each;
    } else {
      const Event macs = mac_event(chip, problem);
      double kept = macs.count;
      for (const Operand& operand : problem.operands) kept *= operand.role == Role::output ? 1.0 : operand.density;
      bound.compute = kept * macs.each;
    }
  }
  const BufferLevel& outer = chip.levels.front();
  for (const Operand& operand : problem.operands) {
    if (operand.on_chip) continue;
    const std::int64_t words = touched_words(problem, operand);
    const int word_bits = bits(operand.type);
    const bool output = operand.role == Role::output;
    bound.memory += accesses_of(words, word_bits, outer) * (output ? outer.write_energy : outer.read_energy);
    if (!output) bound.link += static_cast<double>(words) * word_bits * outer.transfer_energy_per_bit;
  }
  return bound;
}

}  // namespace

Watts static_power(const Chip& chip) {
  const auto* events = std::get_if<NeuromorphicParameters>(&chip.parameters);
  if (events && events->all_in_synop) return {};
  Watts power = chip.static_power;
  for (const BufferLevel& level : chip.levels) power += static_cast<double>(level.instances) * level.leakage;
  return power;
}

std::int64_t touched_words(const Problem& problem, const Operand& operand) {
  std::vector<int> uses(problem.dims.size(), 0);
  for (const Axis& axis : operand.axes) {
    for (const Term& term : axis) uses[static_cast<std::size_t>(term.dim)] += term.coefficient != 0;
  }
  const bool diagonal = std::any_of(uses.begin(), uses.end(), [](int n) { return n > 1; });
  std::int64_t words = 1;
  for (const Axis& axis : operand.axes) {
    const std::int64_t distinct = distinct_indices(problem, axis);
    words = diagonal ? std::max(words, distinct) : checked_mul(words, distinct);
  }
  return words;
}

CostModel cost_model(const Problem& problem, const Chip& chip) {
  CostModel model;
  model.problem = &problem;
  model.chip = &chip;
  model.family = &family_of(chip);
  const int array = model.family->array_level(chip);
  model.array_level = static_cast<std::size_t>(std::clamp(array, 0, static_cast<int>(chip.levels.size()) - 1));
  model.peer_compatible = is_peer_compatible(chip);
  const ComputeCost vector = problem.compute == Compute::vector ? vector_cost(chip, problem) : ComputeCost{};
  model.ideal = ideal_cycles(problem, chip, vector);
  Cycles compute;
  if (!event_driven(chip)) {
    double kept = 1.0;
    if (problem.compute == Compute::mac) {
      for (const Operand& operand : problem.operands) kept *= operand.role == Role::output ? 1.0 : operand.density;
    }
    compute = kept * model.ideal;
  }
  const Cycles memory = transfer_time(compulsory_traffic(problem), chip.levels.front(), chip.levels.front().instances,
                                      model.peer_compatible);
  model.cycles_bound = std::max(compute, memory) + launch_cycles(chip);
  model.energy_bound =
      with_static(dynamic_energy_bound(problem, chip, vector), chip, seconds(model.cycles_bound, chip), 1.0);
  return model;
}

std::vector<LevelCost> level_costs(const Problem& problem, const AccessCounts& counts, const Chip& chip) {
  return level_costs(problem, counts, chip, is_peer_compatible(chip));
}

std::vector<LevelCost> level_costs(const CostModel& model, const AccessCounts& counts) {
  return level_costs(*model.problem, counts, *model.chip, model.peer_compatible);
}

EnergyBy energy(const std::vector<LevelCost>& levels, const AccessCounts& counts, const Problem& problem,
                const Chip& chip, const ComputeCost& compute, Seconds time) {
  EnergyBy by;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    by.memory += levels[l].energy;
    if (chip.levels[l].transfer_energy_per_bit.value <= 0) continue;
    double delivered_bits = 0;
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      delivered_bits += static_cast<double>(counts.levels[l][o].delivered) * bits(problem.operands[o].type);
    }
    by.link += delivered_bits * chip.levels[l].transfer_energy_per_bit;
  }
  for (const Event& event : compute.events) {
    Joules& kind = event.kind == EventKind::compute  ? by.compute
                   : event.kind == EventKind::memory ? by.memory
                                                     : by.link;
    kind += event.count * event.each;
  }
  return with_static(by, chip, time, chips_of(compute));
}

ArrayPass array_pass(const CostModel& model, const Mapping& mapping) {
  return array_pass(*model.problem, mapping, model.array_level);
}

ArrayPass array_pass(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  const int level = family_of(chip).array_level(chip);
  return array_pass(problem, mapping,
                    static_cast<std::size_t>(std::clamp(level, 0, static_cast<int>(chip.levels.size()) - 1)));
}

CostFigures cost_figures(const CostModel& model, const Mapping& mapping, const AccessCounts& counts,
                         const std::vector<LevelCost>& levels, const ComputeCost& compute) {
  // The array starts when its first tile is there. Where the outermost level itself is the bound, that tile is already in its time.
  const Cycles steady = std::max(compute.cycles, longest(levels));
  const Cycles started = std::max(steady, compute.cycles + first_tile_time(model, mapping, counts));
  CostFigures figures;
  figures.cycles = started + compute.fill_drain + launch_cycles(*model.chip);
  figures.overhead = figures.cycles - steady;
  figures.energy = energy(levels, counts, *model.problem, *model.chip, compute, seconds(figures.cycles, *model.chip));
  return figures;
}

Evaluation evaluate(const CostModel& model, const Mapping& mapping) {
  Evaluation e;
  e.problem = *model.problem;
  e.mapping = mapping;
  e.counts = count_accesses(e.problem, mapping);
  e.levels = level_costs(model, e.counts);
  e.compute = model.family->compute(*model.chip, e.problem, array_pass(model, mapping));
  const CostFigures figures = cost_figures(model, mapping, e.counts, e.levels, e.compute);
  e.cycles = figures.cycles;
  e.overhead = figures.overhead;
  e.energy = figures.energy;
  e.bounds.push_back({"compute", e.compute.cycles});
  for (const LevelCost& level : e.levels) {
    if (level.time.value > 0) e.bounds.push_back({"memory:" + level.name, level.time});
  }
  e.bounds.push_back({"overhead", e.overhead});
  std::stable_sort(e.bounds.begin(), e.bounds.end(), [](const Bound& a, const Bound& b) { return a.time > b.time; });
  // Work spread over several chips is measured against all of them.
  const Cycles ideal = e.problem.compute == Compute::mac ? model.ideal : e.compute.cycles;
  e.utilization = e.cycles.value > 0 ? ideal / (chips_of(e.compute) * e.cycles) : 0.0;
  e.cycles_bound = model.cycles_bound;
  e.energy_bound = model.energy_bound.total();
  return e;
}

Evaluation evaluate(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  return evaluate(cost_model(problem, chip), mapping);
}

double score(Cycles cycles, Joules energy, const Chip& chip, Objective objective) {
  const double time = seconds(cycles, chip).value;
  switch (objective) {
    case Objective::latency: return time;
    case Objective::energy: return energy.value;
    case Objective::edp: return time * energy.value;
  }
  assert(!"every objective has a score");
  return time;
}

double score(const Evaluation& evaluation, const Chip& chip, Objective objective) {
  return score(evaluation.cycles, evaluation.energy.total(), chip, objective);
}

double score_bound(const Evaluation& evaluation, const Chip& chip, Objective objective) {
  return score(evaluation.cycles_bound, evaluation.energy_bound, chip, objective);
}

}  // namespace tilewright
