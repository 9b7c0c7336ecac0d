#include "sim/mapping/loop_digits.hpp"

#include <algorithm>

namespace tilewright {

LoopDigits::LoopDigits(const Problem& problem) : dims_(problem.dims.size()), first_(dims_), even_(dims_) {
  for (const Dim& dim : problem.dims) bounds_.push_back(dim.bound);
}

void LoopDigits::read_inside(const Mapping& mapping) {
  const std::size_t levels = mapping.levels.size();
  if (levels != levels_) {
    levels_ = levels;
    begin_.resize(levels + 1);
    for (auto* table : {&extent_, &used_}) table->assign((levels + 1) * dims_, 1);
    outside_.assign((levels + 1) * dims_, {});
  }
  std::size_t loops = 0;
  for (const LevelMapping& level : mapping.levels) loops += level.loops.size();
  if (loops > digits_.size()) digits_.resize(loops);

  std::fill(first_.begin(), first_.end(), none);
  std::size_t i = digits_.size();
  std::int64_t* tile = extent_.data() + levels * dims_;
  for (std::size_t l = levels; l-- > 0;) {
    begin_[l + 1] = i;
    tile -= dims_;
    std::copy_n(tile + dims_, dims_, tile);
    const std::vector<Loop>& at_level = mapping.levels[l].loops;
    for (std::size_t j = at_level.size(); j-- > 0;) {
      if (at_level[j].bound <= 1) continue;
      Digit& digit = digits_[--i];
      const auto dim = static_cast<std::size_t>(at_level[j].dim);
      digit.dim = dim;
      digit.temporal = at_level[j].kind == LoopKind::temporal;
      digit.bound = at_level[j].bound;
      digit.step = tile[dim];
      tile[dim] *= digit.bound;
      digit.next = first_[dim];
      first_[dim] = i;
    }
  }
  begin_[0] = i;
  uneven_.clear();
  for (std::size_t d = 0; d < dims_; ++d) {
    even_[d] = tile[d] == bounds_[d];
    if (even_[d] == 0) uneven_.push_back(d);
  }
}

/// The cuts of an uneven dim's digits, and its columns of the tables.
void LoopDigits::cut(std::size_t dim) {
  const std::int64_t size = bounds_[dim];
  Ranges tiles, used;
  std::int64_t range = size;  // of the last iterations so far
  std::size_t l = 0;
  const auto fill_rows = [&](std::size_t inside) {
    for (; l <= levels_ && begin_[l] <= inside; ++l) {
      const std::size_t cell = l * dims_ + dim;
      extent_[cell] = std::min(extent_[cell], size);
      outside_[cell].tiles = tiles.count();
      used_[cell] = used.count();
    }
  };
  for (std::size_t i = first_[dim]; i != none; i = digits_[i].next) {
    fill_rows(i);
    Digit& digit = digits_[i];
    const std::int64_t whole = range / digit.step, rest = range - whole * digit.step;
    digit.cut[0] = {1, whole > 0 ? 1 : 0, whole > 0 ? 0 : 1};
    digit.cut[1] = {digit.bound, whole, rest > 0 ? 1 : 0};
    range = rest > 0 ? rest : digit.step;
    tiles = digit.cut[1](tiles);
    used = digit.cut[static_cast<std::size_t>(!digit.temporal)](used);
  }
  fill_rows(none);
}

std::int64_t LoopDigits::steps_of(std::size_t digit, std::size_t level) const {
  const std::size_t dim = digits_[digit].dim;
  const std::int64_t all = tiles(level, dim);
  if (even_[dim] != 0) return all - all / digits_[digit].bound;
  Ranges at_zero;
  for (std::size_t i = first_[dim]; i < begin_[level]; i = digits_[i].next) {
    at_zero = digits_[i].cut[static_cast<std::size_t>(i != digit)](at_zero);
  }
  return all - at_zero.count();
}

}  // namespace tilewright
