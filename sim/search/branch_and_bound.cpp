#include "sim/search/branch_and_bound.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/checked.hpp"

// Why the bounds are admissible (symbols in docs/model.md, "Search"):
//  * A tile of a level at extents e is fetched at least ceil(D / e) times along every dim that leaves its operand in place, where e
//    takes in the loops that the operand stays over: fewer values of the remaining loop indices could not cover D points.
//  * The innermost temporal loop outside a level belongs to one dim. Where no dim leaves two operands in place, at most one operand
//    can stay over it: of all others every outer loop fetches again. So the least of a sum over operands is the sum with nothing
//    stayed over, less the largest single saving.
//  * Overlapping windows are never fetched twice in the bound as long as the order is open: the dim that saves most moves.
//  * Whole accesses: ceil(words x bits / width) grows with the words, so the ceiling of a bound is a bound.
//  * Energy, and the bytes of each level and direction, are bounded one by one; time is the largest of their times, of the array's
//    own time plus the first tile, and a score grows with both. The sum (or product) of minima is at most the minimum of the sum.
//  * The array's time is the family's own as soon as the tiles that it sees are chosen; before, a family that walks the loop nest
//    takes one cycle a step at its lanes' rate at least (`walks_steps`, a law in the tests).
// Once every tile and order is chosen, the bound of a perfectly factored mapping of simple operands is its cost.

namespace tilewright {
namespace {

constexpr double rounding = 1e-9;  // relative: sums in another order
constexpr std::int64_t evaluation_work = 30;

bool has(DimSet set, std::size_t i) { return (set >> i & 1) != 0; }

double whole(double words) { return static_cast<double>(static_cast<std::int64_t>(words * (1 - 1e-12) + (1 - 1e-9))); }

/// Dynamic energy, and bytes read and written by level.
struct Figures {
  double energy = 0;
  std::array<double, most_levels> read{}, written{};

  void add(const Figures& other, std::size_t levels) {
    energy += other.energy;
    for (std::size_t l = 0; l < levels; ++l) {
      read[l] += other.read[l];
      written[l] += other.written[l];
    }
  }
  void subtract(const Figures& other, std::size_t levels) {
    energy -= other.energy;
    for (std::size_t l = 0; l < levels; ++l) {
      read[l] -= other.read[l];
      written[l] -= other.written[l];
    }
  }
  template <class Choose>
  void merge(const Figures& other, std::size_t levels, const Choose& choose) {
    energy = choose(energy, other.energy);
    for (std::size_t l = 0; l < levels; ++l) {
      read[l] = choose(read[l], other.read[l]);
      written[l] = choose(written[l], other.written[l]);
    }
  }
};

double least_of(double a, double b) { return std::min(a, b); }
double most_of(double a, double b) { return std::max(a, b); }

/// An operand on its way from the level that keeps it to the next inner keeper (`child` == levels: the lanes).
struct Transfer {
  std::size_t operand = 0, parent = 0, child = 0;
};

/// A transfer whose run of irrelevant loops has not ended yet.
struct OpenTransfer {
  const Transfer* transfer = nullptr;
  Extents tile{};  // temporal extents inside the child
  Extents held{};  // the same with the loops that the child stays over
};

struct Tile {
  Extents inside{};               // temporal extents at the level and inside it
  Figures figures;                // least of the level's own transfers
  double bound = 0;               // of every mapping with this tile
  double cycles = 0, excess = 0;  // likewise its time; energy above the level's floor
};

struct ArrayCost {
  double cycles = 0, fill_drain = 0, energy = 0, chips = 1;
};

/// The choices so far, by level.
struct Choices {
  std::array<Extents, most_levels + 1> inside{};
  std::array<const OrderClass*, most_levels> order{};
  std::array<DimSet, most_levels> innermost{};  // dims put innermost of their group
};

/// All levels from some level inwards are chosen.
struct Node {
  Figures spent;                   // settled transfers
  std::vector<OpenTransfer> open;  // in the order of their operands
  ArrayCost compute;
  double cycles = 0, energy = 0;  // bounds, the floors of the levels outside included; energy without the static part
  double looped_cycles = 0, looped_energy = 0;  // the same where the next outer level holds loops
  DimSet loosened = 0;         // operands of the next inner level with loops, if its outermost loops move them all
  bool passes_inside = false;  // a loop over the passes stands inside: no loop over the columns may come outside of it
};

class Solver {
 public:
  Solver(const Space& space, const Goal& goal, Effort& effort, Incumbents& incumbents);
  double run();

 private:
  std::size_t dims() const { return space_.dims.size(); }
  std::size_t levels() const { return space_.levels; }
  const BufferLevel& level(std::size_t l) const { return space_.chip().levels[l]; }
  bool pruned(double bound) const { return bound >= incumbents_.score() * (1 - rounding); }
  bool spend(std::int64_t work) {
    effort_.left -= work;
    frame_left_ -= work;
    return effort_.left > 0 && frame_left_ > 0;
  }

  // One frame.
  bool enter(const Frame& frame);
  double frame_bound() const;
  bool search_frame();
  void list_tiles(std::size_t l);
  void floor_outer_levels();
  void find_alike();
  bool fits(std::size_t l, const Extents& inside, bool once) const;
  const std::vector<std::int64_t>& divisors_of(std::int64_t n);

