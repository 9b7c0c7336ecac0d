// The fast twin of the SystemC engine: the max-plus recurrence over the same transactions.
#pragma once

#include "sim/twin/program.hpp"

namespace tilewright {

/// start = max(end of what it waits for, resource free), end = start + duration. Resources serve in program order, so the times
/// are those of the SystemC engine to the tick, contention included. Throws PlayError and Stopped.
PlayResult play_max_plus(Program& program, Observer* observer, const PlayLimits& limits);

}  // namespace tilewright
