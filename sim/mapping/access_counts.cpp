#include "sim/mapping/access_counts.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <utility>

#include "core/checked.hpp"

// Closed form. Every dim is cut by its loops into nested tiles; because a tile inside a loop is the product of the inner bounds, the
// loop indices of a dim are the mixed-radix digits of its point, and the last tiles are clipped by the dim's bound alone.
//
// Two facts make the sums short. The number of distinct values of a subset of the digits over 0..D-1 follows from one pass over
// the loops, inner to outer (`Digits`). And a sum of boxes over all tiles is a product over independent groups of axes, where a
// dim gives at most two tile extents: full ones and one clipped one (`sum_of_boxes`).

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

inline std::int64_t magnitude(std::int64_t a) { return a < 0 ? -a : a; }

template <class T>
using Scratch = std::pmr::vector<T>;

/// A loop of bound > 1. `step` is the tile of its dim inside the loop; `whole` full iterations of the last (clipped) range of the
/// outer loops, and perhaps one clipped iteration (`tail`).
struct FlatLoop {
  std::size_t dim = 0, level = 0;
  bool temporal = true;
  std::int64_t bound = 1, step = 1, whole = 1;
  bool tail = false;
};

/// Distinct values of the kept digits of each dim, for a full range and for the last one.
struct Digits {
  struct Values {
    std::int64_t full = 1, last = 1;
  };
  Scratch<Values> of;  // per dim

  Digits(std::size_t dims, std::pmr::memory_resource* memory) : of(dims, memory) {}

  /// A clipped iteration holds what the loops inside count for the last range.
  void keep(const FlatLoop& loop) {
    Values& values = of[loop.dim];
    values.last = add(mul(loop.whole, values.full), loop.tail ? values.last : 0);
    values.full = mul(values.full, loop.bound);
  }
  /// Union over the iterations: a full one holds every value, the tail fewer.
  void strip(const FlatLoop& loop) {
    if (loop.whole >= 1) of[loop.dim].last = of[loop.dim].full;
  }
};

/// Some tiles of equal extent of one dim.
struct Tiles {
  std::int64_t extent = 0, count = 0;
};
using TileList = Scratch<Tiles>;

std::array<Tiles, 2> cut(std::int64_t size, std::int64_t tile) {
  const std::int64_t full = size / tile, rest = size - full * tile;
  return {Tiles{tile, full}, Tiles{rest, rest != 0 ? 1 : 0}};
}

/// True if a dim stands on two axes; their extents are then summed together instead of axis by axis.
bool dim_on_two_axes(const Operand& operand) {
  for (std::size_t a = 0; a < operand.axes.size(); ++a) {
    for (std::size_t b = a + 1; b < operand.axes.size(); ++b) {
      for (const Term& s : operand.axes[a]) {
        for (const Term& t : operand.axes[b]) {
          if (s.dim == t.dim && s.coefficient != 0 && t.coefficient != 0) return true;
        }
      }
    }
  }
  return false;
}

bool distinct_dims(const Axis& axis) {
  for (std::size_t a = 0; a < axis.size(); ++a) {
    for (std::size_t b = a + 1; b < axis.size(); ++b) {
      if (axis[a].dim == axis[b].dim) return false;
    }
    if (axis[a].coefficient == 0) return false;
  }
  return true;
}

bool on_axis(const Axis& axis, std::size_t dim) {
  for (const Term& term : axis) {
    if (static_cast<std::size_t>(term.dim) == dim && term.coefficient != 0) return true;
  }
  return false;
}

class Counter {
 public:
  Counter(const Problem& problem, const Mapping& mapping, std::pmr::memory_resource* memory)
      : problem_(problem),
        mapping_(mapping),
        memory_(memory),
        loops_(memory),
        begin_(memory),
        tile_(memory),
        tiles_(memory),
        chosen_(memory) {
    flatten();
    chosen_.assign(problem.dims.size(), 1);
  }

  AccessCounts count();

 private:
  std::size_t dims() const { return problem_.dims.size(); }
  std::int64_t bound(std::size_t dim) const { return problem_.dims[dim].bound; }
  /// Tile of a dim at a level, not clipped: product of the loops at and inside the level.
  std::int64_t step_at(std::size_t level, std::size_t dim) const { return tile_[level * dims() + dim]; }

  void flatten();
  Digits no_digits() const { return Digits(dims(), memory_); }  // one value per dim
  std::int64_t irrelevant_product(const Digits& digits, std::uint64_t relevance, const Operand& operand) const;
  bool moves(std::uint64_t relevance, const Operand& operand, std::size_t dim) const {
    return dim < 64 ? (relevance >> dim & 1) != 0 : relevant(operand, static_cast<int>(dim));
  }

