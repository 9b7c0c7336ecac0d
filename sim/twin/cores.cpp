#include "sim/twin/cores.hpp"

#include <algorithm>

#include "arch_models/family.hpp"
#include "core/checked.hpp"

namespace tilewright {

Cores::Cores(const Problem& problem, const Mapping& mapping, const Chip& chip, std::int64_t most) {
  const std::size_t level = core_level(chip);
  if (level == 0 || TileSchedule::results_overlap(problem)) return;
  bool open = true;
  for (std::size_t l = 0; l < level; ++l) {
    std::int64_t here = 1;
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.kind == LoopKind::temporal || loop.bound <= 1) continue;
      open = open && loop.bound <= most / static_cast<std::int64_t>(count_);
      if (!open) continue;
      loops_.push_back({l, loop.dim, loop.bound});
      count_ *= static_cast<std::size_t>(loop.bound);
      here *= loop.bound;
    }
    widths_.push_back(open ? checked_mul(chip.levels[l].fanout_x, chip.levels[l].fanout_y) : here);
  }
  if (count_ > 1) level_ = level;
}

std::vector<std::int64_t> Cores::place(std::size_t core) const {
  std::vector<std::int64_t> place(loops_.size());
  auto rest = static_cast<std::int64_t>(core);
  for (std::size_t i = loops_.size(); i-- > 0;) {
    place[i] = rest % loops_[i].bound;
    rest /= loops_[i].bound;
  }
  return place;
}

std::int64_t Cores::instance(std::size_t core, std::size_t level) const {
  const std::vector<std::int64_t> at = place(core);
  std::int64_t instance = 0;
  std::size_t i = 0;
  for (std::size_t l = 0; l < std::min(level, level_); ++l) {
    std::int64_t digit = 0;
    for (; i < loops_.size() && loops_[i].level == l; ++i) digit = digit * loops_[i].bound + at[i];
    instance = checked_add(checked_mul(instance, widths_[l]), digit);
  }
  return instance;
}

std::size_t Cores::carrier(std::size_t core, const Operand& operand, std::size_t keeper) const {
  const std::vector<std::int64_t> at = place(core);
  std::int64_t number = 0;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    const bool own = loops_[i].level < keeper && relevant(operand, loops_[i].dim);
    number = number * loops_[i].bound + (own ? at[i] : 0);
  }
  return static_cast<std::size_t>(number);
}

}  // namespace tilewright
