// Is the plan of residency and fusion right, and is no plan of its space better? Every plan of small random graphs is enumerated.
#include "sim/network/residency.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <random>

#include "sim/network/network.hpp"
#include "tests/sim/cost/tiny_chip.hpp"

using namespace tilewright;
using namespace tilewright::testing;

namespace {

/// Builds graphs of products with weights and sums; layer i writes the i-th result.
class GraphBuilder {
 public:
  GraphBuilder(std::int64_t rows, std::int64_t columns) : rows_(rows), columns_(columns) {
    graph_.name = "built in the test";
    graph_.inputs = {tensor("x", {rows, columns}, TensorKind::input)};
  }
  TensorId input() const { return graph_.inputs.front(); }
  TensorId product(TensorId from) {
    const TensorId weights = tensor("w" + count(), {columns_, columns_}, TensorKind::weight);
    graph_.weight_elements += columns_ * columns_;
    return layer("MatMul", MatMul{{}, rows_, columns_, columns_}, {from, weights});
  }
  TensorId sum(TensorId a, TensorId b) {
    return layer("Add", Elementwise{{rows_, columns_}, {{true, true}, {true, true}}, 1}, {a, b});
  }
  WorkloadGraph graph(std::vector<TensorId> outputs) {
    graph_.outputs = std::move(outputs);
    finish(graph_);
    return graph_;
  }

 private:
  std::string count() const { return std::to_string(graph_.layers.size()); }
  TensorId tensor(std::string name, std::vector<std::int64_t> shape, TensorKind kind) {
    Tensor t;
    t.name = std::move(name);
    t.shape = std::move(shape);
    t.type = DataType::int8;
    t.kind = kind;
    graph_.tensors.push_back(t);
    return static_cast<TensorId>(graph_.tensors.size() - 1);
  }
  TensorId layer(std::string op, Operator work, std::vector<TensorId> inputs) {
    const TensorId result = tensor("y" + count(), {rows_, columns_}, TensorKind::activation);
    graph_.layers.push_back({op + count(), op, std::move(work), std::move(inputs), {result}, {}});
    return result;
  }

  std::int64_t rows_, columns_;
  WorkloadGraph graph_;
};

Chip chip_with(std::int64_t buffer_bytes) {
  Chip chip = tiny_chip();
  chip.static_power = Watts{0.01};
  chip.levels[1].capacity = Bytes{static_cast<double>(buffer_bytes)};
  return chip;
}

NetworkEvaluation evaluated(const WorkloadGraph& graph, const Chip& chip, Objective objective,
                            ResidencyOption residency, int jobs = 1) {
  NetworkOptions options;
  options.objective = objective;
  options.residency = residency;
  options.jobs = jobs;
  NetworkEvaluation n = evaluate_network(graph, chip, options);
  REQUIRE(n.failure.empty());
  return n;
}

double value_of(const NetworkEvaluation& n, Objective objective) {
  if (objective == Objective::latency) return n.cycles.value;
  return objective == Objective::energy ? n.energy.total().value : n.energy.total().value * n.cycles.value;
}

/// All plans of a graph of products and sums on a chip whose buffer stores everything, without states, memo or bounds.
class Enumeration {
 public:
  Enumeration(const WorkloadGraph& graph, const Chip& chip, Objective objective)
      : graph_(graph), chip_(chip), objective_(objective), readers_(graph.layers.size()) {
    for (std::size_t i = 0; i < graph.layers.size(); ++i) {
      for (const TensorId input : graph.layers[i].inputs) {
        if (const int p = producer(input); p >= 0 && (readers(p).empty() || readers(p).back() != i))
          readers(p).push_back(i);
      }
    }
  }

  double least() {
    modes_.assign(graph_.layers.size(), 0);
    choose(0);
    return least_;
  }

 private:
  struct Sum {
    double energy = 0, cycles = 0;
    bool possible = true;
  };
  struct Load {
    double energy = 0, cycles = 0;
    std::int64_t bytes = 0;
  };

  int producer(TensorId tensor) const {
    for (std::size_t i = 0; i < graph_.layers.size(); ++i) {
      if (graph_.layers[i].outputs[0] == tensor) return static_cast<int>(i);
    }
    return -1;
  }
  std::vector<std::size_t>& readers(int layer) { return readers_[static_cast<std::size_t>(layer)]; }
  bool leaves(std::size_t layer) const {
    return std::count(graph_.outputs.begin(), graph_.outputs.end(), graph_.layers[layer].outputs[0]) > 0;
  }
  std::int64_t bytes() const { return graph_.tensors[0].elements(); }  // all results are of this size
  std::int64_t capacity() const { return static_cast<std::int64_t>(chip_.levels[1].capacity->value); }
  bool product(std::size_t layer) const { return graph_.layers[layer].op == "MatMul"; }

