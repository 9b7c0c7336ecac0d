// The loops of a mapping as the digits of every dim's index, and the tiles they cut.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/mapping/mapping.hpp"

namespace tilewright {

/// A tile inside a loop is the product of the bounds inside, so the loop indices of a dim are the mixed-radix digits of its point, and
/// the last tiles are clipped by the dim's bound alone. Loops of bound 1 are left out. Where the loops of a dim multiply to its bound
/// (an even dim) digits take all their values; else their number follows from one pass over the digits of the dim (`distinct`).
/// Allocates only while it grows to the largest nest it has seen.
class LoopDigits {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// Of an uneven dim, what the loops so far, from the outside in, make of it: full ranges, and the last one where the bound clips it
  /// (0 or 1).
  struct Ranges {
    std::int64_t full = 0, last = 1;
    std::int64_t count() const { return full + last; }
  };
  /// What one more loop makes of them. A loop whose iterations are told apart splits a full range into `bound` full ones, the last one
  /// into `whole` full ones and perhaps a clipped one. One whose iterations are not told apart unites them, and the first holds what
  /// all others hold: a range stays one, and the last one is full as soon as it has a whole iteration.
  struct Cut {
    std::int64_t bound, whole, tail;
    Ranges operator()(const Ranges& outside) const {  // never more than the dim's points: no overflow
      return {outside.full * bound + outside.last * whole, outside.last * tail};
    }
  };
  struct Digit {
    std::size_t dim = 0, next = none;  // next: the next digit of the dim, further in
    bool temporal = true;
    std::int64_t bound = 1, step = 1;  // step: tile of the dim inside the loop
    std::array<Cut, 2> cut{};          // [told apart], of uneven dims
  };
  /// Some tiles of equal extent of one dim.
  struct Tiles {
    std::int64_t extent = 0, count = 0;
  };

  explicit LoopDigits(const Problem& problem);
  /// Reads a mapping, then goes over its digits from the outside in: `visit_level(l)`, `visit_digit(i)` for each of the level.
  /// Precondition: every dim is covered and no loop longer than its dim needs (`check`).
  template <class VisitLevel, class VisitDigit>
  void read(const Mapping& mapping, const VisitLevel& visit_level, const VisitDigit& visit_digit) {
    read_inside(mapping);
    Outside* row = outside_.data();
    for (std::size_t l = 0; l < levels_; ++l) {
      visit_level(l);
      std::copy_n(row, dims_, row + dims_);
      row += dims_;
      for (std::size_t i = begin_[l]; i < begin_[l + 1]; ++i) {
        Outside& seen = row[digits_[i].dim];
        seen.tiles *= digits_[i].bound;
        seen.instances *= digits_[i].temporal ? 1 : digits_[i].bound;
        visit_digit(i);
      }
    }
    for (const std::size_t d : uneven_) cut(d);
  }

  std::size_t levels() const { return levels_; }
  /// Digits outermost first; those of level l are [begin(l), begin(l + 1)).
  const Digit& operator[](std::size_t digit) const { return digits_[digit]; }
  std::size_t begin(std::size_t level) const { return begin_[level]; }
  std::size_t first_of(std::size_t dim) const { return first_[dim]; }
  bool even(std::size_t dim) const { return even_[dim] != 0; }
  /// The dims that are not even.
  const std::vector<std::size_t>& uneven() const { return uneven_; }
  std::int64_t bound(std::size_t dim) const { return bounds_[dim]; }
  /// Of a tile at a level (levels(): a point), clipped at the dim's bound.
  std::int64_t extent(std::size_t level, std::size_t dim) const { return extent_[level * dims_ + dim]; }
  /// Of the box around the first tiles of all instances.
  std::int64_t first_extent(std::size_t level, std::size_t dim) const {
    return std::min(bounds_[dim], extent(level, dim) * instances(level, dim));
  }
  /// Tiles at a level that cover the dim.
  std::int64_t tiles(std::size_t level, std::size_t dim) const { return outside_[level * dims_ + dim].tiles; }
  /// The same, full ones first; the second ones are none, or the one that is clipped.
  std::array<Tiles, 2> tiles_by_extent(std::size_t level, std::size_t dim) const {
    const std::int64_t tile = extent(level, dim), count = tiles(level, dim);
    const std::int64_t rest = bounds_[dim] - (count - 1) * tile;
    if (rest == tile) return {Tiles{tile, count}, Tiles{}};
    return {Tiles{tile, count - 1}, Tiles{rest, 1}};
  }
  /// Product of the spatial bounds of the dim outside a level, and how many of these instances ever hold a tile.
  std::int64_t instances(std::size_t level, std::size_t dim) const { return outside_[level * dims_ + dim].instances; }
  std::int64_t instances_used(std::size_t level, std::size_t dim) const {
    return even(dim) ? instances(level, dim) : used_[level * dims_ + dim];
  }

  /// Distinct values of an uneven dim's digits before `end` where temporal ones are told apart before `temporal_end` and spatial ones
  /// before `spatial_end`.
  std::int64_t distinct(std::size_t dim, std::size_t end, std::size_t temporal_end, std::size_t spatial_end) const {
    const std::array<std::size_t, 2> told_apart{spatial_end, temporal_end};
    Ranges ranges;
    for (std::size_t i = first_[dim]; i < end; i = digits_[i].next) {
      const Digit& digit = digits_[i];
      ranges = digit.cut[static_cast<std::size_t>(i < told_apart[static_cast<std::size_t>(digit.temporal)])](ranges);
    }
    return ranges.count();
  }
  /// Tiles of the digit's dim at a level inside it which a step of the digit, not a wrap, brings: those with the digit above 0.
  std::int64_t steps_of(std::size_t digit, std::size_t level) const;

 private:
  void read_inside(const Mapping& mapping);
  void cut(std::size_t dim);

  struct Outside {
    std::int64_t tiles = 1, instances = 1;
  };

  std::size_t dims_, levels_ = 0;
  std::vector<std::int64_t> bounds_;  // per dim
  std::vector<Digit> digits_;         // the last ones are those of the mapping
  std::vector<std::size_t> begin_;    // per level, and behind the last
  std::vector<std::size_t> first_;    // per dim
  std::vector<char> even_;            // per dim
  std::vector<std::size_t> uneven_;   // dims
  // [level][dim]; levels + 1 rows, each the one beside it times the bounds between them. used_: of the uneven dims.
  std::vector<std::int64_t> extent_, used_;
  std::vector<Outside> outside_;
};

}  // namespace tilewright
