// Strategies: which points of a finite space are looked at, and in which order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

/// A point of a finite space: its position on each axis, 0 <= position[a] < sizes[a].
using Position = std::vector<std::size_t>;

/// grid, random, sobol: lists that are known before the first point is evaluated. The others learn from the points before.
enum class Strategy { grid, random, sobol, nsga2, moead, cmaes, annealing };
std::string_view name(Strategy strategy);
const std::vector<std::string>& strategy_names();
bool adaptive(Strategy strategy);

/// What an adaptive strategy is told of a point. `goals`: one figure per goal, smaller is better; they are compared and, where one number is
/// needed, added with weights: logarithms make ratios count. `violation` > 0: a limit is not met, and by how much; such points are worse than
/// all others, and then their goals are not read (they may be empty).
struct Score {
  std::vector<double> goals;
  double violation = 0;
};

/// Scores of the points in their order. Where only some points of the space exist, a point may be moved to the one that it means: the score is that
/// one's. May be called from several threads at a time.
using Scorer = std::function<std::vector<Score>(std::span<Position>)>;

/// NSGA-II proposes more points than it may evaluate, and Gaussian processes choose (surrogate.hpp).
struct SurrogateOptions {
  std::int64_t proposals = 0;                                   // of one generation
  std::vector<double> spans;                                    // of each axis; 0: its values have no order
  std::vector<std::vector<std::size_t>> reads;                  // per goal: the axes that decide it
  std::function<std::vector<int>(const Position& point)> code;  // a number an axis: what the processes see
  std::function<bool(Position& point)>
      meant;  // moves a proposal to the point that it means; false: that one was asked for
};

struct StrategyOptions {
  Strategy strategy = Strategy::nsga2;
  std::int64_t budget = 0;       // most distinct points that are asked for
  std::int64_t population = 64;  // nsga2, moead, cmaes: points of one generation
  std::uint64_t seed = 0;
  std::size_t goals = 1;
  std::function<bool()> stopped;              // asked between generations; empty: never
  std::optional<SurrogateOptions> surrogate;  // nsga2
};

/// Number of points of the space, or -1 above 2^62.
std::int64_t space_size(std::span<const std::size_t> sizes);

/// Looks for good points with pagmo2: NSGA-II (Deb et al., 2002), MOEA/D (Zhang and Li, 2007), CMA-ES (Hansen, 2006) and simulated annealing
/// (Corana et al., 1987). CMA-ES with several goals and annealing run as eight searches side by side, each with weights of its own on the goals. A search that meets
/// no new point for some generations starts again elsewhere. The points asked for, and the order within each search, depend on the arguments and the scores
/// alone. Ends when `budget` distinct points have been asked for, when restarts bring no new ones, or when stopped.
/// Precondition: least_goals(strategy) <= goals, and no size is 0.
void explore(std::span<const std::size_t> sizes, const StrategyOptions& options, const Scorer& score);

/// Goals that a strategy needs: NSGA-II and MOEA/D compare at least two.
std::size_t least_goals(Strategy strategy);
/// Least generation that a strategy can work with; `population` is rounded up to what it needs (NSGA-II: multiples of four).
inline constexpr std::int64_t least_population = 8, most_population = 100'000;

/// `count` distinct points, or all if there are fewer: uniform ones, or those of a Sobol sequence (Joe and Kuo, 2008; as in Boost.Random) brought to the
/// positions of the axes, repeats left out. In ascending order. A Sobol sequence that stops bringing new points is filled up with
/// uniform ones. The same for the same arguments.
std::vector<Position> drawn_points(std::span<const std::size_t> sizes, Strategy strategy, std::int64_t count,
                                   std::uint64_t seed);

/// A position as bytes that sort like positions: big-endian digits, as many bytes an axis as its size needs.
std::string key_of(std::span<const std::size_t> position, std::span<const std::size_t> sizes);
/// Of a key of these sizes; empty when it is none.
Position position_of(std::string_view key, std::span<const std::size_t> sizes);

}  // namespace tilewright
