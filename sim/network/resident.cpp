#include "sim/network/resident.hpp"

#include <algorithm>
#include <optional>

#include "sim/network/residency.hpp"
#include "sim/network/shadows.hpp"

namespace tilewright {
namespace {

/// Bytes taken from the level of the activations.
Bytes reserved_in_home(Reserved reserved, Homes homes) {
  const bool shared = homes.weights == homes.activations;
  return Bytes{static_cast<double>(reserved.activations + (shared ? reserved.weights : 0))};
}

/// The plan of one layer in words of the graph.
Placement placement_of(const LayerPlan& plan, const WorkloadGraph& graph, const Chip& chip) {
  const auto place = [&](Residence where) {
    const std::string& outside = chip.levels.front().name;
    const std::string& inside = chip.levels[static_cast<std::size_t>(homes_of(chip).activations)].name;
    return where == Residence::outside ? outside : where == Residence::chip ? inside : inside + " and " + outside;
  };
  Placement placement;
  for (const auto& [tensor, where] : plan.inputs)
    placement.inputs.emplace_back(graph.tensors[static_cast<std::size_t>(tensor)].name, place(where));
  for (const auto& [tensor, where] : plan.outputs)
    placement.outputs.emplace_back(graph.tensors[static_cast<std::size_t>(tensor)].name, place(where));
  placement.tiles = plan.tiles;
  for (int layer = plan.first; plan.tiles > 1 && layer <= plan.last; ++layer)
    placement.group.push_back(graph.layers[static_cast<std::size_t>(layer)].name);
  placement.weights_ahead = plan.weights_ahead;
  placement.weights_pinned = plan.weights_pinned;
  return placement;
}

/// True if two equal layers run in the same way.
bool runs_alike(const LayerPlan& a, const LayerPlan& b, int layer_a, int layer_b, MappingMemo& memo) {
  const auto same_places = [](const auto& x, const auto& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(),
                      [](const auto& p, const auto& q) { return p.second == q.second; });
  };
  const auto same_runs = [&](const KernelRuns& x, const KernelRuns& y) {
    return x.problem == y.problem && x.repeat == y.repeat && x.loads_weights == y.loads_weights &&
           &memo.best(x.problem, a.reserved) == &memo.best(y.problem, b.reserved);
  };
  return a.cycles == b.cycles && a.tiles == b.tiles && a.weights_ahead == b.weights_ahead &&
         a.weights_pinned == b.weights_pinned && a.last - a.first == b.last - b.first &&
         layer_a - a.first == layer_b - b.first && same_places(a.inputs, b.inputs) &&
         same_places(a.outputs, b.outputs) &&
         std::equal(a.kernels.begin(), a.kernels.end(), b.kernels.begin(), b.kernels.end(), same_runs);
}

EvaluatedGroup resident_group(const LayerPlan& plan, int layer, MappingMemo& memo, const WorkloadGraph& graph,
                              const Chip& chip) {
  EvaluatedGroup group{layer, 0, {}, {}, placement_of(plan, graph, chip), std::nullopt};
  std::vector<RunTime> times;
  for (const KernelRuns& run : plan.kernels) {
    Evaluation evaluation = *memo.best(run.problem, plan.reserved);
    if (run.loads_weights) evaluation = with_weight_load(std::move(evaluation), chip);
    times.push_back(run_time(evaluation, run.repeat, run.fused, chip));
    group.kernels.push_back({std::move(evaluation), run.repeat, run.fused});
  }
  group.wait = plan.cycles - time_in_shadows(times);
  return group;
}

}  // namespace

ResidentNetwork resident_groups(const Plan& plan, const std::vector<Outcome>& outcomes, const WorkloadGraph& graph,
                                const Chip& chip, const NetworkOptions& options) {
  MappingMemo memo(chip, homes_of(chip), search_options(options), options.engine);
  for (std::size_t p = 0; p < plan.problems.size(); ++p)
    memo.set_unreserved(memo.number(plan.problems[p]), outcomes[p]);
  ResidencyProblem problem{&graph, &chip, options.objective, std::vector<std::size_t>(graph.layers.size()), {}};
  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    problem.kernels.push_back(plan.groups[g].kernels);
    for (const int member : plan.groups[g].group.members) problem.group[static_cast<std::size_t>(member)] = g;
  }
  const ResidencyPlan best = plan_residency(problem, memo);

  ResidentNetwork network;
  network.summary.level = chip.levels[static_cast<std::size_t>(homes_of(chip).activations)].name;
  network.summary.space = residency_space(chip);
  network.summary.proven = best.proven;
  for (const LoweredGroup& lowered : plan.groups) {
    std::vector<std::pair<int, EvaluatedGroup>> parts;  // first layer and its group
    for (const int member : lowered.group.members) {
      const LayerPlan& mine = best.layers[static_cast<std::size_t>(member)];
      auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) {
        return runs_alike(best.layers[static_cast<std::size_t>(p.first)], mine, p.first, member, memo);
      });
      if (part == parts.end()) {
        part = parts.insert(parts.end(), {member, resident_group(mine, member, memo, graph, chip)});
      }
      ++part->second.repeat;
      network.summary.peak_reserved =
          std::max(network.summary.peak_reserved, reserved_in_home(mine.reserved, homes_of(chip)));
    }
    for (auto& [layer, part] : parts) network.groups.push_back(std::move(part));
  }
  network.summary.searches = memo.searches();
  return network;
}

}  // namespace tilewright
