#include "sim/network/residency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <tuple>

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/network/shadows.hpp"

namespace tilewright {
namespace {

constexpr std::size_t longest_chain = 4;  // layers that run depth-first together
constexpr std::size_t tile_counts = 3;    // numbers of tiles tried per chain: the smallest that fit
// Beyond these the best are followed and nothing is proven.
constexpr std::size_t most_states = 1000;  // before one layer
constexpr std::size_t most_labels = 4000;  // of one state: pairs of energy and time of which none is worse in both

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// An activation that may stay on chip.
struct Candidate {
  TensorId tensor = -1;
  std::int64_t bytes = 0;
  std::vector<std::size_t> readers;  // layers, ascending
  bool must_leave = false;           // output of the graph, or read by an operand that cannot be told
};

struct Variant {
  std::vector<KernelRuns> kernels;
};

struct LayerCost {
  bool possible = false;
  Joules dynamic;
  Cycles cycles;
  Cycles dram;      // time of its traffic at the outermost level
  Cycles overhead;  // that nothing hides
};

struct Cost {
  double energy = 0, cycles = 0;
  friend Cost operator+(const Cost& a, const Cost& b) { return {a.energy + b.energy, a.cycles + b.cycles}; }
};

/// Tensors on chip (by candidate) and whether the next layer's weights are there already.
struct State {
  std::vector<std::pair<std::size_t, Residence>> live;  // chip or both, ascending
  bool weights_ahead = false;
  friend auto operator<=>(const State&, const State&) = default;
};

/// A state before a layer.
struct Node {
  std::size_t position = 0;
  State state;
  Cost reached;  // by the best way, in the order of the objective; the product is compared as if it were energy
};

/// One layer, or a depth-first group of layers, that leads from one state to another.
struct Edge {
  std::size_t from = 0, to = 0;
  Cost cost;
  std::size_t step = 0;  // in Planner::steps_
};

struct Step {
  std::size_t first = 0;
  std::vector<LayerPlan> layers;
};

class Planner {
 public:
  Planner(const ResidencyProblem& problem, MappingMemo& memo)
      : problem_(problem), graph_(*problem.graph), chip_(*problem.chip), homes_(homes_of(chip_)), memo_(memo) {
    find_candidates();
    for (std::size_t g = 0; g < problem.kernels.size(); ++g) loads_.push_back(load_of(problem.kernels[g]));
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      tilings_.push_back(row_tiling(graph_.layers[i], kernels(i)));
    }
  }

  ResidencyPlan plan();

 private:
  struct Load {
    std::int64_t bytes = 0;  // 0: nothing that could be loaded ahead
    Cycles time;
  };

  const std::vector<Kernel>& kernels(std::size_t layer) const { return problem_.kernels[problem_.group[layer]]; }
  const Load& load(std::size_t layer) const { return loads_[problem_.group[layer]]; }
  double capacity() const { return chip_.levels[at(homes_.activations)].capacity->value; }

  void find_candidates();
  Load load_of(const std::vector<Kernel>& kernels) const;
  const Variant* variant(std::size_t layer, const std::vector<bool>& flags, std::int64_t tiles, bool ahead);
  std::optional<Variant> make_variant(std::size_t layer, const std::vector<bool>& flags, std::int64_t tiles,
                                      bool ahead);
  LayerCost cost_of(const Variant& variant, Reserved reserved);

  std::vector<bool> flags_of(std::size_t layer, const std::map<TensorId, bool>& on_chip) const;
  std::vector<std::map<TensorId, Residence>> input_choices(std::size_t layer, const State& state) const;
  std::vector<std::vector<std::pair<std::size_t, Residence>>> output_choices(std::size_t layer) const;
  void leave(std::size_t from, std::size_t last, bool next_ahead,
             const std::vector<std::pair<std::size_t, Residence>>& outputs, Cost cost, Step step);
  void connect(std::size_t from, std::size_t position, State state, Cost cost, std::size_t step);
  bool better(const Cost& a, const Cost& b) const;

