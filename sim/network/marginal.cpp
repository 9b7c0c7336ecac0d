#include "sim/network/marginal.hpp"

#include "sim/cost/cost_model.hpp"

namespace tilewright {
namespace {

constexpr double rounding = 1e-9;  // as the search's

}  // namespace

std::vector<Marginal> marginals(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options,
                                const NetworkEvaluation& now) {
  std::vector<Marginal> result;
  NetworkOptions offering = options;
  offering.start = &now;
  for (const OneMore& step : one_more_of_each(chip)) {
    const NetworkEvaluation then = evaluate_network(graph, step.chip, offering);
    Marginal& marginal = result.emplace_back(
        Marginal{step.resource, step.from, step.to, then.latency, {}, then.energy.total(), {}, then.failure});
    if (!then.failure.empty()) continue;
    marginal.latency_change = then.latency - now.latency;
    marginal.energy_change = then.energy.total() - now.energy.total();
    const auto value = [&](const NetworkEvaluation& e) {
      return score(e.latency * chip.clock, e.energy.total(), chip, options.objective);
    };
    const bool count = !step.resource.contains('.');  // of the array; else a level's capacity or bandwidth
    marginal.slower_array = count && options.latency_slack <= 0 && value(then) > value(now) * (1 + rounding);
  }
  return result;
}

}  // namespace tilewright
