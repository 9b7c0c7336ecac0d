// The lattice of divisors against the definition.
#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <random>

#include "sim/search/divisors.hpp"

using namespace tilewright;

namespace {

/// All tiles of a frame with these whole extents.
std::vector<Steps> all_tiles(const std::vector<Divisors>& dims) {
  std::vector<Steps> tiles{Steps{}};
  for (std::size_t d = 0; d < dims.size(); ++d) {
    std::vector<Steps> next;
    for (const Steps& tile : tiles) {
      for (std::size_t at = 0; at < dims[d].values.size(); ++at) {
        next.push_back(tile);
        next.back()[d] = static_cast<std::uint16_t>(at);
      }
    }
    tiles = std::move(next);
  }
  return tiles;
}

bool divides(const std::vector<Divisors>& dims, const Steps& inner, const Steps& outer) {
  for (std::size_t d = 0; d < dims.size(); ++d) {
    if (dims[d].values[outer[d]] % dims[d].values[inner[d]] != 0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("the least over tiles that divide each other is found by passes over the lattice") {
  std::mt19937 random(1);
  const std::vector<std::vector<std::int64_t>> frames{{12, 30}, {1, 64, 3}, {7, 1, 36, 10}, {210, 4}};
  for (const std::vector<std::int64_t>& whole : frames) {
    std::vector<Divisors> dims;
    for (const std::int64_t n : whole) dims.push_back(packed_divisors(n));
    std::vector<const Divisors*> pointers;
    for (const Divisors& dim : dims) pointers.push_back(&dim);
    Lattice lattice;
    lattice.enter(pointers);
    REQUIRE(lattice.whole());
    const std::vector<Steps> tiles = all_tiles(dims);
    REQUIRE(tiles.size() == lattice.cells());
    constexpr std::size_t width = 3;
    std::vector<double> values(lattice.cells() * width);
    for (double& value : values) value = static_cast<double>(random() % 1000);
    std::vector<double> larger = values, smaller = values, beyond(width);
    lattice.least_of_larger(larger, width);
    lattice.least_of_smaller(smaller, width);
    constexpr double infinity = std::numeric_limits<double>::infinity();
    for (const Steps& tile : tiles) {
      lattice.least_beyond(larger, width, tile, beyond.data());
      for (std::size_t f = 0; f < width; ++f) {
        double of_larger = infinity, of_smaller = infinity, of_others = infinity;
        for (const Steps& other : tiles) {
          const double value = values[lattice.cell(other) * width + f];
          if (divides(dims, other, tile)) of_smaller = std::min(of_smaller, value);
          if (!divides(dims, tile, other)) continue;
          of_larger = std::min(of_larger, value);
          if (other != tile) of_others = std::min(of_others, value);
        }
        REQUIRE(larger[lattice.cell(tile) * width + f] == of_larger);
        REQUIRE(smaller[lattice.cell(tile) * width + f] == of_smaller);
        REQUIRE(beyond[f] == of_others);
      }
    }
  }
}

TEST_CASE("a lattice of too many tiles is one cell") {
  std::vector<Divisors> dims(8, packed_divisors(720));
  std::vector<const Divisors*> pointers;
  for (const Divisors& dim : dims) pointers.push_back(&dim);
  Lattice lattice;
  lattice.enter(pointers);
  REQUIRE_FALSE(lattice.whole());
  REQUIRE(lattice.cells() == 1);
  REQUIRE(lattice.cell(Steps{3, 1, 4, 1, 5}) == 0);
}
