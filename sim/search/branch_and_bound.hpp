// Branch and bound over the mappings of a space: frame by frame, tiles from the innermost level outwards, one order class a level.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sim/search/space.hpp"

namespace tilewright {

/// What is minimised, among mappings that take at most `most_cycles`.
struct Goal {
  Objective objective = Objective::latency;
  Cycles most_cycles{std::numeric_limits<double>::infinity()};
};

struct Found {
  double score = 0;
  Cycles cycles;
  Joules energy;
  Mapping mapping;
};

/// The best mappings met so far, best first; among equal scores the first one met stays ahead.
class Incumbents {
 public:
  explicit Incumbents(std::size_t most) : most_(most) {}
  void add(Found found);
  /// Infinite while nothing was found.
  double score() const { return best_.empty() ? std::numeric_limits<double>::infinity() : best_.front().score; }
  bool full() const { return best_.size() == most_; }
  const std::vector<Found>& best() const { return best_; }
  /// Forgets the slower ones and scores the others anew.
  void restart(const Goal& goal, const Chip& chip);

 private:
  std::size_t most_;
  std::vector<Found> best_;
};

/// Work left and done, shared by all searches of one request.
struct Effort {
  std::int64_t left = 0, evaluated = 0;
};

/// Improves the incumbents and returns a bound: no mapping of the space within the goal's time scores less. It equals the incumbents'
/// score (to a relative 1e-9) unless the effort ran out.
double branch_and_bound(const Space& space, const Goal& goal, Effort& effort, Incumbents& incumbents);

}  // namespace tilewright
