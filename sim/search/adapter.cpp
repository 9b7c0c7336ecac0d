// The search's options and certificate on top of the local search.
#include <algorithm>

#include "sim/search/search.hpp"

namespace tilewright {

std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip,
                                                  const SearchOptions& options) {
  auto found = find_best(problem, chip, options.objective);
  if (!found) return found;
  found->bound = score_bound(found->best, chip, options.objective);
  const double reached = score(found->best, chip, options.objective);
  found->gap = reached > 0 ? std::max(0.0, (reached - found->bound) / reached) : 0.0;
  found->space = "all mappings (compute peak and compulsory traffic); local search, not exhaustive";
  return found;
}

std::expected<std::vector<Evaluation>, Infeasible> pareto_set(const Problem& problem, const Chip& chip,
                                                              const SearchOptions& options) {
  std::vector<Evaluation> candidates;
  for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
    SearchOptions one = options;
    one.objective = objective;
    auto found = find_best(problem, chip, one);
    if (!found) return std::unexpected(std::move(found.error()));
    candidates.push_back(std::move(found->best));
    for (Evaluation& other : found->runners_up) candidates.push_back(std::move(other));
  }
  std::ranges::stable_sort(candidates, [](const Evaluation& a, const Evaluation& b) {
    if (a.cycles != b.cycles) return a.cycles < b.cycles;
    return a.energy.total() < b.energy.total();
  });
  std::vector<Evaluation> front;
  for (Evaluation& candidate : candidates) {
    if (front.empty() || candidate.energy.total() < front.back().energy.total()) front.push_back(std::move(candidate));
  }
  return front;
}

}  // namespace tilewright
