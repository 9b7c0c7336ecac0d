#include "sim/network/network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/network/precision.hpp"
#include "sim/network/simulated.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {
namespace {

/// A group of equal layers, lowered: its kernels by the index of their distinct problem.
struct LoweredGroup {
  LayerGroup group;
  std::vector<Kernel> kernels;
  std::vector<std::size_t> problems;
};

struct Plan {
  std::vector<LoweredGroup> groups;
  std::vector<Problem> problems;  // distinct, in order of first use
};

using Outcome = std::expected<Evaluation, Infeasible>;

std::size_t index_of(std::vector<Problem>& problems, const Problem& problem) {
  const auto found = std::find(problems.begin(), problems.end(), problem);
  if (found != problems.end()) return static_cast<std::size_t>(found - problems.begin());
  problems.push_back(problem);
  return problems.size() - 1;
}

std::int64_t weight_bytes(const WorkloadGraph& graph) {
  std::int64_t bytes = 0;
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.kind != TensorKind::weight || tensor.alias_of >= 0) continue;
    bytes = checked_add(bytes, ceil_div(checked_mul(tensor.elements(), bits(tensor.type)), 8));
  }
  return bytes;
}

/// Memory of the fabric of an FPGA: 36 Kbit per BRAM36, 288 Kbit per URAM (Xilinx DS890).
double fabric_bytes(const FpgaParameters& fpga) {
  return (static_cast<double>(fpga.bram36) * 36.0 + static_cast<double>(fpga.uram) * 288.0) * 1024.0 / 8.0;
}

/// True if the weights stay in the chip from one sample to the next: always on neuromorphic cores, on a streaming FPGA if they fit.
bool weights_resident(const WorkloadGraph& graph, const Chip& chip) {
  if (!is_pipelined(chip)) return false;
  const auto* fpga = std::get_if<FpgaParameters>(&chip.parameters);
  return fpga == nullptr || static_cast<double>(weight_bytes(graph)) <= fabric_bytes(*fpga);
}

/// The graph's inputs and outputs cross the chip's boundary, also in a pipeline.
struct Boundary {
  bool in = false, out = false;
  friend bool operator==(const Boundary&, const Boundary&) = default;
};

Boundary boundary_of(const WorkloadGraph& graph, int index) {
  const Layer& layer = graph.layers[static_cast<std::size_t>(index)];
  const auto root = [&](TensorId id) {
    while (graph.tensors[static_cast<std::size_t>(id)].alias_of >= 0)
      id = graph.tensors[static_cast<std::size_t>(id)].alias_of;
    return id;
  };
  Boundary boundary;
  for (const TensorId id : layer.inputs) {
    boundary.in |= graph.tensors[static_cast<std::size_t>(root(id))].kind == TensorKind::input;
  }
  for (const TensorId id : layer.outputs) {
    boundary.out |=
        std::any_of(graph.outputs.begin(), graph.outputs.end(), [&](TensorId out) { return root(out) == root(id); });
  }
  return boundary;
}

/// Groups of equal layers; in a pipeline those at the graph's boundary stand apart from equal ones inside.
std::vector<LayerGroup> groups_of(const WorkloadGraph& graph, const Chip& chip) {
  if (!is_pipelined(chip)) return merge_repeats(graph);
  std::vector<LayerGroup> groups;
  for (const LayerGroup& group : merge_repeats(graph)) {
    std::vector<std::pair<Boundary, LayerGroup>> parts;
    for (const int member : group.members) {
      const Boundary boundary = boundary_of(graph, member);
      auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return p.first == boundary; });
      if (part == parts.end()) part = parts.insert(parts.end(), {boundary, LayerGroup{member, 0, {}}});
      ++part->second.repeat;
      part->second.members.push_back(member);
    }
    for (auto& [boundary, part] : parts) groups.push_back(std::move(part));
  }
  return groups;
}

/// In a pipeline results go from stage to stage without leaving the chip.
void keep_on_chip(Problem& problem, Boundary boundary, bool weights) {
  for (Operand& operand : problem.operands) {
    if (operand.role == Role::weight) operand.on_chip |= weights;
    if (operand.role == Role::input) operand.on_chip |= !boundary.in;
    if (operand.role == Role::output) operand.on_chip |= !boundary.out;
  }
}

