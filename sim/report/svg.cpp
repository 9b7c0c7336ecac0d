// Plots as SVG text: the hierarchical roofline and horizontal stacked bars.
#include "sim/report/svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/report/layer_view.hpp"

namespace tilewright {
namespace {

// Okabe-Ito: distinguishable with any colour vision.
constexpr std::array<std::string_view, 8> palette{"#0072B2", "#E69F00", "#009E73", "#D55E00",
                                                  "#56B4E9", "#CC79A7", "#F0E442", "#000000"};

struct LogAxis {
  double low, high;  // decades
  double from, to;   // pixels
  double at(double value) const { return from + (std::log10(value) - low) / (high - low) * (to - from); }
};

std::string text_at(double x, double y, std::string_view anchor, std::string_view body, std::string_view extra = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x, y, anchor, extra,
                     xml_escape(body));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, style);
}

}  // namespace

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string_view series_colour(std::size_t index) { return palette[index % palette.size()]; }

std::string roofline_svg(const RooflinePlot& plot) {
  constexpr double width = 860, height = 520, left = 80, right = 250, top = 40, bottom = 60;
  double low_x = 0.1, high_x = 1000, low_y = 1e30, high_y = 1;
  for (const RooflinePoint& point : plot.points) {
    if (point.intensity <= 0 || point.operations_per_s <= 0) continue;
    low_x = std::min(low_x, point.intensity);
    high_x = std::max(high_x, point.intensity);
    low_y = std::min(low_y, point.operations_per_s);
    high_y = std::max(high_y, point.operations_per_s);
  }
  double best_peak = 0;
  for (const RooflinePeak& peak : plot.peaks) best_peak = std::max(best_peak, peak.operations_per_s);
  high_y = std::max(high_y, best_peak);
  low_y = std::min(low_y, high_y / 1e4);
  const LogAxis x{std::floor(std::log10(low_x)), std::ceil(std::log10(high_x)), left, width - right};
  const LogAxis y{std::floor(std::log10(low_y)), std::ceil(std::log10(high_y) + 0.1), height - bottom, top};

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\" "
      "role=\"img\" "
      "aria-label=\"{}\">\n<rect width=\"{}\" height=\"{}\" fill=\"white\"/>\n",
      width, height, xml_escape(plot.title), width, height);
  svg += text_at((x.from + x.to) / 2, 22, "middle", plot.title, "font-size=\"15\"");
  for (double decade = x.low; decade <= x.high; decade += 1) {
    const double px = x.at(std::pow(10, decade));
    svg += line(px, y.from, px, y.to, "stroke=\"#ddd\"");
    svg += text_at(px, y.from + 16, "middle", fmt::format("{:g}", std::pow(10, decade)));
  }
  for (double decade = y.low; decade <= y.high; decade += 1) {
    const double py = y.at(std::pow(10, decade));
    svg += line(x.from, py, x.to, py, "stroke=\"#ddd\"");
    svg += text_at(x.from - 6, py + 4, "end", human_count(std::pow(10, decade)));
  }
  svg += text_at((x.from + x.to) / 2, height - 18, "middle",
                 "arithmetic intensity, operations per byte of the outermost level");
  svg += text_at(18, (y.from + y.to) / 2, "middle", "operations per second",
                 fmt::format("transform=\"rotate(-90 18 {:.1f})\"", (y.from + y.to) / 2));

  // Everything beyond the frame is clipped, so lines may start at the axis ends.
  svg += fmt::format(
      "<clipPath id=\"frame\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n<g "
      "clip-path=\"url(#frame)\">\n",
      x.from, y.to, x.to - x.from, y.from - y.to);
  const double first = std::pow(10, x.low);
  const double last = std::pow(10, x.high);
  std::size_t series = 0;
  std::string legend;
  const auto legend_entry = [&](std::string_view colour, std::string_view body, std::string_view dash) {
    const double py = top + 14 + 18 * static_cast<double>(series);
    legend +=
        line(x.to + 12, py - 4, x.to + 36, py - 4, fmt::format("stroke=\"{}\" stroke-width=\"2\" {}", colour, dash));
    legend += text_at(x.to + 42, py, "start", body);
    ++series;
  };
  for (const RooflineCeiling& ceiling : plot.ceilings) {
    if (ceiling.bandwidth <= 0) continue;
    const std::string_view colour = series_colour(series);
    const double ridge = best_peak / ceiling.bandwidth;
    const double until = std::clamp(ridge, first, last);
    svg += line(x.at(first), y.at(first * ceiling.bandwidth), x.at(until), y.at(until * ceiling.bandwidth),
                fmt::format("stroke=\"{}\" stroke-width=\"2\"", colour));
    legend_entry(colour, fmt::format("{} {}/s", ceiling.name, human(Bytes{ceiling.bandwidth})), "");
  }
  for (const RooflinePeak& peak : plot.peaks) {
    const std::string_view colour = series_colour(series);
    svg += line(x.from, y.at(peak.operations_per_s), x.to, y.at(peak.operations_per_s),
                fmt::format("stroke=\"{}\" stroke-width=\"2\" stroke-dasharray=\"7 4\"", colour));
    legend_entry(colour, fmt::format("{} {}op/s", peak.name, human_count(peak.operations_per_s)),
                 "stroke-dasharray=\"7 4\"");
  }
  for (const RooflinePoint& point : plot.points) {
    if (point.intensity <= 0 || point.operations_per_s <= 0) continue;
    // Area in proportion to the share of time; never smaller than a visible dot.
    const double radius = 3 + 14 * std::sqrt(std::clamp(point.time_share, 0.0, 1.0));
    const std::string_view fill = point.bound == "compute"    ? palette[0]
                                  : point.bound == "overhead" ? palette[5]
                                                              : palette[1];
    svg += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\" fill-opacity=\"0.55\" "
        "stroke=\"#333\"><title>{}</title></circle>\n",
        x.at(point.intensity), y.at(point.operations_per_s), radius, fill,
        xml_escape(fmt::format("{}: {:.4g} op/B, {}op/s, {:.1f} % of the time, bound by {}", point.layer,
                               point.intensity, human_count(point.operations_per_s), 100 * point.time_share,
                               point.bound)));
  }
  svg += "</g>\n";
  svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#333\"/>\n", x.from,
                     y.to, x.to - x.from, y.from - y.to);
  ++series;
  const std::array<std::pair<std::string_view, std::string_view>, 3> kinds{
      {{palette[0], "layer bound by compute"},
       {palette[1], "layer bound by memory or link"},
       {palette[5], "layer bound by overhead"}}};
  for (const auto& [colour, body] : kinds) {
    const double py = top + 14 + 18 * static_cast<double>(series++);
    legend +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\" fill-opacity=\"0.55\" stroke=\"#333\"/>\n",
                    x.to + 24, py - 4, colour);
    legend += text_at(x.to + 42, py, "start", body);
  }
  legend += text_at(x.to + 12, top + 14 + 18 * static_cast<double>(series), "start", "dot area: share of the time");
  return svg + legend + "</svg>\n";
}