  /// 0: outside; 1: on chip alone; 2 + r: both, kept until behind the r-th reader.
  void choose(std::size_t layer) {
    if (layer == modes_.size()) {
      joined_.assign(modes_.size(), false);
      join(0);
      return;
    }
    const std::size_t count = readers_[layer].size();
    for (std::size_t mode = 0; mode < 2 + count; ++mode) {
      if (mode > 0 && count == 0) break;
      if (mode == 1 && leaves(layer)) continue;
      if (mode >= 2 && !leaves(layer) && count == 1) continue;
      modes_[layer] = mode;
      choose(layer + 1);
    }
  }

  /// joined_[i]: layer i runs depth-first with the next one.
  void join(std::size_t layer) {
    if (layer + 1 >= modes_.size()) {
      ahead_.assign(modes_.size(), false);
      load_ahead(1);
      return;
    }
    joined_[layer] = false;
    join(layer + 1);
    const bool may = modes_[layer] == 0 && !leaves(layer) && readers_[layer] == std::vector<std::size_t>{layer + 1};
    if (!may) return;
    joined_[layer] = true;
    join(layer + 1);
    joined_[layer] = false;
  }
  void load_ahead(std::size_t layer) {
    if (layer >= modes_.size()) {
      cost_plan();
      return;
    }
    ahead_[layer] = false;
    load_ahead(layer + 1);
    const bool alone = !joined_[layer] && !joined_[layer - 1] && (layer < 2 || !joined_[layer - 2]);
    if (!alone || !product(layer)) return;
    ahead_[layer] = true;
    load_ahead(layer + 1);
    ahead_[layer] = false;
  }

  std::size_t group_end(std::size_t layer) const {
    while (joined_[layer]) ++layer;
    return layer;
  }
  /// Last layer through which a result stays on chip; the producer itself where it does not stay.
  std::size_t stays_until(std::size_t layer) const {
    if (modes_[layer] == 0) return layer;
    const std::size_t reader = modes_[layer] == 1 ? readers_[layer].back() : readers_[layer][modes_[layer] - 2];
    return group_end(reader);
  }

  void cost_plan() {
    Sum total;
    for (std::size_t first = 0; first < modes_.size() && total.possible;) {
      const std::size_t last = group_end(first);
      if (last - first + 1 > 4) return;
      const Sum one = first == last ? alone(first) : group(first, last);
      total = {total.energy + one.energy, total.cycles + one.cycles, one.possible};
      first = last + 1;
    }
    if (!total.possible) return;
    const double value = objective_ == Objective::latency  ? total.cycles
                         : objective_ == Objective::energy ? total.energy
                                                           : total.energy * total.cycles;
    least_ = std::min(least_, value);
  }

  std::int64_t live_before(std::size_t first) const {
    std::int64_t live = 0;
    for (std::size_t t = 0; t < first; ++t) live += modes_[t] > 0 && stays_until(t) >= first ? bytes() : 0;
    return live;
  }

  Sum alone(std::size_t layer) {
    std::int64_t reserved = live_before(layer) + (modes_[layer] > 0 ? bytes() : 0);
    if (ahead_[layer]) reserved += load(layer).bytes;
    const bool next = layer + 1 < modes_.size() && ahead_[layer + 1];
    if (next) reserved += load(layer + 1).bytes;
    return run(layer, 1, ahead_[layer], reserved, next ? load(layer + 1).cycles : 0);
  }

  Sum group(std::size_t first, std::size_t last) {
    const std::int64_t room = capacity() - live_before(first);
    if (bytes() <= room) return {0, 0, false};  // the results between stay whole
    Sum best{0, 0, false};
    std::int64_t rows = graph_.tensors[0].shape[0];
    bool sums_only = true;
    for (std::size_t k = first; k <= last; ++k) sums_only &= !product(k);
    if (sums_only) rows = bytes();
    for (const bool pinned : {false, true}) {
      std::int64_t weights = 0, tried = 0;
      for (std::size_t k = first; k <= last; ++k) weights += pinned ? load(k).bytes : 0;
      if (pinned && weights == 0) continue;
      for (std::int64_t tiles = 2; tiles <= rows && tried < 3; ++tiles) {
        const std::int64_t buffers = static_cast<std::int64_t>(last - first) * (bytes() / tiles);
        if (rows % tiles != 0 || weights + buffers >= room) continue;
        ++tried;
        const std::int64_t reserved = live_before(first) + weights + buffers + (modes_[last] > 0 ? bytes() : 0);
        Sum sum;
        for (std::size_t k = first; k <= last && sum.possible; ++k) {
          const Sum one = run(k, tiles, pinned && product(k), reserved, 0);
          sum = {sum.energy + one.energy, sum.cycles + one.cycles, one.possible};
        }
        if (!sum.possible) continue;
        const auto key = [&](const Sum& s) {
          return objective_ == Objective::latency ? std::pair(s.cycles, s.energy) : std::pair(s.energy, s.cycles);
        };
        if (!best.possible || key(sum) < key(best)) best = sum;
      }
    }
    return best;
  }

