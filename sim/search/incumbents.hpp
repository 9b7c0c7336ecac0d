// What a search minimises, the best mappings that it has met, and the work that it may still do.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sim/cost/cost_model.hpp"

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

}  // namespace tilewright
