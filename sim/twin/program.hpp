// What an engine plays: tile transactions on resources that serve them in order.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "sim/mapping/access_counts.hpp"

namespace tilewright {

/// Simulated time in 1/1024 cycle: a transfer takes its bytes over the bandwidth, rounded up to a tick.
using Ticks = std::uint64_t;
inline constexpr double ticks_per_cycle = 1024.0;

/// Rounded up; a time is never shorter than what the analytical model asks.
Ticks ticks_of(Cycles cycles);
constexpr Cycles cycles_of(Ticks ticks) { return {static_cast<double>(ticks) / ticks_per_cycle}; }

/// One thing at a time, in the order of the program. What it did is there for others `latency` after the end of the service, while the
/// resource goes on with the next.
struct Resource {
  enum class Kind { array, memory, buffer, stage, core, link, barrier };
  std::string name;
  Kind kind = Kind::memory;
  Ticks latency = 0;
};

enum class Work : std::uint8_t {
  load,     // outermost level to the chip
  store,    // chip to the outermost level
  feed,     // an inner level's traffic of a step
  launch,   // the chip is told what to do
  prime,    // the array fills or drains
  compute,  // a step on the array
  hop,      // spikes cross a link
  join,     // the resource waits for what it needs
  rename    // no work: the slot `publish` takes what the slot after[0] holds
};

/// Which fields of an access record a transaction moves.
enum Fields : std::uint8_t {
  no_fields = 0,
  reads = 1,
  fills = 2,
  updates = 4,
  drains = 8,
  delivered = 16,
  every_field = 31
};

inline constexpr std::int32_t no_slot = -1;
inline constexpr std::int16_t inner_levels = -1;

/// A slot names the latest transaction, in program order, that published it; an empty slot is always ready.
struct Transaction {
  Work work = Work::compute;
  std::uint8_t fields = no_fields;  // counted from `moved` when served
  std::int32_t resource = 0;
  std::array<std::int32_t, 4> after{no_slot, no_slot, no_slot, no_slot};  // starts when all of these are there
  std::int32_t publish = no_slot;
  std::int16_t level = inner_levels;  // inner_levels: the points, and the fields of all levels but the outermost
  std::int16_t operand = -1;          // -1: all
  std::int32_t kernel = 0;            // Program::kernels()
  std::int32_t core = 0;              // in whose name, where several work on a kernel
  std::int64_t step = 0;
  Ticks ticks = 0;                      // the resource is busy
  const AccessCounts* moved = nullptr;  // lives as long as the program
  std::int64_t part = 0, parts = 1;     // of what `moved` counts: see share_of
  double bytes = 0;                     // hop: spikes x links that it counts
};

/// floor(whole x k / parts) for 0 <= k <= parts, exact where the product would leave 64 bits.
std::int64_t part_of(std::int64_t whole, std::int64_t k, std::int64_t parts);
/// What falls to part `k` of a whole that is cut into equal parts, remainders spread: they add up to the whole.
std::int64_t share_of(std::int64_t whole, std::int64_t k, std::int64_t parts);

struct KernelName {
  std::string layer;
  std::int32_t row = 0;  // layer of the report
};

/// A source of transactions; produces them as they are needed.
class Program {
 public:
  Program() = default;
  virtual ~Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::vector<Resource>& resources() const { return resources_; }
  const std::vector<KernelName>& kernels() const { return kernels_; }
  std::size_t slots() const { return slots_; }
  /// Appends the next transactions; false when there are none. A transaction waits only for earlier ones.
  virtual bool next(std::vector<Transaction>& batch) = 0;

 protected:
  std::vector<Resource> resources_;
  std::vector<KernelName> kernels_;
  std::size_t slots_ = 0;
};

/// Sees every transaction in program order, with its time in service [start, end).
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void served(const Transaction& transaction, Ticks start, Ticks end) = 0;
};

/// Limits of a simulation: beyond one it ends with PlayError. Host time decides about nothing else. The callbacks and the host's clock
/// are asked every 4096 transactions.
struct PlayLimits {
  std::uint64_t max_transactions = 0;    // 0: none
  Cycles max_cycles;                     // simulated; 0: none
  double max_seconds = 0;                // of the host; 0: none
  std::function<bool()> stop;            // true: give up, Stopped is thrown
  std::function<void(Cycles)> progress;  // simulated so far
};

struct PlayResult {
  Ticks end = 0;
  std::uint64_t transactions = 0;  // served by a resource
};

/// A simulation that cannot go on: a limit was reached, or nothing can move any more. what() names it and the way out.
class PlayError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped") {}
};

/// Shared by the engines: counts transactions and asks the limits.
class Watch {
 public:
  explicit Watch(const PlayLimits& limits);
  /// A transaction has been served until `now`.
  void count(Ticks now);
  std::uint64_t transactions() const { return transactions_; }

 private:
  void look_up(Ticks now) const;

  const PlayLimits& limits_;
  Ticks last_ = 0;  // allowed
  std::chrono::steady_clock::time_point start_;
  std::uint64_t transactions_ = 0;
};

}  // namespace tilewright
