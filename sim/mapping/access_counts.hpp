// The only code that knows reuse: exact access counts of a mapping.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/mapping/mapping.hpp"

namespace tilewright {

/// Words moved at one level for one operand, summed over all instances.
struct OperandAccesses {
  bool kept = false;
  bool feeds_lanes = false;             // no inner level keeps it
  bool partial_sums = false;            // outputs: sums that arrive here may still miss terms (windows: always)
  std::int64_t tile_words = 0;          // of one (full) instance
  std::int64_t utilized_instances = 0;  // instances that ever hold a word
  std::int64_t reads = 0;  // read towards the next inner keeper (or the lanes); partial sums read for accumulation
  std::int64_t merged_reads = 0;  // inputs: reads when a word that several neighbours need at once is read once
  std::int64_t fills = 0;         // written from the next outer keeper
  std::int64_t updates = 0;       // results and partial sums arriving from inside
  std::int64_t drains = 0;        // tiles sent outwards (read once more; charged in the physical convention only)
  std::int64_t delivered = 0;     // words arriving at the children: reads x multicast (link traffic towards the lanes)
  std::int64_t collected = 0;     // outputs: words that the children send here, before the network adds them up
  std::int64_t first_tile_words = 0;  // inputs: what all children together wait for before they can start
};

struct AccessCounts {
  std::vector<std::vector<OperandAccesses>> levels;  // [level][operand]
  std::int64_t points = 0;                           // MACs (true, clipped)
  std::int64_t temporal_steps = 0;  // product of all temporal bounds (short last tiles cost full steps)
  std::int64_t lanes_used = 0;      // product of all spatial bounds
};

/// Rules (docs/model.md): tile = box of the projection; transitions strip irrelevant loops from the inside; multicast over irrelevant spatial loops,
/// spatial reduction for outputs; halo reused between consecutive steps of the innermost relevant loop, in space only in
/// `merged_reads`; first-read elision; bypassed levels' loops stay; last tiles clipped. Operands that never leave the chip
/// (Operand::on_chip) count nothing at level 0. Every MAC counts a read of each operand at its innermost keeper, also when the
/// operand does not change from one step to the next (no operand latch at the lanes). A wrap of the innermost relevant loop reloads the
/// whole tile. partition = words that an instance ever owns (axes with several terms: bounding interval); an output's reads are its
/// updates less the partition, its fills the drains less the partition. `delivered` of outputs: partial sums sent inwards (innermost
/// keeper: its reads). Precondition: `check` passed (capacity may be exceeded). OverflowError above 64 bits.
AccessCounts count_accesses(const Problem& problem, const Mapping& mapping);

/// Where neighbours' overlapping words are counted: merged_reads is reads on the other levels.
enum class MergedReads { nowhere, everywhere };

/// Counts many mappings of one problem. Allocates only while it grows to the largest nest it has seen; refers to the problem.
class AccessCounter {
 public:
  explicit AccessCounter(const Problem& problem, MergedReads merged = MergedReads::nowhere);
  /// As count_accesses; valid until the next call.
  const AccessCounts& count(const Mapping& mapping);

 private:
  static constexpr std::size_t no_loop = static_cast<std::size_t>(-1);

