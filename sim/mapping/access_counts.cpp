#include "sim/mapping/access_counts.hpp"

#include <algorithm>
#include <span>

#include "core/checked.hpp"
#include "sim/mapping/merged_words.hpp"

// Closed form. Every dim is cut by its loops into nested tiles; because a tile inside a loop is the product of the inner bounds, the
// loop indices of a dim are the mixed-radix digits of its point, and the last tiles are clipped by the dim's bound alone.
//
// Three facts make the sums short. Dims whose loops divide them give plain products, kept up to date in one pass over the loops from
// the outside in; for the others the number of distinct values of a subset of the digits over 0..D-1 follows from one pass over the
// loops of the dim, inner to outer (`values`). The tiles of a dim are full ones and at most one clipped one, and together they have the
// dim's length. So a sum of boxes over all tiles is a product over axes of a linear form (`axis_sum`).

namespace tilewright {
namespace {

inline std::int64_t mul(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) [[unlikely]]
    return checked_mul(a, b);  // throws
  return result;
}

inline std::int64_t add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) [[unlikely]]
    return checked_add(a, b);  // throws
  return result;
}

/// Sum over all combinations of tiles of the axis of its extent 1 + sum of c (e - 1): linear in the extents e, so with n tiles of
/// total length S of each dim it is prod n + sum over the terms of c (S - n) times the other dims' n.
class LinearSum {
 public:
  void add_term(std::int64_t coefficient, std::int64_t tiles, std::int64_t length) {
    beyond_first_ = add(mul(beyond_first_, tiles), mul(boxes_, mul(coefficient, length - tiles)));
    boxes_ = mul(boxes_, tiles);
  }
  std::int64_t total() const { return add(boxes_, beyond_first_); }

 private:
  std::int64_t boxes_ = 1, beyond_first_ = 0;
};

constexpr std::size_t block = 8;  // dims copied at once: most problems have seven

}  // namespace

AccessCounter::AccessCounter(const Problem& problem, MergedReads merged)
    : problem_(&problem),
      dims_(problem.dims.size()),
      stride_((problem.dims.size() + block - 1) / block * block),
      merged_(merged) {
  operands_.reserve(problem.operands.size());
  for (const Operand& source : problem.operands) {
    FlatOperand operand;
    operand.output = source.role == Role::output;
    operand.on_chip = source.on_chip;
    operand.moves.assign(dims_, 0);
    operand.axis_of.assign(dims_, 0);
    for (const Axis& terms : source.axes) {
      FlatAxis axis;
      for (const Term& term : terms) {
        if (term.coefficient == 0) continue;
        const auto dim = static_cast<std::size_t>(term.dim);
        axis.push_back({dim, term.coefficient < 0 ? -term.coefficient : term.coefficient});
        operand.regular = operand.regular && operand.moves[dim] == 0;
        operand.moves[dim] = 1;
        operand.axis_of[dim] = operand.axes.size();
      }
      operand.single = operand.single && axis.size() <= 1;
      operand.simple = operand.simple && axis.size() <= 1 && (axis.empty() || axis[0].coefficient == 1);
      operand.axes.push_back(std::move(axis));
    }
    operand.single = operand.single && operand.regular;
    operand.simple = operand.simple && operand.regular;
    for (std::size_t d = 0; d < dims_; ++d) {
      if (operand.moves[d] != 0) operand.relevant_points = mul(operand.relevant_points, bound(d));
    }
    operand.simple_words = operand.relevant_points;
    operands_.push_back(std::move(operand));
  }
  counts_.points = 1;
  for (std::size_t d = 0; d < dims_; ++d) counts_.points = mul(counts_.points, bound(d));
  uneven_dims_.reserve(dims_);
  chosen_.assign(dims_, 1);
  tile_lists_.resize(dims_);
}

/// Row `to` of a table becomes row `from`.
std::int64_t* AccessCounter::copy_row(std::vector<std::int64_t>& table, std::size_t from, std::size_t to) const {
  const std::int64_t* source = &table[at(from, 0)];
  std::int64_t* target = &table[at(to, 0)];
  for (std::size_t d = 0; d < stride_; d += block) std::copy_n(source + d, block, target + d);
  return target;
}

