#include "sim/search/descent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <list>
#include <map>
#include <tuple>
#include <unordered_map>

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/search/candidate.hpp"

namespace tilewright {
namespace {

constexpr std::size_t best_kept = 5;  // the best and four runners-up

/// How much work a search may do; an evaluation weighs as much as four candidates that do not fit.
struct Effort {
  std::size_t ways;      // unrollings of one fan-out considered
  std::size_t beam;      // of them followed over the next fan-outs
  std::size_t fills;     // of them given tiles
  std::size_t descents;  // of these improved to a local optimum
  std::int64_t tries;
};
constexpr Effort mac_effort{24, 16, 8, 4, 4 * 1600};
constexpr Effort vector_effort{4, 4, 4, 1, 4 * 400};

/// What a search compares. `weighed` is the objective with a touch of the other figures: many mappings of a compute-bound layer are
/// equally fast, and halving the energy is worth a tenth of a percent of time.
struct Rank {
  double objective = std::numeric_limits<double>::infinity();
  double weighed = std::numeric_limits<double>::infinity();
};

bool better(const Rank& a, const Rank& b) { return a.weighed < b.weighed * (1 - 1e-9); }

std::uint64_t fingerprint(const Mapping& mapping) {
  std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a over the loops
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 1099511628211ULL;
    hash ^= hash >> 29;
  };
  for (const LevelMapping& level : mapping.levels) {
    mix(0x9e3779b97f4a7c15ULL);
    for (const Loop& loop : level.loops) {
      mix(static_cast<std::uint64_t>(loop.dim) * 4 + static_cast<std::uint64_t>(loop.kind));
      mix(static_cast<std::uint64_t>(loop.bound));
    }
  }
  return hash;
}

/// Scores mappings of one problem: each distinct mapping and each distinct array pass once.
class Judge {
 public:
  Judge(const CostModel& model, Objective objective) : model_(model), evaluator_(model), objective_(objective) {}

  /// Precondition: the mapping is structurally legal. Infinite rank where it does not fit or where its compute time alone shows that
  /// it is not better than `limit`.
  Rank rank(const Mapping& mapping, const Rank& limit = {}) {
    const std::uint64_t key = fingerprint(mapping);
    if (const auto seen = ranks_.find(key); seen != ranks_.end()) return seen->second;
    const ComputeCost& array = compute(mapping);
    if (!better(least(model_.timed_share * array.cycles), limit)) {
      tries_ += 1;
      return {};
    }
    Rank result;
    if (!check(*model_.problem, mapping, *model_.chip)) {
      tries_ += 1;
    } else {
      tries_ += 4;
      ++evaluated_;
      const CostFigures figures = evaluator_.evaluate(mapping);
      result = rank_of(figures.cycles, figures.energy.total());
      remember(mapping, result);
    }
    ranks_.emplace(key, result);
    return result;
  }

  const ComputeCost& compute(const Mapping& mapping) {
    ArrayPass pass = array_pass(model_, mapping);
    pass.explained = false;
    std::vector<std::int64_t> key = pass.spatial;
    key.insert(key.end(), pass.temporal.begin(), pass.temporal.end());
    key.insert(key.end(), pass.chip.begin(), pass.chip.end());
    key.push_back(pass.passes);
    const auto [found, fresh] = passes_.try_emplace(std::move(key));
    if (fresh) found->second = model_.family->compute(*model_.chip, *model_.problem, pass);
    return found->second;
  }

  struct Kept {
    Rank rank;
    Mapping mapping;
  };
  const std::list<Kept>& best() const { return best_; }
  std::int64_t evaluated() const { return evaluated_; }
  std::int64_t tries() const { return tries_; }

 private:
  Rank rank_of(Cycles cycles, Joules energy) const {
    constexpr double touch = 0.0015;  // 2^0.0015 = 1.001
    const double objective = score(cycles, energy, *model_.chip, objective_);
    return {objective, objective * std::pow(score(cycles, energy, *model_.chip, Objective::edp), touch)};
  }

