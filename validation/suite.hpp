// The common shape of what a validation suite found.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tilewright {

/// A set of compared rows with equal keys ("*": over all values of that key). Exact suites count mismatches, measured ones give errors.
struct SuiteGroup {
  std::map<std::string, std::string> keys;
  std::int64_t n = 0, mismatches = 0;
  std::string first_mismatch;
  std::optional<double> mape_pct, median_ape_pct, geomean_ratio, spearman;
  std::vector<std::string> worst;
};

/// One compared row: predicted over measured, and the row in words.
struct Compared {
  double ratio;
  std::string text;
};

/// Mean and median of |ratio - 1| in percent, geometric mean of the ratios, the `worst` largest errors in words. At least one row; ratios above 0.
SuiteGroup measured_group(std::map<std::string, std::string> keys, std::vector<Compared> rows, std::size_t worst);

/// Result of one validation suite, in the form of `validate --format json`.
struct SuiteResult {
  std::string suite, data;
  std::vector<SuiteGroup> groups;
  bool pass = false;
  std::vector<std::string> notes;
  std::string svg;
};

}  // namespace tilewright
