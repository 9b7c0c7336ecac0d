// The cost of many mappings of one problem: what does not change with the mapping is resolved once.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "sim/cost/cost.hpp"

namespace tilewright {

/// What one word of an operand costs to store at a level.
struct StoredWord {
  double final_bits = 0, partial_bits = 0;  // data and metadata; of a sum that still misses terms
  double lane_share = 1;                    // part of the traffic with the lanes that zeros of other operands leave
  bool result = false;                      // a word of the output
};

/// A problem on a chip. Refers to both: they must outlive it.
struct CostModel {
  const Problem* problem = nullptr;
  const Chip* chip = nullptr;
  const ArchFamily* family = nullptr;
  std::size_t array_level = 0, operands = 0;
  bool peer_compatible = false;   // the chip's energy table: drains are free, reads and writes have ports of their own
  std::vector<StoredWord> words;  // [level x operands + operand]
  double active_share = 1;        // part of the MACs that zeros leave (gated or skipped)
  double timed_share = 1;         // part of the time that zeros leave (skipped)
  Watts static_power;
  Cycles launch;
  Cycles ideal;                       // all points at the chip's peak rate
  std::vector<std::int64_t> touched;  // distinct words per operand; 0 where they never leave the chip
  Cycles compute_bound;               // of the arithmetic alone
  Joules arithmetic_bound;
  Cycles cycles_bound;
  EnergyBy energy_bound;
};

/// InputError when the chip names an energy table that does not exist.
CostModel cost_model(const Problem& problem, const Chip& chip);

/// The same problem on `chip`, which may differ from the model's chip in the capacities, bandwidths, energies and leakage of its levels and in nothing else.
void move_to(CostModel& model, const Chip& chip);

/// Time and energy of one mapping, without the tables behind them.
struct CostFigures {
  Cycles cycles, overhead;
  EnergyBy energy;
};

ArrayPass array_pass(const CostModel& model, const Mapping& mapping);
/// Energy of the counts on the chip's levels: accesses x pJ, by level and operand. A chip whose links merge neighbours' words needs
/// counts with merged reads.
std::vector<LevelCost> level_costs(const CostModel& model, const AccessCounts& counts);
/// Arithmetic, levels and links of these counts; static power is left out.
EnergyBy dynamic_energy(const CostModel& model, const AccessCounts& counts, const std::vector<LevelCost>& levels,
                        const ComputeCost& compute);
CostFigures cost_figures(const CostModel& model, const Mapping& mapping, const AccessCounts& counts,
                         const std::vector<LevelCost>& levels, const ComputeCost& compute);
/// The part of a cost that the array's family knows, without its explanation.
struct ArrayFigures {
  Cycles cycles, fill_drain;
  EnergyBy energy;  // of the events
  double chips = 1;
};

ArrayFigures array_figures(const CostModel& model, const ComputeCost& compute);
/// As `evaluate`, from its parts.
CostFigures cost_figures(const CostModel& model, const AccessCounts& counts, const ArrayFigures& array);
Evaluation evaluate(const CostModel& model, const Mapping& mapping);
/// Times and energies of an evaluation from its counts and its array cost, which depend neither on capacities nor on bandwidths.
void price(const CostModel& model, Evaluation& evaluation);

/// The figures of many mappings of one problem, as `evaluate` gives them: what a search compares. Allocates only for an array pass
/// that it sees for the first time (its figures are kept) and while it grows to the largest nest;
/// on chips with merging links also for the unions of windows. Refers to the model. One a thread.
class MappingEvaluator {
 public:
  explicit MappingEvaluator(const CostModel& model);
  /// Precondition: check passed. OverflowError above 64 bits.
  CostFigures evaluate(const Mapping& mapping);
  /// Of the last mapping, without tile_words, and without merged reads and first tiles where no time or energy asks for them.
  const AccessCounts& counts() const { return *counts_; }

 private:
  /// The products of an array pass: per dim in space, in time, over the chip; passes. The hash is a weighted sum of them.
  struct PassKey {
    std::vector<std::int64_t> products;
    std::uint64_t hash = 0;
    bool operator==(const PassKey& other) const { return products == other.products; }
  };
  struct PassHash {
    std::size_t operator()(const PassKey& key) const { return static_cast<std::size_t>(key.hash ^ key.hash >> 32); }
  };
  const ArrayFigures& array_figures(const Mapping& mapping);

  const CostModel* model_;
  AccessCounter counter_;
  const AccessCounts* counts_ = nullptr;
  PassKey blank_, key_;
  std::vector<std::uint64_t> weights_;
  std::unordered_map<PassKey, ArrayFigures, PassHash> passes_;
};

/// Seconds, joules or joule-seconds of a time and an energy.
double score(Cycles cycles, Joules energy, const Chip& chip, Objective objective);

/// Power that flows whatever the chip does: leakage of all levels plus the chip's static power; zero where a measured energy
/// per synaptic operation already includes it.
Watts static_power(const Chip& chip);

/// Distinct words of an operand that a problem touches: what must cross the outermost level at least once. Less than the
/// bounding box where a stride skips elements.
std::int64_t touched_words(const Problem& problem, const Operand& operand);

}  // namespace tilewright
