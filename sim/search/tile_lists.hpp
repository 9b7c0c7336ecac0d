// The tiles of every level that may be part of a better mapping in a frame, and what goes with each at least, inside and outside of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "sim/search/frame_bounds.hpp"
#include "sim/search/tile_prices.hpp"

namespace tilewright {

struct Tile {
  Steps inside{};  // temporal extents at the level and inside it
  std::uint64_t exponents = 0;
  std::uint32_t cell = 0;        // in the lattice of the frame
  std::uint32_t outer_cell = 0;  // in that of the shared levels
};

/// What the tiles of a frame are compared by.
struct TileFloor {
  /// Least time until the first tiles have arrived: at this level; at it and further out; everywhere.
  double first_own = 0, first_open = 0, first = 0;
  double bound = 0;  // of every mapping with this tile
};

/// The tiles of one level. Rows of figures lie one behind the other, FrameBounds::width each.
struct TileList {
  std::vector<Tile> tiles;
  std::vector<TileFloor> floors;  // of the tiles; none in the lists that frames share
  std::vector<double> own;        // least of the transfers into the level; for the level below the array also its time
  /// More of it where the next outer level holds a larger tile, whose innermost loop then moves the level's only operand; else empty.
  std::vector<double> extra;
  std::vector<double> outside;  // least of what all levels outside of it add with tiles that hold this one
  std::vector<double> inside;   // least of what all levels inside of it add with tiles that divide this one
  std::vector<double> through;  // own and outside
  /// `outside` where the next outer level with tiles holds this very tile, and where it holds a larger one; infinite: it cannot.
  std::vector<double> outside_same, outside_larger;
  /// What a walk over the list reads, by bound.
  struct Key {
    std::uint64_t exponents = 0;
    double bound = 0;
    std::uint32_t tile = 0;
  };
  std::vector<Key> keys;
};

class TileLists {
 public:
  /// `moves_alone`: by level, the innermost loop of the next outer level moves the only operand that the level keeps.
  TileLists(const Space& space, FrameBounds& bounds, const std::array<bool, most_levels>& moves_alone)
      : space_(space), bounds_(bounds), moves_alone_(moves_alone), prices_(space, bounds) {}

  /// Outside all unrolling the tiles of every perfect frame are divisors of the bounds: lists and prices them once.
  void list_outer_levels(Effort& effort);
  /// Of all mappings of a frame that FrameBounds entered; infinite energy: the shared levels cannot hold its unrolling.
  Floor frame_floor() const;
  /// Lists the tiles of the frame that FrameBounds entered. False when no mapping of it scores less than `limit`.
  bool list(const Frame& frame, double limit, Effort& effort);
  /// After `list` returned false: no mapping of the frame takes fewer cycles.
  double least_cycles() const { return least_cycles_; }
  const TileList& at(std::size_t level) const { return lists_[level]; }
  /// Rows that are left out are zero.
  const double* row(const std::vector<double>& rows, std::size_t tile) const {
    return rows.empty() ? nothing_.of.data() : rows.data() + tile * bounds_.width;
  }
  /// Least of what all levels add.
  const Figures& outside() const { return all_outside_; }
  const Lattice& lattice() const { return lattice_; }
  static constexpr std::uint32_t no_tile = 0xffffffff;
  /// The tile of a level in a cell of the lattice. Precondition: the lattice is whole.
  std::uint32_t tile_at(std::size_t level, std::size_t cell) const {
    return tile_of_cell_[level * lattice_.cells() + cell];
  }
  bool sees_array(std::size_t l) const { return l == bounds_.array_level + 1 && !bounds_.array_known(); }

 private:
  std::size_t dims() const { return space_.dims.size(); }
  std::size_t levels() const { return space_.levels; }
  void list_level(const Frame& frame, std::size_t l, const Figures& inner, double limit, Effort& effort);
  void add_outside(std::size_t outer_cell, Figures& figures) const;
  std::size_t outer_step(std::size_t d, std::int64_t extent) const;
  void find_outer_parts();
  void price(std::size_t l);
  static void forget_sides(TileList& list);
  bool fits(std::size_t l, const Steps& tile) const;
  bool take_outer_tiles(std::size_t l, const Figures& others, double limit, Effort& effort);
  Figures outside_of_unrolled() const;
  Figures floor_of(std::size_t l) const;
  void first_tiles(std::size_t l);
  void time_array(std::size_t l);
  bool may_beat(const Figures& figures, double first, double limit);
  bool drop_above(std::size_t l, const Figures& others, double limit);
  template <class Keep>
  void keep_if(TileList& list, const Keep& keep);
  bool of_use(TileList& list, std::size_t tile, double limit);
  void fill_cells(const TileList& list, const std::vector<double>& side, bool extra);
  bool few_pairs(const TileList& a, const TileList& b) const;
  bool holds(const Tile& outer, const Tile& inner) const {
    return bounds_.divides(inner.exponents, outer.exponents, inner.inside, outer.inside);
  }
  void lower(double* least, const double* own, const double* side) const {
    for (std::size_t f = 0; f < bounds_.width; ++f) least[f] = std::min(least[f], own[f] + side[f]);
  }
  void gather_outside(const TileList& outer, TileList& list);
  void nothing_outside(TileList& list) const;
  void end_outside(TileList& list) const;
  void join_outside(TileList& list) const;
  void gather_inside(const TileList& inner, TileList& list);
  bool drop_useless(TileList& list, const std::vector<double>& side, double limit);
  bool outwards(double limit, bool as_shared);
  bool inwards(double limit);
  void sort_keys();

  const Space& space_;
  FrameBounds& bounds_;
  const std::array<bool, most_levels>& moves_alone_;
  TilePrices prices_;
  std::array<TileList, most_levels> lists_;
  const Figures nothing_;
  Figures all_outside_;
  double least_cycles_ = 0;  // of what was dropped from the lists of the frame
  Lattice lattice_;
  std::vector<std::uint32_t> tile_of_cell_;  // [level][cell]
  std::vector<double> cells_;                // [cell][figure]

  // Shared by all perfect frames: levels 1..outer_known_, with extents that count what is unrolled.
  std::array<TileList, most_levels> outer_;
  Packing outer_packing_;
  std::size_t outer_known_ = 0;
  std::array<const Divisors*, most_dims> outer_divisors_{};  // of the extents there
  std::array<std::vector<std::size_t>, most_dims>
      outer_parts_;  // of the frame at hand: what a step adds to the cell there
  Lattice outer_lattice_;
  std::vector<double> outer_cells_;  // least of what the shared levels add outside of a tile
};

}  // namespace tilewright
