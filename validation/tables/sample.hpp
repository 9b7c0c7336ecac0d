// What is kept of repeated timings.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tilewright {

/// Order statistics of a sample. A percentile between two values is interpolated linearly (rank p (n - 1)).
struct SampleSummary {
  std::int64_t count = 0;
  double median = 0, least = 0, p5 = 0, p95 = 0;
};

/// Precondition: at least one value, 0 <= share <= 1.
double percentile(std::vector<double> values, double share);
/// Precondition: at least one value.
SampleSummary summary_of(const std::vector<double>& values);

}  // namespace tilewright
