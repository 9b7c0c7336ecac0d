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

/// Rounded up, unless sums in another order may have put it above a whole number.
double whole_number(double x) {
  return x < 0x1p50 ? static_cast<double>(static_cast<std::int64_t>(x * (1 - 1e-12) + (1 - 1e-9))) : x;
}

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

Divisors packed_divisors(std::int64_t n) {
  Divisors found;
  found.values = divisors(n);
  found.exponents.assign(found.values.size(), 0);
  std::int64_t left = n;
  for (std::int64_t prime = 2; left > 1; ++prime) {
    if (prime > left / prime) prime = left;  // no smaller factor is left
    int power = 0;
    for (; left % prime == 0; left /= prime) ++power;
    if (power == 0) continue;
    for (std::size_t i = 0; i < found.values.size(); ++i) {
      std::uint64_t exponent = 0;
      for (std::int64_t value = found.values[i]; value % prime == 0; value /= prime) ++exponent;
      found.exponents[i] |= exponent << found.width;
    }
    found.width += std::bit_width(static_cast<unsigned>(power)) + 1;
    found.guards |= std::uint64_t{1} << (found.width - 1);
  }
  return found;
}

FrameBounds::FrameBounds(const Space& space, const Goal& goal) : space_(space), goal_(goal) {
  const CostModel& model = *space.model;
  const std::size_t operands = space.operands.size();
  keeper_after_.assign(levels() * operands, levels());
  for (std::size_t o = 0; o < operands; ++o) {
    std::size_t child = levels();
    for (std::size_t l = levels(); l-- > 0;) {
      keeper_after_[l * operands + o] = child;
      if (!space.rules.keeps[l][o]) continue;
      transfers.push_back({o, l, child});
      child = l;
      feeds_lanes_ = std::max(feeds_lanes_, l);
    }
  }
  std::stable_sort(transfers.begin(), transfers.end(),
                   [](const Transfer& a, const Transfer& b) { return a.operand < b.operand; });
  repeats_.resize(transfers.size());
  for (std::size_t o = 0; o < operands; ++o) {
    const TiledOperand& operand = space.operands[o];
    touched_.push_back(operand.simple ? operand.words
                       : operand.diagonal
                           ? 1.0
                           : static_cast<double>(touched_words(space.problem(), space.problem().operands[o])));
  }
  array_level = model.array_level;
  static_power_ = static_power(space.chip());
  launch_ = (space.chip().launch_overhead * space.chip().clock).value;
  time_counts = goal.objective != Objective::energy || static_power_.value > 0 || std::isfinite(goal.most_cycles.value);
  for (std::size_t d = 0; d < space.problem().dims.size(); ++d) {
    if (std::find(space.dims.begin(), space.dims.end(), static_cast<int>(d)) == space.dims.end())
      untiled_ = checked_mul(untiled_, space.problem().dims[d].bound);
  }
  resolve_stores();
  resolve_array();
}

void FrameBounds::resolve_stores() {
  const CostModel& model = *space_.model;
  const std::size_t operands = space_.operands.size();
  std::array<std::array<std::size_t, 2>, most_levels> ports{};
  for (std::size_t l = 0; l < levels(); ++l) {
    const BufferLevel& at = level(l);
    ports[l] = {Figures::most_channels, Figures::most_channels};
    if (!time_counts || at.bandwidth.value <= 0) continue;
    const bool apart = model.peer_compatible || at.separate_ports;
    for (std::size_t port = 0; port < 2; ++port) {
      if (port == 0 || apart) {
        if (channel_.size() == Figures::most_channels) break;
        channel_.push_back({l, at.bandwidth.value});
      }
      ports[l][port] = channel_.size() - 1;
    }
  }
  channels_ = channel_.size();
  for (std::size_t l = 0; l < levels(); ++l) {
    const BufferLevel& at = level(l);
    for (std::size_t o = 0; o < operands; ++o) {
      const StoredWord& word = model.words[l * operands + o];
      const bool output = space_.operands[o].output;
      Store& made = stores_.emplace_back();
      made.bits = output ? std::min(word.final_bits, word.partial_bits) : word.final_bits;
      made.per_word = at.access_bits > 0 ? made.bits / static_cast<double>(at.access_bits) : 0;
      made.read = at.read_energy.value;
      made.write = at.write_energy.value;
      made.read_channel = ports[l][0];
      made.write_channel = ports[l][1];
      made.merged = at.link.reads_merged() && !output && !space_.operands[o].simple;
      const double link = at.transfer_energy_per_bit.value, hop = at.link.hop_energy_per_bit.value;
      if (at.link.forwarding && !output) {  // distinct words pay the link, copies a hop
        made.link = made.bits * std::min(link, hop);
        made.spread = made.bits * std::max(0.0, link - hop);
      } else {
        made.link = made.bits * link;
      }
      if (output && !model.peer_compatible) {
        made.collect = made.bits * link;
        made.reduce = made.bits * at.link.reduction_energy_per_bit.value;
      }
    }
  }
}

