// What a transfer takes at the outermost level.
#pragma once

#include "sim/mapping/mapping.hpp"
#include "sim/twin/program.hpp"

namespace tilewright {

/// How the tile of an operand that a level hands out lies in the one that it holds (row-major tensors): in pieces of `bytes`, the tile's
/// last axes as long as they are whole, each `pitch` bytes behind the one before; after `together` of them comes a wider gap.
struct Runs {
  double bytes = 0, pitch = 0, together = 1;
};
Runs runs_of(const Problem& problem, const Mapping& mapping, std::size_t operand, std::size_t level);

/// Accesses that the busiest of `banks` serves: `runs` of `length` accesses each, one behind the other on the banks in turn, starting
/// `pitch` accesses apart. Preconditions: all at least 1 (runs: 0).
std::int64_t busiest_bank(std::int64_t banks, std::int64_t runs, std::int64_t length, std::int64_t pitch);

/// The port is busy: bytes / bandwidth where the level names no DRAM timing. Else the longer of two (docs/model.md): the busiest channel's
/// rows at its part of the bandwidth, and the activations behind the first of the busiest bank. Runs that lie
/// together share the rows that they touch; rows lie on channels and banks in turn.
Ticks transfer_ticks(const BufferLevel& level, Hertz clock, double bytes, Runs runs);

/// From the end of a transfer until its data are there.
Ticks transfer_latency(const BufferLevel& level, Hertz clock);

}  // namespace tilewright
