#include "gui/viewmodels/roofline_lines.hpp"

#include <algorithm>
#include <cmath>

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

}  // namespace

RooflineLines roofline_lines(const RooflinePlot& plot) {
  RooflineLines lines;
  for (std::size_t i = 0; i < plot.points.size(); ++i) {
    const RooflinePoint& point = plot.points[i];
    if (point.intensity <= 0 || point.operations_per_s <= 0) continue;
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
