// What the mappings of one frame cost at least: figures of transfers, time, capacity. Lists of tiles are in tile_lists.hpp, the tree of
// choices in branch_and_bound.cpp.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <vector>

#include "sim/search/divisors.hpp"
#include "sim/search/incumbents.hpp"

namespace tilewright {

/// What is bounded of a mapping, in one row: dynamic energy, the array's time, and bytes by channel, a port of a level or both directions
/// of one that shares them. Only the first FrameBounds::width count.
struct Figures {
  static constexpr std::size_t most_channels = 8;  // of the outermost levels; further ones are not bounded
  static constexpr std::size_t cycles_at = 1, fill_drain_at = 2;
  std::array<double, 3 + most_channels + 1> of{};
  double& energy() { return of[0]; }
  double energy() const { return of[0]; }
  double& cycles() { return of[cycles_at]; }  // steady time of the array
  double cycles() const { return of[cycles_at]; }
  double& fill_drain() { return of[fill_drain_at]; }
  double fill_drain() const { return of[fill_drain_at]; }
  double& bytes(std::size_t channel) { return of[3 + channel]; }  // most_channels: of ports that are never the bound
  double bytes(std::size_t channel) const { return of[3 + channel]; }
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

/// Lower bounds on cycles and dynamic energy.
struct Floor {
  double cycles = 0, energy = 0;
};

struct ArrayTime {
  double cycles = 0, fill_drain = 0;
};

/// False where dynamic energy alone decides.
inline bool time_counts(const Goal& goal, const Chip& chip) {
  return goal.objective != Objective::energy || static_power(chip).value > 0 || std::isfinite(goal.most_cycles.value);
}

/// Cycles that a temporal step of the nest takes at least; 0 for a family that does not walk the nest: one that chooses its kernels from a
/// menu, or lays a layer out over cores for good.
double cycles_per_step(const CostModel& model, const MapRules& rules);

class FrameBounds {
 public:
  FrameBounds(const Space& space, const Goal& goal);

  /// Scores by another goal from here on. Precondition: time counts for both or for neither.
  void aim(const Goal& goal);
  /// Sets up the unrolling. False where the menu's tile cannot be unrolled so.
  bool enter(const Frame& frame);
  /// After `enter`: sums at the lanes count as missing terms only where they do in every frame.
  void count_sums_of_all_frames();
  /// What no mapping of the frame undercuts, from the unrolling and from what the levels 1..known cost at least.
  Floor floor(const Figures& outside, std::size_t known) const;
  /// Sets up the tiles of the frame at hand. Before, none may be asked about.
  void open();

  std::int64_t steps(std::size_t d, std::size_t at) const { return at == 0 ? 1 : divisors_[d]->values[at]; }
  const Divisors& divisors(std::size_t d) const { return *divisors_[d]; }
  std::span<const Divisors* const> divisors() const { return {divisors_.data(), dims()}; }
  const Steps& whole() const { return whole_steps_; }
  std::int64_t menu_tile(std::size_t d) const { return inner_[d]; }
  std::int64_t unrolled(std::size_t l, std::size_t d) const { return in_[l][d]; }
  /// True if the inner tile divides the outer one.
  bool divides(std::uint64_t inner_exponents, std::uint64_t outer_exponents, const Steps& inner,
               const Steps& outer) const {
    return packing_.narrow ? packing_.divides(inner_exponents, outer_exponents) : divides_slowly(inner, outer);
  }
  std::uint64_t exponents(std::size_t d, std::size_t at) const {
    return packing_.narrow ? divisors_[d]->exponents[at] << packing_.shift[d] : 0;
  }
  /// Of the frame at hand.
  const Packing& packing() const { return packing_; }