void FrameBounds::resolve_array() {
  const CostModel& model = *space_.model;
  const std::size_t dims_in_all = space_.problem().dims.size();
  pass_.spatial.assign(dims_in_all, 1);
  pass_.temporal = pass_.chip = pass_.spatial;
  pass_.explained = false;
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
    empty[l] = !keeps && (compute_fixed() || l != array_level + 1) && !(windows && unrolled) &&
               static_cast<int>(l) != space_.rules.menu_level;
  }
  least_ = {0, 0, model.energy_bound.compute.value, 1};
  if (fixed_) least_ = cost_of(plain);
}

ArrayCost FrameBounds::cost_of(const ComputeCost& cost) const {
  const CostModel& model = *space_.model;
  ArrayCost compute{model.timed_share * cost.cycles.value, cost.fill_drain.value, 0,
                    std::max(1.0, std::ceil(cost.resident))};
  for (const Event& event : cost.events) {
    const double share = event.kind == EventKind::compute ? model.active_share : 1;
    compute.energy += share * event.count * event.each.value;
  }
  return compute;
}

ArrayCost FrameBounds::compute_of(const Steps& tile) {
  if (fixed_) return least_;
  pass_.passes = untiled_;
  for (std::size_t d = 0; d < dims(); ++d) {
    const auto at = static_cast<std::size_t>(space_.dims[d]);
    const std::int64_t inside = steps(d, tile[d]);
    pass_.spatial[at] = in_[array_level][d];
    pass_.chip[at] = above_[array_level][d];
    pass_.temporal[at] = inside;
    pass_.passes = checked_mul(pass_.passes, whole_[d] / inside);
  }
  return cost_of(space_.model->family->compute(space_.chip(), space_.problem(), pass_));
}

Extents FrameBounds::extents(const Steps& tile) const {
  Extents found;
  found.fill(1);
  for (std::size_t d = 0; d < dims(); ++d) found[d] = steps(d, tile[d]);
  return found;
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
  double work = static_cast<double>(untiled_);
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
    work *= static_cast<double>(whole_[d]);
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
  lanes_ = lanes_of_frame();
  frame_compute_ = least_;
  compute_known_ = fixed_;
  frame_compute_.cycles = std::max(frame_compute_.cycles, work * cycles_per_step_);
  if (unrolled_time_) {
    frame_compute_ = compute_of({});
    compute_known_ = true;
  }
  return true;
}