void AccessCounter::flatten(const Mapping& mapping) {
  const std::size_t levels = mapping.levels.size();
  if (levels != levels_) {
    levels_ = levels;
    const std::size_t cells = (levels + 1) * stride_;
    begin_.resize(levels + 1);
    tile_.assign(cells, 1);
    tile_count_.assign(cells, 1);
    spatial_.assign(cells, 1);
    counts_.levels.assign(levels, std::vector<OperandAccesses>(operands_.size()));
  }
  loops_.clear();
  for (std::size_t l = 0; l < levels; ++l) {
    begin_[l] = loops_.size();
    std::int64_t* count = copy_row(tile_count_, l, l + 1);
    std::int64_t* spatial = copy_row(spatial_, l, l + 1);
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.bound <= 1) continue;
      const bool temporal = loop.kind == LoopKind::temporal;
      loops_.push_back({static_cast<std::uint32_t>(loop.dim), temporal, loop.bound, 1, temporal ? loop.bound : 1,
                        temporal ? 1 : loop.bound});
      count[loop.dim] = mul(count[loop.dim], loop.bound);
      spatial[loop.dim] *= temporal ? 1 : loop.bound;  // part of the product above
    }
  }
  begin_[levels] = loops_.size();
  for (std::size_t l = levels; l-- > 0;) {
    std::int64_t* tile = copy_row(tile_, l + 1, l);
    for (std::size_t i = begin_[l + 1]; i-- > begin_[l];) {
      loops_[i].step = tile[loops_[i].dim];
      tile[loops_[i].dim] *= loops_[i].bound;
    }
  }
  find_uneven_dims();
}

void AccessCounter::find_uneven_dims() {
  uneven_dims_.clear();
  uneven_loops_.clear();
  for (std::size_t d = 0; d < dims_; ++d) {
    const std::int64_t size = bound(d);
    if (tile_[d] == size) continue;
    UnevenDim uneven{d, uneven_loops_.size(), 0};
    for (std::size_t l = 0; l <= levels_; ++l) tile_count_[at(l, d)] = ceil_div(size, tile_[at(l, d)]);
    for (std::size_t i = loops_.size(); i-- > 0;) {
      FlatLoop& loop = loops_[i];
      if (loop.dim != d) continue;
      loop.even_time = loop.even_space = 1;
      // The last range of the loops outside ends at the dim's bound: its size is the bound modulo the tile outside.
      const std::int64_t tile = loop.step * loop.bound;
      const std::int64_t range = tile >= size ? size : size % tile;
      const std::int64_t whole = range / loop.step;
      uneven_loops_.push_back({i, loop.temporal, loop.bound, whole, whole * loop.step != range ? 1 : 0});
    }
    uneven.end = uneven_loops_.size();
    uneven_dims_.push_back(uneven);
  }
}

std::array<AccessCounter::Tiles, 2> AccessCounter::tiles_of(std::size_t level, std::size_t dim) const {
  const std::int64_t tile = tile_[at(level, dim)], count = tile_count_[at(level, dim)];
  const std::int64_t rest = bound(dim) - (count - 1) * tile;
  if (rest == tile) return {Tiles{tile, count}, Tiles{}};
  return {Tiles{tile, count - 1}, Tiles{rest, 1}};
}

std::int64_t AccessCounter::extent(std::size_t level, std::size_t dim) const {
  return std::min(tile_[at(level, dim)], bound(dim));
}

/// Distinct values of the kept digits of a dim: for a full range of the loops inside, and for the last one. A kept loop's clipped
/// iteration holds what the loops inside count for the last range; a dropped loop unites its iterations, and a full one holds all.
std::int64_t AccessCounter::values(const UnevenDim& dim, const Kept& kept) const {
  std::int64_t full = 1, last = 1;
  for (std::size_t i = dim.begin; i < dim.end; ++i) {
    const UnevenLoop& loop = uneven_loops_[i];
    if (loop.index >= kept.end) continue;
    if (loop.index < (loop.temporal ? kept.temporal_end : kept.spatial_end) && loop.index != kept.except) {
      last = add(mul(loop.whole, full), loop.tail * last);
      full = mul(full, loop.bound);
    } else {
      last = loop.whole >= 1 ? full : last;
    }
  }
  return last;
}

