#include "sim/network/simulated.hpp"

#include "sim/cost/cost_model.hpp"
#include "sim/systemc/simulate.hpp"
#include "sim/twin/layered.hpp"
#include "sim/twin/ledger.hpp"

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
  return {cycles_of(parts.compute), cycles_of(parts.overhead),   cycles_of(parts.fill),  cycles_of(parts.drain),
          cycles_of(parts.dram),    cycles_of(parts.contention), cycles_of(parts.buffer)};
}

}  // namespace

void simulate_layers(std::vector<LayerEvaluation>& layers, const std::vector<std::vector<bool>>& fused,
                     const Chip& chip, const PlayLimits& limits,
                     const std::function<Observer*(const Program&)>& watch) {
  std::vector<KernelRun> runs;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    for (std::size_t k = 0; k < layers[i].kernels.size(); ++k) {
      const auto& [evaluation, repeat] = layers[i].kernels[k];
      if (k == 0 || !fused[i][k]) runs.push_back({layers[i].name, static_cast<std::int32_t>(i), {}, repeat});
      runs.back().kernels.push_back(&evaluation);
    }
  }
  const auto program = layered_program(runs, chip, most_steps);
  Ledger ledger(*program);
  Both observers(ledger, watch ? watch(*program) : nullptr);
  ledger.close(simulate(*program, &observers, limits).end);

  std::size_t id = 0, run = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerEvaluation& layer = layers[i];
    layer.energy = {};
    for (std::size_t k = 0; k < layer.kernels.size(); ++k, ++id) {
      if (k > 0 && !fused[i][k]) ++run;
      auto& [evaluation, repeat] = layer.kernels[k];
      take_over(evaluation.counts, ledger.kernels()[id], runs[run].repeat);
      const CostModel model = cost_model(evaluation.problem, chip);
      evaluation.levels = level_costs(model, evaluation.counts);
      const EnergyBy energy_of_one = dynamic_energy(model, evaluation.counts, evaluation.levels, evaluation.compute);
      const double times = static_cast<double>(repeat);
      layer.energy.compute += times * energy_of_one.compute;
      layer.energy.memory += times * energy_of_one.memory;
      layer.energy.link += times * energy_of_one.link;
    }
    ++run;
    const TimeParts& parts = ledger.rows()[i];
    layer.parts = in_cycles(parts);
    layer.cycles = cycles_of(parts.total());
  }
}

}  // namespace tilewright
