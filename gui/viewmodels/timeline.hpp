// The schedule that the SystemC engine plays: what every resource does when, and why the array stands still.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gui/viewmodels/analysis.hpp"
#include "sim/twin/ledger.hpp"

namespace tilewright::gui {

/// What a slice of a lane is; the last ones are the causes of a standstill, as the report names them.
enum class SliceKind {
  load,
  store,
  feed,
  launch,
  prime,
  compute,
  hop,
  join,
  fill,
  drain,
  dram,
  contention,
  buffer,
  idle
};
inline constexpr std::size_t slice_kinds = 14;
/// The word of a table: "load", "compute", "buffer".
const char* name(SliceKind kind);

struct Slice {
  Ticks start = 0, end = 0;
  SliceKind kind = SliceKind::compute;
  std::int32_t row = 0;   // layer of the report
  std::int64_t step = 0;  // tile step; 0 in a standstill
  double bytes = 0;
};

struct Lane {
  std::string name;
  bool array = false;                        // its standstills are slices too: no gap from 0 to the end
  std::vector<Slice> slices;                 // in order of their start; those beyond the limit are left out
  std::array<Ticks, slice_kinds> by_kind{};  // of all slices, also of those left out
};

/// A simulated network: a lane a resource. Where layers run in turn the arrays (cores) come first, with their standstills by cause.
struct Timeline {
  std::vector<Lane> lanes;
  std::size_t arrays = 0;  // lanes with standstills
  Ticks end = 0;
  Hertz clock;
  std::size_t left_out = 0;  // slices
  NetworkEvaluation result;  // of the simulation; its layers stand in the order of execution
  std::vector<int> row_of;   // for each of these layers its row in the report of the analysis; -1: none
};
using TimelinePtr = std::shared_ptr<const Timeline>;

/// A simulation's limits: `stop` is asked and `progress` told every few thousand transactions.
struct Simulation {
  std::size_t most_slices = 0;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(Cycles)> progress;
};

/// Simulates an analysed project. InputError: it cannot be simulated; Stopped. Simulations of one process take turns.
TimelinePtr simulate_timeline(const Analysis& analysis, const Simulation& simulation);

/// The Chrome trace of the same simulation: what `tilewright run --engine systemc --trace` writes.
std::string simulate_trace(const Analysis& analysis, const Simulation& simulation);

/// Slices that one pixel cannot tell apart, as one.
struct Block {
  double from = 0, to = 0;  // pixels
  std::size_t slice = 0;    // the longest of them
  std::size_t slices = 0;
  std::array<double, slice_kinds> share{};  // of the width, by kind; what is missing to 1 is idle
};
/// What of a lane is seen in `pixels` columns that stand for the time [from, to).
std::vector<Block> visible(const Lane& lane, double from, double to, double pixels);

}  // namespace tilewright::gui