  Problem problem_of(std::size_t layer, std::int64_t tiles, bool weights_there) const {
    const Layer& source = graph_.layers[layer];
    Problem problem = lower(graph_, source).front().problem;
    problem.dims[0].bound /= tiles;
    for (std::size_t o = 0; o < 2; ++o) {
      const int p = producer(source.inputs[o]);
      if (p < 0) continue;
      const auto from = static_cast<std::size_t>(p);
      problem.operands[o].on_chip = joined_[from] || (modes_[from] > 0 && stays_until(from) >= layer);
    }
    if (product(layer)) problem.operands[1].on_chip = weights_there;
    problem.operands[2].on_chip = modes_[layer] == 1 || joined_[layer];
    return problem;
  }

  Load load(std::size_t layer) const {
    if (!product(layer)) return {};
    // Every weight once: a read of 100 pJ, 8 bits over a link of 1 pJ a bit, 2 B a cycle.
    const double words =
        static_cast<double>(graph_.tensors[static_cast<std::size_t>(graph_.layers[layer].inputs[1])].elements());
    return {words * 108e-12, words / 2, static_cast<std::int64_t>(words)};
  }

  Sum run(std::size_t layer, std::int64_t tiles, bool weights_there, std::int64_t reserved, double behind) {
    if (reserved >= capacity()) return {0, 0, false};
    Chip chip = chip_;
    chip.levels[1].capacity->value -= static_cast<double>(reserved);
    const Problem problem = problem_of(layer, tiles, weights_there);
    const std::string key = std::to_string(layer) + "/" + std::to_string(tiles) + "/" + std::to_string(reserved) + "/" +
                            std::to_string(problem.operands[0].on_chip) + std::to_string(problem.operands[1].on_chip) +
                            std::to_string(problem.operands[2].on_chip);
    auto found = known_.find(key);
    if (found == known_.end()) found = known_.emplace(key, find_best(problem, chip, objective_)).first;
    if (!found->second) return {0, 0, false};
    const Evaluation& e = found->second->best;
    const double repeat = static_cast<double>(tiles);
    Sum sum{repeat * (e.energy.compute + e.energy.memory + e.energy.link).value, repeat * e.cycles.value};
    if (behind > 0) sum.cycles = std::max(sum.cycles, e.levels[0].time.value + behind + e.overhead.value);
    if (weights_there) {
      sum.energy += load(layer).energy;
      if (tiles > 1) sum.cycles += load(layer).cycles;
    }
    sum.energy += 0.01 * sum.cycles * 1e-9;  // static power, 1 GHz
    return sum;
  }

  const WorkloadGraph& graph_;
  const Chip& chip_;
  Objective objective_;
  std::vector<std::vector<std::size_t>> readers_;
  std::vector<std::size_t> modes_;
  std::vector<bool> joined_, ahead_;
  std::map<std::string, std::expected<SearchResult, Infeasible>> known_;
  double least_ = std::numeric_limits<double>::infinity();
};

WorkloadGraph random_graph(std::mt19937& random, std::size_t layers) {
  const auto pick = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  GraphBuilder builder(4, 4);  // small enough for the search of a layer to be exact under any capacity
  std::vector<TensorId> results;
  std::vector<bool> read;
  const auto latest = [&] { return results.size() - 1 - pick(std::min<std::size_t>(results.size(), 2)); };
  for (std::size_t i = 0; i < layers; ++i) {
    if (results.size() >= 2 && pick(3) == 0) {
      const std::size_t a = results.size() - 1, b = pick(results.size() - 1);
      read[a] = read[b] = true;
      results.push_back(builder.sum(results[a], results[b]));
    } else {
      TensorId from = builder.input();
      if (!results.empty() && pick(6) > 0) {
        const std::size_t chosen = latest();
        read[chosen] = true;
        from = results[chosen];
      }
      results.push_back(builder.product(from));
    }
    read.push_back(false);
  }
  std::vector<TensorId> outputs;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!read[i] || pick(8) == 0) outputs.push_back(results[i]);
  }
  return builder.graph(outputs);
}

}  // namespace

