#include "sim/study/improvement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace tilewright {
namespace {

/// E[t - y]+ of a normal y.
double expected_below(double t, double mean, double deviation) {
  if (std::isinf(t)) return 0;
  if (deviation == 0) return std::max(0.0, t - mean);
  const double z = (t - mean) / deviation;
  const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
  const double below = 0.5 * std::erfc(-z / std::numbers::sqrt2);
  return std::max(0.0, deviation * (z * below + density));
}

}  // namespace

UndominatedRegion::UndominatedRegion(const std::vector<std::vector<double>>& front, std::vector<double> reference) {
  const std::size_t goals = reference.size();
  std::vector<std::vector<double>> inside;
  for (const std::vector<double>& point : front) {
    if (std::equal(point.begin(), point.end(), reference.begin(), std::less<>{})) inside.push_back(point);
  }
  for (std::size_t g = 0; g < goals; ++g) {
    std::vector<double> cuts{-std::numeric_limits<double>::infinity(), reference[g]};
    for (const std::vector<double>& point : inside) cuts.push_back(point[g]);
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    cuts_.push_back(std::move(cuts));
  }
  Points points;
  for (const std::vector<double>& point : inside) {
    points.emplace_back();
    for (std::size_t g = 0; g < goals; ++g)
      points.back().push_back(
          static_cast<std::uint32_t>(std::lower_bound(cuts_[g].begin(), cuts_[g].end(), point[g]) - cuts_[g].begin()));
  }
  std::vector<std::array<std::uint32_t, 2>> box(goals);
  divide(std::move(points), goals - 1, box);
}

/// The boxes of a slab that is bounded in the goals behind `goal` already and that `points` cut.
void UndominatedRegion::divide(Points points, std::size_t goal, std::vector<std::array<std::uint32_t, 2>>& box) {
  const auto reference = static_cast<std::uint32_t>(cuts_[goal].size() - 1);
  if (goal == 0) {
    box[0] = {0, reference};
    for (const auto& point : points) box[0][1] = std::min(box[0][1], point[0]);
    edges_.insert(edges_.end(), box.begin(), box.end());
    return;
  }
  std::sort(points.begin(), points.end(), [goal](const auto& a, const auto& b) { return a[goal] < b[goal]; });
  Points behind;  // those that reach into the slab
  std::uint32_t lower = 0;
  for (const auto& point : points) {
    const bool covered = std::any_of(behind.begin(), behind.end(), [&](const auto& other) {
      return std::equal(other.begin(), other.begin() + static_cast<std::ptrdiff_t>(goal), point.begin(),
                        std::less_equal<>{});
    });
    if (covered) continue;
    if (point[goal] > lower) {
      box[goal] = {lower, point[goal]};
      divide(behind, goal - 1, box);
      lower = point[goal];
    }
    behind.push_back(point);
  }
  box[goal] = {lower, reference};
  divide(std::move(behind), goal - 1, box);
}

double UndominatedRegion::expected_improvement(std::span<const double> mean, std::span<const double> deviation) const {
  const std::size_t goals = cuts_.size();
  std::vector<std::vector<double>> below(goals);  // expected_below each cut
  for (std::size_t g = 0; g < goals; ++g) {
    for (const double cut : cuts_[g]) below[g].push_back(expected_below(cut, mean[g], deviation[g]));
  }
  double sum = 0;
  for (std::size_t first = 0; first < edges_.size(); first += goals) {
    double volume = 1;
    for (std::size_t g = 0; g < goals; ++g) {
      const auto [lower, upper] = edges_[first + g];
      volume *= below[g][upper] - below[g][lower];
    }
    sum += volume;
  }
  return sum;
}

}  // namespace tilewright
