#include "sim/search/tile_lists.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "sim/search/tile_writer.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t tiles_a_unit = 8, cells_a_unit = 1024;  // of work: listed or bounded; visited in a lattice
constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

/// Lists the tiles of a level that fit, with the least of their own figures; all else inside and at the level costs at least `inner`.
void TileLists::list_level(const Frame& frame, std::size_t l, const Figures& inner, double limit, Effort& effort) {
  TileList& list = lists_[l];
  list.tiles.clear();
  list.outside.clear();
  const bool timed = sees_array(l) && frame.menu < 0 && std::isfinite(limit);  // a larger tile never takes longer
  const auto of_use = [&](std::size_t cell, const Steps* largest) {
    Figures figures = inner;
    if (outer_known_ > 0) {
      add_outside(cell, figures);
      if (!std::isfinite(figures.energy())) return false;
    }
    if (timed && largest != nullptr) figures.cycles() += bounds_.array_time(*largest).cycles;
    return may_beat(figures, 0, limit);
  };
  TileWriter(space_, bounds_, frame, l, lattice_, outer_parts_, of_use, list.tiles).write();
  if (std::isinf(limit)) list.tiles.shrink_to_fit();  // the shared ones stay
  price(l);
  effort.left -= static_cast<std::int64_t>(list.tiles.size()) / tiles_a_unit;
}

/// What the transfers into a level cost with each of its tiles.
void TileLists::price(std::size_t l) {
  TileList& list = lists_[l];
  const std::size_t n = bounds_.width;
  list.own.resize(list.tiles.size() * n);
  list.extra.resize(moves_alone_[l] ? list.own.size() : 0);
  prices_.enter(l);
  Figures moved;
  for (std::size_t i = 0; i < list.tiles.size(); ++i)
    prices_.least(list.tiles[i].inside, list.own.data() + i * n,
                  moves_alone_[l] ? list.extra.data() + i * n : moved.of.data());
}

/// Nothing is known yet of what lies inside and outside of the tiles.
void TileLists::forget_sides(TileList& list) {
  list.floors.assign(list.tiles.size(), {});
  list.outside.resize(list.own.size(), 0);
  list.inside.assign(list.own.size(), 0);
  list.outside_same.clear();
  list.outside_larger.clear();
}

void TileLists::list_outer_levels(Effort& effort) {
  if (space_.frames.empty() || space_.rules.menu_level >= 0 || !space_.only_perfect) return;
  bounds_.enter(space_.plain);
  bounds_.count_sums_of_all_frames();
  bounds_.open();
  lattice_.enter(bounds_.divisors());
  for (std::size_t d = 0; d < dims(); ++d) {
    outer_divisors_[d] = &bounds_.divisors(d);
    outer_parts_[d].assign(outer_divisors_[d]->values.size(), 0);
  }
  const std::size_t last =
      std::min(levels() - 1, space_.spatial_levels.empty() ? levels() - 1 : space_.spatial_levels.back());
  for (std::size_t l = 1; l <= last; ++l) {
    if (bounds_.empty[l]) continue;
    list_level(space_.plain, l, {}, infinity, effort);
  }
  outer_known_ = last;
  const TileList* outer = nullptr;
  bool fits = true;
  for (std::size_t l = 1; l <= outer_known_ && fits; ++l) {
    if (bounds_.empty[l]) continue;
    TileList& list = lists_[l];
    if (outer != nullptr) {
      gather_outside(*outer, list);
      list.outside_same = list.outside_larger = {};
      keep_if(list, [&](std::size_t i) { return std::isfinite(list.outside[i * bounds_.width]); });
    } else {
      nothing_outside(list);
    }
    outer = &list;
    fits = !outer->tiles.empty();
  }
  const std::size_t cells = lattice_.cells();
  cells_.assign(bounds_.width * cells, fits ? 0 : infinity);
  if (fits && outer != nullptr) {
    fill_cells(*outer, outer->outside, false);
    lattice_.least_of_larger(cells_, bounds_.width);
  }
  for (std::size_t l = 1; l <= outer_known_; ++l) {
    outer_[l].tiles = std::move(lists_[l].tiles);
    outer_[l].own = std::move(lists_[l].own);
    outer_[l].extra = std::move(lists_[l].extra);
    outer_[l].outside = std::move(lists_[l].outside);
    lists_[l] = {};
  }
  outer_cells_.swap(cells_);
  outer_lattice_ = lattice_;
  outer_packing_ = bounds_.packing();
  effort.left -= static_cast<std::int64_t>(outer_known_ * bounds_.width * lattice_.operations()) / cells_a_unit;
}

