#include "sim/twin/program.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/diagnostics.hpp"

namespace tilewright {

Ticks ticks_of(Cycles cycles) {
  const double ticks = std::ceil(cycles.value * ticks_per_cycle);
  if (!(ticks < 9e15)) throw OverflowError("a simulated time leaves 9e15 ticks of 1/1024 cycle");
  return ticks <= 0 ? 0 : static_cast<Ticks>(ticks);
}

std::int64_t part_of(std::int64_t whole, std::int64_t k, std::int64_t parts) {
  return whole / parts * k + whole % parts * k / parts;
}

std::int64_t share_of(std::int64_t whole, std::int64_t k, std::int64_t parts) {
  return parts == 1 ? whole : part_of(whole, k + 1, parts) - part_of(whole, k, parts);
}

Watch::Watch(const PlayLimits& limits)
    : limits_(limits),
      last_(limits.max_cycles.value > 0 ? ticks_of(limits.max_cycles) : std::numeric_limits<Ticks>::max()),
      start_(std::chrono::steady_clock::now()) {}

void Watch::count(Ticks now) {
  constexpr std::uint64_t interval = 4096;
  ++transactions_;
  if (limits_.max_transactions != 0 && transactions_ > limits_.max_transactions) {
    throw PlayError(
        fmt::format("stopped after {} tile transactions at cycle {:.0f} (--max-events): raise the limit, or "
                    "simulate a smaller workload",
                    limits_.max_transactions, cycles_of(now).value));
  }
  if (now > last_) {
    throw PlayError(
        fmt::format("stopped at cycle {:.12g} of simulated time after {} tile transactions (--max-cycles): raise "
                    "the limit, or simulate a smaller workload",
                    limits_.max_cycles.value, transactions_ - 1));
  }
  if (transactions_ % interval == 0) look_up(now);
}

void Watch::look_up(Ticks now) const {
  if (limits_.stop && limits_.stop()) throw Stopped();
  if (limits_.progress) limits_.progress(cycles_of(now));
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
  if (limits_.max_seconds > 0 && passed.count() > limits_.max_seconds) {
    throw PlayError(fmt::format(
        "stopped after {:g} s of host time at cycle {:.0f}, {} tile transactions (--max-seconds): raise the "
        "limit, or simulate a smaller workload",
        limits_.max_seconds, cycles_of(now).value, transactions_));
  }
}

}  // namespace tilewright
