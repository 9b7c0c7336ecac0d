// A mapping as a sequence of tile steps: what moves at every level in each step.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sim/mapping/access_counts.hpp"

namespace tilewright {

/// One core of several. `place` says which iteration of each spatial loop (bound above 1, the outermost ones) is its own; words that it
/// shares with others (a tile further out, a multicast) fall to the first of them. `level`: the outermost level that is its own.
struct CorePlace {
  std::size_t level = 0;
  std::vector<std::int64_t> place;
};

/// The outer temporal loops of a mapping, one iteration (or block of iterations) a step. What a step moves is the exact part of
/// `count_accesses` that falls into it, so the steps of a schedule add up to the AccessCounts in every field. Steps that move the
/// same words share one record; nothing is stored per step.
///
/// Order in time: an operand's tile moves in the first step that needs it; the window's new part only, as count_accesses counts.
/// The words of a result tile stand in the first step that works on it, too: they leave before the next step that has some.
/// Results whose tile comes back are read again from the second visit on. Where results overlap in space (transposed convolution)
/// the words owned are taken as new in the order of time until all of them have been seen.
class TileSchedule {
 public:
  /// Indices [low, high) of a dim.
  struct Range {
    std::int64_t low = 0, high = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };

  /// Steps down to the tile that the outermost level hands out, or down to the core's own, at most `most_steps` of them: deeper loops,
  /// and blocks of the last loop, are summed inside a step. The schedules of all places have equally many steps and add up to the
  /// AccessCounts together. Precondition: `check` passed; problem and mapping outlive the schedule; a place only where results_overlap is
  /// false.
  TileSchedule(const Problem& problem, const Mapping& mapping, std::int64_t most_steps, const CorePlace& core = {});

  /// True if words of a result belong to several tiles (transposed convolution).
  static bool results_overlap(const Problem& problem);
  /// Equal for places whose schedules move the same words in every step.
  std::uint64_t place_class(const std::vector<std::int64_t>& place) const;

  std::int64_t steps() const { return steps_; }
  /// True if tiles change inside a step: their transfers are summed there.
  bool aggregated() const { return aggregated_; }

  /// Words moved in the current step; the record lives as long as the schedule. `points` counts the true points of the step,
  /// `utilized_instances` and `partial_sums` are those of the whole mapping, `merged_reads` a part in proportion, rounded up;
  /// `tile_words`, `temporal_steps` and `lanes_used` stay zero.
  const AccessCounts& moved() const { return *current_; }
  std::int64_t step() const { return step_; }
  /// The indices of every dim that the current step works on (where parallel instances take indices that lie apart: the interval
  /// that spans them).
  std::vector<Range> ranges() const;
  /// Goes to the next step; false behind the last one (then the schedule stands at its start again).
  bool advance();

 private:
  struct StepLoop {
    std::size_t dim = 0, level = 0;
    bool temporal = true;
    std::int64_t bound = 1, step = 1;  // step: extent of the dim inside one iteration
    std::int64_t whole = 0;            // full iterations of the last, clipped range of the loops outside
    std::int64_t low = 0, high = 1;    // iterations of the current step: [low, high)
  };
  /// Tiles of one dim in the current step: full ones, and perhaps one clipped to `rest`.
  struct Part {
    std::int64_t full = 0, clipped = 0, tile = 1, rest = 0;
    std::int64_t count() const { return full + clipped; }
  };
  enum class Keep { all, drop };  // drop: only the first iteration counts

  void flatten();
  void choose_steps(std::int64_t most_steps, std::size_t core_level);
  std::vector<std::size_t> spatial_loops() const;
  void select();
  std::uint64_t step_class() const;
  AccessCounts transfers() const;
  void move_operand(std::size_t operand, AccessCounts& moved) const;
  template <class Role>
  Part part(std::size_t dim, std::size_t end, std::int64_t tile, const Role& role, std::size_t from_second) const;
  std::int64_t boxes(const Operand& operand, const std::vector<Part>& parts, std::size_t shifted,
                     std::int64_t shift) const;
  void settle_overlapping_results();

  const Problem& problem_;
  const Mapping& mapping_;
  AccessCounts whole_;                // of the whole mapping
  std::vector<StepLoop> loops_;       // bound > 1, outermost first
  std::vector<std::size_t> begin_;    // loops_[begin_[l]] is the first at level l or inside
  std::vector<std::int64_t> tile_;    // [level][dim], levels + 1 rows, not clipped
  std::vector<std::size_t> stepped_;  // temporal loops that make the steps
  std::int64_t block_ = 1;            // iterations of the last stepped loop in one step
  std::int64_t steps_ = 1, step_ = 0;
  bool aggregated_ = false;
  std::unordered_map<std::uint64_t, AccessCounts> classes_;
  const AccessCounts* current_ = nullptr;
  bool overlapping_ = false;  // some result's words overlap between tiles
  std::map<std::pair<std::uint64_t, std::vector<std::int64_t>>, AccessCounts> settled_;  // steps where results overlap
  AccessCounts
      unseen_;  // words of such results not yet seen: in `fills` by the level itself, in `reads` by what comes from inside
};

}  // namespace tilewright
