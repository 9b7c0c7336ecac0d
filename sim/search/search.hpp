// Search: the best mapping it can find. Receives an evaluator through sim/cost, knows no chip family.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "sim/cost/cost.hpp"

namespace tilewright {

/// perfect: loop bounds divide; imperfect: unrolled factors may leave a short last tile.
enum class Factors { perfect, imperfect };

struct SearchOptions {
  Objective objective = Objective::latency;
  Factors factors = Factors::imperfect;
  bool free_keeps = false;  // false: each level keeps what the chip and its family say; true: the search may bypass
  bool uneven = false;      // operands of one level may be kept over different loops
  std::int64_t budget = 0;  // mappings evaluated at most; 0: the search's own limit
};

struct SearchResult {
  Evaluation best;
  std::vector<Evaluation> runners_up;  // next best distinct mappings, best first, at most four
  std::int64_t evaluated = 0;
  double bound = 0;   // of the objective (seconds, joules or joule-seconds): no mapping of the space is below
  double gap = 0;     // (score of the best - bound) / score; 0: proven optimal
  std::string space;  // that the bound speaks of
};

/// Finds a legal mapping, never worse than the trivial one; deterministic. Infeasible: not even one word of each operand fits.
std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip,
                                                  const SearchOptions& options);
std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, Objective objective);

/// Mappings of which none is both faster and cheaper than another, the fastest first.
std::expected<std::vector<Evaluation>, Infeasible> pareto_set(const Problem& problem, const Chip& chip,
                                                              const SearchOptions& options);

}  // namespace tilewright
