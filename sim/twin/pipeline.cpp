#include "sim/twin/pipeline.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <map>

#include "core/checked.hpp"
#include "sim/cost/cost.hpp"
#include "sim/twin/transfer.hpp"

namespace tilewright {
namespace {

/// What one stage hands to another, in pieces: row by row, each in equal parts.
struct Grid {
  std::int64_t rows = 1, columns = 1, pieces = 1;  // a sample
  std::int64_t count() const { return rows * pieces; }
  /// Pieces of a row that hold its first columns, and those that lie within them.
  std::int64_t holding(std::int64_t first) const { return ceil_div(first * pieces, columns); }
  std::int64_t within(std::int64_t first) const { return ceil_div((first + 1) * pieces, columns) - 1; }
};

/// Two stages and the pieces between them.
struct Fifo {
  std::size_t from = 0, to = 0;
  StageInput input;
  Grid made, reader;  // what the producer makes, what the consumer makes of it
  std::int64_t capacity = 1;
  std::int64_t freeing =
      0;  // piece of the consumer with which the one `capacity` before the producer's next one is given up

  /// Pieces that the consumer's piece k of a sample needs, and those given up behind it.
  std::int64_t needed_in_sample(std::int64_t k) const {
    if (input.window == 0) {
      const std::int64_t whole = made.count(), parts = reader.count();
      return whole / parts * (k + 1) + (whole % parts * (k + 1) + parts - 1) / parts;
    }
    const std::int64_t rows = k / reader.pieces * input.stride + input.window - input.padding;
    if (rows <= 0) return 0;
    if (input.column_window == 0 || rows - input.stride >= made.rows) return std::min(rows, made.rows) * made.pieces;
    const std::int64_t last = part_of(reader.columns, k % reader.pieces + 1, reader.pieces) - 1;
    const std::int64_t columns = std::clamp<std::int64_t>(
        last * input.column_stride + input.column_window - input.column_padding, 1, made.columns);
    return (std::min(rows, made.rows) - 1) * made.pieces + made.holding(columns);
  }
  std::int64_t given_up_in_sample(std::int64_t k) const {
    if (k == reader.count() - 1) return made.count();
    if (input.window == 0) return part_of(made.count(), k + 1, reader.count());
    const std::int64_t top = (k + 1) / reader.pieces * input.stride - input.padding;
    if (top < 0) return 0;
    const std::int64_t left = part_of(reader.columns, (k + 1) % reader.pieces, reader.pieces);
    const std::int64_t columns =
        input.column_window == 0
            ? 0
            : std::clamp<std::int64_t>(left * input.column_stride - input.column_padding, 0, made.columns - 1);
    return std::min(top * made.pieces + made.within(columns), needed_in_sample(k));
  }
  std::int64_t needed(std::int64_t f) const {
    return f / reader.count() * made.count() + needed_in_sample(f % reader.count());
  }
  std::int64_t given_up(std::int64_t f) const {
    return f / reader.count() * made.count() + given_up_in_sample(f % reader.count());
  }
};

/// Times of one execution of a kernel.
struct KernelTimes {
  std::vector<Ticks> feed;  // by level
  std::int32_t id = 0;
};

class Pipelined final : public Program {
 public:
  Pipelined(std::vector<PipelineStage> stages, const Chip& chip, std::int64_t samples, std::int64_t frames);
  bool next(std::vector<Transaction>& batch) override;

