#include "sim/report/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/report/svg.hpp"

namespace tilewright {
namespace {

std::string text_at(double x, double y, std::string_view anchor, std::string_view body, std::string_view extra = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" {}>{}</text>\n", x, y, anchor, extra,
                     xml_escape(body));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, style);
}

std::string opened(double width, double height, std::string_view title) {
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"sans-serif\" "
             "font-size=\"12\" "
             "role=\"img\" aria-label=\"{}\">\n<rect width=\"{:.0f}\" height=\"{:.0f}\" fill=\"white\"/>\n",
             width, height, xml_escape(title), width, height) +
         text_at(width / 2, 22, "middle", title, "font-size=\"15\"");
}

/// viridis (van der Walt and Smith, 2015) at five stops, straight lines between them.
std::string shade_colour(double share) {
  constexpr std::array<std::array<double, 3>, 5> stops{
      {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}}};
  const double at = std::clamp(share, 0.0, 1.0) * 4;
  const auto first = std::min<std::size_t>(3, static_cast<std::size_t>(at));
  const double part = at - static_cast<double>(first);
  const auto mixed = [&](std::size_t c) {
    return static_cast<int>(std::lround(stops[first][c] * (1 - part) + stops[first + 1][c] * part));
  };
  return fmt::format("#{:02x}{:02x}{:02x}", mixed(0), mixed(1), mixed(2));
}

/// Values to pixels, with ticks: decades and their halves on a logarithmic axis, 1-2-5 steps on a linear one.
class PlotScale {
 public:
  PlotScale(std::vector<double> values, bool log, double from, double to) : log_(log), from_(from), to_(to) {
    if (values.empty()) values.push_back(1);
    auto [low, high] = std::ranges::minmax(values);
    low_ = shown_at(low), high_ = shown_at(high);
    const double margin = high_ > low_ ? 0.04 * (high_ - low_) : std::max(0.5, std::abs(low_) * 0.1);
    low_ -= margin, high_ += margin;
  }
  double at(double value) const { return from_ + (shown_at(value) - low_) / (high_ - low_) * (to_ - from_); }
  std::vector<double> ticks() const {
    std::vector<double> found;
    if (log_ && high_ - low_ > 0.9) {
      for (double decade = std::floor(low_); decade <= high_; decade += 1) {
        for (const double step : {1.0, 2.0, 5.0}) {
          const double value = step * std::pow(10, decade);
          if ((step == 1 || high_ - low_ < 3) && shown_at(value) >= low_ && shown_at(value) <= high_)
            found.push_back(value);
        }
      }
      return found;
    }
    const double low = log_ ? std::pow(10, low_) : low_, high = log_ ? std::pow(10, high_) : high_;
    const double rough = (high - low) / 6, power = std::pow(10, std::floor(std::log10(rough)));
    const double step = rough / power < 2 ? 2 * power : rough / power < 5 ? 5 * power : 10 * power;
    for (double value = std::ceil(low / step) * step; value <= high; value += step) found.push_back(value);
    return found;
  }

 private:
  double shown_at(double value) const { return log_ ? std::log10(std::max(value, 1e-300)) : value; }
  bool log_;
  double from_, to_, low_ = 0, high_ = 1;
};

/// A long label cut to its ends, so that its neighbours stay readable.
std::string in_short(const std::string& label) {
  constexpr std::size_t most = 20;
  return label.size() <= most ? label : label.substr(0, 12) + "..." + label.substr(label.size() - 5);
}

std::string tick_text(double value) { return fmt::format("{:.4g}", std::abs(value) < 1e-12 ? 0 : value); }

}  // namespace

