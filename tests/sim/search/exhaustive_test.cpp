// The search against every mapping of small problems: all perfect factors over 3, 4 and 5 levels, all unrollings, all loop orders.
#include <catch2/catch.hpp>

#include "sim/search/search.hpp"
#include "tests/sim/search/small_problems.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

/// Compares `problems` random problems with their enumeration; returns the number of mappings that these have in all.
void compare(std::size_t levels, int problems, std::int64_t most_points, std::int64_t most_nests, unsigned seed) {
  Random random(seed);
  for (int compared = 0; compared < problems;) {
    const SmallCase c = small_case(random, levels, most_points);
    const auto best = exhaustive_best(c, most_nests);
    if (!best) continue;
    ++compared;
    for (const Objective objective : {Objective::latency, Objective::energy, Objective::edp}) {
      SearchOptions options;
      options.objective = objective;
      options.factors = Factors::perfect;
      const auto found = find_best(c.problem, c.chip, c.rules, options);
      INFO(levels << " levels, case " << compared << ", objective " << static_cast<int>(objective));
      REQUIRE(found.has_value());
      INFO(to_code(c.problem, found->best.mapping, c.chip));
      const double optimum = (*best)[static_cast<std::size_t>(objective)];
      const double got = score(found->best, c.chip, objective);
      REQUIRE(got == Approx(optimum).epsilon(1e-9));
      REQUIRE(found->gap == 0);
      REQUIRE(found->bound <= got * (1 + 1e-12));
    }
  }
}

}  // namespace

TEST_CASE("no mapping of 3 levels beats the one found") { compare(3, 1000, 64, 4000, 1); }
TEST_CASE("no mapping of 4 levels beats the one found") { compare(4, 600, 32, 6000, 2); }
TEST_CASE("no mapping of 5 levels beats the one found") { compare(5, 400, 16, 8000, 3); }
