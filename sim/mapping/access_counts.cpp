#include "sim/mapping/access_counts.hpp"

#include <algorithm>
#include <utility>

#include "core/checked.hpp"

namespace tilewright {
AccessCounter::AccessCounter(const Problem& problem, Counting counting)
    : counting_(std::move(counting)), digits_(problem) {
  for (const Operand& operand : problem.operands) {
    operands_.push_back({OperandWords(problem, operand), operand.role == Role::output, operand.on_chip, {}, {}});
  }
  counts_.points = 1;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    counts_.points = checked_mul(counts_.points, problem.dims[d].bound);
    for (const Counted& operand : operands_) moves_.push_back(operand.words.moved_by(d) ? 1 : 0);
  }
}

void AccessCounter::look_outside() {
  const std::size_t operands = operands_.size();
  std::int64_t steps = 1, lanes = 1, even_lanes = 1;
  for (std::size_t l = 0; l < digits_.levels(); ++l) {
    std::int64_t used = even_lanes;
    for (const std::size_t d : digits_.uneven()) used = checked_mul(used, digits_.instances_used(l, d));
    instances_used_[l] = used;
    Outside* const inside = &outside_[(l + 1) * operands];
    for (std::size_t o = 0; o < operands; ++o) inside[o] = outside_[l * operands + o];
    for (std::size_t i = digits_.begin(l); i < digits_.begin(l + 1); ++i) {
      const LoopDigits::Digit& digit = digits_[i];
      const std::int64_t in_time = digit.temporal ? digit.bound : 1, in_space = digit.temporal ? 1 : digit.bound;
      steps = checked_mul(steps, in_time);
      lanes = checked_mul(lanes, in_space);
      const bool even = digits_.even(digit.dim);
      even_lanes *= even ? in_space : 1;
      const char* const moved_by = &moves_[digit.dim * operands];
      for (std::size_t o = 0; o < operands; ++o) {
        Outside& seen = inside[o];
        const bool moves = moved_by[o] != 0, changes = moves && digit.temporal, counts = even && !moves;
        seen.moving = changes ? i : seen.moving;
        seen.before = changes ? seen.times : seen.before;
        seen.times *= counts ? in_time : 1;    // a part of temporal_steps
        seen.copies *= counts ? in_space : 1;  // a part of lanes_used
      }
    }
  }
  counts_.temporal_steps = steps;
  counts_.lanes_used = lanes;
  for (std::size_t o = 0; o < operands; ++o) {
    std::vector<std::size_t>& uneven = operands_[o].uneven;
    uneven.clear();
    for (const std::size_t d : digits_.uneven()) {
      if (moves_[d * operands + o] == 0) uneven.push_back(d);
    }
  }
}

/// The parent with the tiles of the next inner keeper, or with the lanes; returns the words that arrive there. Every MAC reads; a
/// store's tile changes with the temporal loops outside the innermost one that moves it.
std::int64_t AccessCounter::connect(std::size_t o, std::size_t parent, std::size_t child) {
  Counted& operand = operands_[o];
  OperandAccesses& outer = counts_.levels[parent][o];
  const bool lanes = child == digits_.levels();
  const Outside& seen = outside_[child * operands_.size() + o];
  // How often the same words go their way: once for each value of the digits that do not move them, spatial ones inside level
  // `in_space` being served by one read (multicast) or adding up on the way (reduction).
  const auto times = [&](std::size_t in_space) {
    const std::size_t end = digits_.begin(child);
    const std::size_t in_time = lanes ? end : seen.moving == LoopDigits::none ? 0 : seen.moving;
    std::int64_t product =
        checked_mul(lanes ? seen.times : seen.before, outside_[in_space * operands_.size() + o].copies);
    for (const std::size_t d : operand.uneven) {
      product = checked_mul(product, digits_.distinct(d, end, in_time, digits_.begin(in_space)));
    }
    return product;
  };
  const std::int64_t words = lanes ? operand.words.points() : operand.words.moved(digits_, child, seen.moving);
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
  if (counting_.first_tile_words.empty() || counting_.first_tile_words[parent] != 0) {
    outer.first_tile_words = operand.words.box([&](std::size_t d) { return digits_.first_extent(child, d); });
  }
  if (counting_.merged_reads && operand.words.regular()) {
    outer.merged_reads =
        checked_mul(operand.words.merged(digits_, parent, child, lanes ? LoopDigits::none : seen.moving), sent_times);
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
    if (counting_.tile_words) here.tile_words = operand.words.box([&](std::size_t d) { return digits_.extent(l, d); });
    if (operand.output) {
      std::int64_t owned = checked_mul(operand.words.owned(digits_, l), outside_[l * operands_.size() + o].copies);
      for (const std::size_t d : operand.uneven) owned = checked_mul(owned, digits_.instances_used(l, d));
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
  if (operand.on_chip) counts_.levels.front()[o] = {};
}

const AccessCounts& AccessCounter::count(const Mapping& mapping) {
  digits_.read(mapping);
  const std::size_t levels = digits_.levels();
  if (counts_.levels.size() != levels) {
    counts_.levels.assign(levels, std::vector<OperandAccesses>(operands_.size()));
    instances_used_.resize(levels);
    outside_.resize((levels + 1) * operands_.size());
    for (Counted& operand : operands_) operand.owned.assign(operand.output ? levels : 0, 0);
  }
  for (std::vector<OperandAccesses>& level : counts_.levels) std::fill(level.begin(), level.end(), OperandAccesses{});
  look_outside();
  for (std::size_t o = 0; o < operands_.size(); ++o) count_operand(o, mapping);
  return counts_;
}

AccessCounts count_accesses(const Problem& problem, const Mapping& mapping) {
  return AccessCounter(problem).count(mapping);
}

}  // namespace tilewright
