// The layer that SCALE-Sim sees: an ifmap, a filter, strides; no groups, no padding, batch 1.
#pragma once

#include <cstdint>
#include <string>

#include "workloads/layer.hpp"

namespace tilewright {

/// A row of a topology file. Sizes in elements of one word each; the ifmap is already padded.
struct ScaleSimLayer {
  std::string name;
  std::int64_t ifmap_h = 1, ifmap_w = 1, filter_h = 1, filter_w = 1, channels = 1, filters = 1, stride_h = 1,
               stride_w = 1;

  std::int64_t ofmap_h() const;  // ceil((ifmap - filter) / stride) + 1: the last window may hang over the edge
  std::int64_t ofmap_w() const;
  std::int64_t m() const;  // output pixels
  std::int64_t k() const;  // words of a window
  std::int64_t n() const { return filters; }
};

/// A layer of a graph as SCALE-Sim sees it: a two-dimensional convolution of batch 1 without groups, dilation and padding, or a plain matrix
/// product (M x K becomes an ifmap of M rows of one K wide window). InputError that names the layer and what is missing otherwise.
ScaleSimLayer scalesim_layer(const Layer& layer);

}  // namespace tilewright
