// Residency: which activations stay on chip, which layers run depth-first, which weights are loaded ahead. Exact over its stated space.
#pragma once

#include <string>
#include <vector>

#include "sim/network/mapping_memo.hpp"
#include "sim/network/ports.hpp"

namespace tilewright {

/// Some runs of one problem within a layer.
struct KernelRuns {
  std::size_t problem = 0;  // number in the memo
  std::int64_t repeat = 1;
  bool fused = false;
  bool loads_weights = false;       // the load of the weights from the outermost level is charged to this run
  std::vector<std::size_t> placed;  // operands that residency put on chip
};

/// Where a tensor is between two layers.
enum class Residence : char { outside, chip, both };

/// How one layer runs. Tensors are owners of memory.
struct LayerPlan {
  std::vector<KernelRuns> kernels;
  Reserved reserved;
  Cycles cycles;  // of the layer, waits for the next layer's weights included
  std::vector<std::pair<TensorId, Residence>> inputs, outputs;  // placeable ones: where they are read and written
  std::int64_t tiles = 1;                                       // of a depth-first group
  int first = 0, last = 0;                                      // layers of its group
  bool weights_ahead = false;                                   // loaded under the layer before
  bool weights_pinned = false;                                  // loaded once for all tiles of the group
};

struct ResidencyPlan {
  std::vector<LayerPlan> layers;
  bool proven = true;  // no plan of the space is better
};

/// What the layers of a graph are made of: kernels in the chip's formats by group of equal layers.
struct ResidencyProblem {
  const WorkloadGraph* graph = nullptr;
  const Chip* chip = nullptr;
  Objective objective = Objective::latency;
  std::vector<std::size_t> group;            // per layer
  std::vector<std::vector<Kernel>> kernels;  // per group
};

/// "" where activations can stay on the chip under control of the program; else why residency is left out.
std::string residency_excluded(const Chip& chip);

/// The space in words, for reports.
std::string residency_space(const Chip& chip);

/// The best plan of the space (docs/model.md, section 6): dynamic programming over the layers in their order. The plan that keeps
/// everything outside is in the space, so the result is never worse. Precondition: every kernel has an unreserved outcome.
ResidencyPlan plan_residency(const ResidencyProblem& problem, MappingMemo& memo);

/// Energy, bytes and time of reading the weights of a problem once from the outermost level.
struct WeightLoad {
  Joules energy;
  Bytes bytes;
  Cycles time;
};
WeightLoad weight_load(const Problem& problem, const Chip& chip);

/// The evaluation with the load of its weights added to counts and energy; its time stays.
Evaluation with_weight_load(Evaluation evaluation, const Chip& chip);

}  // namespace tilewright
