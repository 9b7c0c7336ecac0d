#include "sim/scalesim/layer.hpp"

#include <fmt/format.h>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

[[noreturn]] void refuse(const Layer& layer, std::string_view why) {
  throw InputError({.file = layer.name, .line = 0, .column = 0, .key = layer.op},
                   fmt::format("SCALE-Sim knows no such layer ({}); run it with --engine analytical", why));
}

ScaleSimLayer convolution(const Layer& layer, const Conv& conv) {
  if (conv.axes.size() != 2) refuse(layer, fmt::format("a convolution over {} axes", conv.axes.size()));
  if (conv.batch != 1) refuse(layer, fmt::format("batch {}", conv.batch));
  if (conv.groups != 1) refuse(layer, fmt::format("{} groups", conv.groups));
  const Window& h = conv.axes[0];
  const Window& w = conv.axes[1];
  ScaleSimLayer result{layer.name,        h.in,     w.in,    h.kernel, w.kernel, conv.in_channels,
                       conv.out_channels, h.stride, w.stride};
  if (h.dilation != 1 || w.dilation != 1) refuse(layer, "a dilated window");
  if (h.kernel > h.in || w.kernel > w.in || result.ofmap_h() != h.out || result.ofmap_w() != w.out)
    refuse(layer, "padding: topology files give the padded ifmap");
  return result;
}

}  // namespace

std::int64_t ScaleSimLayer::ofmap_h() const { return ceil_div(ifmap_h - filter_h, stride_h) + 1; }
std::int64_t ScaleSimLayer::ofmap_w() const { return ceil_div(ifmap_w - filter_w, stride_w) + 1; }
std::int64_t ScaleSimLayer::m() const { return checked_mul(ofmap_h(), ofmap_w()); }
std::int64_t ScaleSimLayer::k() const { return checked_mul(checked_mul(filter_h, filter_w), channels); }

ScaleSimLayer scalesim_layer(const Layer& layer) {
  if (const auto* conv = std::get_if<Conv>(&layer.work)) return convolution(layer, *conv);
  if (const auto* product = std::get_if<MatMul>(&layer.work)) {
    for (const BatchAxis& axis : product->batch) {
      if (axis.bound != 1) refuse(layer, fmt::format("a batch of {} products", axis.bound));
    }
    return {layer.name, product->m, product->k, 1, product->k, 1, product->n, 1, 1};
  }
  refuse(layer, "neither a convolution nor a matrix product");
}

}  // namespace tilewright
