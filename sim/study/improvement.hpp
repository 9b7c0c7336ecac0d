// What a point that is not evaluated yet may add to a front.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace tilewright {

/// The points below a reference that a front does not dominate, as boxes without overlap: slabs between neighbouring figures of the last goal, each
/// divided by the goal before it, and so on. Smaller figures are better.
class UndominatedRegion {
 public:
  /// Points of the front that are not below the reference in every goal do not count. With d goals and n points up to n^(d - 1) boxes.
  UndominatedRegion(const std::vector<std::vector<double>>& front, std::vector<double> reference);

  /// Expected growth of the hypervolume by a point whose figures are independent and normal (Emmerich, Giannakoglou and Naujoks, IEEE Trans.
  /// Evol. Comput. 2006), exact: over all boxes the product over the goals of E[upper - max(lower, figure)]+. A deviation of 0: the figure is known.
  double expected_improvement(std::span<const double> mean, std::span<const double> deviation) const;

 private:
  using Points = std::vector<std::vector<std::uint32_t>>;  // figures as positions in cuts_
  void divide(Points points, std::size_t goal, std::vector<std::array<std::uint32_t, 2>>& box);

  std::vector<std::vector<double>>
      cuts_;  // of each goal, ascending; the first is minus infinity, the last the reference
  std::vector<std::array<std::uint32_t, 2>> edges_;  // lower and upper of each box and goal
};

}  // namespace tilewright
