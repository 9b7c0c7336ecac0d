// Search: the best mapping it can find. Receives an evaluator through sim/cost, knows no chip family.
#pragma once

#include <expected>
#include <vector>

#include "sim/cost/cost.hpp"

namespace tilewright {

struct SearchResult {
  Evaluation best;
  std::vector<Evaluation> runners_up;  // next best distinct mappings, best first, at most four
  std::int64_t evaluated = 0;
};

/// Finds a legal mapping, never worse than the trivial one; deterministic. Infeasible: not even one word of each operand fits.
std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, Objective objective);

}  // namespace tilewright