  template <class TilesOf>
  std::int64_t sum_over(std::span<const Axis> axes, std::size_t dim, const TilesOf& tiles_of, std::size_t shifted,
                        std::int64_t shift);
  template <class TilesOf>
  std::int64_t sum_of_boxes(const Operand& operand, bool coupled, const TilesOf& tiles_of, std::size_t shifted,
                            std::int64_t shift);
  /// All tiles of a dim at a level: the full ones and the clipped one.
  const std::array<Tiles, 2>& tiles_at(std::size_t level, std::size_t dim) const {
    return tiles_[level * dims() + dim];
  }
  void owned_spans(std::size_t level, std::size_t dim, TileList& spans) const;
  std::int64_t owned_words(const Operand& operand, bool coupled, std::size_t level);
  void count_operand(std::size_t o, AccessCounts& counts, std::int64_t points);

  const Problem& problem_;
  const Mapping& mapping_;
  std::pmr::memory_resource* memory_;
  Scratch<FlatLoop> loops_;              // outermost first
  Scratch<std::size_t> begin_;           // loops_[begin_[l]..begin_[l + 1]) are those of level l
  Scratch<std::int64_t> tile_;           // [level][dim], levels + 1 rows
  Scratch<std::array<Tiles, 2>> tiles_;  // [level][dim], as tile_
  Scratch<std::int64_t> chosen_;         // extents of the box under enumeration
};

void Counter::flatten() {
  const std::size_t levels = mapping_.levels.size();
  tile_.assign((levels + 1) * dims(), 1);
  tiles_.resize((levels + 1) * dims());
  for (std::size_t d = 0; d < dims(); ++d) tiles_[levels * dims() + d] = {Tiles{1, bound(d)}, Tiles{}};
  begin_.assign(levels + 1, 0);
  std::size_t total = 0;
  for (std::size_t l = 0; l < levels; ++l) {
    begin_[l] = total;
    for (const Loop& loop : mapping_.levels[l].loops) total += loop.bound > 1;
  }
  begin_[levels] = total;
  loops_.resize(total);
  std::size_t at = total;
  for (std::size_t l = levels; l-- > 0;) {
    for (std::size_t d = 0; d < dims(); ++d) tile_[l * dims() + d] = tile_[(l + 1) * dims() + d];
    const std::vector<Loop>& loops = mapping_.levels[l].loops;
    bool changed = false;
    for (std::size_t i = loops.size(); i-- > 0;) {
      if (loops[i].bound <= 1) continue;
      FlatLoop& flat = loops_[--at];
      flat.dim = static_cast<std::size_t>(loops[i].dim);
      flat.level = l;
      flat.temporal = loops[i].kind == LoopKind::temporal;
      flat.bound = loops[i].bound;
      std::int64_t& tile = tile_[l * dims() + flat.dim];
      flat.step = tile;
      // The last range of the loops outside ends at the dim's bound: its size is the bound modulo the tile outside.
      tile = mul(tile, flat.bound);
      const std::int64_t size = bound(flat.dim);
      const std::int64_t range = tile >= size ? size : size % tile;
      if (range == tile) {
        flat.whole = flat.bound;
      } else if (range == 0) {
        flat.whole = 0;
      } else {
        flat.whole = range / flat.step;
        flat.tail = flat.whole * flat.step != range;
      }
      changed = true;
    }
    if (!changed) {
      for (std::size_t d = 0; d < dims(); ++d) tiles_[l * dims() + d] = tiles_[(l + 1) * dims() + d];
      continue;
    }
    for (std::size_t d = 0; d < dims(); ++d) {
      const std::int64_t tile = tile_[l * dims() + d];
      tiles_[l * dims() + d] = tile == tile_[(l + 1) * dims() + d] ? tiles_[(l + 1) * dims() + d] : cut(bound(d), tile);
    }
  }
}

std::int64_t Counter::irrelevant_product(const Digits& digits, std::uint64_t relevance, const Operand& operand) const {
  std::int64_t product = 1;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (!moves(relevance, operand, d)) product = mul(product, digits.of[d].last);
  }
  return product;
}

