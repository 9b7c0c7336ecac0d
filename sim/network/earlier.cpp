#include "sim/network/earlier.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "sim/cost/cost.hpp"
#include "sim/mapping/fitted.hpp"
#include "sim/search/space.hpp"

namespace tilewright {

std::vector<std::vector<const Mapping*>> mappings_of(const std::vector<const NetworkEvaluation*>& earlier,
                                                     const Plan& plan, const WorkloadGraph& graph) {
  std::vector<std::vector<const Mapping*>> mappings(plan.problems.size());
  for (const NetworkEvaluation* answer : earlier) {
    std::map<std::string_view, const LayerEvaluation*> layers;
    for (const LayerEvaluation& layer : answer->layers) layers.emplace(layer.name, &layer);
    for (const LoweredGroup& group : plan.groups) {
      const auto layer = layers.find(graph.layers[static_cast<std::size_t>(group.group.layer)].name);
      if (layer == layers.end() || layer->second->kernels.size() != group.problems.size()) continue;
      for (std::size_t k = 0; k < group.problems.size(); ++k) {
        std::vector<const Mapping*>& known = mappings[group.problems[k]];
        const Mapping& mapping = layer->second->kernels[k].first.mapping;
        if (std::none_of(known.begin(), known.end(), [&](const Mapping* other) { return *other == mapping; }))
          known.push_back(&mapping);
      }
    }
  }
  return mappings;
}

std::optional<Evaluation> with_earlier(const Problem& problem, const Chip& chip,
                                       const std::vector<const Mapping*>& mappings, Objective objective) {
  std::optional<Evaluation> best;
  const auto take = [&](const Mapping& mapping) {
    Evaluation evaluation = evaluate(problem, mapping, chip);
    if (!best || score(evaluation, chip, objective) < score(*best, chip, objective)) best = std::move(evaluation);
  };
  for (const Mapping* mapping : mappings) {
    if (check(problem, *mapping, chip)) take(*mapping);
    // Loops over passes must stay around those over columns, which new outer loops would break.
    if (passes_dim(problem) >= 0) continue;
    const auto changed = fitted(*mapping, problem, chip);
    if (changed && *changed != *mapping) take(*changed);
  }
  if (!best) return best;
  const double reached = score(*best, chip, objective);
  best->search_gap = reached > 0 ? std::max(0.0, 1 - score_bound(*best, chip, objective) / reached) : 0;
  return best;
}

}  // namespace tilewright
