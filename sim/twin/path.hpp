// The critical path of a simulation in which many resources are at work at once.
#pragma once

#include "sim/twin/ledger.hpp"

namespace tilewright {

/// Books the transactions of a program, in program order. Each starts when what it waited for last is there, so the path back from
/// the end has no gap: every tick belongs to one service, and the parts of all rows add up to the end exactly.
///
/// The stage with the most time on the path sets the pace: its work is `compute`, that of others before it `fill`, behind it `drain`,
/// in between (it waited for room or for rows) `buffer`. Loads are `dram`, but `contention` of the row that queued behind another
/// row's traffic; links are `contention`, barriers and launches `overhead`, the last stores `drain`.
class PathLedger final : public Observer {
 public:
  explicit PathLedger(const Program& program);
  void served(const Transaction& transaction, Ticks start, Ticks end) override;
  /// To be called once, behind the last transaction.
  void close(Ticks end);

  const std::vector<TimeParts>& rows() const { return rows_; }  // by KernelName::row
  const std::vector<AccessCounts>& kernels() const { return words_.kernels(); }
  const std::vector<double>& hops() const { return words_.hops(); }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  /// A service that took time, and the one that it had waited for.
  struct Step {
    Ticks start = 0;
    std::size_t before = none;
    std::int32_t row = 0;
    Work work = Work::compute;
    Resource::Kind kind = Resource::Kind::stage;
    bool queued = false;  // behind another row's service on its own resource
  };
  struct At {
    Ticks there = 0;  // for resources: free
    std::size_t step = none;
  };

  const Program* program_;
  MovedWords words_;
  std::vector<Step> steps_;
  std::vector<At> slots_, resources_;
  At last_;
  std::vector<TimeParts> rows_;
};

}  // namespace tilewright
