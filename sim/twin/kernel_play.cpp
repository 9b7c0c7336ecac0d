#include "sim/twin/kernel_play.hpp"

#include <algorithm>
#include <map>

#include "sim/twin/transfer.hpp"

namespace tilewright {

KernelPlay::KernelPlay(const Evaluation& kernel, const Chip& chip, const Cores& cores, bool shared_out,
                       std::int64_t most_steps)
    : kernel_(&kernel),
      chip_(&chip),
      model_(cost_model(kernel.problem, chip)),
      shared_out_(shared_out),
      cores_(cores.count()) {
  std::map<std::uint64_t, std::size_t> classes;
  for (std::size_t core = 0; core < cores_; ++core) {
    const CorePlace place = shared_out ? CorePlace{} : CorePlace{cores.level(), cores.place(core)};
    const std::uint64_t key = core == 0 || shared_out ? 0 : schedules_.front()->place_class(place.place);
    const auto [entry, fresh] = classes.try_emplace(key, schedules_.size());
    if (fresh) schedules_.push_back(std::make_unique<TileSchedule>(kernel.problem, kernel.mapping, most_steps, place));
    schedule_of_.push_back(entry->second);
  }
  for (std::size_t o = 0; o < operands(); ++o) {
    runs_.push_back(run_bytes(kernel.problem, kernel.mapping, o));
    std::size_t keeper = 1;
    while (keeper < chip.levels.size() && !kernel.mapping.levels[keeper].keeps[o]) ++keeper;
    // What nothing inside keeps streams past.
    two_tiles_.push_back(keeper == chip.levels.size() || chip.levels[keeper].double_buffered);
    std::vector<std::size_t>& carriers = carriers_.emplace_back();
    bool alone = true;
    for (std::size_t core = 0; core < cores_; ++core) {
      carriers.push_back(shared_out ? core : cores.carrier(core, kernel.problem.operands[o], keeper));
      alone = alone && carriers.back() == core;
    }
    shared_.push_back(!alone);
  }
}

bool KernelPlay::advance() {
  bool more = false;
  for (const auto& schedule : schedules_) more = schedule->advance();
  return more;
}

double KernelPlay::word_bytes(const AccessCounts& moved, std::size_t operand) const {
  const StoredWord& word = model_.words[operand];
  return (moved.levels.front()[operand].partial_sums ? word.partial_bits : word.final_bits) / 8.0;
}

const StepTimes& KernelPlay::times(const AccessCounts& moved, const std::vector<std::int64_t>& ports) {
  const auto [entry, fresh] = times_.try_emplace(&moved);
  StepTimes& times = entry->second;
  if (!fresh) return times;
  const double part = shared_out_ ? 1.0 / static_cast<double>(cores_) : 1.0;
  const std::vector<LevelCost> levels = level_costs(model_, moved);
  for (std::size_t l = 0; l < levels.size(); ++l) {
    // A level's time is that of all instances in use together; one port has its part of their bandwidth.
    std::int64_t used = 1;
    for (const OperandAccesses& words : moved.levels[l]) used = std::max(used, words.utilized_instances);
    const std::int64_t share = shared_out_ ? ports[l] : std::min(ports[l], used);
    times.feed.push_back(ticks_of(part * static_cast<double>(share) * levels[l].time));
  }
  const BufferLevel& outer = chip_->levels.front();
  for (std::size_t o = 0; o < operands(); ++o) {
    const OperandAccesses& words = moved.levels.front()[o];
    const double word = part * word_bytes(moved, o);
    const bool output = kernel_->problem.operands[o].role == Role::output;
    times.in_bytes.push_back(
        static_cast<double>(outer.link.reads_merged() && !output ? words.merged_reads : words.reads) * word);
    times.in.push_back(transfer_ticks(outer, chip_->clock, times.in_bytes.back(), runs_[o]));
    if (!output) continue;
    times.out_bytes = static_cast<double>(words.updates) * word;
    times.out = transfer_ticks(outer, chip_->clock, times.out_bytes, runs_[o]);
  }
  return times;
}

}  // namespace tilewright
