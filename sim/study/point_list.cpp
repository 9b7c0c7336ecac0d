#include <algorithm>

#include "sim/study/sweep.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_grid_points = std::int64_t{1} << 32;

bool only_sizes_memory(const std::vector<StudyAxis>& group) {
  return std::all_of(group.begin(), group.end(), [](const StudyAxis& axis) { return sizes_memory(axis.key); });
}

/// Axes of the space, those that change slowest first.
std::vector<std::size_t> turns_of(const StudyRequest& request) {
  std::vector<std::size_t> turns{0, 1}, quick;
  for (std::size_t g = 0; g < request.axes.size(); ++g)
    (only_sizes_memory(request.axes[g]) ? quick : turns).push_back(g + 2);
  turns.insert(turns.end(), quick.begin(), quick.end());
  return turns;
}

}  // namespace

PointList::PointList(const StudyRequest& request) : sizes_(axis_sizes(request)), turns_(turns_of(request)) {
  grid_ = space_size(sizes_);
  all_ = request.strategy == Strategy::grid || (grid_ >= 0 && request.budget >= grid_);
  if (all_) {
    if (grid_ > most_grid_points)
      throw InputError({request.path, 0, 0, "search"},
                       "the grid has more than 2^32 points; name a strategy with a budget");
    return;
  }
  drawn_ = drawn_points(sizes_, request.strategy, request.budget, request.seed);
  std::sort(drawn_.begin(), drawn_.end(),
            [&](const Position& a, const Position& b) { return in_turn(a) < in_turn(b); });
}

PointList::PointList(const StudyRequest& request, std::vector<Position> points)
    : sizes_(axis_sizes(request)), turns_(turns_of(request)), all_(false), drawn_(std::move(points)) {
  std::sort(drawn_.begin(), drawn_.end(),
            [&](const Position& a, const Position& b) { return in_turn(a) < in_turn(b); });
}

Position PointList::in_turn(const Position& position) const {
  Position turned;
  for (const std::size_t axis : turns_) turned.push_back(position[axis]);
  return turned;
}

std::int64_t PointList::size() const { return all_ ? grid_ : static_cast<std::int64_t>(drawn_.size()); }

Position PointList::operator[](std::int64_t i) const {
  if (!all_) return drawn_[static_cast<std::size_t>(i)];
  Position position(sizes_.size());
  for (std::size_t t = turns_.size(); t-- > 0;) {
    const auto size = static_cast<std::int64_t>(sizes_[turns_[t]]);
    position[turns_[t]] = static_cast<std::size_t>(i % size);
    i /= size;
  }
  return position;
}

std::int64_t PointList::index_of(const Position& position) const {
  if (all_) {
    std::int64_t index = 0;
    for (const std::size_t axis : turns_)
      index = index * static_cast<std::int64_t>(sizes_[axis]) + static_cast<std::int64_t>(position[axis]);
    return index;
  }
  const Position turned = in_turn(position);
  const auto found = std::lower_bound(drawn_.begin(), drawn_.end(), turned,
                                      [&](const Position& a, const Position& b) { return in_turn(a) < b; });
  return found != drawn_.end() && *found == position ? found - drawn_.begin() : -1;
}

}  // namespace tilewright
