#include "sim/twin/layered.hpp"

#include <algorithm>
#include <unordered_map>

#include "core/checked.hpp"
#include "sim/cost/cost.hpp"
#include "sim/mapping/tile_schedule.hpp"
#include "sim/twin/transfer.hpp"

namespace tilewright {
namespace {

constexpr std::int32_t array = 0;
// Slots; those of the levels' feeds and of the operands follow.
constexpr std::int32_t loaded = 0, done = 1, primed = 2, launched = 3, stored_last = 4, first_fed = 5;

/// Times of a step's record, worked out once per record.
struct StepTimes {
  std::vector<Ticks> feed;  // by level; the outermost one's is not used
  std::vector<Ticks> in;    // by operand: words that the outermost level hands out
  std::vector<double> in_bytes;
  Ticks out = 0;  // results that it takes
  double out_bytes = 0;
};

/// One kernel being played.
struct Play {
  const Evaluation* kernel = nullptr;
  std::int32_t id = 0;
  std::size_t pair = 0;  // its first pair of slots: one an operand, and one for the results on their way out
  std::unique_ptr<TileSchedule> schedule;
  bool after_results = true;             // its inputs wait for what the kernels before have written
  std::vector<bool> two_tiles;           // by operand: the store below the outermost level is double buffered
  std::vector<double> runs;              // by operand: bytes in one piece at the outermost level
  const AccessCounts* result = nullptr;  // words of the result tile at work that will go to the outermost level
  std::unordered_map<const AccessCounts*, StepTimes> times;
};

class Layered final : public Program {
 public:
  Layered(std::vector<KernelRun> runs, const Chip& chip, std::int64_t most_steps);
  bool next(std::vector<Transaction>& batch) override;

 private:
  void open(std::size_t run);
  const StepTimes& times(Play& play);
  void load(std::vector<Transaction>& batch, Play& play, bool weights, bool others);
  void feed(std::vector<Transaction>& batch, Play& play);
  void store(std::vector<Transaction>& batch, Play& play);
  void fetch(std::vector<Transaction>& batch, Play& play, bool weights);
  void begin(std::vector<Transaction>& batch);
  void fetch_step(std::vector<Transaction>& batch);
  void compute_step(std::vector<Transaction>& batch);
  void finish(std::vector<Transaction>& batch);
  Transaction make(Work work, const Play& play) const;
  void rename(std::vector<Transaction>& batch, std::int32_t from, std::int32_t to) const;
  std::int32_t slot(std::size_t pair, std::int64_t tile) const {
    return static_cast<std::int32_t>(first_pair_ + 2 * pair + static_cast<std::size_t>(tile % 2));
  }
  bool prefetches() const { return chip_.launch_overhead.value <= 0; }