void FrameBounds::open() {
  stride_ = 1;
  guards_ = 0;
  int width = 0;
  for (std::size_t d = 0; d < dims(); ++d) {
    const auto [found, fresh] = known_divisors_.try_emplace(whole_[d]);
    if (fresh) found->second = packed_divisors(whole_[d]);
    divisors_[d] = &found->second;
    stride_ = std::max(stride_, divisors_[d]->values.size());
    shift_[d] = width;
    width += divisors_[d]->width;
    whole_steps_[d] = static_cast<std::uint16_t>(divisors_[d]->values.size() - 1);
  }
  narrow_ = width <= 64;
  for (std::size_t d = 0; d < dims() && narrow_; ++d) {
    if (divisors_[d]->width > 0) guards_ |= divisors_[d]->guards << shift_[d];
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
  const auto menu_level = static_cast<std::size_t>(std::max(space_.rules.menu_level, 0));
  if (compute_known_) return;
  if (array_level + 1 == levels() || (frame_.menu >= 0 && array_level + 1 == menu_level)) {
    Steps tile{};
    for (std::size_t d = 0; d < dims(); ++d) {
      const std::vector<std::int64_t>& values = divisors_[d]->values;
      tile[d] = static_cast<std::uint16_t>(std::lower_bound(values.begin(), values.end(), inner_[d]) - values.begin());
    }
    frame_compute_ = compute_of(tile);
    compute_known_ = true;
  }
}

bool FrameBounds::divides_slowly(const Steps& inner, const Steps& outer) const {
  for (std::size_t d = 0; d < dims(); ++d) {
    if (inner[d] != 0 && steps(d, outer[d]) % steps(d, inner[d]) != 0) return false;
  }
  return true;
}

double FrameBounds::frame_bound(const std::array<Figures, most_levels>& floors, std::size_t known) const {
  Figures figures = lanes_;
  for (std::size_t l = 1; l <= known; ++l) add(figures, floors[l]);
  for (std::size_t t = 0; t < transfers.size(); ++t) {
    if (transfers[t].child == levels() || transfers[t].child <= known) continue;
    charge(t, touched_[transfers[t].operand], repeats_[t].least_arriving, repeats_[t].least_sent, figures);
  }
  const double cycles = cycles_of(figures, frame_compute_, first_tile(levels(), {}));
  return score_of(cycles, figures.energy + frame_compute_.energy, frame_compute_.chips);
}

bool FrameBounds::fits(std::size_t l, const Steps& tile, bool once) const {
  const BufferLevel& at = level(l);
  if (!at.capacity) return true;
  double needed = 0;
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    if (!space_.rules.keeps[l][o]) continue;
    const TiledOperand& operand = space_.operands[o];
    double words = 1;
    for (const Axis& axis : operand.axes) {
      double extent = 1;
      for (const Term& term : axis) {
        const auto d = static_cast<std::size_t>(term.dim);
        extent += static_cast<double>(term.coefficient) * reach(l, d, tile[d]);
      }
      words *= extent;
    }
    bool changes = false;
    for (std::size_t d = 0; d < dims() && at.double_buffered && !once; ++d) {
      changes = changes || (has(operand.moved_by, d) && tile[d] != whole_steps_[d]);
    }
    needed += std::ceil(words * store(l, o).bits / 8.0) * (changes ? 2 : 1);
  }
  return needed <= at.capacity->value;
}

double FrameBounds::volume(const TiledOperand& operand, std::size_t l, const Steps& tile, int moving, double times,
                           double step) const {
  double words = 1, kept = 1;
  for (const Axis& axis : operand.axes) {
    double boxes = 1, sum = 0, overlap = 0, shared = 1, others = 1;
    bool moves = false;
    for (const Term& term : axis) {
      const auto d = static_cast<std::size_t>(term.dim);
      const auto c = static_cast<double>(term.coefficient);
      const double n = count(l, d, tile[d]), bound = static_cast<double>(space_.bounds[d]);
      sum = sum * n + boxes * c * (bound - n);
      boxes *= n;
      // Full tiles of the other dims: never less than what clipped ones share.
      shared += c * reach(l, d, tile[d]);
      others *= n;
      if (term.dim != moving) continue;
      moves = true;
      shared -= c * step;
      others -= others / times;
    }
    sum += boxes;
    if (moves) overlap = std::max(0.0, shared) * others;
    words *= sum;
    kept *= moves ? std::min(overlap, sum) : sum;
  }
  return moving >= 0 ? words - kept : words;
}

double FrameBounds::least_volume(const TiledOperand& operand, std::size_t l, const Steps& tile) const {
  if (operand.simple) return operand.words;
  if (operand.diagonal) return 1;  // tiles may coincide: only a word is sure
  double least = volume(operand, l, tile, -1, 1, 0);
  for (std::size_t d = 0; d < dims(); ++d) {
    if (!has(operand.window, d) || tile[d] == whole_steps_[d]) continue;
    const auto step = static_cast<double>(steps(d, tile[d]) * in_[l][d]);
    least = std::min(least, volume(operand, l, tile, static_cast<int>(d), count(l, d, tile[d]), step));
  }
  return least;
}

