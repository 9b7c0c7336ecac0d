// Brute force: walks every iteration of a small nest and counts words by the rules of access_counts.hpp.
#pragma once

#include "sim/mapping/access_counts.hpp"

namespace tilewright {

/// The same counts as count_accesses, by visiting every point in time order and watching the tiles of every instance.
AccessCounts walk_accesses(const Problem& problem, const Mapping& mapping);

/// True if a dim moves two axes of the operand: then merged reads are not counted apart.
bool shares_dims(const Operand& operand);

}  // namespace tilewright
