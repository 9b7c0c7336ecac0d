#include "validation/cuda/gpu.hpp"

#include <fmt/format.h>

#include <array>

#include "core/diagnostics.hpp"
#include "validation/cuda/shapes.hpp"

namespace tilewright::cuda {

void check(cudaError_t code, const char* what) {
  if (code == cudaSuccess) return;
  const std::string message = fmt::format("{}: {} ({})", what, cudaGetErrorString(code), cudaGetErrorName(code));
  if (code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver) throw NoGpu(message);
  if (code == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // this error does not spoil the context
    throw Unsupported(message);
  }
  throw GpuError(message);
}

void check(cublasStatus_t code, const char* what) {
  if (code == CUBLAS_STATUS_SUCCESS) return;
  const std::string message = fmt::format("{}: {}", what, cublasLtGetStatusString(code));
  if (code == CUBLAS_STATUS_NOT_SUPPORTED || code == CUBLAS_STATUS_ARCH_MISMATCH ||
      code == CUBLAS_STATUS_INVALID_VALUE || code == CUBLAS_STATUS_ALLOC_FAILED)
    throw Unsupported(message);
  throw GpuError(message);
}

void check(cudnnStatus_t code, const char* what) {
  if (code == CUDNN_STATUS_SUCCESS) return;
  std::array<char, 256> last{};
  cudnnGetLastErrorString(last.data(), last.size());
  const std::string message = fmt::format("{}: {} {}", what, cudnnGetErrorString(code), last.data());
  // Codes from 2000: bad parameters; from 3000: not supported. The others speak of the library or the GPU.
  if (code >= 2000 && code < 4000) throw Unsupported(message);
  throw GpuError(message);
}

Buffer::Buffer(std::size_t bytes) : bytes_(bytes) { check(cudaMalloc(&data_, bytes < 16 ? 16 : bytes), "cudaMalloc"); }

Buffer::Buffer(std::size_t count, Element element, std::uint64_t seed, const Stream& stream)
    : Buffer(count * (element == Element::fp32                              ? 4
                      : element == Element::fp8 || element == Element::int8 ? 1
                                                                            : 2)) {
  fill_random(data_, count, element, seed, stream.get());
  check(cudaGetLastError(), "fill_random");
  stream.wait();
}

Graph::Graph(const Launch& launch, int count, const Stream& stream) {
  check(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  try {
    for (int i = 0; i < count; ++i) launch(stream.get());
  } catch (...) {
    cudaStreamEndCapture(stream.get(), &graph_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
    cudaGetLastError();
    throw;
  }
  check(cudaStreamEndCapture(stream.get(), &graph_), "cudaStreamEndCapture");
  const cudaError_t code = cudaGraphInstantiate(&instance_, graph_, 0);
  if (code != cudaSuccess) cudaGraphDestroy(graph_);
  check(code, "cudaGraphInstantiate");
}

Graph::~Graph() {
  cudaGraphExecDestroy(instance_);
  cudaGraphDestroy(graph_);
}

cudaDeviceProp choose_gpu(int ordinal) {
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (count == 0) throw NoGpu("no CUDA device");
  if (ordinal >= count)
    throw InputError({"--device", 0, 0, ""}, fmt::format("there are {} GPUs, numbered from 0", count));
  check(cudaSetDevice(ordinal), "cudaSetDevice");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, ordinal), "cudaGetDeviceProperties");
  return properties;
}

std::string pci_bus_id(int ordinal) {
  std::array<char, 32> text{};
  check(cudaDeviceGetPCIBusId(text.data(), static_cast<int>(text.size()), ordinal), "cudaDeviceGetPCIBusId");
  return text.data();
}

DeviceFacts facts_of(int ordinal, const cudaDeviceProp& properties) {
  const auto attribute = [&](cudaDeviceAttr which) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, which, ordinal), "cudaDeviceGetAttribute");
    return static_cast<std::int64_t>(value);
  };
  DeviceFacts facts;
  facts.name = properties.name;
  facts.compute_capability = 10 * properties.major + properties.minor;
  facts.sms = properties.multiProcessorCount;
  facts.boost_khz = attribute(cudaDevAttrClockRate);
  facts.memory_khz = attribute(cudaDevAttrMemoryClockRate);
  facts.bus_bits = attribute(cudaDevAttrGlobalMemoryBusWidth);
  facts.memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  facts.l2_bytes = properties.l2CacheSize;
  facts.shared_bytes = static_cast<std::int64_t>(properties.sharedMemPerMultiprocessor);
  facts.registers = properties.regsPerMultiprocessor;
  return facts;
}

std::size_t free_bytes() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

Element element_of(const std::string& dtype) {
  if (dtype == "fp16") return Element::fp16;
  if (dtype == "bf16") return Element::bf16;
  if (dtype == "fp8") return Element::fp8;
  if (dtype == "int8") return Element::int8;
  return Element::fp32;  // fp32 and tf32 are stored alike
}

}  // namespace tilewright::cuda
