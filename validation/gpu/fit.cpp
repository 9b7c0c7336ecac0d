#include "validation/gpu/fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace tilewright {
namespace {

constexpr double difference =
    1e-4;  // step of the logarithm for a derivative: above the noise of the clock search, below a tile's reach
constexpr double tolerance = 1e-5;  // relative gain of a step at which the fit ends

std::vector<double> values_of(const Eigen::VectorXd& logs) {
  std::vector<double> values(static_cast<std::size_t>(logs.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::exp(logs[static_cast<Eigen::Index>(i)]);
  return values;
}

}  // namespace

FitResult fit_least_squares(const std::vector<FitParameter>& parameters, std::span<const double> weights,
                            const FitResiduals& residuals, double scale, int most_steps) {
  const std::size_t rows = weights.size();
  const auto count = static_cast<Eigen::Index>(parameters.size());
  std::vector<std::size_t> all(rows);
  std::iota(all.begin(), all.end(), std::size_t{0});
  Eigen::VectorXd guess(count), start(count), least(count), most(count);
  for (Eigen::Index p = 0; p < count; ++p) {
    const FitParameter& parameter = parameters[static_cast<std::size_t>(p)];
    guess[p] = std::log(parameter.guess);
    start[p] = parameter.start > 0 ? std::log(parameter.start) : guess[p];
    least[p] = std::log(parameter.least);
    most[p] = std::log(parameter.most);
  }
  const auto prior_of = [&](Eigen::Index p) { return parameters[static_cast<std::size_t>(p)].prior; };
  const auto cost_of = [&](const Eigen::VectorXd& logs, const std::vector<double>& r) {
    double cost = 0;
    for (std::size_t i = 0; i < rows; ++i)
      cost += weights[i] * 2 * scale * scale * (std::sqrt(1 + r[i] * r[i] / (scale * scale)) - 1);
    for (Eigen::Index p = 0; p < count; ++p)
      if (prior_of(p) > 0) cost += std::pow(scale * (logs[p] - guess[p]) / prior_of(p), 2);
    return cost;
  };

  Eigen::VectorXd logs = start.cwiseMax(least).cwiseMin(most);
  std::vector<double> r(rows), moved(rows);
  residuals(values_of(logs), all, r);
  FitResult result;
  result.cost = cost_of(logs, r);
  double damping = 1e-2;
  for (result.steps = 0; result.steps < most_steps; ++result.steps) {
    Eigen::MatrixXd jacobian = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(rows), count);
    for (Eigen::Index p = 0; p < count; ++p) {
      const std::vector<std::size_t>& own = parameters[static_cast<std::size_t>(p)].rows;
      const std::span<const std::size_t> touched = own.empty() ? std::span<const std::size_t>(all) : own;
      const double step = logs[p] + difference <= most[p] ? difference : -difference;
      Eigen::VectorXd there = logs;
      there[p] += step;
      residuals(values_of(there), touched, std::span<double>(moved).first(touched.size()));
      for (std::size_t i = 0; i < touched.size(); ++i)
        jacobian(static_cast<Eigen::Index>(touched[i]), p) = (moved[i] - r[touched[i]]) / step;
    }
    Eigen::VectorXd weighted(static_cast<Eigen::Index>(rows));
    Eigen::VectorXd residual(static_cast<Eigen::Index>(rows));
    for (std::size_t i = 0; i < rows; ++i) {
      weighted[static_cast<Eigen::Index>(i)] = weights[i] / std::sqrt(1 + r[i] * r[i] / (scale * scale));
      residual[static_cast<Eigen::Index>(i)] = r[i];
    }
    Eigen::MatrixXd normal = jacobian.transpose() * weighted.asDiagonal() * jacobian;
    Eigen::VectorXd gradient = jacobian.transpose() * weighted.asDiagonal() * residual;
    for (Eigen::Index p = 0; p < count; ++p) {
      if (prior_of(p) <= 0) continue;
      const double stiffness = scale * scale / (prior_of(p) * prior_of(p));
      normal(p, p) += stiffness;
      gradient[p] += stiffness * (logs[p] - guess[p]);
    }
    bool better = false;
    double gain = 0;
    for (int trial = 0; trial < 12 && !better; ++trial) {
      Eigen::MatrixXd damped = normal;
      for (Eigen::Index p = 0; p < count; ++p) damped(p, p) += damping * normal(p, p) + 1e-12;
      const Eigen::VectorXd step = damped.ldlt().solve(gradient);
      const Eigen::VectorXd next = (logs - step).cwiseMax(least).cwiseMin(most);
      residuals(values_of(next), all, moved);
      const double cost = cost_of(next, moved);
      if (cost < result.cost) {
        better = true;
        gain = (result.cost - cost) / result.cost;
        logs = next;
        r = moved;
        result.cost = cost;
        damping = std::max(1e-7, damping / 5);
      } else {
        damping *= 4;
      }
    }
    if (!better || gain < tolerance) break;
  }
  result.values = values_of(logs);
  return result;
}

}  // namespace tilewright
