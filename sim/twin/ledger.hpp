// Where the cycles of a simulation went, and what it moved.
#pragma once

#include <functional>
#include <vector>

#include "sim/twin/words.hpp"

namespace tilewright {

/// The time of the array, or of the mean one of several, cut without remainder: what it did, or why it stood still.
struct TimeParts {
  Ticks compute = 0;
  Ticks overhead = 0;    // launches
  Ticks fill = 0;        // before the layer's first step: first tiles, array skew
  Ticks drain = 0;       // after its last step: results on their way out
  Ticks dram = 0;        // a tile was on the outermost level's port, or queued behind tiles of its own kind
  Ticks contention = 0;  // a tile was queued behind other traffic: another core's, stores before loads, other layers
  Ticks buffer = 0;      // a buffer had no room, or its port fed the array too slowly
  Ticks idle = 0;        // others of the layer's cores still worked: no tile was left for this one
  Ticks total() const { return compute + overhead + fill + drain + dram + contention + buffer + idle; }
};

/// An array stands still in [from, to); `part` says why.
struct Standstill {
  std::int32_t resource = 0;
  std::size_t row = 0;
  Ticks TimeParts::*part = nullptr;
  Ticks from = 0, to = 0;
};

/// Books the transactions of a program, in program order; any engine can be its source. The parts of all rows add up to the end of
/// the simulation exactly; where several arrays (cores) are at work they are the mean of the arrays that ever were.
class Ledger final : public Observer {
 public:
  /// `tell` hears of every standstill, of each array in the order of time.
  explicit Ledger(const Program& program, std::function<void(const Standstill&)> tell = {});
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
      buffer,
      cores                     // that share the tile and had not ended
    } held = Held::not_at_all;  // what kept it from starting before
  };
  struct Busy {
    Ticks end = 0;
    Work work = Work::rename;
    std::int32_t kernel = -1, core = -1;
  };
  /// A layer in its turn.
  struct Turn {
    std::size_t row = 0;
    Ticks worked = 0;  // end of the last work of any array
  };
  struct Array {
    std::size_t turn = 0;
    bool started = false;  // its first step of the turn has begun
    Ticks free = 0;
    std::vector<TimeParts> rows;
  };
  void stand(Array& array, std::size_t row, Ticks TimeParts::*part, Ticks ticks) const;
  void stand_still(Array& array, std::size_t row, Ticks to, const Record& cause) const;
  void catch_up(Array& array, std::size_t turn) const;
  void book(Array& array, const Transaction& transaction, const Record& cause, Ticks start, Ticks end);

  const Program* program_;
  std::function<void(const Standstill&)> tell_;
  std::vector<TimeParts> rows_;
  MovedWords words_;
  std::vector<Record> slots_;
  std::vector<Busy> busy_;
  std::vector<Turn> turns_;
  std::vector<Array> arrays_;  // by resource
  Ticks stored_ = 0;
};

}  // namespace tilewright
