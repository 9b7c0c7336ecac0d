// The cores that play a kernel one by one: what tells them apart and what they share.
#pragma once

#include "sim/mapping/tile_schedule.hpp"

namespace tilewright {

/// Cores of one kernel, numbered from 0 in the order of their loops. One core: all of the chip in step.
class Cores {
 public:
  /// The spatial loops outside the chip's core level, outermost first, as long as they make at most `most` cores: further ones run in
  /// step. Results that overlap in space (transposed convolution) are one core's.
  Cores(const Problem& problem, const Mapping& mapping, const Chip& chip, std::int64_t most);

  std::size_t count() const { return count_; }
  std::size_t level() const { return level_; }  // the outermost one of which each core has an instance; 0: one core
  /// Iteration of each loop.
  std::vector<std::int64_t> place(std::size_t core) const;
  /// Which instance of a level serves the core, as they are numbered on the chip; inside level(): the core's own.
  std::int64_t instance(std::size_t core, std::size_t level) const;
  /// The core to which the words of an operand's tile at `keeper` fall: itself, or the first of those that share it.
  std::size_t carrier(std::size_t core, const Operand& operand, std::size_t keeper) const;

 private:
  struct CoreLoop {
    std::size_t level = 0;
    int dim = 0;
    std::int64_t bound = 1;
  };
  std::vector<CoreLoop> loops_;
  std::vector<std::int64_t> widths_;  // by level outside the core's: instances of the next level under one of it
  std::size_t count_ = 1, level_ = 0;
};

}  // namespace tilewright
