#include "sim/cost/cost.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <span>

#include "arch_models/energy_table.hpp"
#include "arch_models/family_tools.hpp"
#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/mapping/stored_words.hpp"

namespace tilewright {
namespace {

/// Whole accesses of `instances` stores that share `words` words: each needs ceil(its bits / access width); one access a word
/// where no width is given. Words x bits below 2^53 divide exactly.
double accesses_of(double words, double word_bits, const BufferLevel& level, std::int64_t instances) {
  if (level.access_bits <= 0 || words <= 0) return words;
  const double stores = static_cast<double>(std::max<std::int64_t>(instances, 1));
  const double each = words * word_bits / (stores * static_cast<double>(level.access_bits));
  if (each >= 0x1p53) return each * stores;
  const double whole = static_cast<double>(static_cast<std::int64_t>(each));
  return (whole < each ? whole + 1 : whole) * stores;
}

double bytes_of(std::int64_t words, double word_bits) { return static_cast<double>(words) * word_bits / 8.0; }

bool is_peer_compatible(const Chip& chip) {
  return !chip.energy_table.empty() && load_energy_table(chip.energy_table).peer_compatible;
}

/// Bytes that a level reads and writes.
struct Traffic {
  double read = 0, written = 0;
  Traffic& operator+=(Traffic other) {
    read += other.read;
    written += other.written;
    return *this;
  }
};

/// Time of a level's traffic: reads and writes share the bandwidth unless each has a port of its own, as in the peer convention.
Cycles transfer_time(Traffic traffic, const BufferLevel& level, std::int64_t instances, bool peer_compatible) {
  if (level.bandwidth.value <= 0) return {};
  const double bytes = peer_compatible || level.separate_ports ? std::max(traffic.read, traffic.written)
                                                               : traffic.read + traffic.written;
  return Bytes{bytes} / (static_cast<double>(std::max<std::int64_t>(instances, 1)) * level.bandwidth);
}

std::size_t operand_count(const CostModel& model) { return model.problem->operands.size(); }

double word_bits(const CostModel& model, std::size_t level, std::size_t operand, const OperandAccesses& a) {
  const StoredWord& word = model.words[level * operand_count(model) + operand];
  return a.partial_sums ? word.partial_bits : word.final_bits;
}

/// What a level does for one operand after zeros have spared their part of the traffic with the lanes.
struct OperandWork {
  Traffic all, outward;  // bytes; with the next outer keeper alone
  Joules energy;
};

OperandWork work_of(const CostModel& model, const AccessCounts& counts, std::size_t l, std::size_t o) {
  const OperandAccesses& a = counts.levels[l][o];
  const BufferLevel& level = model.chip->levels[l];
  const StoredWord& word = model.words[l * operand_count(model) + o];
  const double share = a.feeds_lanes ? word.lane_share : 1;
  const double width = a.partial_sums ? word.partial_bits : word.final_bits;
  const bool merged = level.link.reads_merged() && model.problem->operands[o].role != Role::output;
  const double reads = share * static_cast<double>(merged ? a.merged_reads : a.reads);
  const double updates = share * static_cast<double>(a.updates);
  const double fills = static_cast<double>(a.fills);
  const double drains = model.peer_compatible ? 0.0 : static_cast<double>(a.drains);
  const auto accesses = [&](double words) { return accesses_of(words, width, level, a.utilized_instances); };
  OperandWork work;
  work.all = {(reads + drains) * width / 8, (fills + updates) * width / 8};
  work.outward = {drains * width / 8, fills * width / 8};
  work.energy = (accesses(reads) + accesses(drains)) * level.read_energy +
                (accesses(fills) + accesses(updates)) * level.write_energy;
  return work;
}

/// Cost of a level without its names; `of_operand(o, energy)` is told the operands' parts.
struct LevelFigures {
  Bytes traffic;
  Cycles time;
  Joules energy;
};

template <class OfOperand>
LevelFigures level_figures(const CostModel& model, const AccessCounts& counts, std::size_t l,
                           const OfOperand& of_operand) {
  LevelFigures figures;
  Traffic traffic, outward;
  std::int64_t instances = 1;
  for (std::size_t o = 0; o < operand_count(model); ++o) {
    const OperandAccesses& a = counts.levels[l][o];
    if (!a.kept) continue;
    const OperandWork work = work_of(model, counts, l, o);
    traffic += work.all;
    outward += work.outward;
    instances = std::max(instances, a.utilized_instances);
    figures.energy += work.energy;
    of_operand(o, work.energy);
  }
  figures.traffic = Bytes{traffic.read + traffic.written};
  if (model.chip->levels[l].bandwidth.value <= 0) return figures;
  // What the lanes take from the innermost store is part of the array's own time (ArchFamily::compute), fragments and latches included.
  const bool feeds_lanes =
      l > 0 && std::none_of(counts.levels.begin() + static_cast<std::ptrdiff_t>(l) + 1, counts.levels.end(),
                            [](const auto& inner) {
                              return std::any_of(inner.begin(), inner.end(), [](const auto& a) { return a.kept; });
                            });
  figures.time =
      transfer_time(feeds_lanes ? outward : traffic, model.chip->levels[l], instances, model.peer_compatible);
  return figures;
}

/// Energy of a level's link to the next inner one: every word that arrives at a child pays the link, or with forwarding only the
/// distinct ones, the copies a hop from neighbour to neighbour. In the physical convention results pay their way outwards as well, and
/// every partial sum that meets another one on the way its addition.
Joules link_energy(const CostModel& model, const AccessCounts& counts, std::size_t l) {
  const BufferLevel& level = model.chip->levels[l];
  const LinkOptions& link = level.link;
  if (level.transfer_energy_per_bit.value <= 0 && !link.forwarding && link.reduction_energy_per_bit.value <= 0)
    return {};
  double transferred = 0, hops = 0, added = 0;  // bits
  for (std::size_t o = 0; o < operand_count(model); ++o) {
    const OperandAccesses& a = counts.levels[l][o];
    if (!a.kept) continue;
    const StoredWord& word = model.words[l * operand_count(model) + o];
    const double share = a.feeds_lanes ? word.lane_share : 1;
    const double width = share * word_bits(model, l, o, a);
    const bool output = model.problem->operands[o].role == Role::output;
    const std::int64_t once = link.forwarding && !output ? a.merged_reads : a.delivered;
    transferred += static_cast<double>(once) * width;
    hops += static_cast<double>(a.delivered - once) * width;
    if (!output || model.peer_compatible) continue;
    transferred += static_cast<double>(a.collected) * width;
    added += static_cast<double>(a.collected - a.updates) * width;
  }
  return transferred * level.transfer_energy_per_bit + hops * link.hop_energy_per_bit +
         added * link.reduction_energy_per_bit;
}

/// Multiplies the bounds of a mapping's loops into the products of an ArrayPass, all 1 before.
void visit_array_pass(const Mapping& mapping, std::size_t array_level, std::span<std::int64_t> spatial,
                      std::span<std::int64_t> temporal, std::span<std::int64_t> chip, std::int64_t& passes) {
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    for (const Loop& loop : mapping.levels[l].loops) {
      const auto d = static_cast<std::size_t>(loop.dim);
      if (loop.kind != LoopKind::temporal) {
        (l >= array_level ? spatial : chip)[d] *= loop.bound;
      } else if (l > array_level) {
        temporal[d] *= loop.bound;
      } else {
        passes = checked_mul(passes, loop.bound);
      }
    }
  }
}

ArrayPass array_pass(const Problem& problem, const Mapping& mapping, std::size_t array_level) {
  ArrayPass pass;
  pass.spatial.assign(problem.dims.size(), 1);
  pass.temporal = pass.spatial;
  pass.chip = pass.spatial;
  visit_array_pass(mapping, array_level, pass.spatial, pass.temporal, pass.chip, pass.passes);
  return pass;
}

/// Time until the first tile of the inputs has arrived: over the outermost level's ports, and over those of every level
/// whose inner neighbour cannot take the next part while the last one is in use (not double buffered).
Cycles first_tile_time(const CostModel& model, const AccessCounts& counts) {
  const Chip& chip = *model.chip;
  const std::size_t levels = chip.levels.size();
  Cycles time;
  for (std::size_t l = 0; l < levels; ++l) {
    const BufferLevel& level = chip.levels[l];
    const bool last = l + 1 == levels;
    if (level.bandwidth.value <= 0 || (l > 0 && (last || chip.levels[l + 1].double_buffered))) continue;
    Traffic traffic;
    std::int64_t instances = 1;
    for (std::size_t o = 0; o < operand_count(model); ++o) {
      const OperandAccesses& a = counts.levels[l][o];
      if (!a.kept || model.problem->operands[o].role == Role::output) continue;
      traffic.read += bytes_of(a.first_tile_words, word_bits(model, l, o, a));
      instances = std::max(instances, a.utilized_instances);
    }
    time += transfer_time(traffic, level, instances, model.peer_compatible);
  }
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

/// What the levels add to the figures.
struct MemoryFigures {
  Cycles longest, first_tile;
  Joules memory, link;
  void add(Cycles time, Joules level, Joules level_link) {
    longest = std::max(longest, time);
    memory += level;
    link += level_link;
  }
};

ArrayFigures figures_of(const CostModel& model, const ComputeCost& compute) {
  ArrayFigures figures;
  figures.cycles = model.timed_share * compute.cycles;
  figures.fill_drain = compute.fill_drain;
  figures.chips = chips_of(compute);
  for (const Event& event : compute.events) {
    Joules& kind = event.kind == EventKind::compute  ? figures.energy.compute
                   : event.kind == EventKind::memory ? figures.energy.memory
                                                     : figures.energy.link;
    kind += (event.kind == EventKind::compute ? model.active_share : 1.0) * event.count * event.each;
  }
  return figures;
}

/// The array starts when its first tile is there. Where the outermost level itself is the bound, that tile is already in its time.
CostFigures combine(const CostModel& model, const MemoryFigures& memory, const ArrayFigures& array) {
  const Chip& chip = *model.chip;
  const Cycles steady = std::max(array.cycles, memory.longest);
  const Cycles started = std::max(steady, array.cycles + memory.first_tile);
  CostFigures figures;
  figures.cycles = started + array.fill_drain + launch_cycles(chip);
  figures.overhead = figures.cycles - steady;
  figures.energy = array.energy;
  figures.energy.memory += memory.memory;
  figures.energy.link += memory.link;
  figures.energy = with_static(figures.energy, chip, seconds(figures.cycles, chip), array.chips);
  return figures;
}

MergedReads merged_reads(const Chip& chip) {
  const bool any = std::any_of(chip.levels.begin(), chip.levels.end(),
                               [](const BufferLevel& level) { return level.link.reads_merged(); });
  return any ? MergedReads::everywhere : MergedReads::nowhere;
}

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

void resolve_words(CostModel& model) {
  for (const BufferLevel& level : model.chip->levels) {
    for (const Operand& operand : model.problem->operands) {
      model.words.push_back({stored_bits(*model.problem, operand, level), partial_bits(operand, *model.chip), 1.0});
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
  for (std::size_t o = 0; o < operand_count(model); ++o) {
    const Operand& operand = model.problem->operands[o];
    if (operand.on_chip) continue;
    const StoredWord& word = model.words[o];
    // A chip that keeps nothing further in may skip what meets a zero.
    const double bytes = word.lane_share * bytes_of(touched_words(*model.problem, operand), word.final_bits);
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
EnergyBy dynamic_energy_bound(const CostModel& model, const ComputeCost& vector) {
  const Problem& problem = *model.problem;
  const Chip& chip = *model.chip;
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
  for (std::size_t o = 0; o < operand_count(model); ++o) {
    const Operand& operand = problem.operands[o];
    if (operand.on_chip) continue;
    const StoredWord& word = model.words[o];
    const double words = word.lane_share * static_cast<double>(touched_words(problem, operand));
    const bool output = operand.role == Role::output;
    bound.memory += accesses_of(words, word.final_bits, outer, 1) * (output ? outer.write_energy : outer.read_energy);
    if (!output) bound.link += words * word.final_bits * outer.transfer_energy_per_bit;
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
  resolve_words(model);
  resolve_sparsity(model);
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
  const Cycles memory = transfer_time(compulsory_traffic(model), chip.levels.front(), chip.levels.front().instances,
                                      model.peer_compatible);
  model.cycles_bound = std::max(compute, memory) + launch_cycles(chip);
  model.energy_bound = with_static(dynamic_energy_bound(model, vector), chip, seconds(model.cycles_bound, chip), 1.0);
  return model;
}

std::vector<LevelCost> level_costs(const Problem& problem, const AccessCounts& counts, const Chip& chip) {
  return level_costs(cost_model(problem, chip), counts);
}

std::vector<LevelCost> level_costs(const CostModel& model, const AccessCounts& counts) {
  assert(counts.levels.size() == model.chip->levels.size());
  std::vector<LevelCost> costs(counts.levels.size());
  for (std::size_t l = 0; l < costs.size(); ++l) {
    LevelCost& cost = costs[l];
    cost.name = model.chip->levels[l].name;
    cost.operand_energy.resize(operand_count(model));
    const LevelFigures figures =
        level_figures(model, counts, l, [&](std::size_t o, Joules energy) { cost.operand_energy[o] = energy; });
    cost.traffic = figures.traffic;
    cost.time = figures.time;
    cost.energy = figures.energy;
  }
  return costs;
}

ArrayPass array_pass(const CostModel& model, const Mapping& mapping) {
  return array_pass(*model.problem, mapping, model.array_level);
}

ArrayPass array_pass(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  const int level = family_of(chip).array_level(chip);
  return array_pass(problem, mapping,
                    static_cast<std::size_t>(std::clamp(level, 0, static_cast<int>(chip.levels.size()) - 1)));
}

EnergyBy dynamic_energy(const CostModel& model, const AccessCounts& counts, const std::vector<LevelCost>& levels,
                        const ComputeCost& compute) {
  EnergyBy energy = figures_of(model, compute).energy;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    energy.memory += levels[l].energy;
    energy.link += link_energy(model, counts, l);
  }
  return energy;
}

CostFigures cost_figures(const CostModel& model, const Mapping& /*mapping*/, const AccessCounts& counts,
                         const std::vector<LevelCost>& levels, const ComputeCost& compute) {
  MemoryFigures memory;
  for (std::size_t l = 0; l < levels.size(); ++l)
    memory.add(levels[l].time, levels[l].energy, link_energy(model, counts, l));
  memory.first_tile = first_tile_time(model, counts);
  return combine(model, memory, figures_of(model, compute));
}

MappingEvaluator::MappingEvaluator(const CostModel& model)
    : model_(&model), counter_(*model.problem, merged_reads(*model.chip)), key_(3 * model.problem->dims.size() + 1) {}

std::size_t MappingEvaluator::PassHash::operator()(const std::vector<std::int64_t>& key) const {
  std::uint64_t hash = 0;
  for (const std::int64_t value : key) hash = (hash ^ static_cast<std::uint64_t>(value)) * 0x9e3779b97f4a7c15ULL;
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

const ArrayFigures& MappingEvaluator::array_figures(const Mapping& mapping) {
  const std::size_t dims = model_->problem->dims.size();
  std::fill(key_.begin(), key_.end(), 1);
  visit_array_pass(mapping, model_->array_level, std::span(key_).first(dims), std::span(key_).subspan(dims, dims),
                   std::span(key_).subspan(2 * dims, dims), key_.back());
  const auto found = passes_.find(key_);
  if (found != passes_.end()) return found->second;
  const ComputeCost compute = model_->family->compute(*model_->chip, *model_->problem, array_pass(*model_, mapping));
  return passes_.emplace(key_, figures_of(*model_, compute)).first->second;
}

CostFigures MappingEvaluator::evaluate(const Mapping& mapping) {
  const ArrayFigures& array = array_figures(mapping);
  counts_ = &counter_.count(mapping);
  MemoryFigures memory;
  for (std::size_t l = 0; l < counts_->levels.size(); ++l) {
    const LevelFigures level = level_figures(*model_, *counts_, l, [](std::size_t, Joules) {});
    memory.add(level.time, level.energy, link_energy(*model_, *counts_, l));
  }
  memory.first_tile = first_tile_time(*model_, *counts_);
  return combine(*model_, memory, array);
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
  e.bounds.push_back({"compute", model.timed_share * e.compute.cycles});
  for (const LevelCost& level : e.levels) {
    if (level.time.value > 0) e.bounds.push_back({"memory:" + level.name, level.time});
  }
  e.bounds.push_back({"overhead", e.overhead});
  std::stable_sort(e.bounds.begin(), e.bounds.end(), [](const Bound& a, const Bound& b) { return a.time > b.time; });
  // Work spread over several chips is measured against all of them.
  const Cycles ideal = e.problem.compute == Compute::mac ? model.timed_share * model.ideal : e.compute.cycles;
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
