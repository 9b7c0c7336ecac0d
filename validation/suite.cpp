#include "validation/suite.hpp"

#include <algorithm>
#include <cmath>

namespace tilewright {
namespace {

double error_of(const Compared& row) { return std::abs(row.ratio - 1); }

}  // namespace

SuiteGroup measured_group(std::map<std::string, std::string> keys, std::vector<Compared> rows, std::size_t worst) {
  std::ranges::stable_sort(rows, {}, error_of);
  double sum = 0, log_sum = 0;
  for (const Compared& row : rows) {
    sum += error_of(row);
    log_sum += std::log(row.ratio);
  }
  const double n = static_cast<double>(rows.size());
  SuiteGroup group;
  group.keys = std::move(keys);
  group.n = static_cast<std::int64_t>(rows.size());
  group.mape_pct = 100 * sum / n;
  group.median_ape_pct = 50 * (error_of(rows[(rows.size() - 1) / 2]) + error_of(rows[rows.size() / 2]));
  group.geomean_ratio = std::exp(log_sum / n);
  for (std::size_t i = 0; i < std::min(worst, rows.size()); ++i) group.worst.push_back(rows[rows.size() - 1 - i].text);
  return group;
}

}  // namespace tilewright
