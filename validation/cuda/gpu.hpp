// The CUDA runtime with owners for its objects and an exception for every code that is not success.
#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>

#include "validation/cuda/kernels.hpp"
#include "validation/cuda/record.hpp"

namespace tilewright::cuda {

/// No GPU or no driver: exit code 77.
struct NoGpu : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// An operator that this GPU or library does not have: the row is left out with this reason.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Any other error of the runtime: the run ends.
struct GpuError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throw unless the code is success; `what` names the call. Missing support becomes Unsupported, as does memory that does not suffice.
void check(cudaError_t code, const char* what);
void check(cublasStatus_t code, const char* what);
void check(cudnnStatus_t code, const char* what);

class Stream {
 public:
  Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }
  void wait() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() { check(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(const Stream& stream) { check(cudaEventRecord(event_, stream.get()), "cudaEventRecord"); }
  /// Microseconds from `begin` to this event; waits for it.
  double us_since(const Event& begin) const {
    check(cudaEventSynchronize(event_), "cudaEventSynchronize");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin.event_, event_), "cudaEventElapsedTime");
    return 1e3 * static_cast<double>(ms);
  }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Memory of the GPU. Unsupported when there is not enough.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes);
  /// Random elements in all of it.
  Buffer(std::size_t count, Element element, std::uint64_t seed, const Stream& stream);
  ~Buffer() { cudaFree(data_); }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  Buffer(Buffer&& other) noexcept : data_(other.data_), bytes_(other.bytes_) { other.data_ = nullptr; }

  void* get() const { return data_; }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_);
  }
  std::size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Work for one launch: queues kernels on the stream, nothing else.
using Launch = std::function<void(cudaStream_t)>;

/// `count` launches as one graph.
class Graph {
 public:
  Graph(const Launch& launch, int count, const Stream& stream);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  void replay(const Stream& stream) const { check(cudaGraphLaunch(instance_, stream.get()), "cudaGraphLaunch"); }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t instance_ = nullptr;
};

/// Makes the GPU with this ordinal current. NoGpu without a driver or a device; InputError for an ordinal that there is not.
cudaDeviceProp choose_gpu(int ordinal);
std::string pci_bus_id(int ordinal);
DeviceFacts facts_of(int ordinal, const cudaDeviceProp& properties);
std::size_t free_bytes();

Element element_of(const std::string& dtype);

}  // namespace tilewright::cuda
