// Robust non-linear least squares.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace tilewright {

/// A positive parameter, fitted in its logarithm.
struct FitParameter {
  std::string name;
  double guess = 1, least = 1e-9, most = 1e9;
  double prior = 0;                    // standard deviation of log(value / guess) that counts as one residual; 0: free
  std::vector<std::size_t> rows = {};  // rows that depend on it, ascending; empty: all
  double start = 0;                    // 0: the guess
};

struct FitResult {
  std::vector<double> values;
  double cost = 0;
  int steps = 0;
};

/// out[i] = residual of rows[i] at the parameters.
using FitResiduals =
    std::function<void(std::span<const double> values, std::span<const std::size_t> rows, std::span<double> out)>;

/// Minimises sum over rows of weight x 2 s^2 (sqrt(1 + (r/s)^2) - 1) (soft L1, s = `scale`) plus the priors by Levenberg-Marquardt with
/// re-weighted normal equations and forward differences. Deterministic: no randomness, no threads, sums in row order.
FitResult fit_least_squares(const std::vector<FitParameter>& parameters, std::span<const double> weights,
                            const FitResiduals& residuals, double scale, int most_steps);

}  // namespace tilewright
