#include "sim/scalesim/buffers.hpp"

#include <numeric>

#include "core/checked.hpp"
#include "sim/scalesim/word_set.hpp"

namespace tilewright {
namespace {

/// Walks the lines of a fold in stretches: `accept(begin, end)` takes a stretch as a whole or refuses it; a line that is refused alone goes
/// to `single(line)`. Stretches double after a success and are cut after a refusal.
template <typename Accept, typename Single>
void walk(const FoldDemand& fold, Accept accept, Single single) {
  std::int64_t line = fold.first_line();
  const std::int64_t end = fold.end_line();
  std::int64_t stretch = end - line;
  while (line < end) {
    const std::int64_t stop = std::min(end, line + stretch);
    if (accept(line, stop)) {
      stretch = 2 * (stop - line);
      line = stop;
    } else if (stop - line > 1) {
      stretch = (stop - line) / 2;
    } else {
      single(line);
      line = stop;
    }
  }
}

}  // namespace

AccessSpan estimate_reads(const OperandMatrix& operand, const std::vector<FoldDemand>& folds,
                          std::int64_t buffer_bytes) {
  constexpr std::int64_t sets = 50, first_fill_words_per_cycle = 10;
  const std::int64_t set_words = buffer_bytes / 100, capacity = sets * set_words;
  WordSet held(operand.words);
  std::int64_t filled = 0, emptied = 0, last_emptied = 0;
  for (const FoldDemand& fold : folds) {
    const auto accept = [&](std::int64_t begin, std::int64_t end) {
      std::int64_t most = 0;  // words that come again within the stretch count more than once
      visit_lines(operand, fold, begin, end,
                  [&](std::int64_t first, std::int64_t count) { most += held.missing(first, count); });
      if (filled + most >= capacity) return false;
      if (most > 0) {
        visit_lines(operand, fold, begin, end, [&](std::int64_t first, std::int64_t count) {
          filled += held.missing(first, count);
          held.add(first, count);
        });
      }
      return true;
    };
    const auto single = [&](std::int64_t line) {
      visit_words(operand, fold, line, [&](std::int64_t word) {
        if (held.contains(word)) return;
        held.add(word, 1);
        if (++filled < capacity) return;
        held.clear();
        filled = 0;
        ++emptied;
        last_emptied = line;
      });
    };
    walk(fold, accept, single);
  }
  AccessSpan span;
  span.words = emptied * capacity + filled;
  const std::int64_t first_fill = emptied > 0 ? capacity : ceil_div(filled, set_words) * set_words;
  const std::int64_t array_start = emptied > 0 ? folds.front().first_line() : 0;
  span.start = array_start - ceil_div(first_fill, first_fill_words_per_cycle);
  span.stop = emptied > 0 ? last_emptied + 1 : -1;
  return span;
}

namespace {

/// The fetch order cut into lines of the buffer: line l holds words[begin[l] .. begin[l + 1]).
struct BufferLines {
  std::vector<std::uint32_t> words;
  std::vector<std::size_t> begin{0};
  std::int64_t fetched = 0;  // entries of the fetch matrix, ports without work included

