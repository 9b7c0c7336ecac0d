// How alike two lists order the same things.
#pragma once

#include <vector>

namespace tilewright {

/// Spearman's rank correlation, equal values sharing their mean rank; 0 where one side is all alike. Precondition: equal lengths.
double rank_correlation(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace tilewright
