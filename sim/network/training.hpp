// A training step of a graph on GPUs.
#pragma once

#include "arch_models/gpu/parallel.hpp"
#include "arch_models/gpu/stack.hpp"
#include "sim/cost/evaluation.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

/// Forward, backward (backward_kernels) and update of one step behind a software stack: the launches of every layer in the graph's order, then one
/// stream of the optimiser's state. Every activation is kept for the way back. With several GPUs the graph's batch is that of one GPU (data
/// parallel) or passes through stages of equal time in one piece (pipeline); a graph that they share (tensor parallel) has the batch of all. Exact formats stand in the tensors. InputError for layers whose
/// formats no library kernel trains in (integers). Precondition: the chip is of family gpu and the graph is not fused.
TrainingStep training_step(const WorkloadGraph& graph, const Chip& chip, const SoftwareStack& stack,
                           Optimizer optimizer, std::int64_t gpus, bool pipelined);

}  // namespace tilewright