  std::int64_t count() const { return static_cast<std::int64_t>(begin.size()) - 1; }
};

BufferLines cut_into_lines(const OperandMatrix& operand, const FetchOrder& order, std::int64_t line_words) {
  const std::int64_t across = order.vectors_across ? operand.vectors : operand.length;
  const std::int64_t deep = order.vectors_across ? operand.length : operand.vectors;
  const std::int64_t rows = checked_mul(ceil_div(across, order.ports), deep);
  BufferLines lines;
  lines.fetched = checked_mul(rows, order.ports);
  const auto fetch = [&](std::int64_t row, std::int64_t port) {
    const std::int64_t a = row / deep * order.ports + port, d = row % deep;
    if (a >= across) return;
    const std::int64_t vector = order.vectors_across ? a : d, element = order.vectors_across ? d : a;
    operand.visit_runs(vector, element, element + 1, [&](std::int64_t word, std::int64_t, std::int64_t) {
      lines.words.push_back(static_cast<std::uint32_t>(word));
      if (static_cast<std::int64_t>(lines.words.size() - lines.begin.back()) == line_words)
        lines.begin.push_back(lines.words.size());
    });
  };
  if (order.diagonal) {
    for (std::int64_t diagonal = 0; diagonal < rows + order.ports - 1; ++diagonal) {
      const std::int64_t last = std::min(diagonal, order.ports - 1);
      for (std::int64_t port = std::max<std::int64_t>(0, diagonal - rows + 1); port <= last; ++port)
        fetch(diagonal - port, port);
    }
  } else {
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t port = 0; port < order.ports; ++port) fetch(row, port);
  }
  lines.begin.push_back(lines.words.size());  // the last line may be empty: it counts all the same
  return lines;
}

/// The stretch of the fetch order that the array can read: `length` lines from a moving start, around the end. A word may be in several lines.
class ReadWindow {
 public:
  ReadWindow(const OperandMatrix& operand, const BufferLines& lines, std::int64_t length, std::int64_t step)
      : lines_(lines),
        length_(length),
        step_(step),
        copies_(static_cast<std::size_t>(operand.words)),
        inside_(operand.words),
        first_place_(static_cast<std::size_t>(operand.words) + 1),
        places_(lines.words.size()) {
    for (const std::uint32_t word : lines.words) ++first_place_[word + 1];
    std::partial_sum(first_place_.begin(), first_place_.end(), first_place_.begin());
    std::vector<std::size_t> next(first_place_.begin(), first_place_.end() - 1);
    for (std::int64_t line = 0; line < lines.count(); ++line)
      for_words(line, [&](std::uint32_t word) { places_[next[word]++] = static_cast<std::uint32_t>(line); });
    for (std::int64_t line = 0; line < length; ++line) enter(line);
  }

  bool contains(std::int64_t word) const {
    const auto w = static_cast<std::size_t>(word);
    for (std::size_t i = first_place_[w]; i < first_place_[w + 1]; ++i) {
      const std::int64_t ahead = static_cast<std::int64_t>(places_[i]) - start_;
      if ((ahead < 0 ? ahead + lines_.count() : ahead) < length_) return true;
    }
    return false;
  }

  void advance() { start_ = (start_ + step_) % lines_.count(); }

  bool contains_run(std::int64_t first, std::int64_t count) {
    bring_up_to_date();
    return inside_.missing(first, count) == 0;
  }

 private:
  /// The set follows the window only when it is asked: a miss may move the window many times.
  void bring_up_to_date() {
    const std::int64_t lines = lines_.count();
    const std::int64_t moved = (start_ - set_start_ + lines) % lines;
    const std::int64_t changed = std::min(moved, length_);
    for (std::int64_t i = 0; i < changed; ++i) leave((set_start_ + i) % lines);
    for (std::int64_t i = length_ - changed; i < length_; ++i) enter((start_ + i) % lines);
    set_start_ = start_;
  }
  template <typename Visit>
  void for_words(std::int64_t line, Visit visit) const {
    const auto at = static_cast<std::size_t>(line);
    for (std::size_t i = lines_.begin[at]; i < lines_.begin[at + 1]; ++i) visit(lines_.words[i]);
  }
  void enter(std::int64_t line) {
    for_words(line, [&](std::uint32_t word) {
      if (copies_[word]++ == 0) inside_.add(word, 1);
    });
  }
  void leave(std::int64_t line) {
    for_words(line, [&](std::uint32_t word) {
      if (--copies_[word] == 0) inside_.remove(word);
    });
  }

  const BufferLines& lines_;
  std::int64_t length_, step_, start_ = 0, set_start_ = 0;
  std::vector<std::uint32_t> copies_;  // of each word in the lines of the set
  WordSet inside_;
  std::vector<std::size_t> first_place_;  // word w is in lines places_[first_place_[w] .. first_place_[w + 1])
  std::vector<std::uint32_t> places_;
};

}  // namespace

