// Words of one operand in the tiles of a mapping: of one tile, of all that are fetched, of all that an instance ever owns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/checked.hpp"
#include "sim/mapping/loop_digits.hpp"

namespace tilewright {

/// An operand's axes, seen from its tiles. Refers to the problem. Its counts are exact; OverflowError above 64 bits.
class OperandWords {
 public:
  OperandWords(const Problem& problem, const Operand& operand);

  bool moved_by(std::size_t dim) const { return std::find(moved_by_.begin(), moved_by_.end(), dim) != moved_by_.end(); }
  /// No dim moves it twice: sums over tiles are products over axes.
  bool regular() const { return regular_; }
  /// Regular, and one dim an axis at most: no two tiles share a word.
  bool disjoint() const { return disjoint_; }
  /// Points of the dims that move it.
  std::int64_t points() const { return points_; }

  /// Words of a box; `extent(dim)` tells its extents.
  template <class Extent>
  std::int64_t box(const Extent& extent) const {
    std::int64_t words = 1;
    for (const std::size_t d : plain_) words = checked_mul(words, extent(d));
    for (const Window& window : windows_) {
      std::int64_t span = window.base;
      for (const Term& term : window.terms) span = checked_add(span, checked_mul(term.coefficient, extent(term.dim)));
      words = checked_mul(words, std::max<std::int64_t>(span, 0));
    }
    return words;
  }
  /// Sum over all tiles at a level of the words that are new to an instance. `moving`: the innermost temporal digit outside that moves
  /// the operand (none: there is none); its steps leave the rest of a window in place.
  std::int64_t moved(const LoopDigits& digits, std::size_t level, std::size_t moving) {
    return whole_tensor_ ? plain_words_ : moved_in_windows(digits, level, moving);
  }
  /// As `moved`, for a regular operand, with the words that several instances under one instance of `parent` need at the same moment
  /// counted once. Allocates.
  std::int64_t merged(const LoopDigits& digits, std::size_t parent, std::size_t level, std::size_t moving) const;
  /// Words that the instances of a level ever own, but for dims that do not move it. An axis with one term: its tiles. An axis with
  /// several: the bounding interval of each instance.
  std::int64_t owned(const LoopDigits& digits, std::size_t level) {
    return whole_tensor_ ? plain_words_ : owned_in_windows(digits, level);
  }

 private:
  struct Term {
    std::size_t dim;
    std::int64_t coefficient;  // magnitude, not zero
  };
  struct Window {
    std::vector<Term> terms;  // but for dims of one index
    std::int64_t base = 1;    // 1 - sum of the coefficients: the axis spans base + sum of coefficient x extent
    bool several = false;     // terms, those of one index included
  };
  using Tiles = LoopDigits::Tiles;

  std::int64_t moved_in_windows(const LoopDigits& digits, std::size_t level, std::size_t moving);
  std::int64_t moved_in_boxes(const LoopDigits& digits, std::size_t level, std::size_t moving);
  std::int64_t owned_in_windows(const LoopDigits& digits, std::size_t level);
  static std::int64_t clipped_words(const LoopDigits& digits, const Window& window, std::size_t level,
                                    std::size_t moving, const Term* moved, std::size_t from, std::int64_t span);
  std::int64_t sum_of_boxes(std::size_t from, std::size_t shifted, std::int64_t shift);
  void find_owned_spans(const LoopDigits& digits, std::size_t level, std::size_t dim);

  std::vector<std::size_t> plain_;     // of a regular operand: axes that are one dim
  std::vector<Window> windows_;        // all others
  std::vector<std::size_t> moved_by_;  // dims that move it
  bool regular_ = true, disjoint_ = true;
  bool whole_tensor_ = true;  // every axis is one dim: all tiles together are the tensor
  std::int64_t plain_words_ = 1, points_ = 1;
  // Scratch of the sums over boxes, per dim, and of the spans, per digit.
  std::vector<std::vector<Tiles>> tiles_;
  std::vector<std::int64_t> chosen_, offsets_;
  std::vector<std::size_t> mine_;
};

}  // namespace tilewright
