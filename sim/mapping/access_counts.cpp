#include "sim/mapping/access_counts.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace tilewright {

AccessCounter::AccessCounter(const Problem& problem, MergedReads merged) : merged_(merged), digits_(problem) {
  for (const Operand& operand : problem.operands) {
    operands_.push_back({OperandWords(problem, operand), operand.role == Role::output, operand.on_chip, {}});
  }
  counts_.points = 1;
  for (const Dim& dim : problem.dims) counts_.points = checked_mul(counts_.points, dim.bound);
}

/// The parent with the tiles of the next inner keeper, or with the lanes; returns the words that arrive there. Every MAC reads; a
/// store's tile changes with the temporal loops outside the innermost one that moves it.
std::int64_t AccessCounter::connect(std::size_t o, std::size_t parent, std::size_t child, std::size_t moving) {
  Counted& operand = operands_[o];
  OperandAccesses& outer = counts_.levels[parent][o];
  const bool lanes = child == digits_.levels();
  const std::size_t end = digits_.begin(child);
  const std::size_t in_time = lanes ? end : moving == LoopDigits::none ? 0 : moving;
  // How often the same words go their way: once for each value of the digits that do not move them, spatial ones from `in_space` on
  // being served by one read (multicast) or adding up on the way (reduction).
  const auto times = [&](std::size_t in_space) {
    std::int64_t product = 1;
    for (const std::size_t d : operand.words.still()) {
      product = checked_mul(product, digits_.distinct(d, end, in_time, in_space));
    }
    return product;
  };
  const std::int64_t words = lanes ? operand.words.points() : operand.words.moved(digits_, child, moving);
  const std::int64_t sent_times = times(digits_.begin(parent)), sent = checked_mul(words, sent_times);
  const std::int64_t arriving = lanes ? counts_.points : checked_mul(words, times(end));
  outer.feeds_lanes = lanes;
  if (operand.output) {
    outer.updates = sent;
    outer.collected = arriving;
    outer.partial_sums = sent_times > 1 || !operand.words.disjoint();
    return arriving;
  }
  outer.reads = outer.merged_reads = sent;
  outer.delivered = arriving;
  outer.first_tile_words = operand.words.first_tiles(digits_, child);
  if (merged_ == MergedReads::everywhere && operand.words.regular()) {
    const std::size_t sliding = lanes ? LoopDigits::none : moving;
    outer.merged_reads = checked_mul(operand.words.merged(digits_, parent, child, sliding), sent_times);
  }
  return arriving;
}

void AccessCounter::count_operand(std::size_t o, const Mapping& mapping) {
  Counted& operand = operands_[o];
  const std::size_t levels = digits_.levels();
  std::size_t parent = 0, moving = LoopDigits::none;
  for (std::size_t l = 0; l < levels; ++l) {
    OperandAccesses& here = counts_.levels[l][o];
    here = {};
    if (mapping.levels[l].keeps[o]) {
      here.kept = true;
      here.utilized_instances = instances_used_[l];
      here.tile_words = operand.words.tile(digits_, l);
      if (operand.output) {
        operand.owned[l] = operand.words.owned(digits_, l);
        for (const std::size_t d : operand.words.still()) {
          operand.owned[l] = checked_mul(operand.owned[l], digits_.instances_used(l, d));
        }
      }
      if (l > 0) {
        here.fills = connect(o, parent, l, moving);
        if (operand.output) {
          here.drains = here.fills;
          here.fills = std::max<std::int64_t>(here.drains - operand.owned[l], 0);
          counts_.levels[parent][o].delivered = here.fills;
        }
      }
      parent = l;
    }
    for (std::size_t i = digits_.begin(l); i < digits_.begin(l + 1); ++i) {
      moving = digits_[i].temporal && operand.words.moved_by(digits_[i].dim) ? i : moving;
    }
  }
  connect(o, parent, levels, moving);
  if (operand.output) {
    for (std::size_t l = 0; l < levels; ++l) {
      OperandAccesses& here = counts_.levels[l][o];
      if (here.kept) here.reads = std::max<std::int64_t>(here.updates - operand.owned[l], 0);
    }
    counts_.levels[parent][o].delivered = counts_.levels[parent][o].reads;
  }
  if (operand.on_chip) counts_.levels.front()[o] = {};
}

const AccessCounts& AccessCounter::count(const Mapping& mapping) {
  digits_.read(mapping);
  const std::size_t levels = digits_.levels();
  if (counts_.levels.size() != levels) {
    counts_.levels.assign(levels, std::vector<OperandAccesses>(operands_.size()));
    instances_used_.resize(levels);
    for (Counted& operand : operands_) operand.owned.assign(operand.output ? levels : 0, 0);
  }
  counts_.temporal_steps = counts_.lanes_used = 1;
  for (std::size_t l = 0; l < levels; ++l) {
    instances_used_[l] = digits_.instances_used(l);
    for (std::size_t i = digits_.begin(l); i < digits_.begin(l + 1); ++i) {
      std::int64_t& loops = digits_[i].temporal ? counts_.temporal_steps : counts_.lanes_used;
      loops = checked_mul(loops, digits_[i].bound);
    }
  }
  for (std::size_t o = 0; o < operands_.size(); ++o) count_operand(o, mapping);
  return counts_;
}

AccessCounts count_accesses(const Problem& problem, const Mapping& mapping) {
  return AccessCounter(problem, MergedReads::everywhere).count(mapping);
}

}  // namespace tilewright