/// Sum over all combinations of tile extents of the dims >= `dim` of the product of the axes' extents less `shift` times the
/// coefficient of `shifted` (dims(): no shift).
template <class TilesOf>
std::int64_t Counter::sum_over(std::span<const Axis> axes, std::size_t dim, const TilesOf& tiles_of,
                               std::size_t shifted, std::int64_t shift) {
  while (dim < dims() && std::none_of(axes.begin(), axes.end(), [&](const Axis& axis) { return on_axis(axis, dim); }))
    ++dim;
  if (dim == dims()) {
    std::int64_t words = 1;
    for (const Axis& axis : axes) {
      std::int64_t extent = 1;
      for (const Term& term : axis) {
        const std::size_t d = static_cast<std::size_t>(term.dim);
        extent = add(extent, mul(magnitude(term.coefficient), chosen_[d] - 1));
        if (d == shifted) extent = add(extent, -mul(magnitude(term.coefficient), shift));
      }
      words = mul(words, std::max<std::int64_t>(extent, 0));
    }
    return words;
  }
  std::int64_t sum = 0;
  for (const Tiles& tiles : tiles_of(dim)) {
    if (tiles.count == 0) continue;
    chosen_[dim] = tiles.extent;
    sum = add(sum, mul(tiles.count, sum_over(axes, dim + 1, tiles_of, shifted, shift)));
  }
  return sum;
}

template <class TilesOf>
std::int64_t Counter::sum_of_boxes(const Operand& operand, bool coupled, const TilesOf& tiles_of, std::size_t shifted,
                                   std::int64_t shift) {
  const std::span<const Axis> axes(operand.axes);
  if (coupled) return sum_over(axes, 0, tiles_of, shifted, shift);
  std::int64_t product = 1;
  for (std::size_t a = 0; a < axes.size() && product != 0; ++a) {
    const Axis& axis = axes[a];
    std::int64_t sum = 0;
    if (axis.size() == 1) {  // short cuts of the general sum: one term
      const std::size_t d = static_cast<std::size_t>(axis[0].dim);
      const std::int64_t c = magnitude(axis[0].coefficient);
      for (const Tiles& tiles : tiles_of(d)) {
        const std::int64_t moved = d == shifted ? mul(c, shift) : 0;
        const std::int64_t extent = add(mul(c, tiles.extent - 1), 1 - moved);
        if (tiles.count != 0 && extent > 0) sum = add(sum, mul(tiles.count, extent));
      }
      if (c == 0) sum = 1;
    } else if ((shifted == dims() || !on_axis(axis, shifted)) && distinct_dims(axis)) {
      // The extent 1 + sum of c (e - 1) is linear in the tiles' extents e: with n tiles of total length S per dim,
      // the sum is prod n + sum over terms of c (S - n) times the other dims' n.
      std::int64_t boxes = 1;
      for (const Term& term : axis) {
        std::int64_t n = 0, length = 0;
        for (const Tiles& tiles : tiles_of(static_cast<std::size_t>(term.dim))) {
          n = add(n, tiles.count);
          length = add(length, mul(tiles.count, tiles.extent));
        }
        sum = add(mul(sum, n), mul(boxes, mul(magnitude(term.coefficient), length - n)));
        boxes = mul(boxes, n);
      }
      sum = add(sum, boxes);
    } else {
      sum = sum_over(axes.subspan(a, 1), 0, tiles_of, shifted, shift);
    }
    product = mul(product, sum);
  }
  return product;
}

/// Per instance of `level`: the span of a dim's indices from the first to the last that it ever works on. One entry per
/// combination of the dim's spatial loops outside the level (few: at most the lanes along that dim).
void Counter::owned_spans(std::size_t level, std::size_t dim, TileList& spans) const {
  Scratch<const FlatLoop*> mine(memory_);
  std::int64_t instances = 1;
  for (std::size_t i = 0; i < begin_[level]; ++i) {
    if (loops_[i].dim != dim) continue;
    mine.push_back(&loops_[i]);
    if (!loops_[i].temporal) instances = mul(instances, loops_[i].bound);
  }
  const std::int64_t size = bound(dim), tile = std::min(step_at(level, dim), size);
  for (std::int64_t instance = 0; instance < instances; ++instance) {
    Scratch<std::int64_t> offset(mine.size() + 1, 0, memory_);  // first tile of the digits inside loop i
    std::int64_t rest = instance;
    for (std::size_t i = mine.size(); i-- > 0;) {
      offset[i] = offset[i + 1];
      if (mine[i]->temporal) continue;
      offset[i] += rest % mine[i]->bound * mine[i]->step;
      rest /= mine[i]->bound;
    }
    const std::int64_t first = offset[0];
    if (first >= size) continue;
    std::int64_t last = 0,
                 range = size;  // outermost to innermost: the last iteration that still holds the digits inside
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const std::int64_t step = mine[i]->step;
      std::int64_t index = 0;
      if (mine[i]->temporal) {
        index = (range - 1) / step;
        if (range - index * step <= offset[i + 1]) --index;
      } else {
        index = (offset[i] - offset[i + 1]) / step;
      }
      last += index * step;
      range = std::min(step, range - index * step);
    }
    const std::int64_t extent = last + std::min(tile, range) - first;
    const auto same = std::find_if(spans.begin(), spans.end(), [&](const Tiles& t) { return t.extent == extent; });
    if (same != spans.end())
      ++same->count;
    else
      spans.push_back({extent, 1});
  }
}

