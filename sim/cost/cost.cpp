#include "sim/cost/cost.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/cost/transfer.hpp"

namespace tilewright {
namespace {

/// What an operand's words at a level are charged for: zeros spare their part of the traffic with the lanes.
struct OperandWork {
  double bits, reads, fills, updates, drains;
};

OperandWork work_of(const OperandAccesses& a, const StoredWord& word, bool merged, bool peer_compatible) {
  const double share = a.feeds_lanes ? word.lane_share : 1;
  return {a.partial_sums ? word.partial_bits : word.final_bits,
          share * static_cast<double>(merged && !word.result ? a.merged_reads : a.reads), static_cast<double>(a.fills),
          share * static_cast<double>(a.updates), peer_compatible ? 0.0 : static_cast<double>(a.drains)};
}

/// Cost of a level without its names; `of_operand(o, energy)` is told the operands' parts.
struct LevelFigures {
  Bytes traffic;
  Cycles time;
  Joules energy;
};

/// Where `timed` is false, traffic and time stay 0.
template <class OfOperand>
LevelFigures level_figures(const CostModel& model, const AccessCounts& counts, std::size_t l, bool innermost,
                           bool timed, const OfOperand& of_operand) {
  const BufferLevel& level = model.chip->levels[l];
  const OperandAccesses* const accesses_at = counts.levels[l].data();
  const StoredWord* const words = model.words.data() + l * model.operands;
  const bool merged = level.link.reads_merged();
  LevelFigures figures;
  Traffic traffic, outward;
  std::int64_t instances = 1;
  for (std::size_t o = 0; o < model.operands; ++o) {
    const OperandAccesses& a = accesses_at[o];
    if (!a.kept) continue;
    const OperandWork work = work_of(a, words[o], merged, model.peer_compatible);
    if (timed) {
      traffic += {(work.reads + work.drains) * work.bits / 8, (work.fills + work.updates) * work.bits / 8};
      outward += {work.drains * work.bits / 8, work.fills * work.bits / 8};
      instances = std::max(instances, a.utilized_instances);
    }
    const auto accesses = [&](double of) { return accesses_of(of, work.bits, level, a.utilized_instances); };
    const Joules energy = (accesses(work.reads) + accesses(work.drains)) * level.read_energy +
                          (accesses(work.fills) + accesses(work.updates)) * level.write_energy;
    figures.energy += energy;
    of_operand(o, energy);
  }
  if (!timed) return figures;
  figures.traffic = Bytes{traffic.read + traffic.written};
  // What the lanes take from the innermost store is part of the array's own time (ArchFamily::compute), fragments and latches included.
  figures.time = transfer_time(innermost && l > 0 ? outward : traffic, level, instances, model.peer_compatible);
  return figures;
}

/// The innermost level that keeps anything.
std::size_t innermost_keeper(const AccessCounts& counts) {
  std::size_t l = counts.levels.size() - 1;
  while (l > 0 && std::none_of(counts.levels[l].begin(), counts.levels[l].end(), [](const auto& a) { return a.kept; }))
    --l;
  return l;
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
  for (std::size_t o = 0; o < model.operands; ++o) {
    const OperandAccesses& a = counts.levels[l][o];
    if (!a.kept) continue;
    const StoredWord& word = model.words[l * model.operands + o];
    const double share = a.feeds_lanes ? word.lane_share : 1;
    const double width = share * (a.partial_sums ? word.partial_bits : word.final_bits);
    const std::int64_t once = link.forwarding && !word.result ? a.merged_reads : a.delivered;
    transferred += static_cast<double>(once) * width;
    hops += static_cast<double>(a.delivered - once) * width;
    if (!word.result || model.peer_compatible) continue;
    transferred += static_cast<double>(a.collected) * width;
    added += static_cast<double>(a.collected - a.updates) * width;
  }
  return transferred * level.transfer_energy_per_bit + hops * link.hop_energy_per_bit +
         added * link.reduction_energy_per_bit;
}

/// Calls `multiply(product, bound)` for the loops of a mapping; the products are those of an ArrayPass: of `dims` dims in space, in
/// time and over the chip, and the passes.
template <class Multiply>
void visit_array_pass(const Mapping& mapping, std::size_t array_level, std::size_t dims, const Multiply& multiply) {
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    const std::size_t in_space = l >= array_level ? 0 : 2 * dims;
    for (const Loop& loop : mapping.levels[l].loops) {
      const auto d = static_cast<std::size_t>(loop.dim);
      const std::size_t in_time = l > array_level ? dims + d : 3 * dims;
      multiply(loop.kind == LoopKind::temporal ? in_time : in_space + d, loop.bound);
    }
  }
}

ArrayPass array_pass(const Problem& problem, const Mapping& mapping, std::size_t array_level) {
  const std::size_t dims = problem.dims.size();
  std::vector<std::int64_t> products(3 * dims + 1, 1);
  visit_array_pass(mapping, array_level, dims, [&](std::size_t product, std::int64_t bound) {
    products[product] = checked_mul(products[product], bound);
  });
  const auto part = [&](std::size_t n) {
    const auto begin = products.begin() + static_cast<std::ptrdiff_t>(n * dims);
    return std::vector<std::int64_t>(begin, begin + static_cast<std::ptrdiff_t>(dims));
  };
  return {part(0), part(1), part(2), products.back()};
}

/// The array waits for its first tile at the outermost level's ports, and at those of every level whose inner neighbour cannot take
/// the next part while the last one is in use (not double buffered).
bool first_tile_waits(const Chip& chip, std::size_t l) {
  if (chip.levels[l].bandwidth.value <= 0) return false;
  return l == 0 || (l + 1 < chip.levels.size() && !chip.levels[l + 1].double_buffered);
}

/// Time until the first tile of the inputs has arrived.
Cycles first_tile_time(const CostModel& model, const AccessCounts& counts) {
  const Chip& chip = *model.chip;
  Cycles time;
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    if (!first_tile_waits(chip, l)) continue;
    const BufferLevel& level = chip.levels[l];
    const OperandAccesses* const accesses_at = counts.levels[l].data();
    const StoredWord* const words = model.words.data() + l * model.operands;
    Traffic traffic;
    std::int64_t instances = 1;
    for (std::size_t o = 0; o < model.operands; ++o) {
      const OperandAccesses& a = accesses_at[o];
      if (!a.kept || words[o].result) continue;
      traffic.read += static_cast<double>(a.first_tile_words) * words[o].final_bits / 8;
      instances = std::max(instances, a.utilized_instances);
    }
    time += transfer_time(traffic, level, instances, model.peer_compatible);
  }
  return time;
}

