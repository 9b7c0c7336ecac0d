// The tiles of one level of a frame that fit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/search/tile_lists.hpp"

namespace tilewright {

/// Lists the tiles of one level that fit, dim by dim, those that move what the level keeps first; the words of each operand's axes grow
/// along. `parts`: what each step of a dim adds to the cell of the shared levels; `of_use` tells of such a cell whether its tile, and so
/// any larger one, may be of use, and where only dims that move nothing are open, of the largest tile that may come of it.
template <class OfUse>
class TileWriter {
 public:
  TileWriter(const Space& space, const FrameBounds& bounds, const Frame& frame, std::size_t l, const Lattice& lattice,
             const std::array<std::vector<std::size_t>, most_dims>& parts, const OfUse& of_use,
             std::vector<Tile>& tiles)
      : space_(space), bounds_(bounds), level_(l), lattice_(lattice), parts_(parts), of_use_(of_use), tiles_(tiles) {
    DimSet moving = 0;
    for (std::size_t o = 0; o < space.operands.size(); ++o) {
      if (space.rules.keeps[l][o]) moving |= space.operands[o].moved_by;
    }
    std::array<std::size_t, most_dims> place{};
    for (const bool moves : {true, false}) {
      for (std::size_t d = 0; d < space.dims.size(); ++d) {
        if (((moving >> d & 1) != 0) != moves) continue;
        place[d] = order_.size();
        order_.push_back(d);
      }
      if (moves) movers_ = order_.size();
    }
    for (std::size_t o = 0; o < space.operands.size(); ++o) {
      if (!space.rules.keeps[l][o]) continue;
      for (const Axis& axis : space.operands[o].axes) {
        std::size_t last = 0;
        for (const Term& term : axis) last = std::max(last, place[static_cast<std::size_t>(term.dim)]);
        ends_[last].push_back({kept_.size(), &axis});
      }
      kept_.push_back(o);
    }
    words_.assign((space.dims.size() + 1) * kept_.size(), 1);
    const int menu_level = frame.menu >= 0 ? space.rules.menu_level : static_cast<int>(space.levels);
    const int here = frame.menu >= 0 ? static_cast<int>(l) : menu_level + 1;
    for (std::size_t d = 0; d < space.dims.size(); ++d) {
      const std::vector<std::int64_t>& values = bounds.divisors(d).values;
      for (std::size_t at = 0; at < values.size(); ++at) {
        const std::int64_t entry = bounds.menu_tile(d), value = values[at];
        const bool allowed = frame.menu < 0       ? true
                             : here == menu_level ? value == entry
                             : here > menu_level  ? entry % value == 0
                                                  : value % entry == 0;
        if (allowed) choices_[d].push_back(static_cast<std::uint16_t>(at));
      }
      tile_.inside[d] = choices_[d].front();
    }
  }

  void write() {
    std::size_t cell = 0;
    for (std::size_t d = 0; d < space_.dims.size(); ++d) cell += parts_[d][tile_.inside[d]];
    largest_ = bounds_.whole();
    if (of_use_(cell, nullptr)) choose(0, 0, 0, cell);
  }

 private:
  /// Bytes with the first `chosen` dims chosen and the others at one; `once`: no operand is held twice.
  bool fits(std::size_t chosen, bool once, DimSet moving) const {
    const BufferLevel& at = space_.chip().levels[level_];
    if (!at.capacity) return true;
    double needed = 0;
    for (std::size_t k = 0; k < kept_.size(); ++k) {
      const bool twice = !once && at.double_buffered && (space_.operands[kept_[k]].moved_by & moving) != 0;
      needed += bounds_.bytes_held(level_, kept_[k], words_[chosen * kept_.size() + k]) * (twice ? 2 : 1);
    }
    return needed <= at.capacity->value;
  }

  void choose(std::size_t chosen, std::uint64_t exponents, DimSet moving, std::size_t cell) {
    if (chosen == order_.size()) {
      if (!fits(chosen, false, moving)) return;
      tile_.exponents = exponents;
      tile_.cell = static_cast<std::uint32_t>(lattice_.cell(tile_.inside));
      tile_.outer_cell = static_cast<std::uint32_t>(cell);
      tiles_.push_back(tile_);
      return;
    }
    const std::size_t kept = kept_.size(), d = order_[chosen];
    for (const std::uint16_t at : choices_[d]) {
      tile_.inside[d] = at;
      if (kept > 0) std::copy_n(words_.data() + chosen * kept, kept, words_.data() + (chosen + 1) * kept);
      for (const auto& [k, axis] : ends_[chosen])
        words_[(chosen + 1) * kept + k] *= bounds_.extent(*axis, level_, tile_.inside);
      if (!ends_[chosen].empty() && !fits(chosen + 1, true, 0)) break;
      const std::size_t here = cell + parts_[d][at] - parts_[d][choices_[d].front()];
      largest_[d] = at;
      const bool whole = at == bounds_.whole()[d];
      const bool smaller = chosen + 1 == movers_ || (chosen + 1 > movers_ && !whole);
      if ((here != cell || smaller) && !of_use_(here, smaller ? &largest_ : nullptr)) continue;
      choose(chosen + 1, exponents | bounds_.exponents(d, at), moving | (whole ? 0 : DimSet{1} << d), here);
    }
    tile_.inside[d] = choices_[d].front();
    largest_[d] = bounds_.whole()[d];
  }

  const Space& space_;
  const FrameBounds& bounds_;
  std::size_t level_;
  const Lattice& lattice_;
  const std::array<std::vector<std::size_t>, most_dims>& parts_;
  const OfUse& of_use_;
  std::vector<Tile>& tiles_;
  std::vector<std::size_t> kept_;                                                 // operands
  std::vector<std::size_t> order_;                                                // dims
  std::size_t movers_ = 0;                                                        // of them move a kept operand
  std::array<std::vector<std::pair<std::size_t, const Axis*>>, most_dims> ends_;  // axes by the place of their last dim
  std::vector<double> words_;                                                     // [dims chosen][kept]
  std::array<std::vector<std::uint16_t>, most_dims> choices_;
  Tile tile_;
  Steps largest_{};  // with the dims that are not chosen as large as they may be
};

}  // namespace tilewright
