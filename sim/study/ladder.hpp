// The ladder of memory sizes on which mappings are searched for all chips between its rungs.
#pragma once

#include <string>
#include <vector>

#include "arch_models/chip.hpp"
#include "core/document.hpp"

namespace tilewright {

/// Capacities and bandwidths brought to rungs: powers of four in bytes, powers of two in bytes a cycle.
struct Rungs {
  std::string key;               // equal rungs, equal keys
  std::vector<Override> values;  // for the chip's document
};

struct Ladder {
  std::vector<Rungs> anchors;     // the rungs around a chip, the last nowhere below it
  bool other_capacities = false;  // the last has a larger capacity than the chip (and so other energies per access)
};

/// The rungs around a chip: all of its capacities down or up to the next one, and all of its bandwidths likewise; four chips, fewer where down
/// and up meet. `sizes`: paths as levels.NAME.capacity or levels.NAME.bandwidth in the chip's document; others are left alone.
/// The same for every study, whatever its other values.
Ladder ladder_of(const Chip& chip, const std::vector<std::string>& sizes);

}  // namespace tilewright
