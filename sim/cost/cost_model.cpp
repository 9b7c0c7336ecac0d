#include "sim/cost/cost_model.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "arch_models/energy_table.hpp"
#include "arch_models/family_tools.hpp"
#include "core/checked.hpp"
#include "sim/cost/transfer.hpp"
#include "sim/mapping/stored_words.hpp"

namespace tilewright {
namespace {

bool is_peer_compatible(const Chip& chip) {
  return !chip.energy_table.empty() && load_energy_table(chip.energy_table).peer_compatible;
}

bool event_driven(const Chip& chip) { return std::holds_alternative<NeuromorphicParameters>(chip.parameters); }

double bytes_of(std::int64_t words, double word_bits) { return static_cast<double>(words) * word_bits / 8.0; }

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

void resolve_words(CostModel& model) {
  for (const BufferLevel& level : model.chip->levels) {
    for (const Operand& operand : model.problem->operands) {
      model.words.push_back({stored_bits(*model.problem, operand, level), partial_bits(operand, *model.chip), 1.0,
                             operand.role == Role::output});
    }
  }
}

/// Zeros that meet in a MAC are taken as independent. An operand's traffic with the lanes shrinks with the others' zeros: its own must
/// be looked at, or are not stored.
void resolve_sparsity(CostModel& model) {
  if (model.problem->compute != Compute::mac || event_driven(*model.chip)) return;
  const SparseCompute& sparse = model.chip->sparse;
  const std::vector<Operand>& operands = model.problem->operands;
  for (std::size_t s = 0; s < operands.size(); ++s) {
    const auto role = static_cast<std::size_t>(operands[s].role);
    if (operands[s].role == Role::output || !(sparse.gated[role] || sparse.skipped[role])) continue;
    model.active_share *= operands[s].density;
    if (sparse.skipped[role]) model.timed_share *= operands[s].density;
    for (std::size_t i = 0; i < model.words.size(); ++i) {
      if (i % operands.size() != s) model.words[i].lane_share *= operands[s].density;
    }
  }
}

/// Bytes that must cross the outermost level's ports: every input word once, every result word once.
Traffic compulsory_traffic(const CostModel& model) {
  Traffic traffic;
  for (std::size_t o = 0; o < model.operands; ++o) {
    const Operand& operand = model.problem->operands[o];
    if (operand.on_chip) continue;
    const StoredWord& word = model.words[o];
    // A chip that keeps nothing further in may skip what meets a zero.
    const double bytes = word.lane_share * bytes_of(model.touched[o], word.final_bits);
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

/// Least energy of the arithmetic. Work on operands with zeros may be skipped in proportion to their density; event-driven arithmetic has no
/// such floor.
Joules arithmetic_bound(const Problem& problem, const Chip& chip, const ComputeCost& vector) {
  Joules bound;
  if (event_driven(chip)) return bound;
  if (problem.compute == Compute::vector) {
    for (const Event& event : vector.events) bound += event.count * event.each;
    return bound;
  }
  const Event macs = mac_event(chip, problem);
  double kept = macs.count;
  for (const Operand& operand : problem.operands) kept *= operand.role == Role::output ? 1.0 : operand.density;
  return kept * macs.each;
}

/// Least energy by kind, static left out: arithmetic plus compulsory traffic of the outermost level and its link.
EnergyBy dynamic_energy_bound(const CostModel& model) {
  EnergyBy bound;
  bound.compute = model.arithmetic_bound;
  const BufferLevel& outer = model.chip->levels.front();
  for (std::size_t o = 0; o < model.operands; ++o) {
    const Operand& operand = model.problem->operands[o];
    if (operand.on_chip) continue;
    const StoredWord& word = model.words[o];
    const double words = word.lane_share * static_cast<double>(model.touched[o]);
    const bool output = operand.role == Role::output;
    bound.memory += accesses_of(words, word.final_bits, outer, 1) * (output ? outer.write_energy : outer.read_energy);
    if (!output) bound.link += words * word.final_bits * outer.transfer_energy_per_bit;
  }
  return bound;
}

void resolve_bounds(CostModel& model) {
  const BufferLevel& outer = model.chip->levels.front();
  const Cycles memory = transfer_time(compulsory_traffic(model), outer, outer.instances, model.peer_compatible);
  model.cycles_bound = std::max(model.compute_bound, memory) + model.launch;
  model.energy_bound = dynamic_energy_bound(model);
  model.energy_bound.static_ = model.static_power * (model.cycles_bound / model.chip->clock);
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
  model.operands = problem.operands.size();
  const int array = model.family->array_level(chip);
  model.array_level = static_cast<std::size_t>(std::clamp(array, 0, static_cast<int>(chip.levels.size()) - 1));
  model.peer_compatible = is_peer_compatible(chip);
  model.static_power = static_power(chip);
  model.launch = chip.launch_overhead * chip.clock;
  resolve_words(model);
  resolve_sparsity(model);
  const ComputeCost vector = problem.compute == Compute::vector ? vector_cost(chip, problem) : ComputeCost{};
  model.ideal = ideal_cycles(problem, chip, vector);
  for (const Operand& operand : problem.operands)
    model.touched.push_back(operand.on_chip ? 0 : touched_words(problem, operand));
  if (!event_driven(chip)) {
    double kept = 1.0;
    if (problem.compute == Compute::mac) {
      for (const Operand& operand : problem.operands) kept *= operand.role == Role::output ? 1.0 : operand.density;
    }
    model.compute_bound = kept * model.ideal;
  }
  model.arithmetic_bound = arithmetic_bound(problem, chip, vector);
  resolve_bounds(model);
  return model;
}

void move_to(CostModel& model, const Chip& chip) {
  model.chip = &chip;
  model.static_power = static_power(chip);
  resolve_bounds(model);
}

}  // namespace tilewright
