// Networks on chips whose library decides how a kernel runs: its launches behind the host of a software stack.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "arch_models/gpu/stack.hpp"
#include "sim/cost/evaluation.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {

/// A kernel with its cost, as the layer runs it.
struct EvaluatedKernel {
  Evaluation evaluation;
  std::int64_t repeat = 1;
  bool fused = false;
};

/// Gives each launch's time to the first of its kernels, with its limits as bounds and the explanation of the library's model; the others run
/// within it and take none. Counts, traffic and energy of the mappings stay. Ideal times are kept, so that utilisation counts all of them.
/// Precondition: the launches are those of the kernels.
void take_library_times(std::span<EvaluatedKernel> kernels, std::span<const LibraryLaunch> launches, const Chip& chip);

/// Kernels in the order of the layers through a queue: a launch starts when the host has dispatched it, the launch before it has ended and the
/// gap between kernels has passed. The waits and the busy times add up to the time of the network.
struct QueuedLayer {
  std::int64_t launches = 1;
  Seconds busy;
};
/// Per layer: the time in which the chip waits.
std::vector<Seconds> waits(std::span<const QueuedLayer> layers, const HostSide& host);

/// Where the time of one layer goes; `limit` + `rest` + `start` + `wait` = its latency.
LibraryTime library_time(std::span<const LibraryLaunch> launches, Seconds wait);

}  // namespace tilewright
