#include "sim/search/branch_and_bound.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "sim/search/frame_bounds.hpp"

namespace tilewright {
namespace {

constexpr double rounding = 1e-9;  // relative: sums in another order
constexpr std::int64_t evaluation_work = 30;
constexpr std::size_t tiles_a_node = 8;  // listed or bounded for the work of one node of the tree

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

struct Tile {
  Steps inside{};  // temporal extents at the level and inside it
  std::uint64_t exponents = 0;
  Figures figures;    // least of the level's own transfers
  ArrayCost compute;  // of the tile below the array, else of the frame
  Figures excess;     // above the level's floor
  double first = 0;   // time until the first tiles have arrived
  double bound = 0;   // of every mapping with this tile
};

/// The choices so far, by level.
struct Choices {
  std::array<Steps, most_levels + 1> inside{};
  std::array<std::uint64_t, most_levels + 1> exponents{};
  std::array<const OrderClass*, most_levels> order{};
  std::array<DimSet, most_levels> innermost{};  // dims put innermost of their group
};

/// All levels from some level inwards are chosen.
struct Node {
  Figures spent;                   // settled transfers
  std::vector<OpenTransfer> open;  // in the order of their operands
  ArrayCost compute;
  Figures least;               // of all mappings, the floors of the levels outside included
  Figures looped;              // the same where the next outer level holds loops
  double first = 0;            // time until the first tiles have arrived
  DimSet loosened = 0;         // operands of the next inner level with loops, if its outermost loops move them all
  bool passes_inside = false;  // a loop over the passes stands inside: no loop over the columns may come outside of it
};

/// The transfers that are open outside a level, each as if it stayed over no more loops.
struct Unstripped {
  std::vector<Figures> each;
  Figures all;  // with what is settled and the floors of the levels outside
};

class Solver {
 public:
  Solver(const Space& space, const Goal& goal, Effort& effort, Incumbents& incumbents);
  double run();

 private:
  std::size_t dims() const { return space_.dims.size(); }
  std::size_t levels() const { return space_.levels; }
  bool pruned(double bound) const { return bound >= incumbents_.score() * (1 - rounding); }
  bool spend(std::int64_t work) {
    effort_.left -= work;
    frame_left_ -= work;
    return effort_.left > 0 && frame_left_ > 0;
  }
  void find_alike();

  // One frame.
  void enter(std::size_t frame) {
    frame_ = space_.frames[frame];
    bounds_.enter(frame_);
  }
  bool search_frame();
  void list_tiles(std::size_t l);
  bool sees_array(std::size_t l) const { return l == bounds_.array_level + 1 && !bounds_.compute_known(); }
  bool narrow_down();
  bool drop(std::size_t l);
  bool drop_unsupported(std::size_t l);
  void list_outer_levels();
  void take_outer_tiles(std::size_t l);
  bool useless(std::size_t l, Tile& tile) const;

  // The tree. False: the effort ran out.
  bool descend(std::size_t l, const Node& node);
  void price_unstripped(std::size_t l, const Node& node);
  Figures least_with(const Node& node, std::size_t l, const Tile& tile, const Steps& inner) const;
  bool place(std::size_t l, const Node& node, const Tile& tile);
  bool choose_innermost(std::size_t l, const Node& node, std::size_t operand);
  bool settle(std::size_t l, const Node& node);
  bool leaf();
  Mapping mapping() const;

  const Space& space_;
  const Goal& goal_;
  Effort& effort_;
  Incumbents& incumbents_;
  FrameBounds bounds_;
  MappingEvaluator evaluator_;
  // Groups whose loops might as well stand one level further in (out) when they are the innermost (outermost) of a level.
  std::array<std::uint32_t, most_levels> inward_{}, outward_{};
  std::array<DimSet, most_levels> kept_{};
  std::array<bool, most_levels> moves_alone_{};  // the innermost loop outside a level moves the only operand it keeps

