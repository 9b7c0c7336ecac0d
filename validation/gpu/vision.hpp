// Image classifiers of torchvision as eager PyTorch runs them, kernel by kernel.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "arch_models/gpu/stack.hpp"

namespace tilewright {

/// Kernels of one forward pass over `batch` images of 224 x 224, or of a forward and a backward pass that adds to gradients set to zero before
/// (each parameter: a fill and an addition). Tensors lie channels first, PyTorch's default, or channels last. nullopt for a name that is not one of torchvision's ResNet, Wide ResNet, VGG, SqueezeNet, MnasNet
/// or ShuffleNet V2. Layers by the papers and torchvision's sizes; nothing is fused.
std::optional<std::vector<ModelKernel>> vision_kernels(std::string_view model, std::int64_t batch,
                                                       GpuPrecision precision, bool training,
                                                       bool channels_first = true);

}  // namespace tilewright
