// Fused attention: prefill and decode of the flash-attention kind over a paged key-value cache.
#pragma once

#include <array>

#include "arch_models/gpu/kernel.hpp"

namespace tilewright {

struct GpuConstants;

/// Whose kernels run. They differ in tile, in what they split and in whether loads of keys and values run ahead of the arithmetic.
enum class AttentionLibrary {
  flash_attention_2,  // FlashAttention-2 with a paged cache: 64 x 128 tiles; key-value split only for grouped heads
  flash_attention_2_v014,  // the same inside vLLM 0.14, whose cache-write kernel waits for one block per token
  flashinfer,  // FlashInfer with TensorRT-LLM kernels: 128 x 128 tiles, loads ahead of arithmetic, splits any decode
  cudnn  // cuDNN's flash attention on contiguous keys and values: tiles and loads as FlashInfer's, no cache to write
};
inline constexpr std::array<std::string_view, 4> attention_library_names{
    "flash-attention 2", "flash-attention 2 (vLLM 0.14)", "FlashInfer", "cuDNN"};

/// One fused attention call: `queries` positions per sequence against `keys` cached ones; causal when queries = keys, decode when queries = 1.
struct AttentionKernel {
  std::int64_t batch = 1, queries = 1, keys = 1, heads = 1, kv_heads = 1, head_dim = 128;
  bool causal = true, prefill = false;
  GpuPrecision precision = GpuPrecision::bf16;
  AttentionLibrary library = AttentionLibrary::flash_attention_2;
};

struct AttentionConstants {
  double flash_efficiency = 0.6, flashinfer_efficiency = 0.6;  // share of the tensor peak inside a tile
  double flash_block_cycles = 2000,
         flashinfer_block_cycles = 2000;  // prologue, softmax rescale and epilogue of a prefill block
  double lone_tile = 1.2;                 // a tile of a block alone on its SM over one that shares it
  double flash_chain_us = 3,
         flashinfer_chain_us = 1.5;        // dependent loads of a decode block: page table, query, first keys, result
  double tile_us = 1, tile_cycles = 1500;  // one 128-key step of a decode block whose loads do not run ahead
  double combine_us = 1.6, combine_split_us = 0.2;  // second kernel of a split decode; each split that it adds up
  double copy_us = 2;  // one of the two copies that regroup queries and results of grouped heads
  double cache_write_us = 0.3, cache_write_v014_us = 3;  // one token's block of the kernel that writes the cache
  double l2_reach = 0.4;                                 // share of the L2 that holds the cache between replays
};

/// Time of one call, cache write of a prefill included. Pure; assumes positive extents and heads a multiple of kv_heads.
KernelTime attention_time(const GpuDevice& device, const GpuConstants& constants, const AttentionKernel& kernel,
                          const Timing& timing);

}  // namespace tilewright
