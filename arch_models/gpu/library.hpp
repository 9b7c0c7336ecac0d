// The kernels of a lowered layer as launches of cuBLAS, cuDNN and the frameworks' own kernels.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "arch_models/gpu/stack.hpp"

namespace tilewright {

struct Chip;
struct LibraryLaunch;
struct Kernel;

/// What a library runs for kernels [first, last) of a layer.
struct LibraryKernel {
  std::size_t first = 0, last = 0;
  std::int64_t launches = 1;    // the same kernel so many times
  double epilogue_bytes = 0;    // read by fused element-wise work: residuals, biases
  double compulsory_bytes = 0;  // of one launch: every operand outside the chip crosses its memory once
  double computed = 1;          // share of the points that count: below 1 behind a causal mask
  GpuKernel kernel = GemmKernel{};
};

/// Products become GEMMs, windows convolutions (a transposed one is the backward pass of a convolution), attention and recurrent cells their
/// fused kernels, rows softmax or layer norm, all else a stream of its bytes. Fused element-wise work goes with the kernel before it.
/// nullopt where a format has no kernel in the libraries (fp64, int16, 4 bits and below on both sides). What lowering leaves out is assumed:
/// filters are centred (padding of half a filter), weights lie as a framework stores them (n x k), and up to 16 query
/// rows against more keys are the heads of one group in a decode step.
std::optional<std::vector<LibraryKernel>> library_kernels(std::span<const Kernel> kernels, TensorFormat tensors);

/// A chip of family gpu with the calibrated trim of the device that bears its name (case aside), or none.
GpuDevice calibrated_device(const Chip& chip);

/// The entry of the family list. Kernels run inside a model: weights come from memory, activations as far as the L2 holds them, but never
/// faster than every operand once over the listed memory bandwidth.
std::optional<std::vector<LibraryLaunch>> gpu_library(const Chip& chip, std::span<const Kernel> kernels,
                                                      const SoftwareStack& stack);

}  // namespace tilewright
