// A network on the SystemC engine.
#pragma once

#include <functional>

#include "sim/cost/evaluation.hpp"
#include "sim/twin/program.hpp"

namespace tilewright {

/// Plays the layers in their order on the chip. Each gets its cycles, their parts, and the accesses and dynamic energy of what the
/// simulation moved; the cycles add up to the simulated end. A kernel whose `fused` flag is set runs with the one before.
/// Throws PlayError and Stopped.
void simulate_layers(std::vector<LayerEvaluation>& layers, const std::vector<std::vector<bool>>& fused,
                     const Chip& chip, const PlayLimits& limits, const std::function<Observer*(const Program&)>& watch);

}  // namespace tilewright
