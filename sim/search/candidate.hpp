// A candidate of the search: tile factors, unrolling and order classes; always expands to a legal loop structure.
#pragma once

#include <cstdint>
#include <vector>

#include "arch_models/family.hpp"
#include "sim/mapping/mapping.hpp"

namespace tilewright {

/// One axis of one level's fan-out and the dims that may be unrolled over it.
struct SpatialSlot {
  std::size_t level = 0;
  LoopKind axis = LoopKind::spatial_x;
  std::int64_t fanout = 1;
  std::vector<int> dims;
};

/// What the search may vary for one problem on one chip.
struct MapSpace {
  const Problem* problem = nullptr;
  std::size_t levels = 0, dims = 0;
  MapRules rules;
  std::vector<SpatialSlot> slots;  // innermost level first
  std::vector<int>
      window_dims;  // dims that share a tensor axis with another one: their order decides what halo is reused
  int passes = -1;  // a dim that moves no operand (passes over a row): stays outside the loops over `columns`
  int columns = -1;
  std::vector<std::vector<int>> orders;  // temporal loops outermost first: [stationary * (dims + 1) + halo + 1]
};

MapSpace map_space(const Problem& problem, const Chip& chip, MapRules rules);

/// Factors are wishes: expand() clips each to what the loops inside it leave, and level 0 takes the rest.
struct Candidate {
  std::vector<std::int64_t> temporal;  // [level * dims + dim]; level 0 is not read
  std::vector<std::int64_t> spatial_x, spatial_y;
  std::vector<int> stationary;  // per level: the operand whose irrelevant dims are innermost
  std::vector<int> halo;        // per level: the dim that is innermost of its group, -1: none
  int menu = -1;                // entry of rules.menu, -1: free tiles
  int passes_level = 0;         // level of the loop over MapSpace::passes
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// All loops temporal at the outermost level, no unrolling.
Candidate plain_candidate(const MapSpace& space);

/// Writes the loop nest of a candidate into `mapping` (levels and keeps already sized). False where the candidate's tile misses its
/// menu entry; loops of bound 1 are left out.
bool expand(const MapSpace& space, const Candidate& candidate, Mapping& mapping);

/// Ways to unroll dims over a slot when `left` of each dim is still to be covered, most parallel first, at most `most`.
/// One vector of factors per way: each dim takes all the room there is, or a half, a quarter, ... of it.
/// `exact`: factors must divide what is left (a tile from a menu).
std::vector<std::vector<std::int64_t>> unrollings(const SpatialSlot& slot, const std::vector<std::int64_t>& left,
                                                  bool exact, std::size_t most);

}  // namespace tilewright
