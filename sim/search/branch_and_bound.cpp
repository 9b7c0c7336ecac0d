#include "sim/search/branch_and_bound.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "sim/search/frame_bounds.hpp"
#include "sim/search/next_tile.hpp"
#include "sim/search/partial_mappings.hpp"
#include "sim/search/tile_lists.hpp"

namespace tilewright {
namespace {

constexpr double rounding = 1e-9;  // relative: sums in another order
constexpr std::int64_t evaluation_work = 30;
constexpr std::int64_t keys_a_unit = 512;  // looked at

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

/// The choices so far, by level.
struct Choices {
  std::array<Steps, most_levels + 1> inside{};
  std::array<std::uint64_t, most_levels + 1> exponents{};
  std::array<const OrderClass*, most_levels> order{};
  std::array<DimSet, most_levels> innermost{};  // dims put innermost of their group
};

/// The tile of a level. Rows of figures of TileList.
struct Choice {
  Steps inside{};
  std::uint64_t exponents = 0;
  double first_fixed = 0,
         first = 0;  // time until the first tiles have arrived: at this level and inside of it; everywhere at least
  /// What the levels outside add at least where the next of them holds this very tile, and where it holds a larger one.
  const double *outside_same = nullptr, *outside_larger = nullptr;
  const double* array = nullptr;  // with the array's time, where this tile decides on it
};

/// All levels from some level inwards are chosen.
struct Node {
  Figures spent;                                                    // settled transfers
  std::vector<OpenTransfer> open;                                   // in the order of their operands
  Figures least;                                                    // of what is settled and open
  Figures looped;                                                   // the same where the next outer level holds loops
  const double *outside_same = nullptr, *outside_larger = nullptr;  // as of the last choice
  double bound_same = 0, bound_larger = 0;                          // in these two cases
  const double* array = nullptr;      // with the array's time, where the last tile decides on it
  double first_fixed = 0, first = 0;  // as of the last choice
  DimSet loosened = 0;         // operands of the next inner level with loops, if its outermost loops move them all
  bool passes_inside = false;  // a loop over the passes stands inside: no loop over the columns may come outside of it
};

}  // namespace

class Solver {
 public:
  Solver(const Space& space, const Goal& goal);
  double run(const Goal& goal, Effort& effort, Incumbents& incumbents);

 private:
  std::size_t dims() const { return space_.dims.size(); }
  std::size_t levels() const { return space_.levels; }
  double limit() const { return incumbents_->score() * (1 - rounding); }
  bool pruned(double bound) const { return bound >= limit(); }
  bool spend(std::int64_t work) {
    effort_->left -= work;
    frame_left_ -= work;
    return effort_->left > 0 && frame_left_ > 0;
  }
  void find_alike();

  // One frame.
  bool floor_of(std::size_t frame, double& bound);
  bool search_frame(std::size_t frame);

  // The tree. False: the effort ran out.
  bool descend(std::size_t l, const Node& node);
  bool place(std::size_t l, const Node& node, const Choice& choice);
  bool choose_innermost(std::size_t l, const Node& node, std::size_t operand);
  bool settle(std::size_t l, const Node& node);
  bool leaf();
  Mapping mapping() const;

  const Space& space_;
  Goal goal_;
  Effort* effort_ = nullptr;
  Incumbents* incumbents_ = nullptr;
  bool listed_ = false;
  std::vector<double> least_cycles_;  // by frame, as far as known
  FrameBounds bounds_;
  TileLists lists_;
  PartialMappings met_;
  MappingEvaluator evaluator_;
  // Groups whose loops might as well stand one level further in (out) when they are the innermost (outermost) of a level.
  std::array<std::uint32_t, most_levels> inward_{}, outward_{};
  std::array<DimSet, most_levels> kept_{};
  std::array<bool, most_levels> moves_alone_{};  // the innermost loop outside a level moves the only operand it keeps

