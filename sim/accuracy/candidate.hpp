// Runs a user's command for a candidate.
#pragma once

#include <string>
#include <vector>

#include "core/units.hpp"

namespace tilewright {

/// The number on the last line that the program prints. The program and its children are killed at the limit. InputError: it cannot be
/// started, ends with another code than 0, takes too long, or prints no number.
double run_candidate(const std::vector<std::string>& command, Seconds limit);

}  // namespace tilewright
