#include "workloads/onnx/windows.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/checked.hpp"
#include "workloads/onnx/rules.hpp"

namespace tilewright::importer {

std::vector<std::int64_t> per_axis(const Node& node, std::string_view name, std::size_t axes, std::int64_t fallback,
                                   std::int64_t least) {
  const auto given = node.integers(name);
  if (!given || given->empty()) return std::vector<std::int64_t>(axes, fallback);
  if (given->size() != axes)
    node.fail(fmt::format("attribute '{}' has {} values, expected {}", name, given->size(), axes));
  for (const std::int64_t v : *given) {
    if (v < least) node.fail(fmt::format("attribute '{}' holds {}; at least {} is needed", name, v, least));
  }
  return *given;
}

std::vector<Window> windows(const Node& node, const Shape& input, const std::vector<std::int64_t>& kernel) {
  const std::size_t axes = kernel.size();
  if (axes < 1 || axes > 3 || input.size() != axes + 2) {
    node.fail(fmt::format("a window of {} axes over a tensor of shape {}; 1 to 3 spatial axes are supported", axes,
                          text(input)));
  }
  const auto strides = per_axis(node, "strides", axes, 1, 1);
  const auto dilations = per_axis(node, "dilations", axes, 1, 1);
  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  if (auto_pad != "NOTSET" && auto_pad != "VALID" && auto_pad != "SAME_UPPER" && auto_pad != "SAME_LOWER") {
    node.fail(fmt::format("unknown auto_pad '{}'; known: NOTSET, VALID, SAME_UPPER, SAME_LOWER", auto_pad));
  }
  auto pads = per_axis(node, "pads", 2 * axes, 0, 0);
  if (auto_pad == "VALID") pads.assign(2 * axes, 0);
  const bool ceil_mode = node.integer("ceil_mode", 0) != 0;
  std::vector<Window> result;
  for (std::size_t i = 0; i < axes; ++i) {
    Window w{input[i + 2], 1, kernel[i], strides[i], dilations[i]};
    if (w.kernel < 1) node.fail(fmt::format("kernel size {}", w.kernel));
    if (auto_pad.starts_with("SAME")) {
      w.out = ceil_div(w.in, w.stride);
    } else {
      const std::int64_t reach = checked_add(checked_mul(w.dilation, w.kernel - 1), 1);
      const std::int64_t room = checked_add(checked_add(w.in, checked_add(pads[i], pads[i + axes])), -reach);
      if (room < 0) {
        node.fail(fmt::format("a window reaching over {} elements does not fit into {} padded by {}", reach, w.in,
                              pads[i] + pads[i + axes]));
      }
      w.out = (ceil_mode ? ceil_div(room, w.stride) : room / w.stride) + 1;
    }
    result.push_back(w);
  }
  return result;
}

namespace {

std::vector<std::int64_t> pool_kernel(const Node& node) {
  const auto kernel = node.integers("kernel_shape");
  if (!kernel) node.fail("attribute 'kernel_shape' is missing");
  return *kernel;
}

/// Factor or target of every axis of Resize and Upsample, as the size of the result.
Shape resized(const Node& node) {
  const Shape& in = node.shape(0);
  const bool upsample = node.record->type == "Upsample";
  const std::size_t scales_at = upsample || node.opset() < 11 ? 1 : 2;
  if (node.has(3) && node.shape(3) != Shape{0}) {
    const auto sizes = node.constant_integers(3, "sizes");
    if (sizes.size() != in.size()) node.fail(fmt::format("{} sizes for a tensor of rank {}", sizes.size(), in.size()));
    return sizes;
  }
  const auto attribute = node.reals("scales");
  const auto scales = attribute ? *attribute : node.constant_reals(scales_at, "scales");
  if (scales.size() != in.size()) node.fail(fmt::format("{} scales for a tensor of rank {}", scales.size(), in.size()));
  Shape out;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double size = std::floor(static_cast<double>(in[i]) * scales[i]);
    if (!(size >= 1 && size < 9e15)) node.fail(fmt::format("scale {} of an axis of size {}", scales[i], in[i]));
    out.push_back(static_cast<std::int64_t>(size));
  }
  return out;
}

}  // namespace

void pool_shape(Node& node) {
  const Value& x = node.input(0);
  Shape out = x.shape;
  const auto axes = windows(node, x.shape, pool_kernel(node));
  for (std::size_t i = 0; i < axes.size(); ++i) out[i + 2] = axes[i].out;
  node.result(0, out, x.type);
  node.result(1, out, element::int64);  // indices of MaxPool
}

Operator pool_work(const Node& node) {
  const Shape& x = node.shape(0);
  return Pool{x[0], x[1], windows(node, x, pool_kernel(node))};
}

void global_pool_shape(Node& node) {
  const Value& x = node.input(0);
  if (x.shape.size() < 3) node.fail(fmt::format("needs N, C and spatial axes, got shape {}", text(x.shape)));
  Shape out(x.shape.size(), 1);
  out[0] = x.shape[0];
  out[1] = x.shape[1];
  node.result(0, out, x.type);
}

Operator global_pool_work(const Node& node) {
  const Shape& x = node.shape(0);
  Pool pool{x[0], x[1], {}};
  for (std::size_t i = 2; i < x.size(); ++i) pool.axes.push_back({x[i], 1, x[i], x[i], 1});
  return pool;
}

void resize_shape(Node& node) { node.result(0, resized(node), node.input(0).type); }

/// Taps per result: 1 nearest, 2 per resized axis linear, 4 cubic.
Operator resize_work(const Node& node) {
  const Shape& in = node.shape(0);
  const Shape out = resized(node);
  const std::string mode = node.text("mode", "nearest");
  const std::int64_t taps_per_axis = mode == "cubic" ? 4 : mode == "linear" || mode == "bilinear" ? 2 : 1;
  Resize resize{elements(in), elements(out), 1};
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i] != out[i]) resize.taps = checked_mul(resize.taps, taps_per_axis);
  }
  return resize;
}

/// Image [N, C, ...], grid [N, ..., one coordinate for each spatial axis].
void grid_sample_shape(Node& node) {
  const Shape& x = node.shape(0);
  const Shape& grid = node.shape(1);
  if (x.size() < 3 || grid.size() != x.size() || grid[0] != x[0] ||
      grid.back() + 2 != static_cast<std::int64_t>(x.size()))
    node.fail(fmt::format("grid {} does not fit image {}", text(grid), text(x)));
  Shape out{x[0], x[1]};
  out.insert(out.end(), grid.begin() + 1, grid.end() - 1);
  node.result(0, out, node.input(0).type);
}

/// Taps per result as for Resize, along every spatial axis; without a mode: linear.
Operator grid_sample_work(const Node& node) {
  const std::string mode = node.text("mode", "bilinear");
  const std::int64_t taps_per_axis = mode == "bicubic" || mode == "cubic" ? 4 : mode == "nearest" ? 1 : 2;
  Resize resize{elements(node.shape(0)), elements(node.out.at(0).shape), 1};
  for (std::size_t i = 2; i < node.shape(0).size(); ++i) resize.taps = checked_mul(resize.taps, taps_per_axis);
  return resize;
}

}  // namespace tilewright::importer