  /// No mapping that computes for so long ranks better.
  Rank least(Cycles compute) const {
    const Cycles cycles = std::max(compute, model_.cycles_bound);
    const Joules dynamic = model_.energy_bound.compute + model_.energy_bound.memory + model_.energy_bound.link;
    return rank_of(cycles, dynamic + static_power(*model_.chip) * (cycles / model_.chip->clock));
  }

  void remember(const Mapping& mapping, const Rank& rank) {
    if (best_.size() == best_kept && !better(rank, best_.back().rank)) return;
    const auto place =
        std::find_if(best_.begin(), best_.end(), [&](const Kept& kept) { return better(rank, kept.rank); });
    best_.insert(place, {rank, mapping});
    if (best_.size() > best_kept) best_.pop_back();
  }

  const CostModel& model_;
  MappingEvaluator evaluator_;
  Objective objective_;
  std::unordered_map<std::uint64_t, Rank> ranks_;
  std::map<std::vector<std::int64_t>, ComputeCost> passes_;
  std::list<Kept> best_;
  std::int64_t evaluated_ = 0, tries_ = 0;
};

std::vector<std::int64_t>& axis_factors(Candidate& candidate, LoopKind axis) {
  return axis == LoopKind::spatial_x ? candidate.spatial_x : candidate.spatial_y;
}

void set_slot(const MapSpace& space, Candidate& candidate, const SpatialSlot& slot,
              const std::vector<std::int64_t>& factors) {
  std::vector<std::int64_t>& all = axis_factors(candidate, slot.axis);
  std::copy(factors.begin(), factors.end(), all.begin() + static_cast<std::ptrdiff_t>(slot.level * space.dims));
}

/// What is left of each dim for a slot when all other slots of the candidate stay as they are.
std::vector<std::int64_t> left_for(const MapSpace& space, const Candidate& candidate, const SpatialSlot& slot) {
  const bool in_menu = candidate.menu >= 0 && static_cast<int>(slot.level) >= space.rules.menu_level;
  std::vector<std::int64_t> left(space.dims);
  for (std::size_t d = 0; d < space.dims; ++d) {
    left[d] = space.problem->dims[d].bound;
    if (candidate.menu >= 0) {
      const std::int64_t tile = space.rules.menu[static_cast<std::size_t>(candidate.menu)][d];
      left[d] = in_menu ? std::min(left[d], tile) : ceil_div(left[d], tile);
    }
    for (const SpatialSlot& other : space.slots) {
      if (&other == &slot) continue;
      const bool other_in_menu = candidate.menu >= 0 && static_cast<int>(other.level) >= space.rules.menu_level;
      if (candidate.menu >= 0 && other_in_menu != in_menu) continue;
      const std::vector<std::int64_t>& factors =
          other.axis == LoopKind::spatial_x ? candidate.spatial_x : candidate.spatial_y;
      left[d] = ceil_div(left[d], factors[other.level * space.dims + d]);
    }
  }
  return left;
}

struct Start {
  Rank rank;
  Candidate candidate;
};

/// One search of one problem.
struct Search {
  const CostModel& model;
  const MapSpace& space;
  const Effort& effort;
  Judge judge;
  Mapping scratch;                // levels and keeps as the rules say
  Candidate next;                 // the neighbour under test
  std::vector<Candidate> starts;  // unrollings of all fan-outs, without tiles, fastest first
  std::map<std::tuple<const SpatialSlot*, bool, std::vector<std::int64_t>>, std::vector<std::vector<std::int64_t>>>
      known_ways;

