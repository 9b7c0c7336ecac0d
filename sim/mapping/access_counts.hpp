// The only code that knows reuse: exact access counts of a mapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/mapping/operand_words.hpp"

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

/// What a count leaves out because no one asks for it.
struct Counting {
  bool merged_reads = true;                 // without: merged_reads is reads
  bool tile_words = true;                   // without: 0
  std::vector<char> first_tile_words = {};  // [level]: 0 leaves them 0 there; empty: all are counted
};

/// Counts many mappings of one problem. Allocates only while it grows to the largest nest it has seen, and for merged reads.
class AccessCounter {
 public:
  explicit AccessCounter(const Problem& problem, Counting counting = {});
  /// As count_accesses; valid until the next call.
  const AccessCounts& count(const Mapping& mapping);

 private:
  /// What the digits outside a level are to an operand. Values: of those of even dims that do not move it.
  struct Outside {
    std::size_t moving = LoopDigits::none;  // the innermost temporal one that moves it
    std::int64_t times = 1, before = 1;     // values of the temporal ones; of those before `moving`
    std::int64_t copies = 1;                // values of the spatial ones
  };

  /// Operands by whether a dim moves them.
  struct Users {
    std::vector<std::size_t> moved, still;
  };

  /// One operand of the problem.
  struct Counted {
    OperandWords words;
    bool output = false, on_chip = false;
    std::vector<std::size_t> uneven;  // dims that do not move it
  };

  void read(const Mapping& mapping);
  void count_operand(std::size_t o);
  const Outside& outside(std::size_t level, std::size_t o) const { return outside_[level * row_ + o]; }
  std::int64_t times(std::size_t o, std::size_t child, std::size_t in_space) const;
  std::int64_t owned(std::size_t o, std::size_t level);

  Counting counting_;
  LoopDigits digits_;
  std::vector<Counted> operands_;
  std::vector<Users> users_;                  // per dim
  std::size_t row_;                           // of a table by operand: how many there are
  std::vector<Outside> outside_;              // [level][operand], and of the lanes
  std::vector<char> kept_;                    // [level][operand]
  std::vector<std::int64_t> instances_used_;  // per level: how many ever hold a tile
  AccessCounts counts_;
};

}  // namespace tilewright
