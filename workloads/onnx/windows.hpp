// Sizes of sliding windows: shared by convolutions and pooling.
#pragma once

#include "workloads/layer.hpp"
#include "workloads/onnx/node.hpp"

namespace tilewright::importer {

/// Windows over the spatial axes of `input` (N, C, spatial ...), from the attributes strides, dilations, pads, auto_pad and
/// ceil_mode. Output size: floor((in + pads - dilation (kernel - 1) - 1) / stride) + 1, with SAME: ceil(in / stride)
/// (ONNX operator specification, Conv and MaxPool). InputError when a window does not fit.
std::vector<Window> windows(const Node& node, const Shape& input, const std::vector<std::int64_t>& kernel);

/// The attribute, or `fallback` on every one of `axes` axes; InputError on a wrong count or a value below `least`.
std::vector<std::int64_t> per_axis(const Node& node, std::string_view name, std::size_t axes, std::int64_t fallback,
                                   std::int64_t least);

}  // namespace tilewright::importer
