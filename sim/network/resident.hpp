// The plan of residency as groups of layers.
#pragma once

#include "sim/network/mapping_memo.hpp"
#include "sim/network/network.hpp"
#include "sim/network/plan.hpp"
#include "sim/network/timed_layer.hpp"

namespace tilewright {

struct ResidentNetwork {
  std::vector<EvaluatedGroup> groups;
  Residency summary;
};

/// The best plan of residency and fusion; equal layers that run alike are one group.
ResidentNetwork resident_groups(const Plan& plan, const std::vector<Outcome>& outcomes, const WorkloadGraph& graph,
                                const Chip& chip, const NetworkOptions& options);

}  // namespace tilewright