Prefetches plan_prefetches(const OperandMatrix& operand, const std::vector<FoldDemand>& folds, const FetchOrder& order,
                           std::int64_t buffer_bytes, std::int64_t bandwidth) {
  const std::int64_t line_words = ceil_div(buffer_bytes, 100);
  const std::int64_t half = buffer_bytes / 2;
  const BufferLines lines = cut_into_lines(operand, order, line_words);
  const std::int64_t most = ceil_div(half, line_words);
  const std::int64_t active = std::min(lines.count(), most);
  ReadWindow window(operand, lines, active, std::min(lines.count() - active, most));

  Prefetches plan;
  plan.bandwidth = bandwidth;
  plan.lines_each = ceil_div(half, bandwidth);
  plan.first_lines = std::min(plan.lines_each, ceil_div(lines.fetched, bandwidth));
  for (const FoldDemand& fold : folds) {
    const auto accept = [&](std::int64_t begin, std::int64_t end) {
      constexpr std::int64_t few_lines = 64;  // not worth bringing the set up to date
      bool all = true;
      visit_lines(operand, fold, begin, end, [&](std::int64_t first, std::int64_t count) {
        if (!all) return;
        if (end - begin >= few_lines) {
          all = window.contains_run(first, count);
        } else {
          for (std::int64_t word = first; all && word < first + count; ++word) all = window.contains(word);
        }
      });
      return all;
    };
    const auto single = [&](std::int64_t line) {
      Prefetches::Event event{line, 0};
      visit_words(operand, fold, line, [&](std::int64_t word) {
        for (; !window.contains(word); ++event.count) window.advance();
      });
      plan.events.push_back(event);
    };
    walk(fold, accept, single);
  }
  return plan;
}

WriteBuffer::WriteBuffer(std::int64_t buffer_bytes, std::int64_t bandwidth)
    : half_(buffer_bytes / 2), bandwidth_(bandwidth), free_(buffer_bytes) {}

void WriteBuffer::push(std::int64_t count, std::int64_t words) {
  if (count == 0) return;
  if (!waiting_.empty() && waiting_.back().words == words) {
    waiting_.back().count += count;
  } else {
    waiting_.push_back({count, words});
  }
}

void WriteBuffer::store(std::int64_t words) {
  free_ -= words;
  open_words_ += words;
  push(open_words_ / bandwidth_, bandwidth_);
  open_words_ %= bandwidth_;
}

void WriteBuffer::close_line() {
  if (open_words_ > 0) push(1, open_words_);
  open_words_ = 0;
}

std::int64_t WriteBuffer::drain(std::int64_t cycle) {
  std::int64_t lines = 0, last_words = bandwidth_;
  const std::int64_t most = ceil_div(half_, bandwidth_);
  while (lines < most && !waiting_.empty()) {
    Lines& front = waiting_.front();
    const std::int64_t taken = std::min(front.count, most - lines);
    lines += taken;
    last_words = front.words;
    front.count -= taken;
    if (front.count == 0) waiting_.pop_front();
  }
  const std::int64_t words = (lines - 1) * bandwidth_ + last_words;
  free_ += words;
  span_.words += words;
  if (!drained_) span_.start = cycle;
  drained_ = true;
  span_.stop = cycle + lines - 1;
  return span_.stop;
}

std::int64_t WriteBuffer::write(std::int64_t words, std::int64_t cycle) {
  while (words > 0) {
    if (cycle < drain_end_) {
      const std::int64_t taken = std::min(words, std::max<std::int64_t>(free_, 1));
      store(taken);
      words -= taken;
      if (free_ <= 0) cycle = drain_end_;
    } else {
      const std::int64_t taken = std::min(words, std::max<std::int64_t>(free_ - half_ + 1, 1));
      store(taken);
      words -= taken;
      if (free_ < half_) {
        close_line();
        drain_end_ = drain(cycle);
      }
    }
  }
  return cycle;
}

AccessSpan WriteBuffer::finish(std::int64_t cycle) {
  close_line();
  while (!waiting_.empty()) cycle = drain(cycle) + 1;
  return span_;
}

}  // namespace tilewright
