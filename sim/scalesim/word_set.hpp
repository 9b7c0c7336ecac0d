// A set of words of an address space, with runs of words as the unit of work.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace tilewright {

/// One bit per word; a run of n words costs about n / 64 steps.
class WordSet {
 public:
  explicit WordSet(std::int64_t words) : bits_(static_cast<std::size_t>((words + 63) / 64)) {}

  bool contains(std::int64_t word) const { return (bits_[index(word)] >> (word & 63) & 1U) != 0; }

  /// Words of the run that are not in the set.
  std::int64_t missing(std::int64_t first, std::int64_t count) const {
    std::int64_t present = 0;
    for_blocks(first, count,
               [&](std::size_t block, std::uint64_t mask) { present += std::popcount(bits_[block] & mask); });
    return count - present;
  }

  void add(std::int64_t first, std::int64_t count) {
    for_blocks(first, count, [&](std::size_t block, std::uint64_t mask) { bits_[block] |= mask; });
    low_ = std::min(low_, index(first));
    high_ = std::max(high_, index(first + count - 1) + 1);
  }

  void remove(std::int64_t word) { bits_[index(word)] &= ~(std::uint64_t{1} << (word & 63)); }

  void clear() {  // only the stretch that was touched
    if (low_ < high_) {
      std::fill(bits_.begin() + static_cast<std::ptrdiff_t>(low_), bits_.begin() + static_cast<std::ptrdiff_t>(high_),
                0);
    }
    low_ = bits_.size();
    high_ = 0;
  }

 private:
  static std::size_t index(std::int64_t word) { return static_cast<std::size_t>(word >> 6); }

  template <typename Visit>
  static void for_blocks(std::int64_t first, std::int64_t count, Visit visit) {
    const std::int64_t end = first + count;
    while (first < end) {
      const std::int64_t stop = std::min(end, (first | 63) + 1);
      const std::uint64_t ones =
          stop - first == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << static_cast<unsigned>(stop - first)) - 1;
      visit(index(first), ones << static_cast<unsigned>(first & 63));
      first = stop;
    }
  }

  std::vector<std::uint64_t> bits_;
  std::size_t low_ = bits_.size(), high_ = 0;
};

}  // namespace tilewright
