#include "sim/accuracy/gaussian_process.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "sim/accuracy/rank_correlation.hpp"

namespace tilewright {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Index = Eigen::Index;

constexpr std::size_t most_fitted = 200;
constexpr double least_log = -14, most_log = 3;  // of theta and tau
constexpr double least_variance = 1e-24;         // where all values are equal

double difference(int a, int b, double span) {
  if (a == b) return 0;
  return span > 0 ? std::abs(a - b) / span : 1;
}

double correlation(const PointCode& a, const PointCode& b, const std::vector<double>& spans, const Vector& theta) {
  double sum = 0;
  for (std::size_t i = 0; i < spans.size(); ++i) sum += theta(static_cast<Index>(i)) * difference(a[i], b[i], spans[i]);
  return std::exp(-sum);
}

/// The likelihood over log theta and log tau of some rows.
class Likelihood {
 public:
  Likelihood(const std::vector<double>& spans, const std::vector<PointCode>& rows, const std::vector<double>& values,
             std::size_t count)
      : values_(static_cast<Index>(count)) {
    std::vector<std::size_t> in;
    for (std::size_t i = 0; i < count; ++i) in.push_back(i * rows.size() / count);
    const auto n = static_cast<Index>(count);
    for (Index i = 0; i < n; ++i) values_(i) = values[in[static_cast<std::size_t>(i)]];
    for (std::size_t a = 0; a < spans.size(); ++a) {
      differences_.emplace_back(n, n);
      for (Index i = 0; i < n; ++i) {
        for (Index j = 0; j < n; ++j)
          differences_.back()(i, j) =
              difference(rows[in[static_cast<std::size_t>(i)]][a], rows[in[static_cast<std::size_t>(j)]][a], spans[a]);
      }
    }
  }

  /// Of the logarithm of likelihood times prior.
  Vector gradient(const Vector& logs) const {
    const Index n = values_.size(), axes = logs.size() - 1;
    Matrix sum = Matrix::Zero(n, n);
    for (Index a = 0; a < axes; ++a) sum += std::exp(logs(a)) * differences_[static_cast<std::size_t>(a)];
    const Matrix smooth = (-sum).array().exp();
    Matrix c = smooth;
    c.diagonal().array() += std::exp(logs(axes));
    const Eigen::LLT<Matrix> factor(c);
    const Matrix inverse = factor.solve(Matrix::Identity(n, n));
    const Vector ones = Vector::Ones(n);
    const Vector centred = values_.array() - ones.dot(inverse * values_) / ones.dot(inverse * ones);
    const Vector weights = inverse * centred;
    const double variance = std::max(centred.dot(weights) / static_cast<double>(n), least_variance);
    const Matrix w = weights * weights.transpose() / variance - inverse;
    const Matrix each = w.cwiseProduct(smooth);
    Vector slope(logs.size());
    const double centre = -std::log(static_cast<double>(axes));
    for (Index a = 0; a < axes; ++a)
      slope(a) = -0.5 * std::exp(logs(a)) * each.cwiseProduct(differences_[static_cast<std::size_t>(a)]).sum() -
                 (logs(a) - centre);
    slope(axes) = 0.5 * std::exp(logs(axes)) * w.trace();
    return slope;
  }

 private:
  std::vector<Matrix> differences_;  // of each axis
  Vector values_;
};

/// Uphill by the signs of the slope: a step grows while its sign stays and halves where it turns (iRprop-).
Vector climbed(const Likelihood& likelihood, Vector logs, int steps) {
  Vector step = Vector::Constant(logs.size(), 0.3), before = Vector::Zero(logs.size());
  for (int i = 0; i < steps; ++i) {
    const Vector slope = likelihood.gradient(logs);
    for (Index p = 0; p < logs.size(); ++p) {
      const double turn = slope(p) * before(p);
      if (turn != 0) step(p) = std::clamp(step(p) * (turn > 0 ? 1.2 : 0.5), 1e-3, 1.0);
      before(p) = turn < 0 ? 0 : slope(p);
      if (before(p) != 0) logs(p) = std::clamp(logs(p) + std::copysign(step(p), before(p)), least_log, most_log);
    }
  }
  return logs;
}

}  // namespace

struct GaussianProcess::Impl {
  std::vector<double> spans;
  std::vector<PointCode> rows;
  Vector logs, theta, values;
  double tau = 0, mean = 0, variance = 0;
  Eigen::LLT<Matrix> factor;  // of the rows' covariance over variance
  Vector weights;             // of the rows' correlations in a mean
};

