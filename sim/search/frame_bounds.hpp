// What the mappings of one frame cost at least: figures of transfers, time, capacity. The tree of choices is in branch_and_bound.cpp.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "sim/search/branch_and_bound.hpp"

namespace tilewright {

/// Divisors of a number, ascending, with their prime exponents packed into fields under a guard bit each.
struct Divisors {
  std::vector<std::int64_t> values;
  std::vector<std::uint64_t> exponents;
  std::uint64_t guards = 0;
  int width = 0;  // bits of all fields
};
Divisors packed_divisors(std::int64_t n);

/// A tile: per tiled dim the position of its temporal extent among the divisors of the frame's whole extent.
using Steps = std::array<std::uint16_t, most_dims>;

/// Dynamic energy, and bytes by channel: a port of a level, or both directions of one that shares them.
struct Figures {
  static constexpr std::size_t most_channels = 8;  // of the outermost levels; further ones are not bounded
  double energy = 0;
  std::array<double, most_channels + 1> bytes{};  // the last one: of ports that are never the bound
};

/// An operand on its way from the level that keeps it to the next inner keeper (`child` == levels: the lanes).
struct Transfer {
  std::size_t operand = 0, parent = 0, child = 0;
};

/// A transfer whose run of irrelevant loops has not ended yet.
struct OpenTransfer {
  std::size_t transfer = 0;  // in FrameBounds::transfers
  Steps tile{};              // inside the child
  Steps held{};              // the same with the loops that the child stays over
  double words = 0;          // least of all tiles together
};

struct ArrayCost {
  double cycles = 0, fill_drain = 0, energy = 0, chips = 1;
};

/// Cycles that a temporal step of the nest takes at least; 0 for a family that does not walk the nest: one that chooses its kernels from a
/// menu, or lays a layer out over cores for good.
double cycles_per_step(const CostModel& model, const MapRules& rules);

class FrameBounds {
 public:
  FrameBounds(const Space& space, const Goal& goal);

  /// Sets up the unrolling. False where the menu's tile cannot be unrolled so.
  bool enter(const Frame& frame);
  /// What no mapping of the frame undercuts, from the unrolling and from floors of the levels 1..known.
  double frame_bound(const std::array<Figures, most_levels>& floors, std::size_t known) const;
  /// Sets up the tiles of the frame at hand. Before, only tiles of single steps may be asked about.
  void open();

  std::int64_t steps(std::size_t d, std::size_t at) const { return at == 0 ? 1 : divisors_[d]->values[at]; }
  const Divisors& divisors(std::size_t d) const { return *divisors_[d]; }
  Extents extents(const Steps& tile) const;
  const Steps& whole() const { return whole_steps_; }
  std::int64_t menu_tile(std::size_t d) const { return inner_[d]; }
  std::int64_t unrolled(std::size_t l, std::size_t d) const { return in_[l][d]; }
  /// True if the inner tile divides the outer one.
  bool divides(std::uint64_t inner_exponents, std::uint64_t outer_exponents, const Steps& inner,
               const Steps& outer) const {
    if (narrow_) return (((outer_exponents | guards_) - inner_exponents) & guards_) == guards_;
    return divides_slowly(inner, outer);
  }
  std::uint64_t exponents(std::size_t d, std::size_t at) const {
    return narrow_ ? divisors_[d]->exponents[at] << shift_[d] : 0;
  }

  /// True if the tile fits; `once`: no operand is held twice (what no larger tile can undercut).
  bool fits(std::size_t l, const Steps& tile, bool once) const;
  /// Words of all tiles of an operand at a level, those of the lanes' dims included, where dim `moving` (-1: none) moves in its
  /// innermost loop of `times` steps of `step` indices: what the tile before held is not fetched again.
  double volume(const TiledOperand& operand, std::size_t l, const Steps& tile, int moving, double times,
                double step) const;
  /// The least volume over all dims that may move.
  double least_volume(const TiledOperand& operand, std::size_t l, const Steps& tile) const;
  /// Adds what a transfer costs when the child's tiles hold `words` in all and stay over `held`.
  void price(std::size_t transfer, double words, const Steps& held, Figures& into) const;
  /// What open transfers cost at least, where the next loops move the tiles of level `moved` (0: not known).
  Figures relaxed(const std::vector<OpenTransfer>& open, std::size_t moved) const;
  /// Reads and updates at the innermost keepers: one a point, shared over what is unrolled at and inside the keeper.
  const Figures& lanes() const { return lanes_; }
  /// Time until the first tiles have arrived when the tiles of level `l` and of those inside it are chosen, and those outside hold no
  /// less. `tiles` by level.
  double first_tile(std::size_t l, const std::array<Steps, most_levels + 1>& tiles) const;
  /// The family's cost of the array when the tile below the array level is `tile`.
  ArrayCost compute_of(const Steps& tile);
  /// Of every mapping of the frame; `compute_known`: of all of them alike.
  const ArrayCost& least_compute() const { return frame_compute_; }
  bool compute_known() const { return compute_known_; }
  /// True if the tiles do not decide on the array's time.
  bool compute_fixed() const { return fixed_ || unrolled_time_; }

