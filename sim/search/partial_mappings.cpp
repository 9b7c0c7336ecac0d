#include "sim/search/partial_mappings.hpp"

#include <algorithm>

namespace tilewright {
namespace {

constexpr std::size_t most_kept = 20'000;  // in a frame; later ones are compared and not kept
constexpr double rounding = 1e-12;         // relative: sums in another order

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

}  // namespace

PartialMappings::PartialMappings(const Space& space, const FrameBounds& bounds) : space_(space), bounds_(bounds) {
  comparable_.assign(space.levels, space.only_perfect);
  for (const Transfer& transfer : bounds.transfers) {
    if (transfer.child == space.levels || (space.operands[transfer.operand].simple && bounds.exact(transfer))) continue;
    for (std::size_t l = 0; l < transfer.child; ++l) comparable_[l] = false;
  }
}

void PartialMappings::enter(const Lattice& lattice) {
  cells_ = lattice.cells();
  first_.assign(lattice.whole() ? space_.levels * cells_ : 0, 0);
  kept_.clear();
  rows_.clear();
  opens_.clear();
  least_.clear();
  for (std::size_t t = 0; t < bounds_.transfers.size(); ++t) {
    least_.emplace_back();
    if (bounds_.transfers[t].child < space_.levels) bounds_.price_least(t, least_.back());
  }
}

bool PartialMappings::covers(const Kept& kept, const PartialMapping& nest, std::size_t level) const {
  if (kept.first > nest.first * (1 + rounding)) return false;
  if (kept.loosened != 0 && (nest.loosened == 0 || (nest.loosened & ~kept.loosened) != 0)) return false;
  if (kept.passes_inside && !nest.passes_inside) return false;
  Figures dearest, least = *nest.spent;
  std::copy_n(rows_.data() + kept.row, bounds_.width, dearest.of.data());
  const Open* a = opens_.data() + kept.open;
  const Open* const end = a + kept.opens;
  auto b = nest.open->begin();
  while (a != end || b != nest.open->end()) {
    if (b != nest.open->end() && bounds_.transfers[b->transfer].child <= level) {
      ++b;  // the tile at hand: the same for both
      continue;
    }
    if (a != end && b != nest.open->end() && a->transfer == b->transfer) {
      const DimSet moved_by = space_.operands[bounds_.transfers[a->transfer].operand].moved_by;
      for (std::size_t d = 0; d < space_.dims.size(); ++d) {
        if (!has(moved_by, d) && a->held[d] < b->held[d]) return false;
      }
      ++a;
      ++b;
    } else if (a != end && (b == nest.open->end() || a->transfer < b->transfer)) {
      bounds_.price(a->transfer, space_.operands[bounds_.transfers[a->transfer].operand].words, a->held, dearest);
      ++a;
    } else {
      bounds_.add(least, least_[b->transfer]);
      ++b;
    }
  }
  for (std::size_t i = 0; i < bounds_.width; ++i) {
    if (dearest.of[i] > least.of[i] * (1 + rounding)) return false;
  }
  return true;
}

bool PartialMappings::superfluous(std::size_t level, std::size_t cell, const PartialMapping& nest) const {
  if (!comparable_[level] || first_.empty()) return false;
  for (std::uint32_t at = first_[level * cells_ + cell]; at != 0; at = kept_[at - 1].next) {
    if (covers(kept_[at - 1], nest, level)) return true;
  }
  return false;
}

void PartialMappings::keep(std::size_t level, std::size_t cell, const PartialMapping& nest) {
  if (!comparable_[level] || first_.empty() || kept_.size() == most_kept) return;
  std::uint32_t& first = first_[level * cells_ + cell];
  Kept kept{first,
            static_cast<std::uint32_t>(rows_.size()),
            static_cast<std::uint32_t>(opens_.size()),
            0,
            nest.first,
            nest.loosened,
            nest.passes_inside};
  rows_.insert(rows_.end(), nest.spent->of.begin(),
               nest.spent->of.begin() + static_cast<std::ptrdiff_t>(bounds_.width));
  for (const OpenTransfer& open : *nest.open) {
    if (bounds_.transfers[open.transfer].child > level)
      opens_.push_back({static_cast<std::uint32_t>(open.transfer), open.held});
  }
  kept.opens = static_cast<std::uint32_t>(opens_.size()) - kept.open;
  kept_.push_back(kept);
  first = static_cast<std::uint32_t>(kept_.size());
}

}  // namespace tilewright