void TileLists::add_outside(std::size_t outer_cell, Figures& figures) const {
  bounds_.add(figures, row(outer_cells_, outer_cell));
}

/// Position of an extent among those of the shared levels.
std::size_t TileLists::outer_step(std::size_t d, std::int64_t extent) const {
  const std::vector<std::int64_t>& extents = outer_divisors_[d]->values;
  return static_cast<std::size_t>(std::lower_bound(extents.begin(), extents.end(), extent) - extents.begin());
}

/// Least of what the shared levels add outside of all that is unrolled in the frame.
Figures TileLists::outside_of_unrolled() const {
  Figures figures;
  if (outer_known_ == 0) return figures;
  Steps at{};
  for (std::size_t d = 0; d < dims(); ++d) at[d] = static_cast<std::uint16_t>(outer_step(d, bounds_.unrolled(0, d)));
  add_outside(outer_lattice_.cell(at), figures);
  return figures;
}

/// Where the steps of the frame's tiles lead to in the lattice of the shared levels.
void TileLists::find_outer_parts() {
  for (std::size_t d = 0; d < dims(); ++d) {
    const std::vector<std::int64_t>& values = bounds_.divisors(d).values;
    outer_parts_[d].assign(values.size(), 0);
    if (outer_known_ == 0) continue;
    for (std::size_t at = 0; at < values.size(); ++at) {
      Steps one{};
      one[d] = static_cast<std::uint16_t>(outer_step(d, values[at] * bounds_.unrolled(0, d)));
      outer_parts_[d][at] = outer_lattice_.cell(one);
    }
  }
}

Floor TileLists::frame_floor() const {
  const Figures outside = outside_of_unrolled();
  return std::isfinite(outside.energy()) ? bounds_.floor(outside, outer_known_) : Floor{infinity, infinity};
}

template <class Keep>
void TileLists::keep_if(TileList& list, const Keep& keep) {
  const std::size_t n = bounds_.width;
  const std::array rows_of_list{&list.own,    &list.extra,        &list.outside,
                                &list.inside, &list.outside_same, &list.outside_larger};
  std::size_t kept = 0, run = 0;  // tiles that stay lie in runs
  const auto move_run = [&](auto& rows, std::size_t width, std::size_t end) {
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(run * width);
    std::copy(first, rows.begin() + static_cast<std::ptrdiff_t>(end * width),
              rows.begin() + static_cast<std::ptrdiff_t>(kept * width));
  };
  for (std::size_t i = 0; i <= list.tiles.size(); ++i) {
    if (i < list.tiles.size() && keep(i)) continue;
    if (kept != run) {
      move_run(list.tiles, 1, i);
      if (!list.floors.empty()) move_run(list.floors, 1, i);
      for (std::vector<double>* rows : rows_of_list) {
        if (!rows->empty()) move_run(*rows, n, i);
      }
    }
    kept += i - run;
    run = i + 1;
  }
  list.tiles.resize(kept);
  list.floors.resize(std::min(list.floors.size(), kept));
  for (std::vector<double>* rows : rows_of_list) rows->resize(std::min(rows->size(), kept * n));
}

/// False where figures that are lower bounds cannot score less than `limit`; then what they belong to is dropped.
bool TileLists::may_beat(const Figures& figures, double first, double limit) {
  const double cycles = bounds_.cycles_of(figures, first);
  if (bounds_.score_of(cycles, figures.energy()) < limit) return true;
  least_cycles_ = std::min(least_cycles_, cycles);
  return false;
}

