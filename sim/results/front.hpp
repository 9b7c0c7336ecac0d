// The best points of a study: Pareto front, hypervolume, and what designing network and chip together gains.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/study/store.hpp"

namespace tilewright {

/// Points of the study's last engine that met all constraints and have a figure for every objective, in the order of the store.
struct StudyRows {
  StudyRequest request;
  std::vector<StoredPoint> points;
  /// Per point and objective in [0, 1]: 0 the best figure of all points, 1 the worst. Accuracy counts linearly, all else by its logarithm.
  std::vector<std::vector<double>> goals;
};
StudyRows read_rows(const StudyStore& store);

/// Positions of the rows that no other row equals or beats in all objectives while beating it in one; of equal rows the first. Ascending.
std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& goals);
std::vector<std::size_t> pareto_front(const std::vector<std::vector<double>>& goals,
                                      const std::vector<std::size_t>& among);

/// Part of the box between best (0) and worst (1) that the rows `among` leave behind them: 1 would be a point that is best in everything
/// (hypervolume indicator, Zitzler and Thiele, 1998; computed exactly by pagmo2).
double hypervolume(const std::vector<std::vector<double>>& goals, const std::vector<std::size_t>& among);

/// Fronts of the points that share the baseline's network (chip_only), or its chip (network_only), against that of all points.
struct OneSided {
  std::vector<std::size_t> joint, chip_only, network_only;  // fronts
  double joint_volume = 0, chip_volume = 0, network_volume = 0;
  double both_volume = 0;  // of the two one-sided fronts together
};
/// None: the study has no baseline.
std::optional<OneSided> one_sided(const StudyRows& rows);

/// Network, chip and the axes of a point with several values: "arch 01210, chip eyeriss, model.batch 4".
std::string describe(const StudyRequest& request, const StoredPoint& point);

}  // namespace tilewright
