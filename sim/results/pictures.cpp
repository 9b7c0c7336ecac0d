#include "sim/results/pictures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/report/plots.hpp"
#include "sim/study/metrics.hpp"

namespace tilewright {
namespace {

std::size_t metric_named(const std::string& name) {
  return metric_position(parse_yaml("metric: 0", "plot").at("metric"), name);
}

std::string metric_label(std::size_t metric) { return std::string(study_metrics()[metric].column); }

bool is_logarithmic(std::size_t metric, const std::vector<double>& values) {
  return study_metrics()[metric].name != "accuracy" && !values.empty() && std::ranges::min(values) > 0;
}

/// Coordinates with several values: name and values.
std::vector<std::pair<std::string, std::vector<std::string>>> varied(const StudyRequest& request) {
  std::vector<std::pair<std::string, std::vector<std::string>>> all;
  if (request.workloads.size() > 1) all.emplace_back("workload", request.workloads);
  if (request.chips.size() > 1) all.emplace_back("chip", request.chips);
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) {
      if (axis.values.size() > 1) all.emplace_back(axis.key, axis.values);
    }
  }
  return all;
}

const std::vector<std::string>& values_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& all,
                                          const std::string& name) {
  std::vector<std::string> known;
  for (const auto& [key, values] : all) {
    if (key == name) return values;
    known.push_back(key);
  }
  throw InputError({"plot", 0, 0, "axis"}, unknown_message("coordinate with several values", name, known));
}

std::size_t position_in(const std::vector<std::string>& values, const std::string& value) {
  return static_cast<std::size_t>(std::ranges::find(values, value) - values.begin());
}

std::string label_of(const StudyRows& rows, std::size_t row) {
  std::string text =
      fmt::format("{} {}", rows.points[row].identity.substr(0, 8), describe(rows.request, rows.points[row]));
  for (const StudyGoal& goal : rows.request.goals)
    text += fmt::format("; {} {:.5g}", metric_label(goal.metric), rows.points[row].result.figures[goal.metric]);
  return text;
}

}  // namespace

std::string pareto_picture(const StudyRows& rows, const std::string& x, const std::string& y) {
  const std::vector<StudyGoal>& goals = rows.request.goals;
  const std::size_t mx = x.empty() ? goals.front().metric : metric_named(x);
  const std::size_t my = y.empty() ? goals[goals.size() > 1 ? 1 : 0].metric : metric_named(y);
  ScatterPlot plot;
  plot.title =
      fmt::format("{}: {} points, front of {} objectives", rows.request.name, rows.points.size(), goals.size());
  plot.x_label = metric_label(mx);
  plot.y_label = metric_label(my);
  plot.series = rows.request.chips;
  const std::vector<std::size_t> front = pareto_front(rows.goals);
  const std::size_t predicted = metric_named("predicted");
  std::vector<double> xs, ys;
  for (std::size_t i = 0; i < rows.points.size(); ++i) {
    const StoredPoint& point = rows.points[i];
    const double px = point.result.figures[mx], py = point.result.figures[my];
    if (std::isnan(px) || std::isnan(py)) continue;
    const bool on_front = std::ranges::binary_search(front, i);
    xs.push_back(px);
    ys.push_back(py);
    plot.points.push_back(
        {px, py, point.position[1], on_front, point.result.figures[predicted] == 1, label_of(rows, i)});
  }
  plot.log_x = is_logarithmic(mx, xs);
  plot.log_y = is_logarithmic(my, ys);
  return scatter_svg(plot);
}

std::string parallel_picture(const StudyRows& rows) {
  const auto coordinates = varied(rows.request);
  std::vector<ParallelAxis> axes;
  for (const auto& [key, values] : coordinates) {
    constexpr std::size_t most_ticks = 12;
    ParallelAxis axis{key, values};
    if (values.size() > most_ticks) axis.ticks = {values.front(), values.back()};
    axes.push_back(std::move(axis));
  }
  for (std::size_t g = 0; g < rows.request.goals.size(); ++g) {
    const StudyGoal& goal = rows.request.goals[g];
    ParallelAxis axis{metric_label(goal.metric), {}};
    std::vector<double> figures;
    for (const StoredPoint& point : rows.points) figures.push_back(point.result.figures[goal.metric]);
    if (!figures.empty()) {
      const auto [low, high] = std::ranges::minmax(figures);
      axis.ticks = goal.maximize ? std::vector{fmt::format("{:.3g}", high), fmt::format("{:.3g}", low)}
                                 : std::vector{fmt::format("{:.3g}", low), fmt::format("{:.3g}", high)};
    }
    axes.push_back(std::move(axis));
  }
  std::vector<ParallelLine> lines;
  for (const std::size_t row : pareto_front(rows.goals)) {
    const Coordinates at = coordinates_of(rows.request, point_at(rows.request, rows.points[row].position));
    ParallelLine one{{}, rows.goals[row].front(), label_of(rows, row)};
    for (const auto& [key, values] : coordinates)
      one.at.push_back(static_cast<double>(position_in(values, at.at(key))) / static_cast<double>(values.size() - 1));
    one.at.insert(one.at.end(), rows.goals[row].begin(), rows.goals[row].end());
    lines.push_back(std::move(one));
  }
  return parallel_svg(fmt::format("{}: the front; objectives are better at the bottom", rows.request.name),
                      metric_label(rows.request.goals.front().metric), axes, lines);
}