 private:
  struct State {
    std::int32_t resource = 0;
    std::int32_t first_slot = 0;  // `ring` rows, then the loads of two rows, then the feed
    std::int64_t ring = 0;
    std::int64_t fired = 0;
    Ticks nominal_free = 0;
    std::vector<std::size_t> in, out;                          // FIFOs
    std::vector<std::pair<std::size_t, std::size_t>> sourced;  // kernel and operand that come from a source
    std::vector<KernelTimes> kernels;
    bool loads = false;
  };
  Grid grid(std::size_t i) const { return {stages_[i].rows, stages_[i].columns, stages_[i].pieces}; }
  std::int64_t total(std::size_t i) const { return grid(i).count() * samples_ * frames_; }
  std::int32_t row_slot(std::size_t i, std::int64_t f) const {
    return states_[i].first_slot + static_cast<std::int32_t>(f % states_[i].ring);
  }
  std::int32_t load_slot(std::size_t i, std::int64_t f) const {
    return states_[i].first_slot + static_cast<std::int32_t>(states_[i].ring + f % 2);
  }
  std::int32_t feed_slot(std::size_t i) const { return load_slot(i, 0) + 2; }
  bool room(const Fifo& fifo) const;
  bool arrived(const Fifo& fifo) const;
  bool ready(std::size_t i) const;
  std::string why_stuck() const;
  Ticks gather(std::size_t i);
  Ticks row_ticks(std::size_t i) const {
    return static_cast<Ticks>(share_of(static_cast<std::int64_t>(stages_[i].ticks),
                                       states_[i].fired % (grid(i).count() * samples_), grid(i).count() * samples_));
  }

  Transaction make(Work work, std::size_t i, std::int32_t kernel) const;
  Transaction transfer(Work work, std::size_t i, std::int64_t f, std::size_t kernel, std::size_t operand) const;
  void load_row(std::vector<Transaction>& batch, std::size_t i, std::int64_t f);
  void wait_for(std::vector<Transaction>& batch, std::size_t i, std::array<std::int32_t, 4>& after);
  void fire_source(std::vector<Transaction>& batch, std::size_t i);
  void fire(std::vector<Transaction>& batch, std::size_t i, Ticks nominal_end);
  void store_until(std::vector<Transaction>& batch, Ticks nominal);

  std::vector<PipelineStage> stages_;
  const Chip& chip_;
  std::int64_t samples_, frames_;
  std::vector<State> states_;
  std::vector<Fifo> fifos_;
  std::vector<std::int32_t> ports_;  // by level; -1: never the bound
  std::int32_t write_port_ = 0;
  std::vector<std::int32_t> waits_;
  std::multimap<Ticks, Transaction> stores_;  // not yet asked for, by nominal time
  std::vector<Ticks> nominal_;                // by slot of a row: when it would be there
};

Pipelined::Pipelined(std::vector<PipelineStage> stages, const Chip& chip, std::int64_t samples, std::int64_t frames)
    : stages_(std::move(stages)), chip_(chip), samples_(samples), frames_(frames), states_(stages_.size()) {
  const Ticks latency = transfer_latency(chip.levels.front(), chip.clock);
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    const bool bounds = l == 0 || chip.levels[l].bandwidth.value > 0;
    ports_.push_back(bounds ? static_cast<std::int32_t>(resources_.size()) : -1);
    if (bounds)
      resources_.push_back(
          {chip.levels[l].name, l == 0 ? Resource::Kind::memory : Resource::Kind::buffer, l == 0 ? latency : 0});
  }
  if (chip.levels.front().separate_ports) {
    write_port_ = static_cast<std::int32_t>(resources_.size());
    resources_.push_back({chip.levels.front().name + " write", Resource::Kind::memory, latency});
  }
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    const PipelineStage& stage = stages_[i];
    State& state = states_[i];
    state.ring = 4 * grid(i).count() + 4;  // a FIFO holds at most two samples, so no one looks back further
    state.first_slot = static_cast<std::int32_t>(slots_);
    slots_ += static_cast<std::size_t>(state.ring) + 3;
    for (const StageInput& input : stage.inputs) {
      Fifo fifo{input.from, i, input, grid(input.from), grid(i), 0, 0};
      fifo.input.window = std::min(input.window, fifo.made.rows + input.padding);
      const std::int64_t window = input.window == 0 ? ceil_div(fifo.made.count(), fifo.reader.count())
                                                    : std::min(input.window, fifo.made.rows) * fifo.made.pieces;
      fifo.capacity =
          window + (input.fifo < 0 ? fifo.made.rows : std::min(input.fifo, fifo.made.rows)) * fifo.made.pieces;
      if (const auto& source = stages_[input.from].source) state.sourced.emplace_back(source->kernel, source->operand);
      states_[input.from].out.push_back(fifos_.size());
      state.in.push_back(fifos_.size());
      fifos_.push_back(fifo);
    }
    if (stage.source) continue;
    state.resource = static_cast<std::int32_t>(resources_.size());
    resources_.push_back({stage.layer, Resource::Kind::stage, stage.latency});
    for (std::size_t k = 0; k < std::max<std::size_t>(stage.kernels.size(), 1); ++k) {
      KernelTimes times{{}, static_cast<std::int32_t>(kernels_.size())};
      if (k < stage.kernels.size()) {
        const Evaluation& e = *stage.kernels[k].evaluation;
        for (const LevelCost& level : level_costs(e.problem, e.counts, chip))
          times.feed.push_back(ticks_of(static_cast<double>(stage.kernels[k].repeat) * level.time));
      }
      state.kernels.push_back(std::move(times));
      kernels_.push_back({stage.layer, stage.row});
    }
  }
  nominal_.resize(slots_);
}

