// Successive fidelity: which points of one engine go on to the next.
#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/study/sweep.hpp"

namespace tilewright {
namespace {

struct Scored {
  std::vector<double> goals;
  Position position;
};

/// At most as large in every goal, and not equal.
bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool smaller = false;
  for (std::size_t g = 0; g < a.size(); ++g) {
    if (a[g] > b[g]) return false;
    smaller = smaller || a[g] < b[g];
  }
  return smaller;
}

/// Fronts of points in lexicographic order of their goals (Zhang et al., IEEE Trans. Evol. Comput. 2015, ENS-BS): no later point dominates an
/// earlier one, so a point joins the first front of which no member dominates it. With two goals only the last member can.
std::vector<std::vector<std::size_t>> fronts_of(const std::vector<Scored>& points) {
  std::vector<std::vector<std::size_t>> fronts;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto beaten_in = [&](const std::vector<std::size_t>& front) {
      if (points[i].goals.size() <= 2) return dominates(points[front.back()].goals, points[i].goals);
      return std::any_of(front.rbegin(), front.rend(),
                         [&](std::size_t member) { return dominates(points[member].goals, points[i].goals); });
    };
    const auto first = std::partition_point(fronts.begin(), fronts.end(), beaten_in);
    if (first == fronts.end()) {
      fronts.push_back({i});
    } else {
      first->push_back(i);
    }
  }
  return fronts;
}

}  // namespace

std::vector<Position> survivors(const StudyRequest& request, const StudyStore& store, std::size_t stage) {
  std::vector<Scored> points;
  store.for_each([&](const StoredPoint& point) {
    if (point.stage != stage || point.result.status != PointStatus::done) return;
    Score score = score_of(request, point.result);
    if (score.goals.size() < request.goals.size()) return;  // the chip file gives no figure for a goal
    points.push_back({std::move(score.goals), point.position});
  });
  std::stable_sort(points.begin(), points.end(), [](const Scored& a, const Scored& b) { return a.goals < b.goals; });
  const double wanted = std::ceil(request.keep * static_cast<double>(points.size()));
  std::vector<Position> chosen;
  for (const std::vector<std::size_t>& front : fronts_of(points)) {
    if (static_cast<double>(chosen.size()) >= wanted) break;
    for (const std::size_t i : front) chosen.push_back(points[i].position);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace tilewright
