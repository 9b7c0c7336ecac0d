#include "arch_models/gpu/parallel.hpp"

#include <algorithm>
#include <cmath>

namespace tilewright {
namespace {

constexpr Bytes bucket{25e6};
constexpr Seconds step_latency{5e-6};

constexpr GpuLink nvlink1{"NVLink 1", BytesPerSecond{80e9}, step_latency,
                          "NVIDIA P100 white paper: 160 GB/s both ways"};
constexpr GpuLink nvlink2{"NVLink 2", BytesPerSecond{150e9}, step_latency,
                          "NVIDIA V100 white paper: 300 GB/s both ways"};
constexpr GpuLink nvlink3{"NVLink 3", BytesPerSecond{300e9}, step_latency,
                          "NVIDIA A100 white paper: 600 GB/s both ways"};
constexpr GpuLink nvlink4{"NVLink 4", BytesPerSecond{450e9}, step_latency,
                          "NVIDIA H100 white paper: 900 GB/s both ways"};
constexpr GpuLink nvlink5{"NVLink 5", BytesPerSecond{900e9}, step_latency,
                          "NVIDIA B200 data sheet: 1800 GB/s both ways"};
constexpr GpuLink pcie3{"PCIe 3 x16", BytesPerSecond{15.75e9}, step_latency, "PCI Express 3.0, 16 lanes"};
constexpr GpuLink pcie4{"PCIe 4 x16", BytesPerSecond{31.5e9}, step_latency, "PCI Express 4.0, 16 lanes"};
constexpr GpuLink pcie5{"PCIe 5 x16", BytesPerSecond{63e9}, step_latency, "PCI Express 5.0, 16 lanes"};

}  // namespace

const GpuLink& link_of(const GpuDevice& device) {
  const double cc = device.compute_capability;
  const bool sxm = device.name.find("SXM") != std::string::npos || device.name.find("sxm") != std::string::npos;
  if (!sxm) return cc >= 9 ? pcie5 : cc >= 8 ? pcie4 : pcie3;
  return cc >= 10 ? nvlink5 : cc >= 9 ? nvlink4 : cc >= 8 ? nvlink3 : cc >= 7 ? nvlink2 : nvlink1;
}

Seconds all_reduce(Bytes bytes, std::int64_t gpus, const GpuLink& link) {
  const double steps = 2 * static_cast<double>(gpus - 1);
  return steps / static_cast<double>(gpus) * (bytes / link.bandwidth) + steps * link.latency;
}

Seconds all_gather(Bytes bytes, std::int64_t gpus, const GpuLink& link) {
  const double steps = static_cast<double>(gpus - 1);
  return steps / static_cast<double>(gpus) * (bytes / link.bandwidth) + steps * link.latency;
}

ParallelTime data_parallel(Seconds forward, Seconds backward, Bytes gradients, std::int64_t gpus, const GpuLink& link) {
  const Seconds all = all_reduce(gradients, gpus, link), last = all_reduce(std::min(gradients, bucket), gpus, link);
  ParallelTime time;
  time.compute = forward + backward;
  time.exchange = std::max(last, all - backward);
  time.total = time.compute + time.exchange;
  return time;
}

ParallelTime tensor_parallel(Seconds kernels, Bytes bytes, std::int64_t reductions, std::int64_t gpus,
                             const GpuLink& link) {
  ParallelTime time;
  time.compute = kernels;
  time.exchange = static_cast<double>(reductions) * all_reduce(bytes, gpus, link);
  time.total = time.compute + time.exchange;
  return time;
}

ParallelTime pipeline_parallel(Seconds kernels, Bytes bytes, std::int64_t directions, std::int64_t microbatches,
                               std::int64_t gpus, const GpuLink& link) {
  const double stages = static_cast<double>(gpus), parts = static_cast<double>(microbatches);
  ParallelTime time;
  time.compute = kernels / stages;
  time.idle = (stages - 1) / parts * time.compute;
  const double hops = static_cast<double>(directions) * (stages - 1);
  time.exchange = hops * (bytes / parts / link.bandwidth + link.latency);
  time.total = time.compute + time.idle + time.exchange;
  return time;
}

ModelMemory model_memory(double parameters, double bytes_per_weight, Optimizer optimizer) {
  ModelMemory memory;
  memory.weights = Bytes{bytes_per_weight * parameters};
  if (optimizer == Optimizer::none) return memory;
  memory.gradients = memory.weights;
  if (bytes_per_weight < 4) memory.master = Bytes{4 * parameters};
  const double states = optimizer == Optimizer::adam ? 2 : optimizer == Optimizer::momentum ? 1 : 0;
  memory.optimizer = Bytes{4 * states * parameters};
  return memory;
}

std::int64_t gpus_needed(Bytes need, Bytes capacity) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(need / capacity)));
}

}  // namespace tilewright
