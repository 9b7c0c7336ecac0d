#include "sim/network/marginal.hpp"

namespace tilewright {

std::vector<Marginal> marginals(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options,
                                const NetworkEvaluation& now) {
  std::vector<Marginal> result;
  for (const OneMore& step : one_more_of_each(chip)) {
    const NetworkEvaluation then = evaluate_network(graph, step.chip, options);
    Marginal& marginal = result.emplace_back(
        Marginal{step.resource, step.from, step.to, then.latency, {}, then.energy.total(), {}, then.failure});
    if (!then.failure.empty()) continue;
    marginal.latency_change = then.latency - now.latency;
    marginal.energy_change = then.energy.total() - now.energy.total();
  }
  return result;
}

}  // namespace tilewright
