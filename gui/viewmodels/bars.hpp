// Stacked bars: figures of the report, put side by side.
#pragma once

#include <string>
#include <vector>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

enum class BarKind { time_by_bound, energy_by_level };
enum class BarOrder { network, sorted };

/// One bar a layer, repeats counted. `parts[s][b]`: part s of bar b, seconds or joules; the parts of a bar add up to the layer's total.
struct Bars {
  std::vector<std::string> series;         // bounds or levels, compute and static energy
  std::vector<std::size_t> rows;           // of the report, in the order of the bars
  std::vector<std::vector<double>> parts;  // [series][bar]
};
Bars bars(const Analysis& analysis, BarKind kind, BarOrder order);

}  // namespace tilewright::gui
