// What a point adds to a front, known or only expected.
#include "sim/study/improvement.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>
#include <random>

using namespace tilewright;

namespace {

double growth(const UndominatedRegion& region, const std::vector<double>& point) {
  return region.expected_improvement(point, std::vector<double>(point.size(), 0.0));
}

}  // namespace

TEST_CASE("A known point adds what it dominates and the front does not") {
  const UndominatedRegion two({{1, 2}, {2, 1}}, {3, 3});
  CHECK(growth(two, {0, 0}) == Approx(9 - 3));          // the front leaves 2 x 1 + 1 x 1 behind it
  CHECK(growth(two, {1.5, 1.5}) == Approx(0.5 * 0.5));  // the corner up to (2, 2)
  CHECK(growth(two, {2.5, 0.5}) == Approx(0.5 * 0.5));  // below (2, 1), up to the reference
  CHECK(growth(two, {2.5, 2.5}) == 0);
  CHECK(growth(two, {4, 0}) == 0);
  const UndominatedRegion three({{1, 1, 1}}, {2, 2, 2});
  CHECK(growth(three, {0, 1.5, 1.5}) == Approx(2 * 0.5 * 0.5 - 1 * 0.5 * 0.5));
  CHECK(growth(UndominatedRegion({{5, 0, 0}}, {2, 2, 2}), {1, 1, 1}) ==
        Approx(1));  // the front's point is beyond the reference
}

TEST_CASE("Boxes of any front hold every undominated cell once") {
  // Whole numbers below 6 in three and four goals: cells are counted one by one.
  std::mt19937 random(3);
  const auto whole = [&] { return static_cast<double>(random() % 6); };
  for (const std::size_t goals : {2U, 3U, 4U}) {
    for (int run = 0; run < 20; ++run) {
      std::vector<std::vector<double>> front(12, std::vector<double>(goals));
      std::vector<double> point(goals);
      for (auto& each : front) std::generate(each.begin(), each.end(), whole);
      std::generate(point.begin(), point.end(), whole);
      int cells = 0;
      for (int index = 0; index < std::pow(6, goals); ++index) {
        std::vector<double> cell;
        for (int rest = index, g = 0; g < static_cast<int>(goals); ++g, rest /= 6) cell.push_back(rest % 6);
        const auto behind = [&](const std::vector<double>& other) {
          return std::equal(other.begin(), other.end(), cell.begin(), std::less_equal<>{});
        };
        cells += behind(point) && std::none_of(front.begin(), front.end(), behind);
      }
      CHECK(growth(UndominatedRegion(front, std::vector<double>(goals, 6.0)), point) == Approx(cells));
    }
  }
}

TEST_CASE("The improvement of a doubtful point is the mean over what it may be") {
  // One goal's E[t - y]+ at its mean is s / sqrt(2 pi); without a front two goals multiply.
  const UndominatedRegion empty({}, {1, 1});
  const std::vector<double> mean{1, 1}, deviation{0.5, 2};
  CHECK(empty.expected_improvement(mean, deviation) == Approx(0.5 * 2 / (2 * std::numbers::pi)));

  const UndominatedRegion region({{1, 2, 2}, {2, 1, 2}, {2, 2, 1}}, {3, 3, 3});
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  const std::vector<double> at{1.8, 1.5, 2.2}, doubt{0.5, 0.3, 0.8};
  double sum = 0, squares = 0;
  constexpr int draws = 200'000;
  for (int i = 0; i < draws; ++i) {
    const double each = growth(region, {at[0] + doubt[0] * normal(random), at[1] + doubt[1] * normal(random),
                                        at[2] + doubt[2] * normal(random)});
    sum += each;
    squares += each * each;
  }
  const double found = sum / draws, error = std::sqrt((squares / draws - found * found) / draws);
  CHECK(std::abs(region.expected_improvement(at, doubt) - found) < 4 * error);
  CHECK(region.expected_improvement(at, std::vector<double>{0.6, 0.4, 0.9}) > found);  // more doubt, more to win
}
