#include "sim/twin/spiking.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "sim/twin/transfer.hpp"

namespace tilewright {
namespace {

constexpr std::int32_t barrier_slot = 0, tick_slot = 1, first_layer = 2;

/// Spikes of a layer on a link that was kept.
struct Crossing {
  std::int32_t link = 0;  // of those kept
  double spikes = 0;
};

class Spiking final : public Program {
 public:
  Spiking(std::vector<SpikingLayer> layers, const SpikingChip& spiking, const Chip& chip, std::int64_t samples);
  bool next(std::vector<Transaction>& batch) override;

 private:
  struct State {
    std::int64_t phase = 0, start = 0;  // the time step of its phase in which it starts
    std::int32_t kernel = 0, resource = 0, slot = 0;
    std::vector<Crossing> crossings;
    double hops = 0;  // in a time step
  };
  void place_in_time();
  void route();
  std::int64_t steps(const State& state) const { return state.start + samples_ * spiking_.time_steps; }
  Transaction make(Work work, std::size_t i, std::int32_t resource) const;
  void transfers(std::vector<Transaction>& batch, std::size_t i, Work work, std::int64_t part, std::int64_t parts,
                 std::int32_t after);
  void work(std::vector<Transaction>& batch, std::size_t i);
  void time_step(std::vector<Transaction>& batch);
  void processors(std::vector<Transaction>& batch);

  std::vector<SpikingLayer> layers_;
  SpikingChip spiking_;
  const Chip& chip_;
  std::int64_t samples_;
  std::vector<State> states_;
  std::int32_t write_port_ = 0, processor_ = 0, tick_ = 0, barrier_ = 0, first_link_ = 0, first_link_slot_ = 0;
  std::int64_t phase_ = 0, last_phase_ = 0, step_ = 0;
  std::vector<std::int32_t> waits_;  // of the barrier
};

Spiking::Spiking(std::vector<SpikingLayer> layers, const SpikingChip& spiking, const Chip& chip, std::int64_t samples)
    : layers_(std::move(layers)), spiking_(spiking), chip_(chip), samples_(samples), states_(layers_.size()) {
  const auto add = [&](std::string name, Resource::Kind kind) {
    resources_.push_back({std::move(name), kind, 0});
    return static_cast<std::int32_t>(resources_.size() - 1);
  };
  add(chip.levels.front().name, Resource::Kind::memory);
  if (chip.levels.front().separate_ports)
    write_port_ = add(chip.levels.front().name + " write", Resource::Kind::memory);
  tick_ = add("least time step", Resource::Kind::barrier);
  barrier_ = add("barrier", Resource::Kind::barrier);
  processor_ = add("processors", Resource::Kind::core);
  std::int32_t slot = first_layer;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    states_[i].resource = add(layers_[i].layer, Resource::Kind::core);
    states_[i].slot = slot;
    slot += 2;  // loaded, done
    states_[i].kernel = static_cast<std::int32_t>(kernels_.size());
    for (std::size_t k = 0; k < std::max<std::size_t>(layers_[i].kernels.size(), 1); ++k)
      kernels_.push_back({layers_[i].layer, layers_[i].row});
  }
  first_link_slot_ = slot;
  place_in_time();
  route();
}

/// Phase: how often the processors had to do something first. Step: one behind the last input of the same phase.
void Spiking::place_in_time() {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    State& state = states_[i];
    const auto from = [&](std::size_t input) {
      const State& before = states_[input];
      const bool behind_processor = layers_[input].processor > 0 || !layers_[input].spikes;
      return behind_processor ? State{before.phase + 1, 0, 0, 0, 0, {}, 0}
                              : State{before.phase, before.start + 1, 0, 0, 0, {}, 0};
    };
    for (const std::size_t input : layers_[i].inputs) {
      const State after = from(input);
      if (after.phase > state.phase) state.start = 0;
      if (after.phase >= state.phase) state.start = std::max(state.start, after.start);
      state.phase = std::max(state.phase, after.phase);
    }
    last_phase_ = std::max(last_phase_, state.phase);
  }
}

