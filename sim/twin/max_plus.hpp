// The fast twin of the SystemC engine: the max-plus recurrence over the same transactions.
#pragma once

#include "sim/twin/program.hpp"

namespace tilewright {

/// start = max(what it waits for is there, resource free), end = start + duration, there = end + latency. Resources serve in program order, so the times
/// are those of the SystemC engine to the tick, contention included. Throws PlayError and Stopped.
PlayResult play_max_plus(Program& program, Observer* observer, const PlayLimits& limits);

}  // namespace tilewright