bool Pipelined::arrived(const Fifo& fifo) const {
  return states_[fifo.from].fired >= fifo.needed(states_[fifo.to].fired);
}

bool Pipelined::room(const Fifo& fifo) const {
  const std::int64_t consumed = states_[fifo.to].fired;
  const std::int64_t given_up = consumed == 0 ? 0 : fifo.given_up(consumed - 1);
  return states_[fifo.from].fired < given_up + fifo.capacity;
}

bool Pipelined::ready(std::size_t i) const {
  const State& state = states_[i];
  return state.fired < total(i) && std::ranges::all_of(state.in, [&](std::size_t f) { return arrived(fifos_[f]); }) &&
         std::ranges::all_of(state.out, [&](std::size_t f) { return room(fifos_[f]); });
}

/// Follows who waits for whom from the first stage that has not ended, until a stage comes up again: the circle.
std::string Pipelined::why_stuck() const {
  const auto name = [&](std::size_t i) {
    return stages_[i].source ? "the input of " + stages_[stages_[i].source->stage].layer : stages_[i].layer;
  };
  std::size_t at = 0;
  while (states_[at].fired == total(at)) ++at;
  std::vector<std::size_t> seen;
  std::vector<std::string> waits, full_fifos;
  while (std::ranges::find(seen, at) == seen.end()) {
    seen.push_back(at);
    const auto starved = std::ranges::find_if(states_[at].in, [&](std::size_t f) { return !arrived(fifos_[f]); });
    if (starved != states_[at].in.end()) {
      const Fifo& fifo = fifos_[*starved];
      waits.push_back(fmt::format("{} waits for row {} of {}", name(at),
                                  ceil_div(fifo.needed(states_[at].fired), fifo.made.pieces), name(fifo.from)));
      full_fifos.emplace_back();
      at = fifo.from;
      continue;
    }
    const Fifo& fifo = fifos_[*std::ranges::find_if(states_[at].out, [&](std::size_t f) { return !room(fifos_[f]); })];
    waits.push_back(fmt::format("{} waits for room in the FIFO to {}, which holds {} rows", name(at), name(fifo.to),
                                fifo.capacity / fifo.made.pieces));
    full_fifos.push_back(fmt::format("the FIFO from {} to {} is too small", name(at), name(fifo.to)));
    at = fifo.to;
  }
  const auto circle = std::ranges::find(seen, at) - seen.begin();
  const auto too_small = std::find_if(full_fifos.begin() + circle, full_fifos.end(),
                                      [](const std::string& text) { return !text.empty(); });
  return fmt::format("deadlock: {}; {}", *too_small, fmt::join(waits.begin() + circle, waits.end(), "; "));
}

Transaction Pipelined::make(Work work, std::size_t i, std::int32_t kernel) const {
  Transaction t;
  t.work = work;
  t.kernel = kernel;
  t.resource = states_[i].resource;
  t.step = states_[i].fired;
  t.parts = grid(i).count() * samples_;
  t.part = states_[i].fired % t.parts;
  return t;
}