/// Words of a result that the instances of a level ever own: exact for plain tensors, else at most the whole axis each.
double FrameBounds::most_owned(std::size_t o, std::size_t l) const {
  const TiledOperand& operand = space_.operands[o];
  if (operand.diagonal) return std::numeric_limits<double>::infinity();
  double words = 1;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (!has(operand.moved_by, d)) words *= static_cast<double>(above_[l][d]);
  }
  for (const Axis& axis : operand.axes) {
    double span = 1, instances = 1;
    for (const Term& term : axis) {
      const auto d = static_cast<std::size_t>(term.dim);
      span += static_cast<double>(term.coefficient * (space_.bounds[d] - 1));
      if (axis.size() > 1 || term.coefficient != 1) instances *= static_cast<double>(above_[l][d]);
    }
    words *= span * instances;
  }
  return words;
}

/// Whole accesses of the level's instances, which share the words.
double FrameBounds::accesses(double words, const Store& at, std::size_t l) const {
  if (at.per_word <= 0) return words;
  return stores_in_use_[l] * whole_number(words * at.per_word * share_[l]);
}

/// Adds what a transfer costs when the child's tiles hold `words` in all and reach the children `arriving` times, the parent `sent`.
void FrameBounds::charge(std::size_t t, double words, double arriving, double sent, Figures& into) const {
  const Transfer& transfer = transfers[t];
  const TiledOperand& operand = space_.operands[transfer.operand];
  const Store &parent = store(transfer.parent, transfer.operand), &child = store(transfer.child, transfer.operand);
  const bool silent = operand.on_chip && transfer.parent == 0;
  if (!operand.output) {
    const double fills = whole_number(words * arriving);
    into.energy += accesses(fills, child, transfer.child) * child.write;
    into.bytes[child.write_channel] += fills * child.bits / 8;
    if (silent) return;
    const double distinct = parent.merged ? std::min(words, touched_[transfer.operand]) : words;
    const double reads = whole_number(distinct * sent);
    into.energy += accesses(reads, parent, transfer.parent) * parent.read + fills * parent.link + reads * parent.spread;
    into.bytes[parent.read_channel] += reads * parent.bits / 8;
    return;
  }
  const Repeats& repeats = repeats_[t];
  const double drains = whole_number(words * arriving), updates = whole_number(words * sent);
  const double fills = std::max(0.0, drains - repeats.owned_here);
  const double again = std::max(0.0, updates - repeats.owned_there);
  const bool peer = space_.model->peer_compatible;
  into.energy += accesses(fills, child, transfer.child) * child.write;
  into.bytes[child.write_channel] += fills * child.bits / 8;
  if (!peer) {
    into.energy += accesses(drains, child, transfer.child) * child.read;
    into.bytes[child.read_channel] += drains * child.bits / 8;
  }
  if (silent) return;
  into.energy += accesses(updates, parent, transfer.parent) * parent.write +
                 accesses(again, parent, transfer.parent) * parent.read + fills * parent.link +
                 drains * parent.collect + (drains - updates) * parent.reduce;
  into.bytes[parent.write_channel] += updates * parent.bits / 8;
  into.bytes[parent.read_channel] += again * parent.bits / 8;
}

void FrameBounds::price(std::size_t t, double words, const Steps& held, Figures& into) const {
  const Transfer& transfer = transfers[t];
  const DimSet moved_by = space_.operands[transfer.operand].moved_by;
  double arriving = 1, sent = 1;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (has(moved_by, d)) continue;
    arriving *= count(transfer.child, d, held[d]);
    sent *= count(transfer.parent, d, held[d]);
  }
  charge(t, words, arriving, sent, into);
}

Figures FrameBounds::relaxed(const std::vector<OpenTransfer>& open, std::size_t moved) const {
  Figures sum, saving;
  for (std::size_t i = 0; i < open.size();) {
    const std::size_t operand = transfers[open[i].transfer].operand;
    Figures full, least;
    for (; i < open.size() && transfers[open[i].transfer].operand == operand; ++i) {
      const std::size_t t = open[i].transfer;
      if (transfers[t].child == moved) {
        price(t, open[i].words, open[i].held, sum);
        continue;
      }
      charge(t, open[i].words, repeats_[t].least_arriving, repeats_[t].least_sent, least);
      if (space_.one_still) price(t, open[i].words, open[i].held, full);
    }
    add(sum, space_.one_still ? full : least);
    if (!space_.one_still) continue;
    subtract(full, least);
    raise(saving, full);
  }
  if (space_.one_still) subtract(sum, saving);
  return sum;
}