  double cycles_of(const Figures& figures, const ArrayCost& compute, double first) const;
  /// The score of a time and a dynamic energy that are lower bounds; infinite where the goal's time is missed.
  double score_of(double cycles, double energy, double chips) const;

  void add(Figures& to, const Figures& other) const {
    to.energy += other.energy;
    for (std::size_t c = 0; c < channels_; ++c) to.bytes[c] += other.bytes[c];
  }
  void subtract(Figures& from, const Figures& other) const {
    from.energy -= other.energy;
    for (std::size_t c = 0; c < channels_; ++c) from.bytes[c] -= other.bytes[c];
  }
  void lower(Figures& to, const Figures& other) const {
    to.energy = std::min(to.energy, other.energy);
    for (std::size_t c = 0; c < channels_; ++c) to.bytes[c] = std::min(to.bytes[c], other.bytes[c]);
  }
  void raise(Figures& to, const Figures& other) const {
    to.energy = std::max(to.energy, other.energy);
    for (std::size_t c = 0; c < channels_; ++c) to.bytes[c] = std::max(to.bytes[c], other.bytes[c]);
  }

  std::vector<Transfer> transfers;        // in the order of their operands
  std::array<bool, most_levels> empty{};  // levels that hold no temporal loops
  std::size_t array_level = 0;
  bool time_counts = true;  // false: dynamic energy alone decides

 private:
  /// How a level stores an operand.
  struct Store {
    double bits = 0, per_word = 0;  // least bits of a word; accesses a word, 0: one, whatever its width
    double read = 0, write = 0;     // energy of an access
    double link = 0, spread = 0, collect = 0, reduce = 0;  // energy of a word on the link to the next inner keeper
    std::size_t read_channel = Figures::most_channels, write_channel = Figures::most_channels;
    bool merged = false;
  };
  struct Channel {
    std::size_t level = 0;
    double bandwidth = 0;
  };

  std::size_t dims() const { return space_.dims.size(); }
  std::size_t levels() const { return space_.levels; }
  const BufferLevel& level(std::size_t l) const { return space_.chip().levels[l]; }
  const Store& store(std::size_t l, std::size_t operand) const { return stores_[l * space_.operands.size() + operand]; }
  double count(std::size_t l, std::size_t d, std::size_t at) const { return counts_[(l * dims() + d) * stride_ + at]; }
  double reach(std::size_t l, std::size_t d, std::size_t at) const { return reaches_[(l * dims() + d) * stride_ + at]; }
  void resolve_stores();
  void resolve_array();
  bool divides_slowly(const Steps& inner, const Steps& outer) const;
  double most_owned(std::size_t operand, std::size_t l) const;
  double accesses(double words, const Store& at, std::size_t l) const;
  void charge(std::size_t transfer, double words, double arriving, double sent, Figures& into) const;
  Figures lanes_of_frame() const;
  ArrayCost cost_of(const ComputeCost& cost) const;

  const Space& space_;
  const Goal& goal_;
  std::vector<Store> stores_;  // [level * operands + operand]
  std::vector<Channel> channel_;
  std::size_t channels_ = 0;
  std::vector<std::size_t> keeper_after_;  // [level * operands + operand]: next inner keeper
  std::vector<double> touched_;            // words of an operand that must arrive at least once
  std::size_t feeds_lanes_ = 0;            // innermost level that keeps anything
  std::int64_t untiled_ = 1;               // temporal steps of dims that are not tiled
  bool fixed_ = false;                     // the array's time does not depend on the mapping
  bool unrolled_time_ = false;             // it depends on the unrolling alone
  double cycles_per_step_ = 0, launch_ = 0;
  ArrayCost least_;  // of every mapping
  Watts static_power_;
  std::map<std::int64_t, Divisors> known_divisors_;

  // The frame at hand.
  Frame frame_;
  std::array<Extents, most_levels + 1> in_{}, above_{};  // unrolled at and inside a level; outside it
  Extents all_{}, inner_{}, outer_{};  // all unrolled; temporal extents inside the menu's tile; outside of it
  Extents whole_{};                    // all temporal extents
  Steps whole_steps_{};
  std::array<double, most_levels> instances_{}, stores_in_use_{}, share_{};
  std::array<double, Figures::most_channels> cycles_per_byte_{};
  struct Repeats {  // of a transfer's words; words that child and parent own of a result
    double least_arriving = 1, least_sent = 1, owned_here = 0, owned_there = 0;
  };
  std::vector<Repeats> repeats_;
  std::array<const Divisors*, most_dims> divisors_{};
  std::array<int, most_dims> shift_{};
  std::uint64_t guards_ = 0;
  bool narrow_ = true;  // all exponents fit into 64 bits
  std::size_t stride_ = 1;
  std::vector<double> counts_, reaches_;  // [level, dim, step]: tiles of that extent along the dim; last index in one
  Figures lanes_;
  ArrayCost frame_compute_;
  bool compute_known_ = false;
  ArrayPass pass_;
};

}  // namespace tilewright
