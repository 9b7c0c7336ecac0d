#include "sim/mapping/loop_digits.hpp"

#include <algorithm>

#include "core/checked.hpp"

namespace tilewright {
namespace {

constexpr std::size_t block = 8;  // dims copied at once: most problems have at most that many

}  // namespace

LoopDigits::LoopDigits(const Problem& problem)
    : problem_(&problem),
      dims_(problem.dims.size()),
      stride_((problem.dims.size() + block - 1) / block * block),
      begin_(1),
      first_(dims_) {}

void LoopDigits::read(const Mapping& mapping) {
  const std::size_t levels = mapping.levels.size();
  if (levels + 1 != begin_.size()) {
    begin_.resize(levels + 1);
    for (auto* table : {&extent_, &tiles_, &instances_, &used_}) table->assign((levels + 1) * stride_, 1);
  }
  digits_.clear();
  for (std::size_t l = 0; l < levels; ++l) {
    begin_[l] = digits_.size();
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.bound <= 1) continue;
      Digit& digit = digits_.emplace_back();
      digit.dim = static_cast<std::size_t>(loop.dim);
      digit.temporal = loop.kind == LoopKind::temporal;
      digit.bound = loop.bound;
    }
  }
  begin_[levels] = digits_.size();
  std::fill(first_.begin(), first_.end(), none);
  for (std::size_t l = levels; l-- > 0;) {
    const std::int64_t* inside = &extent_[at(l + 1, 0)];
    std::int64_t* tile = &extent_[at(l, 0)];  // not clipped yet
    for (std::size_t d = 0; d < stride_; d += block) std::copy_n(inside + d, block, tile + d);
    for (std::size_t i = begin_[l + 1]; i-- > begin_[l];) {
      Digit& digit = digits_[i];
      digit.step = tile[digit.dim];
      tile[digit.dim] *= digit.bound;
      digit.next = first_[digit.dim];
      first_[digit.dim] = i;
    }
  }
  for (std::size_t d = 0; d < dims_; ++d) cut(d);
}

/// The cuts of a dim's digits, and its columns of the tables.
void LoopDigits::cut(std::size_t dim) {
  const std::int64_t size = bound(dim);
  const bool even = extent_[dim] == size;  // the loops divide the dim
  Ranges tiles, used;
  std::int64_t instances = 1, range = size;  // range: of the last iterations so far
  std::size_t l = 0;
  const auto fill_rows = [&](std::size_t inside) {
    for (; l < begin_.size() && begin_[l] <= inside; ++l) {
      const std::size_t cell = at(l, dim);
      extent_[cell] = std::min(extent_[cell], size);
      tiles_[cell] = tiles.count();
      instances_[cell] = instances;
      used_[cell] = used.count();
    }
  };
  for (std::size_t i = first_[dim]; i != none; i = digits_[i].next) {
    fill_rows(i);
    Digit& digit = digits_[i];
    const std::int64_t whole = even ? digit.bound : range / digit.step, rest = range - whole * digit.step;
    digit.cut[0] = {1, whole > 0 ? 1 : 0, whole > 0 ? 0 : 1};
    digit.cut[1] = {digit.bound, whole, rest > 0 ? 1 : 0};
    range = rest > 0 ? rest : digit.step;
    tiles = digit.cut[1](tiles);
    used = digit.cut[static_cast<std::size_t>(!digit.temporal)](used);
    instances *= digit.temporal ? 1 : digit.bound;
  }
  fill_rows(none);
}

std::array<LoopDigits::Tiles, 2> LoopDigits::tiles_by_extent(std::size_t level, std::size_t dim) const {
  const std::int64_t tile = extent(level, dim), count = tiles(level, dim);
  const std::int64_t rest = bound(dim) - (count - 1) * tile;
  if (rest == tile) return {Tiles{tile, count}, Tiles{}};
  return {Tiles{tile, count - 1}, Tiles{rest, 1}};
}

std::int64_t LoopDigits::instances_used(std::size_t level) const {
  std::int64_t used = 1;
  for (std::size_t d = 0; d < dims_; ++d) used = checked_mul(used, instances_used(level, d));
  return used;
}

std::int64_t LoopDigits::steps_of(std::size_t digit, std::size_t level) const {
  const std::size_t dim = digits_[digit].dim;
  Ranges at_zero;
  for (std::size_t i = first_[dim]; i < begin_[level]; i = digits_[i].next) {
    at_zero = digits_[i].cut[static_cast<std::size_t>(i != digit)](at_zero);
  }
  return tiles(level, dim) - at_zero.count();
}

}  // namespace tilewright