  void single_layer(std::size_t node);
  void chains(std::size_t node);
  bool continues(std::size_t layer) const;
  std::vector<std::int64_t> tilings_of(std::size_t first, std::size_t last) const;
  void chain(std::size_t node, std::size_t last, std::int64_t tiles, bool pinned);
  std::int64_t buffer_bytes(std::size_t producer, std::int64_t tiles) const;
  std::int64_t live_bytes(const State& state) const;
  std::vector<std::size_t> states_before(std::size_t position);
  std::vector<std::size_t> best_path() const;
  std::vector<std::size_t> least_product();
  double total_energy(const LayerCost& cost) const {
    return (cost.dynamic + static_power(chip_) * (cost.cycles / chip_.clock)).value;
  }

  const ResidencyProblem& problem_;
  const WorkloadGraph& graph_;
  const Chip& chip_;
  Homes homes_;
  MappingMemo& memo_;
  std::vector<std::vector<Port>> ports_;  // per layer
  std::vector<Candidate> candidates_;
  std::map<TensorId, std::size_t> candidate_of_;
  std::vector<Load> loads_;  // per group
  std::vector<RowTiling> tilings_;
  std::map<std::tuple<std::size_t, std::vector<bool>, std::int64_t, bool>, std::optional<Variant>> variants_;
  std::vector<std::map<State, std::size_t>> states_;  // per position: nodes
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;  // in the order of the positions of `from`
  std::vector<Step> steps_;
  bool proven_ = true;
};

void Planner::find_candidates() {
  std::vector<std::vector<std::size_t>> readers(graph_.tensors.size());
  std::vector<bool> untold(graph_.tensors.size(), false);
  for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
    const Layer& layer = graph_.layers[i];
    ports_.push_back(ports_of(graph_, layer, kernels(i)));
    for (const TensorId id : layer.inputs) {
      const TensorId owner = storage_of(graph_, id);
      const bool told = std::any_of(ports_[i].begin(), ports_[i].end(), [&](const Port& port) {
        return !port.output && std::any_of(port.parts.begin(), port.parts.end(),
                                           [&](const Port::Part& part) { return part.tensor == owner; });
      });
      if (!told) untold[at(owner)] = true;
      std::vector<std::size_t>& list = readers[at(owner)];
      if (list.empty() || list.back() != i) list.push_back(i);
    }
  }
  for (const TensorId id : graph_.outputs) untold[at(storage_of(graph_, id))] = true;
  for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
    for (const Port& port : ports_[i]) {
      if (!port.output) continue;
      const int width = bits(kernels(i)[port.kernel].problem.operands[port.operand].type);
      for (const Port::Part& part : port.parts) {
        if (readers[at(part.tensor)].empty() || candidate_of_.contains(part.tensor)) continue;
        const Tensor& tensor = graph_.tensors[at(part.tensor)];
        const std::int64_t bytes = std::max(tensor_bytes(tensor), ceil_div(checked_mul(tensor.elements(), width), 8));
        candidate_of_[part.tensor] = candidates_.size();
        candidates_.push_back({part.tensor, bytes, readers[at(part.tensor)], untold[at(part.tensor)]});
      }
    }
  }
}

Planner::Load Planner::load_of(const std::vector<Kernel>& kernels) const {
  Load load;
  if (homes_.weights < 0) return load;
  for (const Kernel& kernel : kernels) {
    const WeightLoad one = weight_load(kernel.problem, chip_);
    if (one.bytes.value == 0) continue;
    if (kernel.repeat != 1) return {};  // steps of a recurrent layer
    load.bytes = checked_add(load.bytes, static_cast<std::int64_t>(one.bytes.value));
    load.time += one.time;
  }
  return load;
}

const Variant* Planner::variant(std::size_t layer, const std::vector<bool>& flags, std::int64_t tiles, bool ahead) {
  const auto [found, fresh] = variants_.try_emplace({problem_.group[layer], flags, tiles, ahead});
  if (fresh) found->second = make_variant(layer, flags, tiles, ahead);
  return found->second ? &*found->second : nullptr;
}