  // Figures.
  double volume(const TiledOperand& operand, std::size_t l, const Extents& inside, int moving, double times,
                double step) const;
  double least_volume(const TiledOperand& operand, std::size_t l, const Extents& inside) const;
  void price(const Transfer& transfer, double words, const Extents& held, Figures& into) const;
  Figures relaxed(const std::vector<OpenTransfer>& open, std::size_t moved = 0) const;
  Figures lanes() const;
  double first_tile(std::size_t l) const;
  double cycles_of(const Figures& figures, const ArrayCost& compute, double first) const;
  double score_of(double cycles, double energy, double chips) const;
  double bound_of(const Figures& figures, const ArrayCost& compute, double first) const;
  static ArrayCost compute_from(const ComputeCost& cost);
  ArrayCost compute_of(const Extents& inside);

  // The tree. False: the effort ran out.
  bool descend(std::size_t l, const Node& node);
  bool place(std::size_t l, const Node& node, const Extents& inside);
  bool choose_innermost(std::size_t l, const Node& node, std::size_t operand);
  bool settle(std::size_t l, const Node& node);
  bool leaf();
  Mapping mapping() const;

  const Space& space_;
  const Goal& goal_;
  Effort& effort_;
  Incumbents& incumbents_;
  std::vector<Transfer> transfers_;        // in the order of their operands
  std::vector<std::size_t> keeper_after_;  // [level * operands + operand]: next inner keeper
  std::vector<double> touched_;            // words of an operand that must arrive at least once
  // Groups whose loops might as well stand one level further in (out) when they are the innermost (outermost) of a level.
  std::array<std::uint32_t, most_levels> inward_{}, outward_{};
  std::array<DimSet, most_levels> kept_{};
  std::array<bool, most_levels>
      moves_alone_{};                      // the innermost loop outside a level moves the only operand that it keeps
  std::array<bool, most_levels> empty_{};  // levels that hold no temporal loops
  std::size_t feeds_lanes_ = 0;            // innermost level that keeps anything
  std::size_t array_ = 0;
  std::int64_t untiled_ = 1;  // temporal steps of dims that are not tiled
  bool fixed_ = false;        // the array's time does not depend on the mapping
  bool walks_steps_ = false;  // it is at least one step a cycle
  double cycles_per_step_ = 0;
  ArrayCost least_;  // of every mapping
  Watts static_power_;
  bool time_counts_ = true;  // false: dynamic energy alone decides
  std::map<std::vector<std::int64_t>, ArrayCost> passes_;
  std::map<std::int64_t, std::vector<std::int64_t>> divisors_;

