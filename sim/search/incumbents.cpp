#include "sim/search/incumbents.hpp"

#include <algorithm>
#include <utility>

namespace tilewright {

void Incumbents::add(Found found) {
  if (best_.size() == most_ && found.score >= best_.back().score) return;
  for (const Found& other : best_) {
    if (other.mapping == found.mapping) return;
  }
  const auto place = std::upper_bound(best_.begin(), best_.end(), found.score,
                                      [](double score, const Found& other) { return score < other.score; });
  best_.insert(place, std::move(found));
  if (best_.size() > most_) best_.pop_back();
}

void Incumbents::restart(const Goal& goal, const Chip& chip) {
  std::vector<Found> before = std::exchange(best_, {});
  for (Found& found : before) {
    if (found.cycles > goal.most_cycles) continue;
    found.score = tilewright::score(found.cycles, found.energy, chip, goal.objective);
    add(std::move(found));
  }
}

}  // namespace tilewright