std::optional<Variant> Planner::make_variant(std::size_t layer, const std::vector<bool>& flags, std::int64_t tiles,
                                             bool ahead) {
  std::vector<Kernel> runs = kernels(layer);
  if (tiles > 1) {
    auto tile = one_tile(runs, tilings_[layer], tiles);
    if (!tile) return std::nullopt;
    runs = std::move(*tile);
    std::size_t flag = 0;
    for (const Port& port : ports_[layer]) {  // what stands for several tensors is not split tile by tile
      for (std::size_t p = 1; p < port.parts.size(); ++p) {
        if (flags[flag + p] != flags[flag]) return std::nullopt;
      }
      flag += port.parts.size();
    }
  }
  auto chosen = placed(runs, ports_[layer], flags);
  if (!chosen) return std::nullopt;
  Variant variant;
  for (PlacedKernel& one : *chosen) {
    Problem& problem = one.kernel.problem;
    KernelRuns run{0, checked_mul(one.kernel.repeat, tiles), one.kernel.fused, false, std::move(one.on_chip)};
    for (std::size_t o = 0; ahead && problem.compute == Compute::mac && o < problem.operands.size(); ++o) {
      if (problem.operands[o].role != Role::weight) continue;
      problem.operands[o].on_chip = true;
      run.loads_weights = true;
      run.placed.push_back(o);
    }
    run.problem = memo_.number(problem);
    if (run.loads_weights && run.repeat > 1) {  // the first tile's run carries the load
      KernelRuns rest = run;
      rest.repeat = run.repeat - 1;
      rest.loads_weights = false;
      run.repeat = 1;
      variant.kernels.push_back(std::move(run));
      run = std::move(rest);
    }
    variant.kernels.push_back(std::move(run));
  }
  return variant;
}

LayerCost Planner::cost_of(const Variant& variant, Reserved reserved) {
  LayerCost cost;
  std::vector<RunTime> times;
  for (const KernelRuns& run : variant.kernels) {
    const Outcome& outcome = memo_.best(run.problem, reserved);
    if (!outcome) return {};
    const Evaluation& e = *outcome;
    for (const std::size_t operand : run.placed) {
      if (!passes_through_home(e, operand, homes_)) return {};
    }
    const double repeat = static_cast<double>(run.repeat);
    cost.dynamic += repeat * (e.energy.compute + e.energy.memory + e.energy.link);
    if (run.loads_weights) cost.dynamic += weight_load(e.problem, chip_).energy;
    cost.dram += repeat * e.levels.front().time;
    if (!run.fused) cost.overhead += repeat * e.overhead;
    times.push_back(run_time(e, run.repeat, run.fused, chip_));
  }
  cost.cycles = time_in_shadows(times);
  cost.possible = true;
  return cost;
}

/// Flags of a layer's parts for the tensors that are on chip for it.
std::vector<bool> Planner::flags_of(std::size_t layer, const std::map<TensorId, bool>& on_chip) const {
  std::vector<bool> flags;
  for (const Port& port : ports_[layer]) {
    for (const Port::Part& part : port.parts) {
      const auto found = on_chip.find(part.tensor);
      flags.push_back(found != on_chip.end() && found->second);
    }
  }
  return flags;
}

/// Where the live tensors that a layer reads are read: one that is in both places from either of them.
std::vector<std::map<TensorId, Residence>> Planner::input_choices(std::size_t layer, const State& state) const {
  std::vector<std::map<TensorId, Residence>> choices{{}};
  for (const auto& [c, place] : state.live) {
    const Candidate& candidate = candidates_[c];
    if (!std::binary_search(candidate.readers.begin(), candidate.readers.end(), layer)) continue;
    const std::size_t known = choices.size();
    for (std::size_t i = 0; i < known; ++i) {
      if (place == Residence::both) {
        choices.push_back(choices[i]);
        choices.back()[candidate.tensor] = Residence::outside;
      }
      choices[i][candidate.tensor] = Residence::chip;
    }
  }
  return choices;
}