std::string stacked_bars_svg(const std::vector<Bar>& bars, const std::vector<std::string>& series,
                             std::string_view label) {
  constexpr double width = 860, left = 190, right = 100, row = 26, top = 40;
  const double height = top + row * static_cast<double>(bars.size()) + 20;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {:.0f}\" font-family=\"sans-serif\" font-size=\"12\" "
      "role=\"img\" "
      "aria-label=\"{}\">\n<rect width=\"{}\" height=\"{:.0f}\" fill=\"white\"/>\n",
      width, height, xml_escape(label), width, height);
  double legend_x = 10;
  for (std::size_t i = 0; i < series.size(); ++i) {
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"10\" width=\"12\" height=\"12\" fill=\"{}\"/>\n", legend_x,
                       series_colour(i));
    svg += text_at(legend_x + 16, 20, "start", series[i]);
    legend_x += 30 + 7.0 * static_cast<double>(series[i].size());
  }
  for (std::size_t b = 0; b < bars.size(); ++b) {
    const double y = top + row * static_cast<double>(b);
    svg += text_at(left - 8, y + 14, "end", bars[b].name);
    double x = left;
    for (const Bar::Part& part : bars[b].parts) {
      const double length = part.share * (width - left - right);
      if (length <= 0) continue;
      svg += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"18\" fill=\"{}\"><title>{} {:.1f} "
          "%</title></rect>\n",
          x, y, length, series_colour(part.series), xml_escape(part.label), 100 * part.share);
      x += length;
    }
    svg += text_at(width - right + 8, y + 14, "start", bars[b].total);
  }
  return svg + "</svg>\n";
}

}  // namespace tilewright