std::string scatter_svg(const ScatterPlot& plot) {
  constexpr double width = 860, height = 520, left = 80, right = 210, top = 40, bottom = 60;
  constexpr std::size_t most_dots = 2000;
  std::vector<double> xs, ys;
  std::size_t behind = 0;
  for (const ScatterPoint& point : plot.points) {
    xs.push_back(point.x);
    ys.push_back(point.y);
    behind += !point.front;
  }
  const PlotScale x(xs, plot.log_x, left, width - right), y(ys, plot.log_y, height - bottom, top);
  std::string svg = opened(width, height, plot.title);
  for (const double tick : x.ticks()) {
    svg += line(x.at(tick), top, x.at(tick), height - bottom, "stroke=\"#ddd\"");
    svg += text_at(x.at(tick), height - bottom + 16, "middle", tick_text(tick));
  }
  for (const double tick : y.ticks()) {
    svg += line(left, y.at(tick), width - right, y.at(tick), "stroke=\"#ddd\"");
    svg += text_at(left - 6, y.at(tick) + 4, "end", tick_text(tick));
  }
  svg += text_at((left + width - right) / 2, height - 18, "middle", plot.x_label);
  svg += text_at(18, (top + height - bottom) / 2, "middle", plot.y_label,
                 fmt::format("transform=\"rotate(-90 18 {:.1f})\"", (top + height - bottom) / 2));
  const std::size_t every = behind / most_dots + 1;
  std::size_t seen = 0;
  std::string front;
  for (const ScatterPoint& point : plot.points) {
    if (!point.front && seen++ % every != 0) continue;
    const std::string_view colour = series_colour(point.series);
    const std::string title = point.front ? fmt::format("<title>{}</title>", xml_escape(point.label)) : "";
    (point.front ? front : svg) += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" {} {}>{}</circle>\n", x.at(point.x), y.at(point.y),
        point.front ? 5 : 2,
        point.hollow ? fmt::format("fill=\"white\" stroke=\"{}\"", colour) : fmt::format("fill=\"{}\"", colour),
        point.front ? (point.hollow ? "" : "stroke=\"#222\"") : "fill-opacity=\"0.35\"", title);
  }
  svg += front;
  svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#333\"/>\n", left, top,
                     width - right - left, height - bottom - top);
  double row = top + 14;
  for (std::size_t s = 0; s < plot.series.size(); ++s, row += 18) {
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"{}\"/>\n", width - right + 18, row - 4,
                       series_colour(s));
    svg += text_at(width - right + 28, row, "start", plot.series[s]);
  }
  svg += text_at(width - right + 12, row, "start", "large: on the front");
  if (std::ranges::any_of(plot.points, &ScatterPoint::hollow))
    svg += text_at(width - right + 12, row + 18, "start", "hollow: predicted");
  return svg + "</svg>\n";
}

std::string parallel_svg(const std::string& title, const std::string& shade_label,
                         const std::vector<ParallelAxis>& axes, const std::vector<ParallelLine>& lines) {
  constexpr double height = 480, left = 60, top = 90, bottom = 40, between = 130;
  const double width = std::max(500.0, left + between * static_cast<double>(axes.size() - 1) + 160);
  std::string svg = opened(width, height, title);
  svg += text_at(width / 2, 40, "middle", shade_label + ": dark low, light high");
  const auto x = [&](std::size_t axis) { return left + between * static_cast<double>(axis); };
  const auto y = [&](double share) { return height - bottom - share * (height - bottom - top); };
  for (const ParallelLine& one : lines) {
    std::string path;
    for (std::size_t a = 0; a < axes.size(); ++a)
      path += fmt::format("{}{:.1f},{:.1f}", a == 0 ? "" : " ", x(a), y(one.at[a]));
    svg += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-opacity=\"0.6\"><title>{}</title></polyline>\n",
        path, shade_colour(one.shade), xml_escape(one.label));
  }
  for (std::size_t a = 0; a < axes.size(); ++a) {
    svg += line(x(a), top, x(a), height - bottom, "stroke=\"#333\"");
    svg += text_at(x(a), top - 10 - (a % 2 == 0 ? 0 : 14), "middle", axes[a].label, "font-size=\"11\"");
    const std::size_t count = axes[a].ticks.size();
    for (std::size_t t = 0; t < count; ++t)
      svg += text_at(x(a) + 4, y(count < 2 ? 0.5 : static_cast<double>(t) / static_cast<double>(count - 1)) + 4,
                     "start", in_short(axes[a].ticks[t]), "font-size=\"10\"");
  }
  return svg + "</svg>\n";
}

