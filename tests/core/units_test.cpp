#include "core/units.hpp"

#include <catch2/catch.hpp>

#include <concepts>

using namespace tilewright;

namespace {

template <typename A, typename B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <typename A, typename B>
concept Comparable = requires(A a, B b) {
  a < b;
};

static_assert(Addable<Cycles, Cycles>);
static_assert(!Addable<Cycles, Joules>, "a cycle cannot be added to a picojoule");
static_assert(!Addable<Bytes, double>, "a bare number has no unit");
static_assert(!Comparable<Seconds, Cycles>);
static_assert(std::same_as<decltype(Cycles{} / Hertz{}), Seconds>);
static_assert(std::same_as<decltype(Bytes{} / BytesPerSecond{}), Seconds>);
static_assert(std::same_as<decltype(BytesPerCycle{} * Hertz{}), BytesPerSecond>);
static_assert(std::same_as<decltype(Watts{} * Seconds{}), Joules>);
static_assert(std::same_as<decltype(Joules{} / Joules{}), double>);

}  // namespace

TEST_CASE("a power times a time is an energy, also in numbers") {
  // 0.5 W for 4 s = 2 J
  REQUIRE((Watts{0.5} * Seconds{4}).value == 2.0);
}

TEST_CASE("picojoules go in and come out with the factor 1e12") {
  REQUIRE(picojoules(1300).value == Approx(1.3e-9));
  REQUIRE(in_picojoules(Joules{2.5e-9}) == Approx(2500));
}

TEST_CASE("quantities add, subtract, scale and compare by their value") {
  Bytes size{3};
  size += Bytes{4};
  size -= Bytes{1};
  REQUIRE(size == Bytes{6});
  REQUIRE(2.0 * size == Bytes{12});
  REQUIRE(size / 2.0 < size);
}

TEST_CASE("the energy of a chat answer keeps a 60 W bulb alight for 5.6 seconds and a 20 W brain for 16.8") {
  // ML.ENERGY leaderboard (A100, LLaMA-7B): 335.25658764 J per request in 1.98624 s, hence 168.8 W on average.
  constexpr Joules request{335.25658764};
  REQUIRE((request / Watts{60}).value == Approx(5.588).epsilon(1e-4));
  REQUIRE((request / Watts{20}).value == Approx(16.76).epsilon(1e-3));
  REQUIRE((request / Seconds{1.98624}).value == Approx(168.8).epsilon(1e-3));
}
