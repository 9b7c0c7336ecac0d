#include "sim/mapping/tile_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/checked.hpp"

namespace tilewright {
namespace {

constexpr std::size_t none = static_cast<std::size_t>(-1);
constexpr std::size_t most_stepped_loops = 16;  // four bits each in the key of a step's class

/// True if all tiles of the operand are disjoint: every axis one index, no index on two axes.
bool disjoint_tiles(const Operand& operand) {
  std::vector<int> seen;
  for (const Axis& axis : operand.axes) {
    if (axis.size() != 1 || axis[0].coefficient != 1) return false;
    if (std::find(seen.begin(), seen.end(), axis[0].dim) != seen.end()) return false;
    seen.push_back(axis[0].dim);
  }
  return true;
}

/// The next level inside `level` that keeps the operand; the number of levels if there is none.
std::size_t next_keeper(const Mapping& mapping, std::size_t operand, std::size_t level) {
  do ++level;
  while (level < mapping.levels.size() && !mapping.levels[level].keeps[operand]);
  return level;
}

}  // namespace

TileSchedule::TileSchedule(const Problem& problem, const Mapping& mapping, std::int64_t most_steps,
                           const CorePlace& core)
    : problem_(problem), mapping_(mapping), whole_(count_accesses(problem, mapping)) {
  flatten();
  const std::vector<std::size_t> spatial = spatial_loops();
  for (std::size_t i = 0; i < core.place.size(); ++i) {
    loops_[spatial[i]].low = core.place[i];
    loops_[spatial[i]].high = core.place[i] + 1;
  }
  choose_steps(std::max<std::int64_t>(most_steps, 1), core.level);
  overlapping_ = results_overlap(problem);
  select();
}

bool TileSchedule::results_overlap(const Problem& problem) {
  const Operand& result = problem.operands.back();
  return result.role == Role::output && !disjoint_tiles(result);
}

std::vector<std::size_t> TileSchedule::spatial_loops() const {
  std::vector<std::size_t> spatial;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    if (!loops_[i].temporal) spatial.push_back(i);
  }
  return spatial;
}

/// Whether a place is the first one, and its side of the last, clipped range's end, are all that `transfers` asks of it.
std::uint64_t TileSchedule::place_class(const std::vector<std::int64_t>& place) const {
  const std::vector<std::size_t> spatial = spatial_loops();
  std::uint64_t key = 1;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const std::int64_t whole = loops_[spatial[i]].whole;
    const std::uint64_t side = place[i] < whole ? 0 : place[i] == whole ? 1 : 2;
    key = key * 6 + 2 * side + (place[i] == 0 ? 1 : 0);
  }
  return key;
}

void TileSchedule::flatten() {
  const std::size_t levels = mapping_.levels.size(), dims = problem_.dims.size();
  tile_.assign((levels + 1) * dims, 1);
  std::vector<std::size_t> inside(levels + 1, 0);  // loops inside, counted from the innermost
  for (std::size_t l = levels; l-- > 0;) {
    for (std::size_t d = 0; d < dims; ++d) tile_[l * dims + d] = tile_[(l + 1) * dims + d];
    const std::vector<Loop>& loops = mapping_.levels[l].loops;
    for (std::size_t i = loops.size(); i-- > 0;) {
      if (loops[i].bound <= 1) continue;
      StepLoop loop;
      loop.dim = static_cast<std::size_t>(loops[i].dim);
      loop.level = l;
      loop.temporal = loops[i].kind == LoopKind::temporal;
      loop.bound = loop.high = loops[i].bound;
      std::int64_t& tile = tile_[l * dims + loop.dim];
      loop.step = tile;
      tile = checked_mul(tile, loop.bound);
      const std::int64_t size = problem_.dims[loop.dim].bound;
      loop.whole = (tile >= size ? size : size % tile) / loop.step;
      loops_.push_back(loop);
    }
    inside[l] = loops_.size();
  }
  std::reverse(loops_.begin(), loops_.end());
  begin_.resize(levels + 1);
  for (std::size_t l = 0; l <= levels; ++l) begin_[l] = loops_.size() - inside[l];
}

