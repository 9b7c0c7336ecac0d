// Hierarchical roofline: one ceiling per memory level, one per precision.
#pragma once

#include <string>
#include <vector>

#include "sim/cost/evaluation.hpp"

namespace tilewright {

/// Attainable rate (Williams et al., 2009): min(peak, intensity x bandwidth). Operations per second; operations per byte; bytes per second.
double attainable(double peak, double intensity, double bandwidth);

struct RooflineCeiling {
  std::string name;
  double bandwidth = 0;
};  // B/s, a slanted line
struct RooflinePeak {
  std::string name;
  double operations_per_s = 0;
};  // a flat line
struct RooflinePoint {
  std::string layer;
  double intensity = 0, operations_per_s = 0, time_share = 0;
  std::string bound;
};
struct RooflinePlot {
  std::string title;
  std::vector<RooflineCeiling> ceilings;
  std::vector<RooflinePeak> peaks;
  std::vector<RooflinePoint> points;
};

/// Peak operations (2 per MAC) per second for operands of a type.
double peak_operations(const Chip& chip, DataType type);
/// Bytes per second of all instances of a level; 0 when unlimited.
double level_bandwidth(const Chip& chip, std::size_t level);
RooflinePlot roofline_plot(const NetworkEvaluation& network, const Chip& chip);

/// A product or convolution against the machine balance, by compulsory traffic (each operand crosses the outermost level once).
struct RooflineVerdict {
  double intensity = 0, ridge = 0, attainable = 0;
  bool memory_bound = false;
  Seconds memory_time, compute_time;
};
RooflineVerdict roofline(const Problem& problem, double peak_operations_per_s, double bandwidth_bytes_per_s);

}  // namespace tilewright