/// Places of the results of a layer: outside only, on chip only, or both.
std::vector<std::vector<std::pair<std::size_t, Residence>>> Planner::output_choices(std::size_t layer) const {
  std::vector<std::vector<std::pair<std::size_t, Residence>>> choices{{}};
  std::vector<std::size_t> seen;
  for (const Port& port : ports_[layer]) {
    if (!port.output) continue;
    for (const Port::Part& part : port.parts) {
      const auto found = candidate_of_.find(part.tensor);
      if (found == candidate_of_.end() || std::count(seen.begin(), seen.end(), found->second) > 0) continue;
      seen.push_back(found->second);
      const Candidate& candidate = candidates_[found->second];
      if (static_cast<double>(candidate.bytes) > capacity()) continue;
      const std::size_t known = choices.size();
      for (std::size_t i = 0; i < known; ++i) {
        if (!candidate.must_leave) {
          choices.push_back(choices[i]);
          choices.back().emplace_back(found->second, Residence::chip);
        }
        if (candidate.must_leave || candidate.readers.size() > 1) {
          choices.push_back(choices[i]);
          choices.back().emplace_back(found->second, Residence::both);
        }
      }
    }
  }
  return choices;
}

std::int64_t Planner::live_bytes(const State& state) const {
  std::int64_t bytes = 0;
  for (const auto& [c, place] : state.live) bytes = checked_add(bytes, candidates_[c].bytes);
  return bytes;
}

/// The order in which one way to a state is kept: additive, so that the best way to a state is part of the best way through it.
bool Planner::better(const Cost& a, const Cost& b) const {
  if (problem_.objective == Objective::latency) return std::tie(a.cycles, a.energy) < std::tie(b.cycles, b.energy);
  return std::tie(a.energy, a.cycles) < std::tie(b.energy, b.cycles);
}

void Planner::connect(std::size_t from, std::size_t position, State state, Cost cost, std::size_t step) {
  std::sort(state.live.begin(), state.live.end());
  const Cost reached = nodes_[from].reached + cost;
  const auto [found, fresh] = states_[position].try_emplace(state, nodes_.size());
  if (fresh) {
    nodes_.push_back({position, std::move(state), reached});
  } else if (better(reached, nodes_[found->second].reached)) {
    nodes_[found->second].reached = reached;
  }
  edges_.push_back({from, found->second, cost, step});
}

/// Enters the states behind the layers up to `last`: dead tensors go; what is also outside may be given up.
void Planner::leave(std::size_t from, std::size_t last, bool next_ahead,
                    const std::vector<std::pair<std::size_t, Residence>>& outputs, Cost cost, Step step) {
  State state{nodes_[from].state.live, next_ahead};
  state.live.insert(state.live.end(), outputs.begin(), outputs.end());
  std::erase_if(state.live, [&](const auto& live) { return candidates_[live.first].readers.back() <= last; });
  std::vector<std::size_t> optional;  // read just now and also outside: keep or give up
  for (std::size_t t = 0; t < state.live.size(); ++t) {
    const auto& [c, place] = state.live[t];
    const auto& readers = candidates_[c].readers;
    const auto reader = std::lower_bound(readers.begin(), readers.end(), step.first);
    if (place == Residence::both && reader != readers.end() && *reader <= last) optional.push_back(t);
  }
  steps_.push_back(std::move(step));
  std::vector<State> next{{{}, next_ahead}};
  for (std::size_t t = 0; t < state.live.size(); ++t) {
    const bool may_go = std::count(optional.begin(), optional.end(), t) > 0;
    const std::size_t known = next.size();
    for (std::size_t n = 0; n < known; ++n) {
      if (may_go) next.push_back(next[n]);
      next[n].live.push_back(state.live[t]);
    }
  }
  for (State& one : next) connect(from, last + 1, std::move(one), cost, steps_.size() - 1);
}

