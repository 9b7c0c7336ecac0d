// Our own kernels. Every function queues its work on the stream and returns; errors of the launch come from cudaGetLastError.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>

namespace tilewright::cuda {

enum class Element { fp32, fp16, bf16, fp8, int8 };
enum class VectorOperator { add, relu, gelu, softmax, layernorm };
enum class StreamTest { init, read, scale, triad };

/// Uniform in [-1, 1], integers in [-127, 127]: the same numbers for the same seed. Zeros would switch fewer wires and save power.
void fill_random(void* data, std::size_t count, Element element, std::uint64_t seed, cudaStream_t stream);

/// out[rows x cols] from one or two inputs; softmax and layer norm along cols. Elements fp32, fp16, bf16.
void vector_operator(VectorOperator op, Element element, void* out, const void* a, const void* b, std::int64_t rows,
                     std::int64_t cols, cudaStream_t stream);

/// A kernel that does nothing: what a launch costs.
void empty(cudaStream_t stream);

/// One pass over arrays of `count` floats each: init a; read a; a = s b; a = b + s c. `blocks` of 512 threads.
void stream_pass(StreamTest test, float* a, const float* b, const float* c, std::size_t count, int blocks,
                 cudaStream_t stream);
/// Every block reads the same `count` floats `rounds` times, each from another place on: the traffic of the L2. `sink` holds one float.
void read_shared(const float* data, std::size_t count, int rounds, int blocks, float* sink, cudaStream_t stream);
/// Every warp of `blocks` x 1024 threads reads 32-bit words of shared memory, lane l at word `stride` l: `rounds` x 16 loads a thread.
void read_shared_memory(int stride, int rounds, int blocks, float* sink, cudaStream_t stream);
/// One thread follows `hops` links through `next` from `position` on and leaves its place there, so that launches go on along the cycle; SM cycles of the walk into `cycles`.
/// `twice`: an untimed walk before it fills the caches near the SM.
void chase(const std::uint32_t* next, int hops, bool twice, std::uint64_t* cycles, std::uint32_t* position,
           cudaStream_t stream);

/// Chains of multiply-adds without memory, 8 independent ones a thread, `blocks` of 256 threads: fp32, or pairs of fp16. `rounds` x 8 x 16 multiply-adds a thread (twice that for the pairs).
void multiply_adds(Element element, int rounds, int blocks, float* sink, cudaStream_t stream);
/// Tensor-core products of 16 x 16 x 16 tiles without memory, 4 a warp and round, 8 warps a block. Elements fp16, bf16, int8.
void tensor_products(Element element, int rounds, int blocks, void* sink, cudaStream_t stream);
/// Streams `count` floats through `fmas` multiply-adds each and writes them: 2 fmas / 8 flop per byte.
void roofline_pass(int fmas, float* out, const float* in, std::size_t count, int blocks, cudaStream_t stream);
/// Intensities that `roofline_pass` has.
constexpr int roofline_fmas[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512};

}  // namespace tilewright::cuda