  // The frame at hand.
  Frame frame_;
  Choices choices_;
  std::array<Node, most_levels + 1> nodes_;
  std::vector<NextTile> next_tile_;  // by the level to be chosen
  const std::vector<OpenTransfer> no_open_;
  std::int64_t frame_left_ = 0, checks_ = 0;
};

Solver::Solver(const Space& space, const Goal& goal)
    : space_(space),
      goal_(goal),
      least_cycles_(space.frames.size(), 0),
      bounds_(space, goal),
      lists_(space, bounds_, moves_alone_),
      met_(space, bounds_),
      evaluator_(*space.model),
      next_tile_(space.levels, NextTile(space, bounds_)) {
  find_alike();
}

/// A loop that moves no operand of the next inner level may as well stand there, where it is the innermost of its level; one that moves
/// all operands of its level may as well stand outside, unless an operand stays over the loops there (Node::loosened).
void Solver::find_alike() {
  const auto crosses = [&](std::size_t inner, std::size_t g) {  // from level inner - 1 into `inner`, or out
    if (bounds_.empty[inner] || bounds_.empty[inner - 1]) return false;
    if (!bounds_.array_fixed() && inner == bounds_.array_level + 1) return false;
    if (space_.rules.menu_level >= 0) return false;
    if (space_.passes != 0 && (space_.groups[g] & (space_.passes | space_.columns)) != 0) return false;
    if (std::find(space_.spatial_levels.begin(), space_.spatial_levels.end(), inner - 1) == space_.spatial_levels.end())
      return true;
    bool set_apart = false;  // tiles that overlap, or leave gaps, would be set apart by what is unrolled
    for (const Transfer& transfer : bounds_.transfers) {
      const TiledOperand& operand = space_.operands[transfer.operand];
      set_apart = set_apart || (transfer.child > inner && transfer.child < levels() && !operand.simple &&
                                (operand.moved_by & space_.groups[g]) != 0);
    }
    return space_.only_perfect && !set_apart;
  };
  for (std::size_t l = 1; l < levels(); ++l) {
    DimSet plain = 0;
    for (std::size_t o = 0; o < space_.operands.size(); ++o) {
      if (!space_.rules.keeps[l][o]) continue;
      kept_[l] |= DimSet{1} << o;
      if (space_.operands[o].simple) plain |= DimSet{1} << o;
    }
    moves_alone_[l] = std::popcount(kept_[l]) == 1;
    for (std::size_t g = 0; kept_[l] != 0 && g < space_.groups.size(); ++g) {
      const bool free = crosses(l, g);
      if (!free && (kept_[l] & space_.still[g]) != 0) moves_alone_[l] = false;
      if (free && (kept_[l] & ~space_.still[g]) == 0) inward_[l - 1] |= std::uint32_t{1} << g;
      if (free && plain == kept_[l] && (kept_[l] & space_.still[g]) == 0) outward_[l] |= std::uint32_t{1} << g;
    }
  }
}

/// Bounds a frame from its unrolling. False where it holds no mapping.
bool Solver::floor_of(std::size_t frame, double& bound) {
  if (!bounds_.enter(space_.frames[frame])) return false;
  const Floor floor = lists_.frame_floor();
  if (std::isinf(floor.energy)) return false;
  least_cycles_[frame] = std::max(least_cycles_[frame], floor.cycles);
  bound = bounds_.score_of(floor);
  return true;
}

/// False when the frame's effort ran out.
bool Solver::search_frame(std::size_t frame) {
  if (effort_->left <= 0) return false;
  frame_ = space_.frames[frame];
  bounds_.enter(frame_);
  if (!lists_.list(frame_, limit(), *effort_)) {
    least_cycles_[frame] = std::max(least_cycles_[frame], lists_.least_cycles());
    return true;
  }
  met_.enter(lists_.lattice());
  choices_.inside.fill({});
  Node& root = nodes_[levels()];
  root.bound_same = root.bound_larger = 0;
  root.spent = root.least = root.looped = bounds_.base();
  root.outside_same = root.outside_larger = lists_.outside().of.data();
  root.open.clear();
  root.passes_inside = false;
  root.loosened = 0;
  root.first_fixed = bounds_.first_tiles(levels(), levels(), {});
  root.first = bounds_.first_tiles(0, levels(), {});
  return descend(levels() - 1, root);
}

bool Solver::descend(std::size_t l, const Node& node) {
  constexpr std::array<double, Figures{}.of.size()> nothing{};
  if (l == 0)
    return place(l, node,
                 {bounds_.whole(), 0, node.first_fixed, node.first_fixed, nothing.data(), nothing.data(), nullptr});
  const Steps inner = choices_.inside[l + 1];
  const std::uint64_t inner_exponents = choices_.exponents[l + 1];
  if (bounds_.empty[l])
    return place(
        l, node,
        {inner, inner_exponents, node.first_fixed, node.first, node.outside_same, node.outside_larger, nullptr});
  const bool closer = space_.one_still && !node.open.empty();
  NextTile& next_tile = next_tile_[l];
  if (closer) next_tile.enter(node.open, node.spent, moves_alone_[l + 1] ? l + 1 : 0);
  const TileList& list = lists_.at(l);
  const auto choose = [&](std::uint32_t at) {
    const Tile& tile = list.tiles[at];
    const TileFloor& floor = list.floors[at];
    const bool loops = tile.inside != inner;
    const double* through = lists_.row(list.through, at);
    const double first = node.first_fixed + floor.first_open;
    Figures figures = loops ? node.looped : node.least;
    bounds_.add(figures, through);
    if (pruned(bounds_.score_of(figures, first))) return true;
    if (loops && closer) {
      constexpr int checks_a_node = 4;  // they cost less
      if (++checks_ % checks_a_node == 0 && !spend(1)) return false;
      const Figures least = figures = next_tile.least(tile.inside, inner);
      bounds_.add(figures, through);
      if (pruned(bounds_.score_of(figures, first))) return true;
      // Even the best order is no better than a nest that was met.
      if (incumbents_->full() && met_.superfluous(l, tile.cell, {&least, &no_open_, first, 0, false})) return true;
    }
    const double* own = lists_.sees_array(l) ? lists_.row(list.own, at) : nullptr;
    return place(l, node,
                 {tile.inside, tile.exponents, node.first_fixed + floor.first_own, first,
                  lists_.row(list.outside_same, at), lists_.row(list.outside_larger, at), own});
  };
  if (pruned(node.bound_larger) && lists_.lattice().whole()) {
    const std::uint32_t same = lists_.tile_at(l, lists_.lattice().cell(inner));
    return same == TileLists::no_tile || choose(same);
  }
  std::int64_t looked_at = 0;
  double most = limit();
  for (const TileList::Key& key : list.keys) {
    if (key.bound >= most) break;
    if (++looked_at % keys_a_unit == 0 && !spend(1)) return false;
    if (!bounds_.divides(inner_exponents, key.exponents, inner, list.tiles[key.tile].inside)) continue;
    if (!choose(key.tile)) return false;
    most = limit();
  }
  return true;
}

/// Chooses the tile of level `l`, and the order of the loops between it and the next inner level.
bool Solver::place(std::size_t l, const Node& node, const Choice& choice) {
  choices_.inside[l] = choice.inside;
  choices_.exponents[l] = choice.exponents;
  DimSet looped = 0;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (choice.inside[d] != choices_.inside[l + 1][d]) looped |= DimSet{1} << d;
  }
  if (node.passes_inside && (looped & space_.columns) != 0) return true;
  std::uint32_t present = 0;
  for (std::size_t g = 0; g < space_.groups.size(); ++g) {
    if ((space_.groups[g] & looped) != 0) present |= std::uint32_t{1} << g;
  }
  choices_.innermost[l] = 0;
  Node& next = nodes_[l];
  next.first_fixed = choice.first_fixed;
  next.first = choice.first;
  next.outside_same = choice.outside_same;
  next.outside_larger = choice.outside_larger;
  next.array = choice.array;
  next.passes_inside = node.passes_inside || (looped & space_.passes) != 0;
  next.loosened = present == 0 ? node.loosened : 0;
  const bool any_order = node.open.empty();
  if (any_order && present != 0) {
    if ((present & ~inward_[l]) == 0) return true;
    if ((present & ~outward_[l]) == 0) next.loosened = kept_[l];
  }
  for (const OrderClass& order : space_.orders[present]) {
    if (present != 0 && !any_order) {
      const auto inner = static_cast<std::size_t>(order.groups.back());
      if (has(inward_[l], inner)) continue;
      if (node.loosened != 0 && (space_.still[inner] & node.loosened) == 0) continue;
      next.loosened = has(outward_[l], static_cast<std::size_t>(order.groups.front())) ? kept_[l] : 0;
    }
    choices_.order[l] = &order;
    if (!choose_innermost(l, node, 0)) return false;
    if (any_order) break;  // no transfer sees these loops
  }
  return true;
}

