#include "sim/mapping/access_counts.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace tilewright {
AccessCounter::AccessCounter(const Problem& problem, Counting counting)
    : counting_(counting), digits_(problem), nothing_(problem.operands.size()) {
  for (const Operand& operand : problem.operands) {
    operands_.push_back({OperandWords(problem, operand), operand.role == Role::output, operand.on_chip, {}});
  }
  counts_.points = 1;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    counts_.points = checked_mul(counts_.points, problem.dims[d].bound);
    for (const Counted& operand : operands_) moves_.push_back(operand.words.moved_by(d) ? 1 : 0);
  }
}

void AccessCounter::look_outside() {
  const std::size_t operands = operands_.size();
  std::int64_t steps = 1, lanes = 1;
  for (std::size_t l = 0; l < digits_.levels(); ++l) {
    Outside* const inside = &outside_[(l + 1) * operands];
    for (std::size_t o = 0; o < operands; ++o) inside[o] = outside_[l * operands + o];
    for (std::size_t i = digits_.begin(l); i < digits_.begin(l + 1); ++i) {
      const LoopDigits::Digit& digit = digits_[i];
      steps = checked_mul(steps, digit.temporal ? digit.bound : 1);
      lanes = checked_mul(lanes, digit.temporal ? 1 : digit.bound);
      const std::int64_t values = digit.temporal && digits_.even(digit.dim) ? digit.bound : 1;
      const char* const moved_by = &moves_[digit.dim * operands];
      for (std::size_t o = 0; o < operands; ++o) {
        Outside& seen = inside[o];
        const bool moves = moved_by[o] != 0, changes = moves && digit.temporal;
        seen.moving = changes ? i : seen.moving;
        seen.before = changes ? seen.times : seen.before;
        seen.times *= moves ? 1 : values;  // a part of temporal_steps
      }
    }
  }
  counts_.temporal_steps = steps;
  counts_.lanes_used = lanes;
}

/// The parent with the tiles of the next inner keeper, or with the lanes; returns the words that arrive there. Every MAC reads; a
/// store's tile changes with the temporal loops outside the innermost one that moves it.
std::int64_t AccessCounter::connect(std::size_t o, std::size_t parent, std::size_t child) {
  Counted& operand = operands_[o];
  OperandAccesses& outer = counts_.levels[parent][o];
  const bool lanes = child == digits_.levels();
  const Outside& outside = outside_[child * nothing_.size() + o];
  // How often the same words go their way: once for each value of the digits that do not move them, spatial ones inside level
  // `in_space` being served by one read (multicast) or adding up on the way (reduction).
  const auto times = [&](std::size_t in_space) {
    const std::size_t end = digits_.begin(child);
    const std::size_t in_time = lanes ? end : outside.moving == LoopDigits::none ? 0 : outside.moving;
    const std::int64_t* instances = digits_.instances(in_space);
    std::int64_t product = lanes ? outside.times : outside.before;
    for (const std::size_t d : operand.words.still()) {
      product = checked_mul(
          product, digits_.even(d) ? instances[d] : digits_.distinct(d, end, in_time, digits_.begin(in_space)));
    }
    return product;
  };
  const std::int64_t words = lanes ? operand.words.points() : operand.words.moved(digits_, child, outside.moving);
  const std::int64_t sent_times = times(parent), sent = checked_mul(words, sent_times);
  const bool apart = instances_used_[parent] < (lanes ? 0 : instances_used_[child]);  // a spatial loop lies between
  const std::int64_t arriving = lanes ? counts_.points : apart ? checked_mul(words, times(child)) : sent;
  outer.feeds_lanes = lanes;
  if (operand.output) {
    outer.updates = sent;
    outer.collected = arriving;
    outer.partial_sums = sent_times > 1 || !operand.words.disjoint();
    return arriving;
  }
  outer.reads = outer.merged_reads = sent;
  outer.delivered = arriving;
  outer.first_tile_words = operand.words.box(digits_.first_extents(child));
  if (counting_.merged_reads && operand.words.regular()) {
    outer.merged_reads = checked_mul(
        operand.words.merged(digits_, parent, child, lanes ? LoopDigits::none : outside.moving), sent_times);
  }
  return arriving;
}

void AccessCounter::count_operand(std::size_t o, const Mapping& mapping) {
  Counted& operand = operands_[o];
  const std::size_t levels = digits_.levels();
  std::size_t parent = 0;
  for (std::size_t l = 0; l < levels; ++l) {
    if (!mapping.levels[l].keeps[o]) continue;
    OperandAccesses& here = counts_.levels[l][o];
    here.kept = true;
    here.utilized_instances = instances_used_[l];
    if (counting_.tile_words) here.tile_words = operand.words.box(digits_.extents(l));
    if (operand.output) {
      std::int64_t owned = operand.words.owned(digits_, l);
      for (const std::size_t d : operand.words.still()) owned = checked_mul(owned, digits_.instances_used(l, d));
      operand.owned[l] = owned;
    }
    if (l > 0) {
      here.fills = connect(o, parent, l);
      if (operand.output) {
        here.drains = here.fills;
        here.fills = std::max<std::int64_t>(here.drains - operand.owned[l], 0);
        counts_.levels[parent][o].delivered = here.fills;
      }
    }
    parent = l;
  }
  connect(o, parent, levels);
  if (operand.output) {
    for (std::size_t l = 0; l < levels; ++l) {
      OperandAccesses& here = counts_.levels[l][o];
      if (here.kept) here.reads = std::max<std::int64_t>(here.updates - operand.owned[l], 0);
    }
    counts_.levels[parent][o].delivered = counts_.levels[parent][o].reads;
  }
  if (operand.on_chip) counts_.levels.front()[o] = nothing_[o];
}

const AccessCounts& AccessCounter::count(const Mapping& mapping) {
  digits_.read(mapping);
  const std::size_t levels = digits_.levels();
  if (counts_.levels.size() != levels) {
    instances_used_.resize(levels);
    outside_.resize((levels + 1) * operands_.size());
    for (Counted& operand : operands_) operand.owned.assign(operand.output ? levels : 0, 0);
  }
  counts_.levels.assign(levels, nothing_);
  look_outside();
  for (std::size_t l = 0; l < levels; ++l) instances_used_[l] = digits_.instances_used(l);
  for (std::size_t o = 0; o < operands_.size(); ++o) count_operand(o, mapping);
  return counts_;
}

AccessCounts count_accesses(const Problem& problem, const Mapping& mapping) {
  return AccessCounter(problem).count(mapping);
}

}  // namespace tilewright