/// Chips that a resident layer needs: at least the one it runs on.
double chips_of(const ComputeCost& compute) { return std::max(1.0, std::ceil(compute.resident)); }

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

/// The array starts when its first tile is there. Where the outermost level itself is the bound, that tile is already in its time.
CostFigures combine(const CostModel& model, const MemoryFigures& memory, const ArrayFigures& array) {
  const Cycles steady = std::max(array.cycles, memory.longest);
  const Cycles started = std::max(steady, array.cycles + memory.first_tile);
  CostFigures figures;
  figures.cycles = started + array.fill_drain + model.launch;
  figures.overhead = figures.cycles - steady;
  figures.energy = array.energy;
  figures.energy.memory += memory.memory;
  figures.energy.link += memory.link;
  figures.energy.static_ = array.chips * model.static_power * (figures.cycles / model.chip->clock);
  return figures;
}

/// As level_costs, into a table that may hold the costs of an earlier mapping: its memory is used again.
void set_level_costs(const CostModel& model, const AccessCounts& counts, std::vector<LevelCost>& costs) {
  assert(counts.levels.size() == model.chip->levels.size());
  costs.resize(counts.levels.size());
  const std::size_t innermost = innermost_keeper(counts);
  for (std::size_t l = 0; l < costs.size(); ++l) {
    LevelCost& cost = costs[l];
    cost.name = model.chip->levels[l].name;
    cost.operand_energy.assign(model.operands, Joules{});
    const LevelFigures figures = level_figures(model, counts, l, l >= innermost, true,
                                               [&](std::size_t o, Joules energy) { cost.operand_energy[o] = energy; });
    cost.traffic = figures.traffic;
    cost.time = figures.time;
    cost.energy = figures.energy;
  }
}

/// The compute array, every level that takes time, and the overhead; the longest first, equal ones in this order.
void set_bounds(const CostModel& model, Evaluation& e) {
  const auto timed =
      std::count_if(e.levels.begin(), e.levels.end(), [](const LevelCost& l) { return l.time.value > 0; });
  e.bounds.resize(static_cast<std::size_t>(timed) + 2);
  auto bound = e.bounds.begin();
  const auto add = [&](std::string_view kind, std::string_view name, Cycles time) {
    bound->name.assign(kind).append(name);
    bound->time = time;
    const auto place =
        std::upper_bound(e.bounds.begin(), bound, time, [](Cycles t, const Bound& other) { return t > other.time; });
    std::rotate(place, bound, bound + 1);
    ++bound;
  };
  add("compute", "", model.timed_share * e.compute.cycles);
  for (const LevelCost& level : e.levels) {
    if (level.time.value > 0) add("memory:", level.name, level.time);
  }
  add("overhead", "", e.overhead);
}

