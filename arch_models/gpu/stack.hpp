// Whole models: kernels in the order of a model behind a host that dispatches one operator after another.
#pragma once

#include <optional>
#include <span>
#include <string_view>
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

/// Kernels of the backward pass, last layer first: two products or convolutions for each one forward (an image of three channels needs no
/// gradient), three passes of fused attention (FlashAttention recomputes the scores: 2.5 times the forward products), for pools, copies,
/// biases and batch norms what autograd runs, two passes of all else.
std::vector<ModelKernel> backward_kernels(const std::vector<ModelKernel>& forward);

/// The host side of a stack: eager PyTorch dispatches every operator, a CUDA graph only starts.
struct HostSide {
  Stack kernels = Stack::profiler;  // cache state and library of the kernels inside the model
  Seconds per_operator;             // dispatch of one operator, in parallel with the kernels before it
  Seconds fixed;                    // once per pass: launch of a graph, copies, final synchronisation
  Seconds gap;                      // between the end of a kernel and the start of the next one
};
/// How a software keeps images. Eager frameworks keep channels first (see ConvKernel). Others let tensor cores have channels last; an engine that is built
/// as a whole also pools without index arithmetic.
enum class TensorFormat { channels_last, channels_first, engine };
/// The software that runs a network, as `--stack` names it.
struct SoftwareStack {
  std::string_view name;
  std::string_view meaning;  // what the time includes, for reports
  std::string_view fusion;   // what this software fuses, in the words of `--fuse`
  std::string_view source;   // of the constants of the host side
  HostSide host;
  TensorFormat tensors = TensorFormat::channels_last;
};
std::span<const SoftwareStack> software_stacks();
/// By name; nothing for another one.
std::optional<SoftwareStack> find_stack(std::string_view name);
/// What a comparison of chips uses when none is named: kernels back to back without a host.
SoftwareStack default_stack();

/// Time of one pass with its parts. Host and GPU work in parallel: total is not their sum.
struct ModelTime {
  Seconds total, kernels, dispatch;
  double joules = 0;  // sum of kernel energies at their predicted board power
  std::int64_t launches = 0;
};
/// Runs the kernels through a queue: kernel i starts when the host has dispatched it and kernel i - 1 has ended and the gap has passed.
ModelTime model_time(const GpuDevice& device, const GpuConstants& constants, std::span<const ModelKernel> kernels,
                     const HostSide& host);

}  // namespace tilewright
