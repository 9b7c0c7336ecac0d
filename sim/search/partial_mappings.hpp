// Dominance: of the nests met so far that are chosen from some level inwards, those that no other one makes superfluous.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/search/frame_bounds.hpp"

namespace tilewright {

/// A nest that is chosen from some level inwards, as the levels outside see it.
struct PartialMapping {
  const Figures* spent = nullptr;                   // settled transfers
  const std::vector<OpenTransfer>* open = nullptr;  // by transfer
  double first = 0;                                 // time until the first tiles have arrived
  DimSet loosened = 0;                              // Node::loosened
  bool passes_inside = false;
};

/// Why it is admissible. Two nests with the same unrolling and the same tile of level `l` may go on outwards in the same ways, and every
/// further loop costs both alike but for the transfers still open from inside. If the one has spent no more, if each open transfer of
/// both is repeated by it no more often, if the dearest that its other open transfers may become (nothing more stays) does not exceed
/// the least that those of the other may, and if its first tiles are there no later, then each way to go on costs it no more. That needs
/// settled transfers to be known exactly: perfect factors and operands without windows (of the others only the tile of `l` itself may
/// count), sums whose bits are known.
class PartialMappings {
 public:
  PartialMappings(const Space& space, const FrameBounds& bounds);

  /// Forgets those of the frame before.
  void enter(const Lattice& lattice);
  /// True if a nest that was kept with the same tile at `level` is at least as good.
  bool superfluous(std::size_t level, std::size_t cell, const PartialMapping& nest) const;
  void keep(std::size_t level, std::size_t cell, const PartialMapping& nest);

 private:
  struct Open {
    std::uint32_t transfer = 0;
    Steps held{};
  };
  struct Kept {
    std::uint32_t next = 0;  // of the same tile; 0: none
    std::uint32_t row = 0, open = 0, opens = 0;
    double first = 0;
    DimSet loosened = 0;
    bool passes_inside = false;
  };
  bool covers(const Kept& kept, const PartialMapping& nest, std::size_t level) const;

  const Space& space_;
  const FrameBounds& bounds_;
  std::vector<bool> comparable_;  // by level
  std::size_t cells_ = 0;
  std::vector<std::uint32_t> first_;  // [level][cell], 1-based
  std::vector<Kept> kept_;
  std::vector<double> rows_;
  std::vector<Open> opens_;
  std::vector<Figures> least_;  // by transfer
};

}  // namespace tilewright
