#include "sim/search/frame_bounds.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/checked.hpp"

// Why the bounds are admissible (symbols in docs/model.md, "Search"):
//  * A tile of a level at extents e is fetched at least ceil(D / e) times along every dim that leaves its operand in place, where e
//    takes in the loops that the operand stays over: fewer values of the remaining loop indices could not cover D points.
//  * The innermost temporal loop outside a level belongs to one dim. Where no dim leaves two operands in place, at most one operand
//    can stay over it: of all others every outer loop fetches again. So the least of a sum over operands is the sum with nothing
//    stayed over, less the largest single saving.
//  * Overlapping windows are never fetched twice in the bound as long as the order is open: the dim that saves most moves. Where a
//    level's reads are merged over neighbours, each pass over the operand still touches each of its words.
//  * Whole accesses: ceil(words x bits / width) grows with the words, so the ceiling of a bound is a bound; the words of a compressed
//    store, or of sums that may be partial, count with the fewest bits that they take.
//  * Energy, and the bytes of each level and direction, are bounded one by one; time is the largest of their times, of the array's
//    own time plus the first tile, and a score grows with both. The sum (or product) of minima is at most the minimum of the sum.
//  * The array's time is the family's own as soon as the tiles that it sees are chosen, and its least over all that fit before; a
//    family that walks the loop nest takes one cycle a step at its lanes' rate at least (`cycles_per_step`, a law in the tests).
// Once every tile and order is chosen, the bound of a perfectly factored mapping of simple operands is its cost.

