// From words to whole accesses of a store, and from bytes to the time at its ports.
#pragma once

#include <algorithm>
#include <cstdint>

#include "arch_models/chip.hpp"

namespace tilewright {

/// Whole accesses of `instances` stores that share `words` words: each needs ceil(its bits / access width); one access a word
/// where no width is given. Words x bits below 2^53 divide exactly.
inline double accesses_of(double words, double word_bits, const BufferLevel& level, std::int64_t instances) {
  if (level.access_bits <= 0 || words <= 0) return words;
  const double stores = static_cast<double>(std::max<std::int64_t>(instances, 1));
  const double each = words * word_bits / (stores * static_cast<double>(level.access_bits));
  if (each >= 0x1p53) return each * stores;
  const double whole = static_cast<double>(static_cast<std::int64_t>(each));
  return (whole + static_cast<double>(whole < each)) * stores;
}

/// Bytes that a level reads and writes.
struct Traffic {
  double read = 0, written = 0;
  Traffic& operator+=(Traffic other) {
    read += other.read;
    written += other.written;
    return *this;
  }
};

/// Time of a level's traffic: reads and writes share the bandwidth unless each has a port of its own, as in the peer convention.
inline Cycles transfer_time(Traffic traffic, const BufferLevel& level, std::int64_t instances, bool peer_compatible) {
  if (level.bandwidth.value <= 0) return {};
  const double bytes = peer_compatible || level.separate_ports ? std::max(traffic.read, traffic.written)
                                                               : traffic.read + traffic.written;
  return Bytes{bytes} / (static_cast<double>(std::max<std::int64_t>(instances, 1)) * level.bandwidth);
}

}  // namespace tilewright
