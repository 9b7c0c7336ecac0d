// Branch and bound over the mappings of a space: frame by frame, tiles from the innermost level outwards, one order class a level.
#pragma once

#include <memory>

#include "sim/search/incumbents.hpp"
#include "sim/search/space.hpp"

namespace tilewright {

class Solver;

/// One space, searched for one goal after the other; what does not hang on the goal is kept between them. Refers to the space.
class BranchAndBound {
 public:
  /// The goals to come: time counts for all of them or for none.
  BranchAndBound(const Space& space, const Goal& goal);
  ~BranchAndBound();
  /// Improves the incumbents and returns a bound: no mapping of the space within the goal's time scores less. It equals the incumbents'
  /// score (to a relative 1e-9) unless the effort ran out.
  double improve(const Goal& goal, Effort& effort, Incumbents& incumbents);

 private:
  std::unique_ptr<Solver> solver_;
};

}  // namespace tilewright
