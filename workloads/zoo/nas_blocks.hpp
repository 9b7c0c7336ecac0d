// The structure of published search spaces of networks, for whoever builds graphs or kernels of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/diagnostics.hpp"

namespace tilewright {

/// Channels as a multiple of 8 that loses at most a tenth (the rounding of the MobileNet family).
std::int64_t round_channels(double channels);

/// Operators of the six edges of a NAS-Bench-201 cell "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|", edge by edge: none, skip_connect, nor_conv_1x1,
/// nor_conv_3x3 or avg_pool_3x3. InputError at `where` for anything else.
std::vector<std::string> cell_edges(const std::string& cell, const Place& where);

/// Inverted residual: 1x1 expansion (left out at 1), depthwise kernel x kernel with `stride`, squeeze and excitation, 1x1 projection.
struct MobileBlock {
  std::int64_t out = 1, kernel = 3, expansion = 1, stride = 1;
  bool squeeze = false, hard_swish = false;
};

/// Once-for-All MobileNetV3 (Cai et al., 2020): first and searched blocks of a sub-network, and its layers around them. `depths` of five
/// stages (1 to 4); `kernels` and `expansions` of twenty blocks, four a stage; those past a stage's depth are not used.
struct OnceForAll {
  std::int64_t stem = 16, last = 960, feature = 1280;  // channels
  std::vector<MobileBlock> blocks;
};
OnceForAll once_for_all(double width, const std::vector<std::int64_t>& depths, const std::vector<std::int64_t>& kernels,
                        const std::vector<std::int64_t>& expansions);

}  // namespace tilewright
