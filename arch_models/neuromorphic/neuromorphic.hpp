#pragma once
#include <cstdint>
#include <string_view>
#include <vector>
#include "core/units.hpp"
namespace tilewright {

class Value;
struct Chip;
struct Problem;
struct MapRules;
struct ArrayPass;
struct ComputeCost;

/// Event-driven cores: rate-coded conversion, T time steps with a barrier.
struct NeuromorphicParameters {
  std::int64_t cores = 1, neurons_per_core = 1, axons_per_core = 0;  // 0: no limit known
  std::int64_t synapse_memory_bits = 0;                              // per core
  std::int64_t synapse_bits = 8;                                     // storage of one weight
  std::int64_t mesh_x = 1, mesh_y = 1;
  std::int64_t time_steps = 1;  // T of the rate code
  double spike_rate = 0.1;      // mean spikes per neuron and step where the tensor gives none
  Seconds synop_time, update_time, barrier_time, hop_time;
  Seconds min_step_time;  // I/O- or tick-bound time step
  Joules synop_energy, update_energy, hop_energy, spike_energy;
  bool all_in_synop = false;  // synop energy includes hops, updates and leakage: add nothing on top
};

/// One time step of a layer that is spread over `cores` cores.
struct SpikingStep {
  Seconds core;             // synaptic operations and neuron updates of its busiest core
  double sent = 0;          // spikes of its neurons
  double destinations = 1;  // cores that a spike arriving here goes to: those with a target neuron
};
SpikingStep spiking_step(const Chip& chip, const Problem& problem, std::int64_t cores);

/// The entry of the family list (arch_models/family.hpp says what each one promises).
std::vector<std::string_view> neuromorphic_keys();
void parse_neuromorphic(const Value& compute, Chip& chip);
int neuromorphic_array_level(const Chip& chip);
MapRules neuromorphic_rules(const Chip& chip, const Problem& problem);
ComputeCost neuromorphic_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass);

}  // namespace tilewright