/// Drops the tiles of a level that cannot score less than `limit` where all else costs at least `others`. False if none is left.
bool TileLists::drop_above(std::size_t l, const Figures& others, double limit) {
  TileList& list = lists_[l];
  keep_if(list, [&](std::size_t i) {
    Figures figures = others;
    bounds_.add(figures, row(list.own, i));
    if (outer_known_ > 0) add_outside(list.tiles[i].outer_cell, figures);
    return may_beat(figures, list.floors[i].first, limit);
  });
  return !list.tiles.empty();
}

Figures TileLists::floor_of(std::size_t l) const {
  Figures floor;
  for (std::size_t f = 0; f < bounds_.width; ++f) {
    floor.of[f] = infinity;
    for (std::size_t i = f; i < lists_[l].own.size(); i += bounds_.width)
      floor.of[f] = std::min(floor.of[f], lists_[l].own[i]);
  }
  return floor;
}

void TileLists::first_tiles(std::size_t l) {
  if (!bounds_.time_counts) return;
  const double inside = bounds_.first_tiles(l + 1, levels(), {});
  TileList& list = lists_[l];
  for (TileFloor& floor : list.floors) floor.first_own = floor.first_open = 0;
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    const double own = bounds_.first_cycles_a_word(o, l, l), open = own + bounds_.first_cycles_a_word(o, 0, l - 1);
    for (std::size_t i = 0; open > 0 && i < list.tiles.size(); ++i) {
      const double words = bounds_.first_words(o, list.tiles[i].inside);
      list.floors[i].first_own += words * own;
      list.floors[i].first_open += words * open;
    }
  }
  for (TileFloor& floor : list.floors) floor.first = inside + floor.first_open;
}

void TileLists::time_array(std::size_t l) {
  TileList& list = lists_[l];
  for (std::size_t i = 0; i < list.tiles.size(); ++i) {
    const ArrayTime time = bounds_.array_time(list.tiles[i].inside);
    double* own = list.own.data() + i * bounds_.width;
    own[Figures::cycles_at] = time.cycles;
    own[Figures::fill_drain_at] = time.fill_drain;
  }
}

bool TileLists::fits(std::size_t l, const Steps& tile) const {
  const BufferLevel& at = space_.chip().levels[l];
  if (!at.capacity) return true;
  double needed = 0;
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    if (!space_.rules.keeps[l][o]) continue;
    double words = 1;
    for (const Axis& axis : space_.operands[o].axes) words *= bounds_.extent(axis, l, tile);
    bool twice = false;
    for (std::size_t d = 0; d < dims(); ++d)
      twice = twice || ((space_.operands[o].moved_by >> d & 1) != 0 && tile[d] != bounds_.whole()[d]);
    needed += bounds_.bytes_held(l, o, words) * (twice && at.double_buffered ? 2 : 1);
  }
  return needed <= at.capacity->value;
}

