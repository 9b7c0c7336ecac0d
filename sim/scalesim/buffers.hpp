// The three on-chip buffers of SCALE-Sim version 2 between the array and DRAM.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/scalesim/operand_matrix.hpp"

namespace tilewright {

/// Words that crossed an interface, and the cycles of the first and last one (below 0: before the array starts).
struct AccessSpan {
  std::int64_t start = 0, stop = 0, words = 0;
};

/// Read buffer when the interface is as fast as it must be (mode CALC). Half of the buffer, rounded down to 50 sets of floor(bytes / 100) words,
/// fills with each word that it does not hold; when full it is emptied. The first filling is charged at 10 words a cycle before the array starts,
/// each further one over the lines between two emptyings.
AccessSpan estimate_reads(const OperandMatrix& operand, const std::vector<FoldDemand>& folds,
                          std::int64_t buffer_bytes);

/// Read buffer behind an interface of finite bandwidth (mode USER).
struct Prefetches {
  struct Event {
    std::int64_t line = 0, count = 0;  // prefetches that the array must wait for in this line
  };
  std::vector<Event> events;     // by line
  std::int64_t first_lines = 0;  // interface lines of the first filling, which ends at cycle -1
  std::int64_t lines_each = 0;   // interface lines of each further prefetch
  std::int64_t bandwidth = 1;

  /// Cycle in which the k-th prefetch (k = 0: the first filling) is complete: they run one behind the other, whether or not there is room.
  std::int64_t completion(std::int64_t k) const { return k * (lines_each + 1) - 1; }
  /// DRAM side after k prefetches; every interface line counts in full, padding included.
  AccessSpan span(std::int64_t k) const {
    return {-first_lines, completion(k), (first_lines + k * lines_each) * bandwidth};
  }
};

/// The order in which the words of an operand are prefetched: a matrix of `rows` x `ports`, fold below fold.
struct FetchOrder {
  std::int64_t ports = 1;
  bool diagonal = true;        // anti-diagonals (skewed operands), else row by row (loaded ones)
  bool vectors_across = true;  // a row holds one element of `ports` vectors, else `ports` elements of one vector
};

/// Which prefetches the array waits for. Half of the buffer (lines of ceil(bytes / 100) words) is a window on the fetch order that wraps around; a miss
/// moves it on by the other half until the word is inside.
Prefetches plan_prefetches(const OperandMatrix& operand, const std::vector<FoldDemand>& folds, const FetchOrder& order,
                           std::int64_t buffer_bytes, std::int64_t bandwidth);

/// Write buffer: words collect in interface lines; when more than half is used, half of it drains, one interface line a cycle.
/// Copies a slip of SCALE-Sim: an interface line that is only partly full when a drain begins counts in full unless it is the last of its drain.
class WriteBuffer {
 public:
  WriteBuffer(std::int64_t buffer_bytes, std::int64_t bandwidth);
  /// Takes `words` in `cycle`; returns the cycle in which the last one found room.
  std::int64_t write(std::int64_t words, std::int64_t cycle);
  /// Drains what is left from `cycle` on and tells what crossed the interface.
  AccessSpan finish(std::int64_t cycle);

 private:
  struct Lines {
    std::int64_t count = 0, words = 0;  // `count` interface lines of `words` words
  };
  void store(std::int64_t words);
  void push(std::int64_t count, std::int64_t words);
  void close_line();
  std::int64_t drain(std::int64_t cycle);

  std::int64_t half_, bandwidth_, free_, drain_end_ = 0, open_words_ = 0;
  std::deque<Lines> waiting_;
  bool drained_ = false;
  AccessSpan span_;
};

}  // namespace tilewright