/// A row's share of what an operand of a kernel moves at the outermost level; the kernel may be that of another stage.
Transaction Pipelined::transfer(Work work, std::size_t i, std::int64_t f, std::size_t kernel,
                                std::size_t operand) const {
  const std::size_t owner = stages_[i].source ? stages_[i].source->stage : i;
  const StageKernel& moved = stages_[owner].kernels[kernel];
  const Evaluation& e = *moved.evaluation;
  Transaction t = make(work, i, states_[owner].kernels[kernel].id);
  const OperandAccesses& words = e.counts.levels.front()[operand];
  t.step = f;
  t.part = f % t.parts;
  t.resource = work == Work::load ? ports_.front() : write_port_;
  t.fields = work == Work::load ? reads | delivered : updates;
  t.level = 0;
  t.operand = static_cast<std::int16_t>(operand);
  t.moved = &e.counts;
  const std::int64_t share = share_of(work == Work::load ? words.reads : words.updates, t.part, t.parts);
  t.bytes = static_cast<double>(share * moved.repeat) * (bits(e.problem.operands[operand].type) / 8.0);
  t.ticks = transfer_ticks(chip_.levels.front(), chip_.clock, t.bytes, {t.bytes, t.bytes});  // rows lie in one piece
  return t;
}

/// Leaves four of waits_ in `after`; the stage waits for the others before.
void Pipelined::wait_for(std::vector<Transaction>& batch, std::size_t i, std::array<std::int32_t, 4>& after) {
  while (waits_.size() > after.size()) {
    Transaction join = make(Work::join, i, states_[i].kernels.front().id);
    for (std::int32_t& slot : join.after) {
      slot = waits_.back();
      waits_.pop_back();
    }
    batch.push_back(join);
  }
  std::ranges::copy(waits_, after.begin());
}

void Pipelined::fire_source(std::vector<Transaction>& batch, std::size_t i) {
  const PipelineStage::Source& source = *stages_[i].source;
  Transaction t = transfer(Work::load, i, states_[i].fired, source.kernel, source.operand);
  if (!waits_.empty()) t.after[0] = waits_.front();
  t.publish = row_slot(i, states_[i].fired);
  batch.push_back(t);
}

/// A row's share of what the outermost level hands to the stage itself: weights that are not resident. Two rows' fit the stage.
void Pipelined::load_row(std::vector<Transaction>& batch, std::size_t i, std::int64_t f) {
  State& state = states_[i];
  const PipelineStage& stage = stages_[i];
  for (std::size_t k = 0; k < stage.kernels.size(); ++k) {
    const Evaluation& e = *stage.kernels[k].evaluation;
    for (std::size_t o = 0; o < e.problem.operands.size(); ++o) {
      const bool sourced = std::ranges::find(state.sourced, std::pair{k, o}) != state.sourced.end();
      const bool moves = e.counts.levels.front()[o].reads > 0 || e.counts.levels.front()[o].delivered > 0;
      if (sourced || !moves) continue;
      Transaction t = transfer(Work::load, i, f, k, o);
      if (f >= 2) t.after[0] = row_slot(i, f - 2);
      t.publish = load_slot(i, f);  // the port serves in order: the last one is the one to wait for
      batch.push_back(t);
      state.loads = true;
    }
  }
}

