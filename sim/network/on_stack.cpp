#include "sim/network/on_stack.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "sim/cost/cost_model.hpp"
#include "sim/network/exchange.hpp"

namespace tilewright {

void run_on_stack(std::vector<EvaluatedGroup>& groups, const Plan& plan, const WorkloadGraph& graph, const Chip& chip,
                  const SoftwareStack& stack) {
  std::vector<std::optional<std::vector<LibraryLaunch>>> launches;
  std::vector<std::size_t> group_of(graph.layers.size());
  std::vector<QueuedLayer> queued(groups.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const int member : plan.groups[g].group.members) group_of[static_cast<std::size_t>(member)] = g;
    const Layer& layer = graph.layers[static_cast<std::size_t>(plan.groups[g].group.layer)];
    if (std::holds_alternative<Collective>(layer.work)) {
      launches.emplace_back(std::vector{exchange_launch(graph, layer, chip)});
    } else {
      launches.push_back(family_of(chip).library(chip, plan.groups[g].kernels, stack));
    }
    queued[g] = {0, Seconds{0}};
    if (launches[g]) {
      take_library_times(groups[g].kernels, *launches[g], chip);
      for (const LibraryLaunch& launch : *launches[g]) {
        queued[g].launches += launch.launches;
        queued[g].busy += launch.busy;
      }
    } else {
      for (const EvaluatedKernel& kernel : groups[g].kernels) {
        queued[g].launches += kernel.repeat;
        queued[g].busy += static_cast<double>(kernel.repeat) * (kernel.evaluation.cycles / chip.clock);
      }
    }
  }
  std::vector<QueuedLayer> in_order;
  for (const std::size_t g : group_of) in_order.push_back(queued[g]);
  const std::vector<Seconds> waited = waits(in_order, stack.host);
  std::vector<Seconds> sums(groups.size());
  for (std::size_t l = 0; l < group_of.size(); ++l) sums[group_of[l]] += waited[l];
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (!launches[g]) continue;  // the launch overhead of the chip file is part of the mapping's time
    const Seconds wait = sums[g] / static_cast<double>(groups[g].repeat);
    groups[g].wait = wait * chip.clock;
    groups[g].library = library_time(*launches[g], wait);
  }
}

void note_stack(NetworkEvaluation& result, const SoftwareStack& stack) {
  result.stack = stack.name;
  result.stack_meaning = stack.meaning;
  if (stack.host.per_operator.value > 0)
    result.stack_meaning += fmt::format("; the host needs {:g} us an operator", 1e6 * stack.host.per_operator.value);
  double board = 0, banded = 0, weighted = 0, busy = 0, power_weighted = 0, power_seen = 0;
  bool same_device = true;
  std::vector<std::string> by_mapping;
  for (const LayerEvaluation& layer : result.layers) {
    const double times = static_cast<double>(layer.repeat);
    if (!layer.library) {
      by_mapping.push_back(layer.name);
      board += times * layer.energy.total().value;
      busy += times * layer.latency.value;
      continue;
    }
    const LibraryTime& time = *layer.library;
    board += times * (time.board + time.idle * time.wait).value;
    power_weighted += times * time.power_banded;
    power_seen += times * time.power_seen.value;
    busy += times * time.busy.value;
    if (!time.band_pct) continue;
    banded += times * time.banded.value;
    weighted += times * time.banded.value * *time.band_pct;
    same_device = same_device && time.same_device;
  }
  result.board = Joules{board};
  if (!by_mapping.empty())
    result.notes.push_back(fmt::format(
        "no library kernel for the formats of {} layers, {} the first: their times are those of the mappings",
        by_mapping.size(), by_mapping.front()));
  if (banded <= 0) return;
  result.band_pct = weighted / banded;
  if (power_seen > 0) result.board_band_pct = std::hypot(*result.band_pct, power_weighted / power_seen);
  result.validation = fmt::format("kernel times validated on {}", same_device ? "this device" : "other devices");
  if (banded < 0.995 * busy)
    result.validation += fmt::format("; {:.0f} % of the busy time has no measured rows", 100 * (1 - banded / busy));
}

}  // namespace tilewright
