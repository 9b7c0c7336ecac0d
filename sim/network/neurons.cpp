#include "sim/network/neurons.hpp"

#include <algorithm>
#include <cmath>

#include "core/checked.hpp"

namespace tilewright {

SpikingNetwork spiking_network(const WorkloadGraph& graph, const std::vector<LayerEvaluation>& layers,
                               const std::vector<std::vector<bool>>& fused, const Chip& chip) {
  const auto& p = std::get<NeuromorphicParameters>(chip.parameters);
  SpikingNetwork network;
  network.chip.mesh = {p.mesh_x, p.mesh_y, ceil_div(p.cores, checked_mul(p.mesh_x, p.mesh_y)), p.cores};
  network.chip.time_steps = p.time_steps;
  network.chip.hop = ticks_of(p.hop_time * chip.clock);
  network.chip.barrier = ticks_of(p.barrier_time * chip.clock);
  network.chip.least_step = std::max(ticks_of(p.min_step_time * chip.clock), ticks_of(Cycles{1}));
  std::vector<std::vector<std::size_t>> inputs(layers.size());
  for (const auto& [from, to] : edges(graph)) {
    std::vector<std::size_t>& of = inputs[static_cast<std::size_t>(to)];
    if (std::ranges::find(of, static_cast<std::size_t>(from)) == of.end()) of.push_back(static_cast<std::size_t>(from));
  }
  std::int64_t next_core = 0;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    SpikingLayer layer;
    layer.layer = layers[l].name;
    layer.row = static_cast<std::int32_t>(l);
    layer.inputs = inputs[l];
    layer.spikes = layers[l].kernels.empty();
    Seconds core;
    Cycles processor;
    std::int64_t cores = 0;
    for (std::size_t k = 0; k < layers[l].kernels.size(); ++k) {
      const auto& [e, repeat] = layers[l].kernels[k];
      layer.kernels.push_back({&e, repeat});
      const bool shadow = k > 0 && fused[l][k];
      if (e.compute.stage == Stage::in_turn) {
        const Cycles time = static_cast<double>(repeat) * e.compute.cycles;
        if (shadow && layer.spikes) {  // a part of it in each time step
          core = std::max(core, (1.0 / static_cast<double>(p.time_steps)) * time / chip.clock);
        } else {
          processor += time;
        }
        continue;
      }
      const auto own = static_cast<std::int64_t>(std::llround(e.compute.resident * static_cast<double>(p.cores)));
      const std::int64_t neurons = tensor_words(e.problem, e.problem.operands.back());
      const SpikingStep step =
          spiking_step(chip, e.problem, own > 0 ? own : std::min(p.cores, ceil_div(neurons, p.neurons_per_core)));
      if (!layer.spikes || own > 0) layer.destinations = step.destinations;
      core = shadow ? std::max(core, step.core) : core + step.core;
      if (!shadow) cores = checked_add(cores, own);
      layer.sent = step.sent;
      layer.spikes = true;
    }
    layer.core = ticks_of(core * chip.clock);
    layer.processor = ticks_of(processor);
    if (cores > 0) {
      layer.cores = {next_core, cores};
      next_core = checked_add(next_core, cores);
    } else if (!inputs[l].empty()) {
      layer.cores = network.layers[inputs[l].front()].cores;
    }
    network.layers.push_back(std::move(layer));
  }
  network.chip.chips = std::max<std::int64_t>(1, ceil_div(next_core, p.cores));
  return network;
}

}  // namespace tilewright
