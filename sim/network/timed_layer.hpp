// Time and energy of a layer from its kernels, alone and as a stage of a pipeline.
#pragma once

#include <optional>
#include <vector>

#include "sim/network/library_time.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

/// Equal layers that run in the same way.
struct EvaluatedGroup {
  int layer = 0;  // index in the graph: the first of them
  std::int64_t repeat = 1;
  std::vector<EvaluatedKernel> kernels;
  Cycles wait;  // on top of the kernels: transfers that nothing hides, on a stack the host
  std::optional<Placement> placement;
  std::optional<LibraryTime> library;
};

/// The same, evaluated elsewhere.
struct GroupView {
  struct KernelView {
    const Evaluation* evaluation = nullptr;
    std::int64_t repeat = 1;
    bool fused = false;
  };
  int layer = 0;
  std::int64_t repeat = 1;
  std::vector<KernelView> kernels;
  Cycles wait;
  bool on_library = false;  // times of the kernels are those of the library
};

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

/// What the layers of a pipeline share.
struct Pipeline {
  Cycles pace;       // time between two results of the pipeline
  Cycles steady;     // sum of the stages' steady times
  Cycles in_turn;    // work outside the pipeline: embedded processors
  double chips = 1;  // that hold all stages
};

/// On a chip without a pipeline the pace is 0. `chips`: that a network of resident neurons needs.
Pipeline pipeline_of(const std::vector<TimedLayer>& layers);

/// Time that a layer contributes to one sample: its work in turn, its part of the pipeline's pace in proportion to its work, and
/// the wait for its first result. Over all layers these add up to: work in turn + pace + all fills.
Cycles contribution(const TimedLayer& timed, const Pipeline& pipeline);

/// Sets the time that a layer contributes and the static energy of that time.
void contribute(LayerEvaluation& layer, Cycles cycles, const Chip& chip, double chips);

/// Layers of the groups in their order, and what they add up to.
struct TimedNetwork {
  std::vector<TimedLayer> layers;
  Bytes dram;
  Cycles ideal, work;
};

/// `objective`: in which the optimality gap of a layer is counted.
TimedNetwork time_layers(const std::vector<EvaluatedGroup>& groups, const WorkloadGraph& graph, const Chip& chip,
                         Objective objective);
/// The same, layers without their kernels, placement and library time.
TimedNetwork time_layers(const std::vector<GroupView>& groups, const WorkloadGraph& graph, const Chip& chip,
                         Objective objective);

}  // namespace tilewright
