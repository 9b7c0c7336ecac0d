// Fused kernels run in the shadow of the one before: the time of a layer from the times of its kernels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "sim/cost/evaluation.hpp"

namespace tilewright {

/// All executions of one kernel of a layer.
struct RunTime {
  bool fused = false;
  Cycles time{};
  Cycles outermost{};  // of which the traffic of the outermost level takes
  Cycles unhidden{};   // launch, fill and drain: nothing else goes on meanwhile
};

inline RunTime run_time(const Evaluation& e, std::int64_t repeat, bool fused, const Chip& chip) {
  const double times = static_cast<double>(repeat);
  const Cycles unhidden = e.compute.fill_drain + chip.launch_overhead * chip.clock;
  const Cycles outermost =
      std::min(e.levels.front().time, e.cycles - unhidden);  // the roofline's time may be below the mapping's
  return {fused, times * e.cycles, times * outermost, times * unhidden};
}

/// A kernel and the fused ones behind it: they work at once, so the longest counts, but the outermost level carries the words of one
/// after the other.
inline Cycles time_of_run(std::span<const RunTime> kernels) {
  if (kernels.size() == 1) return kernels.front().time;
  Cycles longest, outermost;
  for (const RunTime& kernel : kernels) {
    longest = std::max(longest, kernel.time);
    outermost += kernel.outermost;
  }
  return std::max(longest, outermost + kernels.front().unhidden);
}

/// Sum over the runs of a layer's kernels in order.
inline Cycles time_in_shadows(std::span<const RunTime> kernels) {
  Cycles total;
  for (std::size_t first = 0, last = 0; first < kernels.size(); first = last) {
    for (last = first + 1; last < kernels.size() && kernels[last].fused;) ++last;
    total += time_of_run(kernels.subspan(first, last - first));
  }
  return total;
}

}  // namespace tilewright
