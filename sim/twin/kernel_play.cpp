#include "sim/twin/kernel_play.hpp"

#include <algorithm>
#include <cmath>
#include <map>

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
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    runs_.emplace_back();
    for (std::size_t o = 0; o < operands(); ++o) runs_.back().push_back(runs_of(kernel.problem, kernel.mapping, o, l));
  }
  for (std::size_t o = 0; o < operands(); ++o) {
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

double KernelPlay::word_bytes(const AccessCounts& moved, std::size_t level, std::size_t operand) const {
  const StoredWord& word = model_.words[level * operands() + operand];
  return (moved.levels[level][operand].partial_sums ? word.partial_bits : word.final_bits) / 8.0;
}

/// Of the busiest bank of one of `instances` that share the words. Tiles go to and come from the next inner level in runs; what is filled
/// from outside or leaves is the whole tile, one access behind the other. The lanes' own reads are part of the array's time.
Cycles KernelPlay::bank_time(const AccessCounts& moved, std::size_t level, double instances) const {
  const BufferLevel& buffer = chip_->levels[level];
  if (!buffer.banks) return {};
  const BankTiming& timing = *buffer.banks;
  const double width = static_cast<double>(buffer.access_bits) / 8.0;
  const auto accesses = [&](double bytes, Runs runs) {
    const auto whole = [](double count) { return std::max<std::int64_t>(1, std::llround(std::ceil(count))); };
    if (bytes <= 0) return 0.0;
    const double piece = std::min(bytes, runs.bytes);
    return static_cast<double>(
        busiest_bank(timing.banks, whole(bytes / piece), whole(piece / width), whole(runs.pitch / width)));
  };
  double read = 0, written = 0;
  for (std::size_t o = 0; o < operands(); ++o) {
    const OperandAccesses& words = moved.levels[level][o];
    if (!words.kept) continue;
    const double word = word_bytes(moved, level, o) / instances;
    const auto bytes = [&](std::int64_t count) { return static_cast<double>(count) * word; };
    const double all = bytes(words.fills + words.drains);
    read += accesses(bytes(words.drains), {all, all});
    written += accesses(bytes(words.fills), {all, all});
    if (words.feeds_lanes) continue;
    read += accesses(bytes(words.reads), runs_[level][o]);
    written += accesses(bytes(words.updates), runs_[level][o]);
  }
  return Cycles{(buffer.separate_ports ? std::max(read, written) : read + written) / static_cast<double>(timing.ports)};
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
    const double instances = static_cast<double>(used) / (part * static_cast<double>(share));
    const Cycles transfer = part * static_cast<double>(share) * levels[l].time;
    times.feed.push_back(ticks_of(l == 0 ? transfer : std::max(transfer, bank_time(moved, l, instances))));
  }
  const BufferLevel& outer = chip_->levels.front();
  for (std::size_t o = 0; o < operands(); ++o) {
    const OperandAccesses& words = moved.levels.front()[o];
    const double word = part * word_bytes(moved, 0, o);
    const bool output = kernel_->problem.operands[o].role == Role::output;
    times.in_bytes.push_back(
        static_cast<double>(outer.link.reads_merged() && !output ? words.merged_reads : words.reads) * word);
    times.in.push_back(transfer_ticks(outer, chip_->clock, times.in_bytes.back(), runs_[0][o]));
    if (!output) continue;
    times.out_bytes = static_cast<double>(words.updates) * word;
    times.out = transfer_ticks(outer, chip_->clock, times.out_bytes, runs_[0][o]);
  }
  return times;
}

}  // namespace tilewright
