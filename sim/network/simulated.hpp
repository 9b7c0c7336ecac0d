// A network on the SystemC engine.
#pragma once

#include <functional>

#include "sim/cost/evaluation.hpp"
#include "sim/twin/program.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

struct SimulationOptions {
  std::int64_t requests = 1;
  PlayLimits limits;
  std::function<Observer*(const Program&)> watch;  // asked once before it starts; may be empty
};

/// Plays the layers of the graph on the chip: in their order, as the stages of a streaming design, or as neurons. Each gets its cycles, their
/// parts, and the accesses and dynamic energy of what the simulation moved; the cycles add up to the simulated end. A kernel whose
/// `fused` flag is set runs with the one before. With several requests the graph is played so often without a gap between: cycles,
/// parts and energies are those of all of them, and so are the repeats of the kernels. Throws PlayError and Stopped.
void simulate_layers(const WorkloadGraph& graph, std::vector<LayerEvaluation>& layers,
                     const std::vector<std::vector<bool>>& fused, const Chip& chip, const SimulationOptions& options);

}  // namespace tilewright
