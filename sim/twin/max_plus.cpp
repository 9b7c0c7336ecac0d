#include "sim/twin/max_plus.hpp"

#include <algorithm>

namespace tilewright {

PlayResult play_max_plus(Program& program, Observer* observer, const PlayLimits& limits) {
  std::vector<Ticks> slots(program.slots(), 0), free(program.resources().size(), 0);
  std::vector<Transaction> batch;
  Watch watch(limits);
  PlayResult result;
  while (program.next(batch)) {
    for (const Transaction& t : batch) {
      Ticks start = 0;
      for (const std::int32_t slot : t.after) {
        if (slot != no_slot) start = std::max(start, slots[static_cast<std::size_t>(slot)]);
      }
      Ticks end = start;
      if (t.work != Work::rename) {
        Ticks& busy = free[static_cast<std::size_t>(t.resource)];
        start = std::max(start, busy);
        busy = start + t.ticks;
        end = busy + program.resources()[static_cast<std::size_t>(t.resource)].latency;
        result.end = std::max(result.end, end);
        watch.count(busy);
      }
      if (t.publish != no_slot) slots[static_cast<std::size_t>(t.publish)] = end;
      if (observer != nullptr) observer->served(t, start, start + t.ticks);
    }
    batch.clear();
  }
  result.transactions = watch.transactions();
  return result;
}

}  // namespace tilewright
