// A chip with one more unit of one resource.
#pragma once

#include <string>
#include <vector>

#include "arch_models/chip.hpp"

namespace tilewright {

/// A resource, how much of it there was and is, and the changed chip. Names are those of the chip file ("Buffer.capacity", "rows").
struct OneMore {
  std::string resource, from, to;
  Chip chip;
};

/// Every single step that a chip allows: 1 KiB and 1 GB/s more in each instance of every level that has a capacity or a bandwidth, and one
/// more of each count of its compute array (row, column, core, SM, engine ...); where a level has several instances, one more under each.
/// Levels inside grow with the count, and the vector unit with whole cores, SMs, arrays and engines. Energies of an access, static power and
/// area stay as they are: a step asks what the resource is worth, not what it costs.
std::vector<OneMore> one_more_of_each(const Chip& chip);

}  // namespace tilewright
