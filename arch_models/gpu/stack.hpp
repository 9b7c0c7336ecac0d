// Whole models: kernels in the order of a model behind a host that dispatches one operator after another.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "arch_models/gpu/attention.hpp"
#include "arch_models/gpu/conv.hpp"
#include "arch_models/gpu/gemm.hpp"
#include "arch_models/gpu/recurrent.hpp"
#include "arch_models/gpu/vector.hpp"

namespace tilewright {

using GpuKernel = std::variant<GemmKernel, ConvKernel, VectorKernel, AttentionKernel, RecurrentKernel>;

/// Time of one kernel by its class. Depthwise convolutions (groups = channels) stream their tensors instead of computing products.
KernelTime kernel_time(const GpuDevice& device, const GpuConstants& constants, const GpuKernel& kernel,
                       const Timing& timing);

/// A kernel of a model and how often it follows itself.
struct ModelKernel {
  GpuKernel kernel;
  std::int64_t repeat = 1;
};

/// The host side of a stack: eager PyTorch dispatches every operator, a CUDA graph only starts.
struct HostSide {
  Stack kernels = Stack::profiler;  // cache state and library of the kernels inside the model
  Seconds per_operator;             // dispatch of one operator
  Seconds fixed;                    // once per pass: launch of a graph, copies, final synchronisation
};
/// Eager PyTorch inside a model: about 7 us for an operator whose outputs are cached. An assumption, not fitted.
HostSide eager_host();
/// A captured CUDA graph or a fused engine: 1 us between kernels, 10 us to start. An assumption, not fitted.
HostSide graph_host();

/// Time of one pass with its parts. Host and GPU work in parallel: total is not their sum.
struct ModelTime {
  Seconds total, kernels, dispatch;
  double joules = 0;  // sum of kernel energies at their predicted board power
  std::int64_t launches = 0;
};
/// Runs the kernels through a queue: kernel i starts when the host has dispatched it and kernel i - 1 has ended.
ModelTime model_time(const GpuDevice& device, const GpuConstants& constants, std::span<const ModelKernel> kernels,
                     const HostSide& host);

}  // namespace tilewright
