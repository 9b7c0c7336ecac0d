// A network's figures from those of its layers.
#pragma once

#include <string>

#include "sim/network/network.hpp"
#include "sim/network/timed_layer.hpp"

namespace tilewright {

/// What is known before any layer is evaluated.
NetworkEvaluation heading(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options);

/// Why a layer does not fit, in a sentence.
std::string misfit(const std::string& layer, const Chip& chip, const Infeasible& why);

/// Totals from the layers in their order; `pipeline.pace` is zero for a sequential chip.
void sum_up(NetworkEvaluation& result, Bytes dram, Cycles ideal, Cycles work, const Pipeline& pipeline,
            const Chip& chip);

/// Layers and totals in the order of the layers.
void total_up(NetworkEvaluation& result, TimedNetwork timed, const WorkloadGraph& graph, const Chip& chip);

}  // namespace tilewright
