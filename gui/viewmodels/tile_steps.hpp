// A mapping played step by step: which part of every tensor a step works on, what moves, and what the buffers hold.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/cost/evaluation.hpp"
#include "sim/mapping/tile_schedule.hpp"

namespace tilewright::gui {

/// A tensor as it is drawn: two axes span a rectangle, the others are bars beside it.
struct TensorShape {
  std::string name;
  Role role = Role::input;
  std::vector<std::string> axes;     // "K", "2P+R"
  std::vector<std::int64_t> sizes;   // words along each axis
  std::size_t across = 0, down = 0;  // the two longest axes; equal where there is one
};

/// What one level holds for one tensor in a step, in words; moved by all instances.
struct HeldTile {
  bool kept = false;
  bool fresh = false;            // some of it is new in this step
  std::int64_t words = 0;        // of one instance
  double bytes = 0;              // of one instance
  std::int64_t in = 0, out = 0;  // written from outside and sent back in this step: fills; drains
  std::int64_t inside = 0;       // exchanged with the next inner keeper or the lanes in this step: reads and updates
  std::int64_t in_so_far = 0, inside_so_far = 0;
  /// Words exchanged with the inside for each word that came in; none: nothing came in yet.
  std::optional<double> reuse() const;
};

struct TileStep {
  std::vector<TileSchedule::Range> ranges;              // of the dims
  std::vector<std::vector<TileSchedule::Range>> boxes;  // [operand][axis]: the part of the tensor
  std::vector<bool> stays;                              // [operand]: the same part as in the step before
  std::vector<std::vector<HeldTile>> held;              // [level][operand]; level 0: where the tiles come from
  std::int64_t points = 0, points_so_far = 0;
};

struct BufferShape {
  std::string name;
  std::optional<double> capacity;  // bytes of one instance
  std::int64_t instances = 1;      // that hold words
};

/// The steps in which `level` of a mapping hands out tiles: of the whole problem for the outermost level, else of the first tile
/// that the level works on. At most `most_steps`; then neighbouring tiles share a step.
struct TileSteps {
  std::vector<TensorShape> tensors;
  std::vector<BufferShape> buffers;  // `level` and all inside it
  std::vector<std::string> dims;
  std::vector<TileStep> steps;
  AccessCounts counts;      // of the whole nest; for the outermost level those of the evaluation
  bool aggregated = false;  // tiles change inside a step
};

/// Precondition: the chip's levels are in the order of the mapping's; level < mapping.levels.size().
TileSteps tile_steps(const Evaluation& evaluation, const Chip& chip, std::size_t level, std::int64_t most_steps);

}  // namespace tilewright::gui
