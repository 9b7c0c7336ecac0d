#include "arch_models/neuromorphic/neuromorphic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "arch_models/family_tools.hpp"
#include "core/checked.hpp"

namespace tilewright {

namespace {

const NeuromorphicParameters& parameters(const Chip& chip) { return std::get<NeuromorphicParameters>(chip.parameters); }

/// Mean spikes per neuron and step: the tensor's density where it is known to be sparse, else the chip's assumption.
double rate_of(const Operand& operand, const NeuromorphicParameters& chip) {
  return operand.density < 1.0 ? operand.density : chip.spike_rate;
}

struct CoresNeeded {
  std::int64_t neurons = 1, axons = 1, synapses = 1;
};

/// Cores that one layer takes (Davies et al., IEEE Micro 2018: neurons, input axons and synaptic memory of a core bound the mapping).
/// Weights are shared within a core and stored at least once; a neuron with more inputs than axons is split over several cores.
CoresNeeded cores_needed(const NeuromorphicParameters& p, const Problem& problem, std::int64_t neurons) {
  CoresNeeded cores;
  cores.neurons = ceil_div(neurons, p.neurons_per_core);
  const int input = streamed_operand(problem);
  const int weights = stationary_operand(problem);
  if (p.axons_per_core > 0 && input >= 0) {
    const std::int64_t sources = tensor_words(problem, problem.operands[static_cast<std::size_t>(input)]);
    const std::int64_t fan_in = ceil_div(problem.points(), neurons);
    cores.axons =
        std::max(ceil_div(sources, p.axons_per_core), checked_mul(cores.neurons, ceil_div(fan_in, p.axons_per_core)));
  }
  if (p.synapse_memory_bits > 0 && weights >= 0) {
    const std::int64_t words = tensor_words(problem, problem.operands[static_cast<std::size_t>(weights)]);
    cores.synapses = ceil_div(checked_mul(words, p.synapse_bits), p.synapse_memory_bits);
  }
  return cores;
}

/// Work on results inside the neuron (threshold = ReLU, sum of two inputs = residual): one result per point, at most two operations.
bool inside_neuron(const Problem& problem) {
  return problem.ops_per_point <= 2.0 && problem.points() == tensor_words(problem, problem.operands.back());
}

/// The input whose spikes the synapses multiply.
const Operand& spiking_input(const Problem& problem) {
  return problem.operands[static_cast<std::size_t>(std::max(streamed_operand(problem), 0))];
}

Seconds time_or_zero(const Value& map) {
  const auto time = map.find("time");
  return time ? time->as_time() : Seconds{};
}

}  // namespace

SpikingStep spiking_step(const Chip& chip, const Problem& problem, std::int64_t cores) {
  const NeuromorphicParameters& p = parameters(chip);
  const double used = static_cast<double>(cores);
  const double neurons = static_cast<double>(tensor_words(problem, problem.operands.back()));
  SpikingStep step;
  step.core = std::ceil(neurons / used) * p.update_time;
  step.sent = neurons * rate_of(problem.operands.back(), p);
  if (problem.compute == Compute::vector) return step;
  const Operand& input = spiking_input(problem);
  const double points = static_cast<double>(problem.points());
  step.core += (points * rate_of(input, p) / used) * p.synop_time;
  const double fan_out = std::ceil(points / static_cast<double>(tensor_words(problem, input)));
  step.destinations = std::min(used, std::ceil(fan_out / static_cast<double>(p.neurons_per_core)));
  return step;
}

std::vector<std::string_view> neuromorphic_keys() {
  return {"cores",      "neurons_per_core", "axons_per_core", "synapse_memory", "synapse_bits", "mesh",
          "time_steps", "spike_rate",       "synop",          "update",         "hop",          "spike",
          "barrier",    "min_step",         "all_in_synop",   "source",         "precisions"};
}

void parse_neuromorphic(const Value& compute, Chip& chip) {
  NeuromorphicParameters p;
  p.cores = compute.at("cores").as_int(1, 100'000'000);
  p.neurons_per_core = compute.at("neurons_per_core").as_int(1, 1'000'000'000);
  p.axons_per_core = int_or(compute, "axons_per_core", 0, 0, 1'000'000'000);
  if (const auto memory = compute.find("synapse_memory"))
    p.synapse_memory_bits = static_cast<std::int64_t>(memory->as_bytes().value * 8);
  p.synapse_bits = int_or(compute, "synapse_bits", 8, 1, 64);
  const Value mesh = compute.at("mesh");
  const std::vector<Value> sides = mesh.items();
  if (sides.size() != 2) mesh.fail("give the mesh as [x, y]");
  p.mesh_x = sides[0].as_int(1, 1'000'000);
  p.mesh_y = sides[1].as_int(1, 1'000'000);
  p.time_steps = compute.at("time_steps").as_int(1, 1'000'000);
  p.spike_rate = compute.at("spike_rate").as_number(1e-6, 1.0);
  const std::string source = compute.at("source").as_string();

  const Value synop = compute.at("synop");
  p.synop_energy = synop.at("energy").as_energy();
  p.synop_time = time_or_zero(synop);
  if (const auto update = compute.find("update")) {
    if (const auto energy = update->find("energy")) p.update_energy = energy->as_energy();
    p.update_time = time_or_zero(*update);
  }
  if (const auto hop = compute.find("hop")) {
    if (const auto energy = hop->find("energy")) p.hop_energy = energy->as_energy();
    p.hop_time = time_or_zero(*hop);
  }
  if (const auto spike = compute.find("spike")) p.spike_energy = spike->at("energy").as_energy();
  if (const auto barrier = compute.find("barrier")) p.barrier_time = barrier->as_time();
  if (const auto step = compute.find("min_step")) p.min_step_time = step->as_time();
  if (const auto all_in = compute.find("all_in_synop")) p.all_in_synop = all_in->as_bool();
  if (p.synop_time.value <= 0 && p.min_step_time.value <= 0)
    synop.fail("give synop.time or min_step: a time step must take time");
  if (chip.levels.size() < 2 || chip.levels.back().instances != p.cores) {
    compute.fail(fmt::format(
        "the innermost level '{}' has {} instances, the chip {} cores: list one instance per core under the host",
        chip.levels.back().name, chip.levels.back().instances, p.cores));
  }
  chip.levels.back().fanout_x = chip.levels.back().fanout_y = 1;  // one synaptic operation after another
  chip.parameters = p;

  // Dense MACs per core and cycle that the rate code replaces: one MAC costs T x rate synaptic operations.
  const double synops_per_mac = static_cast<double>(p.time_steps) * p.spike_rate;
  const double synop_cycles = p.synop_time.value > 0 ? p.synop_time.value * chip.clock.value : 1.0;
  read_precisions(compute, chip, 1.0 / (synops_per_mac * synop_cycles),
                  std::pair{p.synop_energy, "synaptic operation: " + source});
  default_vector(chip, 1.0, "one embedded processor, one operation per cycle");
}

int neuromorphic_array_level(const Chip& chip) {
  return static_cast<int>(chip.levels.size()) - 2;
}  // what feeds the cores

MapRules neuromorphic_rules(const Chip& chip, const Problem& problem) {
  MapRules rules = plain_rules(chip, problem);
  // Neurons live on one core each: only dims of the result are spread.
  if (problem.compute == Compute::mac)
    spread_over_chip(rules, chip, static_cast<int>(chip.levels.size()) - 1, output_dims(problem));
  return rules;
}

ComputeCost neuromorphic_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  const NeuromorphicParameters& p = parameters(chip);
  const std::int64_t neurons = tensor_words(problem, problem.operands.back());
  const double steps = static_cast<double>(p.time_steps);
  const double n = static_cast<double>(neurons);
  const Operand& output = problem.operands.back();
  ComputeCost cost;

  if (problem.compute == Compute::vector) {
    if (!inside_neuron(problem)) {
      cost = vector_cost(chip, problem);
      cost.why += " on the embedded processors, once per inference";
      return cost;
    }
    // A layer of neurons without synapses of its own: one step behind the layer that feeds it, on the same cores.
    const double used = static_cast<double>(std::min(p.cores, ceil_div(neurons, p.neurons_per_core)));
    const Seconds step =
        std::max(p.min_step_time, spiking_step(chip, problem, static_cast<std::int64_t>(used)).core + p.barrier_time);
    cost.cycles = Cycles{steps * std::max(1.0, step.value * chip.clock.value)};
    cost.stage = Stage::own;
    cost.fill_share = 1.0 / steps;
    if (p.all_in_synop) {
      cost.events.push_back({"synop", EventKind::compute, steps * n * rate_of(output, p), p.synop_energy});
    } else {
      cost.events.push_back({"neuron update", EventKind::compute, steps * n, p.update_energy});
    }
    if (!pass.explained) return cost;
    cost.why = fmt::format("part of the neuron: {} time steps x {:.3g} us, {} updates each on {:g} cores", p.time_steps,
                           step.value * 1e6, neurons, used);
    return cost;
  }

  // Rate code over T steps (Rueckauer et al., Frontiers in Neuroscience 2017): synaptic operations = T x MACs x mean input rate,
  // updates = T x neurons (clock driven), output spikes = T x neurons x rate.
  const Operand& input = spiking_input(problem);
  const double rate_in = rate_of(input, p);
  const double synops = steps * static_cast<double>(problem.points()) * rate_in;
  const double updates = steps * n;
  const double spikes = steps * n * rate_of(output, p);

  // Cores: as many as the capacities ask for, or more if the mapping spreads the layer further.
  const CoresNeeded need = cores_needed(p, problem, neurons);
  const std::int64_t least = std::max({need.neurons, need.axons, need.synapses});
  const std::int64_t cores =
      std::max(least, std::min(checked_mul(extent_product(pass.spatial), extent_product(pass.chip)), p.cores));
  const std::int64_t chips = ceil_div(cores, p.cores);
  const double used = static_cast<double>(cores);

  // Hops: an arriving spike goes to every core that holds a target neuron, over the mean distance of a mesh, (x + y) / 3.
  const double sources = static_cast<double>(tensor_words(problem, input));
  const SpikingStep one = spiking_step(chip, problem, cores);
  const double distance = static_cast<double>(p.mesh_x + p.mesh_y) / 3.0;
  const double hops = steps * sources * rate_in * one.destinations * distance;

  // Step of the slowest core: max(tick or I/O bound, synops + updates + hops of one core + barrier).
  const double per_core = 1.0 / (steps * used);
  const Seconds work = one.core + (hops * per_core) * p.hop_time + p.barrier_time;
  const Seconds step = std::max(p.min_step_time, work);
  const double step_cycles = std::max(1.0, step.value * chip.clock.value);
  cost.cycles = Cycles{steps * step_cycles};
  cost.stage = Stage::own;
  cost.fill_share = 1.0 / steps;  // a layer sees its inputs one step after the layer before it
  cost.resident = used / static_cast<double>(p.cores);
  cost.events.push_back({"synop", EventKind::compute, synops, p.synop_energy});
  if (!p.all_in_synop) {
    cost.events.push_back({"neuron update", EventKind::compute, updates, p.update_energy});
    cost.events.push_back({"spike hop", EventKind::link, hops, p.hop_energy});
    cost.events.push_back({"spike", EventKind::link, spikes, p.spike_energy});
  }
  if (!pass.explained) return cost;
  cost.why = fmt::format(
      "{} time steps x {:.3g} us ({}): {:.3g} synops, {:.3g} updates, {:.3g} hops at rate {:g}; {} cores (neurons {}, "
      "axons {}, "
      "synapse memory {}), {} chip{} of {} cores",
      p.time_steps, step.value * 1e6, work > p.min_step_time ? "core work and barrier" : "minimum step", synops,
      updates, hops, rate_in, cores, need.neurons, need.axons, need.synapses, chips, chips == 1 ? "" : "s", p.cores);
  return cost;
}

}  // namespace tilewright
