// What every report shows of a layer: figures summed over its kernels, the mapping of the largest one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/cost/evaluation.hpp"

namespace tilewright {

struct AccessRow {
  std::string level, tensor;
  std::int64_t reads = 0, fills = 0, updates = 0, drains = 0;
  Joules energy;
};

/// The software with the board's energy and the memory that the network needs; "" without one.
std::string stack_in_words(const NetworkEvaluation& network);
/// How GPUs share the layers; "" where they do not.
std::string parallel_in_words(const NetworkEvaluation& network);
/// A training step with its parts, memory and GPUs; "" without one.
std::string training_in_words(const NetworkEvaluation& network);

/// "kernel times validated on this device, mean error 9 %", or "not validated".
std::string validation_in_words(const NetworkEvaluation& network);

/// The kernel with the most iteration points (the first of equals). Precondition: at least one kernel.
const Evaluation& main_kernel(const LayerEvaluation& layer);

/// Accesses of one execution of the layer by level and tensor, kernels times their repeats added; order of first appearance.
std::vector<AccessRow> accesses(const LayerEvaluation& layer);

/// An input whose windows overlap in space: what is left of its reads when a word that several neighbours need at once is read once.
struct MergedReads {
  std::string level, tensor;
  std::int64_t reads = 0;
};
/// Only where they differ from the reads.
std::vector<MergedReads> merged_reads(const Evaluation& evaluation);

/// Dynamic energy by memory level, outermost first, of one execution of the layer.
std::vector<std::pair<std::string, Joules>> energy_by_level(const LayerEvaluation& layer);

/// The same summed over the network, repeats counted.
std::vector<std::pair<std::string, Joules>> energy_by_level(const NetworkEvaluation& network);

/// Share of the latency that each bound takes, largest first.
std::vector<std::pair<std::string, double>> time_by_bound(const NetworkEvaluation& network);

/// "K4 C2 | P7x Q56": temporal loops, then spatial ones with their axis, of one level; "-" for none.
std::string loops_in_short(const Problem& problem, const LevelMapping& level);

/// "SRAM: x, y -> SRAM; 8 tiles with conv1, conv2": where a layer's activations live; "-" where all go outside.
std::string placement_in_short(const LayerEvaluation& layer);

/// The share that residency saves, in words; "" without residency.
std::string residency_in_words(const NetworkEvaluation& network);
/// "DRAM: K8", "Buffer: N8 N16@x": the loops of each level that has some, outermost first; at least one part.
std::vector<std::string> tiling_in_short(const Evaluation& evaluation);

/// "1.23 ms", "45.6 GB": three significant digits with the unit's prefix.
std::string human(Seconds value);
std::string human(Joules value);
std::string human(Bytes value);
std::string human(Watts value);
std::string human_size(Bytes value);    // 256 KiB
std::string human_count(double value);  // 1.23 G
std::string percent(double share);      // 12.3 %

/// A score of the objective (seconds, joules, joule-seconds) with its unit.
std::string human_score(double value, Objective objective);

/// The chip with its levels in the order in which the mapping has them (a search may change the order of register levels).
Chip in_order_of(const Evaluation& evaluation, const Chip& chip);

/// What one level of a mapping holds and how much of it is in use, of one instance.
struct LevelUse {
  std::int64_t instances = 0;  // that hold a word
  std::int64_t bytes = 0;      // all tiles, a second copy of what changes in time in a double-buffered level
  std::optional<Bytes> capacity;
  std::optional<double> occupancy;  // bytes / capacity
};
/// Precondition: the chip's levels are in the order of the mapping's.
LevelUse level_use(const Evaluation& evaluation, const Chip& chip, std::size_t level);

std::string_view name(Objective objective);
std::string_view name(Engine engine);

}  // namespace tilewright
