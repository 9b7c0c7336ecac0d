#include "sim/twin/path.hpp"

#include <algorithm>

namespace tilewright {

PathLedger::PathLedger(const Program& program)
    : program_(&program), words_(program), slots_(program.slots()), resources_(program.resources().size()) {
  std::int32_t rows = 0;
  for (const KernelName& kernel : program.kernels()) rows = std::max(rows, kernel.row + 1);
  rows_.resize(static_cast<std::size_t>(rows));
}

void PathLedger::served(const Transaction& t, Ticks start, Ticks end) {
  words_.count(t);
  if (t.work == Work::rename) {
    slots_[static_cast<std::size_t>(t.publish)] = slots_[static_cast<std::size_t>(t.after[0])];
    return;
  }
  At cause;
  for (const std::int32_t slot : t.after) {
    if (slot != no_slot && slots_[static_cast<std::size_t>(slot)].there >= cause.there)
      cause = slots_[static_cast<std::size_t>(slot)];
  }
  At& resource = resources_[static_cast<std::size_t>(t.resource)];
  const Resource& served = program_->resources()[static_cast<std::size_t>(t.resource)];
  std::int32_t row = program_->kernels()[static_cast<std::size_t>(t.kernel)].row;
  const bool queued = resource.there > cause.there;
  if (queued) cause = resource;
  std::size_t step = cause.step;
  if (served.kind == Resource::Kind::barrier && step != none) row = steps_[step].row;  // whom all have waited for
  if (end > start || served.latency > 0) {
    step = steps_.size();
    const bool others = queued && cause.step != none && steps_[cause.step].row != row;
    steps_.push_back({start, cause.step, row, t.work, served.kind, others});
  }
  resource = {end, step};
  const At there{end + served.latency, step};
  if (t.publish != no_slot) slots_[static_cast<std::size_t>(t.publish)] = there;
  if (there.there >= last_.there) last_ = there;
}

void PathLedger::close(Ticks end) {
  const auto at_work = [](const Step& step) {
    return step.kind == Resource::Kind::stage || step.kind == Resource::Kind::core;
  };
  std::vector<std::size_t> path;
  for (std::size_t s = last_.step; s != none; s = steps_[s].before) path.push_back(s);
  std::ranges::reverse(path);
  std::vector<Ticks> times(path.size()), by_row(rows_.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    times[i] = (i + 1 < path.size() ? steps_[path[i + 1]].start : end) - steps_[path[i]].start;
    if (at_work(steps_[path[i]])) by_row[static_cast<std::size_t>(steps_[path[i]].row)] += times[i];
  }
  const auto pace = static_cast<std::int32_t>(std::ranges::max_element(by_row) - by_row.begin());
  const auto sets_pace = [&](std::size_t s) { return at_work(steps_[s]) && steps_[s].row == pace; };
  const auto first = static_cast<std::size_t>(std::ranges::find_if(path, sets_pace) - path.begin());
  const auto behind = static_cast<std::size_t>(path.size()) -
                      static_cast<std::size_t>(std::find_if(path.rbegin(), path.rend(), sets_pace) - path.rbegin());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Step& step = steps_[path[i]];
    TimeParts& parts = rows_[static_cast<std::size_t>(step.row)];
    const bool last = i + 1 == path.size();
    // A service that the next one on the path queued behind, of another row on the same resource, is that one's contention.
    const bool in_the_way = !last && steps_[path[i + 1]].queued;
    Ticks TimeParts::*part = &TimeParts::buffer;
    if (step.kind == Resource::Kind::barrier || step.work == Work::launch) {
      part = &TimeParts::overhead;
    } else if (at_work(step)) {
      part = step.row == pace ? &TimeParts::compute
             : i < first      ? &TimeParts::fill
             : i >= behind    ? &TimeParts::drain
                              : &TimeParts::buffer;
    } else if (in_the_way) {
      rows_[static_cast<std::size_t>(steps_[path[i + 1]].row)].contention += times[i];
      continue;
    } else if (step.kind == Resource::Kind::link) {
      part = &TimeParts::contention;
    } else if (step.kind == Resource::Kind::memory) {
      part = step.work == Work::store ? &TimeParts::drain : &TimeParts::dram;
    }
    parts.*part += times[i];
  }
}

}  // namespace tilewright