Plan plan_layers(const WorkloadGraph& graph, const Chip& chip) {
  Plan plan;
  const bool weights = weights_resident(graph, chip);
  for (LayerGroup& group : groups_of(graph, chip)) {
    LoweredGroup lowered;
    lowered.kernels = lower(graph, graph.layers[static_cast<std::size_t>(group.layer)]);
    lowered.group = std::move(group);
    for (Kernel& kernel : lowered.kernels) {
      kernel.problem = in_native_format(std::move(kernel.problem), chip);
      if (is_pipelined(chip)) keep_on_chip(kernel.problem, boundary_of(graph, lowered.group.layer), weights);
      lowered.problems.push_back(index_of(plan.problems, kernel.problem));
    }
    plan.groups.push_back(std::move(lowered));
  }
  return plan;
}

/// The first kernel whose asked format the chip lacks, as a sentence with its layer; "" if there is none.
std::string unsupported_format(const WorkloadGraph& graph, const Chip& chip) {
  for (const LayerGroup& group : merge_repeats(graph)) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(group.layer)];
    for (const Kernel& kernel : lower(graph, layer)) {
      if (const auto supported = check_format(kernel.problem, chip); !supported) {
        return fmt::format("layer {}: {}", layer.name, supported.error());
      }
    }
  }
  return "";
}

/// The roofline's view of an evaluated kernel: its time is the bound alone; counts and dynamic energy stay.
Evaluation as_roofline(Evaluation e, const Chip& chip) {
  e.utilization = e.cycles_bound.value > 0 ? e.utilization * (e.cycles / e.cycles_bound) : 0.0;
  e.cycles = e.cycles_bound;
  e.overhead = chip.launch_overhead * chip.clock;
  e.compute.fill_drain = {};
  e.compute.fill_share = 0;
  e.energy.static_ = static_power(chip) * (e.cycles / chip.clock);
  return e;
}

/// Best mappings of all distinct problems, placed by index: the number of jobs never changes a result.
std::vector<Outcome> evaluate_problems(const Plan& plan, const WorkloadGraph& graph, const Chip& chip,
                                       const NetworkOptions& options) {
  const std::size_t count = plan.problems.size();
  std::vector<std::optional<Outcome>> outcomes(count);
  std::vector<std::exception_ptr> errors(count);
  std::vector<std::vector<std::size_t>> users(count);
  std::vector<std::size_t> open(plan.groups.size());
  std::mutex mutex;
  const auto finished = [&](std::size_t group) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(plan.groups[group].group.layer)];
    if (options.progress) options.progress(layer.name);
  };
  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    const std::set<std::size_t> distinct(plan.groups[g].problems.begin(), plan.groups[g].problems.end());
    for (const std::size_t p : distinct) users[p].push_back(g);
    open[g] = distinct.size();
    if (distinct.empty()) finished(g);
  }
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t p = next++; p < count; p = next++) {
      try {
        auto found = find_best(plan.problems[p], chip, options.objective);
        if (!found) {
          outcomes[p] = std::unexpected(found.error());
        } else {
          outcomes[p] =
              options.engine == Engine::roofline ? as_roofline(std::move(found->best), chip) : std::move(found->best);
        }
      } catch (...) { errors[p] = std::current_exception(); }
      const std::lock_guard lock(mutex);
      for (const std::size_t g : users[p]) {
        if (--open[g] == 0 && !errors[p]) finished(g);
      }
    }
  };
  {
    const std::size_t jobs = std::clamp<std::size_t>(static_cast<std::size_t>(std::max(options.jobs, 1)), 1,
                                                     std::max<std::size_t>(count, 1));
    std::vector<std::jthread> pool;
    for (std::size_t j = 1; j < jobs; ++j) pool.emplace_back(work);
    work();
  }
  std::vector<Outcome> results;
  results.reserve(count);
  for (std::size_t p = 0; p < count; ++p) {
    if (errors[p]) std::rethrow_exception(errors[p]);
    results.push_back(std::move(*outcomes[p]));
  }
  return results;
}

/// Runs of kernels: one and the fused ones in its shadow, as ranges [first, last).
std::vector<std::pair<std::size_t, std::size_t>> shadows(const std::vector<Kernel>& kernels) {
  std::vector<std::pair<std::size_t, std::size_t>> ranges;
  for (std::size_t k = 0; k < kernels.size(); ++k) {
    if (kernels[k].fused && !ranges.empty()) {
      ranges.back().second = k + 1;
    } else {
      ranges.emplace_back(k, k + 1);
    }
  }
  return ranges;
}

