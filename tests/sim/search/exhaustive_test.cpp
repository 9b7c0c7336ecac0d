// The search against every mapping of small problems: all perfect factors over 3, 4 and 5 levels, all unrollings, all loop orders.
#include "tests/sim/search/compare.hpp"

using namespace tilewright::testing;

TEST_CASE("no mapping of 3 levels beats the one found", "[repeated]") { compare(3, 1000, 64, 4000, 1); }
TEST_CASE("no mapping of 4 levels beats the one found", "[repeated]") { compare(4, 600, 32, 6000, 2); }
TEST_CASE("no mapping of 5 levels beats the one found") { compare(5, 400, 16, 8000, 3); }
TEST_CASE("a tile that is too small for the sums of a frame does not stand for others") {
  Random random(105);
  SmallCase c;
  for (int i = 0; i <= 67'244; ++i) c = small_case(random, 3, 64);
  const auto best = exhaustive_best(c, 4000);
  REQUIRE(best);
  compare_with(*best, c);
}
TEST_CASE("no mapping of a transposed convolution beats the one found") { compare(4, 200, 24, 6000, 4, transposed); }
TEST_CASE("no mapping of a transposed convolution over 5 levels beats the one found", "[repeated]") {
  compare(5, 200, 16, 8000, 5, transposed);
}