void TileSchedule::choose_steps(std::int64_t most_steps, std::size_t core_level) {
  // Loops inside the tiles that the outermost level hands out change nothing there.
  std::size_t deepest = core_level;
  for (std::size_t o = 0; o < problem_.operands.size(); ++o) deepest = std::max(deepest, next_keeper(mapping_, o, 0));
  bool open = true;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    StepLoop& loop = loops_[i];
    if (!loop.temporal) continue;
    if (loop.level >= deepest) break;
    if (!open || stepped_.size() == most_stepped_loops) {
      aggregated_ = true;
      break;
    }
    const std::int64_t room = most_steps / steps_;
    if (room <= 1) {
      aggregated_ = true;
      break;
    }
    block_ = loop.bound <= room ? 1 : ceil_div(loop.bound, room);
    open = block_ == 1;
    aggregated_ = aggregated_ || !open;
    steps_ *= ceil_div(loop.bound, block_);
    stepped_.push_back(i);
    loop.low = 0;
    loop.high = block_;
  }
}

std::vector<TileSchedule::Range> TileSchedule::ranges() const {
  std::vector<Range> ranges(problem_.dims.size(), {0, 1});
  for (const StepLoop& loop : loops_) {
    ranges[loop.dim].low += loop.low * loop.step;
    ranges[loop.dim].high += (loop.high - 1) * loop.step;
  }
  for (std::size_t d = 0; d < ranges.size(); ++d) {
    ranges[d].low = std::min(ranges[d].low, problem_.dims[d].bound);
    ranges[d].high = std::clamp(ranges[d].high, ranges[d].low, problem_.dims[d].bound);
  }
  return ranges;
}

bool TileSchedule::advance() {
  bool more = false;
  for (std::size_t i = stepped_.size(); i-- > 0 && !more;) {
    StepLoop& loop = loops_[stepped_[i]];
    const std::int64_t block = i + 1 == stepped_.size() ? block_ : 1;
    more = loop.high < loop.bound;
    loop.low = more ? loop.high : 0;
    loop.high = std::min(loop.low + block, loop.bound);
  }
  step_ = more ? step_ + 1 : 0;
  select();
  return more;
}

/// Steps of one class move the same words: they agree, for every stepped loop, on being the first iteration and on the
/// side of the last, clipped range's end.
std::uint64_t TileSchedule::step_class() const {
  std::uint64_t key = 0;
  for (const std::size_t i : stepped_) {
    const StepLoop& loop = loops_[i];
    const std::uint64_t side = loop.high <= loop.whole ? 0 : loop.low <= loop.whole ? 1 : 2;
    const bool short_block = loop.high - loop.low < (i == stepped_.back() ? block_ : 1);
    key = key << 4 | side << 2 | (loop.low == 0 ? 2U : 0U) | (short_block ? 1U : 0U);
  }
  return key;
}

void TileSchedule::select() {
  const auto [entry, fresh] = classes_.try_emplace(step_class());
  if (fresh) entry->second = transfers();
  current_ = &entry->second;
  if (overlapping_) settle_overlapping_results();
}

/// Tiles of a dim in the current step, cut by the loops [0, end). `role(loop)` says whether all iterations count or the first
/// alone; of the loop `from_second` the first iteration is left out.
template <class Role>
TileSchedule::Part TileSchedule::part(std::size_t dim, std::size_t end, std::int64_t tile, const Role& role,
                                      std::size_t from_second) const {
  std::int64_t full = 0, last = 1, range = problem_.dims[dim].bound;  // ranges: full ones, and one that the bound clips
  for (std::size_t i = 0; i < end; ++i) {
    const StepLoop& loop = loops_[i];
    if (loop.dim != dim) continue;
    const std::int64_t low = i == from_second ? std::max<std::int64_t>(loop.low, 1) : loop.low;
    const std::int64_t whole = range / loop.step, tail = range % loop.step;
    if (role(loop) == Keep::drop) {
      const std::int64_t first = low == 0 ? 1 : 0;
      full *= first;
      last *= first;
      if (whole >= 1) {
        full += last;
        last = 0;
      } else {
        range = tail;
      }
      continue;
    }
    full = checked_mul(full, std::max<std::int64_t>(loop.high - low, 0));
    full += last * std::max<std::int64_t>(std::min(loop.high, whole) - low, 0);
    if (tail == 0 || whole < low || whole >= loop.high) last = 0;
    range = tail;
  }
  return {full, last, tile, std::min(range, tile)};
}

