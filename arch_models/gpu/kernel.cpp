#include "arch_models/gpu/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch_models/gpu/device.hpp"

namespace tilewright {

ElementBytes element_bytes(GpuPrecision precision) {
  switch (precision) {
    case GpuPrecision::fp32:
    case GpuPrecision::tf32: return {4, 4, 4};
    case GpuPrecision::fp8:
    case GpuPrecision::int8: return {1, 1, 2};
    case GpuPrecision::w8a16: return {2, 1, 2};
    case GpuPrecision::w4a16: return {2, 0.5, 2};
    case GpuPrecision::fp16:
    case GpuPrecision::bf16:
    case GpuPrecision::fp16_fp32math: break;
  }
  return {2, 2, 2};
}

MathPeak math_peak(const GpuDevice& device, GpuPrecision precision, bool legacy) {
  const MathPeak cuda{MathUnit::cuda, device.fp32_peak};
  const auto tensor_or = [&](double tensor, MathPeak otherwise) {
    return tensor > 0 && device.tensor_cores_per_sm > 0 ? MathPeak{MathUnit::tensor, tensor} : otherwise;
  };
  switch (precision) {
    case GpuPrecision::fp32:
    case GpuPrecision::fp16_fp32math: return cuda;
    case GpuPrecision::fp16:
    case GpuPrecision::w8a16:
    case GpuPrecision::w4a16:
      return tensor_or(device.fp16_tensor_peak, device.fp16_vector_peak > device.fp32_peak
                                                    ? MathPeak{MathUnit::cuda, device.fp16_vector_peak}
                                                    : cuda);
    case GpuPrecision::bf16: return tensor_or(device.bf16_tensor_peak, cuda);
    case GpuPrecision::tf32: return tensor_or(device.tf32_tensor_peak, cuda);
    case GpuPrecision::fp8: return tensor_or(device.fp8_tensor_peak, cuda);
    case GpuPrecision::int8: break;
  }
  // dp4a: four products per CUDA core and cycle from compute capability 6.1 on
  const MathPeak dp4a = device.compute_capability >= 6.1 ? MathPeak{MathUnit::dp4a, 4 * device.fp32_peak} : cuda;
  return legacy ? dp4a : tensor_or(device.int8_peak, dp4a);
}

const StackProfile& stack_profile(Stack stack) {
  static constexpr std::array<StackProfile, stack_count> profiles{{
      {Stack::pytorch_eager, "pytorch_eager",
       "one eager PyTorch call between CUDA events: host dispatch included, warm caches", 1, false, true},
      {Stack::cuda_graph_vllm, "cuda_graph_vllm",
       "kernels of vLLM replayed in a CUDA graph: no host, weight buffers in rotation", 6, false, false},
      {Stack::cuda_graph_tensorrt_llm, "cuda_graph_tensorrt_llm",
       "kernels of TensorRT-LLM replayed in a CUDA graph: no host, weight buffers in rotation", 6, false, false},
      {Stack::library_loop, "library_loop", "host loop of cuBLAS or cuDNN calls of 2016 to 2019, launches overlap", 1,
       true, true},
      {Stack::profiler, "profiler", "kernel time of a profiler trace inside a running model: cold weights", 6, false,
       false},
      {Stack::profiler_2018, "profiler_2018", "the same with a PyTorch that holds code for each compute capability", 6,
       false, true},
      {Stack::profiler_2023, "profiler_2023", "the same with the row kernels of PyTorch 2.1", 6, false, true},
      {Stack::wall_clock, "wall_clock", "wall clock around repeated calls", 1, false, true},
      {Stack::cuda_graph_replay, "cuda_graph_replay",
       "a library call replayed in a CUDA graph on the same buffers: no host, warm caches", 1, false, false},
  }};
  return profiles[static_cast<std::size_t>(stack)];
}

std::string explain(const KernelTime& time) {
  const auto us = [](Seconds seconds) { return 1e6 * seconds.value; };
  struct Part {
    std::string_view name;
    Seconds time;
  };
  const std::array parts{Part{"compute", time.compute}, Part{"DRAM", time.dram}, Part{"L2", time.l2},
                         Part{"start-up", time.fixed}, Part{"launch", time.launch}};
  const Part& bound = *std::ranges::max_element(parts, {}, [](const Part& part) { return part.time.value; });
  std::string text = fmt::format("{}", time.algorithm);
  if (time.tiles > 0) {
    text += fmt::format(": {:.2f} waves of {}x{} tiles ({} tiles{}, {} resident per SM)", time.waves, time.tile_m,
                        time.tile_n, time.tiles, time.split > 1 ? fmt::format(" x split-K {}", time.split) : "",
                        time.resident);
  }
  text += fmt::format(" at {:.2f} of boost;", time.clock);
  for (const Part& part : parts) text += fmt::format(" {} {:.1f} us,", part.name, us(part.time));
  return text + fmt::format(" L2 hits {:.0f} %: {}-bound", 100 * time.l2_hit, bound.name);
}

}  // namespace tilewright