  std::vector<KernelRun> runs_;
  const Chip& chip_;
  std::int64_t most_steps_;
  std::vector<std::int32_t> ports_;  // by level
  std::int32_t write_port_ = 0;      // of the outermost level
  std::size_t first_pair_ = 0;
  std::vector<std::int64_t> tiles_;       // by pair of slots: tiles so far
  std::vector<std::vector<Play>> plays_;  // by run; kept, because records are referred to until they are served
  std::size_t run_ = 0;
  std::int64_t repeat_ = 0, step_ = 0;
  Ticks compute_ = 0;  // of the run, all steps
  bool begun_ = false, weights_fetched_ = false;
};

Layered::Layered(std::vector<KernelRun> runs, const Chip& chip, std::int64_t most_steps)
    : runs_(std::move(runs)), chip_(chip), most_steps_(most_steps) {
  const Ticks latency = transfer_latency(chip.levels.front(), chip.clock);
  resources_.push_back({"compute", Resource::Kind::array, 0});
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    ports_.push_back(static_cast<std::int32_t>(resources_.size()));
    resources_.push_back(
        {chip.levels[l].name, l == 0 ? Resource::Kind::memory : Resource::Kind::buffer, l == 0 ? latency : 0});
  }
  write_port_ = ports_.front();
  if (chip.levels.front().separate_ports) {
    write_port_ = static_cast<std::int32_t>(resources_.size());
    resources_.push_back({chip.levels.front().name + " write", Resource::Kind::memory, latency});
  }
  std::size_t pairs = 0;
  for (const KernelRun& run : runs_) {
    std::size_t here = 0;
    for (const Evaluation* kernel : run.kernels) {
      kernels_.push_back({run.layer, run.row});
      here += kernel->problem.operands.size() + 1;
    }
    pairs = std::max(pairs, here);
  }
  first_pair_ = static_cast<std::size_t>(first_fed) + chip.levels.size();
  slots_ = first_pair_ + 2 * pairs;
  tiles_.assign(pairs, 0);
  plays_.resize(runs_.size());
}

void Layered::open(std::size_t r) {
  if (!plays_[r].empty()) return;
  const KernelRun& run = runs_[r];
  std::size_t pair = 0, id = first_kernel(runs_, r);
  for (const Evaluation* kernel : run.kernels) {
    Play play;
    play.kernel = kernel;
    play.id = static_cast<std::int32_t>(id++);
    play.pair = pair;
    play.after_results = !run.new_request;
    play.schedule = std::make_unique<TileSchedule>(kernel->problem, kernel->mapping, most_steps_);
    const std::size_t operands = kernel->problem.operands.size();
    for (std::size_t o = 0; o < operands; ++o) {
      play.runs.push_back(run_bytes(kernel->problem, kernel->mapping, o));
      std::size_t keeper = 1;
      while (keeper < chip_.levels.size() && !kernel->mapping.levels[keeper].keeps[o]) ++keeper;
      // What nothing inside keeps streams past.
      play.two_tiles.push_back(keeper == chip_.levels.size() || chip_.levels[keeper].double_buffered);
    }
    pair += operands + 1;
    plays_[r].push_back(std::move(play));
  }
}

const StepTimes& Layered::times(Play& play) {
  const AccessCounts& moved = play.schedule->moved();
  const auto [entry, fresh] = play.times.try_emplace(&moved);
  StepTimes& times = entry->second;
  if (!fresh) return times;
  const Problem& problem = play.kernel->problem;
  for (const LevelCost& level : level_costs(problem, moved, chip_)) times.feed.push_back(ticks_of(level.time));
  const auto transfer = [&](double bytes, std::size_t o) {
    return transfer_ticks(chip_.levels.front(), chip_.clock, bytes, play.runs[o]);
  };
  for (std::size_t o = 0; o < problem.operands.size(); ++o) {
    const double word = bits(problem.operands[o].type) / 8.0;
    times.in_bytes.push_back(static_cast<double>(moved.levels.front()[o].reads) * word);
    times.in.push_back(transfer(times.in_bytes.back(), o));
    if (problem.operands[o].role != Role::output) continue;
    times.out_bytes = static_cast<double>(moved.levels.front()[o].updates) * word;
    times.out = transfer(times.out_bytes, o);
  }
  return times;
}

Transaction Layered::make(Work work, const Play& play) const {
  Transaction t;
  t.work = work;
  t.kernel = play.id;
  t.step = play.schedule->step();
  return t;
}

void Layered::rename(std::vector<Transaction>& batch, std::int32_t from, std::int32_t to) const {
  Transaction t;
  t.work = Work::rename;
  t.after[0] = from;
  t.publish = to;
  batch.push_back(t);
}

/// Tiles of the schedule's step, the weights or everything else; each waits for room in the store below.
void Layered::load(std::vector<Transaction>& batch, Play& play, bool weights, bool others) {
  const StepTimes& time = times(play);
  const AccessCounts& moved = play.schedule->moved();
  const Problem& problem = play.kernel->problem;
  for (std::size_t o = 0; o < problem.operands.size(); ++o) {
    const OperandAccesses& words = moved.levels.front()[o];
    const Role role = problem.operands[o].role;
    const bool partial_sums = role == Role::output && words.delivered > 0;
    if ((words.reads == 0 && !partial_sums) || !(role == Role::weight ? weights : others)) continue;
    const std::size_t pair = play.pair + o;
    Transaction t = make(Work::load, play);
    t.after[0] = done;
    if (play.two_tiles[o]) {  // the tile before this one was in use until now, the one before that until a tile ago
      rename(batch, done, slot(pair, tiles_[pair] + 1));
      t.after[0] = slot(pair, tiles_[pair]);
    }
    ++tiles_[pair];
    if (!prefetches()) t.after[1] = launched;
    if (role != Role::weight && play.after_results) t.after[2] = stored_last;
    t.resource = ports_.front();
    t.ticks = time.in[o];
    t.publish = loaded;
    t.level = 0;
    t.operand = static_cast<std::int16_t>(o);
    t.fields = reads | delivered;
    t.moved = &moved;
    t.bytes = time.in_bytes[o];
    batch.push_back(t);
  }
}

/// Traffic of the inner levels in the schedule's step: runs while the array works.
void Layered::feed(std::vector<Transaction>& batch, Play& play) {
  const StepTimes& time = times(play);
  for (std::size_t l = 1; l < ports_.size(); ++l) {
    Transaction t = make(Work::feed, play);
    t.resource = ports_[l];
    t.after = {loaded, done, primed, no_slot};
    t.publish = static_cast<std::int32_t>(first_fed + static_cast<int>(l));
    t.level = static_cast<std::int16_t>(l);
    t.fields = every_field;
    t.moved = &play.schedule->moved();
    t.ticks = time.feed[l];
    batch.push_back(t);
  }
}

/// The result tile that the array has left.
void Layered::store(std::vector<Transaction>& batch, Play& play) {
  if (play.result == nullptr) return;
  const StepTimes& time = play.times.at(play.result);
  const std::size_t o = play.kernel->problem.operands.size() - 1;
  const std::size_t pair = play.pair + o + 1;
  Transaction t = make(Work::store, play);
  t.resource = write_port_;
  t.ticks = time.out;
  t.after[0] = done;
  t.publish = slot(pair, tiles_[pair]);
  t.level = 0;
  t.operand = static_cast<std::int16_t>(o);
  t.fields = updates;
  t.moved = play.result;
  t.bytes = time.out_bytes;
  batch.push_back(t);
  rename(batch, t.publish, stored_last);
  ++tiles_[pair];
  play.result = nullptr;
}

/// All that the schedule's step needs; older results leave behind it.
void Layered::fetch(std::vector<Transaction>& batch, Play& play, bool weights) {
  load(batch, play, weights, true);
  const AccessCounts& moved = play.schedule->moved();
  if (moved.levels.front().back().updates > 0) {
    store(batch, play);
    play.result = &moved;
  }
}

/// Launch of a run.
void Layered::begin(std::vector<Transaction>& batch) {
  open(run_);
  Cycles compute, prime;
  for (const Play& play : plays_[run_]) {
    compute = std::max(compute, play.kernel->compute.cycles);
    prime = std::max(prime, play.kernel->compute.fill_drain);
  }
  compute_ = ticks_of(compute);
  const Play& main = plays_[run_].front();
  if (!prefetches()) {
    Transaction t = make(Work::launch, main);
    t.resource = array;
    t.after = {done, stored_last, no_slot, no_slot};
    t.publish = launched;
    t.ticks = ticks_of(chip_.launch_overhead * chip_.clock);
    batch.push_back(t);
  }
  fetch_step(batch);
  Transaction t = make(Work::prime, main);
  t.resource = array;
  t.after[0] = loaded;
  t.publish = primed;
  t.ticks = ticks_of(prime);
  batch.push_back(t);
}

/// Fetches step `step_` of the first kernel, and of the fused ones what falls to it.
void Layered::fetch_step(std::vector<Transaction>& batch) {
  std::vector<Play>& plays = plays_[run_];
  const std::int64_t steps = plays.front().schedule->steps();
  fetch(batch, plays.front(), !weights_fetched_);
  weights_fetched_ = false;
  for (std::size_t p = 1; p < plays.size(); ++p) {
    const auto due = [&](std::int64_t k) { return part_of(plays[p].schedule->steps(), k, steps); };
    for (std::int64_t k = due(step_); k < due(step_ + 1); ++k) {
      fetch(batch, plays[p], true);
      feed(batch, plays[p]);
      plays[p].schedule->advance();
    }
  }
}

void Layered::compute_step(std::vector<Transaction>& batch) {
  std::vector<Play>& plays = plays_[run_];
  Play& main = plays.front();
  feed(batch, main);
  Transaction t = make(Work::compute, main);
  t.resource = array;
  t.after[0] = loaded;
  t.after[1] = primed;
  for (std::size_t p = 0; p < std::min<std::size_t>(plays.size(), 2); ++p) {  // room for the results
    const std::size_t o = plays[p].kernel->problem.operands.size() - 1, pair = plays[p].pair + o + 1;
    t.after[2 + p] = slot(pair, tiles_[pair] + (plays[p].two_tiles[o] ? 0 : 1));
  }
  t.publish = done;
  t.ticks = static_cast<Ticks>(share_of(static_cast<std::int64_t>(compute_), step_, main.schedule->steps()));
  t.moved = &main.schedule->moved();
  batch.push_back(t);
  for (std::size_t l = 1; l < ports_.size(); ++l) {
    if (chip_.levels[l].bandwidth.value <= 0) continue;
    Transaction join = make(Work::join, main);
    join.resource = array;
    join.after[0] = static_cast<std::int32_t>(first_fed + static_cast<int>(l));
    join.publish = done;
    batch.push_back(join);
  }
}

/// The last results leave; before them come the first weights of what follows.
void Layered::finish(std::vector<Transaction>& batch) {
  const std::size_t ended = run_;
  if (++repeat_ == runs_[run_].repeat) {
    repeat_ = 0;
    ++run_;
  }
  if (prefetches() && run_ < runs_.size()) {
    open(run_);
    load(batch, plays_[run_].front(), true, false);
    weights_fetched_ = true;
  }
  for (Play& play : plays_[ended]) store(batch, play);
}

bool Layered::next(std::vector<Transaction>& batch) {
  if (run_ == runs_.size()) return false;
  if (!begun_) begin(batch);
  begun_ = true;
  compute_step(batch);
  if (plays_[run_].front().schedule->advance()) {
    ++step_;
    fetch_step(batch);
  } else {
    step_ = 0;
    begun_ = false;
    finish(batch);
  }
  return true;
}

}  // namespace

std::unique_ptr<Program> layered_program(std::vector<KernelRun> runs, const Chip& chip, std::int64_t most_steps) {
  return std::make_unique<Layered>(std::move(runs), chip, most_steps);
}

std::size_t first_kernel(const std::vector<KernelRun>& runs, std::size_t i) {
  std::size_t first = 0;
  for (std::size_t r = 0; r < i; ++r) first += runs[r].kernels.size();
  return first;
}

}  // namespace tilewright
