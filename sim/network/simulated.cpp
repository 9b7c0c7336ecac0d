#include "sim/network/simulated.hpp"

#include "core/checked.hpp"
#include "sim/cost/cost_model.hpp"
#include "sim/network/neurons.hpp"
#include "sim/network/stages.hpp"
#include "sim/systemc/simulate.hpp"
#include "sim/twin/layered.hpp"
#include "sim/twin/path.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_steps =
    2048;  // of one kernel: a network stays within seconds, a step below 0.05 % of a kernel

/// Hands the transactions on to several observers.
class Both final : public Observer {
 public:
  Both(Observer& first, Observer* second) : first_(first), second_(second) {}
  void served(const Transaction& transaction, Ticks start, Ticks end) override {
    first_.served(transaction, start, end);
    if (second_ != nullptr) second_->served(transaction, start, end);
  }

 private:
  Observer& first_;
  Observer* second_;
};

/// What one execution moved, of a kernel that ran `times` times.
void take_over(AccessCounts& counts, const AccessCounts& moved, std::int64_t times) {
  for (std::size_t l = 0; l < counts.levels.size(); ++l) {
    for (std::size_t o = 0; o < counts.levels[l].size(); ++o) {
      OperandAccesses& to = counts.levels[l][o];
      const OperandAccesses& from = moved.levels[l][o];
      to.reads = from.reads / times;
      to.fills = from.fills / times;
      to.updates = from.updates / times;
      to.drains = from.drains / times;
      to.delivered = from.delivered / times;
    }
  }
}

CycleParts in_cycles(const TimeParts& parts) {
  return {cycles_of(parts.compute), cycles_of(parts.overhead),   cycles_of(parts.fill),   cycles_of(parts.drain),
          cycles_of(parts.dram),    cycles_of(parts.contention), cycles_of(parts.buffer), cycles_of(parts.idle)};
}

/// What the ledger of a simulation says of its layers.
struct Played {
  std::vector<TimeParts> rows;           // by layer
  std::vector<AccessCounts> kernels;     // of all layers in their order
  std::vector<double> hops;              // of spikes, by kernel; empty where there are none
  std::vector<std::int64_t> executions;  // of each kernel
};

template <class Books>
Played play(Program& program, const SimulationOptions& options) {
  Books books(program);
  Both observers(books, options.watch ? options.watch(program) : nullptr);
  books.close(simulate(program, &observers, options.limits).end);
  return {books.rows(), books.kernels(), books.hops(), {}};
}

/// Layers one after another on the whole chip.
Played play_in_turn(const std::vector<LayerEvaluation>& layers, const std::vector<std::vector<bool>>& fused,
                    const Chip& chip, const SimulationOptions& options) {
  std::vector<KernelRun> runs;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (std::size_t k = 0; k < layers[i].kernels.size(); ++k) {
      const auto& [evaluation, repeat] = layers[i].kernels[k];
      if (k == 0 || !fused[i][k])
        runs.push_back({layers[i].name, static_cast<std::int32_t>(i), {}, repeat, runs.empty()});
      runs.back().kernels.push_back(&evaluation);
    }
  }
  const std::size_t of_one = runs.size();
  runs.reserve(of_one * static_cast<std::size_t>(options.requests));  // the copies come from the vector itself
  for (std::int64_t r = 1; r < options.requests; ++r) std::copy_n(runs.begin(), of_one, std::back_inserter(runs));
  const auto program = layered_program(runs, chip, most_steps);
  Played played = play<Ledger>(*program, options);
  for (const KernelRun& run : runs) played.executions.insert(played.executions.end(), run.kernels.size(), run.repeat);
  return played;
}

/// All layers at once, as the program says; its kernels are those of all layers, and one for each layer that has none.
Played play_at_once(Program& program, const std::vector<LayerEvaluation>& layers, const SimulationOptions& options) {
  Played all = play<PathLedger>(program, options), played;
  played.rows = std::move(all.rows);
  std::size_t id = 0;
  for (const LayerEvaluation& layer : layers) {
    for (std::size_t k = 0; k < layer.kernels.size(); ++k) {
      played.kernels.push_back(std::move(all.kernels[id + k]));
      played.hops.push_back(all.hops[id + k]);
    }
    id += std::max<std::size_t>(layer.kernels.size(), 1);
  }
  played.executions.assign(played.kernels.size(), options.requests);
  return played;
}

Played play_network(const WorkloadGraph& graph, const std::vector<LayerEvaluation>& layers,
                    const std::vector<std::vector<bool>>& fused, const Chip& chip, const SimulationOptions& options) {
  if (!is_pipelined(chip)) return play_in_turn(layers, fused, chip, options);
  if (const auto* fpga = std::get_if<FpgaParameters>(&chip.parameters)) {
    Stages stages = stages_of(graph, layers, fused, fpga->fifo_rows);
    return play_at_once(*pipelined_program(std::move(stages.stages), chip, stages.samples, options.requests), layers,
                        options);
  }
  SpikingNetwork network = spiking_network(graph, layers, fused, chip);
  return play_at_once(*spiking_program(std::move(network.layers), network.chip, chip, options.requests), layers,
                      options);
}

}  // namespace

void simulate_layers(const WorkloadGraph& graph, std::vector<LayerEvaluation>& layers,
                     const std::vector<std::vector<bool>>& fused, const Chip& chip, const SimulationOptions& options) {
  const Played played = play_network(graph, layers, fused, chip, options);
  std::size_t id = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerEvaluation& layer = layers[i];
    layer.energy = {};
    for (auto& [evaluation, repeat] : layer.kernels) {
      take_over(evaluation.counts, played.kernels[id], played.executions[id]);
      for (Event& event : evaluation.compute.events) {
        if (event.name == "spike hop") event.count = played.hops[id] / static_cast<double>(played.executions[id]);
      }
      ++id;
      const CostModel model = cost_model(evaluation.problem, chip);
      evaluation.levels = level_costs(model, evaluation.counts);
      const EnergyBy energy_of_one = dynamic_energy(model, evaluation.counts, evaluation.levels, evaluation.compute);
      repeat = checked_mul(repeat, options.requests);
      const double times = static_cast<double>(repeat);
      layer.energy.compute += times * energy_of_one.compute;
      layer.energy.memory += times * energy_of_one.memory;
      layer.energy.link += times * energy_of_one.link;
    }
    const TimeParts& parts = played.rows[i];
    layer.parts = in_cycles(parts);
    layer.cycles = cycles_of(parts.total());
  }
}

}  // namespace tilewright
