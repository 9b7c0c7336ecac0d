// Bits that a word takes where it is stored: precision of partial and final sums, compressed formats with their metadata.
#pragma once

#include "arch_models/chip.hpp"

namespace tilewright {

/// Bits of a level's store (data and metadata) for each word of the operand's dense tensor; an expected value for zeros that are spread
/// at random, exact for structured ones. For density d, b bits a word: dense b; bitmask d b + 1; run_length e (b + r) with
/// e = d / (1 - (1 - d)^(2^r)) stored words a word (fillers of runs longer than r bits count; structured zeros whose runs fit need
/// none: e = d); coordinate d (b + i); csr d (b + i) + pointer / row.
double stored_bits(const Problem& problem, const Operand& operand, const BufferLevel& level);

/// Bits of a sum that still misses terms: the wider of the result's format and the accumulator's, never compressed.
double partial_bits(const Operand& operand, const Chip& chip);

}  // namespace tilewright