  // The frame at hand.
  Frame frame_;
  std::array<Extents, most_levels + 1> in_{}, above_{};  // unrolled at and inside a level; outside it
  Extents all_{}, inner_{}, outer_{};  // all unrolled; temporal extents inside the menu's tile; outside of it
  Extents whole_{};                    // all temporal extents
  std::array<double, most_levels> instances_{};
  Figures lanes_;
  ArrayCost frame_compute_;
  bool compute_known_ = false;
  std::array<std::vector<Tile>, most_levels> tiles_;
  std::array<Figures, most_levels> floors_;        // least of a level's own transfers over all tiles that fit
  std::array<Figures, most_levels> outside_;       // sum of the floors of the levels outside one
  std::array<Figures, most_levels> outer_floors_;  // floors that hold for every frame
  std::size_t outer_known_ = 0;                    // of levels 1..outer_known_
  Choices choices_;
  std::array<Node, most_levels + 1> nodes_;
  std::int64_t frame_left_ = 0;
};

Solver::Solver(const Space& space, const Goal& goal, Effort& effort, Incumbents& incumbents)
    : space_(space), goal_(goal), effort_(effort), incumbents_(incumbents) {
  const CostModel& model = *space.model;
  const std::size_t operands = space.operands.size();
  keeper_after_.assign(levels() * operands, levels());
  for (std::size_t o = 0; o < operands; ++o) {
    std::size_t child = levels();
    for (std::size_t l = levels(); l-- > 0;) {
      keeper_after_[l * operands + o] = child;
      if (!space.rules.keeps[l][o]) continue;
      transfers_.push_back({o, l, child});
      child = l;
      feeds_lanes_ = std::max(feeds_lanes_, l);
    }
  }
  std::stable_sort(transfers_.begin(), transfers_.end(),
                   [](const Transfer& a, const Transfer& b) { return a.operand < b.operand; });
  bool windows = false;
  for (std::size_t o = 0; o < operands; ++o) {
    const TiledOperand& operand = space.operands[o];
    windows = windows || operand.window != 0;
    touched_.push_back(operand.simple ? operand.words
                       : operand.diagonal
                           ? 1.0
                           : static_cast<double>(touched_words(space.problem(), space.problem().operands[o])));
  }
  array_ = model.array_level;
  static_power_ = static_power(space.chip());
  time_counts_ =
      goal.objective != Objective::energy || static_power_.value > 0 || std::isfinite(goal.most_cycles.value);
  for (std::size_t d = 0; d < space.problem().dims.size(); ++d) {
    if (std::find(space.dims.begin(), space.dims.end(), static_cast<int>(d)) == space.dims.end())
      untiled_ = checked_mul(untiled_, space.problem().dims[d].bound);
  }
  // A family without a menu of kernels walks the loop nest; one that lays the layer out over cores for good does not.
  const Mapping trivial = trivial_mapping(space.problem(), space.chip(), space.rules.keeps);
  const ComputeCost plain = model.family->compute(space.chip(), space.problem(), array_pass(model, trivial));
  const bool in_turn = plain.stage != Stage::own;
  fixed_ = in_turn && space.problem().compute == Compute::vector;
  walks_steps_ = in_turn && !fixed_ && space.rules.menu.empty();
  // Loops of a level that keeps nothing might as well stand at the next outer one, unless the array sees them, or tiles that
  // overlap in time would then be set apart by what is unrolled between.
  for (std::size_t l = 1; l < levels(); ++l) {
    const bool keeps =
        std::find(space.rules.keeps[l].begin(), space.rules.keeps[l].end(), true) != space.rules.keeps[l].end();
    const bool unrolled =
        std::find(space.spatial_levels.begin(), space.spatial_levels.end(), l - 1) != space.spatial_levels.end();
    empty_[l] = !keeps && (fixed_ || l != array_ + 1) && !(windows && unrolled) &&
                static_cast<int>(l) != space.rules.menu_level;
  }
  find_alike();
  least_ = {0, 0, model.energy_bound.compute.value, 1};
  if (fixed_) least_ = compute_from(plain);
  if (walks_steps_) {
    double density = 1;  // zeros may be skipped
    for (const Operand& operand : space.problem().operands) density *= operand.density;
    cycles_per_step_ = density * model.ideal.value * static_cast<double>(space.chip().lanes()) /
                       static_cast<double>(space.problem().points());
  }
}

/// A loop that moves no operand of the next inner level may as well stand there, where it is the innermost of its level; one that moves
/// all operands of its level may as well stand outside, unless an operand stays over the loops there (Node::loosened).
void Solver::find_alike() {
  const auto crosses = [&](std::size_t inner, std::size_t g) {  // from level inner - 1 into `inner`, or out
    if (empty_[inner] || empty_[inner - 1] || (!fixed_ && inner == array_ + 1)) return false;
    if (space_.rules.menu_level >= 0 ||
        (space_.passes != 0 && (space_.groups[g] & (space_.passes | space_.columns)) != 0))
      return false;
    if (std::find(space_.spatial_levels.begin(), space_.spatial_levels.end(), inner - 1) == space_.spatial_levels.end())
      return true;
    bool windows = false;  // whose overlap in time would be set apart by what is unrolled
    for (const Transfer& transfer : transfers_) {
      windows = windows || (transfer.child > inner && transfer.child < levels() &&
                            (space_.operands[transfer.operand].window & space_.groups[g]) != 0);
    }
    return space_.only_perfect && !windows;
  };
  for (std::size_t l = 1; l < levels(); ++l) {
    DimSet plain = 0;
    for (std::size_t o = 0; o < space_.operands.size(); ++o) {
      if (!space_.rules.keeps[l][o]) continue;
      kept_[l] |= DimSet{1} << o;
      if (space_.operands[o].simple) plain |= DimSet{1} << o;
    }
    bool moves = std::popcount(kept_[l]) == 1;
    for (std::size_t g = 0; g < space_.groups.size(); ++g)
      moves = moves && (crosses(l, g) || (kept_[l] & space_.still[g]) == 0);
    moves_alone_[l] = moves;
    for (std::size_t g = 0; kept_[l] != 0 && g < space_.groups.size(); ++g) {
      if (!crosses(l, g)) continue;
      if ((kept_[l] & ~space_.still[g]) == 0) inward_[l - 1] |= std::uint32_t{1} << g;
      if (plain == kept_[l] && (kept_[l] & space_.still[g]) == 0) outward_[l] |= std::uint32_t{1} << g;
    }
  }
}

ArrayCost Solver::compute_from(const ComputeCost& cost) {
  ArrayCost compute{cost.cycles.value, cost.fill_drain.value, 0, std::max(1.0, std::ceil(cost.resident))};
  for (const Event& event : cost.events) compute.energy += event.count * event.each.value;
  return compute;
}

/// The family's cost of the array when the temporal extents below the array level are `inside`.
ArrayCost Solver::compute_of(const Extents& inside) {
  if (fixed_) return least_;
  std::vector<std::int64_t> key(inside.begin(), inside.begin() + static_cast<std::ptrdiff_t>(dims()));
  for (std::size_t d = 0; d < dims(); ++d) key.push_back(whole_[d] / inside[d]);
  for (std::size_t d = 0; d < dims(); ++d) key.push_back(in_[array_][d]);
  for (std::size_t d = 0; d < dims(); ++d) key.push_back(above_[array_][d]);
  const auto [found, fresh] = passes_.try_emplace(std::move(key));
  if (!fresh) return found->second;
  ArrayPass pass;
  pass.spatial.assign(space_.problem().dims.size(), 1);
  pass.temporal = pass.chip = pass.spatial;
  for (std::size_t d = 0; d < dims(); ++d) {
    const auto at = static_cast<std::size_t>(space_.dims[d]);
    pass.spatial[at] = in_[array_][d];
    pass.chip[at] = above_[array_][d];
    pass.temporal[at] = inside[d];
    pass.passes = checked_mul(pass.passes, whole_[d] / inside[d]);
  }
  pass.passes = checked_mul(pass.passes, untiled_);
  return found->second = compute_from(space_.model->family->compute(space_.chip(), space_.problem(), pass));
}

/// Words of all tiles of an operand at a level, those of the lanes' dims included, where dim `moving` (-1: none) moves in its innermost
/// loop of `times` steps of `step` indices: what the tile before held is not fetched again.
double Solver::volume(const TiledOperand& operand, std::size_t l, const Extents& inside, int moving, double times,
                      double step) const {
  double words = 1, kept = 1;
  for (const Axis& axis : operand.axes) {
    double boxes = 1, sum = 0, overlap = 0;
    bool moves = false;
    for (const Term& term : axis) {
      const auto d = static_cast<std::size_t>(term.dim);
      const auto c = static_cast<double>(term.coefficient);
      const std::int64_t bound = space_.bounds[d], tile = std::min(bound, inside[d] * in_[l][d]);
      const auto n = static_cast<double>(ceil_div(bound, tile));
      sum = sum * n + boxes * c * (static_cast<double>(bound) - n);
      boxes *= n;
      moves = moves || term.dim == moving;
    }
    sum += boxes;
    if (moves) {
      // Full tiles of the other dims: never less than what clipped ones share.
      double shared = 1, others = 1;
      for (const Term& term : axis) {
        const auto d = static_cast<std::size_t>(term.dim);
        const auto c = static_cast<double>(term.coefficient);
        const std::int64_t bound = space_.bounds[d], tile = std::min(bound, inside[d] * in_[l][d]);
        const auto n = static_cast<double>(ceil_div(bound, tile));
        shared += c * static_cast<double>(tile - 1);
        if (term.dim == moving) {
          shared -= c * step;
          others *= n - n / times;
        } else {
          others *= n;
        }
      }
      overlap = std::max(0.0, shared) * others;
    }
    words *= sum;
    kept *= moves ? std::min(overlap, sum) : sum;
  }
  return moving >= 0 ? words - kept : words;
}

/// The least volume over all dims that may move.
double Solver::least_volume(const TiledOperand& operand, std::size_t l, const Extents& inside) const {
  if (operand.simple) return operand.words;
  if (operand.diagonal) return 1;  // tiles may coincide: only a word is sure
  double least = volume(operand, l, inside, -1, 1, 0);
  for (std::size_t d = 0; d < dims(); ++d) {
    if (!has(operand.window, d) || whole_[d] == inside[d]) continue;
    const auto tiles = static_cast<double>(ceil_div(space_.bounds[d], inside[d] * in_[l][d]));
    const auto step = static_cast<double>(inside[d] * in_[l][d]);
    least = std::min(least, volume(operand, l, inside, static_cast<int>(d), tiles, step));
  }
  return least;
}

/// Adds what a transfer costs when the child's tiles hold `words` in all and stay over `held`.
void Solver::price(const Transfer& transfer, double words, const Extents& held, Figures& into) const {
  const TiledOperand& operand = space_.operands[transfer.operand];
  const BufferLevel &parent = level(transfer.parent), &child = level(transfer.child);
  const bool peer = space_.model->peer_compatible;
  double arriving = 1, sent = 1, owned_here = 1, owned_there = 1;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (has(operand.moved_by, d)) continue;
    const std::int64_t bound = space_.bounds[d], covered = held[d] * in_[transfer.child][d];
    arriving *= static_cast<double>(ceil_div(bound, covered));
    const std::int64_t between = in_[transfer.parent][d] / in_[transfer.child][d];
    sent *= static_cast<double>(ceil_div(bound, covered * between));
    owned_here *= static_cast<double>(above_[transfer.child][d]);
    owned_there *= static_cast<double>(above_[transfer.parent][d]);
  }
  const bool exact = operand.simple;  // words that an instance owns: known of plain tensors
  const auto cost = [&](double count, const BufferLevel& at, Joules each) {
    const double accesses =
        at.access_bits > 0 ? whole(count * operand.bits / static_cast<double>(at.access_bits)) : count;
    return accesses * each.value;
  };
  const double bytes = operand.bits / 8.0;
  const bool silent = operand.on_chip && transfer.parent == 0;
  if (!operand.output) {
    const double fills = whole(words * arriving), reads = whole(words * sent);
    into.energy += cost(fills, child, child.write_energy);
    into.written[transfer.child] += fills * bytes;
    if (silent) return;
    into.energy +=
        cost(reads, parent, parent.read_energy) + fills * operand.bits * parent.transfer_energy_per_bit.value;
    into.read[transfer.parent] += reads * bytes;
    return;
  }
  const double drains = whole(words * arriving), updates = whole(words * sent);
  const double fills = exact ? std::max(0.0, drains - words * owned_here) : 0;
  const double again = exact ? std::max(0.0, updates - words * owned_there) : 0;
  into.energy += (peer ? 0.0 : cost(drains, child, child.read_energy)) + cost(fills, child, child.write_energy);
  into.read[transfer.child] += peer ? 0.0 : drains * bytes;
  into.written[transfer.child] += fills * bytes;
  if (silent) return;
  into.energy += cost(updates, parent, parent.write_energy) + cost(again, parent, parent.read_energy) +
                 fills * operand.bits * parent.transfer_energy_per_bit.value;
  into.written[transfer.parent] += updates * bytes;
  into.read[transfer.parent] += again * bytes;
}

/// What open transfers cost at least, where the next loops move the tiles of level `moved` (0: not known).
Figures Solver::relaxed(const std::vector<OpenTransfer>& open, std::size_t moved) const {
  Figures sum, saving;
  for (std::size_t i = 0; i < open.size();) {
    const std::size_t operand = open[i].transfer->operand;
    const TiledOperand& tiled = space_.operands[operand];
    Figures full, least;
    for (; i < open.size() && open[i].transfer->operand == operand; ++i) {
      const std::size_t child = open[i].transfer->child;
      const double words = least_volume(tiled, child, open[i].tile);
      price(*open[i].transfer, words, child == moved ? open[i].held : whole_, least);
      if (space_.one_still) price(*open[i].transfer, words, open[i].held, full);
    }
    sum.add(space_.one_still ? full : least, levels());
    if (!space_.one_still) continue;
    full.subtract(least, levels());
    saving.merge(full, levels(), most_of);
  }
  if (space_.one_still) sum.subtract(saving, levels());
  return sum;
}

/// Reads and updates at the innermost keepers: one a point, shared over what is unrolled at and inside the keeper.
Figures Solver::lanes() const {
  Figures figures;
  for (const Transfer& transfer : transfers_) {
    if (transfer.child != levels()) continue;
    const TiledOperand& operand = space_.operands[transfer.operand];
    const std::size_t l = transfer.parent;
    if (operand.on_chip && l == 0) continue;
    double words = 1, owned = 1, points = 1, moved = 1;
    for (std::size_t d = 0; d < dims(); ++d) {
      const auto bound = static_cast<double>(space_.bounds[d]);
      points *= bound;
      if (has(operand.moved_by, d)) {
        words *= bound;
        moved *= bound;
      } else {
        words *= static_cast<double>(ceil_div(space_.bounds[d], in_[l][d]));
        owned *= static_cast<double>(above_[l][d]);
      }
    }
    const auto cost = [&](double count, Joules each) {
      const std::int64_t width = level(l).access_bits;
      return (width > 0 ? whole(count * operand.bits / static_cast<double>(width)) : count) * each.value;
    };
    const double bytes =
        l == feeds_lanes_ && l > 0 ? 0.0 : operand.bits / 8.0;  // the array's time pays for its operands
    const double link = operand.bits * level(l).transfer_energy_per_bit.value;
    if (operand.output) {
      const double again = operand.simple ? std::max(0.0, words - moved * owned) : 0;
      figures.energy += cost(words, level(l).write_energy) + cost(again, level(l).read_energy) + again * link;
      figures.written[l] += words * bytes;
      figures.read[l] += again * bytes;
    } else {
      figures.energy += cost(words, level(l).read_energy) + points * link;
      figures.read[l] += words * bytes;
    }
  }
  return figures;
}

/// Time until the first tiles have arrived when the tile of level `l` is chosen, and those outside it hold no less.
double Solver::first_tile(std::size_t l) const {
  double time = 0;
  if (!time_counts_) return time;
  for (std::size_t from = 0; from < levels(); ++from) {
    const BufferLevel& sender = level(from);
    const bool last = from + 1 == levels();
    if (sender.bandwidth.value <= 0 || (from > 0 && (last || level(from + 1).double_buffered))) continue;
    double bytes = 0;
    for (std::size_t o = 0; o < space_.operands.size(); ++o) {
      const TiledOperand& operand = space_.operands[o];
      if (operand.output || operand.diagonal || !space_.rules.keeps[from][o] || (from == 0 && operand.on_chip))
        continue;
      const Extents& inside = choices_.inside[std::max(l, keeper_after_[from * space_.operands.size() + o])];
      double words = 1;
      for (const Axis& axis : operand.axes) {
        double extent = 1;
        for (const Term& term : axis) {
          const auto d = static_cast<std::size_t>(term.dim);
          extent += static_cast<double>(term.coefficient * (std::min(space_.bounds[d], inside[d] * all_[d]) - 1));
        }
        words *= extent;
      }
      bytes += words * operand.bits / 8.0;
    }
    time += bytes / (instances_[from] * sender.bandwidth.value);
  }
  return time;
}

double Solver::cycles_of(const Figures& figures, const ArrayCost& compute, double first) const {
  if (!time_counts_) return space_.model->cycles_bound.value;
  double steady = compute.cycles + first;
  for (std::size_t l = 0; l < levels(); ++l) {
    const BufferLevel& at = level(l);
    if (at.bandwidth.value <= 0) continue;
    const bool apart = space_.model->peer_compatible || at.separate_ports;
    const double bytes = apart ? std::max(figures.read[l], figures.written[l]) : figures.read[l] + figures.written[l];
    steady = std::max(steady, bytes / (instances_[l] * at.bandwidth.value));
  }
  const double launch = (space_.chip().launch_overhead * space_.chip().clock).value;
  return std::max(steady + compute.fill_drain + launch, space_.model->cycles_bound.value);
}

/// The score of a time and a dynamic energy that are lower bounds; infinite where the goal's time is missed.
double Solver::score_of(double cycles, double energy, double chips) const {
  if (cycles > goal_.most_cycles.value * (1 + rounding)) return std::numeric_limits<double>::infinity();
  const Joules fixed = chips * static_power_ * (Cycles{cycles} / space_.chip().clock);
  return score(Cycles{cycles}, Joules{energy} + fixed, space_.chip(), goal_.objective);
}

double Solver::bound_of(const Figures& figures, const ArrayCost& compute, double first) const {
  return score_of(cycles_of(figures, compute, first), figures.energy + compute.energy, compute.chips);
}

/// Sets up the unrolling. False where the menu's tile cannot be unrolled so.
bool Solver::enter(const Frame& frame) {
  frame_ = frame;
  Extents inside;
  inside.fill(1);
  in_[levels()] = inside;
  std::size_t place = 0;
  for (std::size_t l = levels(); l-- > 0;) {
    if (place < space_.spatial_levels.size() && space_.spatial_levels[place] == l) {
      for (std::size_t d = 0; d < dims(); ++d) inside[d] *= space_.factor(frame, place, d);
      ++place;
    }
    in_[l] = inside;
  }
  all_ = inside;
  inner_.fill(1);
  outer_.fill(1);
  const auto menu_level = static_cast<std::size_t>(std::max(space_.rules.menu_level, 0));
  for (std::size_t d = 0; d < dims(); ++d) {
    std::int64_t unit = all_[d];
    if (frame.menu >= 0) {
      const std::int64_t entry =
          space_.rules.menu[static_cast<std::size_t>(frame.menu)][static_cast<std::size_t>(space_.dims[d])];
      if (entry % in_[menu_level][d] != 0) return false;
      inner_[d] = entry / in_[menu_level][d];
      unit = entry * (all_[d] / in_[menu_level][d]);
    }
    outer_[d] = ceil_div(space_.bounds[d], unit);
  }
  double steps = static_cast<double>(untiled_);
  for (std::size_t d = 0; d < dims(); ++d) {
    whole_[d] = inner_[d] * outer_[d];
    steps *= static_cast<double>(whole_[d]);
  }
  for (std::size_t l = 0; l <= levels(); ++l) {
    double instances = 1;
    above_[l].fill(1);
    for (std::size_t d = 0; d < dims(); ++d) {
      above_[l][d] = l == 0 ? 1 : all_[d] / in_[l][d];
      instances *= static_cast<double>(above_[l][d]);
    }
    if (l < levels()) instances_[l] = instances;
  }
  frame_compute_ = least_;
  compute_known_ = fixed_;
  if (walks_steps_) frame_compute_.cycles = steps * cycles_per_step_;
  if (array_ + 1 == levels() || (frame.menu >= 0 && array_ + 1 == menu_level)) {
    frame_compute_ = compute_of(inner_);
    compute_known_ = true;
  }
  choices_.inside[levels()].fill(1);
  lanes_ = lanes();
  return true;
}

/// What no mapping of the frame undercuts, from the unrolling alone.
double Solver::frame_bound() const {
  Figures figures = lanes_;
  for (std::size_t l = 1; l <= outer_known_; ++l) figures.add(outer_floors_[l], levels());
  for (const Transfer& transfer : transfers_) {
    if (transfer.child == levels() || transfer.child <= outer_known_) continue;
    price(transfer, touched_[transfer.operand], whole_, figures);
  }
  return bound_of(figures, frame_compute_, first_tile(levels()));
}

/// True if the tile fits; `once`: no operand is held twice (what no larger tile can undercut).
bool Solver::fits(std::size_t l, const Extents& inside, bool once) const {
  const BufferLevel& at = level(l);
  if (!at.capacity) return true;
  double needed = 0;
  for (std::size_t o = 0; o < space_.operands.size(); ++o) {
    if (!space_.rules.keeps[l][o]) continue;
    const TiledOperand& operand = space_.operands[o];
    double words = 1;
    for (const Axis& axis : operand.axes) {
      double extent = 1;
      for (const Term& term : axis) {
        const auto d = static_cast<std::size_t>(term.dim);
        extent += static_cast<double>(term.coefficient * (std::min(space_.bounds[d], inside[d] * in_[l][d]) - 1));
      }
      words *= extent;
    }
    bool changes = false;
    for (std::size_t d = 0; d < dims() && at.double_buffered && !once; ++d) {
      changes = changes || (has(operand.moved_by, d) && inside[d] < whole_[d]);
    }
    needed += std::ceil(words * operand.bits / 8.0) * (changes ? 2 : 1);
  }
  return needed <= at.capacity->value;
}

const std::vector<std::int64_t>& Solver::divisors_of(std::int64_t n) {
  const auto [found, fresh] = divisors_.try_emplace(n);
  if (fresh) found->second = divisors(n);
  return found->second;
}

/// Lists the tiles of a level that fit, and the least of each figure over all of them.
void Solver::list_tiles(std::size_t l) {
  std::vector<Tile>& tiles = tiles_[l];
  tiles.clear();
  floors_[l] = {};
  if (empty_[l]) return;
  std::vector<OpenTransfer> open;
  for (const Transfer& transfer : transfers_) {
    if (transfer.child == l) open.push_back({&transfer, {}, {}});
  }
  const bool menu = frame_.menu >= 0;
  const auto menu_level = static_cast<std::size_t>(std::max(space_.rules.menu_level, 0));
  std::array<std::vector<std::int64_t>, most_dims> values;
  Extents inside;
  inside.fill(1);
  for (std::size_t d = 0; d < dims(); ++d) {
    if (menu && l == menu_level) {
      values[d] = {inner_[d]};
    } else {
      values[d] = divisors_of(menu && l > menu_level ? inner_[d] : outer_[d]);
    }
    if (menu && l < menu_level) {
      for (std::int64_t& value : values[d]) value *= inner_[d];
    }
    inside[d] = values[d].front();
  }
  // Dims not yet chosen are at their least, and the tiles of outer levels hold no less: from here both only grow.
  const auto choose = [&](const auto& self, std::size_t d) -> void {
    if (d == dims()) {
      if (!fits(l, inside, false)) return;
      for (OpenTransfer& one : open) one.held = one.tile = inside;
      Tile tile{inside, relaxed(open)};
      if (tiles.empty()) {
        floors_[l] = tile.figures;
      } else {
        floors_[l].merge(tile.figures, levels(), least_of);
      }
      tiles.push_back(tile);
      return;
    }
    for (const std::int64_t value : values[d]) {
      inside[d] = value;
      bool fit = true;
      for (std::size_t k = 1; k <= l && fit; ++k) fit = fits(k, inside, true);
      if (!fit) break;
      self(self, d + 1);
    }
    inside[d] = values[d].front();
  };
  choose(choose, 0);
  spend(static_cast<std::int64_t>(tiles.size()));
}

/// Outside all unrolling the tiles of every perfect frame are divisors of the bounds: their floors need to be found once.
void Solver::floor_outer_levels() {
  if (space_.frames.empty() || space_.rules.menu_level >= 0 || !space_.only_perfect) return;
  frame_left_ = effort_.left;
  enter(space_.frames.front());  // nothing unrolled
  const std::size_t last = space_.spatial_levels.empty() ? levels() - 1 : space_.spatial_levels.back();
  for (std::size_t l = 1; l <= last && l < levels(); ++l) {
    list_tiles(l);
    outer_floors_[l] = floors_[l];
    outer_known_ = l;
  }
}

/// False when the frame's effort ran out.
bool Solver::search_frame() {
  // Levels from the outside: the outermost one costs most and often decides.
  for (std::size_t l = 1; l < levels(); ++l) {
    list_tiles(l);
    if (tiles_[l].empty() && !empty_[l]) return true;  // nothing fits
  }
  Figures all = lanes_;
  for (std::size_t l = 1; l < levels(); ++l) {
    outside_[l] = {};
    if (l > 1) {
      outside_[l] = outside_[l - 1];
      outside_[l].add(floors_[l - 1], levels());
    }
    all.add(floors_[l], levels());
  }
  if (pruned(bound_of(all, frame_compute_, first_tile(levels())))) return true;
  for (std::size_t l = 1; l < levels(); ++l) {
    for (Tile& tile : tiles_[l]) {
      Figures figures = all;
      figures.subtract(floors_[l], levels());
      figures.add(tile.figures, levels());
      choices_.inside[l] = tile.inside;
      for (std::size_t k = l + 1; k < levels(); ++k) choices_.inside[k] = choices_.inside[levels()];
      tile.cycles = cycles_of(figures, frame_compute_, first_tile(l));
      tile.excess = tile.figures.energy - floors_[l].energy;
      tile.bound = score_of(tile.cycles, figures.energy + frame_compute_.energy, frame_compute_.chips);
    }
    std::erase_if(tiles_[l], [&](const Tile& tile) { return pruned(tile.bound); });
    if (tiles_[l].empty() && !empty_[l]) return true;
    std::stable_sort(tiles_[l].begin(), tiles_[l].end(),
                     [](const Tile& a, const Tile& b) { return a.bound < b.bound; });
  }
  Node& root = nodes_[levels()];
  root.spent = lanes_;
  root.open.clear();
  root.compute = frame_compute_;
  root.passes_inside = false;
  root.cycles = cycles_of(all, frame_compute_, first_tile(levels()));
  root.energy = all.energy + frame_compute_.energy;
  return descend(levels() - 1, root);
}

bool Solver::descend(std::size_t l, const Node& node) {
  if (l == 0) return place(0, node, whole_);
  const Extents inner = choices_.inside[l + 1];
  if (empty_[l]) return place(l, node, inner);
  for (const Tile& tile : tiles_[l]) {
    if (pruned(tile.bound)) break;
    // The node's bound holds the level's floor: this tile costs `excess` more.
    if (pruned(score_of(std::max(node.cycles, tile.cycles), node.energy + tile.excess, node.compute.chips))) continue;
    bool divides = true;
    for (std::size_t d = 0; d < dims() && divides; ++d) divides = inner[d] == 1 || tile.inside[d] % inner[d] == 0;
    if (!divides) continue;
    if (tile.inside != inner && pruned(score_of(std::max(node.looped_cycles, tile.cycles),
                                                node.looped_energy + tile.excess, node.compute.chips)))
      continue;
    if (!place(l, node, tile.inside)) return false;
  }
  return true;
}

/// Chooses the tile of level `l`, and the order of the loops between it and the next inner level.
bool Solver::place(std::size_t l, const Node& node, const Extents& inside) {
  choices_.inside[l] = inside;
  DimSet looped = 0;
  for (std::size_t d = 0; d < dims(); ++d) {
    if (inside[d] != choices_.inside[l + 1][d]) looped |= DimSet{1} << d;
  }
  if (node.passes_inside && (looped & space_.columns) != 0) return true;
  std::uint32_t present = 0;
  for (std::size_t g = 0; g < space_.groups.size(); ++g) {
    if ((space_.groups[g] & looped) != 0) present |= std::uint32_t{1} << g;
  }
  choices_.innermost[l] = 0;
  Node& next = nodes_[l];
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
    if (node.open.empty()) break;  // no transfer sees these loops
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
                     [&](const OpenTransfer& open) { return open.transfer->operand == operand; }))
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
  next.compute = node.compute;
  next.passes_inside = node.passes_inside;
  const Extents &inside = choices_.inside[l], &inner = choices_.inside[l + 1];
  const OrderClass& order = *choices_.order[l];
  for (std::size_t d = 0; d < dims(); ++d) {
    if (has(space_.passes, d) && inside[d] != inner[d]) next.passes_inside = true;
  }
  std::size_t added = 0;  // transfers into level l, merged in the order of operands
  const auto add_own = [&](std::size_t before) {
    for (; l > 0 && added < transfers_.size() && transfers_[added].operand < before; ++added) {
      if (transfers_[added].child == l) next.open.push_back({&transfers_[added], inside, inside});
    }
  };
  for (const OpenTransfer& open : node.open) {
    const std::size_t o = open.transfer->operand;
    const OrderClass::Effect& effect = order.effects[o];
    OpenTransfer held = open;
    for (std::size_t d = 0; effect.stripped != 0 && d < dims(); ++d) {
      for (std::size_t g = 0; g < space_.groups.size(); ++g) {
        if (has(effect.stripped, g) && has(space_.groups[g], d)) held.held[d] = inside[d];
      }
    }
    if (effect.closed_by < 0 && l > 0) {
      add_own(o);
      next.open.push_back(held);
      continue;
    }
    const TiledOperand& operand = space_.operands[o];
    double words = operand.words;
    if (operand.diagonal) {
      words = 1;
    } else if (!operand.simple) {
      const DimSet moving =
          effect.closed_by < 0 ? 0 : choices_.innermost[l] & space_.groups[static_cast<std::size_t>(effect.closed_by)];
      const int m = moving == 0 ? -1 : std::countr_zero(moving);
      const auto d = static_cast<std::size_t>(std::max(m, 0));
      const std::int64_t times = inside[d] / inner[d], step = inner[d] * in_[l][d];
      words =
          volume(operand, open.transfer->child, open.tile, m, static_cast<double>(times), static_cast<double>(step));
    }
    price(*open.transfer, words, held.held, next.spent);
  }
  add_own(space_.operands.size());
  Figures figures = next.spent;
  figures.add(relaxed(next.open), levels());
  if (l > 0) figures.add(outside_[l], levels());
  const double first = first_tile(std::max<std::size_t>(l, 1));
  const auto hopeless = [&] {
    next.cycles = cycles_of(figures, next.compute, first);
    next.energy = figures.energy + next.compute.energy;
    const double bound = score_of(next.cycles, next.energy, next.compute.chips);
    return pruned(bound) && (l > 0 || incumbents_.full() || std::isinf(bound));  // few runners-up: any nest is welcome
  };
  if (hopeless()) return spend(1);
  if (!compute_known_ && l == array_ + 1) {
    next.compute = compute_of(inside);
    if (hopeless()) return spend(1);
  }
  next.looped_cycles = next.cycles;
  next.looped_energy = next.energy;
  if (l > 0 && moves_alone_[l] && !next.open.empty()) {
    Figures looped = next.spent;
    looped.add(relaxed(next.open, l), levels());
    looped.add(outside_[l], levels());
    next.looped_cycles = cycles_of(looped, next.compute, first);
    next.looped_energy = looped.energy + next.compute.energy;
  }
  if (!spend(1)) return false;
  return l == 0 ? leaf() : descend(l - 1, next);
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
      const std::int64_t bound = choices_.inside[l][d] / choices_.inside[l + 1][d];
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
    const AccessCounts counts = count_accesses(*model.problem, made);
    const ComputeCost compute = model.family->compute(*model.chip, *model.problem, array_pass(model, made));
    const CostFigures figures = cost_figures(model, made, counts, level_costs(model, counts), compute);
    if (figures.cycles <= goal_.most_cycles) {
      const Joules energy = figures.energy.total();
      incumbents_.add(
          {score(figures.cycles, energy, *model.chip, goal_.objective), figures.cycles, energy, std::move(made)});
    }
  }
  return spend(evaluation_work);
}

double Solver::run() {
  floor_outer_levels();
  std::vector<std::pair<double, std::size_t>> order;
  for (std::size_t f = 0; f < space_.frames.size(); ++f) {
    if (enter(space_.frames[f])) order.emplace_back(frame_bound(), f);
  }
  spend(static_cast<std::int64_t>(order.size()));
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  // First a short look into each frame that may hold the best, so that a hard one does not keep the others from being seen.
  const std::int64_t look = std::max<std::int64_t>(effort_.left / 50, 2000);
  std::vector<std::pair<double, std::size_t>> open;
  for (const auto& [bound, f] : order) {
    if (pruned(bound)) break;
    frame_left_ = look;
    if (effort_.left > 0) enter(space_.frames[f]);
    if (effort_.left <= 0 || !search_frame()) open.emplace_back(bound, f);
  }
  double bound = incumbents_.score();
  for (const auto& [frame_bound, f] : open) {
    if (pruned(frame_bound)) continue;
    frame_left_ = effort_.left;
    if (effort_.left > 0) enter(space_.frames[f]);
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