/// Words that the instances of a level ever own, but for irrelevant spatial loops. An axis with one term: its tiles. An axis with
/// several terms: the bounding interval per instance.
std::int64_t Counter::owned_words(const Operand& operand, bool coupled, std::size_t level) {
  Scratch<TileList> spans(dims(), memory_);
  for (const Axis& axis : operand.axes) {
    for (const Term& term : axis) {
      TileList& list = spans[static_cast<std::size_t>(term.dim)];
      if (!list.empty()) continue;
      if (axis.size() > 1 || coupled) {
        owned_spans(level, static_cast<std::size_t>(term.dim), list);
      } else {
        const auto tiles = tiles_at(level, static_cast<std::size_t>(term.dim));
        list.assign(tiles.begin(), tiles.end());
      }
    }
  }
  return sum_of_boxes(
      operand, coupled, [&](std::size_t d) { return std::span<const Tiles>(spans[d]); }, dims(), 0);
}

void Counter::count_operand(std::size_t o, AccessCounts& counts, std::int64_t points) {
  const Operand& operand = problem_.operands[o];
  const bool output = operand.role == Role::output;
  const bool coupled = dim_on_two_axes(operand);
  std::uint64_t relevance = 0;
  bool simple = !coupled;  // every axis one index with coefficient 1: tiles of all kinds sum to the bounds
  std::int64_t whole = 1;
  for (const Axis& axis : operand.axes) {
    for (const Term& term : axis) {
      if (term.coefficient != 0 && term.dim < 64) relevance |= std::uint64_t{1} << term.dim;
    }
    simple = simple && axis.size() == 1 && axis[0].coefficient == 1;
    if (simple) whole = mul(whole, bound(static_cast<std::size_t>(axis[0].dim)));
  }
  const auto partition = [&](std::size_t level) {  // total over all instances
    Digits digits = no_digits();
    for (std::size_t i = begin_[level]; i-- > 0;) loops_[i].temporal ? digits.strip(loops_[i]) : digits.keep(loops_[i]);
    return mul(simple ? whole : owned_words(operand, coupled, level), irrelevant_product(digits, relevance, operand));
  };

  std::size_t parent = 0;
  Scratch<std::int64_t> owned(output ? mapping_.levels.size() : 0, 0, memory_);
  for (std::size_t level = 0; level < mapping_.levels.size(); ++level) {
    if (!mapping_.levels[level].keeps[o]) continue;
    if (output) owned[level] = partition(level);
    OperandAccesses& here = counts.levels[level][o];
    here.kept = true;
    for (std::size_t d = 0; d < dims(); ++d) chosen_[d] = std::min(step_at(level, d), bound(d));
    here.tile_words = 1;
    for (const Axis& axis : operand.axes) {
      std::int64_t extent = 1;
      for (const Term& term : axis) {
        extent = add(extent, mul(magnitude(term.coefficient), chosen_[static_cast<std::size_t>(term.dim)] - 1));
      }
      here.tile_words = mul(here.tile_words, extent);
    }
    if (level > 0) {
      // Kept digits: all spatial loops, and the temporal ones from the innermost that moves the operand outwards.
      Digits arriving = no_digits(), sent = no_digits();
      const FlatLoop* moving = nullptr;
      for (std::size_t i = begin_[level]; i-- > 0;) {
        const FlatLoop& loop = loops_[i];
        const bool relevant_here = moves(relevance, operand, loop.dim);
        if (loop.temporal && relevant_here && moving == nullptr) moving = &loop;
        if (relevant_here) continue;
        if (loop.temporal && moving == nullptr) {
          arriving.strip(loop);
          sent.strip(loop);
        } else {
          arriving.keep(loop);
          loop.temporal || loop.level < parent ? sent.keep(loop) : sent.strip(loop);
        }
      }
      std::int64_t words = whole;
      if (!simple) {
        words = sum_of_boxes(
            operand, coupled, [&](std::size_t d) -> const auto& { return tiles_at(level, d); }, dims(), 0);
        if (moving != nullptr) {
          // Steps that do not wrap: all values of the dim's digits less those with the moving digit at 0.
          Digits without = no_digits();
          for (std::size_t i = begin_[level]; i-- > 0;) {
            if (loops_[i].dim != moving->dim) continue;
            &loops_[i] == moving ? without.strip(loops_[i]) : without.keep(loops_[i]);
          }
          const std::int64_t tile = std::min(step_at(level, moving->dim), bound(moving->dim));
          const std::int64_t steps = ceil_div(bound(moving->dim), tile) - without.of[moving->dim].last;
          words -= sum_of_boxes(
              operand, coupled,
              [&](std::size_t d) {
                return d == moving->dim ? std::array<Tiles, 2>{Tiles{tile, steps}, Tiles{0, 0}} : tiles_at(level, d);
              },
              moving->dim, moving->step);
        }
      }
      const std::int64_t in = mul(words, irrelevant_product(arriving, relevance, operand));
      const std::int64_t out = mul(words, irrelevant_product(sent, relevance, operand));
      OperandAccesses& outer = counts.levels[parent][o];
      if (output) {
        here.drains = in;
        here.fills = std::max<std::int64_t>(in - owned[level], 0);
        outer.updates = out;
        outer.delivered = here.fills;
      } else {
        here.fills = in;
        outer.reads = out;
        outer.delivered = in;
      }
    }
    parent = level;
  }

  // The innermost keeper and the lanes: every point is a read, equal words of one step are shared in space only.
  OperandAccesses& inner = counts.levels[parent][o];
  Digits digits = no_digits();
  for (std::size_t i = loops_.size(); i-- > 0;) {
    loops_[i].temporal || loops_[i].level < parent ? digits.keep(loops_[i]) : digits.strip(loops_[i]);
  }
  std::int64_t words = irrelevant_product(digits, relevance, operand);
  for (std::size_t d = 0; d < dims(); ++d) {
    if (moves(relevance, operand, d)) words = mul(words, bound(d));
  }
  if (output) {
    inner.updates = words;
  } else {
    inner.reads = words;
    inner.delivered = points;
  }
  if (!output) return;
  for (std::size_t level = 0; level < mapping_.levels.size(); ++level) {
    OperandAccesses& here = counts.levels[level][o];
    if (here.kept) here.reads = std::max<std::int64_t>(here.updates - owned[level], 0);
  }
  inner.delivered = inner.reads;
}

