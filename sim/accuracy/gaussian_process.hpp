// A Gaussian process over points of finite axes: what is not evaluated yet, from what is.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "sim/accuracy/accuracy.hpp"

namespace tilewright {

/// A point: one whole number an axis.
using PointCode = std::vector<int>;

/// Values y = m + f(x), f a Gaussian process of covariance s^2 (exp(-sum_a theta_a delta_a(x, x')) + tau [x = x']) (Rasmussen and Williams,
/// Gaussian Processes for Machine Learning, 2006): delta_a is 1 where two points differ on an axis without order, else their distance over the axis'
/// span. tau is what no other point announces. m and s^2 are those of greatest likelihood; theta and tau maximise the likelihood times a normal
/// density of each log theta about -log(axes), deviation 1, by Rprop (Riedmiller and Braun, 1993). Deterministic.
class GaussianProcess {
 public:
  /// spans: of each axis; 0: without order. rows: distinct points, at least two; values: theirs. start: `parameters` of an earlier process of the
  /// same axes, or nothing. The parameters are fitted to 200 rows at most, evenly spread; all rows are then believed.
  GaussianProcess(std::vector<double> spans, std::vector<PointCode> rows, const std::vector<double>& values,
                  std::span<const double> start = {});
  GaussianProcess(GaussianProcess&&) noexcept;
  ~GaussianProcess();

  /// log theta of each axis, log tau.
  std::vector<double> parameters() const;
  /// Each row from all others (Rasmussen and Williams, eq. 5.12).
  PredictionError leave_one_out() const;

 private:
  friend class Belief;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What a process says of some points, all of them together.
class Belief {
 public:
  /// The process must outlive it.
  Belief(const GaussianProcess& process, std::vector<PointCode> points);
  Belief(Belief&&) noexcept;
  ~Belief();

  double mean(std::size_t point) const;
  double deviation(std::size_t point) const;
  /// As if the point had been evaluated and its mean found: the deviations shrink ("kriging believer", Ginsbourger et al., 2010).
  void believe(std::size_t point);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tilewright
