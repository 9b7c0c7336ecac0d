// What a nest that is chosen from some level inwards costs at least once the next outer tile is known.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/search/frame_bounds.hpp"

namespace tilewright {

/// The loops between two tiles end in one dim: one operand stays over those that leave it in place, and over further ones if nothing
/// else stands there; all others are fetched by every loop. Precondition: no dim leaves two operands in place.
class NextTile {
 public:
  NextTile(const Space& space, const FrameBounds& bounds) : space_(space), bounds_(bounds) {}

  /// The open transfers of a nest and what else it has spent. Transfers into level `moved` are fetched by the next loop (0: none).
  void enter(const std::vector<OpenTransfer>& open, const Figures& spent, std::size_t moved);
  /// With loops from the tile `inner` to `tile`, whatever their order.
  Figures least(const Steps& tile, const Steps& inner);

 private:
  struct Transfer {
    OpenTransfer open;
    std::size_t operand = 0;
    DimSet moved_by = 0;
    Figures unstripped;                            // nothing more stays
    std::array<std::uint32_t, most_dims> strides;  // of the dims that leave it in place
    std::uint32_t first = 0;                       // of its cells
  };
  const double* saved(const Transfer& transfer, const Steps& tile, bool alone);

  const Space& space_;
  const FrameBounds& bounds_;
  std::vector<Transfer> transfers_;
  Figures all_;
  // What a transfer saves by staying, by the extents of the dims that leave it in place; found when first asked for.
  std::vector<double> cells_;
  std::vector<std::uint32_t> known_;  // round in which a cell was found
  std::uint32_t round_ = 0;
};

}  // namespace tilewright