TEST_CASE("a result that stays on chip saves its write and its read at the outermost level, to the picojoule") {
  // Two products of 4x4 by 4x4 bytes; everything fits the buffer of 4 KiB at once.
  GraphBuilder builder(4, 4);
  const TensorId between = builder.product(builder.input());
  const WorkloadGraph graph = builder.graph({builder.product(between)});
  Chip chip = chip_with(4096);
  chip.static_power = {};
  const NetworkEvaluation apart = evaluated(graph, chip, Objective::energy, ResidencyOption::none);
  const NetworkEvaluation together = evaluated(graph, chip, Objective::energy, ResidencyOption::on);
  // DRAM of one product: 16 inputs and 16 weights read at 100 pJ and 8 bits over the link, 16 results written at 200 pJ and as many bits.
  const double dram = 32 * 108 + 16 * 208;
  // Buffer, 2 B an access: 16 + 16 words filled (12 pJ), 16 weights read (10 pJ), 64 MACs read inputs shared by 2 columns,
  // 64 / 2 rows of updates (12 pJ), of which all but the first of each result are read again, 16 results drained.
  const double buffer = 16 * 12 + 8 * 10 + 16 * 10 + 16 * 12 + 8 * 10 + 8 * 10;
  const double lanes = 16 + 64 + 64;  // weights into the registers, out of them, MACs
  CHECK(in_picojoules(apart.energy.total()) == Approx(2 * (dram + buffer + lanes)).epsilon(1e-12));
  // The 16 words between are neither written (208 pJ) nor read (108 pJ) outside.
  CHECK(in_picojoules(apart.energy.total() - together.energy.total()) == Approx(16 * (208 + 108)).epsilon(1e-9));
  CHECK(apart.dram.value == 2 * 48);
  CHECK(together.dram.value == 2 * 48 - 32);
  REQUIRE(together.residency);
  CHECK(together.residency->proven);
  CHECK(together.residency->level == "Buffer");
  CHECK(together.residency->energy.value == Approx(apart.energy.total().value));
  CHECK(together.residency->dram == apart.dram);
  REQUIRE(together.layers.size() == 2);  // equal layers that run differently are apart
  REQUIRE(together.layers[0].placement);
  CHECK(together.layers[0].placement->outputs == std::vector<std::pair<std::string, std::string>>{{"y0", "Buffer"}});
  CHECK(together.layers[1].placement->inputs == std::vector<std::pair<std::string, std::string>>{{"y0", "Buffer"}});
}

TEST_CASE("no plan of a small random graph is better than the one found") {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const WorkloadGraph graph = random_graph(random, 2 + static_cast<std::size_t>(round) % 3);
    const Chip chip = chip_with(16 + 8 * std::uniform_int_distribution<std::int64_t>(0, 16)(random));
    for (const Objective objective : {Objective::energy, Objective::latency}) {
      INFO("round " << round << ", buffer " << chip.levels[1].capacity->value);
      const NetworkEvaluation found = evaluated(graph, chip, objective, ResidencyOption::on);
      REQUIRE(found.residency);
      CHECK(found.residency->proven);
      const double least = Enumeration(graph, chip, objective).least();
      INFO("above the least by " << (value_of(found, objective) / least - 1));
      CHECK(value_of(found, objective) == Approx(least).epsilon(1e-9));
    }
  }
}

TEST_CASE(
    "residency is never worse than layer by layer, more buffer is never worse, and DRAM sees the compulsory bytes") {
  std::mt19937 random(11);
  for (int round = 0; round < 12; ++round) {
    const WorkloadGraph graph = random_graph(random, 6);
    std::int64_t compulsory = 0;
    for (const Tensor& t : graph.tensors) compulsory += t.kind == TensorKind::activation ? 0 : t.elements();
    compulsory += static_cast<std::int64_t>(graph.outputs.size()) * graph.tensors[0].elements();
    for (const Objective objective : {Objective::energy, Objective::latency, Objective::edp}) {
      double smaller = std::numeric_limits<double>::infinity();
      for (const std::int64_t buffer : {48, 96, 160, 320, 4096}) {
        INFO("round " << round << ", buffer " << buffer);
        const Chip chip = chip_with(buffer);
        const NetworkEvaluation apart = evaluated(graph, chip, objective, ResidencyOption::none);
        const NetworkEvaluation together = evaluated(graph, chip, objective, ResidencyOption::on);
        CHECK(value_of(together, objective) <= value_of(apart, objective) * (1 + 1e-12));
        CHECK(value_of(together, objective) <= smaller * (1 + 1e-12));
        CHECK(together.dram.value >= static_cast<double>(compulsory));
        CHECK(together.residency->peak_reserved.value < static_cast<double>(buffer));
        smaller = value_of(together, objective);
        double cycles = 0, energy = 0, dram = 0;
        for (const LayerEvaluation& layer : together.layers) {
          const double times = static_cast<double>(layer.repeat);
          cycles += times * layer.cycles.value;
          energy += times * layer.energy.total().value;
          for (const auto& [e, repeat] : layer.kernels)
            dram += times * static_cast<double>(repeat) * e.levels.front().traffic.value;
        }
        CHECK(together.cycles.value == Approx(cycles));
        CHECK(together.energy.total().value == Approx(energy));
        CHECK(together.dram.value == Approx(dram));
      }
    }
  }
}