/// Of the tiles of a shared level those that the frame's unrolling divides and that may be of use. False if there is none.
bool TileLists::take_outer_tiles(std::size_t l, const Figures& others, double limit, Effort& effort) {
  constexpr std::uint16_t none = 0xffff;
  const std::size_t n = bounds_.width;
  std::array<std::vector<std::uint16_t>, most_dims> steps;
  std::uint64_t unrolled_exponents = 0;
  for (std::size_t d = 0; d < dims(); ++d) {
    const std::vector<std::int64_t>& values = bounds_.divisors(d).values;
    const std::int64_t unrolled = bounds_.unrolled(0, d);
    std::size_t at = 0;
    for (const std::int64_t extent : outer_divisors_[d]->values) {
      while (at + 1 < values.size() && values[at] * unrolled < extent) ++at;
      steps[d].push_back(values[at] * unrolled == extent ? static_cast<std::uint16_t>(at) : none);
    }
    if (outer_packing_.narrow)
      unrolled_exponents |= outer_divisors_[d]->exponents[outer_step(d, unrolled)] << outer_packing_.shift[d];
  }
  const bool wide_sums = bounds_.holds_wide_sums(l);  // the list was made for frames without
  TileList& list = lists_[l];
  list.tiles.clear();
  list.own.clear();
  list.extra.clear();
  list.outside.clear();
  for (std::size_t i = 0; i < outer_[l].tiles.size(); ++i) {
    if (outer_packing_.narrow && !outer_packing_.divides(unrolled_exponents, outer_[l].tiles[i].exponents)) continue;
    Tile tile;
    bool divides = true;
    for (std::size_t d = 0; d < dims() && divides; ++d) {
      tile.inside[d] = steps[d][outer_[l].tiles[i].inside[d]];
      divides = tile.inside[d] != none;
    }
    if (!divides || (wide_sums && !fits(l, tile.inside))) continue;
    const double* own = row(outer_[l].own, i);
    Figures figures = others;
    bounds_.add(figures, own);
    bounds_.add(figures, row(outer_[l].outside, i));
    if (!may_beat(figures, 0, limit)) continue;
    for (std::size_t d = 0; d < dims(); ++d) tile.exponents |= bounds_.exponents(d, tile.inside[d]);
    tile.cell = static_cast<std::uint32_t>(lattice_.cell(tile.inside));
    list.tiles.push_back(tile);
    list.own.insert(list.own.end(), own, own + n);
    const double* outside = row(outer_[l].outside, i);
    list.outside.insert(list.outside.end(), outside, outside + n);
    if (!outer_[l].extra.empty()) {
      const double* extra = row(outer_[l].extra, i);
      list.extra.insert(list.extra.end(), extra, extra + n);
    }
  }
  forget_sides(list);
  effort.left -= static_cast<std::int64_t>(outer_[l].tiles.size() / 4 + list.tiles.size()) / tiles_a_unit;
  return !list.tiles.empty();
}

/// True if a mapping with the tile may score less than `limit`.
bool TileLists::of_use(TileList& list, std::size_t i, double limit) {
  Figures figures = bounds_.base();
  bounds_.add(figures, row(list.own, i));
  bounds_.add(figures, row(list.outside, i));
  bounds_.add(figures, row(list.inside, i));
  TileFloor& floor = list.floors[i];
  const double cycles = bounds_.cycles_of(figures, floor.first);
  floor.bound = bounds_.score_of(cycles, figures.energy());
  if (floor.bound < limit) return true;
  least_cycles_ = std::min(least_cycles_, cycles);
  return false;
}

/// Writes what each tile of a level and one side of it cost into its cell.
void TileLists::fill_cells(const TileList& list, const std::vector<double>& side, bool extra) {
  const std::size_t n = bounds_.width;
  cells_.assign(n * lattice_.cells(), infinity);
  for (std::size_t i = 0; i < list.tiles.size(); ++i) {
    double* cell = cells_.data() + list.tiles[i].cell * n;
    const double *own = row(list.own, i), *beside = row(side, i),
                 *more = extra ? row(list.extra, i) : nothing_.of.data();
    for (std::size_t f = 0; f < n; ++f) cell[f] = std::min(cell[f], own[f] + beside[f] + more[f]);
  }
}

/// Few tiles are compared pair by pair, many over the lattice.
bool TileLists::few_pairs(const TileList& a, const TileList& b) const {
  return a.tiles.size() * b.tiles.size() < lattice_.operations() * bounds_.width / 8;
}

/// Of the tiles of the next outer level that hold each tile, the very tile and larger ones apart: the least of what they and their
/// outside add.
void TileLists::gather_outside(const TileList& outer, TileList& list) {
  const std::size_t n = bounds_.width;
  list.outside_same.assign(list.own.size(), infinity);
  list.outside_larger.assign(list.own.size(), infinity);
  if (few_pairs(outer, list)) {
    for (std::size_t i = 0; i < list.tiles.size(); ++i) {
      for (std::size_t k = 0; k < outer.tiles.size(); ++k) {
        if (!holds(outer.tiles[k], list.tiles[i])) continue;
        const bool same = outer.tiles[k].inside == list.tiles[i].inside;
        double* side = (same ? list.outside_same : list.outside_larger).data() + i * n;
        lower(side, row(outer.own, k), row(outer.outside, k));
      }
    }
  } else {
    fill_cells(outer, outer.outside, false);
    for (std::size_t i = 0; i < list.tiles.size(); ++i)
      std::copy_n(row(cells_, list.tiles[i].cell), n, list.outside_same.data() + i * n);
    lattice_.least_of_larger(cells_, n);
    for (std::size_t i = 0; i < list.tiles.size(); ++i)
      lattice_.least_beyond(cells_, n, list.tiles[i].inside, list.outside_larger.data() + i * n);
  }
  join_outside(list);
}