/// The factor of the irrelevant dims whose loops do not divide them.
std::int64_t AccessCounter::uneven_values(const FlatOperand& operand, const Kept& kept) const {
  std::int64_t product = 1;
  for (const UnevenDim& dim : uneven_dims_) {
    if (operand.moves[dim.dim] == 0) product = mul(product, values(dim, kept));
  }
  return product;
}

std::int64_t AccessCounter::axis_sum(const FlatAxis& axis, std::size_t level) const {
  LinearSum sum;
  for (const FlatTerm& term : axis) sum.add_term(term.coefficient, tile_count_[at(level, term.dim)], bound(term.dim));
  return sum.total();
}

/// Sum over the tiles of the axis' dims other than the moving one of the words that a step leaves in place.
std::int64_t AccessCounter::overlap_sum(const FlatAxis& axis, std::size_t term, std::size_t moving_dim,
                                        std::size_t level, std::int64_t overlap) const {
  if (term == axis.size()) return std::max<std::int64_t>(overlap, 0);
  const auto [dim, coefficient] = axis[term];
  if (dim == moving_dim) return overlap_sum(axis, term + 1, moving_dim, level, overlap);
  std::int64_t sum = 0;
  for (const Tiles& tiles : tiles_of(level, dim)) {
    if (tiles.count == 0) continue;
    const std::int64_t grown = add(overlap, mul(coefficient, tiles.extent - 1));
    sum = add(sum, mul(tiles.count, overlap_sum(axis, term + 1, moving_dim, level, grown)));
  }
  return sum;
}

/// Tiles of the moving loop's dim that a step, not a wrap, brings: all but those with the moving digit at 0.
std::int64_t AccessCounter::moving_steps(std::size_t level, std::size_t moving) const {
  const std::size_t dim = loops_[moving].dim;
  const std::int64_t all = tile_count_[at(level, dim)];
  if (loops_[moving].even_time > 1) return all - all / loops_[moving].bound;
  const std::size_t end = begin_[level];
  const auto uneven = std::find_if(uneven_dims_.begin(), uneven_dims_.end(),
                                   [&](const UnevenDim& candidate) { return candidate.dim == dim; });
  return all - values(*uneven, {end, end, end, moving});
}

/// Sum over all tiles at a level of the words that are new to an instance.
std::int64_t AccessCounter::moved_words(const FlatOperand& operand, std::size_t level, std::size_t moving) {
  if (operand.simple) return operand.simple_words;
  const std::size_t dim = moving == no_loop ? dims_ : loops_[moving].dim;
  if (operand.regular) {
    std::int64_t product = 1;
    for (const FlatAxis& axis : operand.axes) {
      std::int64_t words = axis_sum(axis, level);
      if (moving != no_loop && axis.size() > 1 && &axis == &operand.axes[operand.axis_of[dim]]) {
        std::int64_t step = 0;
        for (const FlatTerm& term : axis) {
          if (term.dim == dim) step = mul(term.coefficient, extent(level, dim) - 1 - loops_[moving].step);
        }
        words -= mul(moving_steps(level, moving), overlap_sum(axis, 0, dim, level, 1 + step));
      }
      product = mul(product, words);
    }
    return product;
  }
  for (std::size_t d = 0; d < dims_; ++d) {
    const auto tiles = tiles_of(level, d);
    tile_lists_[d].assign(tiles.begin(), tiles.end());
  }
  const std::int64_t words = sum_of_boxes(operand, 0, dims_, 0);
  if (moving == no_loop) return words;
  tile_lists_[dim].assign(1, {extent(level, dim), moving_steps(level, moving)});
  return words - sum_of_boxes(operand, 0, dim, loops_[moving].step);
}