void Pipelined::fire(std::vector<Transaction>& batch, std::size_t i, Ticks nominal_end) {
  const PipelineStage& stage = stages_[i];
  const State& state = states_[i];
  const std::int32_t published = row_slot(i, state.fired);
  if (state.fired == 0) load_row(batch, i, 0);
  if (state.fired + 1 < total(i)) load_row(batch, i, state.fired + 1);
  if (state.loads) waits_.push_back(load_slot(i, state.fired));
  Transaction work = make(Work::compute, i, state.kernels.front().id);
  wait_for(batch, i, work.after);
  work.ticks = row_ticks(i);
  work.publish = published;
  const std::array<std::int32_t, 4> after = work.after;
  for (std::size_t k = 0; k < state.kernels.size(); ++k) {
    if (k > 0) {  // what else the stage does for the row, in the same time
      work.kernel = state.kernels[k].id;
      work.ticks = 0;
    }
    if (k < stage.kernels.size()) {
      work.moved = &stage.kernels[k].evaluation->counts;
      work.fields = every_field;
    }
    batch.push_back(work);
    for (std::size_t l = 1; k < stage.kernels.size() && l < ports_.size(); ++l) {
      if (ports_[l] < 0) continue;
      Transaction feed = make(Work::feed, i, state.kernels[k].id);
      feed.resource = ports_[l];
      feed.after = after;
      feed.publish = feed_slot(i);
      feed.ticks =
          static_cast<Ticks>(share_of(static_cast<std::int64_t>(state.kernels[k].feed[l]), feed.part, feed.parts));
      batch.push_back(feed);
      Transaction join = make(Work::join, i, state.kernels[k].id);
      join.after[0] = feed_slot(i);
      join.publish = published;
      batch.push_back(join);
    }
  }
  for (std::size_t k = 0; k < stage.kernels.size(); ++k) {
    const Evaluation& e = *stage.kernels[k].evaluation;
    if (e.counts.levels.front().back().updates == 0) continue;
    Transaction t = transfer(Work::store, i, state.fired, k, e.problem.operands.size() - 1);
    t.after[0] = published;
    stores_.emplace(nominal_end, t);
  }
}

/// What the next row of a stage waits for, into waits_; and when it would start if no port were ever busy.
Ticks Pipelined::gather(std::size_t i) {
  const State& state = states_[i];
  waits_.clear();
  for (const std::size_t f : state.in) {
    const std::int64_t needed = fifos_[f].needed(state.fired);
    if (needed > 0) waits_.push_back(row_slot(fifos_[f].from, needed - 1));
  }
  for (const std::size_t f : state.out) {
    Fifo& fifo = fifos_[f];
    if (state.fired < fifo.capacity) continue;
    while (fifo.given_up(fifo.freeing) <= state.fired - fifo.capacity) ++fifo.freeing;
    waits_.push_back(row_slot(fifo.to, fifo.freeing));
  }
  Ticks start = state.nominal_free;
  for (const std::int32_t slot : waits_) start = std::max(start, nominal_[static_cast<std::size_t>(slot)]);
  return start;
}

/// Results leave once they are there: asked for any sooner they would keep the port from others.
void Pipelined::store_until(std::vector<Transaction>& batch, Ticks nominal) {
  while (!stores_.empty() && stores_.begin()->first <= nominal) {
    batch.push_back(stores_.begin()->second);
    stores_.erase(stores_.begin());
  }
}

/// The row that starts first, so that the ports are asked in about the order in which they are needed.
bool Pipelined::next(std::vector<Transaction>& batch) {
  constexpr std::size_t nobody = static_cast<std::size_t>(-1);
  std::size_t first = nobody;
  Ticks earliest = 0;
  bool ended = true;
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    State& state = states_[i];
    ended = ended && state.fired == total(i);
    if (!ready(i)) continue;
    const Ticks start = gather(i);
    if (first != nobody && start >= earliest) continue;
    first = i;
    earliest = start;
  }
  if (first == nobody && !ended) throw PlayError(why_stuck());
  if (ended) {
    const bool left = !stores_.empty();
    store_until(batch, std::numeric_limits<Ticks>::max());
    return left;
  }
  store_until(batch, earliest);
  State& state = states_[first];
  const PipelineStage& stage = stages_[first];
  gather(first);
  state.nominal_free = earliest + row_ticks(first);
  nominal_[static_cast<std::size_t>(row_slot(first, state.fired))] = state.nominal_free + stage.latency;
  stage.source ? fire_source(batch, first) : fire(batch, first, state.nominal_free + stage.latency);
  ++state.fired;
  return true;
}

}  // namespace

std::unique_ptr<Program> pipelined_program(std::vector<PipelineStage> stages, const Chip& chip, std::int64_t samples,
                                           std::int64_t frames) {
  return std::make_unique<Pipelined>(std::move(stages), chip, samples, frames);
}

}  // namespace tilewright
