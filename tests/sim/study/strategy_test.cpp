// Strategies propose points of a finite space: the same for the same seed, within the budget, and better ones than chance.
#include "sim/study/strategy.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <mutex>
#include <set>

namespace {

using namespace tilewright;

const std::vector<std::size_t> sizes{3, 40, 1, 30, 20};

/// Two goals against each other: the front lies at position[1] = any, position[3] = 12 and position[4] = 7 on the second kind of axis 0.
Score two_goals(const Position& p) {
  const double x = static_cast<double>(p[1]) / 39, away = std::abs(static_cast<double>(p[3]) - 12) / 10 +
                                                          std::abs(static_cast<double>(p[4]) - 7) / 10 +
                                                          (p[0] == 1 ? 0.0 : 0.5);
  return {{x + away, 1 - std::sqrt(x) + away}, 0};
}

/// One valley with its bottom at the same place.
Score one_goal(const Position& p) {
  const Score two = two_goals(p);
  return {{std::pow(static_cast<double>(p[1]) / 39 - 0.5, 2) + two.goals[0] - static_cast<double>(p[1]) / 39}, 0};
}

struct Asked {
  std::set<Position> points;
  std::vector<Position> order;
  std::set<Position> front;  // on the true front
  double least = 1e9;
};

Asked run(StrategyOptions options, const std::function<Score(const Position&)>& of) {
  Asked asked;
  std::mutex mutex;
  explore(sizes, options, [&](std::span<Position> batch) {
    const std::lock_guard lock(mutex);
    std::vector<Score> scores;
    for (const Position& p : batch) {
      for (std::size_t a = 0; a < sizes.size(); ++a) CHECK(p[a] < sizes[a]);
      asked.points.insert(p);
      asked.order.push_back(p);
      scores.push_back(of(p));
      if (p[0] == 1 && p[3] == 12 && p[4] == 7) asked.front.insert(p);
      if (scores.back().violation == 0) asked.least = std::min(asked.least, scores.back().goals[0]);
    }
    return scores;
  });
  return asked;
}

StrategyOptions options_for(Strategy strategy, std::size_t goals) {
  StrategyOptions options;
  options.strategy = strategy;
  options.budget = 3600;  // of 72,000
  options.population = 40;
  options.seed = 5;
  options.goals = goals;
  return options;
}

}  // namespace

