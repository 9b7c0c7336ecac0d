#include "validation/cuda/kernels.hpp"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <mma.h>

#include <type_traits>

namespace tilewright::cuda {
namespace {

constexpr int threads = 256;
constexpr int most_blocks = 65535;

int blocks_for(std::size_t work) {
  const std::size_t blocks = (work + threads - 1) / threads;
  return static_cast<int>(blocks < 1 ? 1 : blocks > most_blocks ? most_blocks : blocks);
}

__device__ std::uint32_t mixed(std::uint64_t x) {  // SplitMix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return static_cast<std::uint32_t>((x ^ (x >> 31)) >> 32);
}

template <class T>
__device__ T element_of(float value) {
  if constexpr (std::is_same_v<T, std::int8_t>)
    return static_cast<std::int8_t>(127 * value);
  else
    return T(value);
}

template <class T>
__global__ void fill_kernel(T* data, std::size_t count, std::uint64_t seed) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step)
    data[i] = element_of<T>(static_cast<float>(mixed(seed + i)) * (2.0F / 4294967296.0F) - 1.0F);
}

template <class T>
void fill(void* data, std::size_t count, std::uint64_t seed, cudaStream_t stream) {
  fill_kernel<<<blocks_for(count), threads, 0, stream>>>(static_cast<T*>(data), count, seed);
}

__global__ void empty_kernel() {}

// Vectors. A pack is what one thread loads at once: 16 bytes where the addresses allow it, else one element.

template <class T, int n>
struct alignas(n * sizeof(T)) Pack {
  T values[n];
};

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Relu {
  __device__ float operator()(float a, float) const { return a > 0 ? a : 0; }
};
struct Gelu {
  __device__ float operator()(float a, float) const { return 0.5F * a * (1 + erff(a * 0.70710678F)); }
};

template <class Function, bool binary, class T, int n>
__global__ void element_kernel(Pack<T, n>* out, const Pack<T, n>* a, const Pack<T, n>* b, std::size_t packs) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < packs; i += step) {
    const Pack<T, n> x = a[i];
    Pack<T, n> y = x, z;
    if constexpr (binary) y = b[i];
#pragma unroll
    for (int j = 0; j < n; ++j)
      z.values[j] = T(Function{}(static_cast<float>(x.values[j]), static_cast<float>(y.values[j])));
    out[i] = z;
  }
}

__device__ float block_sum(float value) {
  __shared__ float parts[32];
  for (int lane = 16; lane > 0; lane /= 2) value += __shfl_xor_sync(0xffffffffU, value, lane);
  __syncthreads();
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = threadIdx.x % 32 < blockDim.x / 32 ? parts[threadIdx.x % 32] : 0;
  for (int lane = 16; lane > 0; lane /= 2) value += __shfl_xor_sync(0xffffffffU, value, lane);
  return value;
}

__device__ float block_max(float value) {
  __shared__ float parts[32];
  for (int lane = 16; lane > 0; lane /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, lane));
  __syncthreads();
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = threadIdx.x % 32 < blockDim.x / 32 ? parts[threadIdx.x % 32] : -INFINITY;
  for (int lane = 16; lane > 0; lane /= 2) value = fmaxf(value, __shfl_xor_sync(0xffffffffU, value, lane));
  return value;
}

/// A block walks a row three times: largest, sum of exponentials, result.
template <class T, int n>
__global__ void softmax_kernel(Pack<T, n>* out, const Pack<T, n>* in, std::int64_t rows, std::int64_t packs) {
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const Pack<T, n>* source = in + row * packs;
    float largest = -INFINITY, sum = 0;
    for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
      const Pack<T, n> x = source[i];
      for (int j = 0; j < n; ++j) largest = fmaxf(largest, static_cast<float>(x.values[j]));
    }
    largest = block_max(largest);
    for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
      const Pack<T, n> x = source[i];
      for (int j = 0; j < n; ++j) sum += __expf(static_cast<float>(x.values[j]) - largest);
    }
    const float scale = 1 / block_sum(sum);
    for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
      const Pack<T, n> x = source[i];
      Pack<T, n> y;
      for (int j = 0; j < n; ++j) y.values[j] = T(scale * __expf(static_cast<float>(x.values[j]) - largest));
      out[row * packs + i] = y;
    }
  }
}

