#include "sim/twin/words.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace tilewright {
namespace {

void add(OperandAccesses& to, const OperandAccesses& from, const Transaction& t) {
  to.kept = to.kept || from.kept;
  to.utilized_instances = std::max(to.utilized_instances, from.utilized_instances);
  const auto some = [&](Fields field, std::int64_t& sum, std::int64_t words) {
    if (t.fields & field) sum = checked_add(sum, share_of(words, t.part, t.parts));
  };
  some(reads, to.reads, from.reads);
  some(fills, to.fills, from.fills);
  some(updates, to.updates, from.updates);
  some(drains, to.drains, from.drains);
  some(delivered, to.delivered, from.delivered);
}

}  // namespace

void MovedWords::count(const Transaction& t) {
  if (t.work == Work::hop) hops_[static_cast<std::size_t>(t.kernel)] += t.bytes;
  if (t.moved == nullptr) return;
  AccessCounts& counts = counts_[static_cast<std::size_t>(t.kernel)];
  const AccessCounts& moved = *t.moved;
  if (counts.levels.empty()) {
    counts.levels.assign(moved.levels.size(), std::vector<OperandAccesses>(moved.levels.front().size()));
  }
  std::size_t first = 1, last = moved.levels.size();
  if (t.level == inner_levels) {
    counts.points = checked_add(counts.points, share_of(moved.points, t.part, t.parts));
    if (t.fields == no_fields) return;
  } else {
    first = static_cast<std::size_t>(t.level);
    last = first + 1;
  }
  for (std::size_t level = first; level < last; ++level) {
    for (std::size_t o = 0; o < moved.levels[level].size(); ++o) {
      if (t.operand < 0 || o == static_cast<std::size_t>(t.operand))
        add(counts.levels[level][o], moved.levels[level][o], t);
    }
  }
}

}  // namespace tilewright
