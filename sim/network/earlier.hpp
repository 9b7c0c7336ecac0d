// Mappings of an earlier answer on a chip or in a network that has changed.
#pragma once

#include <optional>
#include <vector>

#include "sim/cost/evaluation.hpp"
#include "sim/network/plan.hpp"

namespace tilewright {

/// By problem of the plan: the mappings that earlier answers gave to the same kernel of the layer of the same name, each once.
std::vector<std::vector<const Mapping*>> mappings_of(const std::vector<const NetworkEvaluation*>& earlier,
                                                     const Plan& plan, const WorkloadGraph& graph);

/// The problem with the one of the mappings, as it is or `fitted`, that scores least; nullopt: none is legal. `search_gap`: against the bounds that need no
/// search.
std::optional<Evaluation> with_earlier(const Problem& problem, const Chip& chip,
                                       const std::vector<const Mapping*>& mappings, Objective objective);

}  // namespace tilewright
