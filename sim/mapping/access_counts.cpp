#include "sim/mapping/access_counts.hpp"

#include <algorithm>
#include <utility>

#include "core/checked.hpp"

namespace tilewright {
AccessCounter::AccessCounter(const Problem& problem, Counting counting)
    : counting_(std::move(counting)), digits_(problem), row_(problem.operands.size()) {
  for (const Operand& operand : problem.operands) {
    operands_.push_back({OperandWords(problem, operand), operand.role == Role::output, operand.on_chip, {}});
  }
  counts_.points = 1;
  users_.resize(problem.dims.size());
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    counts_.points = checked_mul(counts_.points, problem.dims[d].bound);
    for (std::size_t o = 0; o < operands_.size(); ++o)
      (operands_[o].words.moved_by(d) ? users_[d].moved : users_[d].still).push_back(o);
  }
}

void AccessCounter::read(const Mapping& mapping) {
  std::int64_t steps = 1, lanes = 1, even_lanes = 1;
  Outside* inside = outside_.data();
  const auto visit_level = [&](std::size_t l) {
    instances_used_[l] = even_lanes;
    for (std::size_t o = 0; o < row_; ++o) inside[row_ + o] = inside[o];
    inside += row_;
  };
  const auto visit_digit = [&](std::size_t i) {
    const LoopDigits::Digit& digit = digits_[i];
    const Users& users = users_[digit.dim];
    const bool even = digits_.even(digit.dim);
    if (digit.temporal) {
      steps = checked_mul(steps, digit.bound);
      for (const std::size_t o : users.moved) {
        Outside& seen = inside[o];
        seen.moving = i;
        seen.before = seen.times;
      }
      if (!even) return;
      for (const std::size_t o : users.still) inside[o].times *= digit.bound;  // a part of temporal_steps
    } else {
      lanes = checked_mul(lanes, digit.bound);
      if (!even) return;
      even_lanes *= digit.bound;
      for (const std::size_t o : users.still) inside[o].copies *= digit.bound;  // a part of lanes_used
    }
  };
  digits_.read(mapping, visit_level, visit_digit);
  counts_.temporal_steps = steps;
  counts_.lanes_used = lanes;
  for (Counted& operand : operands_) operand.uneven.clear();
  for (const std::size_t d : digits_.uneven()) {
    for (std::size_t l = 0; l < digits_.levels(); ++l)
      instances_used_[l] = checked_mul(instances_used_[l], digits_.instances_used(l, d));
    for (const std::size_t o : users_[d].still) operands_[o].uneven.push_back(d);
  }
}

/// How often the same words go their way to `child` (or the lanes): once for each value of the digits that do not move them, spatial
/// ones inside level `in_space` being served by one read (multicast) or adding up on the way (reduction). Every MAC reads; a store's tile
/// changes with the temporal loops outside the innermost one that moves it.
inline std::int64_t AccessCounter::times(std::size_t o, std::size_t child, std::size_t in_space) const {
  const Outside& seen = outside(child, o);
  const bool lanes = child == digits_.levels();
  std::int64_t product = checked_mul(lanes ? seen.times : seen.before, outside(in_space, o).copies);
  for (const std::size_t d : operands_[o].uneven) {
    const std::size_t end = digits_.begin(child);
    const std::size_t in_time = lanes ? end : seen.moving == LoopDigits::none ? 0 : seen.moving;
    product = checked_mul(product, digits_.distinct(d, end, in_time, digits_.begin(in_space)));
  }
  return product;
}

/// Words that the instances of a level ever own, in all copies.
inline std::int64_t AccessCounter::owned(std::size_t o, std::size_t level) {
  Counted& operand = operands_[o];
  std::int64_t words = checked_mul(operand.words.owned(digits_, level), outside(level, o).copies);
  for (const std::size_t d : operand.uneven) words = checked_mul(words, digits_.instances_used(level, d));
  return words;
}

/// From the lanes outwards: every keeper with the tiles of the next inner one.
void AccessCounter::count_operand(std::size_t o) {
  Counted& operand = operands_[o];
  OperandAccesses* inner = nullptr;  // at the next inner keeper; none: the lanes
  std::size_t child = digits_.levels();
  std::int64_t inner_owns = 0;
  for (std::size_t l = digits_.levels(); l-- > 0;) {
    OperandAccesses& here = counts_.levels[l][o];
    if (kept_[l * row_ + o] == 0) {
      if (here.kept)
        here = {};  // of an earlier mapping; where a level keeps the operand, all that is counted is written anew
      continue;
    }
    here.kept = true;
    here.feeds_lanes = inner == nullptr;
    here.utilized_instances = instances_used_[l];
    if (counting_.tile_words) here.tile_words = operand.words.box([&](std::size_t d) { return digits_.extent(l, d); });

    const std::size_t moving = inner == nullptr ? LoopDigits::none : outside(child, o).moving;
    const std::int64_t words = inner == nullptr ? operand.words.points() : operand.words.moved(digits_, child, moving);
    const std::int64_t sent_times = times(o, child, l), sent = checked_mul(words, sent_times);
    std::int64_t arriving = sent;
    if (inner == nullptr) {
      arriving = counts_.points;
    } else if (instances_used_[l] < instances_used_[child]) {  // a spatial loop lies between
      arriving = checked_mul(words, times(o, child, child));
    }
    if (operand.output) {
      const std::int64_t owns = owned(o, l);
      here.updates = sent;
      here.collected = arriving;
      here.partial_sums = sent_times > 1 || !operand.words.disjoint();
      here.reads = here.delivered = std::max<std::int64_t>(sent - owns, 0);
      if (inner != nullptr) {
        inner->drains = arriving;
        inner->fills = here.delivered = std::max<std::int64_t>(arriving - inner_owns, 0);
      }
      inner_owns = owns;
    } else {
      here.reads = here.merged_reads = sent;
      here.delivered = arriving;
      if (inner != nullptr) inner->fills = arriving;
      if (counting_.first_tile_words.empty() || counting_.first_tile_words[l] != 0)
        here.first_tile_words = operand.words.box([&](std::size_t d) { return digits_.first_extent(child, d); });
      if (counting_.merged_reads && operand.words.regular())
        here.merged_reads = checked_mul(operand.words.merged(digits_, l, child, moving), sent_times);
    }
    inner = &here;
    child = l;
  }
  if (operand.on_chip) counts_.levels.front()[o] = {};
}

const AccessCounts& AccessCounter::count(const Mapping& mapping) {
  const std::size_t levels = mapping.levels.size();
  if (counts_.levels.size() != levels) {
    counts_.levels.assign(levels, std::vector<OperandAccesses>(row_));
    instances_used_.resize(levels);
    outside_.assign(row_ * (levels + 1), {});
    kept_.resize(row_ * levels);
  }
  read(mapping);
  auto kept = kept_.begin();
  for (const LevelMapping& level : mapping.levels) kept = std::copy(level.keeps.begin(), level.keeps.end(), kept);
  for (std::size_t o = 0; o < row_; ++o) count_operand(o);
  return counts_;
}

AccessCounts count_accesses(const Problem& problem, const Mapping& mapping) {
  return AccessCounter(problem).count(mapping);
}

}  // namespace tilewright