/// Of the group that ends a windowed operand's run, one window dim stands innermost; operands from `operand` on.
bool Solver::choose_innermost(std::size_t l, const Node& node, std::size_t operand) {
  for (; operand < space_.operands.size(); ++operand) {
    const TiledOperand& tiled = space_.operands[operand];
    const int group = choices_.order[l]->effects[operand].closed_by;
    if (tiled.window == 0 || group < 0 || tiled.diagonal) continue;
    if (std::none_of(node.open.begin(), node.open.end(),
                     [&](const OpenTransfer& open) { return bounds_.transfers[open.transfer].operand == operand; }))
      continue;
    const DimSet dims_of_group = space_.groups[static_cast<std::size_t>(group)];
    if ((choices_.innermost[l] & dims_of_group) != 0) continue;  // chosen for another operand
    bool any = false;
    for (std::size_t d = 0; d < dims(); ++d) {
      if (!has(dims_of_group & tiled.window, d) || choices_.inside[l][d] == choices_.inside[l + 1][d]) continue;
      any = true;
      choices_.innermost[l] |= DimSet{1} << d;
      if (!choose_innermost(l, node, operand + 1)) return false;
      choices_.innermost[l] &= ~(DimSet{1} << d);
    }
    if (any) return true;
  }
  return settle(l, node);
}

