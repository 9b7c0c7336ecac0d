#include "sim/network/library_time.hpp"

#include <algorithm>

namespace tilewright {

void take_library_times(std::span<EvaluatedKernel> kernels, std::span<const LibraryLaunch> launches, const Chip& chip) {
  for (const LibraryLaunch& launch : launches) {
    Cycles ideal;
    for (std::size_t k = launch.first; k < launch.last; ++k) {
      Evaluation& e = kernels[k].evaluation;
      const bool counts = e.problem.compute == kernels[launch.first].evaluation.problem.compute;
      if (counts) ideal += launch.computed * static_cast<double>(kernels[k].repeat) * e.utilization * e.cycles;
      e.computed = launch.computed;
      e.energy.compute = launch.computed * e.energy.compute;
      e.cycles = e.overhead = {};
      e.utilization = 0;
      e.energy.static_ = {};
      e.bounds = {{"overhead", {}}};
      e.compute.why = "within the launch of the kernel before";
      kernels[k].fused = k > launch.first;
    }
    EvaluatedKernel& head = kernels[launch.first];
    Evaluation& e = head.evaluation;
    const double times = static_cast<double>(head.repeat);
    e.cycles = launch.busy / times * chip.clock;
    e.overhead = launch.start / times * chip.clock;
    e.utilization = e.cycles.value > 0 ? ideal / (times * e.cycles) : 0;
    e.bounds.clear();
    for (const auto& [limit, time] : launch.limits) e.bounds.push_back({limit, time / times * chip.clock});
    e.bounds.push_back({"overhead", e.overhead});
    std::ranges::stable_sort(e.bounds, [](const Bound& a, const Bound& b) { return a.time > b.time; });
    e.compute.why = launch.why;
  }
}

std::vector<Seconds> waits(std::span<const QueuedLayer> layers, const HostSide& host) {
  std::vector<Seconds> result;
  double dispatched = host.fixed.value, idle_from = 0;  // the pass starts before its first kernel
  for (const QueuedLayer& layer : layers) {
    // Within a layer the launches are alike: each takes its part of the busy time.
    double wait = 0;
    const double busy = layer.busy.value / static_cast<double>(std::max<std::int64_t>(layer.launches, 1));
    for (std::int64_t i = 0; i < layer.launches; ++i) {
      dispatched += host.per_operator.value;
      const double start = std::max(idle_from + host.gap.value, dispatched);
      wait += start - idle_from;
      idle_from = start + busy;
    }
    result.push_back(Seconds{wait});
  }
  return result;
}

LibraryTime library_time(std::span<const LibraryLaunch> launches, Seconds wait) {
  LibraryTime time;
  time.wait = wait;
  double weighted = 0, banded = 0;
  time.same_device = true;
  for (const LibraryLaunch& launch : launches) {
    const auto limit = std::ranges::max_element(launch.limits, {}, [](const auto& l) { return l.second.value; });
    time.limit += std::min(limit->second, launch.busy);
    time.start += launch.start;
    time.busy += launch.busy;
    time.launches += launch.launches;
    time.board += launch.power * launch.busy;
    time.idle = launch.idle;
    if (launch.power_band_pct) {
      time.power_banded += (launch.power * launch.busy).value * *launch.power_band_pct;
      time.power_seen += launch.power * launch.busy;
    }
    time.same_device = time.same_device && launch.same_device;
    if (!launch.band_pct) continue;
    banded += launch.busy.value;
    weighted += *launch.band_pct * launch.busy.value;
  }
  time.start = std::min(time.start, time.busy - time.limit);
  time.rest = time.busy - time.limit - time.start;
  if (banded > 0) time.band_pct = weighted / banded;
  time.banded = Seconds{banded};
  return time;
}

}  // namespace tilewright