void Planner::single_layer(std::size_t node) {
  const std::size_t layer = nodes_[node].position;
  const State state = nodes_[node].state;
  const std::int64_t live = live_bytes(state);
  const bool ahead = state.weights_ahead;
  for (const auto& inputs : input_choices(layer, state)) {
    for (const auto& outputs : output_choices(layer)) {
      std::map<TensorId, bool> on_chip;
      LayerPlan plan;
      plan.first = plan.last = static_cast<int>(layer);
      plan.weights_ahead = ahead;
      for (const auto& [tensor, place] : inputs) {
        on_chip[tensor] = place == Residence::chip;
        plan.inputs.emplace_back(tensor, place);
      }
      plan.reserved = {live, ahead ? load(layer).bytes : 0};
      for (const auto& [c, place] : outputs) {
        on_chip[candidates_[c].tensor] = place == Residence::chip;
        plan.outputs.emplace_back(candidates_[c].tensor, place);
        plan.reserved.activations = checked_add(plan.reserved.activations, candidates_[c].bytes);
      }
      if (static_cast<double>(plan.reserved.activations) > capacity()) continue;
      const Variant* chosen = variant(layer, flags_of(layer, on_chip), 1, ahead);
      if (chosen == nullptr) continue;
      plan.kernels = chosen->kernels;
      const bool next_has_weights = layer + 1 < graph_.layers.size() && load(layer + 1).bytes > 0;
      for (const bool next_ahead : {false, true}) {
        if (next_ahead && !next_has_weights) continue;
        Reserved reserved = plan.reserved;
        if (next_ahead) reserved.weights = checked_add(reserved.weights, load(layer + 1).bytes);
        LayerCost cost = cost_of(*chosen, reserved);
        if (!cost.possible) continue;
        if (next_ahead) cost.cycles = std::max(cost.cycles, cost.dram + load(layer + 1).time + cost.overhead);
        LayerPlan one = plan;
        one.reserved = reserved;
        one.cycles = cost.cycles;
        leave(node, layer, next_ahead, outputs, {total_energy(cost), cost.cycles.value}, {layer, {std::move(one)}});
      }
    }
  }
}

/// True if the only result of a layer is read by the next layer alone, through a port, and both can run by rows.
bool Planner::continues(std::size_t layer) const {
  if (layer + 1 >= graph_.layers.size() || graph_.layers[layer].outputs.size() != 1) return false;
  const auto found = candidate_of_.find(storage_of(graph_, graph_.layers[layer].outputs[0]));
  if (found == candidate_of_.end()) return false;
  const Candidate& candidate = candidates_[found->second];
  if (candidate.must_leave || candidate.readers != std::vector<std::size_t>{layer + 1}) return false;
  const RowTiling &one = tilings_[layer], &next = tilings_[layer + 1];
  if (one.kind == Rows::none || next.kind == Rows::none) return false;
  if (next.kind == Rows::window && next.extent > 1) return one.kind == Rows::window;
  return one.kind == next.kind || one.kind == Rows::any || next.kind == Rows::any;
}

/// Common divisors of the rows of all layers, ascending, 1 left out.
std::vector<std::int64_t> Planner::tilings_of(std::size_t first, std::size_t last) const {
  std::int64_t common = 0;
  for (std::size_t k = first; k <= last; ++k) common = std::gcd(common, tilings_[k].rows);
  std::vector<std::int64_t> divisors;
  for (std::int64_t n = 2; n <= std::min<std::int64_t>(common, 512); ++n) {
    if (common % n == 0) divisors.push_back(n);
  }
  return divisors;
}

/// Bytes of what a chain holds of the result of `producer`: one tile, and for a window the rows that it spans beside the tile in the making.
std::int64_t Planner::buffer_bytes(std::size_t producer, std::int64_t tiles) const {
  const Candidate& candidate = candidates_[candidate_of_.at(storage_of(graph_, graph_.layers[producer].outputs[0]))];
  const RowTiling& reader = tilings_[producer + 1];
  const std::int64_t rows = tilings_[producer].rows;
  std::int64_t held = rows / tiles;
  if (reader.kind == Rows::window && reader.extent > 1) {
    held = std::min(rows, 2 * held + std::max<std::int64_t>(reader.extent - reader.stride, 0));
  }
  return ceil_div(checked_mul(candidate.bytes, held), rows);
}

