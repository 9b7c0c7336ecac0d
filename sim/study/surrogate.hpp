// Which proposals of a generation are worth an evaluation: Gaussian processes over the points before.
#pragma once

#include <optional>
#include <vector>

#include "sim/accuracy/gaussian_process.hpp"
#include "sim/study/request.hpp"
#include "sim/study/strategy.hpp"

namespace tilewright {

struct EvaluatedPoint {
  Position position;
  Score score;
};

/// What the surrogate of a study sees of a position on the strategy's axes (a space's choices in place of the axis "arch"): workload, chip and choices
/// have no order, other axes that of their list; a choice that is not open is a value of its own. Accuracy is decided by what its source reads, area and
/// price by the chip, all other figures by everything. `meant` is not set.
SurrogateOptions surrogate_axes(const StudyRequest& request);

/// A point of the study on those axes.
Position on_surrogate_axes(const StudyRequest& request, const Position& position);

/// One Gaussian process a goal, over the axes that decide it, and one over whether the limits are met (least squares on 0 and 1; Rasmussen and
/// Williams, 2006, section 6.5), once a point missed one.
class Surrogate {
 public:
  Surrogate(SurrogateOptions options, std::size_t goals) : options_(std::move(options)), starts_(goals + 1) {}

  /// Up to `count` of the proposals, one after the other, each weighed by what it adds to the hypervolume of the front times the probability that it meets
  /// all limits: in turn the expected growth, and the growth by its means less one deviation (both of Emmerich, Giannakoglou and Naujoks, IEEE Trans.
  /// Evol. Comput. 2006). Those chosen before are taken as found where their means are. Reference: the worst figures so far. Of equals the first.
  /// `points`: at least two.
  std::vector<Position> chosen(const std::vector<EvaluatedPoint>& points, const std::vector<Position>& proposals,
                               std::size_t count);

  /// How well each goal of each point is told by all other points; nothing for a goal with fewer than two distinct points.
  std::vector<std::optional<PredictionError>> errors(const std::vector<EvaluatedPoint>& points);

 private:
  std::optional<GaussianProcess> fitted(const std::vector<EvaluatedPoint>& points, std::size_t goal);
  PointCode code_for(const Position& position, std::size_t goal) const;

  SurrogateOptions options_;
  std::vector<std::vector<double>>
      starts_;  // parameters of the generation before; behind the goals those of the limits
};

}  // namespace tilewright
