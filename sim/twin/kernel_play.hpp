// One kernel on its cores: what each of them moves step by step, and how long its transfers take.
#pragma once

#include <memory>
#include <unordered_map>

#include "sim/cost/cost_model.hpp"
#include "sim/twin/cores.hpp"
#include "sim/twin/program.hpp"
#include "sim/twin/transfer.hpp"

namespace tilewright {

/// Times of a step's record, worked out once per record.
struct StepTimes {
  std::vector<Ticks> feed;  // by level, at one port; the outermost one's is not used
  std::vector<Ticks> in;    // by operand: words that the outermost level hands out
  std::vector<double> in_bytes;
  Ticks out = 0;  // results that it takes
  double out_bytes = 0;
};

/// A kernel of a run. The evaluation and the chip outlive it.
class KernelPlay {
 public:
  /// `cores`: that play the run, told apart by the loops of this kernel, or those of another one that it is fused to
  /// (`shared_out`): then each step falls to them in equal parts.
  KernelPlay(const Evaluation& kernel, const Chip& chip, const Cores& cores, bool shared_out, std::int64_t most_steps);

  const Evaluation& kernel() const { return *kernel_; }
  std::size_t operands() const { return kernel_->problem.operands.size(); }
  std::size_t result() const { return operands() - 1; }
  std::int64_t steps() const { return schedules_.front()->steps(); }
  std::int64_t step() const { return schedules_.front()->step(); }
  bool advance();
  /// What falls to a core in the current step; lives as long as the play. Shared out: of all cores together.
  const AccessCounts& moved(std::size_t core) const { return schedules_[schedule_of_[core]]->moved(); }
  bool shared_out() const { return shared_out_; }
  /// `ports`: by level, through how many ports the cores' traffic goes.
  const StepTimes& times(const AccessCounts& moved, const std::vector<std::int64_t>& ports);
  /// The core that fetches an operand's tile for this core, or writes its results; whether there is one with several.
  std::size_t carrier(std::size_t operand, std::size_t core) const { return carriers_[operand][core]; }
  bool shared(std::size_t operand) const { return shared_[operand]; }
  bool two_tiles(std::size_t operand) const { return two_tiles_[operand]; }  // the store below is double buffered

 private:
  double word_bytes(const AccessCounts& moved, std::size_t level, std::size_t operand) const;
  Cycles bank_time(const AccessCounts& moved, std::size_t level, double instances) const;

  const Evaluation* kernel_;
  const Chip* chip_;
  CostModel model_;
  bool shared_out_;
  std::size_t cores_;
  std::vector<std::unique_ptr<TileSchedule>> schedules_;  // cores that move the same words share one
  std::vector<std::size_t> schedule_of_;                  // by core
  std::vector<std::vector<std::size_t>> carriers_;
  std::vector<bool> shared_, two_tiles_;
  std::vector<std::vector<Runs>> runs_;  // by level and operand
  std::unordered_map<const AccessCounts*, StepTimes> times_;
};

}  // namespace tilewright