namespace tilewright {
namespace {

constexpr double rounding = 1e-9;  // relative: sums in another order

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

ComputeCost trivial_cost(const CostModel& model, const MapRules& rules) {
  const Mapping trivial = trivial_mapping(*model.problem, *model.chip, rules.keeps);
  return model.family->compute(*model.chip, *model.problem, array_pass(model, trivial));
}

}  // namespace

double cycles_per_step(const CostModel& model, const MapRules& rules) {
  const Problem& problem = *model.problem;
  if (problem.compute == Compute::vector || !rules.menu.empty()) return 0;
  if (trivial_cost(model, rules).stage == Stage::own) return 0;
  double density = 1;  // zeros may be skipped
  for (const Operand& operand : problem.operands) density *= operand.density;
  return density * model.ideal.value * static_cast<double>(model.chip->lanes()) / static_cast<double>(problem.points());
}

FrameBounds::FrameBounds(const Space& space, const Goal& goal) : space_(space) {
  const CostModel& model = *space.model;
  aim(goal);
  const std::size_t operands = space.operands.size();
  keeper_after_.assign(levels() * operands, levels());
  for (std::size_t o = 0; o < operands; ++o) {
    std::size_t child = levels();
    innermost_.push_back(0);
    for (std::size_t l = levels(); l-- > 0;) {
      keeper_after_[l * operands + o] = child;
      if (!space.rules.keeps[l][o]) continue;
      transfers.push_back({o, l, child});
      innermost_.back() = std::max(innermost_.back(), l);
      child = l;
      feeds_lanes_ = std::max(feeds_lanes_, l);
    }
  }
  std::stable_sort(transfers.begin(), transfers.end(),
                   [](const Transfer& a, const Transfer& b) { return a.operand < b.operand; });
  repeats_.resize(transfers.size());
  sums_at_lanes_.resize(operands);
  for (std::size_t o = 0; o < operands; ++o) {
    const TiledOperand& operand = space.operands[o];
    touched_.push_back(operand.simple ? operand.words
                       : operand.diagonal
                           ? 1.0
                           : static_cast<double>(touched_words(space.problem(), space.problem().operands[o])));
  }
  array_level = model.array_level;
  timed_share_ = model.timed_share;
  least_cycles_ = model.cycles_bound.value;
  seconds_per_cycle_ = 1 / space.chip().clock.value;
  static_per_cycle_ = static_power(space.chip()).value * seconds_per_cycle_;
  launch_ = (space.chip().launch_overhead * space.chip().clock).value;
  time_counts = ::tilewright::time_counts(goal, space.chip());
  for (std::size_t d = 0; d < space.problem().dims.size(); ++d) {
    if (std::find(space.dims.begin(), space.dims.end(), static_cast<int>(d)) == space.dims.end())
      untiled_ = checked_mul(untiled_, space.problem().dims[d].bound);
  }
  resolve_stores();
  resolve_array();
  width = time_counts ? 3 + channels_ : 1;
}

void FrameBounds::aim(const Goal& goal) {
  goal_ = goal;
  most_cycles_ = goal.most_cycles.value * (1 + rounding);
}

void FrameBounds::resolve_array() {
  const CostModel& model = *space_.model;
  const std::size_t dims_in_all = space_.problem().dims.size();
  pass_.spatial.assign(dims_in_all, 1);
  pass_.temporal = pass_.chip = pass_.spatial;
  pass_.explained = false;
  if (model.family->timer != nullptr) timer_ = model.family->timer(space_.chip(), space_.problem());
  bool windows = false;
  for (const TiledOperand& operand : space_.operands) windows = windows || operand.window != 0;
  const ComputeCost plain = trivial_cost(model, space_.rules);
  fixed_ = plain.stage != Stage::own && space_.problem().compute == Compute::vector;
  unrolled_time_ = !fixed_ && model.family->unrolled_time;
  cycles_per_step_ = fixed_ ? 0 : cycles_per_step(model, space_.rules);
  // Loops of a level that keeps nothing might as well stand at the next outer one, unless the array sees them, or tiles that
  // overlap in time would then be set apart by what is unrolled between.
  for (std::size_t l = 1; l < levels(); ++l) {
    const bool keeps =
        std::find(space_.rules.keeps[l].begin(), space_.rules.keeps[l].end(), true) != space_.rules.keeps[l].end();
    const bool unrolled =
        std::find(space_.spatial_levels.begin(), space_.spatial_levels.end(), l - 1) != space_.spatial_levels.end();
    empty[l] = !keeps && (array_fixed() || l != array_level + 1) && !(windows && unrolled) &&
               static_cast<int>(l) != space_.rules.menu_level;
  }
  if (!unrolled_time_) arithmetic_ = events_of(plain);
  if (fixed_) least_ = time_of(plain);
}

double FrameBounds::events_of(const ComputeCost& cost) const {
  double energy = 0;
  for (const Event& event : cost.events) {
    const double share = event.kind == EventKind::compute ? space_.model->active_share : 1;
    energy += share * event.count * event.each.value;
  }
  return energy;
}

const ArrayPass& FrameBounds::pass_of(const Steps& tile) {
  std::int64_t inside = 1;
  for (std::size_t d = 0; d < dims(); ++d) {
    const std::int64_t extent = steps(d, tile[d]);
    pass_.temporal[static_cast<std::size_t>(space_.dims[d])] = extent;
    inside *= extent;
  }
  pass_.passes = steps_in_all_ / inside;
  return pass_;
}

ArrayTime FrameBounds::array_time(const Steps& tile) {
  const ArrayPass& pass = pass_of(tile);
  if (!timer_) return time_of(space_.model->family->compute(space_.chip(), space_.problem(), pass));
  const PassTime time = timer_(pass);
  return {timed_share_ * time.cycles.value, time.fill_drain.value};
}

bool FrameBounds::enter(const Frame& frame) {
  frame_ = frame;
  Extents inside;
  inside.fill(1);
  in_[levels()] = inside;
  std::size_t place = 0;
  for (std::size_t l = levels(); l-- > 0;) {
    if (place < space_.spatial_levels.size() && space_.spatial_levels[place] == l) {
      for (std::size_t d = 0; d < dims(); ++d) inside[d] *= space_.factor(frame, place, d);
      ++place;
    }
    in_[l] = inside;
  }
  all_ = inside;
  inner_.fill(1);
  outer_.fill(1);
  const auto menu_level = static_cast<std::size_t>(std::max(space_.rules.menu_level, 0));
  steps_in_all_ = untiled_;
  for (std::size_t d = 0; d < dims(); ++d) {
    std::int64_t unit = all_[d];
    if (frame.menu >= 0) {
      const std::int64_t entry =
          space_.rules.menu[static_cast<std::size_t>(frame.menu)][static_cast<std::size_t>(space_.dims[d])];
      if (entry % in_[menu_level][d] != 0) return false;
      inner_[d] = entry / in_[menu_level][d];
      unit = entry * (all_[d] / in_[menu_level][d]);
    }
    outer_[d] = ceil_div(space_.bounds[d], unit);
    whole_[d] = inner_[d] * outer_[d];
    steps_in_all_ = checked_mul(steps_in_all_, whole_[d]);
  }
  for (std::size_t l = 0; l <= levels(); ++l) {
    double instances = 1;
    for (std::size_t d = 0; d < dims(); ++d) {
      above_[l][d] = l == 0 ? 1 : in_[l][d] == all_[d] ? 1 : all_[d] / in_[l][d];
      instances *= static_cast<double>(above_[l][d]);
    }
    if (l == levels()) break;
    instances_[l] = instances;
    stores_in_use_[l] = space_.only_perfect ? instances : 1;  // clipped tiles may leave some unused
    share_[l] = 1 / stores_in_use_[l];
  }
  for (std::size_t d = 0; d < dims(); ++d) {
    const auto at = static_cast<std::size_t>(space_.dims[d]);
    pass_.spatial[at] = in_[array_level][d];
    pass_.chip[at] = above_[array_level][d];
  }
  for (std::size_t c = 0; c < channels_; ++c) {
    cycles_per_byte_[c] = 1 / (instances_[channel_[c].level] * channel_[c].bandwidth);
  }
  for (std::size_t t = 0; t < transfers.size(); ++t) {
    const Transfer& transfer = transfers[t];
    Repeats& repeats = repeats_[t] = {};
    const DimSet moved_by = space_.operands[transfer.operand].moved_by;
    for (std::size_t d = 0; d < dims(); ++d) {
      if (has(moved_by, d) || all_[d] == 1) continue;
      const auto times = [&](std::size_t l) {
        return static_cast<double>(ceil_div(space_.bounds[d], whole_[d] * in_[l][d]));
      };
      repeats.least_arriving *= times(transfer.child);
      repeats.least_sent *= times(transfer.parent);
    }
    if (!space_.operands[transfer.operand].output) continue;
    repeats.owned_here = most_owned(transfer.operand, transfer.child);
    repeats.owned_there = most_owned(transfer.operand, transfer.parent);
  }
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    const TiledOperand& operand = space_.operands[o];
    bool again = operand.overlapping;
    for (std::size_t d = 0; d < dims() && operand.output; ++d)
      again = again || (!has(operand.moved_by, d) && in_[innermost_[o]][d] < space_.bounds[d]);
    sums_at_lanes_[o] = again;
  }
  list_first_tiles();
  base_ = lanes_of_frame();
  double arithmetic = arithmetic_;
  array_ = least_;
  array_.cycles = std::max(array_.cycles, static_cast<double>(steps_in_all_) * cycles_per_step_);
  if (unrolled_time_) {
    const ComputeCost cost = space_.model->family->compute(space_.chip(), space_.problem(), pass_of({}));
    array_ = time_of(cost);
    arithmetic = events_of(cost);
    static_per_cycle_ =
        std::max(1.0, std::ceil(cost.resident)) * static_power(space_.chip()).value * seconds_per_cycle_;
  }
  base_.energy() += arithmetic;
  array_known_ = array_fixed();
  if (array_known_) add_array();
  return true;
}

