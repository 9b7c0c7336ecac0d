#include "arch_models/gpu/stack.hpp"

#include <algorithm>
#include <array>

#include "arch_models/gpu/board.hpp"
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
  // PyTorch's own kernel turns an element and a weight of each place into fp32.
  const bool converts = kernel.precision == GpuPrecision::fp16;
  time.compute = Seconds{std::max(operations / (depthwise_share * device.fp32_peak),
                                  converts ? half_conversion_seconds(device, operations, timing.stack) : 0)};
  time.dram = Seconds{memory.seconds / depthwise_stream};
  time.fixed = Seconds{1e-6 * constants.vector.start_us};
  const double busy = std::max(time.compute.value, time.dram.value) + time.fixed.value;
  time.total = timing.floor + Seconds{busy};
  time.work = {operations, memory.dram_bytes, MathUnit::cuda, 4, 0, bytes};
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
  KernelTime time = std::visit(Predict{device, constants, timing}, kernel);
  time.power_w = board_power(device, constants, time).value;
  return time;
}

std::span<const SoftwareStack> software_stacks() {
  static constexpr std::array stacks{
      SoftwareStack{
          "pytorch",
          "eager PyTorch: the host dispatches every operator, nothing is fused; from the first dispatch to "
          "the last kernel",
          "none",
          "dispatch 40 us an operator: median of the hosts of `validate gpu_models` and `validate nas` (29 to "
          "77 us); 20 us at the end: assumption",
          {Stack::profiler, Seconds{40e-6}, Seconds{20e-6}, Seconds{0}},
          TensorFormat::channels_first},
      SoftwareStack{"cuda-graph",
                    "one captured CUDA graph: no host between kernels, each waits for the launch of the one before",
                    "default",
                    "1.8 us between kernels: floor of the bf16 products in CUDA graphs, geometric mean of the hosts "
                    "(constants.yaml); start 10 us: assumption",
                    {Stack::profiler, Seconds{0}, Seconds{10e-6}, Seconds{1.8e-6}}},
      SoftwareStack{"profiler",
                    "kernel times as a profiler adds them up: no host, no gaps",
                    "default",
                    "no constants",
                    {Stack::profiler, Seconds{0}, Seconds{0}, Seconds{0}}},
      SoftwareStack{"onnxruntime",
                    "ONNX Runtime with CUDA kernels: fused chains, the host dispatches every node",
                    "default",
                    "dispatch 4 us a node and 20 us at the end: assumptions",
                    {Stack::profiler, Seconds{4e-6}, Seconds{20e-6}, Seconds{0}}},
      SoftwareStack{"tensorrt",
                    "a fused engine as TensorRT builds it: fused attention, one enqueue",
                    "attention",
                    "1.6 us between kernels: floor of the bf16 products of TensorRT-LLM in CUDA graphs "
                    "(constants.yaml); start 10 us: assumption",
                    {Stack::profiler, Seconds{0}, Seconds{10e-6}, Seconds{1.6e-6}},
                    TensorFormat::engine},
  };
  return stacks;
}

std::optional<SoftwareStack> find_stack(std::string_view name) {
  const auto found = std::ranges::find(software_stacks(), name, &SoftwareStack::name);
  return found == software_stacks().end() ? std::nullopt : std::optional(*found);
}

SoftwareStack default_stack() { return *find_stack("cuda-graph"); }

ModelTime model_time(const GpuDevice& device, const GpuConstants& constants, std::span<const ModelKernel> kernels,
                     const HostSide& host) {
  ModelTime model;
  double dispatched = 0, idle_from = 0;
  for (const ModelKernel& step : kernels) {
    const KernelTime time = kernel_time(device, constants, step.kernel, {host.kernels, Seconds{0}});
    for (std::int64_t i = 0; i < step.repeat; ++i) {
      dispatched += host.per_operator.value;
      idle_from = std::max(idle_from + host.gap.value, dispatched) + time.total.value;
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

namespace {

/// What autograd runs for a pool, a copy, a bias or a batch norm; two passes for other row-wise and element-wise operators.
void add_backward(std::vector<ModelKernel>& backward, VectorKernel kernel, std::int64_t repeat) {
  const auto run = [&](VectorOp op, std::int64_t inputs) {
    kernel.op = op;
    kernel.inputs = inputs;
    backward.push_back({kernel, repeat});
  };
  switch (kernel.op) {
    case VectorOp::copy: return run(VectorOp::copy, 1);
    case VectorOp::bias: return run(VectorOp::channel_sum, 1);
    case VectorOp::channel_moments:
    case VectorOp::channel_norm: return run(VectorOp::channel_norm, 2);
    case VectorOp::plane_norm: return;  // part of the channel's
    case VectorOp::avg_pool:
    case VectorOp::max_pool:  // zeros, then index arithmetic for each element of the input
      kernel.cols = checked_mul(kernel.cols, kernel.inputs);
      run(VectorOp::copy, 0);
      return run(VectorOp::max_pool, 1);
    default: backward.push_back({kernel, 2 * repeat});
  }
}

}  // namespace

std::vector<ModelKernel> backward_kernels(const std::vector<ModelKernel>& forward) {
  std::vector<ModelKernel> backward;
  for (auto step = forward.rbegin(); step != forward.rend(); ++step) {
    if (const auto* product = std::get_if<GemmKernel>(&step->kernel)) {
      GemmKernel data = *product, weights = *product;  // dA = dC B^T, dB = A^T dC
      std::swap(data.n, data.k);
      weights.m = product->k;
      weights.k = product->m;
      weights.a_transposed = true;
      backward.push_back({data, step->repeat});
      backward.push_back({weights, step->repeat});
    } else if (const auto* conv = std::get_if<ConvKernel>(&step->kernel)) {
      ConvKernel data = *conv, filter = *conv;
      data.phase = ConvPhase::backward_data;
      filter.phase = ConvPhase::backward_filter;
      if (conv->c > 3) backward.push_back({data, step->repeat});  // an image needs no gradient
      backward.push_back({filter, step->repeat});
    } else if (std::holds_alternative<AttentionKernel>(
                   step->kernel)) {  // scores again, then a product for each of five
      backward.push_back({step->kernel, 3 * step->repeat});
    } else if (const auto* vector = std::get_if<VectorKernel>(&step->kernel)) {
      add_backward(backward, *vector, step->repeat);
    } else {
      backward.push_back({step->kernel, 2 * step->repeat});
    }
  }
  return backward;
}

}  // namespace tilewright
