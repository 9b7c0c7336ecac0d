// Good mappings quickly: coordinate descent from many starts. Proves nothing; gives the proof something to beat.
#pragma once

#include <vector>

#include "arch_models/family.hpp"
#include "sim/cost/cost_model.hpp"

namespace tilewright {

struct Descent {
  std::vector<Mapping>
      best;  // at most five, best first; loop bounds need not divide; empty: nothing that it tried fits
  std::int64_t evaluated = 0;
};

/// Deterministic. Precondition: the trivial mapping is legal.
Descent descend_from_starts(const CostModel& model, const MapRules& rules, const Mapping& trivial, Objective objective);

}  // namespace tilewright
