#include "sim/accuracy/predictor.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "sim/accuracy/rank_correlation.hpp"

namespace tilewright {
namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using Index = Eigen::Index;

constexpr Index folds = 10;
constexpr std::size_t most_rows = 400;

struct Setting {
  double noise = 1, length = 1;  // noise: ridge's lambda
};

}  // namespace

struct PredictorModel::Impl {
  SearchSpace space;
  Predictor predictor;
  std::vector<Architecture> known;
  double mean = 0;
  Setting setting;
  Vector weights;  // of the kernel's rows
  PredictionError error;

  /// Both predictors are linear in a kernel: ridge in the number of choices on which two architectures agree (dual form of least squares).
  double kernel(std::size_t differing, const Setting& s) const {
    const double choices = static_cast<double>(space.choices.size());
    const auto d = static_cast<double>(differing);
    return predictor == Predictor::ridge ? choices - d : std::exp(-d / s.length);
  }
};

PredictorModel::PredictorModel(const SearchSpace& space, Predictor predictor,
                               const std::vector<ScoredArchitecture>& rows)
    : impl_(std::make_unique<Impl>()) {
  Impl& m = *impl_;
  m.space = space;
  m.predictor = predictor;
  const std::size_t count = std::min(rows.size(), most_rows);
  const auto n = static_cast<Index>(count);
  Vector scores(n);
  for (std::size_t i = 0; i < count; ++i) {
    const ScoredArchitecture& row = rows[i * rows.size() / count];
    m.known.push_back(row.architecture);
    scores(static_cast<Index>(i)) = row.score;
  }
  m.mean = scores.mean();
  const Vector centred = scores.array() - m.mean;
  std::vector<std::vector<std::size_t>> differing(count, std::vector<std::size_t>(count, 0));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < i; ++j) differing[i][j] = differing[j][i] = distance(space, m.known[i], m.known[j]);
  }
  const auto between = [&](const std::vector<Index>& a, const std::vector<Index>& b, const Setting& s) {
    Matrix k(static_cast<Index>(a.size()), static_cast<Index>(b.size()));
    for (Index i = 0; i < k.rows(); ++i) {
      for (Index j = 0; j < k.cols(); ++j)
        k(i, j) = m.kernel(differing[static_cast<std::size_t>(a[static_cast<std::size_t>(i)])]
                                    [static_cast<std::size_t>(b[static_cast<std::size_t>(j)])],
                           s);
    }
    return k;
  };
  const auto solved = [&](const std::vector<Index>& in, const Setting& s) {
    Matrix k = between(in, in, s);
    k.diagonal().array() += s.noise;
    return Vector(k.llt().solve(centred(in)));
  };

  std::vector<Setting> settings;
  for (const double noise : {0.01, 0.1, 1.0, 10.0, 100.0}) {
    if (predictor == Predictor::ridge) settings.push_back({noise, 1});
    if (predictor == Predictor::gaussian_process && noise <= 1) {
      for (const double length : {1.0, 3.0, 10.0}) settings.push_back({noise, length});
    }
  }
  double least = INFINITY;
  for (const Setting& s : settings) {
    Vector predicted(n);
    for (Index fold = 0; fold < folds; ++fold) {
      std::vector<Index> in, out;
      for (Index i = 0; i < n; ++i) (i % folds == fold ? out : in).push_back(i);
      predicted(out) = between(out, in, s) * solved(in, s);
    }
    const double rmse = std::sqrt((predicted - centred).squaredNorm() / static_cast<double>(n));
    if (rmse >= least) continue;
    least = rmse;
    m.setting = s;
    m.error = {rmse, rank_correlation({predicted.begin(), predicted.end()}, {centred.begin(), centred.end()}), count};
  }
  std::vector<Index> all(count);
  std::iota(all.begin(), all.end(), Index{0});
  m.weights = solved(all, m.setting);
}

PredictorModel::PredictorModel(PredictorModel&&) noexcept = default;
PredictorModel::~PredictorModel() = default;

double PredictorModel::predict(const Architecture& architecture) const {
  double sum = impl_->mean;
  for (std::size_t i = 0; i < impl_->known.size(); ++i)
    sum += impl_->weights(static_cast<Index>(i)) *
           impl_->kernel(distance(impl_->space, architecture, impl_->known[i]), impl_->setting);
  return sum;
}

PredictionError PredictorModel::error() const { return impl_->error; }

}  // namespace tilewright
