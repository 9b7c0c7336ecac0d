// Divisors of numbers, and the lattice of tiles whose extents divide those of a frame.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sim/search/space.hpp"

namespace tilewright {

/// Divisors of n, ascending.
std::vector<std::int64_t> divisors(std::int64_t n);

/// Divisors of a number, ascending, with their prime exponents packed into fields under a guard bit each.
struct Divisors {
  std::vector<std::int64_t> values;
  std::vector<std::uint64_t> exponents;
  std::uint64_t guards = 0;
  int width = 0;  // bits of all fields
  /// Positions of two values of which the second is a prime times the first: prime by prime, ascending.
  std::vector<std::pair<std::uint16_t, std::uint16_t>> prime_steps;
  std::vector<std::vector<std::uint16_t>> larger;  // by position: the second ones
};
Divisors packed_divisors(std::int64_t n);

/// Where the prime exponents of each dim of a tile lie in one word.
struct Packing {
  std::array<int, most_dims> shift{};
  std::uint64_t guards = 0;
  bool narrow = true;  // all of them fit
  /// Precondition: narrow.
  bool divides(std::uint64_t inner, std::uint64_t outer) const {
    return (((outer | guards) - inner) & guards) == guards;
  }
};

/// A tile: per tiled dim the position of its temporal extent among the divisors of the frame's whole extent.
using Steps = std::array<std::uint16_t, most_dims>;

/// All tiles of a frame, a cell each: what is least over the tiles that a tile divides, or that divide it, is found by one pass a prime.
class Lattice {
 public:
  /// Where there are too many tiles all of them share one cell: the least is then that of all tiles.
  void enter(std::span<const Divisors* const> dims);
  std::size_t cells() const { return cells_; }
  /// False where all tiles share one cell.
  bool whole() const { return whole_; }
  /// Operations of one `least_of_...` call.
  std::size_t operations() const { return operations_; }
  std::size_t cell(const Steps& tile) const {
    std::size_t at = 0;
    for (std::size_t d = 0; d < dims_.size(); ++d) at += tile[d] * strides_[d];
    return at;
  }
  // Rows of `width` values, one a cell.
  /// Each cell takes the least of the values of all cells whose tiles its own tile divides.
  void least_of_larger(std::span<double> rows, std::size_t width) const;
  /// Writes the least of the values of all other cells whose tiles the tile divides, from what `least_of_larger` made.
  void least_beyond(std::span<const double> least_of_larger, std::size_t width, const Steps& tile, double* row) const;
  /// Each cell takes the least of the values of all cells whose tiles divide its own.
  void least_of_smaller(std::span<double> rows, std::size_t width) const;

 private:
  std::vector<const Divisors*> dims_;
  std::array<std::size_t, most_dims> strides_{};
  std::size_t cells_ = 1, operations_ = 0;
  bool whole_ = false;
};

}  // namespace tilewright
