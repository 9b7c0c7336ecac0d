#include "gui/viewmodels/roofline_lines.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

namespace tilewright::gui {
namespace {

constexpr double margin = 3.1622776601683795;  // half a decade

const RooflinePeak* highest_peak(const RooflinePlot& plot) {
  const auto highest = std::max_element(plot.peaks.begin(), plot.peaks.end(), [](const auto& a, const auto& b) {
    return a.operations_per_s < b.operations_per_s;
  });
  return highest == plot.peaks.end() ? nullptr : &*highest;
}

void widen(Range& range, double value) {
  range.least = range.least > 0 ? std::min(range.least, value) : value;
  range.most = std::max(range.most, value);
}

bool has_dot(const RooflinePoint& point) { return point.intensity > 0 && point.operations_per_s > 0; }

/// Ridges of the highest peak part the intensities: left of all of them memory limits, right of all of them the lanes.
std::vector<RooflineZone> zones_of(const RooflinePlot& plot, const RooflinePeak& peak, const Range& intensity) {
  double nearest = peak.operations_per_s / plot.ceilings.front().bandwidth, farthest = nearest;
  std::string level = plot.ceilings.front().name;
  for (const RooflineCeiling& ceiling : plot.ceilings) {
    const double ridge = peak.operations_per_s / ceiling.bandwidth;
    nearest = std::min(nearest, ridge);
    if (ridge > farthest) {
      farthest = ridge;
      level = ceiling.name;
    }
  }
  std::vector<RooflineZone> zones;
  const auto add = [&](RooflineZone::Kind kind, std::string name, double from, double to) {
    if (to > from) zones.push_back({kind, std::move(name), from, to});
  };
  add(RooflineZone::Kind::below_all, {}, intensity.least, nearest);
  add(RooflineZone::Kind::between, level, nearest, farthest);
  add(RooflineZone::Kind::above_all, {}, farthest, intensity.most);
  return zones;
}

}  // namespace

void widen(RooflineLines& lines, const RooflineLines& other) {
  for (const auto& [mine, its] : {std::pair{&lines.intensity, &other.intensity}, std::pair{&lines.rate, &other.rate}}) {
    widen(*mine, its->least);
    widen(*mine, its->most);
  }
  if (!lines.zones.empty()) {
    lines.zones.front().from = lines.intensity.least;
    lines.zones.back().to = lines.intensity.most;
  }
}

RooflinePath roofline_path(const Analysis& analysis, std::size_t row) {
  RooflinePath path;
  const LayerEvaluation& layer = analysis.result.layers[row];
  if (!has_dot(analysis.roofline.points[row])) return path;
  path.rate = analysis.roofline.points[row].operations_per_s;
  for (std::size_t l = 0; l < analysis.chip.levels.size(); ++l) {
    double bytes = 0;
    for (const auto& [evaluation, repeat] : layer.kernels)
      bytes += static_cast<double>(repeat) * evaluation.levels[l].traffic.value;
    if (bytes <= 0 || level_bandwidth(analysis.chip, l) <= 0) continue;
    path.levels.push_back(analysis.chip.levels[l].name);
    path.intensity.push_back(layer.operations / bytes);
  }
  return path;
}

std::vector<RooflineMove> roofline_moves(const RooflinePlot& from, const RooflinePlot& to) {
  std::map<std::string_view, std::size_t> dots;
  for (std::size_t i = 0; i < from.points.size(); ++i) {
    if (has_dot(from.points[i])) dots.emplace(from.points[i].layer, i);
  }
  std::vector<RooflineMove> moves;
  for (std::size_t i = 0; i < to.points.size(); ++i) {
    const auto before = dots.find(to.points[i].layer);
    if (has_dot(to.points[i]) && before != dots.end()) moves.push_back({before->second, i});
  }
  return moves;
}

RooflineLines roofline_lines(const RooflinePlot& plot) {
  RooflineLines lines;
  for (std::size_t i = 0; i < plot.points.size(); ++i) {
    const RooflinePoint& point = plot.points[i];
    if (!has_dot(point)) continue;
    lines.dots.push_back(i);
    widen(lines.intensity, point.intensity);
    widen(lines.rate, point.operations_per_s);
  }
  const RooflinePeak* peak = highest_peak(plot);
  double fastest = 0;
  for (const RooflineCeiling& ceiling : plot.ceilings) {
    fastest = std::max(fastest, ceiling.bandwidth);
    if (peak != nullptr) widen(lines.intensity, peak->operations_per_s / ceiling.bandwidth);
  }
  for (const RooflinePeak& each : plot.peaks) widen(lines.rate, each.operations_per_s);
  if (lines.intensity.most <= 0) lines.intensity = {1, 1};
  if (lines.rate.most <= 0) lines.rate = {1, 1};
  lines.intensity = {lines.intensity.least / margin, lines.intensity.most * margin};
  lines.rate = {lines.rate.least / margin, lines.rate.most * margin};

  if (peak != nullptr && !plot.ceilings.empty()) lines.zones = zones_of(plot, *peak, lines.intensity);
  for (const RooflineCeiling& ceiling : plot.ceilings) {
    const double end = peak == nullptr ? lines.intensity.most : peak->operations_per_s / ceiling.bandwidth;
    const double begin = std::min(lines.intensity.least, end);
    lines.roofs.push_back({ceiling.name, true, {begin, end}, {begin * ceiling.bandwidth, end * ceiling.bandwidth}});
  }
  for (const RooflinePeak& each : plot.peaks) {
    if (each.operations_per_s <= 0) continue;
    const double begin = fastest > 0 ? each.operations_per_s / fastest : lines.intensity.least;
    lines.roofs.push_back({each.name,
                           false,
                           {begin, std::max(begin, lines.intensity.most)},
                           {each.operations_per_s, each.operations_per_s}});
  }
  return lines;
}

std::optional<RooflineGain> roofline_gain(const RooflinePlot& plot, std::size_t point) {
  const RooflinePoint& dot = plot.points[point];
  const RooflinePeak* peak = highest_peak(plot);
  if (peak == nullptr || plot.ceilings.empty() || dot.intensity <= 0 || dot.operations_per_s <= 0) return std::nullopt;
  const RooflineCeiling& memory = plot.ceilings.front();
  RooflineGain gain;
  gain.intensity = dot.intensity;
  gain.reached = dot.operations_per_s;
  gain.limit = attainable(peak->operations_per_s, dot.intensity, memory.bandwidth);
  gain.factor = gain.limit / gain.reached;
  gain.roof = gain.limit < peak->operations_per_s ? memory.name : peak->name;
  return gain;
}

}  // namespace tilewright::gui