/// Sum over all combinations of the tiles in `tile_lists_` of the dims >= `dim` of the product of the axes' extents, less `shift` times
/// the coefficient of dim `shifted` (dims_: none). For operands where one dim stands on two axes or twice on one.
std::int64_t AccessCounter::sum_of_boxes(const FlatOperand& operand, std::size_t dim, std::size_t shifted,
                                         std::int64_t shift) {
  while (dim < dims_ && operand.moves[dim] == 0) ++dim;
  if (dim == dims_) {
    std::int64_t words = 1;
    for (const FlatAxis& axis : operand.axes) {
      std::int64_t span = 1;
      for (const FlatTerm& term : axis) {
        span = add(span, mul(term.coefficient, chosen_[term.dim] - 1 - (term.dim == shifted ? shift : 0)));
      }
      words = mul(words, std::max<std::int64_t>(span, 0));
    }
    return words;
  }
  std::int64_t sum = 0;
  for (const Tiles& tiles : tile_lists_[dim]) {
    if (tiles.count == 0) continue;
    chosen_[dim] = tiles.extent;
    sum = add(sum, mul(tiles.count, sum_of_boxes(operand, dim + 1, shifted, shift)));
  }
  return sum;
}

/// Per instance of `level`: the span of a dim's indices from the first to the last that it ever works on, into `tile_lists_`. One
/// entry per extent, from all combinations of the dim's spatial loops outside the level (few: at most the lanes along that dim).
void AccessCounter::owned_spans(std::size_t level, std::size_t dim) {
  std::vector<Tiles>& spans = tile_lists_[dim];
  spans.clear();
  mine_.clear();
  for (std::size_t i = 0; i < begin_[level]; ++i) {
    if (loops_[i].dim == dim) mine_.push_back(&loops_[i]);
  }
  const std::int64_t size = bound(dim), tile = extent(level, dim), instances = spatial_[at(level, dim)];
  offsets_.assign(mine_.size() + 1, 0);  // first tile of the digits inside loop i
  for (std::int64_t instance = 0; instance < instances; ++instance) {
    std::int64_t rest = instance;
    for (std::size_t i = mine_.size(); i-- > 0;) {
      offsets_[i] = offsets_[i + 1];
      if (mine_[i]->temporal) continue;
      offsets_[i] += rest % mine_[i]->bound * mine_[i]->step;
      rest /= mine_[i]->bound;
    }
    const std::int64_t first = offsets_[0];
    if (first >= size) continue;
    std::int64_t last = 0,
                 range = size;  // outermost to innermost: the last iteration that still holds the digits inside
    for (std::size_t i = 0; i < mine_.size(); ++i) {
      const std::int64_t step = mine_[i]->step;
      std::int64_t index = 0;
      if (mine_[i]->temporal) {
        index = (range - 1) / step;
        if (range - index * step <= offsets_[i + 1]) --index;
      } else {
        index = (offsets_[i] - offsets_[i + 1]) / step;
      }
      last += index * step;
      range = std::min(step, range - index * step);
    }
    const std::int64_t span = last + std::min(tile, range) - first;
    const auto same = std::find_if(spans.begin(), spans.end(), [&](const Tiles& t) { return t.extent == span; });
    if (same != spans.end())
      ++same->count;
    else
      spans.push_back({span, 1});
  }
}

/// Words that the instances of a level ever own, but for irrelevant spatial loops. An axis with one term: its tiles. An axis with
/// several terms: the bounding interval per instance.
std::int64_t AccessCounter::owned_words(const FlatOperand& operand, std::size_t level) {
  if (operand.simple) return operand.simple_words;
  if (!operand.regular) {
    for (std::size_t d = 0; d < dims_; ++d) {
      if (operand.moves[d] != 0) owned_spans(level, d);
    }
    return sum_of_boxes(operand, 0, dims_, 0);
  }
  std::int64_t product = 1;
  for (const FlatAxis& axis : operand.axes) {
    if (axis.size() <= 1) {
      product = mul(product, axis_sum(axis, level));
      continue;
    }
    LinearSum sum;
    for (const FlatTerm& term : axis) {
      owned_spans(level, term.dim);
      std::int64_t count = 0, length = 0;
      for (const Tiles& tiles : tile_lists_[term.dim]) {
        count = add(count, tiles.count);
        length = add(length, mul(tiles.count, tiles.extent));
      }
      sum.add_term(term.coefficient, count, length);
    }
    product = mul(product, sum.total());
  }
  return product;
}