  /// A loop of bound > 1. `step` is the tile of its dim inside the loop.
  struct FlatLoop {
    std::uint32_t dim = 0;
    bool temporal = true;
    std::int64_t bound = 1, step = 1;
    std::int64_t even_time = 1, even_space = 1;  // the bound where it is of that kind and the loops divide the dim
  };
  /// The same for a dim whose loops do not divide it: `whole` full iterations of the last (clipped) range of the loops outside, and
  /// perhaps one clipped iteration (`tail` 1). `index`: its place in the nest.
  struct UnevenLoop {
    std::size_t index = 0;
    bool temporal = true;
    std::int64_t bound = 1, whole = 1, tail = 0;
  };
  struct UnevenDim {
    std::size_t dim = 0, begin = 0, end = 0;  // in uneven_loops_, innermost first
  };
  struct FlatTerm {
    std::size_t dim;
    std::int64_t coefficient;  // magnitude, not zero
  };
  using FlatAxis = std::vector<FlatTerm>;
  struct FlatOperand {
    bool output = false, on_chip = false;
    bool regular = true;  // no dim moves it twice: sums over tiles are products over axes
    bool single = true;   // regular, and every axis has at most one term
    bool simple = true;   // single with coefficients 1: the tiles of every level sum to all words
    std::int64_t simple_words = 1, relevant_points = 1;
    std::vector<FlatAxis> axes;
    std::vector<char> moves;           // per dim
    std::vector<std::size_t> axis_of;  // per dim that moves it
  };
  /// Some tiles of equal extent of one dim.
  struct Tiles {
    std::int64_t extent = 0, count = 0;
  };
  /// Which digits (loop indices) of a dim are told apart, among the loops before `end`: temporal ones before `temporal_end`, spatial
  /// ones before `spatial_end`, but for loop `except`.
  struct Kept {
    std::size_t end, temporal_end, spatial_end;
    std::size_t except = no_loop;
  };
  /// From a keeper to the next inner one (levels: the lanes); `moving`: the innermost temporal loop outside that changes the tile.
  struct Transfer {
    std::size_t parent, child, moving;
  };
  /// What one operand sees of the loops so far, from the outside in.
  struct Nest {
    // Products of the bounds of irrelevant even loops; `changing`: of the temporal ones outside the innermost temporal loop that moves
    // the operand, `parent_space`: of the spatial ones outside the parent.
    std::int64_t time = 1, changing = 1, space = 1, parent_space = 1;
    std::size_t moving = no_loop, parent = 0;
    // Flags, a word each: packed bytes would stall their copies.
    std::size_t space_between = 0;  // a spatial loop since the parent
    // Reductions over time, those of them outside the moving loop, over space, and over space outside the parent.
    std::size_t in_time = 0, in_time_outside = 0, in_space = 0, in_space_outside = 0;
  };

  std::size_t at(std::size_t level, std::size_t dim) const { return level * stride_ + dim; }
  std::int64_t* copy_row(std::vector<std::int64_t>& table, std::size_t from, std::size_t to) const;
  std::int64_t bound(std::size_t dim) const { return problem_->dims[dim].bound; }
  std::array<Tiles, 2> tiles_of(std::size_t level, std::size_t dim) const;
  std::int64_t extent(std::size_t level, std::size_t dim) const;

  void flatten(const Mapping& mapping);
  void find_uneven_dims();
  std::int64_t values(const UnevenDim& dim, const Kept& kept) const;
  std::int64_t uneven_values(const FlatOperand& operand, const Kept& kept) const;
  std::int64_t axis_sum(const FlatAxis& axis, std::size_t level) const;
  std::int64_t overlap_sum(const FlatAxis& axis, std::size_t term, std::size_t moving_dim, std::size_t level,
                           std::int64_t overlap) const;
  std::int64_t moving_steps(std::size_t level, std::size_t moving) const;
  std::int64_t moved_words(const FlatOperand& operand, std::size_t level, std::size_t moving);
  std::int64_t sum_of_boxes(const FlatOperand& operand, std::size_t dim, std::size_t shifted, std::int64_t shift);
  void owned_spans(std::size_t level, std::size_t dim);
  std::int64_t owned_words(const FlatOperand& operand, std::size_t level);
  void count_operand(std::size_t o, const Mapping& mapping);
  std::int64_t connect(std::size_t o, const Nest& nest, std::size_t child);
  std::int64_t merged_words(const FlatOperand& operand, const Transfer& transfer);

  const Problem* problem_;
  std::size_t dims_, stride_;  // a row of the tables below: dims, rounded up to whole blocks
  MergedReads merged_;
  std::vector<FlatOperand> operands_;
  AccessCounts counts_;

  // Of the mapping in hand.
  std::size_t levels_ = 0;
  std::vector<FlatLoop> loops_;           // outermost first
  std::vector<std::size_t> begin_;        // loops_[begin_[l]..begin_[l + 1]) are those of level l
  std::vector<std::int64_t> tile_;        // [level][dim], levels + 1 rows: product of the loops at and inside the level
  std::vector<std::int64_t> tile_count_;  // [level][dim]: tiles that cover the dim
  std::vector<std::int64_t> spatial_;     // [level][dim]: product of the spatial loops outside the level
  std::vector<UnevenDim> uneven_dims_;
  std::vector<UnevenLoop> uneven_loops_;
  // Scratch of the general sums.
  std::vector<std::vector<Tiles>> tile_lists_;  // per dim
  std::vector<std::int64_t> chosen_;            // per dim
  std::vector<std::int64_t> owned_, offsets_;
  std::vector<const FlatLoop*> mine_;
};

}  // namespace tilewright
