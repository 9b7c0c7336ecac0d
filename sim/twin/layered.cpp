#include "sim/twin/layered.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sim/twin/kernel_play.hpp"
#include "sim/twin/transfer.hpp"

namespace tilewright {
namespace {

// Slots of the chip; those of its cores follow.
constexpr std::int32_t launched = 0, stored_last = 1, all_ended = 2, first_of_cores = 3;

/// A core of the chip, for all kernels. Its slots: a ring of steps, primed, loaded, fed by level, then two for each pair.
struct Core {
  std::int32_t array = 0, first_slot = 0;
  std::int64_t steps = 0;           // that it has begun
  std::vector<std::int64_t> tiles;  // by pair of slots: tiles so far
  std::vector<bool> fed;            // by level: in the step at hand
};

/// A kernel and those fused to it. The n-th core of the kernel is a core of the chip.
struct Run {
  Cores cores;
  std::vector<std::size_t> core_of;              // by core of the kernel
  std::vector<std::vector<std::int32_t>> ports;  // by level and core of the kernel
  std::vector<std::int64_t> ports_used;          // by level
  std::int64_t blocks = 1;                       // steps that a core has under way
  struct Kernel {
    KernelPlay play;
    std::int32_t id = 0;
    std::size_t pair = 0;  // its first pair of slots: one an operand, and one for results on their way out
    std::vector<const AccessCounts*> result;       // by core: words of the result tile at work that will leave
    std::vector<std::vector<std::uint64_t>> last;  // by operand and core: number of its latest load
  };
  std::vector<Kernel> kernels;  // once it is played; kept, because records are referred to until they are served
};

struct Loads {
  std::size_t kernel = 0;            // of the run
  bool ahead = true, others = true;  // weights that can be fetched ahead of a kernel, all else
};

/// When a tile can be replaced: where there is a second buffer, before the step has ended; a core's own tile, when that core has ended;
/// what several share, when all have.
enum class Turn { ahead, own, behind };

class Layered final : public Program {
 public:
  Layered(std::vector<KernelRun> runs, const Chip& chip, std::int64_t most_steps, std::int64_t most_cores);
  bool next(std::vector<Transaction>& batch) override;

 private:
  void add_resources();
  void open(std::size_t run);
  void load(std::vector<Transaction>& batch, Run& run, Run::Kernel& kernel, std::size_t core, Loads loads, Turn turn);
  template <class Leave>
  void exchange(std::vector<Transaction>& batch, Run* run, Loads loads, std::size_t cores, const Leave& leave);
  void feed(std::vector<Transaction>& batch, Run& run, Run::Kernel& kernel, std::size_t core);
  void store(std::vector<Transaction>& batch, Run& run, Run::Kernel& kernel, std::size_t core);
  void fetch(std::vector<Transaction>& batch, Run& run, Loads loads);
  void begin(std::vector<Transaction>& batch);
  void fetch_step(std::vector<Transaction>& batch);
  void compute_step(std::vector<Transaction>& batch);
  void work(std::vector<Transaction>& batch, Run& run, std::size_t core);
  void finish(std::vector<Transaction>& batch);
  std::int32_t wait_for_all(std::vector<Transaction>& batch);
  Transaction make(Work work, const Run& run, const Run::Kernel& kernel, std::size_t core) const;
  void share_out(Transaction& transaction, const Run::Kernel& kernel, const Run& run, std::size_t core) const;
  void rename(std::vector<Transaction>& batch, std::int32_t from, std::int32_t to) const;

