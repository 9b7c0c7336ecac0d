// Several GPUs: what joins them, how long they exchange, what one of them must hold.
#pragma once

#include <cstdint>
#include <string_view>

#include "arch_models/gpu/device.hpp"

namespace tilewright {

/// What joins the GPUs of one machine.
struct GpuLink {
  std::string_view name;
  BytesPerSecond bandwidth;  // of one GPU in one direction
  Seconds latency;           // of one step of a ring: an assumption
  std::string_view source;
};
/// NVLink of the generation on SXM boards (known by their name), else PCIe.
const GpuLink& link_of(const GpuDevice& device);

/// Ring all-reduce: 2 (n - 1) / n of the bytes pass through each GPU in 2 (n - 1) steps. Zero for one GPU. Assumes gpus >= 1.
Seconds all_reduce(Bytes bytes, std::int64_t gpus, const GpuLink& link);

/// Ring all-gather of parts that make up `bytes`: (n - 1) / n of them pass through each GPU in n - 1 steps. Assumes gpus >= 1.
Seconds all_gather(Bytes bytes, std::int64_t gpus, const GpuLink& link);

/// One step of training or inference on several GPUs.
struct ParallelTime {
  Seconds total, compute, exchange, idle;  // idle: the bubble of a pipeline; exchange: the part that no kernel hides
};
/// Each GPU has its part of the batch; gradients are reduced in buckets of 25 MB (PyTorch's default) under the backward pass, all but the last one.
ParallelTime data_parallel(Seconds forward, Seconds backward, Bytes gradients, std::int64_t gpus, const GpuLink& link);
/// Each GPU has a part of every matrix: `reductions` all-reduces of `bytes` that nothing hides.
ParallelTime tensor_parallel(Seconds kernels, Bytes bytes, std::int64_t reductions, std::int64_t gpus,
                             const GpuLink& link);
/// Each GPU has a run of layers; `kernels` is the time of the whole batch through all of them, cut into `microbatches`; `bytes` pass between
/// two stages for the whole batch, in each of `directions` (1 inference, 2 training).
ParallelTime pipeline_parallel(Seconds kernels, Bytes bytes, std::int64_t directions, std::int64_t microbatches,
                               std::int64_t gpus, const GpuLink& link);

enum class Optimizer { none, sgd, momentum, adam };
/// Bytes that a model occupies, activations apart. Training in mixed precision keeps for each parameter 2 bytes of weights and of gradients and,
/// in fp32, a master copy and the optimiser's state (Rajbhandari et al., ZeRO, 2020: 16 bytes with Adam); in fp32 4 bytes of each.
struct ModelMemory {
  Bytes weights, gradients, master, optimizer;
  Bytes total() const { return weights + gradients + master + optimizer; }
};
ModelMemory model_memory(double parameters, double bytes_per_weight, Optimizer optimizer);
/// Smallest number of GPUs that hold so much together; at least one.
std::int64_t gpus_needed(Bytes need, Bytes capacity);

}  // namespace tilewright
