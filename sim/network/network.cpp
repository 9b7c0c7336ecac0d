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
#include "sim/network/library_time.hpp"
#include "sim/network/precision.hpp"
#include "sim/network/residency.hpp"
#include "sim/network/shadows.hpp"
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
    bytes = checked_add(bytes, tensor_bytes(tensor));
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
  Boundary boundary;
  for (const TensorId id : layer.inputs) {
    boundary.in |= graph.tensors[static_cast<std::size_t>(storage_of(graph, id))].kind == TensorKind::input;
  }
  for (const TensorId id : layer.outputs) {
    boundary.out |= std::any_of(graph.outputs.begin(), graph.outputs.end(),
                                [&](TensorId out) { return storage_of(graph, out) == storage_of(graph, id); });
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
        auto found = find_best(plan.problems[p], chip, search_options(options));
        if (!found) {
          outcomes[p] = std::unexpected(found.error());
        } else {
          found->best.search_gap = found->gap;
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

/// Equal layers that run in the same way.
struct EvaluatedGroup {
  int layer = 0;  // index in the graph: the first of them
  std::int64_t repeat = 1;
  std::vector<EvaluatedKernel> kernels;
  Cycles wait;  // on top of the kernels: transfers that nothing hides, on a stack the host
  std::optional<Placement> placement;
  std::optional<LibraryTime> library;
};

/// Runs of kernels: one and the fused ones in its shadow, as ranges [first, last).
std::vector<std::pair<std::size_t, std::size_t>> shadows(const std::vector<EvaluatedKernel>& kernels) {
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
  Cycles whole;
  Cycles in_turn;  // on the whole chip, nothing beside it
  Cycles steady;   // as a stage of a pipeline
  Cycles drain;    // of the stage, paid once
  double fill_share = 0, resident = 0;
  Stage stage = Stage::in_turn;
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

TimedLayer time_layer(const EvaluatedGroup& group, const Layer& source, const Chip& chip, Objective objective) {
  TimedLayer timed;
  LayerEvaluation& layer = timed.layer;
  layer.name = source.name;
  layer.op = source.op;
  layer.repeat = group.repeat;
  layer.placement = group.placement;
  layer.library = group.library;
  layer.macs = macs(source);
  layer.operations = 2.0 * static_cast<double>(layer.macs);
  Cycles ideal_macs, ideal_vector;
  double scores = 0, unproven = 0;  // of the kernels: what of their scores lies above the proven bounds
  for (const auto& [e, repeat, fused] : group.kernels) {
    const double times = static_cast<double>(repeat);
    layer.kernels.emplace_back(e, repeat);
    layer.energy.compute += times * e.energy.compute;
    layer.energy.memory += times * e.energy.memory;
    layer.energy.link += times * e.energy.link;
    scores += times * score(e, chip, objective);
    unproven += times * score(e, chip, objective) * e.search_gap;
    timed.traffic += times * e.levels.front().traffic;
    if (e.problem.compute == Compute::vector) {
      layer.operations += times * e.problem.ops_per_point * static_cast<double>(e.problem.points());
    }
    (e.problem.compute == Compute::mac ? ideal_macs : ideal_vector) += times * e.utilization * e.cycles;
  }
  Cycles slowest;
  for (const auto& [first, last] : shadows(group.kernels)) {
    std::vector<RunTime> run;
    Cycles steady;
    for (std::size_t k = first; k < last; ++k) {  // fused kernels run in the shadow of the first
      const Evaluation& e = layer.kernels[k].first;
      const double times = static_cast<double>(layer.kernels[k].second);
      run.push_back(run_time(e, layer.kernels[k].second, group.kernels[k].fused, chip));
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
  }
  if (group.wait > slowest) layer.bound = group.library ? "overhead" : "memory:" + chip.levels.front().name;
  timed.whole += group.wait;
  timed.in_turn += group.wait;
  if (!layer.kernels.empty()) {
    const auto main = std::find_if(layer.kernels.begin(), layer.kernels.end(),
                                   [](const auto& kernel) { return kernel.first.problem.compute == Compute::mac; });
    layer.precision = precision_of((main == layer.kernels.end() ? layer.kernels.front() : *main).first.problem);
  }
  if (scores > 0) layer.optimality_gap = unproven / scores;
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

void note_failure(NetworkEvaluation& result, const Plan& plan, const WorkloadGraph& graph, const Chip& chip,
                  const std::vector<Outcome>& outcomes) {
  for (const LoweredGroup& lowered : plan.groups) {
    for (const std::size_t p : lowered.problems) {
      if (outcomes[p]) continue;
      const Infeasible& why = outcomes[p].error();
      result.infeasible = why;
      result.failure = fmt::format("layer {} does not fit on {}: {}: {}{}{}",
                                   graph.layers[static_cast<std::size_t>(lowered.group.layer)].name, chip.name,
                                   why.level, why.reason, why.remedy.empty() ? "" : "; ", why.remedy);
      return;
    }
  }
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

/// Layers of the groups in their order, and what they add up to.
struct TimedNetwork {
  std::vector<TimedLayer> layers;
  Bytes dram;
  Cycles ideal, work;
};

TimedNetwork time_layers(const std::vector<EvaluatedGroup>& groups, const WorkloadGraph& graph, const Chip& chip,
                         Objective objective) {
  TimedNetwork network;
  for (const EvaluatedGroup& group : groups) {
    TimedLayer t = time_layer(group, graph.layers[static_cast<std::size_t>(group.layer)], chip, objective);
    const double times = static_cast<double>(t.layer.repeat);
    network.dram += times * t.traffic;
    if (t.layer.macs > 0) network.ideal += times * t.layer.utilization * t.whole;
    network.work += times * t.whole;
    network.layers.push_back(std::move(t));
  }
  return network;
}

/// Layers and totals of the groups in their order.
void total_up(NetworkEvaluation& result, const std::vector<EvaluatedGroup>& groups, const WorkloadGraph& graph,
              const Chip& chip, const NetworkOptions& options) {
  TimedNetwork timed = time_layers(groups, graph, chip, options.objective);
  const Pipeline pipeline = pipeline_of(timed.layers);
  if (pipeline.chips > 1) {
    result.notes.push_back(
        fmt::format("the network is resident on {:.0f} chips; static power is that of all of them", pipeline.chips));
  }
  for (TimedLayer& t : timed.layers) {
    contribute(t.layer, contribution(t, pipeline), chip, pipeline.chips);
    result.layers.push_back(std::move(t.layer));
  }
  result.batch = graph.batch;
  sum_up(result, timed.dram, timed.ideal, timed.work, pipeline, chip);
}

std::vector<EvaluatedGroup> layer_by_layer_groups(const Plan& plan, const std::vector<Outcome>& outcomes) {
  std::vector<EvaluatedGroup> groups;
  for (const LoweredGroup& lowered : plan.groups) {
    EvaluatedGroup group{lowered.group.layer, lowered.group.repeat, {}, {}, std::nullopt, std::nullopt};
    for (std::size_t k = 0; k < lowered.kernels.size(); ++k) {
      group.kernels.push_back({*outcomes[lowered.problems[k]], lowered.kernels[k].repeat, lowered.kernels[k].fused});
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

/// Gives the groups the times of the library's launches behind the stack. Layers that no library runs keep those of their mappings.
void run_on_stack(std::vector<EvaluatedGroup>& groups, const Plan& plan, const WorkloadGraph& graph, const Chip& chip,
                  const SoftwareStack& stack) {
  std::vector<std::optional<std::vector<LibraryLaunch>>> launches;
  std::vector<std::size_t> group_of(graph.layers.size());
  std::vector<QueuedLayer> queued(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const int member : plan.groups[g].group.members) group_of[static_cast<std::size_t>(member)] = g;
    launches.push_back(family_of(chip).library(chip, plan.groups[g].kernels));
    queued[g] = {0, Seconds{0}};
    if (launches[g]) {
      take_library_times(groups[g].kernels, *launches[g], chip);
      for (const LibraryLaunch& launch : *launches[g]) {
        queued[g].launches += launch.launches;
        queued[g].busy += launch.busy;
      }
    } else {
      for (const EvaluatedKernel& kernel : groups[g].kernels) {
        queued[g].launches += kernel.repeat;
        queued[g].busy += static_cast<double>(kernel.repeat) * (kernel.evaluation.cycles / chip.clock);
      }
    }
  }
  std::vector<QueuedLayer> in_order;
  for (const std::size_t g : group_of) in_order.push_back(queued[g]);
  const std::vector<Seconds> waited = waits(in_order, stack.host);
  std::vector<Seconds> sums(groups.size());
  for (std::size_t l = 0; l < group_of.size(); ++l) sums[group_of[l]] += waited[l];
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!launches[g]) continue;  // the launch overhead of the chip file is part of the mapping's time
    const Seconds wait = sums[g] / static_cast<double>(groups[g].repeat);
    groups[g].wait = wait * chip.clock;
    groups[g].library = library_time(*launches[g], wait);
  }
}

/// What the report says about a time on a stack: the software, the board's energy, and the error to expect, weighted by the layers' times.
void note_stack(NetworkEvaluation& result, const Chip& chip, const SoftwareStack& stack) {
  result.stack = stack.name;
  result.stack_meaning = stack.meaning;
  double board = 0, banded = 0, weighted = 0, busy = 0;
  bool same_device = true;
  std::vector<std::string> by_mapping;
  for (const LayerEvaluation& layer : result.layers) {
    const double times = static_cast<double>(layer.repeat);
    if (!layer.library) {
      by_mapping.push_back(layer.name);
      board += times * layer.energy.total().value;
      busy += times * layer.latency.value;
      continue;
    }
    const LibraryTime& time = *layer.library;
    board += times * (time.board + static_power(chip) * time.wait).value;
    busy += times * time.busy.value;
    if (!time.band_pct) continue;
    banded += times * time.banded.value;
    weighted += times * time.banded.value * *time.band_pct;
    same_device = same_device && time.same_device;
  }
  result.board = Joules{board};
  if (!by_mapping.empty())
    result.notes.push_back(fmt::format(
        "no library kernel for the formats of {} layers, {} the first: their times are those of the mappings",
        by_mapping.size(), by_mapping.front()));
  if (banded <= 0) return;
  result.band_pct = weighted / banded;
  result.validation = fmt::format("kernel times validated on {}", same_device ? "this device" : "other devices");
  if (banded < 0.995 * busy)
    result.validation += fmt::format("; {:.0f} % of the busy time has no measured rows", 100 * (1 - banded / busy));
}

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

struct ResidentNetwork {
  std::vector<EvaluatedGroup> groups;
  Residency summary;
};

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

/// The best plan of residency and fusion; equal layers that run alike are one group.
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

/// The layers in the order of execution, with the times of the simulation.
void simulate_in_order(NetworkEvaluation& result, const Plan& plan, const TimedNetwork& network,
                       const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options) {
  const std::vector<TimedLayer>& timed = network.layers;
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
    simulate_layers(graph, result.layers, fused, chip, {options.requests, options.limits, options.watch});
  } catch (const PlayError& error) {
    result.layers.clear();
    result.failure = error.what();
    return;
  }
  const double requests = static_cast<double>(options.requests);
  const double chips = pipeline_of(timed).chips;
  Cycles simulated;
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    LayerEvaluation& layer = result.layers[l];
    // A stage works while others do: its utilization is that of the lanes that it holds, not of what it adds to the latency.
    if (layer.cycles.value > 0 && !is_pipelined(chip))
      layer.utilization *= requests * (timed[group_of[l]].whole / layer.cycles);
    layer.macs = checked_mul(layer.macs, options.requests);
    layer.operations *= requests;
    contribute(layer, layer.cycles, chip, chips);
    simulated += layer.cycles;
  }
  sum_up(result, requests * network.dram, requests * network.ideal, chips * simulated, Pipeline{}, chip);
  result.throughput_per_s *= requests;
  if (options.requests > 1) {
    result.notes.push_back(
        fmt::format("{} requests in flight, one behind the other: all figures are those of all of them "
                    "together",
                    options.requests));
  } else if (is_pipelined(chip)) {
    result.notes.push_back(
        "one sample is alone in the pipeline: samples/s is 1 / latency; --requests N keeps N in flight");
  }
}

}  // namespace

SearchOptions search_options(const NetworkOptions& options) {
  SearchOptions search;
  search.objective = options.objective;
  search.factors = options.factors;
  search.free_keeps = options.free_keeps;
  search.uneven = options.uneven;
  search.budget = options.thorough ? thorough_budget : quick_budget;
  search.other_objectives = options.thorough;
  return search;
}

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
  note_failure(result, plan, graph, chip, outcomes);
  if (!result.failure.empty()) return result;

  if (options.residency == ResidencyOption::on && options.engine != Engine::systemc && !plan.groups.empty()) {
    if (const std::string why = residency_excluded(chip); !why.empty()) {
      result.notes.push_back(fmt::format("layer by layer: residency is left out on {}: {}", chip.name, why));
    } else {
      NetworkEvaluation layer_by_layer;
      total_up(layer_by_layer, layer_by_layer_groups(plan, outcomes), graph, chip, options);
      ResidentNetwork resident = resident_groups(plan, outcomes, graph, chip, options);
      resident.summary.latency = layer_by_layer.latency;
      resident.summary.energy = layer_by_layer.energy.total();
      resident.summary.dram = layer_by_layer.dram;
      result.residency = std::move(resident.summary);
      total_up(result, resident.groups, graph, chip, options);
      return result;
    }
  }
  if (options.engine == Engine::systemc) {
    simulate_in_order(result, plan, time_layers(layer_by_layer_groups(plan, outcomes), graph, chip, options.objective),
                      graph, chip, options);
    return result;
  }
  std::vector<EvaluatedGroup> groups = layer_by_layer_groups(plan, outcomes);
  const bool on_stack =
      options.stack != nullptr && options.engine == Engine::analytical && family_of(chip).library != nullptr;
  if (on_stack) run_on_stack(groups, plan, graph, chip, *options.stack);
  total_up(result, groups, graph, chip, options);
  if (on_stack) note_stack(result, chip, *options.stack);
  return result;
}

}  // namespace tilewright
