// What a transfer takes at the outermost level.
#pragma once

#include "sim/mapping/mapping.hpp"
#include "sim/twin/program.hpp"

namespace tilewright {

/// Bytes of an operand that lie one behind the other in a tile as the outermost level hands it out: the tile's last axes, as long as they
/// are whole (row-major tensors).
double run_bytes(const Problem& problem, const Mapping& mapping, std::size_t operand);

/// The port is busy: bytes / bandwidth where the level names no DRAM timing. Else the longer of two (docs/model.md): the busiest channel's
/// rows at its part of the bandwidth, and the activations behind the first of the busiest bank. Each run of `run` bytes opens rows of its
/// own; rows lie on channels and banks in turn.
Ticks transfer_ticks(const BufferLevel& level, Hertz clock, double bytes, double run);

/// From the end of a transfer until its data are there.
Ticks transfer_latency(const BufferLevel& level, Hertz clock);

}  // namespace tilewright
