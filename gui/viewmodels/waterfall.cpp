#include "gui/viewmodels/waterfall.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace tilewright::gui {
namespace {

/// Seconds by cause and level.
using Losses = std::map<std::pair<LossCause, std::string>, double>;

bool is_product(const Evaluation& e) { return e.problem.compute == Compute::mac; }

Cycles time_of(const Evaluation& e, const std::string& bound) {
  const auto found = std::find_if(e.bounds.begin(), e.bounds.end(), [&](const Bound& b) { return b.name == bound; });
  return found == e.bounds.end() ? Cycles{} : found->time;
}

/// The bound other than start-up that takes longest.
const Bound* limit_of(const Evaluation& e) {
  const auto found =
      std::find_if(e.bounds.begin(), e.bounds.end(), [](const Bound& b) { return b.name != "overhead"; });
  return found == e.bounds.end() ? nullptr : &*found;
}

/// One layer, its parts in seconds.
struct LayerLosses {
  const LayerEvaluation& layer;
  double clock = 1;
  double ideal = 0;
  Losses parts;

  void lose(LossCause cause, double seconds, const std::string& level = {}) {
    if (seconds != 0) parts[{cause, level}] += seconds;
  }
  /// Beyond the ideal time, by the bound that holds it up.
  void lose_to(const std::string& bound, double seconds) {
    const bool lanes = bound == "compute";
    lose(lanes ? LossCause::array : LossCause::memory, seconds, lanes ? "" : bound.substr(bound.find(':') + 1));
  }
  double known() const {
    double sum = ideal;
    for (const auto& [cause, seconds] : parts) sum += seconds;
    return sum;
  }

  void of_library(const LibraryTime& time) {
    lose(LossCause::software, time.wait.value);
    lose(LossCause::start, time.start.value);
    if (layer.macs == 0) return lose(LossCause::vector, (time.limit + time.rest).value);
    const Evaluation* longest = nullptr;
    for (const auto& [e, repeat] : layer.kernels) {
      if (longest == nullptr || e.cycles > longest->cycles) longest = &e;
    }
    const Bound* limit = longest == nullptr ? nullptr : limit_of(*longest);
    lose_to(limit == nullptr ? "compute" : limit->name, time.limit.value - ideal);
    lose(LossCause::other, time.rest.value);
  }

  void of_simulation(const CycleParts& time) {
    const auto seconds = [&](Cycles cycles) { return cycles.value / clock; };
    lose(LossCause::start, seconds(time.overhead + time.fill + time.drain));
    if (layer.macs == 0) {
      lose(LossCause::vector, seconds(time.compute));
    } else {
      lose(LossCause::array, seconds(time.compute) - ideal);
    }
    lose(LossCause::memory, seconds(time.dram + time.contention), layer.kernels.front().first.levels.front().name);
    lose(LossCause::memory, seconds(time.buffer), "buffers");
    lose(LossCause::other, seconds(time.idle));
  }

  void of_kernels() {
    for (const auto& [e, repeat] : layer.kernels) {
      const double times = static_cast<double>(repeat) / clock;
      if (!is_product(e)) continue;
      const double best = times * e.utilization * e.cycles.value, steady = times * (e.cycles - e.overhead).value;
      const double lanes = std::clamp(times * time_of(e, "compute").value, best, std::max(best, steady));
      lose(LossCause::start, times * e.overhead.value);
      lose(LossCause::array, lanes - best);
      if (const Bound* limit = limit_of(e)) lose_to(limit->name, steady - lanes);
    }
  }
};

LayerLosses losses_of(const LayerEvaluation& layer, const Chip& chip) {
  LayerLosses losses{layer, chip.clock.value, 0, {}};
  bool in_turn = true;
  for (const auto& [e, repeat] : layer.kernels) {
    in_turn = in_turn && e.compute.stage == Stage::in_turn;
    if (is_product(e)) losses.ideal += static_cast<double>(repeat) * e.utilization * e.cycles.value / chip.clock.value;
  }
  if (layer.library) {
    losses.of_library(*layer.library);
  } else if (layer.parts) {
    losses.of_simulation(*layer.parts);
  } else if (in_turn) {
    losses.of_kernels();
  }
  const double rest = layer.latency.value - losses.known();
  losses.lose(!in_turn ? LossCause::pipeline : layer.macs == 0 ? LossCause::vector : LossCause::other, rest);
  return losses;
}

}  // namespace

std::optional<Waterfall> waterfall(const Analysis& analysis, std::optional<std::size_t> row) {
  Waterfall result;
  Losses losses;
  for (std::size_t r = 0; r < analysis.result.layers.size(); ++r) {
    if (row && *row != r) continue;
    const LayerEvaluation& layer = analysis.result.layers[r];
    const double repeat = static_cast<double>(layer.repeat);
    const LayerLosses own = losses_of(layer, analysis.chip);
    result.operations += 2 * repeat * static_cast<double>(layer.macs);
    result.ideal += repeat * own.ideal;
    result.whole += repeat * layer.latency.value;
    for (const auto& [cause, seconds] : own.parts) losses[cause] += repeat * seconds;
  }
  if (result.operations <= 0 || result.ideal <= 0 || result.whole <= 0) return std::nullopt;
  result.peak = result.operations / result.ideal;
  result.achieved = result.operations / result.whole;
  double time = result.ideal;
  for (const auto& [cause, seconds] : losses) {
    if (std::abs(seconds) < 1e-12 * result.whole) continue;
    result.steps.push_back(
        {cause.first, cause.second, seconds, result.operations / time, result.operations / (time + seconds)});
    time += seconds;
  }
  return result;
}

}  // namespace tilewright::gui
