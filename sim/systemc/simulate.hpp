// The SystemC engine: a program's transactions through modules with finite ports.
#pragma once

#include "sim/twin/program.hpp"

namespace tilewright {

/// Plays the program on the SystemC kernel: a dispatcher issues the transactions over TLM-2.0 sockets, a module per resource serves
/// them one at a time. Reports to `observer` in program order. Any number of simulations may follow one another in a process; they
/// take turns (the kernel is one per process). Throws PlayError (a limit; a deadlock, with what waits for what) and Stopped.
PlayResult simulate(Program& program, Observer* observer, const PlayLimits& limits);

}  // namespace tilewright