/// A block walks a row twice: sums of values and squares, result.
template <class T, int n>
__global__ void layer_norm_kernel(Pack<T, n>* out, const Pack<T, n>* in, std::int64_t rows, std::int64_t packs) {
  const float share = 1 / static_cast<float>(packs * n);
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const Pack<T, n>* source = in + row * packs;
    float sum = 0, squares = 0;
    for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
      const Pack<T, n> x = source[i];
      for (int j = 0; j < n; ++j) {
        const float value = static_cast<float>(x.values[j]);
        sum += value;
        squares += value * value;
      }
    }
    const float mean = share * block_sum(sum);
    const float scale = rsqrtf(fmaxf(share * block_sum(squares) - mean * mean, 0) + 1e-5F);
    for (std::int64_t i = threadIdx.x; i < packs; i += blockDim.x) {
      const Pack<T, n> x = source[i];
      Pack<T, n> y;
      for (int j = 0; j < n; ++j) y.values[j] = T((static_cast<float>(x.values[j]) - mean) * scale);
      out[row * packs + i] = y;
    }
  }
}

template <class T, int n>
void run_vector(VectorOperator op, void* out, const void* a, const void* b, std::int64_t rows, std::int64_t cols,
                cudaStream_t stream) {
  auto* z = static_cast<Pack<T, n>*>(out);
  const auto *x = static_cast<const Pack<T, n>*>(a), *y = static_cast<const Pack<T, n>*>(b);
  const std::int64_t row_packs = cols / n;
  const auto packs = static_cast<std::size_t>(rows) * static_cast<std::size_t>(row_packs);
  const int grid = blocks_for(packs);
  const int row_grid = static_cast<int>(rows < most_blocks ? rows : most_blocks);
  switch (op) {
    case VectorOperator::add: element_kernel<Add, true><<<grid, threads, 0, stream>>>(z, x, y, packs); break;
    case VectorOperator::relu: element_kernel<Relu, false><<<grid, threads, 0, stream>>>(z, x, x, packs); break;
    case VectorOperator::gelu: element_kernel<Gelu, false><<<grid, threads, 0, stream>>>(z, x, x, packs); break;
    case VectorOperator::softmax: softmax_kernel<<<row_grid, threads, 0, stream>>>(z, x, rows, row_packs); break;
    case VectorOperator::layernorm: layer_norm_kernel<<<row_grid, threads, 0, stream>>>(z, x, rows, row_packs); break;
  }
}

template <class T>
void run_vector(VectorOperator op, void* out, const void* a, const void* b, std::int64_t rows, std::int64_t cols,
                cudaStream_t stream) {
  constexpr int wide = 16 / sizeof(T);
  if (cols % wide == 0)
    run_vector<T, wide>(op, out, a, b, rows, cols, stream);
  else
    run_vector<T, 1>(op, out, a, b, rows, cols, stream);
}

// Memory.

template <StreamTest test>
__global__ void stream_kernel(float4* a, const float4* b, const float4* c, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  float4 sum = make_float4(0, 0, 0, 0);
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    if constexpr (test == StreamTest::init) a[i] = make_float4(1, 2, 3, 4);
    if constexpr (test == StreamTest::read) {
      const float4 x = b[i];
      sum = make_float4(sum.x + x.x, sum.y + x.y, sum.z + x.z, sum.w + x.w);
    }
    if constexpr (test == StreamTest::scale) {
      const float4 x = b[i];
      a[i] = make_float4(1.5F * x.x, 1.5F * x.y, 1.5F * x.z, 1.5F * x.w);
    }
    if constexpr (test == StreamTest::triad) {
      const float4 x = b[i], y = c[i];
      a[i] = make_float4(x.x + 1.5F * y.x, x.y + 1.5F * y.y, x.z + 1.5F * y.z, x.w + 1.5F * y.w);
    }
  }
  // Never true for data in [-1, 1]; the compiler cannot know, so the loads stay.
  if (test == StreamTest::read && sum.x + sum.y + sum.z + sum.w > 1e30F) a[0] = sum;
}

__global__ void read_shared_kernel(const float4* data, std::size_t count, int rounds, float* sink) {
  float sum = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::size_t offset = (std::size_t{blockIdx.x} + static_cast<std::size_t>(round)) * 977 * blockDim.x % count;
    for (std::size_t i = threadIdx.x; i < count; i += blockDim.x) {
      const std::size_t at = i + offset;
      const float4 x = __ldcg(data + (at < count ? at : at - count));  // past the L1
      sum += x.x + x.y + x.z + x.w;
    }
  }
  if (sum > 1e30F) *sink = sum;
}

__global__ void shared_memory_kernel(int stride, int rounds, float* sink) {
  __shared__ float words[8192];
  for (int i = threadIdx.x; i < 8192; i += blockDim.x) words[i] = static_cast<float>(i);
  __syncthreads();
  float sum = 0;
  int at = (threadIdx.x / 32) * 64 + (threadIdx.x % 32) * stride;
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int i = 0; i < 16; ++i) sum += words[(at + 32 * i) & 8191];
    at += 1;
  }
  if (sum < 0) *sink = sum;
}