/// Prices the transfers whose run of irrelevant loops ends here, bounds the rest and goes on outwards.
bool Solver::settle(std::size_t l, const Node& node) {
  Node& next = nodes_[l];
  next.spent = node.spent;
  if (next.array != nullptr) {
    next.spent.cycles() += next.array[Figures::cycles_at];
    next.spent.fill_drain() += next.array[Figures::fill_drain_at];
  }
  next.open.clear();
  const Steps &inside = choices_.inside[l], &inner = choices_.inside[l + 1];
  const OrderClass& order = *choices_.order[l];
  std::size_t added = 0;  // transfers into level l, merged in the order of operands
  const auto add_own = [&](std::size_t before) {
    for (; l > 0 && added < bounds_.transfers.size() && bounds_.transfers[added].operand < before; ++added) {
      const Transfer& transfer = bounds_.transfers[added];
      if (transfer.child != l) continue;
      next.open.push_back({added, inside, inside, bounds_.least_volume(space_.operands[transfer.operand], l, inside)});
    }
  };
  for (const OpenTransfer& open : node.open) {
    const Transfer& transfer = bounds_.transfers[open.transfer];
    const OrderClass::Effect& effect = order.effects[transfer.operand];
    OpenTransfer held = open;
    for (std::size_t g = 0; effect.stripped != 0 && g < space_.groups.size(); ++g) {
      if (!has(effect.stripped, g)) continue;
      for (std::size_t d = 0; d < dims(); ++d) {
        if (has(space_.groups[g], d)) held.held[d] = inside[d];
      }
    }
    if (effect.closed_by < 0 && l > 0) {
      add_own(transfer.operand);
      next.open.push_back(held);
      continue;
    }
    const TiledOperand& operand = space_.operands[transfer.operand];
    double words = operand.words;
    if (operand.diagonal) {
      words = 1;
    } else if (!operand.simple) {
      const DimSet moving =
          effect.closed_by < 0 ? 0 : choices_.innermost[l] & space_.groups[static_cast<std::size_t>(effect.closed_by)];
      const int m = moving == 0 ? -1 : std::countr_zero(moving);
      const auto d = static_cast<std::size_t>(std::max(m, 0));
      const std::int64_t here = bounds_.steps(d, inside[d]), within = bounds_.steps(d, inner[d]);
      words = bounds_.volume(operand, transfer.child, open.tile, m, static_cast<double>(here / within),
                             static_cast<double>(within * bounds_.unrolled(l, d)));
    }
    bounds_.price(open.transfer, words, held.held, next.spent);
  }
  add_own(space_.operands.size());
  const PartialMapping nest{&next.spent, &next.open, next.first, next.loosened, next.passes_inside};
  const bool compared = l > 0 && !bounds_.empty[l] && incumbents_->full();
  const std::size_t cell = compared ? lists_.lattice().cell(inside) : 0;
  if (compared && met_.superfluous(l, cell, nest)) return spend(1);
  next.least = next.looped = next.spent;
  const FrameBounds::Relaxed relaxed = bounds_.relaxed(next.open, moves_alone_[l] ? l : 0);
  bounds_.add(next.least, relaxed.any);
  bounds_.add(next.looped, relaxed.moved);
  const auto with = [&](const Figures& figures, const double* outside) {
    if (std::isinf(outside[0])) return std::numeric_limits<double>::infinity();
    Figures all = figures;
    bounds_.add(all, outside);
    return bounds_.score_of(all, next.first);
  };
  next.bound_same = with(next.least, next.outside_same);
  next.bound_larger = with(next.looped, next.outside_larger);
  const double least = std::min(next.bound_same, next.bound_larger);
  // Few runners-up: any nest is welcome.
  if (pruned(least) && (l > 0 || incumbents_->full() || std::isinf(least))) return spend(1);
  if (!spend(1)) return false;
  if (l == 0) return leaf();
  if (compared) met_.keep(l, cell, nest);
  return descend(l - 1, next);
}

