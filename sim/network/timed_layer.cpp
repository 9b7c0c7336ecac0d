#include "sim/network/timed_layer.hpp"

#include <algorithm>
#include <cmath>

#include "sim/cost/cost_model.hpp"
#include "sim/network/shadows.hpp"

namespace tilewright {
namespace {

std::string precision_of(const Problem& problem) {
  const auto weights = std::find_if(problem.operands.begin(), problem.operands.end(),
                                    [](const Operand& operand) { return operand.role == Role::weight; });
  if (weights == problem.operands.end() || problem.compute == Compute::vector)
    return std::string(name(compute_format(problem)));
  const auto inputs = std::find_if(problem.operands.begin(), problem.operands.end(),
                                   [](const Operand& operand) { return operand.role == Role::input; });
  return name(Precision{weights->type, inputs == problem.operands.end() ? weights->type : inputs->type});
}

/// Static energy of a time on top of the dynamic energy of a layer.
EnergyBy with_static(EnergyBy energy, const Chip& chip, Seconds time, double chips) {
  energy.static_ = chips * static_power(chip) * time;
  return energy;
}

TimedLayer time_layer(const GroupView& group, const Layer& source, const Chip& chip, Objective objective) {
  TimedLayer timed;
  LayerEvaluation& layer = timed.layer;
  layer.name = source.name;
  layer.op = source.op;
  layer.repeat = group.repeat;
  layer.macs = macs(source);
  const double computed = group.kernels.empty() ? 1 : group.kernels.front().evaluation->computed;
  layer.operations = computed * 2.0 * static_cast<double>(layer.macs);
  Cycles ideal_macs, ideal_vector;
  double scores = 0, unproven = 0;  // of the kernels: what of their scores lies above the proven bounds
  for (const auto& [evaluation, repeat, fused] : group.kernels) {
    const Evaluation& e = *evaluation;
    const double times = static_cast<double>(repeat);
    layer.energy.compute += times * e.energy.compute;
    layer.energy.memory += times * e.energy.memory;
    layer.energy.link += times * e.energy.link;
    scores += times * score(e, chip, objective);
    unproven += times * score(e, chip, objective) * e.search_gap;
    timed.traffic += times * e.levels.front().traffic;
    if (e.problem.compute == Compute::vector) {
      layer.operations += e.computed * times * e.problem.ops_per_point * static_cast<double>(e.problem.points());
    }
    (e.problem.compute == Compute::mac ? ideal_macs : ideal_vector) += times * e.utilization * e.cycles;
  }
  Cycles slowest;
  std::vector<RunTime> run;  // a kernel and the fused ones in its shadow
  for (std::size_t first = 0, last = 0; first < group.kernels.size(); first = last) {
    for (last = first + 1; last < group.kernels.size() && group.kernels[last].fused;) ++last;
    run.clear();
    Cycles steady;
    for (std::size_t k = first; k < last; ++k) {
      const auto& [evaluation, repeat, fused] = group.kernels[k];
      const Evaluation& e = *evaluation;
      const double times = static_cast<double>(repeat);
      run.push_back(run_time(e, repeat, fused, chip));
      steady = std::max(steady, times * (e.cycles - e.overhead));
      if (times * e.cycles > slowest) {
        slowest = times * e.cycles;
        layer.bound = e.bounds.front().name;
      }
    }
    const Cycles time = time_of_run(run);
    if (time > slowest) {  // no kernel alone: what they move together
      slowest = time;
      layer.bound = "memory:" + chip.levels.front().name;
    }
    timed.whole += time;
    const ComputeCost& compute = group.kernels[first].evaluation->compute;
    if (compute.stage == Stage::in_turn) {
      timed.in_turn += time;
    } else {
      timed.stage = compute.stage;
      timed.steady += steady;
      timed.drain += compute.fill_drain;
      timed.fill_share = std::max(timed.fill_share, compute.fill_share);
      timed.resident += compute.resident;
    }
  }
  if (group.wait > slowest) layer.bound = group.on_library ? "overhead" : "memory:" + chip.levels.front().name;
  timed.whole += group.wait;
  timed.in_turn += group.wait;
  if (!group.kernels.empty()) {
    const auto main = std::find_if(group.kernels.begin(), group.kernels.end(), [](const auto& kernel) {
      return kernel.evaluation->problem.compute == Compute::mac;
    });
    layer.precision = precision_of((main == group.kernels.end() ? group.kernels.front() : *main).evaluation->problem);
  }
  if (scores > 0) layer.optimality_gap = unproven / scores;
  if (timed.whole.value > 0) layer.utilization = (layer.macs > 0 ? ideal_macs : ideal_vector) / timed.whole;
  if (timed.traffic.value > 0) layer.arithmetic_intensity = layer.operations / timed.traffic.value;
  return timed;
}

}  // namespace

void contribute(LayerEvaluation& layer, Cycles cycles, const Chip& chip, double chips) {
  layer.cycles = cycles;
  layer.latency = cycles / chip.clock;
  layer.energy = with_static(layer.energy, chip, layer.latency, chips);
}

Pipeline pipeline_of(const std::vector<TimedLayer>& layers) {
  Pipeline pipeline;
  Cycles slowest;
  double resident = 0;
  Stage stage = Stage::in_turn;
  for (const TimedLayer& timed : layers) {
    const double times = static_cast<double>(timed.layer.repeat);
    pipeline.steady += times * timed.steady;
    pipeline.in_turn += times * timed.in_turn;
    slowest = std::max(slowest, timed.steady);
    resident += times * timed.resident;
    if (timed.stage != Stage::in_turn) stage = timed.stage;
  }
  pipeline.pace = stage == Stage::own ? slowest : pipeline.steady;
  pipeline.chips = std::max(1.0, std::ceil(resident));
  return pipeline;
}

Cycles contribution(const TimedLayer& timed, const Pipeline& pipeline) {
  Cycles cycles = timed.in_turn;
  if (timed.steady.value > 0) {
    cycles += (timed.steady / pipeline.steady + timed.fill_share) * pipeline.pace + timed.drain;
  }
  return cycles;
}

TimedNetwork time_layers(const std::vector<GroupView>& groups, const WorkloadGraph& graph, const Chip& chip,
                         Objective objective) {
  TimedNetwork network;
  network.layers.reserve(groups.size());
  for (const GroupView& group : groups) {
    TimedLayer t = time_layer(group, graph.layers[static_cast<std::size_t>(group.layer)], chip, objective);
    const double times = static_cast<double>(t.layer.repeat);
    network.dram += times * t.traffic;
    if (t.layer.macs > 0) network.ideal += times * t.layer.utilization * t.whole;
    network.work += times * t.whole;
    network.layers.push_back(std::move(t));
  }
  return network;
}

TimedNetwork time_layers(const std::vector<EvaluatedGroup>& groups, const WorkloadGraph& graph, const Chip& chip,
                         Objective objective) {
  std::vector<GroupView> views;
  for (const EvaluatedGroup& group : groups) {
    GroupView view{group.layer, group.repeat, {}, group.wait, group.library.has_value()};
    for (const EvaluatedKernel& kernel : group.kernels)
      view.kernels.push_back({&kernel.evaluation, kernel.repeat, kernel.fused});
    views.push_back(std::move(view));
  }
  TimedNetwork network = time_layers(views, graph, chip, objective);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    LayerEvaluation& layer = network.layers[g].layer;
    layer.placement = groups[g].placement;
    layer.library = groups[g].library;
    for (const EvaluatedKernel& kernel : groups[g].kernels)
      layer.kernels.emplace_back(kernel.evaluation, kernel.repeat);
  }
  return network;
}

}  // namespace tilewright