void Planner::chains(std::size_t node) {
  const std::size_t first = nodes_[node].position;
  const State state = nodes_[node].state;
  if (state.weights_ahead) return;
  const double room = capacity() - static_cast<double>(live_bytes(state));
  bool windows = false, matrices = false;
  for (std::size_t last = first; last + 1 < graph_.layers.size() && last - first + 1 < longest_chain; ++last) {
    if (!continues(last)) return;
    for (const std::size_t k : {last, last + 1}) {
      windows |= tilings_[k].kind == Rows::window;
      matrices |= tilings_[k].kind == Rows::matrix;
    }
    if (windows && matrices) return;
    const std::size_t between = candidate_of_.at(storage_of(graph_, graph_.layers[last].outputs[0]));
    if (static_cast<double>(candidates_[between].bytes) <= room) return;  // stays on chip as a whole
    for (const bool pinned : {false, true}) {
      std::size_t tried = 0;
      for (const std::int64_t tiles : tilings_of(first, last + 1)) {
        std::int64_t needed = 0, weights = 0;
        for (std::size_t k = first; k <= last; ++k) needed = checked_add(needed, buffer_bytes(k, tiles));
        for (std::size_t k = first; pinned && k <= last + 1; ++k) weights = checked_add(weights, load(k).bytes);
        if (pinned && weights == 0) break;
        if (homes_.weights == homes_.activations) needed = checked_add(needed, weights);
        if (static_cast<double>(needed) >= room) continue;
        chain(node, last + 1, tiles, pinned);
        if (++tried == tile_counts) break;
      }
    }
  }
}

void Planner::chain(std::size_t node, std::size_t last, std::int64_t tiles, bool pinned) {
  const std::size_t first = nodes_[node].position;
  const State state = nodes_[node].state;
  Reserved reserved{live_bytes(state), 0};
  std::map<TensorId, bool> on_chip;
  for (std::size_t k = first; k <= last; ++k) {
    if (pinned) reserved.weights = checked_add(reserved.weights, load(k).bytes);
    if (k == last) continue;
    reserved.activations = checked_add(reserved.activations, buffer_bytes(k, tiles));
    on_chip[storage_of(graph_, graph_.layers[k].outputs[0])] = true;
  }
  for (const auto& [c, place] : state.live) on_chip[candidates_[c].tensor] = true;
  for (const auto& outputs : output_choices(last)) {
    Reserved with_outputs = reserved;
    std::map<TensorId, bool> places = on_chip;
    for (const auto& [c, place] : outputs) {
      with_outputs.activations = checked_add(with_outputs.activations, candidates_[c].bytes);
      places[candidates_[c].tensor] = place == Residence::chip;
    }
    if (static_cast<double>(with_outputs.activations) > capacity()) continue;
    Step step{first, {}};
    Cost cost;
    bool possible = true;
    for (std::size_t k = first; k <= last && possible; ++k) {
      const bool weights_pinned = pinned && load(k).bytes > 0;
      const Variant* chosen = variant(k, flags_of(k, places), tiles, weights_pinned);
      LayerCost one = chosen != nullptr ? cost_of(*chosen, with_outputs) : LayerCost{};
      possible = one.possible;
      if (!possible) break;
      if (weights_pinned) one.cycles += load(k).time;  // before the first tile
      LayerPlan plan{chosen->kernels,        with_outputs, one.cycles,    {}, {}, tiles, static_cast<int>(first),
                     static_cast<int>(last), false,        weights_pinned};
      for (const auto& [c, place] : state.live) {
        const auto& readers = candidates_[c].readers;
        if (std::binary_search(readers.begin(), readers.end(), k))
          plan.inputs.emplace_back(candidates_[c].tensor, Residence::chip);
      }
      if (k == last) {
        for (const auto& [c, place] : outputs) plan.outputs.emplace_back(candidates_[c].tensor, place);
      }
      step.layers.push_back(std::move(plan));
      cost = cost + Cost{total_energy(one), one.cycles.value};
    }
    if (possible) leave(node, last, false, outputs, cost, std::move(step));
  }
}

