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
#include "sim/network/earlier.hpp"
#include "sim/network/exchange.hpp"
#include "sim/network/on_stack.hpp"
#include "sim/network/plan.hpp"
#include "sim/network/ports.hpp"
#include "sim/network/precision.hpp"
#include "sim/network/residency.hpp"
#include "sim/network/resident.hpp"
#include "sim/network/simulated.hpp"
#include "sim/network/timed_layer.hpp"
#include "sim/network/totals.hpp"
#include "sim/network/training.hpp"

namespace tilewright {
namespace {

/// The mappings of the same problem in another evaluation, as far as they keep the chip's order of levels.
void offer_mappings(SearchResult& found, const NetworkEvaluation& start, const Problem& problem, const Chip& chip,
                    const NetworkOptions& options) {
  for (const LayerEvaluation& layer : start.layers) {
    for (const auto& [evaluation, repeat] : layer.kernels) {
      const bool same_order =
          std::ranges::equal(evaluation.levels, chip.levels, {}, &LevelCost::name, &BufferLevel::name);
      if (same_order && evaluation.problem == problem)
        offer(found, problem, chip, search_options(options), evaluation.mapping);
    }
  }
}

/// With the best mapping of the earlier answers where one can stand, else with the best one that is found.
Outcome best_outcome(const Problem& problem, const Chip& chip, const std::vector<const Mapping*>& earlier,
                     const NetworkOptions& options) {
  if (auto known = with_earlier(problem, chip, earlier, options.objective)) return std::move(*known);
  if (options.limits.stop && options.limits.stop()) throw Stopped();
  auto found = find_best(problem, chip, search_options(options));
  if (!found) return std::unexpected(std::move(found.error()));
  if (options.start != nullptr) offer_mappings(*found, *options.start, problem, chip, options);
  found->best.search_gap = unproven(*found);
  return std::move(found->best);
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
  const std::vector<std::vector<const Mapping*>> earlier = mappings_of(options.earlier, plan, graph);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t p = next++; p < count; p = next++) {
      try {
        Outcome outcome = best_outcome(plan.problems[p], chip, earlier[p], options);
        if (outcome && options.engine == Engine::roofline) outcome = as_roofline(std::move(*outcome), chip);
        outcomes[p] = std::move(outcome);
      } catch (...) {
        errors[p] = std::current_exception();
        next = count;  // what came before is at work already: the first error by index stays the same
      }
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

/// Chips that hold weights and live activations. Of a shared graph the shared weights and inputs (caches) shrink with more chips, the rest,
/// all other activations among it, stays on each of them.
void note_capacity(NetworkEvaluation& result, const WorkloadGraph& graph, const Chip& chip) {
  const BufferLevel& outer = chip.levels.front();
  if (!outer.capacity) return;
  const Bytes capacity = static_cast<double>(outer.instances) * *outer.capacity;
  const Bytes needed{static_cast<double>(result.peak_memory_bytes)};
  const std::int64_t gpus = graph.tensor_parallel.gpus;
  Bytes shared;
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.parts > 1 && tensor.alias_of < 0 && tensor.kind != TensorKind::activation)
      shared += Bytes{static_cast<double>(tensor_bytes(tensor))};
  }
  const Bytes room = gpus > 1 ? capacity - (needed - shared) : capacity;
  result.chips_for_memory =
      room.value <= 0 ? 0 : gpus_needed(gpus > 1 ? static_cast<double>(gpus) * shared : needed, room);
  if (needed <= capacity) return;
  result.notes.push_back(fmt::format(
      "{} holds {:.4g} GB of the {:.4g} GB that weights and live activations {}need: {}", outer.name,
      capacity.value / 1e9, needed.value / 1e9, gpus > 1 ? fmt::format("of one of {} GPUs ", gpus) : "",
      result.chips_for_memory > 0 ? fmt::format("{} chips", result.chips_for_memory) : "no number of chips does"));
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

/// The last step of an epoch may be short, but takes as long.
std::int64_t steps_of_epoch(const TrainingStep& step, std::int64_t batch, std::int64_t samples) {
  return ceil_div(samples, step.parallel == "data" ? checked_mul(batch, step.gpus) : batch);
}

void note_whole(NetworkEvaluation& result, const TensorParallel& parallel) {
  if (parallel.whole.empty()) return;
  result.notes.push_back(fmt::format("products that every GPU computes whole: {}, {} the first", parallel.whole.size(),
                                     parallel.whole.front()));
}

/// What a causal mask saves, and which masks are only taken to be causal.
void note_causal(NetworkEvaluation& result, const WorkloadGraph& graph, bool on_stack) {
  std::int64_t layers = 0;
  std::set<std::string> taken;
  for (const Layer& layer : graph.layers) {
    const auto* work = std::get_if<Attention>(&layer.work);
    if (work == nullptr || !work->causal || work->queries != work->keys || work->queries == 1) continue;
    ++layers;
    bool known = layer.inputs.size() <= 3;  // no mask: the operator itself is causal
    for (std::size_t i = 3; i < layer.inputs.size(); ++i)
      known = known || graph.tensors[static_cast<std::size_t>(layer.inputs[i])].causal;
    for (std::size_t i = 3; i < layer.inputs.size() && !known; ++i) {
      const Tensor& mask = graph.tensors[static_cast<std::size_t>(layer.inputs[i])];
      if (mask.kind == TensorKind::input) taken.insert(mask.name);
    }
  }
  if (layers == 0) return;
  result.notes.push_back(fmt::format(
      "causal attention in {} layers: {}", layers,
      on_stack ? "the library's kernels skip masked tiles in time, operations and board energy; MACs and counts "
                 "by level are of all queries x keys"
               : "mappings compute all queries x keys"));
  if (!taken.empty())
    result.notes.push_back(fmt::format("mask {} comes when the network runs, as many keys as queries: taken as causal",
                                       fmt::join(taken, ", ")));
}

void note_failure(NetworkEvaluation& result, const Plan& plan, const WorkloadGraph& graph, const Chip& chip,
                  const std::vector<Outcome>& outcomes) {
  for (const LoweredGroup& lowered : plan.groups) {
    for (const std::size_t p : lowered.problems) {
      if (outcomes[p]) continue;
      const Infeasible& why = outcomes[p].error();
      result.infeasible = why;
      result.failure = misfit(graph.layers[static_cast<std::size_t>(lowered.group.layer)].name, chip, why);
      return;
    }
  }
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
  search.latency_slack = options.latency_slack;
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
  note_capacity(result, graph, chip);
  note_graph(result, graph);
  if (static_power(chip).value == 0) {
    result.notes.push_back("no static power is counted: the chip file gives none, or its energy per event includes it");
  }

  const bool on_stack = options.stack && options.engine == Engine::analytical && family_of(chip).library != nullptr;
  if (graph.tensor_parallel.gpus > 1 && !on_stack) {
    result.failure =
        fmt::format("{} is no GPU behind a software stack: tensor parallelism has no link there", chip.name);
    return result;
  }
  note_causal(result, graph, on_stack);
  const Plan plan = plan_layers(graph, chip);
  const std::vector<Outcome> outcomes = evaluate_problems(plan, graph, chip, options);
  note_failure(result, plan, graph, chip, outcomes);
  if (!result.failure.empty()) return result;

  if (options.residency == ResidencyOption::on && options.engine != Engine::systemc && !plan.groups.empty()) {
    if (const std::string why = residency_excluded(chip); !why.empty()) {
      result.notes.push_back(fmt::format("layer by layer: residency is left out on {}: {}", chip.name, why));
    } else {
      NetworkEvaluation layer_by_layer;
      total_up(layer_by_layer, time_layers(layer_by_layer_groups(plan, outcomes), graph, chip, options.objective),
               graph, chip);
      ResidentNetwork resident = resident_groups(plan, outcomes, graph, chip, options);
      resident.summary.latency = layer_by_layer.latency;
      resident.summary.energy = layer_by_layer.energy.total();
      resident.summary.dram = layer_by_layer.dram;
      result.residency = std::move(resident.summary);
      total_up(result, time_layers(resident.groups, graph, chip, options.objective), graph, chip);
      return result;
    }
  }
  if (options.engine == Engine::systemc) {
    simulate_in_order(result, plan, time_layers(layer_by_layer_groups(plan, outcomes), graph, chip, options.objective),
                      graph, chip, options);
    return result;
  }
  std::vector<EvaluatedGroup> groups = layer_by_layer_groups(plan, outcomes);
  if (on_stack) run_on_stack(groups, plan, graph, chip, *options.stack);
  total_up(result, time_layers(groups, graph, chip, options.objective), graph, chip);
  if (on_stack) note_stack(result, *options.stack);
  if (graph.tensor_parallel.gpus > 1) {
    result.parallel = tensor_parallel_run(result, graph, chip);
    note_whole(result, graph.tensor_parallel);
  }
  if (options.train != Optimizer::none) {
    if (on_stack) {
      result.training =
          training_step(graph, chip, *options.stack, options.train, options.gpus, options.pipelined_training);
      if (result.training->gpus_for_memory > 1 && result.training->parallel != "tensor" && !options.pipelined_training)
        result.notes.push_back(
            "one GPU does not hold the training step's memory, and data parallel keeps all of it on each: the step "
            "runs "
            "only with states shared among GPUs, which is not modelled");
      result.training->epoch_steps = steps_of_epoch(*result.training, graph.batch, options.epoch);
      if (const TrainingStep& step = *result.training;
          step.parallel == "tensor" && (step.gpus_for_memory == 0 || step.gpus_for_memory > step.gpus))
        result.notes.push_back(fmt::format("{} GPUs do not hold the training step's memory", step.gpus));
    } else {
      result.notes.push_back(fmt::format("no training step: kernels of a {} have no backward model", chip.family));
    }
  }
  return result;
}

}  // namespace tilewright