__global__ void chase_kernel(const std::uint32_t* next, int hops, bool twice, std::uint64_t* cycles,
                             std::uint32_t* position) {
  std::uint32_t at = *position;
  if (twice) {
    for (int i = 0; i < hops; ++i) at = __ldg(next + at);
    *position = at;         // keeps the walk, and its end before the first reading of the clock
    __threadfence_block();  // a fence of the whole GPU would empty the L1
  }
  const long long begin = clock64();
#pragma unroll 8
  for (int i = 0; i < hops; ++i) at = __ldg(next + at);
  // The last address must be there before the clock is read: the store depends on it.
  *position = at;
  __threadfence_block();
  *cycles = static_cast<std::uint64_t>(clock64() - begin);
}

// Arithmetic.

__global__ void fma_kernel(int rounds, float* sink) {
  float x[8];
  for (int i = 0; i < 8; ++i) x[i] = 1e-3F * static_cast<float>(threadIdx.x + i);
  const float a = 0.999F, b = 1e-4F * static_cast<float>(blockIdx.x);
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int step = 0; step < 16; ++step) {
#pragma unroll
      for (int i = 0; i < 8; ++i) x[i] = fmaf(x[i], a, b);
    }
  }
  float sum = 0;
  for (int i = 0; i < 8; ++i) sum += x[i];
  if (sum > 1e30F) *sink = sum;
}

__global__ void half_fma_kernel(int rounds, float* sink) {
  __half2 x[8];
  for (int i = 0; i < 8; ++i) x[i] = __float2half2_rn(1e-3F * static_cast<float>(threadIdx.x + i));
  const __half2 a = __float2half2_rn(0.99F), b = __float2half2_rn(1e-3F * static_cast<float>(blockIdx.x % 16));
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (int step = 0; step < 16; ++step) {
#pragma unroll
      for (int i = 0; i < 8; ++i) x[i] = __hfma2(x[i], a, b);
    }
  }
  float sum = 0;
  for (int i = 0; i < 8; ++i) sum += __low2float(x[i]) + __high2float(x[i]);
  if (sum > 1e30F) *sink = sum;
}

template <class In, class Out>
__global__ void tensor_kernel(int rounds, Out* sink) {
  using namespace nvcuda;
  wmma::fragment<wmma::matrix_a, 16, 16, 16, In, wmma::row_major> a;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, In, wmma::col_major> b;
  wmma::fragment<wmma::accumulator, 16, 16, 16, Out> c[4];
  // Fragments with changing bits: constant operands would draw less power.
  for (int i = 0; i < a.num_elements; ++i)
    a.x[i] = element_of<In>(static_cast<float>(mixed(threadIdx.x * 64 + i) % 255) / 128.0F - 1.0F);
  for (int i = 0; i < b.num_elements; ++i)
    b.x[i] = element_of<In>(static_cast<float>(mixed(threadIdx.x * 64 + 32 + i) % 255) / 128.0F - 1.0F);
  for (auto& tile : c) wmma::fill_fragment(tile, Out(0));
  for (int round = 0; round < rounds; ++round) {
#pragma unroll
    for (auto& tile : c) wmma::mma_sync(tile, a, b, tile);
  }
  Out sum = 0;
  for (auto& tile : c) {
    for (int i = 0; i < tile.num_elements; ++i) sum += tile.x[i];
  }
  if (sum == Out(123456789)) *sink = sum;
}

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
template <>
__global__ void tensor_kernel<__nv_bfloat16, float>(int, float*) {}  // the unit has no bf16; never launched there
#endif

template <int fmas>
__global__ void roofline_kernel(float* out, const float* in, std::size_t count) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += step) {
    float x = in[i];
    const float b = 0.25F * x;
#pragma unroll
    for (int j = 0; j < fmas; ++j) x = fmaf(x, 0.75F, b);
    out[i] = x;
  }
}

template <int fmas>
bool run_roofline(int asked, float* out, const float* in, std::size_t count, int blocks, cudaStream_t stream) {
  if (asked != fmas) return false;
  roofline_kernel<fmas><<<blocks, 1024, 0, stream>>>(out, in, count);
  return true;
}

}  // namespace

