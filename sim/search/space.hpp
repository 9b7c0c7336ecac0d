// What the search may vary for one problem on one chip: unrollings (frames), tiles within them, loop orders.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/cost/cost_model.hpp"
#include "sim/search/search.hpp"

namespace tilewright {

constexpr std::size_t most_dims =
    12;  // dims with a bound above 1 that are tiled; further ones stay at the outermost level
constexpr std::size_t most_levels = 10;  // chips with more levels get the trivial mapping
constexpr std::size_t most_operands = 16;

using Extents = std::array<std::int64_t, most_dims>;  // one number per tiled dim
using DimSet = std::uint32_t;                         // bit per tiled dim, or per operand

/// An operand as the bounds see it: terms name tiled dims only.
struct TiledOperand {
  std::vector<Axis> axes;
  std::vector<bool> shared;  // per axis: it names several dims, of whatever bounds
  DimSet moved_by = 0;       // dims that move it
  DimSet window = 0;         // of these, dims on an axis with another one: their order decides what is fetched again
  bool simple = true;        // every axis is one dim with coefficient 1: all tiles together are the tensor
  bool diagonal = false;     // a dim on two axes
  bool overlapping = false;  // a shared axis: a result's tiles count as overlapping
  bool output = false, on_chip = false;
  int bits = 0;
  double words = 0;  // of the whole tensor, simple operands only
};

/// A class of loop orders within one level, for the dims present there. Dims that leave the same operands in place are one group;
/// only how far each operand's run of irrelevant loops reaches from the inside counts (docs/model.md, "Search").
struct OrderClass {
  std::vector<int> groups;  // outermost first
  struct Effect {
    DimSet stripped = 0;  // groups inside the innermost one that moves the operand
    int closed_by = -1;   // that group; -1: none, the run goes on in the next outer level
  };
  std::vector<Effect> effects;  // per operand
};

/// A choice of all unrollings, and of a menu entry where the family has a menu.
struct Frame {
  std::size_t spatial = 0;  // first of levels x dims factors in Space::factors; levels as in Space::spatial_levels
  int menu = -1;
};

struct Space {
  const CostModel* model = nullptr;
  MapRules rules;
  std::size_t levels = 0;
  std::vector<int> dims;  // tiled dims: positions in the problem
  Extents bounds{};
  std::vector<TiledOperand> operands;
  std::vector<DimSet> groups;                   // dims by the operands that they leave in place
  std::vector<DimSet> still;                    // per group: those operands
  bool one_still = true;                        // no dim leaves two operands in place
  std::vector<std::vector<OrderClass>> orders;  // by set of groups present
  DimSet passes = 0, columns = 0;               // passes over a row stay outside the loops over its columns
  std::vector<std::size_t> spatial_levels;      // innermost first
  std::vector<std::int32_t> factors;
  Frame plain;  // nothing unrolled
  std::vector<Frame> frames;
  bool only_perfect = true;  // all factors divide
  bool all_frames = true;    // false: too many; the most parallel choices of each dim were taken

  const Problem& problem() const { return *model->problem; }
  const Chip& chip() const { return *model->chip; }
  std::int32_t factor(const Frame& frame, std::size_t place, std::size_t dim) const {
    return factors[frame.spatial + place * dims.size() + dim];
  }
};

/// The frames with perfect factors, or those that only imperfect ones add, that take at most `most_steps` steps of the tiled dims; none
/// when there are more than half of `effort` or 60,000 (with a large effort the most parallel ones instead). Precondition: at most
/// most_levels levels and most_operands operands.
Space make_space(const CostModel& model, MapRules rules, Factors factors, std::int64_t effort, double most_steps);

/// The dim of a vector problem that moves no operand: passes over a row, which stay outside the loops over its columns. -1: none.
int passes_dim(const Problem& problem);

/// Factors s <= room worth trying for a dim of which n is left, ascending: the divisors of n, and unless `perfect` every s that is the
/// smallest with its ceil(n / s).
std::vector<std::int64_t> unrolling_choices(std::int64_t n, std::int64_t room, bool perfect);

/// Shares out unrolled factors over the two axes of a level. False where they do not fit.
bool split_axes(const Space& space, std::size_t level, const std::int32_t* factors, Extents& x, Extents& y);

}  // namespace tilewright