  /// Words that an axis of an operand spans in a tile of a level, over all that is unrolled inside of it.
  double extent(const Axis& axis, std::size_t l, const Steps& tile) const {
    double words = 1;
    for (const Term& term : axis) {
      const auto d = static_cast<std::size_t>(term.dim);
      words += static_cast<double>(term.coefficient) * reach(l, d, tile[d]);
    }
    return words;
  }
  /// Bytes that a level needs for so many words of an operand.
  double bytes_held(std::size_t l, std::size_t operand, double words) const;
  /// True if a level updates sums that miss terms and are wider than whole ones.
  bool holds_wide_sums(std::size_t l) const;
  /// Words of all tiles of an operand at a level, those of the lanes' dims included, where dim `moving` (-1: none) moves in its
  /// innermost loop of `times` steps of `step` indices: what the tile before held is not fetched again.
  double volume(const TiledOperand& operand, std::size_t l, const Steps& tile, int moving, double times,
                double step) const;
  /// The least volume over all dims that may move.
  double least_volume(const TiledOperand& operand, std::size_t l, const Steps& tile) const;
  /// Adds what a transfer costs when the child's tiles hold `words` in all and stay over `held`.
  void price(std::size_t transfer, double words, const Steps& held, Figures& into) const;
  /// Adds what a transfer costs at least in any mapping of the frame.
  void price_least(std::size_t transfer, Figures& into) const {
    price_least(transfer, touched_[transfers[transfer].operand], into);
  }
  /// The same where the child's tiles hold `words` in all.
  void price_least(std::size_t transfer, double words, Figures& into) const {
    charge(transfer, words, repeats_[transfer].least_arriving, repeats_[transfer].least_sent, into);
  }
  /// True if a transfer of an operand without windows is priced exactly once its loops are known: the bits of its words at the child
  /// do not hang on what happens further in.
  bool exact(const Transfer& transfer) const {
    const Store& at = store(transfer.child, transfer.operand);
    return at.bits[0] == at.bits[1] || transfer.child == innermost_[transfer.operand];
  }
  struct Relaxed {
    Figures any, moved;
  };
  /// What open transfers cost at least, whatever the next loops, and where these move the tiles of level `moved` (0: none).
  Relaxed relaxed(const std::vector<OpenTransfer>& open, std::size_t moved) const;
  /// Time until the first tiles for the levels `from`..`to` have arrived (levels(): for the lanes), where they are `tile` each.
  double first_tiles(std::size_t from, std::size_t to, const Steps& tile) const;
  /// The same of one operand: time a word, and words of all its first tiles.
  double first_cycles_a_word(std::size_t operand, std::size_t from, std::size_t to) const {
    double cycles = 0;
    for (const FirstTile& first : first_tiles_) {
      if (first.operand == operand && first.child >= from && first.child <= to) cycles += first.cycles_per_word;
    }
    return cycles;
  }
  double first_words(std::size_t operand, const Steps& tile) const {
    double words = 1;
    for (const Axis& axis : space_.operands[operand].axes) words *= extent(axis, 0, tile);
    return words;
  }
  /// The array's time when the tile below the array level is `tile`.
  ArrayTime array_time(const Steps& tile);
  /// True if the array's time is the same for all mappings of the frame, or does not count; else it is that of the tile below the array.
  bool array_known() const { return array_known_; }
  /// True if the tiles do not decide on the array's time.
  bool array_fixed() const { return fixed_ || unrolled_time_ || !time_counts; }
  /// What every mapping of the frame costs: arithmetic, the lanes' reads and updates, the array's time where it is known.
  const Figures& base() const { return base_; }

  double cycles_of(const Figures& of_all, double first) const {
    if (!time_counts) return least_cycles_;
    double steady = std::max(of_all.cycles(), array_.cycles) + first;
    for (std::size_t c = 0; c < channels_; ++c) steady = std::max(steady, of_all.bytes(c) * cycles_per_byte_[c]);
    return std::max(steady + std::max(of_all.fill_drain(), array_.fill_drain) + launch_, least_cycles_);
  }
  /// The score of a time and a dynamic energy that are lower bounds; infinite where the goal's time is missed.
  double score_of(double cycles, double energy) const {
    if (cycles > most_cycles_) return std::numeric_limits<double>::infinity();
    if (goal_.objective == Objective::latency) return cycles * seconds_per_cycle_;
    const double all = energy + cycles * static_per_cycle_;
    return goal_.objective == Objective::energy ? all : all * cycles * seconds_per_cycle_;
  }
  double score_of(const Floor& floor) const { return score_of(floor.cycles, floor.energy); }
  double score_of(const Figures& figures, double first) const {
    return score_of(cycles_of(figures, first), figures.energy());
  }

  void add(Figures& to, const Figures& other) const { add(to, other.of.data()); }
  void add(Figures& to, const double* row) const {
    for (std::size_t i = 0; i < width; ++i) to.of[i] += row[i];
  }
  void subtract(Figures& from, const Figures& other) const {
    for (std::size_t i = 0; i < width; ++i) from.of[i] -= other.of[i];
  }
  void raise(Figures& to, const Figures& other) const { raise(to, other.of.data()); }
  void raise(Figures& to, const double* row) const {
    for (std::size_t i = 0; i < width; ++i) to.of[i] = std::max(to.of[i], row[i]);
  }