std::string tornado_picture(const StudyRows& rows, const std::string& name) {
  const std::size_t metric = name.empty() ? rows.request.goals.front().metric : metric_named(name);
  std::vector<double> logs;
  for (const StoredPoint& point : rows.points) {
    const double figure = point.result.figures[metric];
    if (!(figure > 0))
      throw InputError({"plot", 0, 0, "metric"},
                       fmt::format("{} is not above zero at every point", metric_label(metric)));
    logs.push_back(std::log(figure));
  }
  double mean = 0;
  for (const double value : logs) mean += value / static_cast<double>(logs.size());
  std::vector<TornadoBar> bars;
  for (const auto& [key, values] : varied(rows.request)) {
    std::vector<std::pair<double, int>> sums(values.size(), {0, 0});
    for (std::size_t i = 0; i < rows.points.size(); ++i) {
      const Coordinates at = coordinates_of(rows.request, point_at(rows.request, rows.points[i].position));
      auto& [sum, count] = sums[position_in(values, at.at(key))];
      sum += logs[i];
      ++count;
    }
    TornadoBar bar{key, "", "", 1, 1};
    for (std::size_t v = 0; v < values.size(); ++v) {
      if (sums[v].second == 0) continue;
      const double factor = std::exp(sums[v].first / sums[v].second - mean);
      if (factor < bar.low || bar.low_label.empty()) bar.low = factor, bar.low_label = values[v];
      if (factor > bar.high || bar.high_label.empty()) bar.high = factor, bar.high_label = values[v];
    }
    bar.low = std::min(bar.low, 1.0);
    bar.high = std::max(bar.high, 1.0);
    bars.push_back(std::move(bar));
  }
  return tornado_svg(fmt::format("{}: sensitivity of {}", rows.request.name, metric_label(metric)),
                     fmt::format("factor of the geometric mean over all points, {:.4g}", std::exp(mean)),
                     std::move(bars));
}

std::string heatmap_picture(const StudyRows& rows, const std::string& x, const std::string& y,
                            const std::string& name) {
  const auto coordinates = varied(rows.request);
  if (coordinates.size() < 2)
    throw InputError({"plot", 0, 0, "axis"}, "a heat map needs two coordinates with several values");
  const std::string kx = x.empty() ? coordinates[0].first : x, ky = y.empty() ? coordinates[1].first : y;
  const std::size_t metric = name.empty() ? rows.request.goals.front().metric : metric_named(name);
  const auto goal = std::ranges::find(rows.request.goals, metric, &StudyGoal::metric);
  const bool maximize = goal != rows.request.goals.end() && goal->maximize;
  HeatMap map;
  map.columns = values_of(coordinates, kx);
  map.rows = values_of(coordinates, ky);
  constexpr std::size_t most_cells = 100;  // of one side
  if (map.columns.size() > most_cells || map.rows.size() > most_cells)
    throw InputError({"plot", 0, 0, "axis"}, fmt::format("a side of a heat map has at most {} values", most_cells));
  map.title = fmt::format("{}: {} {}", rows.request.name, maximize ? "largest" : "least", metric_label(metric));
  map.x_label = kx;
  map.y_label = ky;
  map.cells.assign(map.rows.size(), std::vector<std::optional<double>>(map.columns.size()));
  for (const StoredPoint& point : rows.points) {
    const Coordinates at = coordinates_of(rows.request, point_at(rows.request, point.position));
    const double figure = point.result.figures[metric];
    std::optional<double>& cell = map.cells[position_in(map.rows, at.at(ky))][position_in(map.columns, at.at(kx))];
    if (!std::isnan(figure) && (!cell || (maximize ? figure > *cell : figure < *cell))) cell = figure;
  }
  return heatmap_svg(map);
}

}  // namespace tilewright
