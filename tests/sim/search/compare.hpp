// The search against every mapping of random small problems.
#pragma once

#include <catch2/catch.hpp>

#include "sim/search/search.hpp"
#include "tests/sim/search/small_problems.hpp"

namespace tilewright::testing {

constexpr std::int64_t full_proof = 1'500'000;  // work that proves every small case

/// A transposed convolution: its result has the window.
inline bool transposed(const Problem& problem) { return problem.operands.back().axes.back().size() > 1; }

/// Compares the answers to a problem with the best of its enumeration.
inline void compare_with(const Best& best, const SmallCase& c) {
  for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
    SearchOptions options;
    options.objective = objective;
    options.factors = Factors::perfect;
    options.budget = full_proof;
    const auto found = find_best(c.problem, c.chip, c.rules, options);
    INFO("objective " << static_cast<int>(objective));
    REQUIRE(found.has_value());
    INFO(to_code(c.problem, found->best.mapping, c.chip));
    const double optimum = best.scores[static_cast<std::size_t>(objective)];
    const double got = score(found->best, c.chip, objective);
    REQUIRE(got == Approx(optimum).epsilon(1e-9));
    REQUIRE(found->gap == 0);
    // Equally fast but for the rounding of sums, and cheaper, is fine.
    if (objective == Objective::latency) REQUIRE(found->best.energy.total().value <= best.frugal.second * (1 + 1e-9));
    REQUIRE(found->bound <= got * (1 + 1e-12));
  }
}

/// Compares `problems` random problems of at most `most_nests` loop nests with their enumeration.
inline void compare(std::size_t levels, int problems, std::int64_t most_points, std::int64_t most_nests, unsigned seed,
                    bool (*wanted)(const Problem&) = nullptr) {
  Random random(seed);
  for (int compared = 0; compared < problems;) {
    const SmallCase c = small_case(random, levels, most_points);
    if (wanted != nullptr && !wanted(c.problem)) continue;
    const auto best = exhaustive_best(c, most_nests);
    if (!best) continue;
    ++compared;
    INFO(levels << " levels, case " << compared);
    compare_with(*best, c);
  }
}

}  // namespace tilewright::testing
