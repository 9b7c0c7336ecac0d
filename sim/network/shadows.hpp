// Fused kernels run in the shadow of the one before: the time of a layer from the times of its kernels.
#pragma once

#include <algorithm>
#include <vector>

#include "core/units.hpp"

namespace tilewright {

struct RunTime {
  bool fused = false;
  Cycles time;
};

/// Sum over the kernels in order; of a kernel and the fused ones behind it the longest counts.
inline Cycles time_in_shadows(const std::vector<RunTime>& runs) {
  Cycles total, longest;
  for (const RunTime& run : runs) {
    if (!run.fused) {
      total += longest;
      longest = {};
    }
    longest = std::max(longest, run.time);
  }
  return total + longest;
}

}  // namespace tilewright