/// Words of all combinations of tiles, less the part that `shift` leaves in place (shifted: none: whole tiles).
std::int64_t TileSchedule::boxes(const Operand& operand, const std::vector<Part>& parts, std::size_t shifted,
                                 std::int64_t shift) const {
  std::vector<std::size_t> dims;
  for (std::size_t d = 0; d < parts.size(); ++d) {
    if (relevant(operand, static_cast<int>(d))) dims.push_back(d);
  }
  std::int64_t sum = 0;
  std::vector<std::int64_t> extents(parts.size(), 1);
  for (std::uint64_t choice = 0; choice < std::uint64_t{1} << dims.size(); ++choice) {
    std::int64_t count = 1;
    for (std::size_t i = 0; i < dims.size() && count != 0; ++i) {
      const Part& part = parts[dims[i]];
      const bool clipped = (choice >> i & 1) != 0;
      count = checked_mul(count, clipped ? part.clipped : part.full);
      extents[dims[i]] = clipped ? part.rest : part.tile;
    }
    if (count == 0) continue;
    std::int64_t words = 1;
    for (const Axis& axis : operand.axes) {
      std::int64_t extent = 1;
      for (const Term& term : axis) {
        const auto d = static_cast<std::size_t>(term.dim);
        const std::int64_t reach = extents[d] - 1 - (d == shifted ? shift : 0);
        extent = checked_add(extent, checked_mul(std::abs(term.coefficient), reach));
      }
      words = checked_mul(words, std::max<std::int64_t>(extent, 0));
    }
    sum = checked_add(sum, checked_mul(count, words));
  }
  return sum;
}

void TileSchedule::move_operand(std::size_t o, AccessCounts& moved) const {
  const Operand& operand = problem_.operands[o];
  const std::size_t dims = problem_.dims.size(), levels = mapping_.levels.size();
  const bool output = operand.role == Role::output;

  // Words that cross into (or out of) the tiles at `level`, with `role` deciding about the loops of dims that do not move them.
  const auto crossing = [&](std::size_t level, const auto& role) {
    const std::size_t end = begin_[level];
    // The tile stays while loops inside it advance, and is fetched for the first of the cores that share it.
    if (std::any_of(loops_.begin() + static_cast<std::ptrdiff_t>(end), loops_.end(),
                    [](const StepLoop& loop) { return loop.low > 0; })) {
      return std::int64_t{0};
    }
    std::size_t moving = none;
    for (std::size_t i = 0; i < end; ++i) {
      if (loops_[i].temporal && relevant(operand, static_cast<int>(loops_[i].dim))) moving = i;
    }
    std::vector<Part> parts(dims);
    std::int64_t copies = 1;
    for (std::size_t d = 0; d < dims; ++d) {
      const std::int64_t tile = std::min(tile_[level * dims + d], problem_.dims[d].bound);
      const bool here = relevant(operand, static_cast<int>(d));
      parts[d] = part(
          d, end, tile,
          [&](const StepLoop& loop) {
            return here ? Keep::all : role(loop, moving != none && &loop <= &loops_[moving]);
          },
          none);
      if (!here) copies = checked_mul(copies, parts[d].count());
    }
    if (copies == 0) return std::int64_t{0};
    std::int64_t words = boxes(operand, parts, none, 0);
    if (moving != none) {  // a step that does not wrap brings the new part of the window alone
      const StepLoop& loop = loops_[moving];
      Part& sliding = parts[loop.dim];
      sliding = part(
          loop.dim, end, sliding.tile, [](const StepLoop&) { return Keep::all; }, moving);
      sliding = {sliding.count(), 0, sliding.tile, 0};
      words -= boxes(operand, parts, loop.dim, loop.step);
    }
    return checked_mul(words, copies);
  };
  // What every point of the step asks of the innermost keeper, equal words of one moment shared in space only.
  const auto lanes = [&](std::size_t keeper, Keep repeats) {
    std::int64_t words = 1;
    for (std::size_t d = 0; d < dims; ++d) {
      const bool here = relevant(operand, static_cast<int>(d));
      const Part points = part(
          d, loops_.size(), 1,
          [&](const StepLoop& loop) {
            if (here) return Keep::all;
            return loop.temporal ? repeats : loop.level < keeper ? Keep::all : Keep::drop;
          },
          none);
      words = checked_mul(words, points.count());
    }
    return words;
  };

  std::size_t keeper = 0;
  for (std::size_t level = next_keeper(mapping_, o, 0); level < levels; level = next_keeper(mapping_, o, level)) {
    OperandAccesses& outer = moved.levels[keeper][o];
    OperandAccesses& here = moved.levels[level][o];
    const auto every = [&](const StepLoop& loop, bool outside_moving) {
      return !loop.temporal || outside_moving ? Keep::all : Keep::drop;
    };
    const auto multicast = [&](const StepLoop& loop, bool outside_moving) {
      return (loop.temporal ? outside_moving : loop.level < keeper) ? Keep::all : Keep::drop;
    };
    const std::int64_t in = crossing(level, every), out = crossing(level, multicast);
    if (output) {
      const auto first_time = [&](const StepLoop& loop, bool) { return loop.temporal ? Keep::drop : Keep::all; };
      const auto first_sent = [&](const StepLoop& loop, bool) {
        return !loop.temporal && loop.level < keeper ? Keep::all : Keep::drop;
      };
      here.drains = in;
      here.fills = overlapping_ ? 0 : in - crossing(level, first_time);
      outer.updates = out;
      outer.reads = overlapping_ ? 0 : out - crossing(level, first_sent);
      outer.delivered = here.fills;
    } else {
      here.fills = in;
      outer.reads = out;
      outer.delivered = in;
    }
    keeper = level;
  }
  OperandAccesses& inner = moved.levels[keeper][o];
  if (output) {
    inner.updates = lanes(keeper, Keep::all);
    inner.reads = overlapping_ ? 0 : inner.updates - lanes(keeper, Keep::drop);
    inner.delivered = inner.reads;
  } else {
    inner.reads = lanes(keeper, Keep::all);
    inner.delivered = moved.points;
  }
}