AccessCounts Counter::count() {
  AccessCounts counts;
  counts.levels.resize(mapping_.levels.size());
  counts.points = 1;
  for (std::size_t d = 0; d < dims(); ++d) counts.points = mul(counts.points, bound(d));
  counts.temporal_steps = 1;
  counts.lanes_used = 1;
  for (const FlatLoop& loop : loops_) {
    std::int64_t& product = loop.temporal ? counts.temporal_steps : counts.lanes_used;
    product = mul(product, loop.bound);
  }
  for (auto& level : counts.levels) level.resize(problem_.operands.size());
  for (std::size_t o = 0; o < problem_.operands.size(); ++o) count_operand(o, counts, counts.points);
  for (std::size_t l = 0; l < counts.levels.size(); ++l) {
    Digits digits = no_digits();
    bool spatial = false;
    for (std::size_t i = begin_[l]; i-- > 0;) {
      spatial = spatial || !loops_[i].temporal;
      loops_[i].temporal ? digits.strip(loops_[i]) : digits.keep(loops_[i]);
    }
    std::int64_t instances = 1;
    for (std::size_t d = 0; spatial && d < dims(); ++d) instances = mul(instances, digits.of[d].last);
    for (OperandAccesses& accesses : counts.levels[l]) {
      if (accesses.kept) accesses.utilized_instances = instances;
    }
  }
  for (std::size_t o = 0; o < problem_.operands.size(); ++o) {
    if (problem_.operands[o].on_chip) counts.levels.front()[o] = {};
  }
  return counts;
}

}  // namespace

AccessCounts count_accesses(const Problem& problem, const Mapping& mapping) {
  std::array<std::byte, 16384> buffer;  // scratch of usual sizes stays on the stack; larger nests spill to the heap
  std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size());
  return Counter(problem, mapping, &memory).count();
}

}  // namespace tilewright