/// A layer before it is placed in the network: what it takes by itself, and what it takes of a pipeline.
struct TimedLayer {
  LayerEvaluation layer;
  Cycles whole, whole_bound;
  Cycles in_turn;  // on the whole chip, nothing beside it
  Cycles steady;   // as a stage of a pipeline
  Cycles drain;    // of the stage, paid once
  double fill_share = 0, resident = 0;
  Stage stage = Stage::in_turn;
  Joules dynamic_bound;
  Bytes traffic;  // at the outermost level, one execution
};

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

TimedLayer time_layer(const LoweredGroup& lowered, const Layer& source, const std::vector<Outcome>& outcomes,
                      const Chip& chip) {
  TimedLayer timed;
  LayerEvaluation& layer = timed.layer;
  layer.name = source.name;
  layer.op = source.op;
  layer.repeat = lowered.group.repeat;
  layer.macs = macs(source);
  layer.operations = 2.0 * static_cast<double>(layer.macs);
  Cycles ideal_macs, ideal_vector;
  for (std::size_t k = 0; k < lowered.kernels.size(); ++k) {
    const Evaluation& e = *outcomes[lowered.problems[k]];
    const std::int64_t repeat = lowered.kernels[k].repeat;
    const double times = static_cast<double>(repeat);
    layer.kernels.emplace_back(e, repeat);
    layer.energy.compute += times * e.energy.compute;
    layer.energy.memory += times * e.energy.memory;
    layer.energy.link += times * e.energy.link;
    timed.dynamic_bound += times * (e.energy_bound - static_power(chip) * (e.cycles_bound / chip.clock));
    timed.traffic += times * e.levels.front().traffic;
    if (e.problem.compute == Compute::vector) {
      layer.operations += times * e.problem.ops_per_point * static_cast<double>(e.problem.points());
    }
    (e.problem.compute == Compute::mac ? ideal_macs : ideal_vector) += times * e.utilization * e.cycles;
  }
  Cycles slowest;
  for (const auto& [first, last] : shadows(lowered.kernels)) {
    Cycles time, steady, bound;
    for (std::size_t k = first; k < last; ++k) {  // fused kernels run in the shadow of the first
      const Evaluation& e = layer.kernels[k].first;
      const double times = static_cast<double>(layer.kernels[k].second);
      time = std::max(time, times * e.cycles);
      steady = std::max(steady, times * (e.cycles - e.overhead));
      bound = std::max(bound, times * e.cycles_bound);
      if (times * e.cycles > slowest) {
        slowest = times * e.cycles;
        layer.bound = e.bounds.front().name;
      }
    }
    timed.whole += time;
    const ComputeCost& compute = layer.kernels[first].first.compute;
    if (compute.stage == Stage::in_turn) {
      timed.in_turn += time;
    } else {
      timed.stage = compute.stage;
      timed.steady += steady;
      timed.drain += compute.fill_drain;
      timed.fill_share = std::max(timed.fill_share, compute.fill_share);
      timed.resident += compute.resident;
    }
    timed.whole_bound += bound;
  }
  if (!layer.kernels.empty()) {
    const auto main = std::find_if(layer.kernels.begin(), layer.kernels.end(),
                                   [](const auto& kernel) { return kernel.first.problem.compute == Compute::mac; });
    layer.precision = precision_of((main == layer.kernels.end() ? layer.kernels.front() : *main).first.problem);
  }
  if (timed.whole.value > 0) layer.utilization = (layer.macs > 0 ? ideal_macs : ideal_vector) / timed.whole;
  if (timed.traffic.value > 0) layer.arithmetic_intensity = layer.operations / timed.traffic.value;
  return timed;
}

/// Sets the time that a layer contributes and the static energy of that time.
void contribute(LayerEvaluation& layer, Cycles cycles, const Chip& chip, double chips) {
  layer.cycles = cycles;
  layer.latency = cycles / chip.clock;
  layer.energy = with_static(layer.energy, chip, layer.latency, chips);
}

double gap(const TimedLayer& timed, const Chip& chip, Objective objective) {
  const EnergyBy energy = with_static(timed.layer.energy, chip, timed.whole / chip.clock, 1.0);
  const Joules least = timed.dynamic_bound + static_power(chip) * (timed.whole_bound / chip.clock);
  const double bound = score(timed.whole_bound, least, chip, objective);
  return bound > 0 ? std::max(0.0, score(timed.whole, energy.total(), chip, objective) / bound - 1.0) : 0.0;
}

