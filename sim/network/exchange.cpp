#include "sim/network/exchange.hpp"

#include <fmt/format.h>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/library.hpp"

namespace tilewright {
namespace {

Bytes bytes_of(const WorkloadGraph& graph, TensorId id, std::int64_t elements) {
  return Bytes{static_cast<double>(elements) * bits(graph.tensors[static_cast<std::size_t>(id)].type) / 8};
}

}  // namespace

Seconds exchange_time(const WorkloadGraph& graph, const Layer& layer, const GpuLink& link) {
  const auto& work = std::get<Collective>(layer.work);
  const Bytes bytes = bytes_of(graph, layer.outputs.front(), work.elements);
  const std::int64_t gpus = graph.tensor_parallel.gpus;
  return work.kind == Collective::Kind::all_reduce ? all_reduce(bytes, gpus, link) : all_gather(bytes, gpus, link);
}

LibraryLaunch exchange_launch(const WorkloadGraph& graph, const Layer& layer, const Chip& chip) {
  const GpuLink& link = link_of(calibrated_device(chip));
  const Bytes bytes = bytes_of(graph, layer.outputs.front(), std::get<Collective>(layer.work).elements);
  LibraryLaunch launch;
  launch.last = 1;
  launch.busy = exchange_time(graph, layer, link);
  launch.limits = {{fmt::format("link:{}", link.name), launch.busy}};
  launch.power = launch.idle = idle_power(calibrated_device(chip), library_calibration().constants.board);
  launch.why = fmt::format("ring over {} of {} GPUs, {:.4g} MB; the time of a step is an assumption", link.name,
                           graph.tensor_parallel.gpus, bytes.value / 1e6);
  return launch;
}

Seconds training_exchange(const WorkloadGraph& graph, const GpuLink& link) {
  Seconds time;
  for (const Layer& layer : graph.layers) {
    const auto* work = std::get_if<Collective>(&layer.work);
    if (work != nullptr && work->kind == Collective::Kind::all_reduce) time += exchange_time(graph, layer, link);
  }
  for (const TensorId id : graph.tensor_parallel.replicated) {
    const std::int64_t elements = graph.tensors[static_cast<std::size_t>(id)].elements();
    time += all_reduce(bytes_of(graph, id, elements), graph.tensor_parallel.gpus, link);
  }
  return time;
}

TensorParallelRun tensor_parallel_run(const NetworkEvaluation& result, const WorkloadGraph& graph, const Chip& chip) {
  const GpuLink& link = link_of(calibrated_device(chip));
  TensorParallelRun run;
  run.gpus = graph.tensor_parallel.gpus;
  run.split = graph.tensor_parallel.split;
  run.link = link.name;
  for (const Layer& layer : graph.layers) {
    if (std::holds_alternative<Collective>(layer.work)) run.exchange += exchange_time(graph, layer, link);
  }
  run.memory = Bytes{static_cast<double>(result.peak_memory_bytes)};
  run.board = static_cast<double>(run.gpus) * *result.board;
  return run;
}

}  // namespace tilewright
