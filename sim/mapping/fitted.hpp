// A mapping taken over to a problem or a chip that has changed.
#pragma once

#include <optional>

#include "sim/mapping/mapping.hpp"

namespace tilewright {

/// The same loop orders and kept operands, bounds changed as little as makes the mapping legal: unrolled loops take the fan-outs that the chip has (they grow where
/// it has at least twice of what they use), no loop runs further than its dim, tiles that are too large lose half of their longest loop in time, and the outermost level repeats what is
/// left. nullopt: the problem has other dims or operands, the chip other levels, or not even one point of each operand fits.
std::optional<Mapping> fitted(Mapping mapping, const Problem& problem, const Chip& chip);

}  // namespace tilewright