void fill_random(void* data, std::size_t count, Element element, std::uint64_t seed, cudaStream_t stream) {
  switch (element) {
    case Element::fp32: fill<float>(data, count, seed, stream); break;
    case Element::fp16: fill<__half>(data, count, seed, stream); break;
    case Element::bf16: fill<__nv_bfloat16>(data, count, seed, stream); break;
    case Element::fp8: fill<__nv_fp8_e4m3>(data, count, seed, stream); break;
    case Element::int8: fill<std::int8_t>(data, count, seed, stream); break;
  }
}

void vector_operator(VectorOperator op, Element element, void* out, const void* a, const void* b, std::int64_t rows,
                     std::int64_t cols, cudaStream_t stream) {
  switch (element) {
    case Element::fp32: run_vector<float>(op, out, a, b, rows, cols, stream); break;
    case Element::fp16: run_vector<__half>(op, out, a, b, rows, cols, stream); break;
    case Element::bf16: run_vector<__nv_bfloat16>(op, out, a, b, rows, cols, stream); break;
    case Element::fp8:
    case Element::int8: break;  // the callers' list of formats has none of these
  }
}

void empty(cudaStream_t stream) { empty_kernel<<<1, 1, 0, stream>>>(); }

void stream_pass(StreamTest test, float* a, const float* b, const float* c, std::size_t count, int blocks,
                 cudaStream_t stream) {
  auto* x = reinterpret_cast<float4*>(a);
  const auto *y = reinterpret_cast<const float4*>(b), *z = reinterpret_cast<const float4*>(c);
  const std::size_t packs = count / 4;
  switch (test) {
    case StreamTest::init: stream_kernel<StreamTest::init><<<blocks, 512, 0, stream>>>(x, y, z, packs); break;
    case StreamTest::read: stream_kernel<StreamTest::read><<<blocks, 512, 0, stream>>>(x, y, z, packs); break;
    case StreamTest::scale: stream_kernel<StreamTest::scale><<<blocks, 512, 0, stream>>>(x, y, z, packs); break;
    case StreamTest::triad: stream_kernel<StreamTest::triad><<<blocks, 512, 0, stream>>>(x, y, z, packs); break;
  }
}

void read_shared(const float* data, std::size_t count, int rounds, int blocks, float* sink, cudaStream_t stream) {
  read_shared_kernel<<<blocks, 1024, 0, stream>>>(reinterpret_cast<const float4*>(data), count / 4, rounds, sink);
}

void read_shared_memory(int stride, int rounds, int blocks, float* sink, cudaStream_t stream) {
  shared_memory_kernel<<<blocks, 1024, 0, stream>>>(stride, rounds, sink);
}

void chase(const std::uint32_t* next, int hops, bool twice, std::uint64_t* cycles, std::uint32_t* position,
           cudaStream_t stream) {
  chase_kernel<<<1, 1, 0, stream>>>(next, hops, twice, cycles, position);
}

void multiply_adds(Element element, int rounds, int blocks, float* sink, cudaStream_t stream) {
  if (element == Element::fp16)
    half_fma_kernel<<<blocks, threads, 0, stream>>>(rounds, sink);
  else
    fma_kernel<<<blocks, threads, 0, stream>>>(rounds, sink);
}

void tensor_products(Element element, int rounds, int blocks, void* sink, cudaStream_t stream) {
  switch (element) {
    case Element::bf16:
      tensor_kernel<__nv_bfloat16, float><<<blocks, 256, 0, stream>>>(rounds, static_cast<float*>(sink));
      break;
    case Element::int8:
      tensor_kernel<signed char, int><<<blocks, 256, 0, stream>>>(rounds, static_cast<int*>(sink));
      break;
    case Element::fp16:
    case Element::fp32:
    case Element::fp8:
      tensor_kernel<__half, float><<<blocks, 256, 0, stream>>>(rounds, static_cast<float*>(sink));
      break;
  }
}

void roofline_pass(int fmas, float* out, const float* in, std::size_t count, int blocks, cudaStream_t stream) {
  (void)(run_roofline<1>(fmas, out, in, count, blocks, stream) ||
         run_roofline<2>(fmas, out, in, count, blocks, stream) ||
         run_roofline<4>(fmas, out, in, count, blocks, stream) ||
         run_roofline<8>(fmas, out, in, count, blocks, stream) ||
         run_roofline<16>(fmas, out, in, count, blocks, stream) ||
         run_roofline<32>(fmas, out, in, count, blocks, stream) ||
         run_roofline<64>(fmas, out, in, count, blocks, stream) ||
         run_roofline<128>(fmas, out, in, count, blocks, stream) ||
         run_roofline<256>(fmas, out, in, count, blocks, stream) ||
         run_roofline<512>(fmas, out, in, count, blocks, stream));
}

}  // namespace tilewright::cuda
