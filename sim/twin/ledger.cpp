#include "sim/twin/ledger.hpp"

#include <algorithm>

namespace tilewright {
namespace {

Ticks overlap(Ticks from, Ticks to, Ticks low, Ticks high) {
  const Ticks first = std::max(from, low), last = std::min(to, high);
  return last > first ? last - first : 0;
}

}  // namespace

Ledger::Ledger(const Program& program)
    : program_(&program), words_(program), slots_(program.slots()), busy_(program.resources().size()) {
  std::int32_t rows = 0;
  for (const KernelName& kernel : program.kernels()) rows = std::max(rows, kernel.row + 1);
  rows_.resize(static_cast<std::size_t>(rows));
}

/// Shares out the time in which the array waited for `cause`.
void Ledger::stand_still(TimeParts& row, Ticks from, Ticks to, const Record& cause) const {
  const bool outermost = cause.work == Work::load || cause.work == Work::store;
  const Ticks served = overlap(from, to, cause.start, cause.finish);
  const Ticks queued = to - from - served;
  (outermost ? row.dram : row.buffer) += served;
  switch (cause.held) {
    case Record::Held::other_kind: row.contention += queued; break;
    case Record::Held::own_kind: (outermost ? row.dram : row.buffer) += queued; break;
    case Record::Held::not_at_all:
    case Record::Held::buffer: row.buffer += queued; break;
  }
}

void Ledger::served(const Transaction& t, Ticks start, Ticks end) {
  words_.count(t);
  Record cause;
  for (const std::int32_t slot : t.after) {
    if (slot != no_slot && slots_[static_cast<std::size_t>(slot)].finish >= cause.finish)
      cause = slots_[static_cast<std::size_t>(slot)];
  }
  if (t.work == Work::rename) {
    slots_[static_cast<std::size_t>(t.publish)] = slots_[static_cast<std::size_t>(t.after[0])];
    return;
  }
  Busy& busy = busy_[static_cast<std::size_t>(t.resource)];
  const std::int32_t row = program_->kernels()[static_cast<std::size_t>(t.kernel)].row;
  if (program_->resources()[static_cast<std::size_t>(t.resource)].kind == Resource::Kind::array) {
    if (row != row_) started_ = false;
    TimeParts& mine = rows_[static_cast<std::size_t>(row)];
    if (start > array_free_) {
      if (started_) {
        stand_still(mine, array_free_, start, cause);
      } else {
        const Ticks before = row_ < 0 ? 0 : overlap(array_free_, start, 0, stored_);
        if (row_ >= 0) rows_[static_cast<std::size_t>(row_)].drain += before;
        mine.fill += start - array_free_ - before;
      }
    }
    row_ = row;
    switch (t.work) {
      case Work::launch: mine.overhead += end - start; break;
      case Work::prime: mine.fill += end - start; break;
      default: mine.compute += end - start; break;
    }
    started_ = started_ || t.work == Work::compute;
    array_free_ = end;
  }
  if (t.work == Work::store) {
    stored_ = std::max(stored_, end + program_->resources()[static_cast<std::size_t>(t.resource)].latency);
  }
  if (t.publish != no_slot) {
    const Ticks latency = program_->resources()[static_cast<std::size_t>(t.resource)].latency;
    Record record{start, end + latency, t.work, Record::Held::not_at_all};
    if (start > 0 && start == busy.end) {
      record.held = busy.work == t.work && busy.kernel == t.kernel ? Record::Held::own_kind : Record::Held::other_kind;
    } else if (start > 0) {
      record.held = Record::Held::buffer;
    }
    slots_[static_cast<std::size_t>(t.publish)] = record;
  }
  busy = {end, t.work, t.kernel};
}

void Ledger::close(Ticks end) {
  if (row_ >= 0) rows_[static_cast<std::size_t>(row_)].drain += end - array_free_;
}

}  // namespace tilewright
