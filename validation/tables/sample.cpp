#include "validation/tables/sample.hpp"

#include <algorithm>
#include <cmath>

namespace tilewright {
namespace {

double sorted_percentile(const std::vector<double>& sorted, double share) {
  const double rank = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(rank));
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - std::floor(rank)) * (sorted[above] - sorted[below]);
}

}  // namespace

double percentile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return sorted_percentile(values, share);
}

SampleSummary summary_of(const std::vector<double>& values) {
  std::vector<double> sorted = values;
  std::ranges::sort(sorted);
  return {static_cast<std::int64_t>(sorted.size()), sorted_percentile(sorted, 0.5), sorted.front(),
          sorted_percentile(sorted, 0.05), sorted_percentile(sorted, 0.95)};
}

}  // namespace tilewright
