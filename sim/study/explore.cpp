// Adaptive strategies: pagmo2 proposes, the study evaluates.
#include <algorithm>
#include <cmath>
#include <exception>
#include <memory>
#include <pagmo/algorithm.hpp>
#include <pagmo/algorithms/cmaes.hpp>
#include <pagmo/algorithms/moead.hpp>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/algorithms/simulated_annealing.hpp>
#include <pagmo/batch_evaluators/member_bfe.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <pagmo/utils/multi_objective.hpp>
#include <random>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "sim/study/strategy.hpp"
#include "sim/study/surrogate.hpp"

namespace tilewright {
namespace {

using Vector = pagmo::vector_double;

constexpr double outside = 1e12;  // far above any logarithm: of a point that misses a limit
constexpr std::int64_t side_by_side = 8;

/// One search: its budget, what it has asked for, and how its scores become the fitness of pagmo.
class Search {
  struct Member {
    Vector genes, fitness;
  };

 public:
  Search(std::span<const std::size_t> sizes, const StrategyOptions& options, const Scorer& score, std::int64_t budget,
         Vector weights)
      : sizes_(sizes.begin(), sizes.end()),
        options_(options),
        score_(score),
        left_(budget),
        weights_(std::move(weights)),
        random_(options.seed) {
    for (std::size_t a = 0; a < sizes_.size(); ++a) {
      if (sizes_[a] > 1) free_.push_back(a);
    }
  }

  bool finished() const { return left_ == 0 || (options_.stopped && options_.stopped()); }
  std::int64_t asked() const { return static_cast<std::int64_t>(known_.size()); }
  std::size_t dims() const { return free_.size(); }
  std::size_t objectives() const { return weights_.empty() ? options_.goals : 1; }
  /// NSGA-II crosses and changes whole positions; the others see an axis as an interval.
  bool whole_numbers() const { return options_.strategy == Strategy::nsga2; }

  std::pair<Vector, Vector> bounds() const {
    std::pair<Vector, Vector> both;
    for (const std::size_t a : free_) {
      both.first.push_back(0);
      both.second.push_back(static_cast<double>(sizes_[a] - (whole_numbers() ? 1 : 0)));
    }
    return both;
  }

  /// Fitness of points that stand one after the other. What goes beyond the budget is not evaluated.
  Vector fitness(const Vector& genes) {
    std::vector<std::string> keys;
    std::vector<Position> fresh;
    for (std::size_t first = 0; first < genes.size(); first += dims()) {
      Position position = position_at(genes, first);
      if (whole_numbers()) leave_known(position);
      keys.push_back(key_of(position, sizes_));
      if (!finished() && known_.try_emplace(keys.back()).second) {
        fresh.push_back(std::move(position));
        --left_;
      }
    }
    if (!fresh.empty()) {
      std::vector<Position> meant = fresh;
      const std::vector<Score> scores = score_(meant);
      for (std::size_t i = 0; i < fresh.size(); ++i) {
        const Vector fitness = fitness_of(scores[i]);
        known_[key_of(fresh[i], sizes_)] = fitness;
        if (!whole_numbers()) continue;
        known_.try_emplace(key_of(meant[i], sizes_), fitness);
        elite_.push_back({genes_of(meant[i]), fitness});
        if (options_.surrogate) points_.push_back({meant[i], scores[i]});
      }
    }
    Vector all;
    for (const std::string& key : keys) {
      const auto found = known_.find(key);
      if (found == known_.end()) {
        all.insert(all.end(), objectives(), 2 * outside);
      } else {
        all.insert(all.end(), found->second.begin(), found->second.end());
      }
    }
    return all;
  }