void FrameBounds::count_sums_of_all_frames() {
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    const TiledOperand& operand = space_.operands[o];
    if (!operand.output || operand.overlapping) continue;
    const auto all_terms = [&](const Frame& frame) {  // no reduced dim is left to loops in time
      for (std::size_t d = 0; d < dims(); ++d) {
        std::int64_t unrolled = 1;
        for (std::size_t place = 0; place < space_.spatial_levels.size(); ++place)
          unrolled *= space_.factor(frame, place, d);
        if (!has(operand.moved_by, d) && unrolled < space_.bounds[d]) return false;
      }
      return true;
    };
    if (std::any_of(space_.frames.begin(), space_.frames.end(), all_terms)) sums_at_lanes_[o] = false;
  }
}

void FrameBounds::add_array() {
  if (!time_counts) return;
  base_.cycles() += array_.cycles;
  base_.fill_drain() += array_.fill_drain;
}

void FrameBounds::open() {
  stride_ = 1;
  packing_.guards = 0;
  int bits_used = 0;
  for (std::size_t d = 0; d < dims(); ++d) {
    const auto [found, fresh] = known_divisors_.try_emplace(whole_[d]);
    if (fresh) found->second = packed_divisors(whole_[d]);
    divisors_[d] = &found->second;
    stride_ = std::max(stride_, divisors_[d]->values.size());
    packing_.shift[d] = bits_used;
    bits_used += divisors_[d]->width;
    whole_steps_[d] = static_cast<std::uint16_t>(divisors_[d]->values.size() - 1);
  }
  packing_.narrow = bits_used <= 64;
  for (std::size_t d = 0; d < dims() && packing_.narrow; ++d) {
    if (divisors_[d]->width > 0) packing_.guards |= divisors_[d]->guards << packing_.shift[d];
  }
  counts_.resize(levels() * dims() * stride_);
  reaches_.resize(counts_.size());
  for (std::size_t l = 0; l < levels(); ++l) {
    const std::size_t all = dims() * stride_, first = l * all;
    if (l > 0 && in_[l] == in_[l - 1]) {
      std::copy_n(counts_.data() + first - all, all, counts_.data() + first);
      std::copy_n(reaches_.data() + first - all, all, reaches_.data() + first);
      continue;
    }
    for (std::size_t d = 0; d < dims(); ++d) {
      const std::vector<std::int64_t>& values = divisors_[d]->values;
      for (std::size_t at = 0; at < values.size(); ++at) {
        const std::int64_t extent = values[at] * in_[l][d];
        counts_[first + d * stride_ + at] = static_cast<double>(ceil_div(space_.bounds[d], extent));
        reaches_[first + d * stride_ + at] = static_cast<double>(std::min(space_.bounds[d], extent) - 1);
      }
    }
  }
  least_prices_.assign(transfers.size(), {});
  for (std::size_t t = 0; t < transfers.size(); ++t) {
    if (transfers[t].child < levels()) price_least(t, least_prices_[t]);
  }
  const auto menu_level = static_cast<std::size_t>(std::max(space_.rules.menu_level, 0));
  if (array_known_) return;
  if (array_level + 1 == levels() || (frame_.menu >= 0 && array_level + 1 == menu_level)) {
    Steps tile{};
    for (std::size_t d = 0; d < dims(); ++d) {
      const std::vector<std::int64_t>& values = divisors_[d]->values;
      tile[d] = static_cast<std::uint16_t>(std::lower_bound(values.begin(), values.end(), inner_[d]) - values.begin());
    }
    array_ = array_time(tile);
    array_known_ = true;
    add_array();
  }
}