/// The outermost level stands inside of the whole problem.
void TileLists::nothing_outside(TileList& list) const {
  list.outside = list.extra;
  for (std::size_t i = 0; !list.outside.empty() && i < list.tiles.size(); ++i) {
    if (list.tiles[i].inside == bounds_.whole())
      std::fill_n(list.outside.data() + i * bounds_.width, bounds_.width, 0.0);
  }
}

/// The same, with the very tile and larger ones apart.
void TileLists::end_outside(TileList& list) const {
  const std::size_t n = bounds_.width;
  list.outside_same.assign(list.own.size(), infinity);
  list.outside_larger.assign(list.own.size(), infinity);
  for (std::size_t i = 0; i < list.tiles.size(); ++i) {
    const bool whole = list.tiles[i].inside == bounds_.whole();
    std::fill_n((whole ? list.outside_same : list.outside_larger).data() + i * n, n, 0.0);
  }
  join_outside(list);
}

void TileLists::join_outside(TileList& list) const {
  list.outside.resize(list.own.size());
  for (std::size_t i = 0; i < list.own.size(); ++i) {
    const double extra = list.extra.empty() ? 0 : list.extra[i];
    list.outside[i] = std::min(list.outside_same[i], list.outside_larger[i] + extra);
  }
}

/// Of the tiles of the next inner level that divide each tile: the least of what they and their inside add.
void TileLists::gather_inside(const TileList& inner, TileList& list) {
  const std::size_t n = bounds_.width;
  const bool extra = !inner.extra.empty();
  std::fill(list.inside.begin(), list.inside.end(), infinity);
  if (few_pairs(inner, list)) {
    for (std::size_t i = 0; i < list.tiles.size(); ++i) {
      double* side = list.inside.data() + i * n;
      for (std::size_t k = 0; k < inner.tiles.size(); ++k) {
        if (!holds(list.tiles[i], inner.tiles[k])) continue;
        const bool more = extra && list.tiles[i].inside != inner.tiles[k].inside;
        for (std::size_t f = 0; f < n; ++f) {
          const double all = inner.own[k * n + f] + inner.inside[k * n + f] + (more ? inner.extra[k * n + f] : 0);
          side[f] = std::min(side[f], all);
        }
      }
    }
    return;
  }
  const auto read = [&] {
    for (std::size_t i = 0; i < list.tiles.size(); ++i) {
      const double* cell = row(cells_, list.tiles[i].cell);
      for (std::size_t f = 0; f < n; ++f) list.inside[i * n + f] = std::min(list.inside[i * n + f], cell[f]);
    }
  };
  fill_cells(inner, inner.inside, false);
  if (extra) {  // the very tile without it
    read();
    fill_cells(inner, inner.inside, true);
  }
  lattice_.least_of_smaller(cells_, n);
  read();
}

/// Level by level from the outside in, or from the inside out: what the levels on that side of each tile add at least. Drops the tiles
/// that are of no use. False when a level is left without any.
bool TileLists::outwards(double limit, bool as_shared) {
  const TileList* outer = nullptr;
  bool first = as_shared;  // the innermost of the levels that know their outside from the shared ones
  for (std::size_t l = 1; l < levels(); ++l) {
    if (bounds_.empty[l]) continue;
    TileList& list = lists_[l];
    if (as_shared && l > outer_known_ && first) {
      first = false;
      list.outside.assign(list.own.size(), 0);
      for (std::size_t i = 0; i < list.tiles.size(); ++i) {
        Figures figures;
        add_outside(list.tiles[i].outer_cell, figures);
        std::copy_n(figures.of.data(), bounds_.width, list.outside.data() + i * bounds_.width);
      }
    } else if (!as_shared || l > outer_known_) {
      outer != nullptr ? gather_outside(*outer, list) : end_outside(list);
    }
    if (!drop_useless(list, list.outside, limit)) return false;
    outer = &list;
  }
  all_outside_ = {};
  for (std::size_t f = 0; outer != nullptr && f < bounds_.width; ++f) {
    all_outside_.of[f] = infinity;
    for (std::size_t i = f; i < outer->own.size(); i += bounds_.width)
      all_outside_.of[f] = std::min(all_outside_.of[f], outer->own[i] + outer->outside[i]);
  }
  return true;
}

