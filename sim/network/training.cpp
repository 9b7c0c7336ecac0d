#include "sim/network/training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "arch_models/gpu/constants.hpp"
#include "arch_models/gpu/library.hpp"
#include "core/diagnostics.hpp"
#include "sim/network/exchange.hpp"
#include "sim/network/precision.hpp"
#include "workloads/lowering.hpp"

namespace tilewright {
namespace {

/// Bytes that an update moves for each parameter: gradient, weight (master copy in mixed precision) and states read, all but the gradient written,
/// and the low-precision weight.
double update_bytes(double bytes_per_weight, Optimizer optimizer) {
  const double states = optimizer == Optimizer::adam ? 2 : optimizer == Optimizer::momentum ? 1 : 0;
  const double copy = bytes_per_weight < 4 ? bytes_per_weight : 0;
  return bytes_per_weight + 2 * 4 * (1 + states) + copy;
}

std::string_view name_of(Optimizer optimizer) {
  return optimizer == Optimizer::adam ? "adam" : optimizer == Optimizer::momentum ? "momentum" : "sgd";
}

std::vector<ModelKernel> forward_kernels(const WorkloadGraph& graph, const Chip& chip, TensorFormat tensors) {
  std::vector<ModelKernel> kernels;
  for (const Layer& layer : graph.layers) {
    if (std::holds_alternative<Collective>(layer.work)) continue;  // part of the exchange
    std::vector<Kernel> lowered = lower(graph, layer);
    for (Kernel& kernel : lowered) kernel.problem = in_native_format(std::move(kernel.problem), chip);
    const auto found = library_kernels(lowered, tensors);
    if (!found)
      throw InputError({graph.source, 0, 0, layer.name}, "no kernel of the GPU's libraries has this layer's formats");
    for (const LibraryKernel& kernel : *found) {
      const GpuPrecision precision = std::visit([](const auto& k) { return k.precision; }, kernel.kernel);
      if (precision == GpuPrecision::int8 || precision == GpuPrecision::w8a16 || precision == GpuPrecision::w4a16)
        throw InputError({graph.source, 0, 0, layer.name},
                         "training needs floating-point weights and activations: --precision fp32, tf32, bf16 or fp16");
      kernels.push_back({kernel.kernel, kernel.launches});
    }
  }
  return kernels;
}

}  // namespace

TrainingStep training_step(const WorkloadGraph& graph, const Chip& chip, const SoftwareStack& stack,
                           Optimizer optimizer, std::int64_t gpus, bool pipelined) {
  for (const Layer& layer : graph.layers) {
    if (layer.op.find("Grad") != std::string::npos)
      throw InputError({graph.source, 0, 0, layer.name},
                       "the workload holds a backward pass already; --train makes its own from a forward pass "
                       "(phase=prefill of a generator)");
  }
  double weights = 0, activations = 0, boundary = 0, shared_weights = 0, shared_activations = 0;
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.alias_of >= 0) continue;
    const double bytes = static_cast<double>(tensor.elements()) * bits(tensor.type) / 8;
    const bool weight = tensor.kind == TensorKind::weight;
    (weight ? weights : activations) += bytes;
    if (tensor.parts > 1) (weight ? shared_weights : shared_activations) += bytes;
    if (tensor.kind == TensorKind::activation) boundary = std::max(boundary, bytes);
  }
  const auto parameters = static_cast<double>(graph.weight_elements);
  const double bytes_per_weight = parameters > 0 ? weights / parameters : 4;

  const GpuDevice device = calibrated_device(chip);
  const GpuConstants& constants = library_calibration().constants;
  const std::vector<ModelKernel> forward = forward_kernels(graph, chip, stack.tensors);
  VectorKernel update;
  update.cols =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(parameters * update_bytes(bytes_per_weight, optimizer) / 8));
  const ModelKernel last{update, 1};
  const ModelTime there = model_time(device, constants, forward, stack.host),
                  back = model_time(device, constants, backward_kernels(forward), stack.host),
                  end = model_time(device, constants, std::span(&last, 1), stack.host);

  TrainingStep step;
  step.optimizer = name_of(optimizer);
  step.gpus = gpus;
  step.forward = there.total;
  step.backward = back.total;
  step.update = end.total;
  double samples = static_cast<double>(graph.batch);
  const bool tensor_parallel = graph.tensor_parallel.gpus > 1;
  if (gpus > 1) {
    const GpuLink& link = link_of(device);
    step.link = link.name;
    step.parallel = tensor_parallel ? "tensor" : pipelined ? "pipeline" : "data";
    if (tensor_parallel) {
      step.exchange = training_exchange(graph, link);
    } else if (pipelined) {
      const double part = 1 / static_cast<double>(gpus);
      const ParallelTime time = pipeline_parallel(there.total + back.total, Bytes{boundary}, 2, 1, gpus, link);
      step.forward = part * step.forward;
      step.backward = part * step.backward;
      step.update = part * step.update;
      step.idle = time.idle;
      step.exchange = time.exchange;
    } else {
      step.exchange = data_parallel(there.total, back.total, Bytes{weights}, gpus, link).exchange;
      samples *= static_cast<double>(gpus);
    }
  }
  step.total = step.forward + step.backward + step.update + step.exchange + step.idle;
  step.samples_per_s = samples / step.total.value;
  const ModelMemory memory = model_memory(parameters, bytes_per_weight, optimizer);
  step.weights = memory.weights;
  step.gradients = memory.gradients;
  step.master = memory.master;
  step.states = memory.optimizer;
  step.activations = Bytes{activations};
  if (tensor_parallel) {  // what is shared shrinks with more GPUs, the rest stays on each of them
    const Bytes shared = (weights > 0 ? shared_weights / weights : 0) * memory.total() + Bytes{shared_activations};
    const Bytes room = device.memory_size - (memory.total() + step.activations - shared);
    step.gpus_for_memory = room.value > 0 ? gpus_needed(static_cast<double>(gpus) * shared, room) : 0;
  } else {
    step.gpus_for_memory = gpus_needed(memory.total() + step.activations, device.memory_size);
  }
  // Kernels at their predicted power, idle power for the rest of the step on every GPU.
  const double models = pipelined ? 1 : static_cast<double>(gpus);
  const double busy = models * (there.kernels + back.kernels + end.kernels).value;
  const double idle = std::max(0.0, static_cast<double>(gpus) * step.total.value - busy);
  step.board =
      Joules{models * (there.joules + back.joules + end.joules) + idle_power(device, constants.board).value * idle};
  return step;
}

}  // namespace tilewright