/// Nodes to go on from; when there are too many the best, and always the one that has nothing on chip.
std::vector<std::size_t> Planner::states_before(std::size_t position) {
  std::vector<std::size_t> nodes;
  for (const auto& [state, node] : states_[position]) nodes.push_back(node);
  if (nodes.size() <= most_states) return nodes;
  proven_ = false;
  std::stable_sort(nodes.begin(), nodes.end(), [&](std::size_t a, std::size_t b) {
    const bool empty_a = nodes_[a].state == State{}, empty_b = nodes_[b].state == State{};
    return empty_a != empty_b ? empty_a : better(nodes_[a].reached, nodes_[b].reached);
  });
  nodes.resize(most_states);
  return nodes;
}

/// Edges of the best way, last first, where the objective adds up: energy or time, the other one among equals.
std::vector<std::size_t> Planner::best_path() const {
  constexpr std::size_t none = static_cast<std::size_t>(-1);
  std::vector<std::size_t> by(nodes_.size(), none);
  std::vector<Cost> reached(nodes_.size());
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const Edge& edge = edges_[e];
    const Cost cost = reached[edge.from] + edge.cost;
    if (by[edge.to] != none && !better(cost, reached[edge.to])) continue;
    by[edge.to] = e;
    reached[edge.to] = cost;
  }
  std::vector<std::size_t> path;
  for (std::size_t node = states_.back().at(State{}); node != 0; node = edges_[path.back()].from)
    path.push_back(by[node]);
  return path;
}

/// The same for energy x time, which does not add up: of each state all pairs are followed of which none is worse in both, as long as
/// the least energy and the least time still to come could beat the best product known.
std::vector<std::size_t> Planner::least_product() {
  const std::size_t target = states_.back().at(State{});
  constexpr double never = std::numeric_limits<double>::infinity();
  std::vector<Cost> to_go(nodes_.size(), Cost{never, never});   // each of the two on its own: a bound
  std::vector<Cost> greedy(nodes_.size(), Cost{never, never});  // along one way: reachable
  to_go[target] = greedy[target] = {};
  for (std::size_t e = edges_.size(); e-- > 0;) {
    const Edge& edge = edges_[e];
    const Cost bound = to_go[edge.to] + edge.cost, way = greedy[edge.to] + edge.cost;
    to_go[edge.from] = {std::min(to_go[edge.from].energy, bound.energy),
                        std::min(to_go[edge.from].cycles, bound.cycles)};
    if (way.energy * way.cycles < greedy[edge.from].energy * greedy[edge.from].cycles) greedy[edge.from] = way;
  }
  struct Label {
    Cost cost;
    std::size_t edge = 0, before = 0;
  };
  std::vector<Label> labels{{}};
  std::vector<std::vector<std::size_t>> fronts(nodes_.size());
  fronts[0] = {0};
  double known = greedy[0].energy * greedy[0].cycles;
  constexpr double slack = 1 + 1e-12;  // of sums in another order
  for (std::size_t e = 0; e < edges_.size(); ++e) {
    const Edge& edge = edges_[e];
    for (const std::size_t before : fronts[edge.from]) {
      const Cost cost = labels[before].cost + edge.cost;
      const Cost bound = cost + to_go[edge.to], way = cost + greedy[edge.to];
      known = std::min(known, way.energy * way.cycles);
      if (!(bound.energy * bound.cycles <= known * slack)) continue;
      std::vector<std::size_t>& front = fronts[edge.to];
      const auto dominated = [&](std::size_t other) {
        return labels[other].cost.energy <= cost.energy && labels[other].cost.cycles <= cost.cycles;
      };
      if (std::any_of(front.begin(), front.end(), dominated)) continue;
      if (front.size() >= most_labels) {
        proven_ = false;
        continue;
      }
      std::erase_if(front, [&](std::size_t other) {
        return cost.energy <= labels[other].cost.energy && cost.cycles <= labels[other].cost.cycles;
      });
      front.push_back(labels.size());
      labels.push_back({cost, e, before});
    }
  }
  const auto product = [&](std::size_t label) { return labels[label].cost.energy * labels[label].cost.cycles; };
  std::size_t label = *std::min_element(fronts[target].begin(), fronts[target].end(),
                                        [&](std::size_t a, std::size_t b) { return product(a) < product(b); });
  std::vector<std::size_t> path;
  for (; label != 0; label = labels[label].before) path.push_back(labels[label].edge);
  return path;
}