  Core& core(const Run& run, std::size_t core) { return cores_[run.core_of[core]]; }
  std::int32_t step_slot(const Core& core, std::int64_t step) const {
    return core.first_slot + static_cast<std::int32_t>((step + ring_) % ring_);
  }
  std::int32_t ended(const Core& core) const { return step_slot(core, core.steps - 1); }
  std::int32_t primed(const Core& core) const { return core.first_slot + static_cast<std::int32_t>(ring_); }
  std::int32_t loaded(const Core& core) const { return primed(core) + 1; }
  std::int32_t fed(const Core& core, std::size_t level) const {
    return loaded(core) + 1 + static_cast<std::int32_t>(level);
  }
  std::int32_t pair_slot(const Core& core, std::size_t pair, std::int64_t tile) const {
    return fed(core, chip_.levels.size()) + static_cast<std::int32_t>(2 * pair + static_cast<std::size_t>(tile % 2));
  }
  std::int32_t loads_of(Run& run, std::size_t core);
  bool prefetches() const { return chip_.launch_overhead.value <= 0; }

  std::vector<KernelRun> asked_;
  const Chip& chip_;
  std::int64_t most_steps_, ring_ = 1;
  std::vector<Run> runs_;
  std::vector<Core> cores_;
  std::int32_t read_port_ = 0, write_port_ = 0, barrier_ = -1;  // of the outermost level; -1: one core
  std::size_t run_ = 0;
  std::int64_t repeat_ = 0, step_ = 0;
  std::uint64_t loads_ = 0;
  Ticks compute_ = 0;  // of the run, all steps
  bool begun_ = false, weights_fetched_ = false;
  std::vector<std::size_t> at_work_;  // cores of the run that was begun last
  bool all_waited_for_ = false;       // all_ended stands behind their latest steps
};

Layered::Layered(std::vector<KernelRun> runs, const Chip& chip, std::int64_t most_steps, std::int64_t most_cores)
    : asked_(std::move(runs)), chip_(chip), most_steps_(most_steps) {
  std::size_t pairs = 0;
  for (const KernelRun& run : asked_) {
    std::size_t here = 0;
    for (const Evaluation* kernel : run.kernels) {
      kernels_.push_back({run.layer, run.row});
      here += kernel->problem.operands.size() + 1;
    }
    pairs = std::max(pairs, here);
    const Evaluation& first = *run.kernels.front();
    runs_.push_back({Cores(first.problem, first.mapping, chip, most_cores), {}, {}, {}, 1, {}});
    if (runs_.back().cores.count() > 1) runs_.back().blocks = std::max<std::int64_t>(first.compute.blocks_per_core, 1);
    ring_ = std::max(ring_, runs_.back().blocks);
  }
  add_resources();
  std::int32_t slot = first_of_cores;
  for (Core& core : cores_) {
    core.first_slot = slot;
    core.tiles.assign(pairs, 0);
    core.fed.assign(chip.levels.size(), false);
    slot = pair_slot(core, pairs, 0);
  }
  slots_ = static_cast<std::size_t>(slot);
}

/// Arrays of the cores in use, then the ports of each level.
void Layered::add_resources() {
  const Ticks latency = transfer_latency(chip_.levels.front(), chip_.clock);
  const std::size_t levels = chip_.levels.size();
  std::vector<std::map<std::int64_t, std::int32_t>> instances(levels + 1);  // of each level in use; the last: arrays
  for (const Run& run : runs_) {
    for (std::size_t c = 0; c < run.cores.count(); ++c) {
      for (std::size_t l = 0; l <= levels; ++l) instances[l].emplace(run.cores.instance(c, l), 0);
    }
  }
  const auto add = [&](std::string name, Resource::Kind kind, Ticks later) {
    resources_.push_back({std::move(name), kind, later});
    return static_cast<std::int32_t>(resources_.size() - 1);
  };
  const auto numbered = [&](const std::string& name, std::size_t l, std::int64_t instance) {
    return instances[l].size() > 1 ? fmt::format("{} {}", name, instance) : name;
  };
  std::map<std::int32_t, std::size_t> core_of;
  for (auto& [instance, id] : instances[levels]) {
    id = add(instances[levels].size() > 1 ? numbered("core", levels, instance) : "compute", Resource::Kind::array, 0);
    core_of[id] = cores_.size();
    cores_.push_back({id, 0, 0, {}, {}});
  }
  for (std::size_t l = 0; l < levels; ++l) {
    for (auto& [instance, id] : instances[l]) {
      id = add(numbered(chip_.levels[l].name, l, instance), l == 0 ? Resource::Kind::memory : Resource::Kind::buffer,
               l == 0 ? latency : 0);
    }
  }
  read_port_ = write_port_ = instances.front().begin()->second;
  if (chip_.levels.front().separate_ports)
    write_port_ = add(chip_.levels.front().name + " write", Resource::Kind::memory, latency);
  if (cores_.size() > 1) barrier_ = add("barrier", Resource::Kind::barrier, 0);
  for (Run& run : runs_) {
    for (std::size_t l = 0; l <= levels; ++l) {
      std::map<std::int32_t, bool> used;
      std::vector<std::int32_t> ports;
      for (std::size_t c = 0; c < run.cores.count(); ++c) {
        ports.push_back(instances[l].at(run.cores.instance(c, l)));
        used[ports.back()] = true;
        if (l == levels) run.core_of.push_back(core_of.at(ports.back()));
      }
      run.ports_used.push_back(static_cast<std::int64_t>(used.size()));
      run.ports.push_back(std::move(ports));
    }
  }
}

void Layered::open(std::size_t r) {
  Run& run = runs_[r];
  if (!run.kernels.empty()) return;
  const auto cores = static_cast<std::int64_t>(run.cores.count());
  const std::int64_t most =
      cores == 1 ? most_steps_
                 : std::clamp(4 * most_steps_ / cores, std::min<std::int64_t>(64, most_steps_), most_steps_);
  std::size_t pair = 0, id = first_kernel(asked_, r);
  for (const Evaluation* kernel : asked_[r].kernels) {
    run.kernels.push_back({KernelPlay(*kernel, chip_, run.cores, !run.kernels.empty(), most),
                           static_cast<std::int32_t>(id++),
                           pair,
                           std::vector<const AccessCounts*>(run.cores.count()),
                           {}});
    const std::size_t operands = kernel->problem.operands.size();
    run.kernels.back().last.assign(operands, std::vector<std::uint64_t>(run.cores.count(), 0));
    pair += operands + 1;
  }
}

Transaction Layered::make(Work work, const Run& run, const Run::Kernel& kernel, std::size_t core) const {
  Transaction t;
  t.work = work;
  t.kernel = kernel.id;
  t.core = static_cast<std::int32_t>(run.core_of[core]);
  t.step = kernel.play.step();
  return t;
}

/// The core's part of what the transaction counts.
void Layered::share_out(Transaction& t, const Run::Kernel& kernel, const Run& run, std::size_t core) const {
  if (!kernel.play.shared_out()) return;
  t.part = static_cast<std::int64_t>(core);
  t.parts = static_cast<std::int64_t>(run.cores.count());
}

void Layered::rename(std::vector<Transaction>& batch, std::int32_t from, std::int32_t to) const {
  Transaction t;
  t.work = Work::rename;
  t.after[0] = from;
  t.publish = to;
  batch.push_back(t);
}

/// The slot that all cores at work have ended their latest steps.
std::int32_t Layered::wait_for_all(std::vector<Transaction>& batch) {
  if (barrier_ < 0) return ended(cores_.front());
  for (std::size_t c = 0; c < at_work_.size() && !all_waited_for_; c += 4) {
    Transaction t;
    t.work = Work::join;
    t.resource = barrier_;
    t.publish = all_ended;
    for (std::size_t i = 0; i < std::min<std::size_t>(4, at_work_.size() - c); ++i)
      t.after[i] = ended(cores_[at_work_[c + i]]);
    batch.push_back(t);
  }
  all_waited_for_ = true;
  return all_ended;
}

/// The slot of the latest load that a core waits for: the port serves in order, so the others are there before.
std::int32_t Layered::loads_of(Run& run, std::size_t core) {
  std::size_t from = core;
  std::uint64_t latest = 0;
  for (const Run::Kernel& kernel : run.kernels) {
    for (std::size_t o = 0; o < kernel.last.size(); ++o) {
      const std::size_t carrier = kernel.play.carrier(o, core);
      if (kernel.last[o][carrier] <= latest) continue;
      latest = kernel.last[o][carrier];
      from = carrier;
    }
  }
  return loaded(this->core(run, from));
}

/// Tiles of the schedule's step; each waits for room in the store below.
void Layered::load(std::vector<Transaction>& batch, Run& run, Run::Kernel& kernel, std::size_t c, Loads loads,
                   Turn turn) {
  KernelPlay& play = kernel.play;
  const AccessCounts& moved = play.moved(c);
  const Problem& problem = play.kernel().problem;
  Core& core = this->core(run, c);
  for (std::size_t o = 0; o < problem.operands.size(); ++o) {
    const OperandAccesses& words = moved.levels.front()[o];
    const Role role = problem.operands[o].role;
    if (turn != (play.two_tiles(o) ? Turn::ahead : play.shared(o) ? Turn::behind : Turn::own)) continue;
    if (words.reads == 0 && words.delivered == 0) continue;
    // Weights of several cores come ahead only where they have room beside those in use: the port would hand them to all cores before
    // the inputs of the first.
    const bool ahead = role == Role::weight && (run.core_of.size() == 1 || play.two_tiles(o));
    if (!(ahead ? loads.ahead : loads.others)) continue;
    if (play.carrier(o, c) != c) {  // another core's load delivers it
      Transaction t = make(Work::join, run, kernel, c);
      t.resource = core.array;
      t.level = 0;
      t.operand = static_cast<std::int16_t>(o);
      t.fields = delivered;
      t.moved = &moved;
      batch.push_back(t);
      continue;
    }
    const StepTimes& time = play.times(moved, run.ports_used);
    const std::size_t pair = kernel.pair + o;
    const std::int32_t given_up = play.shared(o) ? wait_for_all(batch) : ended(core);
    Transaction t = make(Work::load, run, kernel, c);
    t.after[0] = given_up;
    if (play.two_tiles(o)) {  // the tile before this one was in use until now, the one before that until a tile ago
      rename(batch, given_up, pair_slot(core, pair, core.tiles[pair] + 1));
      t.after[0] = pair_slot(core, pair, core.tiles[pair]);
    }
    ++core.tiles[pair];
    if (!prefetches()) t.after[1] = launched;
    if (role != Role::weight && !asked_[static_cast<std::size_t>(&run - runs_.data())].new_request)
      t.after[2] = stored_last;
    t.resource = read_port_;
    t.ticks = time.in[o];
    t.publish = loaded(core);
    t.level = 0;
    t.operand = static_cast<std::int16_t>(o);
    t.fields = reads | delivered;
    t.moved = &moved;
    t.bytes = time.in_bytes[o];
    share_out(t, kernel, run, c);
    batch.push_back(t);
    kernel.last[o][c] = ++loads_;
  }
}

/// Traffic of the inner levels in the schedule's step: runs while the array works.
void Layered::feed(std::vector<Transaction>& batch, Run& run, Run::Kernel& kernel, std::size_t c) {
  const StepTimes& time = kernel.play.times(kernel.play.moved(c), run.ports_used);
  Core& core = this->core(run, c);
  const std::int32_t here = loads_of(run, c);
  for (std::size_t l = 1; l < chip_.levels.size(); ++l) {
    if (time.feed[l] == 0) continue;
    Transaction t = make(Work::feed, run, kernel, c);
    t.resource = run.ports[l][c];
    t.after = {here, step_slot(core, core.steps - run.blocks), primed(core), no_slot};
    t.publish = fed(core, l);
    t.ticks = time.feed[l];
    batch.push_back(t);
    core.fed[l] = true;
  }
}

/// The result tile that the array has left.
void Layered::store(std::vector<Transaction>& batch, Run& run, Run::Kernel& kernel, std::size_t c) {
  const AccessCounts* moved = std::exchange(kernel.result[c], nullptr);
  if (moved == nullptr) return;
  const StepTimes& time = kernel.play.times(*moved, run.ports_used);
  Core& core = this->core(run, c);
  const std::size_t o = kernel.play.result();
  const std::size_t pair = kernel.pair + o + 1;
  Transaction t = make(Work::store, run, kernel, c);
  t.resource = write_port_;
  t.ticks = time.out;
  t.after[0] = kernel.play.shared(o) ? wait_for_all(batch) : ended(core);
  t.publish = pair_slot(core, pair, core.tiles[pair]);
  t.level = 0;
  t.operand = static_cast<std::int16_t>(o);
  t.fields = updates;
  t.moved = moved;
  t.bytes = time.out_bytes;
  share_out(t, kernel, run, c);
  batch.push_back(t);
  rename(batch, t.publish, stored_last);
  ++core.tiles[pair];
}

/// Loads and stores of all cores in about the order in which they can be served, so that none keeps the port from others while it
/// waits. `leave(core, shared)` stores the results of one of `cores`, those that are its own or those of all.
template <class Leave>
void Layered::exchange(std::vector<Transaction>& batch, Run* run, Loads loads, std::size_t cores, const Leave& leave) {
  const std::size_t loading = run == nullptr ? 0 : run->core_of.size();
  const auto load_all = [&](Turn turn) {
    for (std::size_t c = 0; c < loading; ++c) load(batch, *run, run->kernels[loads.kernel], c, loads, turn);
  };
  load_all(Turn::ahead);
  for (std::size_t c = 0; c < std::max(loading, cores); ++c) {
    if (c < loading) load(batch, *run, run->kernels[loads.kernel], c, loads, Turn::own);
    if (c < cores) leave(c, false);
  }
  load_all(Turn::behind);
  for (std::size_t c = 0; c < cores; ++c) leave(c, true);
}

/// All that the schedule's step needs; older results leave behind it.
void Layered::fetch(std::vector<Transaction>& batch, Run& run, Loads loads) {
  Run::Kernel& kernel = run.kernels[loads.kernel];
  const bool shared_results = kernel.play.shared(kernel.play.result());
  exchange(batch, &run, loads, run.core_of.size(), [&](std::size_t c, bool shared) {
    const AccessCounts& moved = kernel.play.moved(c);
    if (shared != shared_results || moved.levels.front().back().updates == 0) return;
    store(batch, run, kernel, c);
    kernel.result[c] = &moved;
  });
}

/// Launch of a run.
void Layered::begin(std::vector<Transaction>& batch) {
  open(run_);
  Run& run = runs_[run_];
  Cycles compute, prime;
  for (const Run::Kernel& kernel : run.kernels) {
    compute = std::max(compute, kernel.play.kernel().compute.cycles);
    prime = std::max(prime, kernel.play.kernel().compute.fill_drain);
  }
  compute_ = ticks_of(compute);
  const std::int32_t before = wait_for_all(batch);
  for (std::size_t c = 0; c < run.core_of.size() && !prefetches(); ++c) {
    Transaction t = make(Work::launch, run, run.kernels.front(), c);
    t.resource = core(run, c).array;
    t.after = {before, stored_last, no_slot, no_slot};
    t.publish = launched;
    t.ticks = ticks_of(chip_.launch_overhead * chip_.clock);
    batch.push_back(t);
  }
  fetch_step(batch);
  for (std::size_t c = 0; c < run.core_of.size(); ++c) {
    Transaction t = make(Work::prime, run, run.kernels.front(), c);
    t.resource = core(run, c).array;
    t.after = {loads_of(run, c), before, no_slot, no_slot};
    t.publish = primed(core(run, c));
    t.ticks = ticks_of(prime);
    batch.push_back(t);
  }
  at_work_ = run.core_of;
}

/// Fetches step `step_` of the first kernel, and of the fused ones what falls to it.
void Layered::fetch_step(std::vector<Transaction>& batch) {
  Run& run = runs_[run_];
  const std::int64_t steps = run.kernels.front().play.steps();
  fetch(batch, run, {0, !weights_fetched_, true});
  weights_fetched_ = false;
  for (std::size_t k = 1; k < run.kernels.size(); ++k) {
    KernelPlay& play = run.kernels[k].play;
    const auto due = [&](std::int64_t step) { return part_of(play.steps(), step, steps); };
    for (std::int64_t i = due(step_); i < due(step_ + 1); ++i) {
      fetch(batch, run, {k, true, true});
      for (std::size_t c = 0; c < run.core_of.size(); ++c) {
        feed(batch, run, run.kernels[k], c);
        Transaction t = make(Work::join, run, run.kernels[k], c);
        t.resource = core(run, c).array;
        t.fields = every_field;
        t.moved = &play.moved(c);
        share_out(t, run.kernels[k], run, c);
        batch.push_back(t);
      }
      play.advance();
    }
  }
}

/// A core's work on the step.
void Layered::work(std::vector<Transaction>& batch, Run& run, std::size_t c) {
  Run::Kernel& main = run.kernels.front();
  const AccessCounts& moved = main.play.moved(c);
  if (c > 0 && moved.points == 0) return;  // none of the last tiles is left for this core
  Core& core = this->core(run, c);
  feed(batch, run, main, c);
  Transaction t = make(Work::compute, run, main, c);
  t.resource = core.array;
  t.after[0] = loads_of(run, c);
  for (std::size_t k = 0; k < std::min<std::size_t>(run.kernels.size(), 2); ++k) {  // room for the results
    const Run::Kernel& kernel = run.kernels[k];
    const std::size_t o = kernel.play.result(), pair = kernel.pair + o + 1;
    const Core& writer = this->core(run, kernel.play.carrier(o, c));
    t.after[1 + k] = pair_slot(writer, pair, writer.tiles[pair] + (kernel.play.two_tiles(o) ? 0 : 1));
  }
  t.publish = step_slot(core, core.steps);
  t.ticks = static_cast<Ticks>(share_of(static_cast<std::int64_t>(compute_), step_, main.play.steps()));
  t.fields = every_field;
  t.moved = &moved;
  batch.push_back(t);
  for (std::size_t l = 1; l < chip_.levels.size(); ++l) {
    if (!core.fed[l]) continue;
    core.fed[l] = false;
    Transaction join = make(Work::join, run, main, c);
    join.resource = core.array;
    join.after[0] = fed(core, l);
    join.publish = t.publish;
    batch.push_back(join);
  }
  ++core.steps;
  all_waited_for_ = false;
}

void Layered::compute_step(std::vector<Transaction>& batch) {
  Run& run = runs_[run_];
  for (std::size_t c = 0; c < run.core_of.size(); ++c) work(batch, run, c);
}

/// The last results leave; before them come the first weights of what follows.
void Layered::finish(std::vector<Transaction>& batch) {
  Run& ended = runs_[run_];
  if (++repeat_ == asked_[run_].repeat) {
    repeat_ = 0;
    ++run_;
  }
  Run* following = nullptr;
  if (prefetches() && run_ < runs_.size()) {
    open(run_);
    following = &runs_[run_];
    weights_fetched_ = true;
  }
  exchange(batch, following, {0, true, false}, ended.core_of.size(), [&](std::size_t c, bool shared) {
    for (Run::Kernel& kernel : ended.kernels) {
      if (shared == kernel.play.shared(kernel.play.result())) store(batch, ended, kernel, c);
    }
  });
}

bool Layered::next(std::vector<Transaction>& batch) {
  if (run_ == runs_.size()) return false;
  if (!begun_) begin(batch);
  begun_ = true;
  compute_step(batch);
  if (runs_[run_].kernels.front().play.advance()) {
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

std::unique_ptr<Program> layered_program(std::vector<KernelRun> runs, const Chip& chip, std::int64_t most_steps,
                                         std::int64_t most_cores) {
  return std::make_unique<Layered>(std::move(runs), chip, most_steps, most_cores);
}

std::size_t first_kernel(const std::vector<KernelRun>& runs, std::size_t i) {
  std::size_t first = 0;
  for (std::size_t r = 0; r < i; ++r) first += runs[r].kernels.size();
  return first;
}

}  // namespace tilewright
