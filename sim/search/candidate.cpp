#include "sim/search/candidate.hpp"

#include <algorithm>

#include "core/checked.hpp"
#include "sim/search/space.hpp"

namespace tilewright {
namespace {

/// Order of the temporal loops of a level, outermost first: the dims that move the stationary operand outside the others, the halo dim
/// innermost of its group, passes over a row and then its columns innermost of all.
std::vector<int> loop_order(const MapSpace& space, const Operand& stationary, int halo) {
  const auto rank = [&](int d) {
    if (d == space.columns) return 4;
    if (d == space.passes) return 3;
    return 2 * !relevant(stationary, d);
  };
  std::vector<int> order;
  for (int d = 0; d < static_cast<int>(space.dims); ++d) {
    if (space.problem->dims[static_cast<std::size_t>(d)].bound > 1) order.push_back(d);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return rank(a) != rank(b) ? rank(a) < rank(b) : a != halo && b == halo; });
  return order;
}

}  // namespace

MapSpace map_space(const Problem& problem, const Chip& chip, MapRules rules) {
  MapSpace space;
  space.problem = &problem;
  space.levels = chip.levels.size();
  space.dims = problem.dims.size();
  space.rules = std::move(rules);
  for (std::size_t l = space.levels; l-- > 0;) {
    const BufferLevel& level = chip.levels[l];
    if (level.fanout_x > 1 && l < space.rules.x_dims.size() && !space.rules.x_dims[l].empty()) {
      space.slots.push_back({l, LoopKind::spatial_x, level.fanout_x, space.rules.x_dims[l]});
    }
    if (level.fanout_y > 1 && l < space.rules.y_dims.size() && !space.rules.y_dims[l].empty()) {
      space.slots.push_back({l, LoopKind::spatial_y, level.fanout_y, space.rules.y_dims[l]});
    }
  }
  for (const Operand& operand : problem.operands) {
    for (const Axis& axis : operand.axes) {
      if (axis.size() < 2) continue;
      for (const Term& term : axis) {
        const bool known =
            std::find(space.window_dims.begin(), space.window_dims.end(), term.dim) != space.window_dims.end();
        if (!known && problem.dims[static_cast<std::size_t>(term.dim)].bound > 1) space.window_dims.push_back(term.dim);
      }
    }
  }
  space.passes = passes_dim(problem);
  if (space.passes >= 0) space.columns = problem.dim("C");
  for (const Operand& stationary : problem.operands) {
    for (int halo = -1; halo < static_cast<int>(space.dims); ++halo) {
      space.orders.push_back(loop_order(space, stationary, halo));
    }
  }
  return space;
}

Candidate plain_candidate(const MapSpace& space) {
  Candidate candidate;
  candidate.temporal.assign(space.levels * space.dims, 1);
  candidate.spatial_x = candidate.temporal;
  candidate.spatial_y = candidate.temporal;
  candidate.stationary.assign(space.levels, static_cast<int>(space.problem->operands.size()) - 1);
  candidate.halo.assign(space.levels, -1);
  return candidate;
}

bool expand(const MapSpace& space, const Candidate& candidate, Mapping& mapping) {
  const Problem& problem = *space.problem;
  const std::size_t dims = space.dims;
  const std::vector<std::int64_t>* menu =
      candidate.menu >= 0 ? &space.rules.menu[static_cast<std::size_t>(candidate.menu)] : nullptr;
  const auto menu_level = static_cast<std::size_t>(std::max(space.rules.menu_level, 0));
  // Divisions are most of the time spent here: most factors are 1.
  const auto rounds = [](std::int64_t n, std::int64_t by) { return by == 1 ? n : ceil_div(n, by); };
  const auto clipped = [&](std::int64_t wish, std::int64_t most, std::int64_t inside) {
    return wish <= 1 ? 1 : std::min(wish, rounds(most, inside));
  };
  // Unrolling at the outer levels comes first: an inner tile must not take what the outer instances are to share.
  std::vector<std::int64_t> scratch((space.levels + 4) * dims, 1);
  std::int64_t *shared = scratch.data(), *inside = shared + space.levels * dims;
  std::int64_t *t = inside + dims, *x = t + dims, *y = x + dims;
  for (std::size_t l = 1; l < space.levels; ++l) {
    if (menu && l == menu_level) continue;  // a menu tile is that of one instance
    for (std::size_t d = 0; d < dims; ++d) {
      const std::size_t outer = (l - 1) * dims + d;
      shared[l * dims + d] =
          std::min(problem.dims[d].bound, shared[outer] * candidate.spatial_x[outer] * candidate.spatial_y[outer]);
    }
  }
  for (std::size_t l = space.levels; l-- > 0;) {
    for (std::size_t d = 0; d < dims; ++d) {
      const std::int64_t bound = problem.dims[d].bound;
      if (bound == 1) continue;
      const std::size_t at = l * dims + d;
      const std::int64_t most = menu && l >= menu_level ? std::min(bound, (*menu)[d]) : bound;
      x[d] = clipped(candidate.spatial_x[at], most, inside[d]);
      inside[d] *= x[d];
      y[d] = clipped(candidate.spatial_y[at], most, inside[d]);
      inside[d] *= y[d];
      const bool row = static_cast<int>(d) == space.passes || static_cast<int>(d) == space.columns;
      const auto passes_level = static_cast<std::size_t>(candidate.passes_level);
      if (l == 0 || (menu && l == menu_level) || (row && l == passes_level)) {
        t[d] = rounds(most, inside[d]);  // takes the rest
      } else if (static_cast<int>(d) == space.passes && l > passes_level) {
        t[d] = 1;
      } else {
        t[d] = candidate.temporal[at] <= 1
                   ? 1
                   : std::min(candidate.temporal[at], rounds(rounds(most, inside[d]), shared[at]));
      }
      inside[d] *= t[d];
      if (menu && l == menu_level && std::min(inside[d], bound) != (*menu)[d]) return false;
    }
    std::vector<Loop>& loops = mapping.levels[l].loops;
    loops.clear();
    const auto order = static_cast<std::size_t>(candidate.stationary[l]) * (dims + 1) +
                       static_cast<std::size_t>(candidate.halo[l] + 1);
    for (const int d : space.orders[order]) {
      const std::int64_t n = t[d];
      if (n > 1) loops.push_back({d, n, LoopKind::temporal});
    }
    for (int d = 0; d < static_cast<int>(dims); ++d) {
      if (y[d] > 1) loops.push_back({d, y[d], LoopKind::spatial_y});
      if (x[d] > 1) loops.push_back({d, x[d], LoopKind::spatial_x});
    }
  }
  return true;
}

