// The stages of a pipelined chip: which rows of its inputs each layer of a graph needs for a row of its result.
#pragma once

#include "sim/cost/evaluation.hpp"
#include "sim/twin/pipeline.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

struct Stages {
  std::vector<PipelineStage>
      stages;                // a source before every layer that reads an input of the graph, a stage for every layer
  std::int64_t samples = 1;  // of the batch, one after another through the stages
};

/// A row is one of the first position axis of a window operator, of M of a product, of the first input where a result has as many
/// words; operators that sum over positions have one. A window operator needs the rows of its window (padding half above, half below),
/// the second activation of a product is needed as a whole, all else in proportion. Rows of images are handed on
/// pixel by pixel, or in fewer equal parts: at most 2048 of them a sample.
/// Stages share the lanes in proportion to their work: each is at work for as long as all together would be on all lanes.
/// `fused[i][k]`: kernel k of layer i runs in the shadow of the one before. The layers outlive the stages.
Stages stages_of(const WorkloadGraph& graph, const std::vector<LayerEvaluation>& layers,
                 const std::vector<std::vector<bool>>& fused, std::int64_t fifo_rows);

}  // namespace tilewright
