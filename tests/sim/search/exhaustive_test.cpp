// The search against every mapping of small problems: all perfect factors over 3, 4 and 5 levels, all unrollings, all loop orders.
#include "tests/sim/search/compare.hpp"

using tilewright::testing::compare;
using tilewright::testing::transposed;

TEST_CASE("no mapping of 3 levels beats the one found") { compare(3, 1000, 64, 4000, 1); }
TEST_CASE("no mapping of 4 levels beats the one found") { compare(4, 600, 32, 6000, 2); }
TEST_CASE("no mapping of 5 levels beats the one found") { compare(5, 400, 16, 8000, 3); }
TEST_CASE("no mapping of a transposed convolution beats the one found") {
  compare(4, 200, 24, 6000, 4, transposed);
  compare(5, 200, 16, 8000, 5, transposed);
}