/// What the figures ask of the counts.
Counting counted_for(const Chip& chip) {
  Counting counting{.merged_reads = false, .tile_words = false};
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    counting.merged_reads = counting.merged_reads || chip.levels[l].link.reads_merged();
    counting.first_tile_words.push_back(first_tile_waits(chip, l) ? 1 : 0);
  }
  return counting;
}

}  // namespace

ArrayFigures array_figures(const CostModel& model, const ComputeCost& compute) {
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

std::vector<LevelCost> level_costs(const Problem& problem, const AccessCounts& counts, const Chip& chip) {
  return level_costs(cost_model(problem, chip), counts);
}

std::vector<LevelCost> level_costs(const CostModel& model, const AccessCounts& counts) {
  std::vector<LevelCost> costs;
  set_level_costs(model, counts, costs);
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
  EnergyBy energy = array_figures(model, compute).energy;
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
  return combine(model, memory, array_figures(model, compute));
}

MappingEvaluator::MappingEvaluator(const CostModel& model)
    : model_(&model),
      counter_(*model.problem, counted_for(*model.chip)),
      blank_{std::vector<std::int64_t>(3 * model.problem->dims.size() + 1, 1), 0},
      key_(blank_) {
  for (std::size_t i = 0; i < key_.products.size(); ++i) {
    weights_.push_back(0x9e3779b97f4a7c15ULL * (i == 0 ? 1 : weights_.back()));
  }
}

const ArrayFigures& MappingEvaluator::array_figures(const Mapping& mapping) {
  key_ = blank_;
  const auto multiply = [&](std::size_t product, std::int64_t bound) {
    std::int64_t& now = key_.products[product];
    const std::int64_t before = now, after = checked_mul(before, bound);
    now = after;
    key_.hash += weights_[product] * static_cast<std::uint64_t>(after - before);
  };
  visit_array_pass(mapping, model_->array_level, model_->problem->dims.size(), multiply);
  const auto found = passes_.find(key_);
  if (found != passes_.end()) return found->second;
  ArrayPass pass = array_pass(*model_, mapping);
  pass.explained = false;
  const ComputeCost compute = model_->family->compute(*model_->chip, *model_->problem, pass);
  return passes_.emplace(key_, tilewright::array_figures(*model_, compute)).first->second;
}

CostFigures MappingEvaluator::evaluate(const Mapping& mapping) {
  const ArrayFigures& array = array_figures(mapping);
  counts_ = &counter_.count(mapping);
  return cost_figures(*model_, *counts_, array);
}

CostFigures cost_figures(const CostModel& model, const AccessCounts& counts, const ArrayFigures& array) {
  const std::size_t innermost = innermost_keeper(counts);
  MemoryFigures memory;
  for (std::size_t l = 0; l < counts.levels.size(); ++l) {
    const bool timed = model.chip->levels[l].bandwidth.value > 0;
    const LevelFigures level = level_figures(model, counts, l, l >= innermost, timed, [](std::size_t, Joules) {});
    memory.add(level.time, level.energy, link_energy(model, counts, l));
  }
  memory.first_tile = first_tile_time(model, counts);
  return combine(model, memory, array);
}

void price(const CostModel& model, Evaluation& e) {
  set_level_costs(model, e.counts, e.levels);
  const CostFigures figures = cost_figures(model, e.mapping, e.counts, e.levels, e.compute);
  e.cycles = figures.cycles;
  e.overhead = figures.overhead;
  e.energy = figures.energy;
  set_bounds(model, e);
  // Work spread over several chips is measured against all of them.
  const Cycles ideal = e.problem.compute == Compute::mac ? model.timed_share * model.ideal : e.compute.cycles;
  e.utilization = e.cycles.value > 0 ? ideal / (chips_of(e.compute) * e.cycles) : 0.0;
  e.cycles_bound = model.cycles_bound;
  e.energy_bound = model.energy_bound.total();
}

Evaluation evaluate(const CostModel& model, const Mapping& mapping) {
  Evaluation e;
  e.problem = *model.problem;
  e.mapping = mapping;
  e.counts = count_accesses(e.problem, mapping);
  e.compute = model.family->compute(*model.chip, e.problem, array_pass(model, mapping));
  price(model, e);
  return e;
}

Evaluation evaluate(const Problem& problem, const Mapping& mapping, const Chip& chip) {
  return evaluate(cost_model(problem, chip), mapping);
}

double score(Cycles cycles, Joules energy, const Chip& chip, Objective objective) {
  const double time = (cycles / chip.clock).value;
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
