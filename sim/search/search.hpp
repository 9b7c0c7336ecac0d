// Search: the best mapping of a problem on a chip, with a certificate. Knows no chip family.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "sim/cost/cost.hpp"

namespace tilewright {

enum class Factors {
  perfect,
  imperfect
};  // perfect: bounds divide; imperfect: unrolled factors may leave a short last tile

/// Work of the proof: enough for good mappings of whole networks; for one layer that is looked at.
inline constexpr std::int64_t quick_budget = 10'000, thorough_budget = 200'000;

struct SearchOptions {
  Objective objective = Objective::latency;  // latency: the least energy among equally fast mappings
  Factors factors = Factors::imperfect;
  bool free_keeps = false;  // which level keeps which operand is searched too, as far as the chip can store it
  bool uneven = false;      // innermost register levels that keep one operand each may stand in any order
  std::int64_t budget = quick_budget;  // of the proof: tiles bounded plus nests evaluated; never time
  /// Of objective latency: percent of the fastest time by which a mapping may be slower where that saves energy. Not read with `uneven`.
  double latency_slack = 0;
  /// Where nothing is proven, the searches for the other objectives may have met a better mapping: take it.
  bool other_objectives = false;
  friend bool operator==(const SearchOptions&, const SearchOptions&) = default;
};

/// What a mapping within a slack of latency is held against.
struct WithinSlack {
  Evaluation fastest;       // what the same search finds without slack: `bound` and `gap` of the result are its own
  double energy_bound = 0;  // joules: no mapping within the slack of the fastest needs less
  double energy_gap = 0;    // (energy - energy_bound) / energy; 0: proven
};

struct SearchResult {
  Evaluation best;
  std::vector<Evaluation> runners_up;  // next best distinct mappings that were met, best first, at most four
  std::int64_t evaluated = 0;
  double bound = 0;   // no mapping of the space scores less: seconds, joules or joule-seconds
  double gap = 0;     // (score - bound) / score; 0: proven optimal over the space
  std::string space;  // the space that the certificate speaks of, one sentence
  /// Uneven searches: level_order[l] is the position in the chip of the level that stands at l in the mappings; empty: as in the chip.
  std::vector<std::size_t> level_order;
  std::optional<WithinSlack> slack;  // only with a slack of latency
};

/// Part of the result that the search could not prove necessary: the larger one of its gaps.
double unproven(const SearchResult& result);

/// The best mapping; deterministic. Equal questions are answered once per process (names do not matter). Infeasible: not even one word
/// of each operand fits.
std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip,
                                                  const SearchOptions& options);
std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, Objective objective);
/// The same under rules of the caller's instead of the family's; not remembered.
std::expected<SearchResult, Infeasible> find_best(const Problem& problem, const Chip& chip, const MapRules& rules,
                                                  const SearchOptions& options);

/// Takes `mapping`, of whatever origin, where it is legal on the chip and better than the best one; the bounds stay. A larger chip that
/// is offered the best mapping of a smaller one is never worse.
void offer(SearchResult& result, const Problem& problem, const Chip& chip, const SearchOptions& options,
           const Mapping& mapping);

/// Latency-energy front of a layer, fastest first: the fastest mapping with the least energy, the most frugal one, and between them the
/// most frugal ones under evenly spaced limits of time. The objective of the options is not read.
std::expected<std::vector<Evaluation>, Infeasible> pareto_set(const Problem& problem, const Chip& chip,
                                                              const SearchOptions& options);

}  // namespace tilewright