GaussianProcess::GaussianProcess(std::vector<double> spans, std::vector<PointCode> rows,
                                 const std::vector<double>& values, std::span<const double> start)
    : impl_(std::make_unique<Impl>()) {
  Impl& m = *impl_;
  m.spans = std::move(spans);
  m.rows = std::move(rows);
  constexpr int cold_steps = 40, warm_steps = 10;
  const auto axes = static_cast<Index>(m.spans.size());
  if (start.empty()) {
    m.logs = Vector::Constant(axes + 1, -std::log(static_cast<double>(axes)));
    m.logs(axes) = std::log(0.1);
  } else {
    m.logs = Eigen::Map<const Vector>(start.data(), static_cast<Index>(start.size()));
  }
  m.logs = climbed(Likelihood(m.spans, m.rows, values, std::min(m.rows.size(), most_fitted)), m.logs,
                   start.empty() ? cold_steps : warm_steps);
  m.theta = m.logs.head(axes).array().exp();
  m.tau = std::exp(m.logs(axes));

  const auto n = static_cast<Index>(m.rows.size());
  m.values = Eigen::Map<const Vector>(values.data(), n);
  Matrix c(n, n);
  for (Index i = 0; i < n; ++i) {
    c(i, i) = 1 + m.tau;
    for (Index j = 0; j < i; ++j)
      c(i, j) = c(j, i) =
          correlation(m.rows[static_cast<std::size_t>(i)], m.rows[static_cast<std::size_t>(j)], m.spans, m.theta);
  }
  m.factor.compute(c);
  const Vector level = m.factor.solve(Vector::Ones(n));
  m.mean = level.dot(m.values) / level.sum();
  m.weights = m.factor.solve(Vector(m.values.array() - m.mean));
  m.variance = std::max((m.values.array() - m.mean).matrix().dot(m.weights) / static_cast<double>(n), least_variance);
}

GaussianProcess::GaussianProcess(GaussianProcess&&) noexcept = default;
GaussianProcess::~GaussianProcess() = default;

std::vector<double> GaussianProcess::parameters() const { return {impl_->logs.begin(), impl_->logs.end()}; }

PredictionError GaussianProcess::leave_one_out() const {
  const Impl& m = *impl_;
  const Index n = m.values.size();
  const Vector own = m.factor.solve(Matrix::Identity(n, n)).diagonal();
  const Vector predicted = m.values.array() - m.weights.array() / own.array();
  return {std::sqrt((predicted - m.values).squaredNorm() / static_cast<double>(n)),
          rank_correlation({predicted.begin(), predicted.end()}, {m.values.begin(), m.values.end()}), m.rows.size()};
}

struct Belief::Impl {
  const GaussianProcess::Impl* process = nullptr;
  std::vector<PointCode> points;
  Matrix known;               // L^-1 k, a column a point
  std::vector<Vector> added;  // the same of each point believed since
  Vector mean, variance;      // variance over that of the process

  double covariance(Index a, Index b) const {
    const PointCode &x = points[static_cast<std::size_t>(a)], &y = points[static_cast<std::size_t>(b)];
    double sum = correlation(x, y, process->spans, process->theta) + (x == y ? process->tau : 0) -
                 known.col(a).dot(known.col(b));
    for (const Vector& each : added) sum -= each(a) * each(b);
    return sum;
  }
};

Belief::Belief(const GaussianProcess& process, std::vector<PointCode> points) : impl_(std::make_unique<Impl>()) {
  Impl& m = *impl_;
  m.process = process.impl_.get();
  m.points = std::move(points);
  const std::vector<PointCode>& rows = m.process->rows;
  m.known.resize(static_cast<Index>(rows.size()), static_cast<Index>(m.points.size()));
  for (Index p = 0; p < m.known.cols(); ++p) {
    for (Index r = 0; r < m.known.rows(); ++r) {
      const PointCode &x = m.points[static_cast<std::size_t>(p)], &y = rows[static_cast<std::size_t>(r)];
      m.known(r, p) = correlation(x, y, m.process->spans, m.process->theta) + (x == y ? m.process->tau : 0);
    }
  }
  m.mean = (m.known.transpose() * m.process->weights).array() + m.process->mean;
  m.process->factor.matrixL().solveInPlace(m.known);
  m.variance = 1 + m.process->tau - m.known.colwise().squaredNorm().transpose().array();
}

Belief::Belief(Belief&&) noexcept = default;
Belief::~Belief() = default;

double Belief::mean(std::size_t point) const { return impl_->mean(static_cast<Index>(point)); }

double Belief::deviation(std::size_t point) const {
  constexpr double rounding = 1e-9;  // of a point that is known already
  const double variance = impl_->variance(static_cast<Index>(point));
  return variance > rounding ? std::sqrt(variance * impl_->process->variance) : 0;
}

void Belief::believe(std::size_t point) {
  Impl& m = *impl_;
  if (deviation(point) == 0) return;
  const auto chosen = static_cast<Index>(point);
  Vector shared(m.mean.size());
  for (Index p = 0; p < shared.size(); ++p) shared(p) = m.covariance(p, chosen);
  shared /= std::sqrt(m.variance(chosen));
  m.variance -= shared.cwiseAbs2();
  m.added.push_back(std::move(shared));
}

}  // namespace tilewright
