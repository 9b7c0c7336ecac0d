#include "core/checked.hpp"

#include <catch2/catch.hpp>

#include <limits>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
static_assert(ceil_div(7, 2) == 4);
static_assert(ceil_div(8, 2) == 4);
static_assert(ceil_div(0, 5) == 0);
static_assert(ceil_div(largest, 1) == largest, "no intermediate sum may overflow");
}  // namespace

TEST_CASE("a product that fits 64 bits is exact and one that does not is an error") {
  REQUIRE(checked_mul(3037000499, 3037000499) == 9223372030926249001);  // the largest square below 2^63
  REQUIRE_THROWS_AS(checked_mul(3037000500, 3037000500), OverflowError);
  REQUIRE_THROWS_AS(checked_mul(largest, 2), InputError);  // reported like any bad input
  REQUIRE_THROWS_AS(checked_mul(std::numeric_limits<std::int64_t>::min(), -1), OverflowError);
}

TEST_CASE("a sum that leaves 64 bits is an error that shows both numbers") {
  REQUIRE(checked_add(largest, 0) == largest);
  REQUIRE_THROWS_WITH(checked_add(largest, 1),
                      "9223372036854775807 + 1 leaves 64-bit integers; make the sizes smaller");
}
