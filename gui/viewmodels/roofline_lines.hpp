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

/// A stretch of intensities in which the same kind of roof is the lowest one.
struct RooflineZone {
  enum class Kind { below_all, between, above_all };
  Kind kind = Kind::below_all;  // the ridges of the levels
  std::string level;            // between: the one of the farthest ridge, which may still limit
  double from = 0, to = 0;      // operations per byte
};

/// A layer over the memory levels: its operations per byte that each one moves, outermost level first, at the rate that it reaches.
struct RooflinePath {
  double rate = 0;
  std::vector<std::string> levels;
  std::vector<double> intensity;
};

/// The same layer in two answers.
struct RooflineMove {
  std::size_t from = 0, to = 0;  // positions in the points of the two plots
};

struct RooflineLines {
  Range intensity, rate;
  std::vector<RooflineRoof> roofs;
  std::vector<RooflineZone> zones;  // ascending, without gap over all intensities of the range
  std::vector<std::size_t>
      dots;  // points with a rate and an intensity: positions in RooflinePlot::points and in the report
};

/// The zones are those of the highest peak. Ranges hold all dots and the ridges, with a margin of half a decade. Memory roofs end at the highest peak, flat ones begin at the fastest
/// memory roof.
RooflineLines roofline_lines(const RooflinePlot& plot);

/// Ranges that hold both.
void widen(RooflineLines& lines, const RooflineLines& other);

/// Levels without a bandwidth or traffic are left out; empty where the layer has no rate. Access counts of a GPU's layers are those of their mappings.
RooflinePath roofline_path(const Analysis& analysis, std::size_t row);

/// Layers of one name with a dot in both plots, in the order of `to`.
std::vector<RooflineMove> roofline_moves(const RooflinePlot& from, const RooflinePlot& to);

/// Of the outermost level and the highest peak; none where the dot has no rate.
std::optional<RooflineGain> roofline_gain(const RooflinePlot& plot, std::size_t point);

}  // namespace tilewright::gui
