#include "validation/cuda/plan.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <set>

using namespace tilewright::cuda;

TEST_CASE("a graph has as many launches as last five milliseconds") {
  REQUIRE(launches_per_graph(1000, 5, 2000) == 5);
  REQUIRE(launches_per_graph(3000, 5, 2000) == 2);  // 6 ms
  REQUIRE(launches_per_graph(9000, 5, 2000) == 1);
  REQUIRE(launches_per_graph(2, 5, 2000) == 2000);  // 2500 wanted
  REQUIRE(launches_per_graph(0, 5, 8000) == 5000);  // below the timer's tick
}

TEST_CASE("the warm-up ends when the last times agree") {
  std::vector<double> times(10, 90.0);
  REQUIRE_FALSE(is_steady(times, 20, 0.01));
  times.resize(29, 100.0);
  REQUIRE_FALSE(is_steady(times, 20, 0.01));  // one of 90 is still among the last twenty
  times.push_back(101);
  REQUIRE(is_steady(times, 20, 0.01));
  times.push_back(101.1);
  REQUIRE_FALSE(is_steady(times, 20, 0.01));
}

TEST_CASE("a sentinel has moved beyond its tolerance") {
  REQUIRE_FALSE(has_moved(100, 102, 0.02));
  REQUIRE(has_moved(100, 102.1, 0.02));
  REQUIRE(has_moved(100, 97.9, 0.02));
}

TEST_CASE("the order is a permutation that depends on the seed alone") {
  std::vector<std::size_t> order = shuffled(200, 1);
  REQUIRE(order == shuffled(200, 1));
  REQUIRE(order != shuffled(200, 2));
  std::ranges::sort(order);
  std::vector<std::size_t> all(200);
  std::iota(all.begin(), all.end(), std::size_t{0});
  REQUIRE(order == all);
  REQUIRE(shuffled(0, 1).empty());
}

TEST_CASE("a chase visits every line before it comes back") {
  for (const std::uint32_t count : {1U, 2U, 7U, 1000U}) {
    const std::vector<std::uint32_t> links = chase_links(count, 32, 3);
    REQUIRE(links.size() == std::size_t{count} * 32);
    std::set<std::uint32_t> seen;
    std::uint32_t at = 0;
    for (std::uint32_t i = 0; i < count; ++i) {
      REQUIRE(at % 32 == 0);
      seen.insert(at);
      at = links[at];
    }
    REQUIRE(at == 0);
    REQUIRE(seen.size() == count);
  }
}

TEST_CASE("working sets double in the asked steps") {
  REQUIRE(working_sets(1024, 4096, 1) == std::vector<std::int64_t>{1024, 2048, 4096});
  // 4096 x 2^(1/2) = 5792.6, down to a multiple of 512
  REQUIRE(working_sets(4096, 8192, 2) == std::vector<std::int64_t>{4096, 5632, 8192});
  REQUIRE(working_sets(512, 511, 1).empty());
}

TEST_CASE("power is energy over time") { REQUIRE(power_from_energy(1'000'000, 1'600'000, 2) == Approx(300)); }
