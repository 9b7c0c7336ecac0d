#include "arch_models/gpu/stack.hpp"

#include <algorithm>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

bool is_depthwise(const ConvKernel& kernel) {
  return kernel.groups > 1 && kernel.groups == kernel.c && kernel.groups == kernel.k;
}

// Depthwise kernels of the libraries keep neither tensor cores nor wide loads busy: an assumption, not fitted.
constexpr double depthwise_share = 0.15;  // of the fp32 peak
constexpr double depthwise_stream = 0.5;  // of the streaming bandwidth

/// A depthwise convolution reads and writes its tensors once and computes on the CUDA cores.
KernelTime depthwise_time(const GpuDevice& device, const GpuConstants& constants, const ConvKernel& kernel,
                          const Timing& timing) {
  const ElementBytes element = element_bytes(kernel.precision);
  const double planes = static_cast<double>(kernel.n) * static_cast<double>(kernel.c);
  const double in = planes * static_cast<double>(kernel.h) * static_cast<double>(kernel.w);
  const double out = planes * static_cast<double>(kernel.out_h()) * static_cast<double>(kernel.out_w());
  const double bytes = in * element.activation + out * element.result;
  const double operations = 2 * out * static_cast<double>(kernel.r * kernel.s);
  const StreamTime memory = stream_time(device, constants.vector, bytes, bytes);
  KernelTime time;
  time.algorithm = "depthwise";
  time.launch = timing.floor;
  time.compute = Seconds{operations / (depthwise_share * device.fp32_peak)};
  time.dram = Seconds{memory.seconds / depthwise_stream};
  time.fixed = Seconds{1e-6 * constants.vector.start_us};
  const double busy = std::max(time.compute.value, time.dram.value) + time.fixed.value;
  time.total = timing.floor + Seconds{busy};
  time.power_w = board_power(device, constants.power, {operations, memory.dram_bytes, MathUnit::cuda, 1}, 1, busy);
  if (device.tdp.value > 0) time.power_w = std::min(time.power_w, device.tdp.value);
  return time;
}

struct Predict {
  const GpuDevice& device;
  const GpuConstants& constants;
  const Timing& timing;
  KernelTime operator()(const GemmKernel& kernel) const { return gemm_time(device, constants, kernel, timing); }
  KernelTime operator()(const ConvKernel& kernel) const {
    return is_depthwise(kernel) ? depthwise_time(device, constants, kernel, timing)
                                : conv_time(device, constants, kernel, timing);
  }
  KernelTime operator()(const VectorKernel& kernel) const { return vector_time(device, constants, kernel, timing); }
  KernelTime operator()(const AttentionKernel& kernel) const {
    return attention_time(device, constants, kernel, timing);
  }
  KernelTime operator()(const RecurrentKernel& kernel) const {
    return recurrent_time(device, constants, kernel, timing);
  }
};

}  // namespace

KernelTime kernel_time(const GpuDevice& device, const GpuConstants& constants, const GpuKernel& kernel,
                       const Timing& timing) {
  return std::visit(Predict{device, constants, timing}, kernel);
}

HostSide eager_host() { return {Stack::profiler, Seconds{7e-6}, Seconds{20e-6}}; }
HostSide graph_host() { return {Stack::profiler, Seconds{1e-6}, Seconds{10e-6}}; }

ModelTime model_time(const GpuDevice& device, const GpuConstants& constants, std::span<const ModelKernel> kernels,
                     const HostSide& host) {
  ModelTime model;
  double dispatched = 0, idle_from = 0;
  for (const ModelKernel& step : kernels) {
    const KernelTime time = kernel_time(device, constants, step.kernel, {host.kernels, Seconds{0}});
    for (std::int64_t i = 0; i < step.repeat; ++i) {
      dispatched += host.per_operator.value;
      idle_from = std::max(idle_from, dispatched) + time.total.value;
    }
    const double repeats = static_cast<double>(step.repeat);
    model.kernels = model.kernels + repeats * time.total;
    model.joules += repeats * time.power_w * time.total.value;
    model.launches += step.repeat;
  }
  model.dispatch = Seconds{dispatched};
  model.total = Seconds{std::max(idle_from, dispatched)} + host.fixed;
  return model;
}

}  // namespace tilewright
