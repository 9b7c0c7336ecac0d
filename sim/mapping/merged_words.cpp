#include "sim/mapping/merged_words.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/checked.hpp"

namespace tilewright {
namespace {

/// What the children see along one term at a moment: `valid` of them have a tile, the last one perhaps a short one.
struct Pattern {
  std::size_t valid = 0;
  std::int64_t last_extent = 0;
  std::int64_t wraps = 0, steps = 0;  // moments when the whole tile is new, or only its far end
};

struct Term {
  std::int64_t coefficient, tile;
  std::int64_t shift = 0;             // of the moving digit
  std::vector<std::int64_t> offsets;  // of the children, rising
  std::vector<Pattern> patterns;
};

std::vector<std::int64_t> offsets_in_space(const WindowTerm& term) {
  std::vector<std::int64_t> offsets{0};
  for (const WindowTerm::Digit& digit : term.digits) {
    if (!digit.space) continue;
    std::vector<std::int64_t> next;
    next.reserve(offsets.size() * static_cast<std::size_t>(digit.bound));
    for (const std::int64_t offset : offsets) {
      for (std::int64_t i = 0; i < digit.bound; ++i) next.push_back(offset + i * digit.step);
    }
    offsets = std::move(next);
  }
  while (offsets.back() >= term.size) offsets.pop_back();
  return offsets;
}

/// Values of the digits in time whose sum is below `limit`; with `wrapped` only those with the moving digit at 0.
std::int64_t moments_below(const WindowTerm& term, std::int64_t limit, bool wrapped) {
  if (limit <= 0) return 0;
  const auto bound = [&](std::size_t i) { return wrapped && term.moving == i ? 1 : term.digits[i].bound; };
  std::int64_t inside = 1, count = 0, rest = limit - 1;
  for (std::size_t i = 0; i < term.digits.size(); ++i) {
    if (!term.digits[i].space) inside = checked_mul(inside, bound(i));
  }
  for (std::size_t i = 0; i < term.digits.size(); ++i) {
    if (term.digits[i].space) continue;
    inside /= bound(i);
    const std::int64_t digit = rest / term.digits[i].step;
    count += std::min(digit, bound(i)) * inside;
    if (digit >= bound(i)) return count;
    rest -= digit * term.digits[i].step;
  }
  return count + 1;
}

/// Child k has a tile at a moment of sum b when b + offset k < size: the valid ones are the first few, and only the last of
/// them can be clipped, by at most one value of b (all sums are multiples of the tile).
std::vector<Pattern> patterns_of(const WindowTerm& term, const std::vector<std::int64_t>& offsets) {
  std::vector<Pattern> patterns;
  const auto add = [&](std::size_t valid, std::int64_t extent, std::int64_t from, std::int64_t to) {
    const std::int64_t all = moments_below(term, to, false) - moments_below(term, from, false);
    if (all == 0) return;
    const std::int64_t wraps = term.moving ? moments_below(term, to, true) - moments_below(term, from, true) : all;
    patterns.push_back({valid, extent, wraps, all - wraps});
  };
  for (std::size_t k = 1; k <= offsets.size(); ++k) {
    const std::int64_t from = k < offsets.size() ? std::max<std::int64_t>(term.size - offsets[k], 0) : 0;
    const std::int64_t to = term.size - offsets[k - 1];
    const std::int64_t last = (to - 1) / term.tile * term.tile;  // the sum that clips the last child
    if (to - last == term.tile) {
      add(k, term.tile, from, to);
    } else {
      add(k, term.tile, from, last);
      add(k, to - last, std::max(from, last), to);
    }
  }
  return patterns;
}

struct Choice {
  const Term* term = nullptr;
  const Pattern* pattern = nullptr;
};

struct Interval {
  std::int64_t low, high;  // inclusive
};

/// One interval for each combination of children along the terms: [low, low + reach] without the first `held` words, which a step
/// of `moving` (nullptr: the whole tile is new) leaves in place: the last tile reached as far as a full one, one shift back.
void add_intervals(std::span<const Choice> choices, const Term* moving, Interval box, std::int64_t held,
                   std::vector<Interval>& intervals) {
  if (choices.empty()) {
    if (moving != nullptr) box.low += std::max<std::int64_t>(held + 1, 0);
    if (box.low <= box.high) intervals.push_back(box);
    return;
  }
  const auto [term, pattern] = choices.front();
  for (std::size_t k = 0; k < pattern->valid; ++k) {
    const std::int64_t extent = k + 1 == pattern->valid ? pattern->last_extent : term->tile;
    const std::int64_t start = term->coefficient * term->offsets[k], reach = term->coefficient * (extent - 1);
    const std::int64_t kept = term == moving ? term->coefficient * (term->tile - 1 - term->shift) : reach;
    add_intervals(choices.subspan(1), moving, {box.low + start, box.high + start + reach}, held + kept, intervals);
  }
}

std::int64_t union_size(std::vector<Interval>& intervals) {
  std::sort(intervals.begin(), intervals.end(), [](Interval a, Interval b) { return a.low < b.low; });
  std::int64_t words = 0, end = -1;
  for (const Interval& i : intervals) {
    if (i.high <= end) continue;
    words += i.high - std::max(i.low, end + 1) + 1;
    end = i.high;
  }
  return words;
}

/// Over all combinations of the terms' patterns: how often each occurs x its union.
std::int64_t sum_of_unions(const std::vector<Term>& terms, std::vector<Choice>& chosen, std::int64_t times,
                           const Term* moving, std::vector<Interval>& intervals) {
  if (times == 0) return 0;
  if (chosen.size() == terms.size()) {
    intervals.clear();
    add_intervals(chosen, moving, {0, 0}, 0, intervals);
    return checked_mul(times, union_size(intervals));
  }
  const Term& term = terms[chosen.size()];
  std::int64_t sum = 0;
  for (const Pattern& pattern : term.patterns) {
    chosen.push_back({&term, &pattern});
    const std::int64_t often = &term == moving ? pattern.steps : pattern.wraps;
    sum = checked_add(sum, sum_of_unions(terms, chosen, checked_mul(times, often), moving, intervals));
    chosen.pop_back();
  }
  return sum;
}

}  // namespace

std::int64_t merged_axis_words(std::span<const WindowTerm> axis) {
  std::vector<Term> terms;
  terms.reserve(axis.size());
  const Term* moving = nullptr;
  for (const WindowTerm& term : axis) {
    terms.push_back({term.coefficient, term.tile, 0, offsets_in_space(term), {}});
    terms.back().patterns = patterns_of(term, terms.back().offsets);
    if (!term.moving) continue;
    terms.back().shift = term.digits[*term.moving].step;
    moving = &terms.back();
  }
  std::vector<Choice> chosen;
  std::vector<Interval> intervals;
  const std::int64_t whole = sum_of_unions(terms, chosen, 1, nullptr, intervals);
  return moving == nullptr ? whole : checked_add(whole, sum_of_unions(terms, chosen, 1, moving, intervals));
}

}  // namespace tilewright