Figures FrameBounds::lanes_of_frame() const {
  Figures figures;
  const std::size_t operands = space_.operands.size();
  for (const Transfer& transfer : transfers) {
    if (transfer.child != levels()) continue;
    const TiledOperand& operand = space_.operands[transfer.operand];
    const std::size_t l = transfer.parent;
    if (operand.on_chip && l == 0) continue;
    double words = 1, points = 1;
    for (std::size_t d = 0; d < dims(); ++d) {
      const auto bound = static_cast<double>(space_.bounds[d]);
      points *= bound;
      words *= has(operand.moved_by, d) ? bound : static_cast<double>(ceil_div(space_.bounds[d], in_[l][d]));
    }
    const Store& at = store(l, transfer.operand);
    const double share = space_.model->words[l * operands + transfer.operand].lane_share;
    if (at.merged) words = std::min(words, touched_[transfer.operand]);
    const double moved = share * words, bytes = l == feeds_lanes_ && l > 0 ? 0.0 : at.bits / 8;
    // bytes: the array's time pays for its operands
    if (operand.output) {
      const double again = std::max(0.0, words - most_owned(transfer.operand, l));
      figures.energy += accesses(moved, at, l) * at.write + accesses(share * again, at, l) * at.read +
                        share * (again * at.link + points * at.collect + (points - words) * at.reduce);
      figures.bytes[at.write_channel] += moved * bytes;
      figures.bytes[at.read_channel] += share * again * bytes;
    } else {
      figures.energy += accesses(moved, at, l) * at.read + share * (points * at.link + words * at.spread);
      figures.bytes[at.read_channel] += moved * bytes;
    }
  }
  return figures;
}

double FrameBounds::first_tile(std::size_t l, const std::array<Steps, most_levels + 1>& tiles) const {
  double time = 0;
  if (!time_counts) return time;
  for (std::size_t from = 0; from < levels(); ++from) {
    const BufferLevel& sender = level(from);
    const bool last = from + 1 == levels();
    if (sender.bandwidth.value <= 0 || (from > 0 && (last || level(from + 1).double_buffered))) continue;
    double bytes = 0;
    for (std::size_t o = 0; o < space_.operands.size(); ++o) {
      const TiledOperand& operand = space_.operands[o];
      if (operand.output || operand.diagonal || !space_.rules.keeps[from][o] || (from == 0 && operand.on_chip))
        continue;
      const Steps& tile = tiles[std::max(l, keeper_after_[from * space_.operands.size() + o])];
      double words = 1;
      for (const Axis& axis : operand.axes) {
        double extent = 1;
        for (const Term& term : axis) {
          const auto d = static_cast<std::size_t>(term.dim);
          extent +=
              static_cast<double>(term.coefficient * (std::min(space_.bounds[d], steps(d, tile[d]) * all_[d]) - 1));
        }
        words *= extent;
      }
      bytes += words * store(from, o).bits / 8;
    }
    time += bytes / (instances_[from] * sender.bandwidth.value);
  }
  return time;
}

double FrameBounds::cycles_of(const Figures& figures, const ArrayCost& compute, double first) const {
  if (!time_counts) return space_.model->cycles_bound.value;
  double steady = compute.cycles + first;
  for (std::size_t c = 0; c < channels_; ++c) steady = std::max(steady, figures.bytes[c] * cycles_per_byte_[c]);
  return std::max(steady + compute.fill_drain + launch_, space_.model->cycles_bound.value);
}

double FrameBounds::score_of(double cycles, double energy, double chips) const {
  if (cycles > goal_.most_cycles.value * (1 + rounding)) return std::numeric_limits<double>::infinity();
  const Joules fixed = chips * static_power_ * (Cycles{cycles} / space_.chip().clock);
  return score(Cycles{cycles}, Joules{energy} + fixed, space_.chip(), goal_.objective);
}

}  // namespace tilewright