  std::vector<Transfer> transfers;        // in the order of their operands
  std::array<bool, most_levels> empty{};  // levels that hold no temporal loops
  std::size_t array_level = 0;
  bool time_counts = true;  // false: dynamic energy alone decides
  std::size_t width = 1;    // of a row of figures: how many count

 private:
  /// How a level stores an operand.
  struct Store {
    // Least bits of a word, and bits of one that still misses terms; accesses a word, 0: one, whatever its width.
    std::array<double, 2> bits{}, per_word{};
    double read = 0, write = 0;                            // energy of an access
    double link = 0, spread = 0, collect = 0, reduce = 0;  // energy of a bit on the link to the next inner keeper
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
  double accesses(double words, const Store& at, std::size_t l, bool sums) const;
  void charge(std::size_t transfer, double words, double arriving, double sent, Figures& into) const;
  Figures lanes_of_frame() const;
  ArrayTime time_of(const ComputeCost& cost) const { return {timed_share_ * cost.cycles.value, cost.fill_drain.value}; }
  double events_of(const ComputeCost& cost) const;
  const ArrayPass& pass_of(const Steps& tile);
  void add_array();
  void list_first_tiles();

  const Space& space_;
  Goal goal_;
  double most_cycles_ = 0, least_cycles_ = 0;  // of the goal, with its rounding; of any mapping
  double seconds_per_cycle_ = 0;
  std::vector<Store> stores_;  // [level * operands + operand]
  std::vector<Channel> channel_;
  std::size_t channels_ = 0;
  std::vector<std::size_t> keeper_after_;  // [level * operands + operand]: next inner keeper
  std::vector<std::size_t> innermost_;     // per operand: level that feeds the lanes
  std::vector<double> touched_;            // words of an operand that must arrive at least once
  std::size_t feeds_lanes_ = 0;            // innermost level that keeps anything
  std::int64_t untiled_ = 1;               // temporal steps of dims that are not tiled
  bool fixed_ = false;                     // the array's time does not depend on the mapping
  bool unrolled_time_ = false;             // it depends on the unrolling alone
  double cycles_per_step_ = 0, launch_ = 0, timed_share_ = 1;
  ArrayTime least_;              // of every mapping
  double arithmetic_ = 0;        // energy
  double static_per_cycle_ = 0;  // energy, of all chips
  std::map<std::int64_t, Divisors> known_divisors_;

  // The frame at hand.
  Frame frame_;
  std::array<Extents, most_levels + 1> in_{}, above_{};  // unrolled at and inside a level; outside it
  Extents all_{}, inner_{}, outer_{};  // all unrolled; temporal extents inside the menu's tile; outside of it
  Extents whole_{};                    // all temporal extents
  Steps whole_steps_{};
  std::int64_t steps_in_all_ = 1;  // temporal, of all dims
  std::array<double, most_levels> instances_{}, stores_in_use_{}, share_{};
  std::array<double, Figures::most_channels> cycles_per_byte_{};
  struct Repeats {  // of a transfer's words; words that child and parent own of a result
    double least_arriving = 1, least_sent = 1, owned_here = 0, owned_there = 0;
  };
  std::vector<Repeats> repeats_;
  std::vector<Figures> least_prices_;  // by transfer, of operands without windows
  struct FirstTile {                   // of an operand on its way to a level
    std::size_t operand = 0, child = 0;
    double cycles_per_word = 0;
  };
  std::vector<FirstTile> first_tiles_;
  double least_first_ = 0;           // time until they have arrived with tiles of single steps
  std::vector<bool> sums_at_lanes_;  // per operand: what the lanes update still misses terms
  std::array<const Divisors*, most_dims> divisors_{};
  Packing packing_;
  std::size_t stride_ = 1;
  std::vector<double> counts_, reaches_;  // [level, dim, step]: tiles of that extent along the dim; last index in one
  Figures base_;
  ArrayTime array_;  // of the frame, at least
  bool array_known_ = false;
  ArrayPass pass_;
  PassTimer timer_;  // empty: the family is asked
};

}  // namespace tilewright