void Spiking::route() {
  std::map<std::int64_t, std::map<std::size_t, double>> links;  // by number: spikes of each sending layer
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    for (const std::size_t input : layers_[i].inputs) {
      if (!layers_[i].spikes || !layers_[input].spikes || layers_[input].sent <= 0) continue;
      const SpikeFlow flow = route_spikes(spiking_.mesh, spiking_.chips, layers_[input].cores, layers_[i].cores,
                                          layers_[input].sent, layers_[i].destinations);
      states_[input].hops += flow.hops;
      longest = std::max(longest, flow.longest);
      for (const LinkLoad& load : flow.links) links[load.link][input] += load.spikes;
    }
  }
  // Of the links with spikes of the same layers those stay that no other one exceeds for all of these layers.
  struct Kept {
    std::int64_t link = 0;
    const std::map<std::size_t, double>* loads = nullptr;
  };
  const auto exceeds = [](const Kept& a, const Kept& b) {
    return std::equal(a.loads->begin(), a.loads->end(), b.loads->begin(),
                      [](const auto& x, const auto& y) { return x.second >= y.second; });
  };
  std::map<std::vector<std::size_t>, std::vector<Kept>> groups;
  for (const auto& [link, loads] : links) {
    std::vector<std::size_t> senders;
    for (const auto& [sender, spikes] : loads) senders.push_back(sender);
    std::vector<Kept>& group = groups[senders];
    const Kept candidate{link, &loads};
    if (std::ranges::any_of(group, [&](const Kept& kept) { return exceeds(kept, candidate); })) continue;
    std::erase_if(group, [&](const Kept& kept) { return exceeds(candidate, kept); });
    group.push_back(candidate);
  }
  first_link_ = static_cast<std::int32_t>(resources_.size());
  const Ticks on_its_way = longest > 1 ? static_cast<Ticks>(longest - 1) * spiking_.hop : 0;
  std::int32_t kept_links = 0;
  const std::int64_t width = spiking_.chips * spiking_.mesh.width;
  for (const auto& [senders, group] : groups) {
    for (const Kept& kept : group) {
      constexpr std::array directions{"east", "west", "south", "north"};
      resources_.push_back({fmt::format("link {} {} {}", kept.link / 4 % width, kept.link / 4 / width,
                                        directions[static_cast<std::size_t>(kept.link % 4)]),
                            Resource::Kind::link, on_its_way});
      for (const auto& [sender, spikes] : *kept.loads) states_[sender].crossings.push_back({kept_links, spikes});
      ++kept_links;
    }
  }
  slots_ = static_cast<std::size_t>(first_link_slot_ + kept_links);
}

Transaction Spiking::make(Work work, std::size_t i, std::int32_t resource) const {
  Transaction t;
  t.work = work;
  t.kernel = states_[i].kernel;
  t.resource = resource;
  t.step = step_;
  return t;
}

/// What crosses the outermost level of one part of a layer's sample.
void Spiking::transfers(std::vector<Transaction>& batch, std::size_t i, Work work, std::int64_t part,
                        std::int64_t parts, std::int32_t after) {
  const bool load = work == Work::load;
  for (std::size_t k = 0; k < layers_[i].kernels.size(); ++k) {
    const auto& [evaluation, repeat] = layers_[i].kernels[k];
    const std::vector<OperandAccesses>& outer = evaluation->counts.levels.front();
    for (std::size_t o = 0; o < outer.size(); ++o) {
      if (load ? outer[o].reads == 0 && outer[o].delivered == 0 : outer[o].updates == 0) continue;
      Transaction t = make(work, i, load ? 0 : write_port_);
      t.kernel += static_cast<std::int32_t>(k);
      t.after[0] = after;
      t.fields = load ? reads | delivered : updates;
      t.level = 0;
      t.operand = static_cast<std::int16_t>(o);
      t.moved = &evaluation->counts;
      t.part = part;
      t.parts = parts;
      const std::int64_t words = share_of(load ? outer[o].reads : outer[o].updates, part, parts);
      t.bytes = static_cast<double>(words * repeat) * (bits(evaluation->problem.operands[o].type) / 8.0);
      t.ticks = transfer_ticks(chip_.levels.front(), chip_.clock, t.bytes, {t.bytes, t.bytes});
      t.publish = load ? states_[i].slot : no_slot;
      batch.push_back(t);
    }
  }
}

