// MappingMemo: best mappings of problems while part of a level is reserved for tensors that stay on chip.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "sim/search/search.hpp"

namespace tilewright {

using Outcome = std::expected<Evaluation, Infeasible>;

/// Bytes taken from the level of the activations and from that of the weights (they may be the same level).
struct Reserved {
  std::int64_t activations = 0, weights = 0;
};

/// Levels in which tensors can stay: the first one with one instance for the whole chip and a capacity that stores inputs, or
/// weights; -1: none.
struct Homes {
  int activations = -1, weights = -1;
};
Homes homes_of(const Chip& chip);

/// The cost of a problem is a step function of the reserved bytes: the best mapping under a capacity stays the best one under every
/// smaller capacity that it still fits. So a search answers a whole range of reservations, and only the steps are searched. With a slack of latency a step
/// ends where the fastest mapping no longer fits, either: the times that the slack allows would change.
class MappingMemo {
 public:
  /// The chip must outlive the memo.
  MappingMemo(const Chip& chip, Homes homes, SearchOptions search, Engine engine);

  /// Number of the problem, the same for equal ones.
  std::size_t number(const Problem& problem);

  /// Gives the answer for nothing reserved, searched elsewhere.
  void set_unreserved(std::size_t number, const Outcome& outcome);

  /// Best mapping with `reserved` taken away; Infeasible also where nothing is left. The reference stays valid.
  const Outcome& best(std::size_t number, Reserved reserved);

  std::int64_t searches() const { return searches_; }

 private:
  struct Step {
    Reserved from;  // searched here
    Reserved to;    // and the same answer up to here
    Outcome outcome;
  };
  struct Known {
    Problem problem;
    std::deque<Step> steps;
  };

  Step search(const Problem& problem, Reserved reserved);
  Step step_of(Reserved reserved, Outcome outcome) const;
  void end_where_it_fits(Step& step, const Evaluation& evaluation) const;
  Chip with_reserved(Reserved reserved) const;
  std::int64_t used_bytes(const Evaluation& evaluation, int level) const;

  const Chip& chip_;
  Homes homes_;
  SearchOptions options_;
  Engine engine_;
  std::deque<Known> problems_;
  std::int64_t searches_ = 0;
};

/// True if an operand on chip is stored in its home, so that what leaves the home is counted there. A result may also leave an
/// accumulator in front of it, once and complete: the write into the home is then the fill of the layer that reads it.
bool passes_through_home(const Evaluation& evaluation, std::size_t operand, Homes homes);

/// The roofline's view of an evaluated kernel: its time is the bound alone; counts and dynamic energy stay.
Evaluation as_roofline(Evaluation evaluation, const Chip& chip);

}  // namespace tilewright