  /// Distinct new points among those of the genes and as many drawn at random.
  std::vector<Position> proposals(const Vector& genes) {
    std::vector<Position> found;
    std::unordered_set<std::string> seen;
    const auto add = [&](Position position) {
      leave_known(position);
      if (options_.surrogate->meant(position) && !known_.contains(key_of(position, sizes_)) &&
          seen.insert(key_of(position, sizes_)).second)
        found.push_back(std::move(position));
    };
    for (std::size_t first = 0; first < genes.size(); first += dims()) add(position_at(genes, first));
    for (std::size_t first = 0; first < genes.size(); first += dims()) {
      Position position(sizes_.size(), 0);
      for (const std::size_t a : free_) position[a] = random_() % sizes_[a];
      add(std::move(position));
    }
    return found;
  }

  const std::vector<EvaluatedPoint>& points() const { return points_; }
  Vector genes_of(const Position& position) const {
    Vector genes;
    for (const std::size_t a : free_) genes.push_back(static_cast<double>(position[a]));
    return genes;
  }

  /// The best `size` of the points so far (non-dominated sorting and crowding, pagmo2), as they were evaluated; the others are forgotten.
  const std::vector<Member>& best(std::size_t size) {
    if (elite_.size() > size) {
      std::vector<Vector> all;
      for (const Member& member : elite_) all.push_back(member.fitness);
      std::vector<Member> kept;
      for (const auto i : pagmo::select_best_N_mo(all, size)) kept.push_back(std::move(elite_[i]));
      elite_ = std::move(kept);
    }
    return elite_;
  }

 private:
  /// A point that was asked for already takes other values on axes drawn at random, one after the other, until it is a new one: an evaluation
  /// is never spent, nor a place of a generation, on what is known. Gives up where all around is known.
  void leave_known(Position& position) {
    const std::size_t most_changes = 8 * dims();
    for (std::size_t change = 0; change < most_changes && known_.contains(key_of(position, sizes_)); ++change) {
      const std::size_t axis = free_[random_() % dims()];
      position[axis] = (position[axis] + 1 + random_() % (sizes_[axis] - 1)) % sizes_[axis];
    }
  }

  Position position_at(const Vector& genes, std::size_t first) const {
    Position position(sizes_.size(), 0);
    for (std::size_t g = 0; g < dims(); ++g) {
      const std::size_t size = sizes_[free_[g]];
      position[free_[g]] = static_cast<std::size_t>(std::clamp(genes[first + g], 0.0, static_cast<double>(size - 1)));
    }
    return position;
  }

  Vector fitness_of(const Score& score) const {
    if (score.violation > 0) return Vector(objectives(), outside * (2 - 1 / (1 + score.violation)));
    if (weights_.empty()) return score.goals;
    double sum = 0;
    for (std::size_t g = 0; g < weights_.size(); ++g) sum += weights_[g] * score.goals[g];
    return {sum};
  }