ResidencyPlan Planner::plan() {
  const std::size_t count = graph_.layers.size();
  states_.resize(count + 1);
  states_[0][State{}] = 0;
  nodes_.push_back({});
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::size_t node : states_before(i)) {
      single_layer(node);
      chains(node);
    }
  }
  ResidencyPlan plan;
  plan.layers.resize(count);
  for (const std::size_t e : problem_.objective == Objective::edp ? least_product() : best_path()) {
    Step& step = steps_[edges_[e].step];
    for (std::size_t k = 0; k < step.layers.size(); ++k) plan.layers[step.first + k] = std::move(step.layers[k]);
  }
  plan.proven = proven_;
  return plan;
}

/// Counts of nothing but the weights of a mac problem, each word read once at the outermost level.
AccessCounts weight_reads(const Problem& problem, const Chip& chip) {
  AccessCounts counts;
  counts.levels.assign(chip.levels.size(), std::vector<OperandAccesses>(problem.operands.size()));
  for (std::size_t o = 0; problem.compute == Compute::mac && o < problem.operands.size(); ++o) {
    if (problem.operands[o].role != Role::weight) continue;
    const std::int64_t words = touched_words(problem, problem.operands[o]);
    OperandAccesses& read = counts.levels.front()[o];
    read.kept = true;
    read.utilized_instances = 1;
    read.tile_words = read.reads = read.merged_reads = read.delivered = words;
  }
  return counts;
}

}  // namespace

WeightLoad weight_load(const Problem& problem, const Chip& chip) {
  const AccessCounts counts = weight_reads(problem, chip);
  const CostModel model = cost_model(problem, chip);
  const std::vector<LevelCost> levels = level_costs(model, counts);
  const EnergyBy by = dynamic_energy(model, counts, levels, {});
  return {by.memory + by.link, levels.front().traffic, levels.front().time};
}

Evaluation with_weight_load(Evaluation e, const Chip& chip) {
  const AccessCounts load = weight_reads(e.problem, chip);
  for (std::size_t o = 0; o < e.problem.operands.size(); ++o) {
    if (load.levels.front()[o].kept) e.counts.levels.front()[o] = load.levels.front()[o];
  }
  const Cycles outermost = e.levels.front().time;
  const CostModel model = cost_model(e.problem, chip);
  e.levels = level_costs(model, e.counts);
  e.levels.front().time = outermost;
  const Joules fixed = e.energy.static_;
  e.energy = dynamic_energy(model, e.counts, e.levels, e.compute);
  e.energy.static_ = fixed;
  return e;
}

std::string residency_excluded(const Chip& chip) {
  if (is_pipelined(chip)) return "its layers run as a pipeline, whose results stay on chip anyway";
  if (chip.family != "systolic" && chip.family != "fpga") {
    return fmt::format("what its caches hold ({} family) is not under control of the program", chip.family);
  }
  if (homes_of(chip).activations < 0) return "no on-chip level is shared by all lanes and stores inputs";
  return "";
}

std::string residency_space(const Chip& chip) {
  const Homes homes = homes_of(chip);
  std::string space = fmt::format(
      "every result of a layer outside, in {0}, or both; depth-first groups of up to {1} layers in a row over results "
      "too large for {0}, with the {2} smallest numbers of tiles that fit",
      chip.levels[at(homes.activations)].name, longest_chain, tile_counts);
  if (homes.weights >= 0) {
    space += fmt::format("; weights loaded into {} under the layer before, or once for all tiles",
                         chip.levels[at(homes.weights)].name);
  }
  return space;
}

ResidencyPlan plan_residency(const ResidencyProblem& problem, MappingMemo& memo) {
  return Planner(problem, memo).plan();
}

}  // namespace tilewright
