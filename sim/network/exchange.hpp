// What GPUs that share a graph exchange (tensor parallelism).
#pragma once

#include "arch_models/family.hpp"
#include "arch_models/gpu/parallel.hpp"
#include "sim/cost/evaluation.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

/// Time of one exchange over the link. Precondition: the layer is a Collective.
Seconds exchange_time(const WorkloadGraph& graph, const Layer& layer, const GpuLink& link);
/// The same as a launch that the host dispatches as it does kernels; the board draws its idle power meanwhile (assumption).
LibraryLaunch exchange_launch(const WorkloadGraph& graph, const Layer& layer, const Chip& chip);

/// Sums of a training step that nothing hides: results of products split by rows on the way there, gradients of the operands of products
/// split by columns on the way back. Results of the network stay in parts: their loss needs no gathering (Shoeybi et al., 2019).
Seconds training_exchange(const WorkloadGraph& graph, const GpuLink& link);

/// What the report of one GPU's part says about all of them. Precondition: `result` holds its layers and board energy.
TensorParallelRun tensor_parallel_run(const NetworkEvaluation& result, const WorkloadGraph& graph, const Chip& chip);

}  // namespace tilewright