/// What the layers of a pipeline share.
struct Pipeline {
  Cycles pace;       // time between two results of the pipeline
  Cycles steady;     // sum of the stages' steady times
  Cycles in_turn;    // work outside the pipeline: embedded processors
  double chips = 1;  // that hold all stages
};

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

/// Time that a layer contributes to one sample: its work in turn, its part of the pipeline's pace in proportion to its work, and
/// the wait for its first result. Over all layers these add up to: work in turn + pace + all fills.
Cycles contribution(const TimedLayer& timed, const Pipeline& pipeline) {
  Cycles cycles = timed.in_turn;
  if (timed.steady.value > 0) {
    cycles += (timed.steady / pipeline.steady + timed.fill_share) * pipeline.pace + timed.drain;
  }
  return cycles;
}

void note_capacity(NetworkEvaluation& result, const Chip& chip) {
  const BufferLevel& outer = chip.levels.front();
  if (!outer.capacity) return;
  const double capacity = outer.capacity->value * static_cast<double>(outer.instances);
  const double needed = static_cast<double>(result.peak_memory_bytes);
  if (needed <= capacity) return;
  result.notes.push_back(
      fmt::format("{} holds {:.4g} GB of the {:.4g} GB that weights and live activations need: {:.0f} chips",
                  outer.name, capacity / 1e9, needed / 1e9, std::ceil(needed / capacity)));
}

void note_graph(NetworkEvaluation& result, const WorkloadGraph& graph) {
  if (!graph.views.empty()) {
    std::vector<std::string> ops;
    for (const FreeView& view : graph.views) {
      if (std::find(ops.begin(), ops.end(), view.op) == ops.end()) ops.push_back(view.op);
    }
    result.notes.push_back(fmt::format("free views, no cost: {} ({})", graph.views.size(), fmt::join(ops, ", ")));
  }
  if (!graph.unmodelled.empty()) {
    result.notes.push_back(fmt::format("only the traffic is counted of: {}", fmt::join(graph.unmodelled, ", ")));
  }
}

NetworkEvaluation heading(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options) {
  NetworkEvaluation result;
  result.workload = graph.name;
  result.workload_source = graph.source;
  result.chip = chip.name;
  result.family = chip.family;
  result.chip_source = chip.source;
  result.energy_table = chip.energy_table;
  result.validation = chip.validation;
  result.batch = graph.batch;
  result.macs = total_macs(graph);
  result.params = graph.weight_elements;
  result.layer_count = static_cast<std::int64_t>(graph.layers.size());
  result.engine = options.engine;
  result.objective = options.objective;
  return result;
}

std::string failure_of(const Plan& plan, const WorkloadGraph& graph, const Chip& chip,
                       const std::vector<Outcome>& outcomes) {
  for (const LoweredGroup& lowered : plan.groups) {
    for (const std::size_t p : lowered.problems) {
      if (outcomes[p]) continue;
      const Infeasible& why = outcomes[p].error();
      return fmt::format("layer {} does not fit on {}: {}: {}",
                         graph.layers[static_cast<std::size_t>(lowered.group.layer)].name, chip.name, why.level,
                         why.reason);
    }
  }
  return "";
}

/// Totals from the layers in their order; `pipeline.pace` is zero for a sequential chip.
void sum_up(NetworkEvaluation& result, Bytes dram, Cycles ideal, Cycles work, const Pipeline& pipeline,
            const Chip& chip) {
  for (const LayerEvaluation& layer : result.layers) {
    const double times = static_cast<double>(layer.repeat);
    result.cycles += times * layer.cycles;
    result.latency += times * layer.latency;
    result.energy.compute += times * layer.energy.compute;
    result.energy.memory += times * layer.energy.memory;
    result.energy.link += times * layer.energy.link;
    result.energy.static_ += times * layer.energy.static_;
    result.operations += times * layer.operations;
  }
  result.dram = dram;
  if (work.value > 0) result.utilization = ideal / work;
  if (result.latency.value > 0) {
    const bool pipelined = pipeline.pace.value > 0;
    const Seconds interval = pipelined ? std::max(pipeline.pace, pipeline.in_turn) / chip.clock : result.latency;
    result.average_power = result.energy.total() / result.latency;
    const Watts limit = pipeline.chips * chip.tdp;
    if (limit.value > 0 && result.average_power > limit) {
      result.notes.push_back(
          fmt::format("average power {:.4g} W is above the limit of {:.4g} W: the chip would lower its clock, which is "
                      "not modelled",
                      result.average_power.value, limit.value));
    }
    result.throughput_per_s = static_cast<double>(result.batch) / interval.value;
  }
}

