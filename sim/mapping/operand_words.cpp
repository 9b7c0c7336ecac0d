#include "sim/mapping/operand_words.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/checked.hpp"
#include "sim/mapping/merged_words.hpp"

// The tiles of a dim are full ones and at most one clipped one, so a sum over all tiles has few distinct parts, and a sum of boxes is a
// product over axes.

namespace tilewright {
namespace {

/// Sum over all combinations of tiles of the axis of its extent 1 + sum of c (e - 1): linear in the extents e, so with n tiles of
/// total length S of each dim it is prod n + sum over the terms of c (S - n) times the other dims' n.
class LinearSum {
 public:
  void add_term(std::int64_t coefficient, std::int64_t tiles, std::int64_t length) {
    beyond_first_ =
        checked_add(checked_mul(beyond_first_, tiles), checked_mul(boxes_, checked_mul(coefficient, length - tiles)));
    boxes_ = checked_mul(boxes_, tiles);
  }
  std::int64_t total() const { return checked_add(boxes_, beyond_first_); }

 private:
  std::int64_t boxes_ = 1, beyond_first_ = 0;
};

}  // namespace

OperandWords::OperandWords(const Problem& problem, const Operand& operand)
    : tiles_(problem.dims.size()), chosen_(problem.dims.size(), 1) {
  std::vector<int> uses(problem.dims.size(), 0);
  for (const Axis& axis : operand.axes) {
    Window window;
    int terms = 0;
    for (const auto& [dim, coefficient] : axis) {
      if (coefficient == 0) continue;
      ++terms;
      ++uses[static_cast<std::size_t>(dim)];
      if (problem.dims[static_cast<std::size_t>(dim)].bound == 1) continue;
      window.terms.push_back({static_cast<std::size_t>(dim), std::abs(coefficient)});
      window.base = checked_add(window.base, -std::abs(coefficient));
    }
    window.several = terms > 1;
    disjoint_ = disjoint_ && !window.several;
    if (!window.terms.empty()) windows_.push_back(std::move(window));
  }
  for (std::size_t d = 0; d < uses.size(); ++d) {
    const std::int64_t size = problem.dims[d].bound;
    regular_ = regular_ && uses[d] <= 1;
    if (uses[d] == 0) continue;
    moved_by_.push_back(d);
    points_ = checked_mul(points_, size);
  }
  disjoint_ = disjoint_ && regular_;
  whole_tensor_ = regular_;
  if (!regular_) return;
  std::erase_if(windows_, [&](const Window& window) {
    const Term& term = window.terms.front();
    // What instances own tells results with several terms apart, whatever the bounds.
    if (window.terms.size() > 1 || term.coefficient > 1 || (window.several && operand.role == Role::output))
      return false;
    plain_.push_back(term.dim);
    plain_words_ = checked_mul(plain_words_, problem.dims[term.dim].bound);
    return true;
  });
  whole_tensor_ = windows_.empty();
}

/// Sum over all combinations of the tiles of an axis, of different extents, of the words that are new to an instance: those of the tile,
/// but for what a step of the digit `moving`, of the term `moved`, leaves in place. `span`: of the axis, as far as the terms before number
/// `from` make it.
std::int64_t OperandWords::clipped_words(const LoopDigits& digits, const Window& window, std::size_t level,
                                         std::size_t moving, const Term* moved, std::size_t from, std::int64_t span) {
  const auto grown = [&](const Term& term, std::int64_t extent) {
    return checked_add(span, checked_mul(term.coefficient, extent));
  };
  if (from < window.terms.size()) {
    const Term& term = window.terms[from];
    if (&term == moved) return clipped_words(digits, window, level, moving, moved, from + 1, span);
    std::int64_t words = 0;
    for (const auto& [extent, count] : digits.tiles_by_extent(level, term.dim)) {
      if (count == 0) continue;
      const std::int64_t each = clipped_words(digits, window, level, moving, moved, from + 1, grown(term, extent));
      words = checked_add(words, checked_mul(count, each));
    }
    return words;
  }
  if (moved == nullptr) return span;
  const auto [full, last] = digits.tiles_by_extent(level, moved->dim);
  std::int64_t words = checked_mul(full.count, grown(*moved, full.extent));
  if (last.count > 0) words = checked_add(words, grown(*moved, last.extent));
  const std::int64_t kept = grown(*moved, full.extent - digits[moving].step);
  return kept <= 0 ? words : words - checked_mul(digits.steps_of(moving, level), kept);
}

std::int64_t OperandWords::moved_in_windows(const LoopDigits& digits, std::size_t level, std::size_t moving) {
  if (!regular_) return moved_in_boxes(digits, level, moving);
  const std::size_t moving_dim = moving == LoopDigits::none ? LoopDigits::none : digits[moving].dim;
  const bool all_even = digits.uneven().empty();
  std::int64_t words = plain_words_;
  for (const Window& window : windows_) {
    const Term* moved = nullptr;
    std::int64_t tiles = 1, span = window.base;
    bool even = true;
    for (const Term& term : window.terms) {
      tiles = checked_mul(tiles, digits.tiles(level, term.dim));
      span = checked_add(span, checked_mul(term.coefficient, digits.extent(level, term.dim)));
      even = all_even || (even && digits.even(term.dim));
      moved = term.dim == moving_dim ? &term : moved;
    }
    std::int64_t in_window = 0;
    if (even) {  // all tiles have this span
      in_window = checked_mul(tiles, span);
      const std::int64_t kept = moved == nullptr ? 0 : span - checked_mul(moved->coefficient, digits[moving].step);
      if (kept > 0) in_window -= (tiles - tiles / digits[moving].bound) * kept;
    } else {
      in_window = clipped_words(digits, window, level, moving, moved, 0, window.base);
    }
    words = checked_mul(words, in_window);
  }
  return words;
}

std::int64_t OperandWords::moved_in_boxes(const LoopDigits& digits, std::size_t level, std::size_t moving) {
  for (const std::size_t d : moved_by_) {
    const auto tiles = digits.tiles_by_extent(level, d);
    tiles_[d].assign(tiles.begin(), tiles.end());
  }
  const std::int64_t words = sum_of_boxes(0, LoopDigits::none, 0);
  if (moving == LoopDigits::none) return words;
  const std::size_t dim = digits[moving].dim;
  tiles_[dim].assign(1, {digits.extent(level, dim), digits.steps_of(moving, level)});
  return words - sum_of_boxes(0, dim, digits[moving].step);
}

/// Sum over all combinations of the tiles in `tiles_` of the moving dims from number `from` on of the words of their box with dim
/// `shifted` shorter by `shift`. For operands where one dim stands on two axes or twice on one.
std::int64_t OperandWords::sum_of_boxes(std::size_t from, std::size_t shifted, std::int64_t shift) {
  if (from == moved_by_.size()) return box([&](std::size_t d) { return chosen_[d]; });
  std::int64_t sum = 0;
  const std::size_t dim = moved_by_[from];
  for (const Tiles& tiles : tiles_[dim]) {
    if (tiles.count == 0) continue;
    chosen_[dim] = tiles.extent - (dim == shifted ? shift : 0);
    sum = checked_add(sum, checked_mul(tiles.count, sum_of_boxes(from + 1, shifted, shift)));
  }
  return sum;
}

/// Per instance of `level`: the span of a dim's indices from the first to the last that it ever works on, into `tiles_`. One entry
/// per extent, from all combinations of the dim's spatial loops outside the level (few: at most the lanes along that dim).
void OperandWords::find_owned_spans(const LoopDigits& digits, std::size_t level, std::size_t dim) {
  std::vector<Tiles>& spans = tiles_[dim];
  spans.clear();
  mine_.clear();
  for (std::size_t i = digits.first_of(dim); i < digits.begin(level); i = digits[i].next) mine_.push_back(i);
  const std::int64_t size = digits.bound(dim), tile = digits.extent(level, dim);
  offsets_.assign(mine_.size() + 1, 0);  // first tile of the digits from here inwards
  for (std::int64_t instance = 0; instance < digits.instances(level, dim); ++instance) {
    std::int64_t rest = instance;
    for (std::size_t i = mine_.size(); i-- > 0;) {
      const LoopDigits::Digit& digit = digits[mine_[i]];
      offsets_[i] = offsets_[i + 1];
      if (digit.temporal) continue;
      offsets_[i] += rest % digit.bound * digit.step;
      rest /= digit.bound;
    }
    const std::int64_t first = offsets_[0];
    if (first >= size) continue;
    std::int64_t last = 0, range = size;  // from the outside in: the last iteration that still holds the digits inside
    for (std::size_t i = 0; i < mine_.size(); ++i) {
      const LoopDigits::Digit& digit = digits[mine_[i]];
      std::int64_t index = 0;
      if (digit.temporal) {
        index = (range - 1) / digit.step;
        if (range - index * digit.step <= offsets_[i + 1]) --index;
      } else {
        index = (offsets_[i] - offsets_[i + 1]) / digit.step;
      }
      last += index * digit.step;
      range = std::min(digit.step, range - index * digit.step);
    }
    const std::int64_t span = last + std::min(tile, range) - first;
    const auto same = std::find_if(spans.begin(), spans.end(), [&](const Tiles& t) { return t.extent == span; });
    if (same != spans.end())
      ++same->count;
    else
      spans.push_back({span, 1});
  }
}

std::int64_t OperandWords::owned_in_windows(const LoopDigits& digits, std::size_t level) {
  if (!regular_) {
    for (const std::size_t d : moved_by_) find_owned_spans(digits, level, d);
    return sum_of_boxes(0, LoopDigits::none, 0);
  }
  std::int64_t words = plain_words_;
  for (const Window& window : windows_) {
    if (!window.several) {
      words = checked_mul(words, clipped_words(digits, window, level, LoopDigits::none, nullptr, 0, window.base));
      continue;
    }
    LinearSum sum;
    for (const Term& term : window.terms) {
      find_owned_spans(digits, level, term.dim);
      std::int64_t count = 0, length = 0;
      for (const Tiles& tiles : tiles_[term.dim]) {
        count = checked_add(count, tiles.count);
        length = checked_add(length, checked_mul(tiles.count, tiles.extent));
      }
      sum.add_term(term.coefficient, count, length);
    }
    words = checked_mul(words, sum.total());
  }
  return words;
}

std::int64_t OperandWords::merged(const LoopDigits& digits, std::size_t parent, std::size_t level,
                                  std::size_t moving) const {
  std::int64_t words = plain_words_;  // neighbours along a plain axis share nothing
  std::vector<WindowTerm> terms;
  for (const Window& window : windows_) {
    terms.clear();
    for (const Term& term : window.terms) {
      WindowTerm& view = terms.emplace_back();
      view.coefficient = term.coefficient;
      view.size = digits.bound(term.dim);
      view.tile = digits.extent(level, term.dim);
      for (std::size_t i = digits.first_of(term.dim); i < digits.begin(level); i = digits[i].next) {
        if (i == moving) view.moving = view.digits.size();
        view.digits.push_back({digits[i].bound, digits[i].step, !digits[i].temporal && i >= digits.begin(parent)});
      }
    }
    words = checked_mul(words, merged_axis_words(terms));
  }
  return words;
}

}  // namespace tilewright
