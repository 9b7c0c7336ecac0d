// Layers through the kernels of a library, behind the host of a software stack.
#pragma once

#include "sim/network/network.hpp"
#include "sim/network/plan.hpp"
#include "sim/network/timed_layer.hpp"

namespace tilewright {

/// Gives the groups the times of the library's launches behind the stack. Layers that no library runs keep those of their mappings.
void run_on_stack(std::vector<EvaluatedGroup>& groups, const Plan& plan, const WorkloadGraph& graph, const Chip& chip,
                  const SoftwareStack& stack);

/// What the report says about a time on a stack: the software, the board's energy, and the error to expect, weighted by the layers' times.
void note_stack(NetworkEvaluation& result, const SoftwareStack& stack);

}  // namespace tilewright
