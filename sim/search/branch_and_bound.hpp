// Branch and bound over the mappings of a space: frame by frame, tiles from the innermost level outwards, one order class a level.
#pragma once

#include "sim/search/incumbents.hpp"
#include "sim/search/space.hpp"

namespace tilewright {

/// Improves the incumbents and returns a bound: no mapping of the space within the goal's time scores less. It equals the incumbents'
/// score (to a relative 1e-9) unless the effort ran out.
double branch_and_bound(const Space& space, const Goal& goal, Effort& effort, Incumbents& incumbents);

}  // namespace tilewright
