// A whole graph on a chip: equal layers evaluated once, summed in layer order.
#pragma once

#include <functional>

#include "arch_models/gpu/parallel.hpp"
#include "arch_models/gpu/stack.hpp"
#include "sim/search/search.hpp"
#include "sim/twin/program.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

/// Layer by layer every result goes to the outermost level and back, as in other tools; `on` decides over the graph what stays on chip.
enum class ResidencyOption { none, on };

struct NetworkOptions {
  Engine engine = Engine::analytical;
  Objective objective = Objective::latency;
  ResidencyOption residency = ResidencyOption::none;
  Factors factors = SearchOptions{}.factors;
  bool free_keeps = false, uneven = false;  // as SearchOptions
  double latency_slack = 0;                 // percent, of every kernel on its own; as SearchOptions
  bool thorough = false;                    // thorough_budget and other_objectives of SearchOptions
  /// Where a vendor's library decides how kernels run (GPUs): the software around it, whose time the network takes. None or an engine
  /// other than analytical: the time of the mappings.
  std::optional<SoftwareStack> stack;
  Optimizer train =
      Optimizer::none;    // on a stack also a training step with this optimiser; needs operators that are not fused
  std::int64_t gpus = 1;  // that share the training step
  bool pipelined_training =
      false;  // false: each GPU has a whole model and a batch of its own; true: a run of layers of the one batch
  std::int64_t epoch = 0;        // samples of an epoch of training; 0: not asked for
  bool precision_given = false;  // false: an unsupported format is replaced by the chip's nearest one, with a note
  /// Nothing is searched where a mapping of one of these earlier answers, as it is or `fitted`, can stand for the layer of the same name: a quick answer with
  /// exact costs of mappings that may not be the best. Empty: all are searched.
  std::vector<const NetworkEvaluation*> earlier;
  int jobs = 1;
  std::int64_t requests = 1;  // of a simulation: so many in flight, one behind the other
  PlayLimits limits;          // of a simulation; its `stop` is also asked before a mapping is searched
  const NetworkEvaluation* start =
      nullptr;  // of the same graph on another chip: its mappings are offered to the search
  std::function<Observer*(const Program&)>
      watch;  // engine systemc: sees every transaction; asked once before it starts
  std::function<void(std::string_view)> progress;  // called once per finished layer group
};

/// What each layer is searched with.
SearchOptions search_options(const NetworkOptions& options);

/// Never throws for a layer that does not fit: the result then carries `failure` with level, bytes and layer.
/// Sequential chips: latency is the sum of the layers. Pipelined chips (streaming, neuromorphic): each layer contributes its fill, the slowest
/// one also its steady time, so that the layers still add up to the total. With residency equal layers that run differently are apart.
/// Engine systemc: the layers in the order of execution (without residency), each with the time that it added to the simulation of the
/// whole network; PlayError becomes `failure`, Stopped is thrown.
/// A graph that GPUs share (transform/shard.hpp) is that of one of them: so are all figures but those of `parallel` and of the training step;
/// its exchanges are layers bound by the link. Other chips and engines: `failure`.
/// With a stack the layers' times are those of the library's launches and of the waits between them, summed over the graph in its order; equal
/// layers share the mean of their waits. Access counts, traffic and energy stay those of the mappings.
NetworkEvaluation evaluate_network(const WorkloadGraph& graph, const Chip& chip, const NetworkOptions& options);

}  // namespace tilewright
