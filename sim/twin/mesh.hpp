// Spikes on a 2-D mesh: which links they cross.
#pragma once

#include <cstdint>
#include <vector>

namespace tilewright {

/// Places in rows; a chip's cores fill them in a serpentine, several on each, so that cores in a row are neighbours. Chips stand side
/// by side along x.
struct Mesh {
  std::int64_t width = 1, height = 1;  // places of a chip
  std::int64_t cores_per_place = 1, cores_per_chip = 1;
};

struct CoreRange {
  std::int64_t first = 0, count = 1;
};

struct LinkLoad {
  std::int64_t link = 0;  // a number for each link and direction
  double spikes = 0;
};

struct SpikeFlow {
  std::vector<LinkLoad> links;  // in the order of their numbers
  double hops = 0;              // sum over the links
  std::int64_t longest = 0;     // hops of the longest way
};

/// `spikes` that the cores `from` send in equal parts, each to `destinations` of the cores `to`, all of them equally often. X first, then Y
/// (dimension-ordered routing). `chips`: side by side, so that links have numbers. Exact means: every pair of cores by its distance.
SpikeFlow route_spikes(const Mesh& mesh, std::int64_t chips, CoreRange from, CoreRange to, double spikes,
                       double destinations);

}  // namespace tilewright
