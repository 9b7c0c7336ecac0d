// Cost of one mapping: pure functions with their equations in docs/model.md.
#pragma once

#include "sim/cost/evaluation.hpp"

namespace tilewright {

/// Energy of the counts on the chip's levels: ceil(words x bits / access width) accesses of every instance x pJ, by level and operand.
/// The only code that multiplies by energy per access.
std::vector<LevelCost> level_costs(const Problem& problem, const AccessCounts& counts, const Chip& chip);

/// The loops of a legal mapping as a family sees them.
ArrayPass array_pass(const Problem& problem, const Mapping& mapping, const Chip& chip);

/// The analytical view: max over compute and every level's traffic, plus fill, drain and launch. Precondition: check passed.
Evaluation evaluate(const Problem& problem, const Mapping& mapping, const Chip& chip);

/// Score for a search; smaller is better: seconds, joules or joule-seconds.
double score(const Evaluation& evaluation, const Chip& chip, Objective objective);
/// The same from the lower bounds of the evaluation.
double score_bound(const Evaluation& evaluation, const Chip& chip, Objective objective);

}  // namespace tilewright