TEST_CASE("positions become bytes that sort alike, and come back") {
  const std::vector<std::size_t> wide{2, 256, 257, 70'000};
  const Position low{0, 255, 256, 69'999}, high{1, 0, 0, 0};
  CHECK(key_of(low, wide).size() == 1 + 1 + 2 + 3);
  CHECK(key_of(low, wide) < key_of(high, wide));
  CHECK(position_of(key_of(low, wide), wide) == low);
  CHECK(position_of("abc", wide).empty());
  CHECK(position_of(std::string("\x02\x00\x00\x00\x00\x00\x00", 7), wide).empty());  // 2 is no position of two
  CHECK(space_size(wide) == std::int64_t{2} * 256 * 257 * 70'000);
  CHECK(space_size(std::vector<std::size_t>(5, 1 << 20)) == -1);
}

TEST_CASE("drawn points are distinct, the same for the same seed, and all where the budget covers the space") {
  for (const Strategy strategy : {Strategy::random, Strategy::sobol}) {
    const std::vector<Position> one = drawn_points(sizes, strategy, 500, 1);
    CHECK(one.size() == 500);
    CHECK(std::set<Position>(one.begin(), one.end()).size() == 500);
    CHECK(one == drawn_points(sizes, strategy, 500, 1));
    CHECK(one != drawn_points(sizes, strategy, 500, 2));
    CHECK(drawn_points(std::vector<std::size_t>{2, 3}, strategy, 100, 1).size() == 6);
  }
}

TEST_CASE("a Sobol sequence covers an axis more evenly than chance") {
  // 64 of 64 x 64: by chance a column stays empty with (63/64)^64 = 0.365, about 23 columns; Sobol's points are a net: each column one.
  const std::vector<std::size_t> square{64, 64};
  const auto columns = [&](Strategy strategy) {
    std::set<std::size_t> seen;
    for (const Position& p : drawn_points(square, strategy, 64, 0)) seen.insert(p[0]);
    return seen.size();
  };
  CHECK(columns(Strategy::sobol) >= 62);
  CHECK(columns(Strategy::random) <= 50);
}

TEST_CASE("an adaptive strategy asks for the same points in every run and stays within its budget") {
  const auto [strategy, goals] = GENERATE(table<Strategy, std::size_t>({{Strategy::nsga2, 2},
                                                                        {Strategy::moead, 2},
                                                                        {Strategy::cmaes, 2},
                                                                        {Strategy::cmaes, 1},
                                                                        {Strategy::annealing, 2},
                                                                        {Strategy::annealing, 1}}));
  INFO(name(strategy) << ", goals " << goals);
  const StrategyOptions options = options_for(strategy, goals);
  const auto of = goals == 2 ? two_goals : one_goal;
  const Asked one = run(options, of), again = run(options, of);
  CHECK(static_cast<std::int64_t>(one.points.size()) <= options.budget);
  CHECK(one.points.size() > 500);
  CHECK(one.points == again.points);
  StrategyOptions other = options;
  other.seed = 6;
  CHECK(run(other, of).points != one.points);
}

TEST_CASE("strategies for several goals find the front of which chance sees a twentieth") {
  // 40 points of 72,000 are on the front: 3,600 drawn at random hit 2.
  for (const auto& [strategy, least] :
       {std::pair{Strategy::nsga2, 36}, {Strategy::moead, 30}, {Strategy::annealing, 6}, {Strategy::cmaes, 6}}) {
    INFO(name(strategy));
    CHECK(static_cast<int>(run(options_for(strategy, 2), two_goals).front.size()) >= least);
  }
}

TEST_CASE("NSGA-II spends evaluations on new points alone, until none is left") {
  const std::vector<std::size_t> small{4, 5, 3};
  StrategyOptions options = options_for(Strategy::nsga2, 2);
  options.population = 12;
  std::set<Position> seen;
  std::size_t generations = 0;
  explore(small, options, [&](std::span<Position> batch) {
    ++generations;
    std::vector<Score> scores;
    for (const Position& p : batch) {
      CHECK(seen.insert(p).second);
      scores.push_back({{static_cast<double>(p[0] + p[1]), static_cast<double>(p[1] + p[2])}, 0});
    }
    return scores;
  });
  CHECK(seen.size() == 60);
  CHECK(generations <= 8);  // 60 / 12 = 5 whole ones; the last points are met by chance
}

TEST_CASE("where only some points exist, NSGA-II breeds from those that were evaluated") {
  // All points stand for one with 7 on axis 1: later generations propose 7 unless it changes (a quarter of the axes' chance), not 1 time in 40.
  StrategyOptions options = options_for(Strategy::nsga2, 2);
  options.budget = 400;
  std::size_t sevens = 0, proposals = 0;
  bool first = true;
  explore(sizes, options, [&](std::span<Position> batch) {
    std::vector<Score> scores;
    for (Position& p : batch) {
      if (!first) {
        ++proposals;
        sevens += p[1] == 7;
      }
      p[1] = 7;
      scores.push_back(two_goals(p));
    }
    first = false;
    return scores;
  });
  REQUIRE(proposals > 200);
  CHECK(2 * sevens > proposals);
}

TEST_CASE("a surrogate finds with a few evaluations what NSGA-II alone needs many for, the same in every run") {
  StrategyOptions options = options_for(Strategy::nsga2, 2);
  options.budget = 200;
  options.population = 20;
  const Asked alone = run(options, two_goals);
  SurrogateOptions surrogate;
  surrogate.proposals = 200;
  surrogate.spans = {0, 39, 0, 29, 19};
  surrogate.reads = {{0, 1, 3, 4}, {0, 1, 3, 4}};
  surrogate.code = [](const Position& p) { return std::vector<int>(p.begin(), p.end()); };
  surrogate.meant = [](Position&) { return true; };
  options.surrogate = surrogate;
  const Asked chosen = run(options, two_goals), again = run(options, two_goals);
  CHECK(chosen.points.size() == 200);
  CHECK(chosen.order == again.order);
  CHECK(chosen.front.size() >= 10);
  CHECK(chosen.front.size() > 2 * alone.front.size());

  // Limits that most of the space misses: half of what is evaluated later meets them, of points drawn at random an eighth.
  const auto limited = [](const Position& p) {
    Score score = two_goals(p);
    score.violation = std::max(0.0, static_cast<double>(p[1]) - 4);
    if (score.violation > 0) score.goals.clear();
    return score;
  };
  std::size_t met = 0;
  for (const Position& p : run(options, limited).points) met += p[1] <= 4;
  CHECK(met > 100);
}

TEST_CASE("strategies for one goal find the best point") {
  for (const Strategy strategy : {Strategy::cmaes, Strategy::annealing}) {
    INFO(name(strategy));
    CHECK(run(options_for(strategy, 1), one_goal).least == Approx(std::pow(19.0 / 39 - 0.5, 2)));
  }
}

TEST_CASE("points that miss a limit are worse than all that do not, and the less they miss it the better") {
  // Only a corner of the space is allowed: 1/8 of axis 1.
  const auto limited = [](const Position& p) {
    Score score = one_goal(p);
    score.violation = std::max(0.0, static_cast<double>(p[1]) - 4);
    if (score.violation > 0) score.goals.clear();
    return score;
  };
  for (const Strategy strategy : {Strategy::cmaes, Strategy::annealing}) {
    INFO(name(strategy));
    CHECK(run(options_for(strategy, 1), limited).least == Approx(std::pow(4.0 / 39 - 0.5, 2)));
  }
}

TEST_CASE("a strategy ends when its space is exhausted, when it is stopped and when an evaluation fails") {
  StrategyOptions options = options_for(Strategy::nsga2, 2);
  std::set<Position> seen;
  explore(std::vector<std::size_t>{3, 2}, options, [&](std::span<Position> batch) {
    std::vector<Score> scores;
    for (const Position& p : batch) {
      CHECK(seen.insert(p).second);  // no point is asked for twice
      scores.push_back({{1.0 + static_cast<double>(p[0]), 3.0 - static_cast<double>(p[0])}, 0});
    }
    return scores;
  });
  CHECK(seen.size() <= 6);

  std::int64_t asked = 0;
  options = options_for(Strategy::annealing, 1);
  options.stopped = [&] { return asked > 50; };
  explore(sizes, options, [&](std::span<Position> batch) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    asked += static_cast<std::int64_t>(batch.size());
    return std::vector<Score>(batch.size(), Score{{1.0}, 0});
  });
  CHECK(asked < 100);

  options.stopped = {};
  CHECK_THROWS_AS(
      explore(sizes, options, [](std::span<Position>) -> std::vector<Score> { throw std::runtime_error("x"); }),
      std::runtime_error);
}
