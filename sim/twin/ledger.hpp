// Where the cycles of a simulation went, and what it moved.
#pragma once

#include "sim/twin/words.hpp"

namespace tilewright {

/// The time of the array, cut without remainder: what it did, or why it stood still.
struct TimeParts {
  Ticks compute = 0;
  Ticks overhead = 0;    // launches
  Ticks fill = 0;        // before the layer's first step: first tiles, array skew
  Ticks drain = 0;       // after its last step: results on their way out
  Ticks dram = 0;        // a tile was on the outermost level's port, or queued behind tiles of its own kind
  Ticks contention = 0;  // a tile was queued behind traffic of another kind (loads behind stores, other layers)
  Ticks buffer = 0;      // a buffer had no room, or its port fed the array too slowly
  Ticks total() const { return compute + overhead + fill + drain + dram + contention + buffer; }
};

/// Books the transactions of a program, in program order; any engine can be its source. The parts of all rows add up to the end of
/// the simulation exactly.
class Ledger final : public Observer {
 public:
  explicit Ledger(const Program& program);
  void served(const Transaction& transaction, Ticks start, Ticks end) override;
  /// To be called once, behind the last transaction.
  void close(Ticks end);

  const std::vector<TimeParts>& rows() const { return rows_; }  // by KernelName::row
  const std::vector<AccessCounts>& kernels() const { return words_.kernels(); }
  const std::vector<double>& hops() const { return words_.hops(); }

 private:
  struct Record {
    Ticks start = 0, finish = 0;
    Work work = Work::rename;
    enum class Held {
      not_at_all,
      own_kind,
      other_kind,
      buffer
    } held = Held::not_at_all;  // what kept it from starting before
  };
  struct Busy {
    Ticks end = 0;
    Work work = Work::rename;
    std::int32_t kernel = -1;
  };
  void stand_still(TimeParts& row, Ticks from, Ticks to, const Record& cause) const;

  const Program* program_;
  std::vector<TimeParts> rows_;
  MovedWords words_;
  std::vector<Record> slots_;
  std::vector<Busy> busy_;
  std::int32_t row_ = -1;  // the array's layer
  bool started_ = false;   // its first step has begun
  Ticks array_free_ = 0, stored_ = 0;
};

}  // namespace tilewright
