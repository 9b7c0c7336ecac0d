// Plots of many points as SVG text: scatter with a front, parallel coordinates, tornado, heat map. They know nothing of studies.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tilewright {

struct ScatterPoint {
  double x = 0, y = 0;
  std::size_t series = 0;
  bool front = false;   // drawn large
  bool hollow = false;  // a prediction
  std::string label;    // shown when the pointer rests on a point of the front
};
struct ScatterPlot {
  std::string title, x_label, y_label;
  bool log_x = false, log_y = false;
  std::vector<std::string> series;
  std::vector<ScatterPoint> points;  // those off the front are thinned out to 2000, the same ones every time
};
std::string scatter_svg(const ScatterPlot& plot);

struct ParallelAxis {
  std::string label;
  std::vector<std::string> ticks;  // bottom to top, evenly spaced
};
struct ParallelLine {
  std::vector<double> at;  // per axis in [0, 1]
  double shade = 0;        // in [0, 1]: its colour
  std::string label;
};
std::string parallel_svg(const std::string& title, const std::string& shade_label,
                         const std::vector<ParallelAxis>& axes, const std::vector<ParallelLine>& lines);

/// `low` and `high`: factors of the middle; the longest bar on top.
struct TornadoBar {
  std::string name, low_label, high_label;
  double low = 1, high = 1;
};
std::string tornado_svg(const std::string& title, const std::string& x_label, std::vector<TornadoBar> bars);

/// cells[row][column]; none: no point there.
struct HeatMap {
  std::string title, x_label, y_label;
  std::vector<std::string> columns, rows;
  std::vector<std::vector<std::optional<double>>> cells;
};
std::string heatmap_svg(const HeatMap& map);

}  // namespace tilewright
