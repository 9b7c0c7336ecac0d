#include "sim/twin/ledger.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tilewright {
namespace {

Ticks overlap(Ticks from, Ticks to, Ticks low, Ticks high) {
  const Ticks first = std::max(from, low), last = std::min(to, high);
  return last > first ? last - first : 0;
}

}  // namespace

Ledger::Ledger(const Program& program, std::function<void(const Standstill&)> tell)
    : program_(&program),
      tell_(std::move(tell)),
      words_(program),
      slots_(program.slots()),
      busy_(program.resources().size()),
      arrays_(program.resources().size()) {
  std::int32_t rows = 0;
  for (const KernelName& kernel : program.kernels()) rows = std::max(rows, kernel.row + 1);
  rows_.resize(static_cast<std::size_t>(rows));
}

/// Books that the array does nothing for a while.
void Ledger::stand(Array& array, std::size_t row, Ticks TimeParts::*part, Ticks ticks) const {
  if (ticks <= 0) return;
  array.rows[row].*part += ticks;
  const Ticks from = array.free;
  array.free += ticks;
  if (tell_) tell_({static_cast<std::int32_t>(&array - arrays_.data()), row, part, from, array.free});
}

/// Shares out the time in which the array waited for `cause`.
void Ledger::stand_still(Array& array, std::size_t row, Ticks to, const Record& cause) const {
  const auto own = cause.work == Work::load || cause.work == Work::store ? &TimeParts::dram : &TimeParts::buffer;
  const Ticks served = overlap(array.free, to, cause.start, cause.finish);
  const Ticks queued = to - array.free - served;
  const auto held = [&] {
    switch (cause.held) {
      case Record::Held::other_kind: return &TimeParts::contention;
      case Record::Held::own_kind: return own;
      case Record::Held::cores: return &TimeParts::idle;
      case Record::Held::not_at_all:
      case Record::Held::buffer: break;
    }
    return &TimeParts::buffer;
  };
  stand(array, row, held(), queued);
  stand(array, row, own, served);
}

/// Up to the array's first work in `turn`: idle until the others have ended the layers before, then their results leave.
void Ledger::catch_up(Array& array, std::size_t turn) const {
  for (; array.turn < turn; ++array.turn) {
    const Turn& before = turns_[array.turn];
    stand(array, before.row, &TimeParts::idle, before.worked - array.free);
  }
  array.started = false;
}

/// What the array did from `start` to `end`, and why it stood still before.
void Ledger::book(Array& array, const Transaction& t, const Record& cause, Ticks start, Ticks end) {
  if (t.work == Work::join && end == array.free) return;  // it only counts
  if (array.rows.empty()) array.rows.resize(rows_.size());
  const auto row = static_cast<std::size_t>(program_->kernels()[static_cast<std::size_t>(t.kernel)].row);
  if (turns_.empty() || turns_.back().row != row) turns_.push_back({row, 0});
  const std::size_t turn = turns_.size() - 1;
  if (array.turn != turn) catch_up(array, turn);
  TimeParts& mine = array.rows[row];
  if (start > array.free) {
    if (array.started) {
      stand_still(array, row, start, cause);
    } else {
      if (turn > 0) stand(array, turns_[turn - 1].row, &TimeParts::drain, overlap(array.free, start, 0, stored_));
      stand(array, row, &TimeParts::fill, start - array.free);
    }
  }
  switch (t.work) {
    case Work::launch: mine.overhead += end - start; break;
    case Work::prime: mine.fill += end - start; break;
    default: mine.compute += end - start; break;
  }
  array.started = array.started || t.work == Work::compute;
  array.free = end;
  turns_.back().worked = std::max(turns_.back().worked, end);
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
  const auto resource = static_cast<std::size_t>(t.resource);
  const Ticks latency = program_->resources()[resource].latency;
  if (program_->resources()[resource].kind == Resource::Kind::array) book(arrays_[resource], t, cause, start, end);
  if (t.work == Work::store) stored_ = std::max(stored_, end + latency);
  Busy& busy = busy_[resource];
  if (t.publish != no_slot) {
    Record record{start, end + latency, t.work, Record::Held::not_at_all};
    const bool barrier = program_->resources()[resource].kind == Resource::Kind::barrier;
    if (barrier || (cause.held == Record::Held::cores && cause.work == Work::join && cause.finish == start)) {
      record.held = Record::Held::cores;
    } else if (start > 0 && start == busy.end) {
      const bool own = busy.work == t.work && busy.kernel == t.kernel && busy.core == t.core;
      record.held = own ? Record::Held::own_kind : Record::Held::other_kind;
    } else if (start > 0) {
      record.held = Record::Held::buffer;
    }
    slots_[static_cast<std::size_t>(t.publish)] = record;
  }
  if (end > start) busy = {end, t.work, t.kernel, t.core};
}

/// The mean of the arrays, cut so that the parts of all rows still add up to the end: each part is rounded where all before it end.
void Ledger::close(Ticks end) {
  std::vector<TimeParts> sums(rows_.size());
  std::int64_t count = 0;
  constexpr std::array parts{&TimeParts::compute, &TimeParts::overhead,   &TimeParts::fill,   &TimeParts::drain,
                             &TimeParts::dram,    &TimeParts::contention, &TimeParts::buffer, &TimeParts::idle};
  for (Array& array : arrays_) {
    if (array.rows.empty()) continue;
    ++count;
    catch_up(array, turns_.size());
    stand(array, turns_.back().row, &TimeParts::drain, end - array.free);
    for (std::size_t r = 0; r < sums.size(); ++r) {
      for (const auto part : parts) sums[r].*part += array.rows[r].*part;
    }
  }
  Ticks before = 0;
  for (std::size_t r = 0; r < sums.size() && count > 0; ++r) {
    for (const auto part : parts) {
      const Ticks until = before + sums[r].*part;
      rows_[r].*part = until / static_cast<Ticks>(count) - before / static_cast<Ticks>(count);
      before = until;
    }
  }
}

}  // namespace tilewright
