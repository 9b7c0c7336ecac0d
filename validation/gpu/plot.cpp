#include "validation/gpu/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "validation/gpu/validate.hpp"

namespace tilewright {
namespace {

constexpr double side = 640, margin = 60, low = -0.5, high = 7;  // decades of microseconds
constexpr std::array<std::string_view, 8> colours{"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                  "#e69f00", "#56b4e9", "#999999", "#000000"};

double x_of(double decade) { return margin + (std::clamp(decade, low, high) - low) / (high - low) * side; }
double y_of(double decade) { return margin + side - (std::clamp(decade, low, high) - low) / (high - low) * side; }

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x_of(x1), y_of(y1),
                     x_of(x2), y_of(y2), style);
}

}  // namespace

std::string predicted_against_measured_svg(const std::vector<ComparedRow>& rows) {
  const double size = side + 2 * margin;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {0:.0f}\" font-family=\"sans-serif\" "
      "font-size=\"13\">\n"
      "<rect width=\"{0:.0f}\" height=\"{0:.0f}\" fill=\"white\"/>\n",
      size);
  for (int decade = 0; decade <= static_cast<int>(high); ++decade) {
    svg += line(decade, low, decade, high, "stroke=\"#ddd\"") + line(low, decade, high, decade, "stroke=\"#ddd\"");
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">1e{}</text>\n", x_of(decade),
                       margin + side + 18, decade);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">1e{}</text>\n", margin - 6,
                       y_of(decade) + 4, decade);
  }
  const double twice = std::log10(2.0);
  svg += line(low, low, high, high, "stroke=\"black\"") +
         line(low, low + twice, high - twice, high, "stroke=\"black\" stroke-dasharray=\"4\"") +
         line(low + twice, low, high, high - twice, "stroke=\"black\" stroke-dasharray=\"4\"");
  std::map<std::string, std::string_view> colour_of;
  for (const ComparedRow& row : rows) {
    const auto [entry, fresh] =
        colour_of.try_emplace(row.row->op, colours[std::min(colour_of.size(), colours.size() - 1)]);
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"1.6\" fill=\"{}\" fill-opacity=\"0.5\"/>\n",
                       x_of(std::log10(1e6 * row.row->latency.value)), y_of(std::log10(1e6 * row.time.total.value)),
                       entry->second);
  }
  double y = margin + 16;
  for (const auto& [op, colour] : colour_of) {
    svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" fill=\"{}\">{}</text>\n", margin + 8, y, colour, op);
    y += 16;
  }
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">measured, us</text>\n", margin + side / 2,
                     size - 18);
  svg += fmt::format(
      "<text x=\"18\" y=\"{0:.0f}\" text-anchor=\"middle\" transform=\"rotate(-90 18 {0:.0f})\">predicted, us</text>\n",
      margin + side / 2);
  return svg + "</svg>\n";
}

}  // namespace tilewright