bool FrameBounds::divides_slowly(const Steps& inner, const Steps& outer) const {
  for (std::size_t d = 0; d < dims(); ++d) {
    if (inner[d] != 0 && steps(d, outer[d]) % steps(d, inner[d]) != 0) return false;
  }
  return true;
}

Floor FrameBounds::floor(const Figures& outside, std::size_t known) const {
  Figures figures = base_;
  add(figures, outside);
  for (std::size_t t = 0; t < transfers.size(); ++t) {
    if (transfers[t].child == levels() || transfers[t].child <= known) continue;
    price_least(t, figures);
  }
  return {cycles_of(figures, least_first_), figures.energy()};
}

double FrameBounds::bytes_held(std::size_t l, std::size_t operand, double words) const {
  const bool sums = space_.operands[operand].output && l == innermost_[operand] && sums_at_lanes_[operand];
  return std::ceil(words * store(l, operand).bits[sums] / 8.0);
}

bool FrameBounds::holds_wide_sums(std::size_t l) const {
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    const std::array<double, 2>& bits = store(l, o).bits;
    if (space_.operands[o].output && l == innermost_[o] && sums_at_lanes_[o] && bits[0] != bits[1]) return true;
  }
  return false;
}

void FrameBounds::list_first_tiles() {
  first_tiles_.clear();
  least_first_ = 0;
  if (!time_counts) return;
  for (std::size_t from = 0; from < levels(); ++from) {
    const BufferLevel& sender = level(from);
    const bool last = from + 1 == levels();
    if (sender.bandwidth.value <= 0 || (from > 0 && (last || level(from + 1).double_buffered))) continue;
    for (std::size_t o = 0; o < space_.operands.size(); ++o) {
      const TiledOperand& operand = space_.operands[o];
      if (operand.output || operand.diagonal || !space_.rules.keeps[from][o] || (from == 0 && operand.on_chip))
        continue;
      const FirstTile& made = first_tiles_.emplace_back(
          FirstTile{o, keeper_after_[from * space_.operands.size() + o],
                    store(from, o).bits[0] / 8 / (instances_[from] * sender.bandwidth.value)});
      double words = 1;
      for (const Axis& axis : operand.axes) {
        double span = 1;
        for (const Term& term : axis) {
          const auto d = static_cast<std::size_t>(term.dim);
          span += static_cast<double>(term.coefficient * (std::min(space_.bounds[d], all_[d]) - 1));
        }
        words *= span;
      }
      least_first_ += words * made.cycles_per_word;
    }
  }
}

double FrameBounds::first_tiles(std::size_t from, std::size_t to, const Steps& tile) const {
  double time = 0;
  for (std::size_t o = 0; o < space_.operands.size() && !first_tiles_.empty(); ++o) {
    const double cycles = first_cycles_a_word(o, from, to);
    if (cycles > 0) time += cycles * first_words(o, tile);
  }
  return time;
}

}  // namespace tilewright
