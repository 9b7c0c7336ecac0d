// What a Gaussian process says of points that it has not seen.
#include "sim/accuracy/gaussian_process.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace tilewright;

TEST_CASE("Mean, deviation and error left out are those of the equations") {
  // Two rows of one axis without order: k(x, x') = 1 + tau on the diagonal, r = exp(-theta) elsewhere. The mean of greatest likelihood is 2 by
  // symmetry; weights a of y - 2 = (-1, 1) are (-1, 1) / (1 + tau - r); s^2 = (a . (y - 2)) / 2 = 1 / (1 + tau - r).
  const GaussianProcess process({0}, {{0}, {1}}, {1, 3});
  const std::vector<double> logs = process.parameters();
  REQUIRE(logs.size() == 2);
  const double r = std::exp(-std::exp(logs[0])), tau = std::exp(logs[1]);
  const Belief belief(process, {{0}, {2}});
  REQUIRE(belief.mean(0) == Approx(1));  // a known point: k = (1 + tau, r)
  REQUIRE(belief.deviation(0) == 0);
  REQUIRE(belief.mean(1) == Approx(2));  // as far from one as from the other
  // k = (r, r): k K^-1 k = 2 r^2 / (1 + tau + r)
  REQUIRE(belief.deviation(1) == Approx(std::sqrt((1 + tau - 2 * r * r / (1 + tau + r)) / (1 + tau - r))));
  // Row 1 from row 0: 2 + r / (1 + tau) (1 - 2), where it is 3.
  REQUIRE(process.leave_one_out().rmse == Approx(1 + r / (1 + tau)));
  REQUIRE(process.leave_one_out().rows == 2);
}

TEST_CASE("A process finds out which axis matters and follows an ordered one") {
  std::vector<PointCode> rows;
  std::vector<double> values;
  for (int i = 0; i < 40; ++i) {
    const int x = i * 7 % 20, idle = i % 3;
    rows.push_back({x, idle, i});  // the last one makes rows distinct
    values.push_back(std::sin(0.2 * x));
  }
  const GaussianProcess process({19, 0, 39}, rows, values);
  REQUIRE(process.parameters()[0] > process.parameters()[1] + 1);
  REQUIRE(process.leave_one_out().spearman > 0.95);
  const Belief belief(process, {{10, 1, 20}, {3, 2, 5}});
  REQUIRE(belief.mean(0) == Approx(std::sin(2.0)).margin(0.05));
  REQUIRE(belief.mean(1) == Approx(std::sin(0.6)).margin(0.05));
  // A start near the end changes little.
  const GaussianProcess again({19, 0, 39}, rows, values, process.parameters());
  REQUIRE(again.leave_one_out().rmse == Approx(process.leave_one_out().rmse).epsilon(0.2));
}

TEST_CASE("Believing a point takes its doubt, some of its neighbours', and no mean") {
  const GaussianProcess process({9}, {{0}, {9}, {8}, {1}}, {0, 1, 0.8, 0.3});
  Belief belief(process, {{4}, {5}, {1}});
  const double mean = belief.mean(1), before = belief.deviation(1), known = belief.deviation(2);
  belief.believe(0);
  REQUIRE(belief.deviation(0) == 0);
  REQUIRE(belief.deviation(1) < before);
  REQUIRE(belief.deviation(1) > 0);
  REQUIRE(belief.mean(1) == mean);
  REQUIRE(belief.deviation(2) == known);
  belief.believe(0);  // twice changes nothing
  REQUIRE(belief.deviation(0) == 0);
}

TEST_CASE("Values that are all alike are told as they are") {
  const GaussianProcess process({0, 0}, {{0, 1}, {1, 0}, {1, 1}}, {5, 5, 5});
  const Belief belief(process, {{0, 0}});
  REQUIRE(belief.mean(0) == Approx(5));
  REQUIRE(belief.deviation(0) < 1e-9);
}
