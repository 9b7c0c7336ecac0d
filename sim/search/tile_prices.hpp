// What the tiles of a level cost at least to bring there: found once for all tiles that a transfer sees alike.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/search/frame_bounds.hpp"

namespace tilewright {

/// A transfer sees of a tile the dims that leave its operand in place (they repeat it) and those on axes with a window or a stride (their
/// tiles overlap). All other dims cost the same however they are tiled.
class TilePrices {
 public:
  TilePrices(const Space& space, const FrameBounds& bounds) : space_(space), bounds_(bounds) {}

  /// The transfers into a level of the frame that FrameBounds opened.
  void enter(std::size_t level);
  /// Writes FrameBounds::width figures each: the least of all transfers with this tile, whatever the loops outside of it, and how much
  /// more they cost where the next loop moves them.
  void least(const Steps& tile, double* whatever, double* moved);

 private:
  using Strides = std::array<std::uint32_t, most_dims>;
  struct Seen {
    std::size_t transfer = 0, operand = 0;
    Strides strides{}, of_words{};
    std::size_t cell = 0, words = 0;  // first of its cells; of its words
    bool tabled = true;               // false: too many cells
  };
  const double* prices(const Seen& seen, const Steps& tile);
  void price(const Seen& seen, const Steps& tile, double words, double* row) const;

  const Space& space_;
  const FrameBounds& bounds_;
  std::size_t level_ = 0;
  std::vector<Seen> seen_;
  std::vector<double> rows_;   // [cell]: the figures with nothing stayed over, and what staying over everything saves
  std::vector<double> words_;  // least of all tiles together
  std::vector<std::uint32_t> rows_known_, words_known_;  // round in which they were found
  std::uint32_t round_ = 0;
};

}  // namespace tilewright