  // The frame at hand.
  Frame frame_;
  std::array<std::vector<Tile>, most_levels> tiles_;
  std::array<Figures, most_levels> floors_;   // least of a level's own transfers over its tiles
  std::array<Figures, most_levels> outside_;  // sum of the floors of the levels outside one
  // Outside all unrolling tiles and their figures are the same in every perfect frame: of levels 1..outer_known_.
  std::array<std::vector<Tile>, most_levels> outer_tiles_;
  std::array<Figures, most_levels> outer_floors_;
  std::array<std::vector<std::int64_t>, most_dims>
      outer_extents_;  // that Tile::inside counts there, unrolling included
  std::size_t outer_known_ = 0;
  Figures all_;        // of the lanes and of all floors
  ArrayCost compute_;  // least over the tiles below the array
  Choices choices_;
  std::array<Node, most_levels + 1> nodes_;
  std::array<Unstripped, most_levels> unstripped_;  // by the level to be chosen
  std::int64_t frame_left_ = 0, checks_ = 0;
};

Solver::Solver(const Space& space, const Goal& goal, Effort& effort, Incumbents& incumbents)
    : space_(space),
      goal_(goal),
      effort_(effort),
      incumbents_(incumbents),
      bounds_(space, goal),
      evaluator_(*space.model) {
  find_alike();
}

/// A loop that moves no operand of the next inner level may as well stand there, where it is the innermost of its level; one that moves
/// all operands of its level may as well stand outside, unless an operand stays over the loops there (Node::loosened).
void Solver::find_alike() {
  const auto crosses = [&](std::size_t inner, std::size_t g) {  // from level inner - 1 into `inner`, or out
    if (bounds_.empty[inner] || bounds_.empty[inner - 1]) return false;
    if (!bounds_.compute_fixed() && inner == bounds_.array_level + 1) return false;
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

/// Lists the tiles of a level that fit, and the least of each figure over all of them.
void Solver::list_tiles(std::size_t l) {
  std::vector<Tile>& tiles = tiles_[l];
  tiles.clear();
  floors_[l] = {};
  if (bounds_.empty[l]) return;
  std::vector<OpenTransfer> own;
  for (std::size_t t = 0; t < bounds_.transfers.size(); ++t) {
    if (bounds_.transfers[t].child == l) own.push_back({t, {}, {}, 0});
  }
  const int menu_level = frame_.menu >= 0 ? space_.rules.menu_level : static_cast<int>(levels());
  const int here = frame_.menu >= 0 ? static_cast<int>(l) : menu_level + 1;
  std::array<std::vector<std::uint16_t>, most_dims> choices;
  Tile tile;
  for (std::size_t d = 0; d < dims(); ++d) {
    const std::vector<std::int64_t>& values = bounds_.divisors(d).values;
    for (std::size_t at = 0; at < values.size(); ++at) {
      const std::int64_t entry = bounds_.menu_tile(d), value = values[at];
      const bool allowed = frame_.menu < 0      ? true
                           : here == menu_level ? value == entry
                           : here > menu_level  ? entry % value == 0
                                                : value % entry == 0;
      if (allowed) choices[d].push_back(static_cast<std::uint16_t>(at));
    }
    tile.inside[d] = choices[d].front();
  }
  // Dims not yet chosen are at their least, and the tiles of outer levels hold no less: from here both only grow.
  const auto choose = [&](const auto& self, std::size_t d, std::uint64_t exponents) -> void {
    if (d == dims()) {
      bool fit = bounds_.fits(l, tile.inside, false);
      for (std::size_t k = 1; k < l && fit; ++k) fit = bounds_.fits(k, tile.inside, true);
      if (!fit) return;
      for (OpenTransfer& one : own) {
        one.held = one.tile = tile.inside;
        one.words = bounds_.least_volume(space_.operands[bounds_.transfers[one.transfer].operand], l, tile.inside);
      }
      tile.figures = bounds_.relaxed(own, 0);
      tile.exponents = exponents;
      tiles.push_back(tile);
      return;
    }
    for (const std::uint16_t at : choices[d]) {
      tile.inside[d] = at;
      if (!bounds_.fits(l, tile.inside, true)) break;
      self(self, d + 1, exponents | bounds_.exponents(d, at));
    }
    tile.inside[d] = choices[d].front();
  };
  choose(choose, 0, 0);
  for (const Tile& listed : tiles) {
    if (&listed == &tiles.front()) {
      floors_[l] = listed.figures;
    } else {
      bounds_.lower(floors_[l], listed.figures);
    }
  }
  effort_.left -= static_cast<std::int64_t>(tiles.size() / tiles_a_node);
}

/// Outside all unrolling the tiles of every perfect frame are divisors of the bounds: they are priced once.
void Solver::list_outer_levels() {
  if (space_.frames.empty() || space_.rules.menu_level >= 0 || !space_.only_perfect) return;
  frame_left_ = effort_.left;
  frame_ = space_.plain;
  bounds_.enter(frame_);
  bounds_.open();
  for (std::size_t d = 0; d < dims(); ++d) outer_extents_[d] = bounds_.divisors(d).values;
  const std::size_t last = space_.spatial_levels.empty() ? levels() - 1 : space_.spatial_levels.back();
  for (std::size_t l = 1; l <= last && l < levels(); ++l) {
    list_tiles(l);
    outer_floors_[l] = floors_[l];
    outer_tiles_[l].swap(tiles_[l]);
    outer_known_ = l;
  }
}

/// Of the tiles of an outer level those that the frame's unrolling divides and that may be of use.
void Solver::take_outer_tiles(std::size_t l) {
  constexpr std::uint16_t none = 0xffff;
  std::array<std::vector<std::uint16_t>, most_dims> steps;
  for (std::size_t d = 0; d < dims(); ++d) {
    const std::vector<std::int64_t>& values = bounds_.divisors(d).values;
    const std::int64_t unrolled = bounds_.unrolled(0, d);
    std::size_t at = 0;
    for (const std::int64_t extent : outer_extents_[d]) {
      while (at + 1 < values.size() && values[at] * unrolled < extent) ++at;
      steps[d].push_back(values[at] * unrolled == extent ? static_cast<std::uint16_t>(at) : none);
    }
  }
  tiles_[l].clear();
  floors_[l] = outer_floors_[l];
  for (const Tile& outer : outer_tiles_[l]) {
    Steps inside{};
    bool divides = true;
    for (std::size_t d = 0; d < dims() && divides; ++d) {
      inside[d] = steps[d][outer.inside[d]];
      divides = inside[d] != none;
    }
    if (!divides) continue;
    Tile tile = outer;
    tile.inside = inside;
    tile.first = 0;
    if (useless(l, tile)) continue;
    tile.exponents = 0;
    for (std::size_t d = 0; d < dims(); ++d) tile.exponents |= bounds_.exponents(d, inside[d]);
    tiles_[l].push_back(tile);
  }
  effort_.left -= static_cast<std::int64_t>((outer_tiles_[l].size() / 4 + tiles_[l].size()) / tiles_a_node);
}

/// Bounds a tile of a level. True if no mapping with it can be of use.
bool Solver::useless(std::size_t l, Tile& tile) const {
  Figures figures = all_;
  bounds_.subtract(figures, floors_[l]);
  bounds_.add(figures, tile.figures);
  const ArrayCost& compute = sees_array(l) ? tile.compute : compute_;
  const double cycles = bounds_.cycles_of(figures, compute, tile.first);
  tile.bound = bounds_.score_of(cycles, figures.energy + compute.energy, compute.chips);
  return pruned(tile.bound);
}

/// Bounds the tiles of a level, drops those that are of no use and finds the floor of the others. True if any were dropped.
bool Solver::drop(std::size_t l) {
  std::vector<Tile>& tiles = tiles_[l];
  effort_.left -= static_cast<std::int64_t>(tiles.size() / tiles_a_node);
  const bool any = std::erase_if(tiles, [&](Tile& tile) { return useless(l, tile); }) > 0;
  if (!any || tiles.empty()) return any;
  const Figures before = floors_[l];
  floors_[l] = tiles.front().figures;
  for (const Tile& tile : tiles) bounds_.lower(floors_[l], tile.figures);
  bounds_.subtract(all_, before);
  bounds_.add(all_, floors_[l]);
  if (sees_array(l)) {
    compute_ = tiles.front().compute;
    for (const Tile& tile : tiles) {
      compute_.cycles = std::min(compute_.cycles, tile.compute.cycles);
      compute_.fill_drain = std::min(compute_.fill_drain, tile.compute.fill_drain);
      compute_.energy = std::min(compute_.energy, tile.compute.energy);
      compute_.chips = std::min(compute_.chips, tile.compute.chips);
    }
  }
  return true;
}

/// Drops the tiles of a level that divide no tile of the next outer level with tiles of its own.
bool Solver::drop_unsupported(std::size_t l) {
  std::size_t outer = l - 1;
  while (outer > 0 && bounds_.empty[outer]) --outer;
  constexpr std::size_t most_pairs = 1'000'000;
  if (outer == 0 || tiles_[l].size() * tiles_[outer].size() > most_pairs) return false;
  const auto alone = [&](const Tile& tile) {
    return std::none_of(tiles_[outer].begin(), tiles_[outer].end(), [&](const Tile& larger) {
      return bounds_.divides(tile.exponents, larger.exponents, tile.inside, larger.inside);
    });
  };
  return std::erase_if(tiles_[l], alone) > 0;
}

/// Keeps the tiles that may be part of a better mapping. False when a level is left without any.
bool Solver::narrow_down() {
  constexpr int rounds = 4;
  for (int round = 0; round < rounds; ++round) {
    bool changed = false;
    for (std::size_t l = 1; l < levels(); ++l) {
      if (bounds_.empty[l]) continue;
      if (l > 1) changed = drop_unsupported(l) || changed;
      changed = drop(l) || changed;
      if (tiles_[l].empty()) return false;
    }
    if (!changed) break;
  }
  return true;
}

/// False when the frame's effort ran out.
bool Solver::search_frame() {
  bounds_.open();
  all_ = bounds_.lanes();
  compute_ = bounds_.least_compute();
  for (std::size_t l = 1; l < levels(); ++l) {
    if (l > outer_known_) {
      list_tiles(l);
      if (tiles_[l].empty() && !bounds_.empty[l]) return true;  // nothing fits
    }
    bounds_.add(all_, l > outer_known_ ? floors_[l] : outer_floors_[l]);
  }
  for (std::size_t l = 1; l < levels(); ++l) {
    if (l <= outer_known_) take_outer_tiles(l);
    for (Tile& tile : tiles_[l]) {
      for (std::size_t k = 1; k < levels(); ++k) choices_.inside[k] = k <= l ? tile.inside : Steps{};
      tile.first = bounds_.first_tile(l, choices_.inside);
      tile.compute = compute_;
    }
    if (sees_array(l)) {
      drop(l);
      for (Tile& tile : tiles_[l]) tile.compute = bounds_.compute_of(tile.inside);
    }
  }
  if (!narrow_down()) return true;
  for (std::size_t l = 1; l < levels(); ++l) {
    outside_[l] = {};
    if (l > 1) {
      outside_[l] = outside_[l - 1];
      bounds_.add(outside_[l], floors_[l - 1]);
    }
    for (Tile& tile : tiles_[l]) {
      tile.excess = tile.figures;
      bounds_.subtract(tile.excess, floors_[l]);
    }
    std::stable_sort(tiles_[l].begin(), tiles_[l].end(),
                     [](const Tile& a, const Tile& b) { return a.bound < b.bound; });
  }
  choices_.inside.fill({});
  Node& root = nodes_[levels()];
  root.spent = bounds_.lanes();
  root.open.clear();
  root.compute = compute_;
  root.passes_inside = false;
  root.loosened = 0;
  root.least = root.looped = all_;
  root.first = bounds_.first_tile(levels(), choices_.inside);
  return descend(levels() - 1, root);
}

/// What the node's open transfers cost if they stay over no more loops.
void Solver::price_unstripped(std::size_t l, const Node& node) {
  Unstripped& made = unstripped_[l];
  made.each.assign(node.open.size(), {});
  made.all = node.spent;
  bounds_.add(made.all, outside_[l + 1]);
  for (std::size_t i = 0; i < node.open.size(); ++i) {
    bounds_.price(node.open[i].transfer, node.open[i].words, node.open[i].held, made.each[i]);
    bounds_.add(made.all, made.each[i]);
  }
}

/// What the node costs at least with a tile of level `l` outside of `inner`, whatever the order of the loops between: one operand stays
/// over those that leave it in place, and over further ones if nothing else stands there.
Figures Solver::least_with(const Node& node, std::size_t l, const Tile& tile, const Steps& inner) const {
  Figures figures = unstripped_[l].all, saving;
  bounds_.add(figures, tile.excess);
  DimSet looped = 0;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (tile.inside[d] != inner[d]) looped |= DimSet{1} << d;
  }
  for (std::size_t i = 0; i < node.open.size();) {
    const std::size_t o = bounds_.transfers[node.open[i].transfer].operand;
    const DimSet moved_by = space_.operands[o].moved_by;
    Figures saved;
    for (; i < node.open.size() && bounds_.transfers[node.open[i].transfer].operand == o; ++i) {
      const OpenTransfer& open = node.open[i];
      if (moves_alone_[l + 1] && bounds_.transfers[open.transfer].child == l + 1) continue;
      Steps held = open.held;
      for (std::size_t d = 0; d < dims(); ++d) {
        if (!has(moved_by, d)) held[d] = (looped & moved_by) == 0 ? bounds_.whole()[d] : tile.inside[d];
      }
      Figures stripped;
      bounds_.price(open.transfer, open.words, held, stripped);
      bounds_.add(saved, unstripped_[l].each[i]);
      bounds_.subtract(saved, stripped);
    }
    bounds_.raise(saving, saved);
  }
  bounds_.subtract(figures, saving);
  return figures;
}

bool Solver::descend(std::size_t l, const Node& node) {
  if (l == 0) {
    Tile whole;
    whole.inside = bounds_.whole();
    whole.compute = node.compute;
    return place(l, node, whole);
  }
  const Steps inner = choices_.inside[l + 1];
  const std::uint64_t inner_exponents = choices_.exponents[l + 1];
  if (bounds_.empty[l]) {
    Tile same;
    same.inside = inner;
    same.exponents = inner_exponents;
    same.compute = node.compute;
    return place(l, node, same);
  }
  const bool closer = space_.one_still && !node.open.empty();
  if (closer) price_unstripped(l, node);
  for (const Tile& tile : tiles_[l]) {
    if (pruned(tile.bound)) break;
    if (!bounds_.divides(inner_exponents, tile.exponents, inner, tile.inside)) continue;
    // The node's figures hold the level's floor: this tile costs `excess` more.
    const bool loops = tile.inside != inner;
    Figures figures = loops ? node.looped : node.least;
    bounds_.add(figures, tile.excess);
    const ArrayCost& compute = sees_array(l) ? tile.compute : node.compute;
    const double cycles = bounds_.cycles_of(figures, compute, std::max(node.first, tile.first));
    if (pruned(bounds_.score_of(cycles, figures.energy + compute.energy, compute.chips))) continue;
    if (loops && closer) {
      constexpr int checks_a_node = 4;  // they cost less
      if (++checks_ % checks_a_node == 0 && !spend(1)) return false;
      figures = least_with(node, l, tile, inner);
      const double longer = bounds_.cycles_of(figures, compute, std::max(node.first, tile.first));
      if (pruned(bounds_.score_of(longer, figures.energy + compute.energy, compute.chips))) continue;
    }
    if (!place(l, node, tile)) return false;
  }
  return true;
}

/// Chooses the tile of level `l`, and the order of the loops between it and the next inner level.
bool Solver::place(std::size_t l, const Node& node, const Tile& tile) {
  choices_.inside[l] = tile.inside;
  choices_.exponents[l] = tile.exponents;
  DimSet looped = 0;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (tile.inside[d] != choices_.inside[l + 1][d]) looped |= DimSet{1} << d;
  }
  if (node.passes_inside && (looped & space_.columns) != 0) return true;
  std::uint32_t present = 0;
  for (std::size_t g = 0; g < space_.groups.size(); ++g) {
    if ((space_.groups[g] & looped) != 0) present |= std::uint32_t{1} << g;
  }
  choices_.innermost[l] = 0;
  Node& next = nodes_[l];
  next.compute = sees_array(l) ? tile.compute : node.compute;
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
  next.first = bounds_.first_tile(std::max<std::size_t>(l, 1), choices_.inside);
  const auto least_of = [&](Figures& figures, std::size_t moved) {
    figures = next.spent;
    bounds_.add(figures, bounds_.relaxed(next.open, moved));
    if (l > 0) bounds_.add(figures, outside_[l]);
  };
  least_of(next.least, 0);
  const double least = bounds_.score_of(bounds_.cycles_of(next.least, next.compute, next.first),
                                        next.least.energy + next.compute.energy, next.compute.chips);
  // Few runners-up: any nest is welcome.
  if (pruned(least) && (l > 0 || incumbents_.full() || std::isinf(least))) return spend(1);
  if (!spend(1)) return false;
  if (l == 0) return leaf();
  next.looped = next.least;
  if (moves_alone_[l] && !next.open.empty()) least_of(next.looped, l);
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
    ++effort_.evaluated;
    const CostFigures figures = evaluator_.evaluate(made);
    if (figures.cycles <= goal_.most_cycles) {
      const Joules energy = figures.energy.total();
      incumbents_.add(
          {score(figures.cycles, energy, *model.chip, goal_.objective), figures.cycles, energy, std::move(made)});
    }
  }
  return spend(evaluation_work);
}

double Solver::run() {
  list_outer_levels();
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t f = 0; f < space_.frames.size(); ++f) {
    if (bounds_.enter(space_.frames[f])) order.emplace_back(bounds_.frame_bound(outer_floors_, outer_known_), f);
  }
  spend(static_cast<std::int64_t>(order.size()));
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  // First a short look into each frame that may hold the best, so that a hard one does not keep the others from being seen.
  const std::int64_t look = std::max<std::int64_t>(effort_.left / 50, 2000);
  std::vector<std::pair<double, std::size_t>> open;
  for (const auto& [bound, f] : order) {
    if (pruned(bound)) break;
    frame_left_ = look;
    if (effort_.left > 0) enter(f);
    if (effort_.left <= 0 || !search_frame()) open.emplace_back(bound, f);
  }
  double bound = incumbents_.score();
  for (const auto& [frame_bound, f] : open) {
    if (pruned(frame_bound)) continue;
    frame_left_ = effort_.left;
    if (effort_.left > 0) enter(f);
    if (effort_.left <= 0 || !search_frame()) bound = std::min(bound, frame_bound);
  }
  return std::min(bound, incumbents_.score());
}

}  // namespace

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

double branch_and_bound(const Space& space, const Goal& goal, Effort& effort, Incumbents& incumbents) {
  return Solver(space, goal, effort, incumbents).run();
}

}  // namespace tilewright