Mapping Solver::mapping() const {
  Mapping made;
  made.levels.resize(levels());
  for (std::size_t l = 0; l < levels(); ++l) {
    std::vector<Loop>& loops = made.levels[l].loops;
    made.levels[l].keeps = space_.rules.keeps[l];
    if (l == 0) {
      for (std::size_t d = 0; d < space_.problem().dims.size(); ++d) {
        const std::int64_t bound = space_.problem().dims[d].bound;
        if (bound > 1 && std::find(space_.dims.begin(), space_.dims.end(), static_cast<int>(d)) == space_.dims.end())
          loops.push_back({static_cast<int>(d), bound, LoopKind::temporal});
      }
    }
    const auto push = [&](std::size_t d) {
      const std::int64_t bound = bounds_.steps(d, choices_.inside[l][d]) / bounds_.steps(d, choices_.inside[l + 1][d]);
      if (bound > 1) loops.push_back({space_.dims[d], bound, LoopKind::temporal});
    };
    for (const int g : choices_.order[l]->groups) {
      const DimSet group = space_.groups[static_cast<std::size_t>(g)];
      for (std::size_t d = 0; d < dims(); ++d) {
        if (has(group & ~choices_.innermost[l], d)) push(d);
      }
      for (std::size_t d = 0; d < dims(); ++d) {
        if (has(group & choices_.innermost[l], d)) push(d);
      }
    }
  }
  for (std::size_t place = 0; place < space_.spatial_levels.size(); ++place) {
    const std::size_t l = space_.spatial_levels[place];
    Extents x{}, y{};
    split_axes(space_, l, space_.factors.data() + frame_.spatial + place * dims(), x, y);
    for (std::size_t d = 0; d < dims(); ++d) {
      if (y[d] > 1) made.levels[l].loops.push_back({space_.dims[d], y[d], LoopKind::spatial_y});
      if (x[d] > 1) made.levels[l].loops.push_back({space_.dims[d], x[d], LoopKind::spatial_x});
    }
  }
  return made;
}

bool Solver::leaf() {
  Mapping made = mapping();
  const CostModel& model = *space_.model;
  if (check(*model.problem, made, *model.chip)) {
    ++effort_->evaluated;
    const CostFigures figures = evaluator_.evaluate(made);
    if (figures.cycles <= goal_.most_cycles) {
      const Joules energy = figures.energy.total();
      incumbents_->add(
          {score(figures.cycles, energy, *model.chip, goal_.objective), figures.cycles, energy, std::move(made)});
    }
  }
  return spend(evaluation_work);
}

double Solver::run(const Goal& goal, Effort& effort, Incumbents& incumbents) {
  goal_ = goal;
  bounds_.aim(goal);
  effort_ = &effort;
  incumbents_ = &incumbents;
  std::vector<std::size_t> frames;
  for (std::size_t f = 0; f < space_.frames.size(); ++f) {
    if (least_cycles_[f] <= goal.most_cycles.value * (1 + rounding)) frames.push_back(f);
  }
  double bound = 0;
  if (!listed_ && incumbents.full()) {  // where other keeps were searched, the least traffic alone often tells
    std::erase_if(frames, [&](std::size_t f) { return !floor_of(f, bound) || pruned(bound); });
    spend(static_cast<std::int64_t>(space_.frames.size()));
    if (frames.empty()) return incumbents.score();
  }
  if (!std::exchange(listed_, true)) lists_.list_outer_levels(effort);
  std::vector<std::pair<double, std::size_t>> order;
  for (const std::size_t f : frames) {
    if (floor_of(f, bound)) order.emplace_back(bound, f);
  }
  spend(static_cast<std::int64_t>(order.size()));
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  // First a short look into each frame that may hold the best, so that a hard one does not keep the others from being seen.
  const std::int64_t look = std::max<std::int64_t>(effort_->left / 50, 2000);
  std::vector<std::pair<double, std::size_t>> open;
  for (const auto& [frame_bound, f] : order) {
    if (pruned(frame_bound)) break;
    frame_left_ = look;
    if (!search_frame(f)) open.emplace_back(frame_bound, f);
  }
  bound = incumbents_->score();
  for (const auto& [frame_bound, f] : open) {
    if (pruned(frame_bound)) continue;
    frame_left_ = effort_->left;
    if (!search_frame(f)) bound = std::min(bound, frame_bound);
  }
  return std::min(bound, incumbents_->score());
}

BranchAndBound::BranchAndBound(const Space& space, const Goal& goal) : solver_(std::make_unique<Solver>(space, goal)) {}
BranchAndBound::~BranchAndBound() = default;

double BranchAndBound::improve(const Goal& goal, Effort& effort, Incumbents& incumbents) {
  return solver_->run(goal, effort, incumbents);
}

}  // namespace tilewright