/// A layer's time step: its inputs from outside, its cores, its spikes.
void Spiking::work(std::vector<Transaction>& batch, std::size_t i) {
  const State& state = states_[i];
  const std::int64_t parts = spiking_.time_steps, part = (step_ - state.start) % parts;
  const std::int32_t loaded = state.slot, done = state.slot + 1;
  transfers(batch, i, Work::load, part, parts, barrier_slot);
  Transaction t = make(Work::compute, i, state.resource);
  t.after = {barrier_slot, loaded, no_slot, no_slot};
  t.publish = done;
  t.ticks = layers_[i].core;
  t.part = part;
  t.parts = parts;
  t.fields = every_field;
  for (std::size_t k = 0; k == 0 || k < layers_[i].kernels.size(); ++k) {
    if (k < layers_[i].kernels.size()) t.moved = &layers_[i].kernels[k].evaluation->counts;
    batch.push_back(t);
    t.ticks = 0;  // the work of all kernels is in the first
    ++t.kernel;
  }
  waits_.push_back(done);
  transfers(batch, i, Work::store, part, parts, done);
  double hops = state.hops;
  for (const Crossing& crossing : state.crossings) {
    Transaction hop = make(Work::hop, i, first_link_ + crossing.link);
    hop.after[0] = done;
    hop.publish = first_link_slot_ + crossing.link;
    hop.ticks = static_cast<Ticks>(std::ceil(crossing.spikes * static_cast<double>(spiking_.hop)));
    hop.bytes = std::exchange(hops, 0.0);  // counted once, with the first
    batch.push_back(hop);
    waits_.push_back(hop.publish);
  }
}

void Spiking::time_step(std::vector<Transaction>& batch) {
  waits_.clear();
  std::size_t someone = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (states_[i].phase != phase_ || !layers_[i].spikes || step_ < states_[i].start || step_ >= steps(states_[i]))
      continue;
    work(batch, i);
    someone = i;
  }
  if (waits_.empty()) return;
  Transaction tick = make(Work::join, someone, tick_);
  tick.after[0] = barrier_slot;
  tick.publish = tick_slot;
  tick.ticks = spiking_.least_step;
  batch.push_back(tick);
  std::ranges::sort(waits_);
  waits_.erase(std::ranges::unique(waits_).begin(), waits_.end());
  for (std::size_t w = 0; w < waits_.size(); w += 4) {
    Transaction join = make(Work::join, someone, barrier_);
    std::copy_n(waits_.begin() + static_cast<std::ptrdiff_t>(w), std::min<std::size_t>(4, waits_.size() - w),
                join.after.begin());
    batch.push_back(join);
  }
  Transaction barrier = make(Work::join, someone, barrier_);
  barrier.ticks = spiking_.barrier;
  batch.push_back(barrier);
  barrier.ticks = 0;
  barrier.after[0] = tick_slot;
  barrier.publish = barrier_slot;
  batch.push_back(barrier);
}

/// What the processors do behind the last time step of a phase, sample after sample.
void Spiking::processors(std::vector<Transaction>& batch) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const SpikingLayer& layer = layers_[i];
    if (states_[i].phase != phase_ || (layer.processor == 0 && layer.spikes)) continue;
    for (std::int64_t sample = 0; sample < samples_; ++sample) {
      if (!layer.spikes) transfers(batch, i, Work::load, 0, 1, barrier_slot);
      Transaction t = make(Work::compute, i, processor_);
      t.after = {barrier_slot, states_[i].slot, no_slot, no_slot};
      t.publish = states_[i].slot + 1;
      t.ticks = layer.processor;
      for (std::size_t k = 0; k == 0 || (!layer.spikes && k < layer.kernels.size()); ++k) {
        if (!layer.spikes && k < layer.kernels.size()) {
          t.moved = &layer.kernels[k].evaluation->counts;
          t.fields = every_field;
        }
        batch.push_back(t);
        t.ticks = 0;
        ++t.kernel;
      }
      if (!layer.spikes) transfers(batch, i, Work::store, 0, 1, states_[i].slot + 1);
    }
  }
  Transaction end = make(Work::join, 0, processor_);  // behind all of them; the next phase's first step waits for it
  end.after[0] = barrier_slot;
  end.publish = barrier_slot;
  batch.push_back(end);
}

bool Spiking::next(std::vector<Transaction>& batch) {
  if (phase_ > last_phase_ || layers_.empty()) return false;
  std::int64_t last = 0;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (states_[i].phase == phase_ && layers_[i].spikes) last = std::max(last, steps(states_[i]));
  }
  if (step_ < last) {
    time_step(batch);
    ++step_;
    return true;
  }
  processors(batch);
  step_ = 0;
  ++phase_;
  return true;
}

}  // namespace

std::unique_ptr<Program> spiking_program(std::vector<SpikingLayer> layers, const SpikingChip& spiking, const Chip& chip,
                                         std::int64_t samples) {
  return std::make_unique<Spiking>(std::move(layers), spiking, chip, samples);
}

}  // namespace tilewright
