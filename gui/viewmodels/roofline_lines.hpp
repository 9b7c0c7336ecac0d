// A roofline as lines and dots, ready to be drawn on log axes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

struct Range {
  double least = 0, most = 0;
};

struct RooflineRoof {
  std::string name;
  bool memory = false;       // slanted: a level; else flat: a number format
  std::vector<double> x, y;  // operations per byte, operations per second; ascending
};

/// The way from a dot up to the roof that limits it.
struct RooflineGain {
  double intensity = 0, reached = 0, limit = 0;
  double factor = 1;  // limit / reached
  std::string roof;
};

struct RooflineLines {
  Range intensity, rate;
  std::vector<RooflineRoof> roofs;
  std::vector<std::size_t>
      dots;  // points with a rate and an intensity: positions in RooflinePlot::points and in the report
};

/// Ranges hold all dots and the ridges, with a margin of half a decade. Memory roofs end at the highest peak, flat ones begin at the fastest
/// memory roof.
RooflineLines roofline_lines(const RooflinePlot& plot);

/// Of the outermost level and the highest peak; none where the dot has no rate.
std::optional<RooflineGain> roofline_gain(const RooflinePlot& plot, std::size_t point);

}  // namespace tilewright::gui