/// As moved_words, with the words that several children of one parent need at the same moment counted once.
std::int64_t AccessCounter::merged_words(const FlatOperand& operand, const Transfer& transfer) {
  const std::size_t end = begin_[transfer.child], inside_parent = begin_[transfer.parent];
  std::int64_t product = 1;
  std::vector<WindowTerm> window;
  for (const FlatAxis& axis : operand.axes) {
    window.clear();
    for (const FlatTerm& term : axis) {
      WindowTerm& view = window.emplace_back();
      view.coefficient = term.coefficient;
      view.size = bound(term.dim);
      view.tile = extent(transfer.child, term.dim);
      for (std::size_t i = 0; i < end; ++i) {
        const FlatLoop& loop = loops_[i];
        if (loop.dim != term.dim) continue;
        if (i == transfer.moving) view.moving = view.digits.size();
        view.digits.push_back({loop.bound, loop.step, !loop.temporal && i >= inside_parent});
      }
    }
    product = mul(product, merged_axis_words(window));
  }
  return product;
}

/// The parent with the tiles of the next inner keeper, or with the lanes; returns the words that arrive there.
std::int64_t AccessCounter::connect(std::size_t o, const Nest& nest, std::size_t child) {
  const FlatOperand& operand = operands_[o];
  OperandAccesses& outer = counts_.levels[nest.parent][o];
  const std::size_t end = begin_[child];
  // Every MAC reads; a store's tile changes with the loops outside the innermost one that moves it.
  const bool lanes = child == levels_;
  const std::size_t told_apart = lanes ? end : nest.moving == no_loop ? 0 : nest.moving;
  const std::int64_t times = lanes ? nest.time : nest.changing;
  const std::int64_t words = mul(lanes ? operand.relevant_points : moved_words(operand, child, nest.moving), times);
  const std::int64_t sent_times =
      mul(nest.parent_space, uneven_values(operand, {end, told_apart, begin_[nest.parent]}));
  const std::int64_t sent = mul(words, sent_times);
  std::int64_t arriving = sent;
  if (lanes) {
    arriving = counts_.points;
  } else if (nest.space_between != 0) {
    arriving = mul(mul(words, nest.space), uneven_values(operand, {end, told_apart, end}));
  }
  outer.feeds_lanes = lanes;
  if (operand.output) {
    outer.updates = sent;
    outer.collected = arriving;
    outer.partial_sums =
        !operand.single || (nest.in_space_outside | (lanes ? nest.in_time : nest.in_time_outside)) != 0;
    return arriving;
  }
  outer.reads = outer.merged_reads = sent;
  outer.delivered = arriving;
  outer.first_tile_words = 1;
  for (const FlatAxis& axis : operand.axes) {
    std::int64_t span = 1;
    for (const FlatTerm& term : axis) {
      const std::int64_t joint = tile_[at(child, term.dim)] * spatial_[at(child, term.dim)];
      span = add(span, mul(term.coefficient, std::min(bound(term.dim), joint) - 1));
    }
    outer.first_tile_words = mul(outer.first_tile_words, span);
  }
  if (merged_ == MergedReads::everywhere && nest.space_between != 0 && operand.regular && !operand.single) {
    const Transfer transfer{nest.parent, child, lanes ? no_loop : nest.moving};
    outer.merged_reads = mul(mul(merged_words(operand, transfer), times), sent_times);
  }
  return arriving;
}

