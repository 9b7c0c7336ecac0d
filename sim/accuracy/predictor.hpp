// Scores of architectures from those of others.
#pragma once

#include <memory>
#include <vector>

#include "sim/accuracy/accuracy.hpp"

namespace tilewright {

struct ScoredArchitecture {
  Architecture architecture;
  double score = 0;
};

/// ridge: score = mean + w x, x the choices one by one as 0 and 1, a choice that is not open as a value of its own; w from least squares with
/// penalty lambda |w|^2 (Hoerl and Kennard, 1970). gaussian_process: mean of a Gaussian process with covariance exp(-differing choices / length)
/// and noise (Rasmussen and Williams, 2006, eq. 2.25). lambda, length and noise: of a few those with the least cross-validated error.
class PredictorModel {
 public:
  /// At most 400 rows, evenly spread, are fitted: the time grows with their cube. Precondition: predictor is not none.
  PredictorModel(const SearchSpace& space, Predictor predictor, const std::vector<ScoredArchitecture>& rows);
  PredictorModel(PredictorModel&&) noexcept;
  ~PredictorModel();
  double predict(const Architecture& architecture) const;
  PredictionError error() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tilewright