AccessCounts TileSchedule::transfers() const {
  AccessCounts moved;
  moved.levels.assign(mapping_.levels.size(), std::vector<OperandAccesses>(problem_.operands.size()));
  moved.points = 1;
  for (std::size_t d = 0; d < problem_.dims.size(); ++d) {
    moved.points = checked_mul(moved.points, part(
                                                 d, loops_.size(), 1, [](const StepLoop&) { return Keep::all; }, none)
                                                 .count());
  }
  for (std::size_t o = 0; o < problem_.operands.size(); ++o) {
    for (std::size_t l = 0; l < mapping_.levels.size(); ++l) {
      const OperandAccesses& whole = whole_.levels[l][o];
      OperandAccesses& here = moved.levels[l][o];
      here.kept = whole.kept;
      here.feeds_lanes = whole.feeds_lanes;
      here.partial_sums = whole.partial_sums;
      here.utilized_instances = whole.utilized_instances;
    }
    if (moved.points != 0) move_operand(o, moved);
    for (std::size_t l = 0; l < mapping_.levels.size(); ++l) {
      const OperandAccesses& whole = whole_.levels[l][o];
      OperandAccesses& here = moved.levels[l][o];
      here.merged_reads = whole.merged_reads == whole.reads
                              ? here.reads
                              : static_cast<std::int64_t>(std::ceil(static_cast<double>(here.reads) *
                                                                    static_cast<double>(whole.merged_reads) /
                                                                    static_cast<double>(whole.reads)));
    }
    if (problem_.operands[o].on_chip) moved.levels.front()[o] = {};
  }
  return moved;
}

void TileSchedule::settle_overlapping_results() {
  const std::size_t o = problem_.operands.size() - 1;
  if (step_ == 0) {  // the words that are new somewhere: what leaves less what comes back
    unseen_ = whole_;
    for (auto& level : unseen_.levels) {
      level[o].fills = level[o].drains - level[o].fills;
      level[o].reads = level[o].updates - level[o].reads;
    }
  }
  AccessCounts step = *current_;
  std::vector<std::int64_t> again;
  const auto known = [&](std::int64_t words, std::int64_t& unseen) {
    const std::int64_t fresh = std::min(words, unseen);
    unseen -= fresh;
    again.push_back(words - fresh);
    return words - fresh;
  };
  OperandAccesses* keeper = nullptr;
  for (std::size_t l = 0; l < step.levels.size(); ++l) {
    if (!mapping_.levels[l].keeps[o]) continue;
    OperandAccesses& here = step.levels[l][o];
    here.fills = known(here.drains, unseen_.levels[l][o].fills);
    here.reads = known(here.updates, unseen_.levels[l][o].reads);
    if (keeper != nullptr) keeper->delivered = here.fills;
    keeper = &here;
  }
  keeper->delivered = keeper->reads;
  if (problem_.operands[o].on_chip) step.levels.front()[o] = {};
  current_ = &settled_.try_emplace({step_class(), std::move(again)}, std::move(step)).first->second;
}

}  // namespace tilewright
