// What was asked before: equal questions are answered once per process.
#pragma once

#include <functional>
#include <string>

#include "sim/search/search.hpp"

namespace tilewright {

using Answer = std::expected<SearchResult, Infeasible>;

/// Everything that decides the answer, names of the problem left out, as bytes.
std::string question(const Problem& problem, const Chip& chip, const SearchOptions& options);

/// The answer kept under `key`, or the one that `solve` gives. Safe from many threads: a question that another thread is at work on is
/// waited for, not solved again. At most a few thousand answers are kept, the oldest go first.
Answer solved_once(const std::string& key, const std::function<Answer()>& solve);

/// Forgets every answer, for measurements of time and memory.
void forget_solved();

}  // namespace tilewright
