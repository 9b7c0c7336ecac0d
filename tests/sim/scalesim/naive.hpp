// SCALE-Sim's rules word by word: every line of demand is written out and every buffer is a set. Slow, and nothing shared with sim/scalesim but
// the facts of a layer and a configuration.
#pragma once

#include "sim/scalesim/scalesim.hpp"

namespace tilewright::test {

/// All integer figures; the percentages are left at 0.
ScaleSimResult naive_scalesim(const ScaleSimLayer& layer, const ScaleSimConfig& config);

}  // namespace tilewright::test
