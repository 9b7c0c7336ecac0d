#include "sim/results/front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <pagmo/utils/hypervolume.hpp>

#include "sim/study/metrics.hpp"

namespace tilewright {
namespace {

bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool better = false;
  for (std::size_t g = 0; g < a.size(); ++g) {
    if (a[g] > b[g]) return false;
    better |= a[g] < b[g];
  }
  return better;
}

bool of_the_network(std::string_view key) { return key == "workload" || key == "arch" || key.starts_with("model."); }

/// Points whose coordinates of one side are those of the baseline.
std::vector<std::size_t> with_baseline(const StudyRows& rows, bool network) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < rows.points.size(); ++i) {
    const Coordinates at = coordinates_of(rows.request, point_at(rows.request, rows.points[i].position));
    const bool same = std::ranges::all_of(rows.request.baseline, [&](const auto& fixed) {
      return of_the_network(fixed.first) != network || at.at(fixed.first) == fixed.second;
    });
    if (same) found.push_back(i);
  }
  return found;
}

}  // namespace

StudyRows read_rows(const StudyStore& store) {
  StudyRows rows{store.request(), {}, {}};
  const std::vector<StudyGoal>& goals = rows.request.goals;
  store.for_each([&](const StoredPoint& point) {
    if (point.stage + 1 != rows.request.engines.size() || point.result.status != PointStatus::done) return;
    const auto missing = [&](const StudyGoal& goal) { return std::isnan(point.result.figures[goal.metric]); };
    if (std::ranges::none_of(goals, missing)) rows.points.push_back(point);
  });
  rows.goals.assign(rows.points.size(), {});
  const std::size_t accuracy = static_cast<std::size_t>(
      std::ranges::find(study_metrics(), std::string_view("accuracy"), &Metric::name) - study_metrics().begin());
  for (const StudyGoal& goal : goals) {
    std::vector<double> figures;
    for (const StoredPoint& point : rows.points) {
      const double figure = point.result.figures[goal.metric];
      const double scaled = goal.metric == accuracy ? figure : std::log(std::max(figure, 1e-300));
      figures.push_back(goal.maximize ? -scaled : scaled);
    }
    if (figures.empty()) continue;
    const auto [low, high] = std::ranges::minmax(figures);
    for (std::size_t i = 0; i < figures.size(); ++i)
      rows.goals[i].push_back(high > low ? (figures[i] - low) / (high - low) : 0);
  }
  return rows;
}

std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& goals) {
  std::vector<std::size_t> all(goals.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return pareto_front(goals, all);
}

std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& goals,
                                      const std::vector<std::size_t>& among) {
  std::vector<std::size_t> order = among;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return goals[a] < goals[b]; });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {  // nothing later in this order dominates something earlier
    if (std::ranges::none_of(front,
                             [&](std::size_t f) { return goals[f] == goals[i] || dominates(goals[f], goals[i]); }))
      front.push_back(i);
  }
  std::ranges::sort(front);
  return front;
}

double hypervolume(const std::vector<std::vector<double>>& goals, const std::vector<std::size_t>& among) {
  const std::vector<std::size_t> front = pareto_front(goals, among);
  if (front.empty()) return 0;
  const std::size_t dims = goals[front.front()].size();
  if (dims == 1) return 1 - goals[front.front()].front();
  std::vector<std::vector<double>> points;
  for (const std::size_t i : front) {
    if (std::ranges::all_of(goals[i], [](double g) { return g < 1; })) points.push_back(goals[i]);
  }
  if (points.empty()) return 0;
  return pagmo::hypervolume(points, true).compute(std::vector<double>(dims, 1.0));
}

std::optional<OneSided> one_sided(const StudyRows& rows) {
  if (rows.request.baseline.empty()) return std::nullopt;
  OneSided sides;
  sides.joint = pareto_front(rows.goals);
  sides.chip_only = pareto_front(rows.goals, with_baseline(rows, true));
  sides.network_only = pareto_front(rows.goals, with_baseline(rows, false));
  sides.joint_volume = hypervolume(rows.goals, sides.joint);
  sides.chip_volume = hypervolume(rows.goals, sides.chip_only);
  sides.network_volume = hypervolume(rows.goals, sides.network_only);
  std::vector<std::size_t> both = sides.chip_only;
  both.insert(both.end(), sides.network_only.begin(), sides.network_only.end());
  sides.both_volume = hypervolume(rows.goals, both);
  return sides;
}

std::string describe(const StudyRequest& request, const StoredPoint& point) {
  const StudyPoint at = point_at(request, point.position);
  std::string text;
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", key, value);
  };
  if (request.workloads.size() > 1 || !request.architectures) add("workload", at.workload);
  if (request.chips.size() > 1 || request.axes.empty()) add("chip", at.chip);
  std::size_t a = 0;
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) {
      if (axis.values.size() > 1) add(axis.key, at.values[a]);
      ++a;
    }
  }
  return text;
}

}  // namespace tilewright