  std::vector<std::size_t> sizes_, free_;
  const StrategyOptions& options_;
  const Scorer& score_;
  std::int64_t left_;
  Vector weights_;                                 // on the goals; empty: they are compared one by one
  std::unordered_map<std::string, Vector> known_;  // fitness by key of the point
  std::vector<Member> elite_;                      // NSGA-II
  std::vector<EvaluatedPoint> points_;             // for the surrogate
  std::mt19937_64 random_;
};

/// The problem as pagmo wants it: copyable, all copies the same search.
struct SearchProblem {
  std::shared_ptr<Search> search;
  Vector fitness(const Vector& genes) const { return search->fitness(genes); }
  Vector batch_fitness(const Vector& genes) const { return search->fitness(genes); }
  bool has_batch_fitness() const { return true; }
  std::pair<Vector, Vector> get_bounds() const { return search->bounds(); }
  Vector::size_type get_nobj() const { return search->objectives(); }
  Vector::size_type get_nix() const { return search->whole_numbers() ? search->dims() : 0; }
  pagmo::thread_safety get_thread_safety() const { return pagmo::thread_safety::none; }
};

/// Takes down what an algorithm would have evaluated.
struct ProposalProblem {
  std::shared_ptr<Search> search;
  std::shared_ptr<Vector> genes;
  Vector fitness(const Vector&) const { return Vector(search->objectives(), 0); }
  Vector batch_fitness(const Vector& proposed) const {
    genes->insert(genes->end(), proposed.begin(), proposed.end());
    return Vector(proposed.size() / search->dims() * search->objectives(), 0);
  }
  bool has_batch_fitness() const { return true; }
  std::pair<Vector, Vector> get_bounds() const { return search->bounds(); }
  Vector::size_type get_nobj() const { return search->objectives(); }
  Vector::size_type get_nix() const { return search->dims(); }
  pagmo::thread_safety get_thread_safety() const { return pagmo::thread_safety::none; }
};

pagmo::algorithm algorithm_for(const StrategyOptions& options, std::size_t dims, std::int64_t budget, unsigned seed) {
  const double genes = static_cast<double>(dims);
  switch (options.strategy) {
    case Strategy::nsga2: {
      pagmo::nsga2 algorithm(1, 0.9, 10, 1 / genes, 10, seed);
      algorithm.set_bfe(pagmo::bfe{pagmo::member_bfe{}});
      return pagmo::algorithm{std::move(algorithm)};
    }
    case Strategy::moead: {
      const auto neighbours = static_cast<unsigned>(std::min<std::int64_t>(20, options.population - 1));
      return pagmo::algorithm{
          pagmo::moead{1, "low discrepancy", "tchebycheff", neighbours, 1.0, 0.5, 20, 0.9, 2, true, seed}};
    }
    case Strategy::cmaes: return pagmo::algorithm{pagmo::cmaes{1, -1, -1, -1, -1, 0.3, 0, 0, true, true, seed}};
    default: {  // annealing: one cooling from a factor of e to a thousandth of it; a bin is ten changes of each axis where the budget allows
      const auto steps = std::max<std::int64_t>(budget / static_cast<std::int64_t>(dims), 1);
      const auto bin = std::clamp<std::int64_t>(steps / 10, 1, 10);
      return pagmo::algorithm{pagmo::simulated_annealing{1.0, 1e-3,
                                                         static_cast<unsigned>(std::max<std::int64_t>(steps / bin, 1)),
                                                         1, static_cast<unsigned>(bin), 1.0, seed}};
    }
  }
}

/// NSGA-II with a surrogate: every generation half of the proposals are offspring of the best points, half are drawn at random, and the surrogate
/// chooses those that are evaluated.
void run_screened(const std::shared_ptr<Search>& search, const StrategyOptions& options) {
  const auto size = static_cast<std::size_t>((std::max(options.population, least_population) + 3) / 4 * 4);
  std::mt19937_64 seeds(options.seed);
  const auto next_seed = [&] { return static_cast<unsigned>(seeds()); };
  const pagmo::population first(pagmo::problem{SearchProblem{search}}, pagmo::bfe{pagmo::member_bfe{}}, size,
                                next_seed());
  Surrogate surrogate(*options.surrogate, options.goals);
  while (!search->finished()) {
    const auto genes = std::make_shared<Vector>();
    const pagmo::problem problem{ProposalProblem{search, genes}};
    const auto& best = search->best(size);
    const std::size_t wanted = static_cast<std::size_t>(options.surrogate->proposals) * search->dims() / 2;
    while (genes->size() < wanted) {
      pagmo::population parents(problem, 0U, next_seed());
      for (std::size_t i = 0; i < size; ++i) {
        const auto& parent = best[i % best.size()];
        parents.push_back(parent.genes, parent.fitness);
      }
      algorithm_for(options, search->dims(), 0, next_seed()).evolve(parents);
    }
    genes->resize(wanted);
    Vector chosen;
    for (const Position& position : surrogate.chosen(search->points(), search->proposals(*genes), size)) {
      const Vector its = search->genes_of(position);
      chosen.insert(chosen.end(), its.begin(), its.end());
    }
    if (chosen.empty()) return;  // nothing new
    search->fitness(chosen);
  }
}

/// Populations one after the other until the budget is spent or new ones bring nothing new.
void run(const std::shared_ptr<Search>& search, const StrategyOptions& options, std::int64_t budget,
         std::uint64_t first_seed) {
  constexpr int most_idle_generations = 10, most_idle_starts = 5;
  const pagmo::problem problem{SearchProblem{search}};
  const pagmo::bfe batch{pagmo::member_bfe{}};
  std::int64_t size = options.strategy == Strategy::annealing ? 1 : std::max(options.population, least_population);
  if (options.strategy == Strategy::nsga2) size = (size + 3) / 4 * 4;
  std::mt19937_64 seeds(first_seed);
  for (int idle_starts = 0; !search->finished() && idle_starts < most_idle_starts;) {
    const std::int64_t before = search->asked();
    const auto seed = static_cast<unsigned>(seeds());
    pagmo::population population(problem, batch, static_cast<pagmo::population::size_type>(size), seed);
    const pagmo::algorithm algorithm = algorithm_for(options, search->dims(), budget, seed);
    for (int idle = 0; !search->finished() && idle < most_idle_generations;) {
      const std::int64_t asked = search->asked();
      if (search
              ->whole_numbers()) {  // parents: the best of all points, under the genes of the points that were evaluated
        const auto& best = search->best(population.size());
        for (std::size_t i = 0; i < best.size(); ++i) population.set_xf(i, best[i].genes, best[i].fitness);
      }
      population = algorithm.evolve(population);
      idle = search->asked() > asked ? 0 : idle + 1;
      if (options.strategy == Strategy::annealing) break;  // a whole cooling
    }
    idle_starts = search->asked() > before ? 0 : idle_starts + 1;
  }
}

/// Weights on the goals of the searches that run side by side.
std::vector<Vector> weights_of(const StrategyOptions& options) {
  const auto searches = static_cast<std::size_t>(std::clamp<std::int64_t>(options.budget, 1, side_by_side));
  if (options.goals == 1) {
    return std::vector<Vector>(options.strategy == Strategy::annealing ? searches : 1, Vector{1.0});
  }
  std::mt19937 unused;  // the sequence is the same in every run
  std::vector<Vector> all =
      pagmo::decomposition_weights(options.goals, std::max(searches, options.goals), "low discrepancy", unused);
  all.resize(searches);
  return all;
}

}  // namespace

void explore(std::span<const std::size_t> sizes, const StrategyOptions& options, const Scorer& score) {
  if (std::all_of(sizes.begin(), sizes.end(), [](std::size_t size) { return size == 1; })) {
    Position only(sizes.size(), 0);
    if (options.budget > 0) score(std::span(&only, 1));
    return;
  }
  if (options.surrogate) {
    run_screened(std::make_shared<Search>(sizes, options, score, options.budget, Vector{}), options);
    return;
  }
  if (least_goals(options.strategy) > 1) {
    run(std::make_shared<Search>(sizes, options, score, options.budget, Vector{}), options, options.budget,
        options.seed);
    return;
  }
  const std::vector<Vector> weights = weights_of(options);
  const auto searches = static_cast<std::int64_t>(weights.size());
  std::vector<std::exception_ptr> errors(weights.size());
  {
    std::vector<std::jthread> threads;
    for (std::int64_t s = 0; s < searches; ++s) {
      threads.emplace_back([&, s] {
        const auto i = static_cast<std::size_t>(s);
        try {
          const std::int64_t budget = options.budget / searches + (s < options.budget % searches ? 1 : 0);
          run(std::make_shared<Search>(sizes, options, score, budget, weights[i]), options, budget,
              options.seed + 0x9e3779b97f4a7c15ULL * static_cast<std::uint64_t>(s + 1));
        } catch (...) { errors[i] = std::current_exception(); }
      });
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace tilewright