bool TileLists::inwards(double limit) {
  const TileList* inner = nullptr;
  for (std::size_t l = levels() - 1; l > 0; --l) {
    if (bounds_.empty[l]) continue;
    TileList& list = lists_[l];
    if (inner != nullptr) gather_inside(*inner, list);
    if (!drop_useless(list, list.inside, limit)) return false;
    inner = &list;
  }
  return true;
}

/// Drops the tiles without neighbours on one side, and those that cannot score less than `limit`. False when none is left.
bool TileLists::drop_useless(TileList& list, const std::vector<double>& side, double limit) {
  keep_if(list, [&](std::size_t i) { return std::isfinite(side[i * bounds_.width]) && of_use(list, i, limit); });
  return !list.tiles.empty();
}

void TileLists::sort_keys() {
  tile_of_cell_.assign(levels() * lattice_.cells(), no_tile);
  for (std::size_t l = 1; l < levels(); ++l) {
    TileList& list = lists_[l];
    list.keys.clear();
    if (bounds_.empty[l]) continue;
    list.through = list.own;
    for (std::size_t i = 0; i < list.through.size(); ++i) list.through[i] += list.outside[i];
    for (std::size_t i = 0; i < list.tiles.size(); ++i)
      tile_of_cell_[l * lattice_.cells() + list.tiles[i].cell] = static_cast<std::uint32_t>(i);
    for (std::size_t i = 0; i < list.tiles.size(); ++i)
      list.keys.push_back({list.tiles[i].exponents, list.floors[i].bound, static_cast<std::uint32_t>(i)});
    std::stable_sort(list.keys.begin(), list.keys.end(),
                     [](const TileList::Key& a, const TileList::Key& b) { return a.bound < b.bound; });
  }
}

bool TileLists::list(const Frame& frame, double limit, Effort& effort) {
  bounds_.open();
  lattice_.enter(bounds_.divisors());
  least_cycles_ = infinity;
  // The array's time decides most: its tiles come first. Each list is cut by the floors of those before.
  Figures inner = bounds_.base();
  find_outer_parts();
  const auto add_level = [&](std::size_t l) {
    list_level(frame, l, inner, limit, effort);
    forget_sides(lists_[l]);
    if (!drop_above(l, inner, limit)) return false;
    if (sees_array(l)) {
      effort.left -= static_cast<std::int64_t>(lists_[l].tiles.size()) / tiles_a_unit;
      time_array(l);
      if (!drop_above(l, inner, limit)) return false;
    }
    first_tiles(l);
    bounds_.add(inner, floor_of(l));
    return true;
  };
  const std::size_t below_array = bounds_.array_level + 1;
  const bool array_first = below_array > outer_known_ && below_array < levels() && sees_array(below_array);
  if (array_first && !add_level(below_array)) return false;
  for (std::size_t l = outer_known_ + 1; l < levels(); ++l) {
    if (!bounds_.empty[l] && !(array_first && l == below_array) && !add_level(l)) return false;
  }
  for (std::size_t l = 1; l <= outer_known_; ++l) {
    if (bounds_.empty[l]) continue;
    if (!take_outer_tiles(l, inner, limit, effort)) return false;
    first_tiles(l);
    if (sees_array(l)) time_array(l);
  }
  effort.left -= static_cast<std::int64_t>(2 * levels() * bounds_.width * lattice_.operations()) / cells_a_unit;
  if (!outwards(limit, outer_known_ > 0) || !inwards(limit) || !outwards(limit, false)) return false;
  sort_keys();
  return true;
}

}  // namespace tilewright
