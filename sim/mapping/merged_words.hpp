// Words that neighbours need at once: unions of overlapping windows in space.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tilewright {

/// One index of a window axis, seen from a parent that feeds many children: index = sum of digit x step over the loops + the
/// position inside the child's tile. Loops outermost first; every step is a multiple of all steps inside it and of the tile.
struct WindowTerm {
  struct Digit {
    std::int64_t bound = 1, step = 1;
    bool space = false;  // the children run side by side along this loop; else one value after another
  };
  std::int64_t coefficient = 1;  // above 0
  std::int64_t size = 1, tile = 1;
  std::vector<Digit> digits;
  /// The digit whose steps leave the last tile in the children, so that only new words are fetched; it wraps at 0.
  std::optional<std::size_t> moving;
};

/// Words of the axis, distinct among the children of one moment, summed over all moments: for every value of the digits in time,
/// the size of the union over the digits in space of [first word, last word] less what the same child already holds.
/// Exact, clipped at `size`. OverflowError above 64 bits.
std::int64_t merged_axis_words(std::span<const WindowTerm> axis);

}  // namespace tilewright
