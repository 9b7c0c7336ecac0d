// The layers of a graph on neuromorphic cores.
#pragma once

#include "sim/cost/evaluation.hpp"
#include "sim/twin/spiking.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

struct SpikingNetwork {
  std::vector<SpikingLayer> layers;  // one for each of the graph
  SpikingChip chip;
};

/// Layers take as many cores as their evaluation says, one behind the other along the mesh; what has no synapses shares the cores of the
/// layer that feeds it. Operators without a spiking form are work on the processors; fused
/// ones run beside the time steps, a part in each. A chip of `cores` has the same number on every
/// place of its mesh; further chips stand beside it, with links as fast as those inside (assumed).
/// `fused[i][k]`: kernel k of layer i runs in the shadow of the one before. The layers outlive the network.
SpikingNetwork spiking_network(const WorkloadGraph& graph, const std::vector<LayerEvaluation>& layers,
                               const std::vector<std::vector<bool>>& fused, const Chip& chip);

}  // namespace tilewright