namespace {

struct Unrolling {
  double parallel = 1;  // product of left / ceil(left / factor)
  std::vector<std::int64_t> factors;
};

/// Factors worth trying for one dim: the largest divisor that fits, the one that balances the last round, and halves of the latter.
std::vector<std::int64_t> factor_choices(std::int64_t left, std::int64_t room, bool exact) {
  std::vector<std::int64_t> choices;
  const std::int64_t most = std::min(left, room);
  std::int64_t divisor = most;
  while (left % divisor != 0) --divisor;
  const auto add = [&](std::int64_t factor) {
    if (factor < 2 || (exact && left % factor != 0)) return;
    if (std::find(choices.begin(), choices.end(), factor) == choices.end()) choices.push_back(factor);
  };
  add(divisor);
  const std::int64_t balanced = ceil_div(left, ceil_div(left, most));
  for (std::int64_t factor = balanced; factor > 1; factor = factor == 2 ? 1 : ceil_div(factor, 2)) add(factor);
  return choices;
}

void extend(const SpatialSlot& slot, const std::vector<std::int64_t>& left, bool exact, std::size_t first,
            std::int64_t room, int chosen, const Unrolling& so_far, std::vector<Unrolling>& found) {
  constexpr int most_dims = 3;  // of one axis
  found.push_back(so_far);
  if (chosen == most_dims || room < 2) return;
  for (std::size_t i = first; i < slot.dims.size(); ++i) {
    const auto d = static_cast<std::size_t>(slot.dims[i]);
    if (left[d] < 2) continue;
    for (const std::int64_t factor : factor_choices(left[d], room, exact)) {
      Unrolling next = so_far;
      next.factors[d] = factor;
      next.parallel *= static_cast<double>(left[d]) / static_cast<double>(ceil_div(left[d], factor));
      extend(slot, left, exact, i + 1, room / factor, chosen + 1, next, found);
    }
  }
}

}  // namespace

std::vector<std::vector<std::int64_t>> unrollings(const SpatialSlot& slot, const std::vector<std::int64_t>& left,
                                                  bool exact, std::size_t most) {
  std::vector<Unrolling> found;
  // Each dim may come first and take all it can; the others fill what room is left.
  for (std::size_t first = 0; first < slot.dims.size(); ++first) {
    SpatialSlot turned = slot;
    std::rotate(turned.dims.begin(), turned.dims.begin() + static_cast<std::ptrdiff_t>(first), turned.dims.end());
    extend(turned, left, exact, 0, slot.fanout, 0, {1.0, std::vector<std::int64_t>(left.size(), 1)}, found);
  }
  std::stable_sort(found.begin(), found.end(), [](const Unrolling& a, const Unrolling& b) {
    return a.parallel != b.parallel ? a.parallel > b.parallel : a.factors < b.factors;
  });
  std::vector<std::vector<std::int64_t>> ways;
  for (const Unrolling& way : found) {
    if (!ways.empty() && ways.back() == way.factors) continue;
    ways.push_back(way.factors);
    if (ways.size() == most) break;
  }
  return ways;
}

}  // namespace tilewright