  Rank rank(const Candidate& candidate, const Rank& limit = {}) {
    if (!expand(space, candidate, scratch)) return {};
    return judge.rank(scratch, limit);
  }
  /// Replaces the wishes by the factors of the loop nest last expanded: a wish that was clipped would hide the effect of the next move.
  void settle(Candidate& candidate) const {
    std::fill(candidate.temporal.begin(), candidate.temporal.end(), 1);
    std::fill(candidate.spatial_x.begin(), candidate.spatial_x.end(), 1);
    std::fill(candidate.spatial_y.begin(), candidate.spatial_y.end(), 1);
    for (std::size_t l = 0; l < space.levels; ++l) {
      for (const Loop& loop : scratch.levels[l].loops) {
        const std::size_t at = l * space.dims + static_cast<std::size_t>(loop.dim);
        (loop.kind == LoopKind::temporal    ? candidate.temporal
         : loop.kind == LoopKind::spatial_x ? candidate.spatial_x
                                            : candidate.spatial_y)[at] = loop.bound;
      }
    }
  }
  bool fits(const Candidate& candidate) {
    return expand(space, candidate, scratch) && check(*model.problem, scratch, *model.chip).has_value();
  }
  /// Time of the array alone; infinite where the candidate misses its menu entry.
  double compute_cycles(const Candidate& candidate) {
    if (!expand(space, candidate, scratch)) return std::numeric_limits<double>::infinity();
    return judge.compute(scratch).cycles.value;
  }
  /// A copy of the candidate to change.
  Candidate& trial(const Start& now) { return next = now.candidate; }
  const std::vector<std::vector<std::int64_t>>& ways(const Candidate& candidate, const SpatialSlot& slot) {
    const bool exact = candidate.menu >= 0 && static_cast<int>(slot.level) >= space.rules.menu_level;
    std::vector<std::int64_t> left = left_for(space, candidate, slot);
    const auto [found, fresh] = known_ways.try_emplace({&slot, exact, std::move(left)});
    if (fresh) found->second = unrollings(slot, std::get<2>(found->first), exact, effort.ways);
    return found->second;
  }
  std::int64_t& tile(Candidate& candidate, std::size_t level, std::size_t dim) const {
    return candidate.temporal[level * space.dims + dim];
  }
  std::int64_t bound(std::size_t dim) const { return space.problem->dims[dim].bound; }
};

/// Unrollings of all fan-outs, innermost first; the partial ones that compute fastest are followed. Fastest first.
std::vector<std::pair<double, Candidate>> spatial_starts(Search& search, int menu) {
  const MapSpace& space = search.space;
  Candidate plain = plain_candidate(space);
  plain.menu = menu;
  std::vector<std::pair<double, Candidate>> states;
  states.emplace_back(search.compute_cycles(plain), std::move(plain));
  for (const SpatialSlot& slot : space.slots) {
    std::vector<std::pair<double, Candidate>> next;
    for (const auto& [cycles, state] : states) {
      for (const std::vector<std::int64_t>& way : search.ways(state, slot)) {
        Candidate extended = state;
        set_slot(space, extended, slot, way);
        next.emplace_back(search.compute_cycles(extended), std::move(extended));
      }
    }
    std::stable_sort(next.begin(), next.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    if (next.size() > search.effort.beam) next.resize(search.effort.beam, next.back());
    states = std::move(next);
  }
  return states;
}

/// Doubles tile factors in turn while the tiles fit, from level `innermost` outwards to `outermost`; the dims of `first` before the
/// others (-1: all alike).
Candidate filled(Search& search, Candidate candidate, std::size_t innermost, std::size_t outermost, int first = -1) {
  const auto grow = [&](std::size_t l, const auto& chosen) {
    std::vector<std::size_t> dims;
    for (std::size_t d = 0; d < search.space.dims; ++d) {
      if (search.bound(d) > 1 && chosen(static_cast<int>(d))) dims.push_back(d);
    }
    while (!dims.empty()) {
      std::erase_if(dims, [&](std::size_t d) {
        std::int64_t& factor = search.tile(candidate, l, d);
        const std::int64_t before = factor;
        factor = std::min(search.bound(d), factor * 2);
        if (factor > before && search.fits(candidate)) return false;
        factor = before;
        return true;
      });
    }
  };
  for (std::size_t l = innermost; l >= outermost && l > 0; --l) {
    if (first >= 0) {
      const Operand& operand = search.space.problem->operands[static_cast<std::size_t>(first)];
      const Candidate before = candidate;
      for (std::size_t d = 0; d < search.space.dims; ++d) {
        if (relevant(operand, static_cast<int>(d))) search.tile(candidate, l, d) = search.bound(d);
      }
      if (!search.fits(candidate))
        candidate = before;  // an operand that stays needs no second buffer: all of it or less than half
      grow(l, [&](int d) { return relevant(operand, d); });
    }
    grow(l, [](int) { return true; });
  }
  return candidate;
}

/// Hands tile factors from each level to the next inner one while the inner tiles fit; the tile of level 1 stays as it is.
Candidate sunk(Search& search, Candidate candidate) {
  for (std::size_t l = 1; l + 1 < search.space.levels; ++l) {
    std::vector<std::size_t> dims;
    for (std::size_t d = 0; d < search.space.dims; ++d) dims.push_back(d);
    while (!dims.empty()) {
      std::erase_if(dims, [&](std::size_t d) {
        std::int64_t &outer = search.tile(candidate, l, d), &inner = search.tile(candidate, l + 1, d);
        if (outer < 2) return true;
        const std::int64_t before_outer = outer, before_inner = inner;
        outer = ceil_div(outer, 2);
        inner *= 2;
        if (search.fits(candidate)) return false;
        outer = before_outer;
        inner = before_inner;
        return true;
      });
    }
  }
  return candidate;
}

/// Takes the candidate if it is better.
bool accept(Search& search, Start& now, const Candidate& candidate) {
  const Rank rank = search.rank(candidate, now.rank);
  if (!better(rank, now.rank)) return false;
  now = {rank, candidate};
  search.settle(now.candidate);
  return true;
}

bool improve_tiles(Search& search, Start& now) {
  bool improved = false;
  const std::size_t dims = search.space.dims;
  const auto change = [&](std::size_t l, std::size_t d, std::int64_t factor) {
    if (factor == search.tile(now.candidate, l, d)) return false;
    Candidate& next = search.trial(now);
    search.tile(next, l, d) = factor;
    return accept(search, now, next);
  };
  for (std::size_t l = search.space.levels; l-- > 1;) {
    for (std::size_t d = 0; d < dims; ++d) {
      if (search.bound(d) == 1) continue;
      const std::int64_t factor = search.tile(now.candidate, l, d);
      if (factor < search.bound(d)) {
        while (change(l, d, std::min(search.bound(d), 2 * search.tile(now.candidate, l, d)))) improved = true;
        improved |= change(l, d, std::min(search.bound(d), 3 * search.tile(now.candidate, l, d)));
        improved |= change(l, d, search.bound(d));
      }
      while (search.tile(now.candidate, l, d) > 1 && change(l, d, ceil_div(search.tile(now.candidate, l, d), 2)))
        improved = true;
      improved |= change(l, d, 1);
      if (l < 2) continue;
      for (const std::int64_t k : {2, 3}) {  // hand a factor to the next outer level, or take one from it
        Candidate& next = search.trial(now);
        if (search.tile(next, l, d) >= k) {
          search.tile(next, l, d) = ceil_div(search.tile(next, l, d), k);
          search.tile(next, l - 1, d) *= k;
          improved |= accept(search, now, next);
        }
        search.trial(now);
        if (search.tile(next, l - 1, d) >= k) {
          search.tile(next, l - 1, d) = ceil_div(search.tile(next, l - 1, d), k);
          search.tile(next, l, d) *= k;
          improved |= accept(search, now, next);
        }
      }
    }
    if (search.judge.tries() > search.effort.tries) return improved;
  }
  return improved;
}

/// Raises a tile factor as far as the tiles fit, then evens it out: no larger than its number of rounds needs.
void stretch(Search& search, Candidate& candidate, std::size_t level, std::size_t dim) {
  std::int64_t& factor = search.tile(candidate, level, dim);
  std::int64_t inside = 1;
  for (std::size_t l = level; l < search.space.levels; ++l) {
    const std::size_t at = l * search.space.dims + dim;
    inside *= candidate.spatial_x[at] * candidate.spatial_y[at] * (l > level ? candidate.temporal[at] : 1);
  }
  const std::int64_t rest = std::max(factor, ceil_div(search.bound(dim), inside));
  std::int64_t fits = factor, fails = rest + 1;
  while (fails - fits > 1) {
    factor = std::min(fails - 1, fits * 2 < fails ? fits * 2 : fits + (fails - fits) / 2);
    (search.fits(candidate) ? fits : fails) = factor;
  }
  factor = ceil_div(rest, ceil_div(rest, fits));
}

/// A full level can only trade: half of one factor, in time or in space, for as much as fits of another.
bool trade_tiles(Search& search, Start& now) {
  bool improved = false;
  std::vector<std::pair<std::size_t, std::size_t>> tiles;  // level, dim
  for (std::size_t l = search.space.levels; l-- > 1;) {
    for (std::size_t d = 0; d < search.space.dims; ++d) {
      if (search.bound(d) > 1) tiles.emplace_back(l, d);
    }
  }
  const auto trade = [&](std::vector<std::int64_t> Candidate::*factors, std::size_t level, std::size_t dim) {
    const std::size_t at = level * search.space.dims + dim;
    for (const auto& [l, d] : tiles) {
      if ((factors == &Candidate::temporal && d == dim) || (now.candidate.*factors)[at] < 2) continue;
      Candidate& next = search.trial(now);
      (next.*factors)[at] = ceil_div((next.*factors)[at], 2);
      stretch(search, next, l, d);
      improved |= accept(search, now, next);
      if (search.judge.tries() > search.effort.tries) return;
    }
  };
  for (const auto& [l, d] : tiles) trade(&Candidate::temporal, l, d);
  for (const SpatialSlot& slot : search.space.slots) {
    for (const int d : slot.dims) {
      trade(slot.axis == LoopKind::spatial_x ? &Candidate::spatial_x : &Candidate::spatial_y, slot.level,
            static_cast<std::size_t>(d));
    }
  }
  return improved;
}

bool improve_orders(Search& search, Start& now) {
  bool improved = false;
  for (int o = 0; o < static_cast<int>(search.space.problem->operands.size()); ++o) {
    Candidate& next = search.trial(now);
    std::fill(next.stationary.begin(), next.stationary.end(), o);
    improved |= accept(search, now, next);
  }
  for (std::size_t l = 0; l < search.space.levels; ++l) {
    for (int o = 0; o < static_cast<int>(search.space.problem->operands.size()); ++o) {
      Candidate& next = search.trial(now);
      next.stationary[l] = o;
      improved |= accept(search, now, next);
    }
    for (const int d : search.space.window_dims) {
      Candidate& next = search.trial(now);
      next.halo[l] = d;
      improved |= accept(search, now, next);
    }
    if (search.space.passes >= 0) {
      Candidate& next = search.trial(now);
      next.passes_level = static_cast<int>(l);
      improved |= accept(search, now, next);
    }
  }
  return improved;
}

/// Tries other spatial factors: once with the tile factors as they are, once with the tiles as they are (what is no longer unrolled
/// comes in time).
bool try_unrolling(Search& search, Start& now, const std::vector<std::int64_t>& x, const std::vector<std::int64_t>& y) {
  search.trial(now);
  search.next.spatial_x = x;
  search.next.spatial_y = y;
  if (accept(search, now, search.next)) return true;
  Candidate& next = search.trial(now);
  for (std::size_t at = 0; at < next.temporal.size(); ++at) {
    const std::int64_t before = next.spatial_x[at] * next.spatial_y[at], after = x[at] * y[at];
    if (before != after) next.temporal[at] = ceil_div(next.temporal[at] * before, after);
  }
  next.spatial_x = x;
  next.spatial_y = y;
  return accept(search, now, next);
}

bool improve_unrolling(Search& search, Start& now) {
  bool improved = false;
  Candidate other;
  for (const SpatialSlot& slot : search.space.slots) {
    std::vector<std::vector<std::int64_t>> ways = search.ways(now.candidate, slot);
    ways.emplace_back(search.space.dims, 1);  // nothing unrolled
    for (const std::vector<std::int64_t>& way : ways) {
      other = now.candidate;
      set_slot(search.space, other, slot, way);
      improved |= try_unrolling(search, now, other.spatial_x, other.spatial_y);
      if (search.judge.tries() > search.effort.tries) return improved;
    }
  }
  for (const Candidate& start : search.starts) {  // all fan-outs at once
    if (start.menu == now.candidate.menu) improved |= try_unrolling(search, now, start.spatial_x, start.spatial_y);
  }
  return improved;
}

/// Coordinate descent to a local optimum, or to the end of the effort.
void descend(Search& search, Start now) {
  bool improved = true;
  while (improved && search.judge.tries() <= search.effort.tries) {
    improved = improve_orders(search, now);
    improved |= improve_tiles(search, now);
    improved |= improve_unrolling(search, now);
    if (!improved) improved = trade_tiles(search, now);
  }
}

/// All menu entries and unrollings that fit, the least compute time first.
std::vector<Candidate> fastest_starts(Search& search) {
  std::vector<std::pair<double, Candidate>> starts;
  const int entries = static_cast<int>(search.space.rules.menu.size());
  for (int menu = entries > 0 ? 0 : -1; menu < entries; ++menu) {
    for (auto& start : spatial_starts(search, menu)) {
      if (search.fits(start.second)) starts.push_back(std::move(start));
    }
  }
  std::stable_sort(starts.begin(), starts.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Candidate> fastest;
  for (auto& [cycles, candidate] : starts) fastest.push_back(std::move(candidate));
  return fastest;
}

/// The best of the candidate without tiles, with all levels filled, and with only the outermost inner level filled; the other passes
/// levels likewise.
Start best_start(Search& search, const Candidate& candidate) {
  const std::size_t levels = search.space.levels;
  Start best{search.rank(candidate), candidate};
  const auto consider = [&](const Candidate& filled_candidate) {
    Start start{search.rank(filled_candidate), filled_candidate};
    search.settle(start.candidate);
    improve_orders(search, start);
    if (better(start.rank, best.rank)) best = std::move(start);
  };
  const int operands = static_cast<int>(search.space.problem->operands.size());
  const int passes_levels = search.space.passes >= 0 ? static_cast<int>(levels) : 1;
  for (int level = 0; level < passes_levels; ++level) {
    Candidate start = candidate;
    start.passes_level = level;
    consider(start);
    if (levels > 2) consider(filled(search, start, levels - 1, 1));
    for (int first = -1; first < operands && levels > 1; ++first) {
      const Candidate outer = filled(search, start, 1, 1, first);
      consider(levels > 2 ? sunk(search, outer) : outer);
    }
  }
  return best;
}

void run(Search& search) {
  std::vector<Start> starts;
  search.starts = fastest_starts(search);
  const std::size_t fills = std::min(search.effort.fills, search.starts.size());
  for (std::size_t i = 0; i < fills; ++i) starts.push_back(best_start(search, search.starts[i]));
  starts.push_back(best_start(search, plain_candidate(search.space)));
  std::stable_sort(starts.begin(), starts.end(), [](const Start& a, const Start& b) { return better(a.rank, b.rank); });
  for (std::size_t i = 0; i < starts.size(); ++i) {  // small problems are cheap: all their starts are followed
    if (search.judge.tries() > (i < search.effort.descents ? search.effort.tries : search.effort.tries / 8)) break;
    descend(search, starts[i]);
  }
}

}  // namespace

Descent descend_from_starts(const CostModel& model, const MapRules& rules, const Mapping& trivial,
                            Objective objective) {
  const MapSpace space = map_space(*model.problem, *model.chip, rules);
  const Effort& effort = model.problem->compute == Compute::mac ? mac_effort : vector_effort;
  Search search{model, space, effort, Judge(model, objective), trivial, {}, {}, {}};
  run(search);
  Descent descent;
  for (const Judge::Kept& kept : search.judge.best()) descent.best.push_back(kept.mapping);
  descent.evaluated = search.judge.evaluated();
  return descent;
}

}  // namespace tilewright
