// A simulation as a Chrome trace: opens in Perfetto (ui.perfetto.dev) and chrome://tracing.
#pragma once

#include <map>
#include <string>

#include "sim/twin/program.hpp"

namespace tilewright {

/// One track per resource with a slice for everything that takes time, named by layer and tile step; arrows from each tile's load to
/// the step of its core that uses it; counters of the outermost level's bandwidth and of the bytes held in the buffers. Times are microseconds of
/// the chip's clock. Slices beyond the limit are left out and counted.
class TraceWriter final : public Observer {
 public:
  TraceWriter(const Program& program, Hertz clock, std::size_t most_slices);
  void served(const Transaction& transaction, Ticks start, Ticks end) override;
  /// The JSON document; the writer is spent.
  std::string finish();
  std::size_t left_out() const { return left_out_; }

 private:
  struct Held {
    double now = 0, before = 0;  // bytes of the tile in use or on its way, and of the one before it
  };
  double microseconds(Ticks ticks) const { return cycles_of(ticks).value / clock_.value * 1e6; }
  void add(const std::string& event);
  void counter(std::string_view name, Ticks at, double value);
  void load(const Transaction& transaction, int track, Ticks start, Ticks end);
  void use(const Transaction& transaction, int track, Ticks start);

  const Program* program_;
  Hertz clock_;
  std::size_t most_slices_, slices_ = 0, left_out_ = 0;
  std::string json_;
  struct Core {
    std::vector<std::pair<int, Ticks>> loads;  // not yet used: track and start
    std::map<int, Held> held;                  // by operand
  };
  std::map<int, Core> cores_;
  double held_ = 0;  // bytes, of all cores
  std::uint64_t arrows_ = 0;
};

}  // namespace tilewright
