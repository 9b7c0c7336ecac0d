#include "sim/mapping/loop_digits.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace tilewright {

LoopDigits::LoopDigits(const Problem& problem)
    : dims_(problem.dims.size()), inside_(dims_), first_(dims_), even_(dims_) {
  for (const Dim& dim : problem.dims) bounds_.push_back(dim.bound);
}

void LoopDigits::read(const Mapping& mapping) {
  const std::size_t levels = mapping.levels.size();
  if (levels != levels_) {
    levels_ = levels;
    begin_.resize(levels + 1);
    for (auto* table : {&in_time_, &in_space_, &extent_, &tiles_, &instances_, &used_}) {
      table->assign((levels + 1) * dims_, 1);
    }
  }
  std::size_t loops = 0;
  for (const LevelMapping& level : mapping.levels) loops += level.loops.size();
  if (loops > digits_.size()) digits_.resize(loops);

  std::fill(first_.begin(), first_.end(), none);
  for (auto* products : {&inside_, &in_time_, &in_space_}) std::fill(products->begin(), products->end(), 1);
  std::size_t i = digits_.size();
  for (std::size_t l = levels; l-- > 0;) {
    begin_[l + 1] = i;
    const std::vector<Loop>& at_level = mapping.levels[l].loops;
    for (std::size_t j = at_level.size(); j-- > 0;) {
      if (at_level[j].bound <= 1) continue;
      Digit& digit = digits_[--i];
      const auto dim = static_cast<std::size_t>(at_level[j].dim);
      digit.dim = dim;
      digit.temporal = at_level[j].kind == LoopKind::temporal;
      digit.bound = at_level[j].bound;
      digit.step = inside_[dim];
      inside_[dim] *= digit.bound;
      (digit.temporal ? in_time_ : in_space_)[at(l, dim)] *= digit.bound;
      digit.next = first_[dim];
      first_[dim] = i;
    }
  }
  begin_[0] = i;
  uneven_.clear();
  for (std::size_t d = 0; d < dims_; ++d) {
    even_[d] = inside_[d] == bounds_[d];
    if (even_[d] == 0) uneven_.push_back(d);
  }
  tabulate();
  for (const std::size_t d : uneven_) cut(d);
}

void LoopDigits::tabulate() {
  const std::size_t dims = dims_, cells = extent_.size();
  for (std::size_t cell = cells - dims; cell-- > 0;) {
    extent_[cell] = extent_[cell + dims] * in_time_[cell] * in_space_[cell];
  }
  for (std::size_t cell = 0; cell + dims < cells; ++cell) {
    tiles_[cell + dims] = tiles_[cell] * in_time_[cell] * in_space_[cell];
    instances_[cell + dims] = instances_[cell] * in_space_[cell];
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
      extent_[at(l, dim)] = std::min(extent_[at(l, dim)], size);
      tiles_[at(l, dim)] = tiles.count();
      used_[at(l, dim)] = used.count();
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

std::array<LoopDigits::Tiles, 2> LoopDigits::tiles_by_extent(std::size_t level, std::size_t dim) const {
  const std::int64_t tile = extent(level, dim), count = tiles(level, dim);
  const std::int64_t rest = bound(dim) - (count - 1) * tile;
  if (rest == tile) return {Tiles{tile, count}, Tiles{}};
  return {Tiles{tile, count - 1}, Tiles{rest, 1}};
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
