// Operands as SCALE-Sim addresses them, and the order in which an array asks for their words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/scalesim/layer.hpp"

namespace tilewright {

/// An operand matrix: `vectors` vectors of `length` words. A vector is the window of an output pixel, or a filter; its words lie in memory in runs,
/// one for each row of the window. Words of a window that hangs over the edge have no address and are never asked for.
struct OperandMatrix {
  std::int64_t vectors = 1, length = 1;
  std::int64_t words = 1;  // address space

  /// Calls visit(address, count, element) for each run of words of elements [begin, end) of a vector.
  template <typename Visit>
  void visit_runs(std::int64_t vector, std::int64_t begin, std::int64_t end, Visit visit) const {
    const std::int64_t top = vector / windows_across * stride_h, left = vector % windows_across * stride_w;
    const std::int64_t inside = std::min(row_length, (width - left) * channels);
    std::int64_t row = begin / row_length;
    for (; row * row_length < end && top + row < height; ++row) {
      const std::int64_t first = std::max<std::int64_t>(begin - row * row_length, 0);
      const std::int64_t last = std::min(end - row * row_length, inside);
      if (first < last) visit(((top + row) * width + left) * channels + first, last - first, row * row_length + first);
    }
  }

  std::int64_t height = 1, width = 1, channels = 1;                             // the tensor
  std::int64_t windows_across = 1, stride_h = 1, stride_w = 1, row_length = 1;  // the windows on it
};

OperandMatrix ifmap_operand(const ScaleSimLayer& layer);
OperandMatrix filter_operand(const ScaleSimLayer& layer);

/// How the words of a fold enter the array.
enum class Entry {
  skewed_vectors,  // vector v has a port of its own, one line behind the port before it: element e in line base + v + e
  skewed_elements,  // element e has a port of its own: the same line, other order of ports
  loaded            // stationary: vector v has a port, element e enters in line base - e, the last one first
};

/// What one fold asks of an operand: a block of its words, each once.
struct FoldDemand {
  std::int64_t first_vector = 0, vectors = 0, first_element = 0, elements = 0;
  std::int64_t base = 0;  // see Entry
  Entry entry = Entry::skewed_vectors;

  std::int64_t first_line() const { return entry == Entry::loaded ? base - elements + 1 : base; }
  std::int64_t end_line() const { return entry == Entry::loaded ? base + 1 : base + vectors + elements - 1; }
};

/// Calls visit(address, count) for each run of words that the fold asks for in lines [begin, end).
template <typename Visit>
void visit_lines(const OperandMatrix& operand, const FoldDemand& fold, std::int64_t begin, std::int64_t end,
                 Visit visit) {
  const auto whole = [&](std::int64_t address, std::int64_t count, std::int64_t) { visit(address, count); };
  if (fold.entry == Entry::loaded) {
    const std::int64_t low = std::max<std::int64_t>(fold.base - end + 1, 0);
    const std::int64_t high = std::min(fold.base - begin + 1, fold.elements);
    for (std::int64_t v = 0; v < fold.vectors && low < high; ++v)
      operand.visit_runs(fold.first_vector + v, fold.first_element + low, fold.first_element + high, whole);
    return;
  }
  const std::int64_t a = begin - fold.base, b = end - fold.base;
  const std::int64_t last = std::min(fold.vectors, b);
  for (std::int64_t v = std::max<std::int64_t>(a - fold.elements + 1, 0); v < last; ++v) {
    const std::int64_t low = std::max<std::int64_t>(a - v, 0), high = std::min(b - v, fold.elements);
    operand.visit_runs(fold.first_vector + v, fold.first_element + low, fold.first_element + high, whole);
  }
}

/// Calls visit(address) for each word that the fold asks for in one line, in the order of the ports.
template <typename Visit>
void visit_words(const OperandMatrix& operand, const FoldDemand& fold, std::int64_t line, Visit visit) {
  const auto word = [&](std::int64_t v, std::int64_t e) {
    operand.visit_runs(fold.first_vector + v, fold.first_element + e, fold.first_element + e + 1,
                       [&](std::int64_t address, std::int64_t, std::int64_t) { visit(address); });
  };
  const std::int64_t x = fold.entry == Entry::loaded ? fold.base - line : line - fold.base;
  if (fold.entry == Entry::loaded) {
    for (std::int64_t v = 0; v < fold.vectors; ++v) word(v, x);
    return;
  }
  const std::int64_t low = std::max<std::int64_t>(x - fold.elements + 1, 0), high = std::min(fold.vectors, x + 1);
  if (fold.entry == Entry::skewed_vectors) {
    for (std::int64_t v = low; v < high; ++v) word(v, x - v);
  } else {
    for (std::int64_t v = high; v-- > low;) word(v, x - v);
  }
}

/// Words of a fold's results that leave the array in line `line` (they leave skewed, like Entry::skewed_vectors).
std::int64_t words_in_line(const FoldDemand& fold, std::int64_t line);

/// Last line in which the operand is asked for a word that exists.
std::int64_t last_line(const OperandMatrix& operand, const std::vector<FoldDemand>& folds);

}  // namespace tilewright