void AccessCounter::count_operand(std::size_t o, const Mapping& mapping) {
  const FlatOperand& operand = operands_[o];
  const char* const moves_operand = operand.moves.data();
  if (operand.output) owned_.assign(levels_, 0);
  Nest nest;
  for (std::size_t l = 0; l < levels_; ++l) {
    if (mapping.levels[l].keeps[o]) {
      OperandAccesses& here = counts_.levels[l][o];
      here.kept = true;
      here.tile_words = 1;
      for (const FlatAxis& axis : operand.axes) {
        std::int64_t span = 1;
        for (const FlatTerm& term : axis) span = add(span, mul(term.coefficient, extent(l, term.dim) - 1));
        here.tile_words = mul(here.tile_words, span);
      }
      if (operand.output) {
        owned_[l] = mul(mul(owned_words(operand, l), nest.space), uneven_values(operand, {begin_[l], 0, begin_[l]}));
      }
      if (l > 0) {
        const std::int64_t arriving = connect(o, nest, l);
        here.fills = arriving;
        if (operand.output) {
          here.drains = arriving;
          here.fills = std::max<std::int64_t>(arriving - owned_[l], 0);
          counts_.levels[nest.parent][o].delivered = here.fills;
        }
      }
      nest.parent = l;
      nest.parent_space = nest.space;
      nest.space_between = 0;
      nest.in_space_outside = nest.in_space;
    }
    Nest inside = nest;                                        // a copy whose address nobody takes stays in registers
    for (std::size_t i = begin_[l]; i < begin_[l + 1]; ++i) {  // without branches: random nests defeat their prediction
      const FlatLoop& loop = loops_[i];
      const bool moves = moves_operand[loop.dim] != 0, changes = moves && loop.temporal;
      inside.space_between |= static_cast<std::size_t>(!loop.temporal);
      inside.moving = changes ? i : inside.moving;
      inside.changing = changes ? inside.time : inside.changing;
      inside.in_time_outside = changes ? inside.in_time : inside.in_time_outside;
      inside.in_time |= static_cast<std::size_t>(!moves && loop.temporal);
      inside.in_space |= static_cast<std::size_t>(!moves && !loop.temporal);
      inside.time *= moves ? 1 : loop.even_time;  // parts of temporal_steps and lanes_used, which did not overflow
      inside.space *= moves ? 1 : loop.even_space;
    }
    nest = inside;
  }
  connect(o, nest, levels_);
  if (!operand.output) return;
  for (std::size_t l = 0; l < levels_; ++l) {
    OperandAccesses& here = counts_.levels[l][o];
    if (here.kept) here.reads = std::max<std::int64_t>(here.updates - owned_[l], 0);
  }
  counts_.levels[nest.parent][o].delivered = counts_.levels[nest.parent][o].reads;
}

const AccessCounts& AccessCounter::count(const Mapping& mapping) {
  flatten(mapping);
  counts_.temporal_steps = counts_.lanes_used = 1;
  std::int64_t instances = 1;  // along even dims
  for (std::size_t l = 0; l < levels_; ++l) {
    std::int64_t used = instances;
    for (const UnevenDim& dim : uneven_dims_) {
      if (spatial_[at(l, dim.dim)] > 1) used = mul(used, values(dim, {begin_[l], 0, begin_[l]}));
    }
    for (std::size_t o = 0; o < operands_.size(); ++o) {
      counts_.levels[l][o] = {};
      if (mapping.levels[l].keeps[o]) counts_.levels[l][o].utilized_instances = used;
    }
    for (std::size_t i = begin_[l]; i < begin_[l + 1]; ++i) {
      const FlatLoop& loop = loops_[i];
      counts_.temporal_steps = mul(counts_.temporal_steps, loop.temporal ? loop.bound : 1);
      counts_.lanes_used = mul(counts_.lanes_used, loop.temporal ? 1 : loop.bound);
      instances *= loop.even_space;
    }
  }
  for (std::size_t o = 0; o < operands_.size(); ++o) {
    count_operand(o, mapping);
    if (operands_[o].on_chip) counts_.levels.front()[o] = {};
  }
  return counts_;
}

AccessCounts count_accesses(const Problem& problem, const Mapping& mapping) {
  return AccessCounter(problem, MergedReads::everywhere).count(mapping);
}

}  // namespace tilewright
