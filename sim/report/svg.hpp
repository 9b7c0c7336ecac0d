// Pieces of SVG shared by the reports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sim/report/report.hpp"

namespace tilewright {

std::string xml_escape(std::string_view text);
std::string_view series_colour(std::size_t index);

/// One horizontal bar: parts of the whole (they add up to at most 1), left to right, and the total as text.
struct Bar {
  struct Part {
    std::size_t series = 0;  // gives the colour
    double share = 0;
    std::string label;  // shown when the pointer rests on it
  };
  std::string name, total;
  std::vector<Part> parts;
};
std::string stacked_bars_svg(const std::vector<Bar>& bars, const std::vector<std::string>& series,
                             std::string_view label);

}  // namespace tilewright