std::string tornado_svg(const std::string& title, const std::string& x_label, std::vector<TornadoBar> bars) {
  const auto length = [](const TornadoBar& bar) { return std::log(bar.high / bar.low); };
  std::ranges::stable_sort(bars, std::greater<>(), length);
  constexpr double width = 860, left = 330, right = 140, top = 60, row = 30;
  const double height = top + row * static_cast<double>(bars.size()) + 50;
  std::vector<double> ends{1};
  for (const TornadoBar& bar : bars) ends.insert(ends.end(), {bar.low, bar.high});
  const PlotScale x(ends, true, left, width - right);
  std::string svg = opened(width, height, title);
  for (const double tick : x.ticks()) {
    svg += line(x.at(tick), top - 8, x.at(tick), height - 40, "stroke=\"#ddd\"");
    svg += text_at(x.at(tick), height - 26, "middle", tick_text(tick));
  }
  for (std::size_t b = 0; b < bars.size(); ++b) {
    const double y = top + row * static_cast<double>(b);
    svg += text_at(10, y + 14, "start", bars[b].name);
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\" fill=\"{}\"/>\n",
                       x.at(bars[b].low), y, x.at(1) - x.at(bars[b].low), series_colour(0));
    svg += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"18\" fill=\"{}\"/>\n", x.at(1), y,
                       x.at(bars[b].high) - x.at(1), series_colour(1));
    svg += text_at(x.at(bars[b].low) - 4, y + 14, "end", in_short(bars[b].low_label), "font-size=\"11\"");
    svg += text_at(x.at(bars[b].high) + 4, y + 14, "start", in_short(bars[b].high_label), "font-size=\"11\"");
  }
  svg += line(x.at(1), top - 8, x.at(1), height - 40, "stroke=\"#333\"");
  return svg + text_at((left + width - right) / 2, height - 8, "middle", x_label) + "</svg>\n";
}

std::string heatmap_svg(const HeatMap& map) {
  constexpr double left = 170, top = 60, cell_height = 30;
  const double cell_width =
      std::clamp(700 / static_cast<double>(std::max<std::size_t>(1, map.columns.size())), 34.0, 110.0);
  const double width = left + cell_width * static_cast<double>(map.columns.size()) + 30;
  const double height = top + cell_height * static_cast<double>(map.rows.size()) + 60;
  std::vector<double> values;
  for (const auto& row : map.cells) {
    for (const auto& value : row) {
      if (value) values.push_back(*value);
    }
  }
  if (values.empty()) values.push_back(1);
  const auto [low, high] = std::ranges::minmax(values);
  const bool log = low > 0 && high > 10 * low;
  const auto share = [&, low = low, high = high](double value) {
    if (high <= low) return 0.5;
    return log ? std::log(value / low) / std::log(high / low) : (value - low) / (high - low);
  };
  std::string svg = opened(std::max(width, 420.0), height, map.title);
  for (std::size_t r = 0; r < map.rows.size(); ++r) {
    const double y = top + cell_height * static_cast<double>(map.rows.size() - 1 - r);
    svg += text_at(left - 8, y + 19, "end", in_short(map.rows[r]));
    for (std::size_t c = 0; c < map.columns.size(); ++c) {
      const double x = left + cell_width * static_cast<double>(c);
      const std::optional<double>& value = map.cells[r][c];
      svg += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\" stroke=\"white\"/>\n", x, y,
          cell_width, cell_height, value ? shade_colour(share(*value)) : "#eee");
      if (value)
        svg += text_at(x + cell_width / 2, y + 19, "middle", fmt::format("{:.3g}", *value),
                       fmt::format("font-size=\"10\" fill=\"{}\"", share(*value) < 0.6 ? "white" : "black"));
    }
  }
  const double floor = top + cell_height * static_cast<double>(map.rows.size());
  for (std::size_t c = 0; c < map.columns.size(); ++c)
    svg += text_at(left + cell_width * (static_cast<double>(c) + 0.5), floor + 16, "middle", in_short(map.columns[c]),
                   "font-size=\"10\"");
  svg += text_at(left + cell_width * static_cast<double>(map.columns.size()) / 2, floor + 36, "middle", map.x_label);
  svg += text_at(left - 8, top - 10, "end", map.y_label);
  return svg + "</svg>\n";
}

}  // namespace tilewright