/// The layers in the order of execution, with the times of the simulation.
void simulate_in_order(NetworkEvaluation& result, const Plan& plan, const std::vector<TimedLayer>& timed,
                       const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options) {
  std::vector<std::size_t> group_of(graph.layers.size());
  for (std::size_t g = 0; g < plan.groups.size(); ++g) {
    for (const int member : plan.groups[g].group.members) group_of[static_cast<std::size_t>(member)] = g;
  }
  std::vector<std::vector<bool>> fused;
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    LayerEvaluation layer = timed[group_of[l]].layer;
    layer.name = graph.layers[l].name;
    layer.repeat = 1;
    fused.emplace_back();
    for (const Kernel& kernel : plan.groups[group_of[l]].kernels) fused.back().push_back(kernel.fused);
    result.layers.push_back(std::move(layer));
  }
  try {
    simulate_layers(result.layers, fused, chip, options.limits, options.watch);
  } catch (const PlayError& error) {
    result.layers.clear();
    result.failure = error.what();
    return;
  }
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    LayerEvaluation& layer = result.layers[l];
    const Cycles whole = timed[group_of[l]].whole;
    if (layer.cycles.value > 0) layer.utilization *= whole / layer.cycles;
    contribute(layer, layer.cycles, chip, 1.0);
  }
}

}  // namespace

NetworkEvaluation evaluate_network(const WorkloadGraph& asked, const Chip& chip, const NetworkOptions& options) {
  NetworkEvaluation result = heading(asked, chip, options);
  WorkloadGraph graph = asked;
  if (options.precision_given) {
    result.failure = unsupported_format(graph, chip);
    if (!result.failure.empty()) return result;
  } else {
    result.notes = substitute_formats(graph, chip);
  }
  result.peak_memory_bytes = checked_add(peak_activation_bytes(graph), weight_bytes(graph));
  note_capacity(result, chip);
  note_graph(result, graph);
  if (static_power(chip).value == 0) {
    result.notes.push_back("no static power is counted: the chip file gives none, or its energy per event includes it");
  }

  const Plan plan = plan_layers(graph, chip);
  const std::vector<Outcome> outcomes = evaluate_problems(plan, graph, chip, options);
  result.failure = failure_of(plan, graph, chip, outcomes);
  if (!result.failure.empty()) return result;

  std::vector<TimedLayer> timed;
  Bytes dram;
  Cycles ideal, work;
  for (const LoweredGroup& lowered : plan.groups) {
    TimedLayer t = time_layer(lowered, graph.layers[static_cast<std::size_t>(lowered.group.layer)], outcomes, chip);
    t.layer.optimality_gap = gap(t, chip, options.objective);
    const double times = static_cast<double>(t.layer.repeat);
    dram += times * t.traffic;
    if (t.layer.macs > 0) ideal += times * t.layer.utilization * t.whole;
    work += times * t.whole;
    timed.push_back(std::move(t));
  }
  if (options.engine == Engine::systemc) {
    if (is_pipelined(chip)) {
      result.notes.push_back(
          "the layers of this chip work at once as a pipeline; the simulation plays them one after another, each on "
          "the "
          "whole chip");
    }
    simulate_in_order(result, plan, timed, graph, chip, options);
    if (!result.failure.empty()) return result;
    Cycles simulated;
    for (const LayerEvaluation& layer : result.layers) simulated += layer.cycles;
    sum_up(result, dram, ideal, simulated, Pipeline{}, chip);
    return result;
  }
  const Pipeline pipeline = pipeline_of(timed);
  if (pipeline.chips > 1) {
    result.notes.push_back(
        fmt::format("the network is resident on {:.0f} chips; static power is that of all of them", pipeline.chips));
  }
  for (TimedLayer& t : timed) {
    contribute(t.layer, contribution(t, pipeline), chip, pipeline.chips);
    result.layers.push_back(std::move(t.layer));
  }
  sum_up(result, dram, ideal, work, pipeline, chip);
  return result;
}

}  // namespace tilewright
