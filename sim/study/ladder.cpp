#include "sim/study/ladder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tilewright {
namespace {

constexpr std::string_view capacity_end = ".capacity", bandwidth_end = ".bandwidth";

/// The level that a path such as levels.Buffer.capacity or levels[1].capacity speaks of; null: none.
const BufferLevel* level_of(const Chip& chip, std::string_view path, std::string_view end) {
  path.remove_prefix(std::string_view("levels").size());
  path.remove_suffix(end.size());
  if (path.starts_with('.')) {
    const auto found = std::find_if(chip.levels.begin(), chip.levels.end(),
                                    [&](const BufferLevel& level) { return level.name == path.substr(1); });
    return found == chip.levels.end() ? nullptr : &*found;
  }
  std::size_t index = chip.levels.size();
  if (path.starts_with('[')) std::from_chars(path.data() + 1, path.data() + path.size(), index);
  return index < chip.levels.size() ? &chip.levels[index] : nullptr;
}

/// The power of `base` (2 or 4) at a value, or next to it below or above.
double rung_at(double value, int base, bool up) {
  const int step = base == 4 ? 2 : 1;
  const int below = std::ilogb(value) - (std::ilogb(value) % step + step) % step;
  const double rung = std::ldexp(1.0, below);
  return up && rung < value ? base * rung : rung;
}

}  // namespace

Ladder ladder_of(const Chip& chip, const std::vector<std::string>& sizes) {
  Ladder ladder;
  for (const bool capacities_up : {false, true}) {
    for (const bool bandwidths_up : {false, true}) {
      Rungs rungs;
      for (const std::string& path : sizes) {
        const bool capacity = path.ends_with(capacity_end);
        const BufferLevel* level = level_of(chip, path, capacity ? capacity_end : bandwidth_end);
        if (level == nullptr || (capacity && !level->capacity)) continue;
        const double value = capacity ? level->capacity->value : level->bandwidth.value;
        if (value <= 0) continue;
        const double rung = rung_at(value, capacity ? 4 : 2, capacity ? capacities_up : bandwidths_up);
        rungs.values.push_back({path, fmt::format("{} {}", rung, capacity ? "B" : "B/cycle"), {}});
        rungs.key += fmt::format("{},", rung);
        if (capacity && rung > value) ladder.other_capacities = true;
      }
      const auto same = std::find_if(ladder.anchors.begin(), ladder.anchors.end(),
                                     [&](const Rungs& other) { return other.key == rungs.key; });
      if (same == ladder.anchors.end()) ladder.anchors.push_back(std::move(rungs));
    }
  }
  return ladder;
}

}  // namespace tilewright
