#include "arch_models/gpu/gemm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

/// Output tile of a thread block and its warps.
struct BlockTile {
  std::int64_t m, n, warps;
};

// Tiles of row-major products (a kernel named 128x64 has 128 columns), as the kernels of the libraries are named in the profiles of the tables.
constexpr BlockTile t256x128{256, 128, 8}, t128x256{128, 256, 8}, t128x128{128, 128, 8}, t128x64{128, 64, 4},
    t64x128{64, 128, 4}, t64x64{64, 64, 2}, t128x32{128, 32, 2}, t32x128{32, 128, 2}, t32x64{32, 64, 4},
    t64x32{64, 32, 4}, t32x32{32, 32, 4};

constexpr std::array ampere_menu{t128x128, t128x64, t64x128, t64x64, t128x32, t32x128, t64x32, t32x64, t32x32};
constexpr std::array ada_menu{t256x128, t128x256, t128x128, t64x128, t64x64, t32x64};
constexpr std::array ampere_batched{t128x128};
// cuBLAS 12 and 13 on an H100 (sm80_xmma_gemm_f32f32_..., cutlass_80_simt_sgemm_...): four warps from 64 x 64 on, also for batches.
constexpr std::array hopper_menu{t256x128,
                                 t128x256,
                                 BlockTile{256, 64, 4},
                                 BlockTile{64, 256, 4},
                                 BlockTile{128, 128, 4},
                                 t128x64,
                                 t64x128,
                                 BlockTile{64, 64, 4},
                                 BlockTile{128, 32, 4},
                                 BlockTile{64, 32, 2},
                                 BlockTile{32, 64, 2},
                                 BlockTile{32, 32, 2}};
constexpr std::array volta_menu{t128x128, t64x128, t128x64, t128x32, t32x128, t32x64, t32x32};
constexpr std::array volta_batched{t64x64, t128x32, t32x128};
constexpr std::array turing_menu{t128x128, t64x128, t128x64, t64x64, t128x32, t32x128, t32x32};
constexpr std::array turing_batched{t64x128, t64x64, t32x128, t128x32};
constexpr std::array pascal_menu{t128x32, t64x64, t32x128};
constexpr std::array pascal_whole_menu{t128x128};  // 6.1: without remainders
constexpr std::array pascal_batched{t64x128};
constexpr std::array legacy_menu{t128x128, t128x64, t64x128, t64x64, t128x32, t32x128, t64x32, t32x64, t32x32};
// Up to 16 rows of a product take as long as 64 on Maxwell and Pascal in libraries before CUDA 11.
constexpr std::array legacy_few_rows{t64x128, t64x64, t64x32};
// int8 products on dp4a (seen in libraries before CUDA 11) take as long as whole 128 x 128 tiles without split sums, up to 4 rows as a narrow one.
constexpr std::array dp4a_menu{t128x128};
constexpr std::array dp4a_narrow{t32x64};
// Filter passes: wide on one side at least, so that a few channels leave most of a tile empty.
constexpr std::array filter_menu{t128x128, t128x64, t64x128, t128x32, t32x128};
constexpr std::array implicit_menu{t128x128, t128x64, t128x32};
constexpr std::array hopper_implicit{BlockTile{256, 64, 4}, BlockTile{128, 32, 4}, BlockTile{32, 32, 2}};
constexpr std::array transformed_menu{t128x128, t128x64, t128x32};
constexpr std::array transformed_modern{t64x64, t32x128, t128x32, t128x128};
constexpr std::array fused_menu{t128x128};
// Tensor-core tiles of the libraries before CUDA 11, and of Volta and Turing.
constexpr std::array tensor_tiles{BlockTile{256, 128, 8}, BlockTile{128, 256, 8}, BlockTile{128, 128, 4},
                                  BlockTile{256, 64, 4},  BlockTile{64, 256, 4},  BlockTile{128, 64, 4},
                                  BlockTile{64, 128, 4},  BlockTile{64, 64, 4},   BlockTile{32, 128, 4},
                                  BlockTile{128, 32, 4},  BlockTile{32, 64, 4},   BlockTile{16, 128, 4}};
// From Ampere on kernels with sides of 96, 160 and 192 fill waves better (names sm80_xmma_gemm_..._tilesize160x128x32 and their kin).
constexpr std::array ampere_tiles{BlockTile{256, 128, 8}, BlockTile{128, 256, 8}, BlockTile{192, 128, 4},
                                  BlockTile{128, 192, 4}, BlockTile{160, 128, 4}, BlockTile{128, 160, 4},
                                  BlockTile{128, 128, 4}, BlockTile{96, 128, 4},  BlockTile{128, 96, 4},
                                  BlockTile{256, 64, 4},  BlockTile{64, 256, 4},  BlockTile{128, 64, 4},
                                  BlockTile{64, 128, 4},  BlockTile{64, 64, 4},   BlockTile{32, 128, 4},
                                  BlockTile{128, 32, 4},  BlockTile{32, 64, 4},   BlockTile{16, 128, 4}};
// The tensor-core instruction of Blackwell (tcgen05.mma, PTX ISA) has 128 rows; a library swaps the operands for few rows.
constexpr std::array blackwell_tiles{BlockTile{256, 128, 8}, BlockTile{128, 256, 8}, BlockTile{128, 128, 4},
                                     BlockTile{128, 64, 4},  BlockTile{64, 128, 4},  BlockTile{128, 32, 4},
                                     BlockTile{32, 128, 4},  BlockTile{16, 128, 4}};
// Hopper's kernels (nvjet_sm90_...) have a side of 64, 128 or 256 and another of any multiple of 8.
constexpr auto hopper_tiles = [] {
  constexpr std::array<std::int64_t, 14> sides{256, 192, 160, 144, 128, 112, 96, 80, 64, 48, 32, 24, 16, 8};
  std::array<BlockTile, 76> tiles{};
  std::size_t count = 0;
  for (const std::int64_t base : {256, 128, 64}) {
    for (const std::int64_t side : sides) {
      if (base * side > 256 * 128) continue;  // the registers of an SM hold no more sums
      tiles[count++] = {base, side, 4};
      tiles[count++] = {side, base, 4};
    }
  }
  return tiles;
}();
constexpr std::array streaming_tiles{BlockTile{16, 128, 4}};

constexpr std::int64_t narrow_rows = 4, legacy_rows = 16;

/// The kernels of libraries before CUDA 11 for a few rows on chips before Volta, which fill the SMs with split sums.
bool has_few_rows(const GpuDevice& device, const GemmKernel& kernel, bool legacy) {
  return legacy && device.compute_capability < 7 && kernel.menu == KernelMenu::product && kernel.m <= legacy_rows;
}

std::span<const BlockTile> tensor_menu(const GpuDevice& device, bool legacy) {
  if (device.compute_capability >= 10) return blackwell_tiles;
  if (device.compute_capability >= 9 && !legacy) return hopper_tiles;
  if (device.compute_capability >= 8 && !legacy) return ampere_tiles;
  return tensor_tiles;
}

/// The kernels on CUDA cores that cuBLAS of CUDA 12 was seen to choose from, by generation; older libraries offered all shapes everywhere.
std::span<const BlockTile> cuda_menu(const GpuDevice& device, const GemmKernel& kernel, bool aligned, bool legacy,
                                     MathUnit unit) {
  const bool batched = kernel.strided_batch;
  switch (kernel.menu) {
    case KernelMenu::implicit:
      return device.compute_capability >= 9 ? std::span<const BlockTile>(hopper_implicit) : implicit_menu;
    case KernelMenu::implicit_split: return filter_menu;
    case KernelMenu::transformed:
      if (legacy) return transformed_menu;
      if (device.compute_capability >= 9) return hopper_menu;
      if (device.compute_capability >= 8) return ampere_batched;
      return transformed_modern;
    case KernelMenu::fused_winograd: return fused_menu;
    case KernelMenu::product: break;
  }
  if (unit == MathUnit::dp4a) return kernel.m <= narrow_rows ? std::span<const BlockTile>(dp4a_narrow) : dp4a_menu;
  if (has_few_rows(device, kernel, legacy)) return legacy_few_rows;
  if (legacy) return legacy_menu;
  if (device.compute_capability >= 9) return hopper_menu;
  if (device.compute_capability >= 8.9) return batched ? std::span<const BlockTile>(ampere_batched) : ada_menu;
  if (device.compute_capability >= 8) return batched ? std::span<const BlockTile>(ampere_batched) : ampere_menu;
  if (device.compute_capability >= 7.5) return batched ? std::span<const BlockTile>(turing_batched) : turing_menu;
  if (device.compute_capability >= 7) return batched ? std::span<const BlockTile>(volta_batched) : volta_menu;
  if (batched) return pascal_batched;
  // sgemm_128x128x8_NT_vec takes eight steps of k at a time and eight rows a thread: seen with m and k multiples of 8 alone; its sibling without
  // vector loads (sgemm_128x128x8_NT) with even k, whole warps of rows and 16-byte rows of results
  const bool vectors = aligned && kernel.m % 8 == 0 && kernel.k % 8 == 0;
  const bool pairs = kernel.m % 32 == 0 && kernel.k % 2 == 0 && kernel.n % 4 == 0;
  return device.compute_capability > 6 && (vectors || pairs) ? std::span<const BlockTile>(pascal_whole_menu)
                                                             : pascal_menu;
}

constexpr std::int64_t fused_scale_rows = 16;  // most rows for which vLLM scales the results inside the product
constexpr std::int64_t streamed_rows = 4;      // most rows for which weights are streamed as in a matrix-vector product
constexpr std::int64_t most_splits = 128;
// Most blocks that split sums make of a product; filter passes and the few rows of old libraries, whose results are few and sums long, fill an SM
// with them on CUDA cores.
constexpr double split_blocks_per_sm = 2, many_blocks_per_sm = 8;

/// Parts into which a library may cut the sum over k (0: no choice): powers of two, in newer libraries also what fills one or two waves of the SMs.
std::array<std::int64_t, 10> split_menu(double tiles, double sms, bool fills_waves) {
  const auto filling = [&](double waves) {
    return fills_waves ? std::min(static_cast<std::int64_t>(waves * sms / tiles), most_splits) : 0;
  };
  return {1, 2, 4, 8, 16, 32, 64, 128, filling(1), filling(2)};
}

double fourth(double x) { return x * x * x * x; }

/// The kernels around a product of 8-bit floats. Activations are scaled and rounded row by row. vLLM finds the scale of each row at run time (the
/// row is read twice) and above 16 rows scales the results of the product in passes of their own; TensorRT-LLM has static scales.
double quantise_seconds(const GpuDevice& device, const GpuConstants& constants, const GemmKernel& kernel, Stack stack) {
  const GemmConstants& fit = constants.gemm;
  const bool dynamic = stack == Stack::cuda_graph_vllm;
  const double rows = static_cast<double>(kernel.batch * kernel.m), sms = static_cast<double>(device.sms);
  const double cells = rows * static_cast<double>(kernel.k);
  const double moved = cells * (dynamic ? 5 : 3);  // 16-bit in, 8-bit out
  const double memory = stream_time(device, constants.vector, moved, moved).seconds;
  const double blocks =
      std::max(1.0, rows / sms) *
      ((dynamic ? fit.quantise_row_cycles : 0) + static_cast<double>(kernel.k) * fit.quantise_cycles) /
      device.boost.value;
  double seconds = 1e-6 * fit.scale_us + std::sqrt(std::sqrt(fourth(memory) + fourth(blocks)));
  if (dynamic && kernel.m > fused_scale_rows) {
    // fp32 results are read and written in their place, then read and rounded to 16 bits
    const double results = rows * static_cast<double>(kernel.n);
    seconds += 2e-6 * fit.scale_us + stream_time(device, constants.vector, 14 * results, 4 * results).seconds;
  }
  return seconds;
}

}  // namespace

bool has_aligned_rows(const GemmKernel& kernel) {
  const ElementBytes bytes = element_bytes(kernel.precision);
  const auto fits = [](std::int64_t length, double size) {
    return std::fmod(static_cast<double>(length) * size, 16.0) == 0;
  };
  // cuBLAS letters are column-major: T in front = the weight is stored n x k, N behind = the activation is stored m x k
  return fits(kernel.a_transposed ? kernel.k : kernel.n, bytes.weight) &&
         fits(kernel.b_transposed ? kernel.m : kernel.k, bytes.activation);
}

KernelTime gemm_time(const GpuDevice& device, const GpuConstants& constants, const GemmKernel& kernel,
                     const Timing& timing) {
  const StackProfile& stack = stack_profile(timing.stack);
  const MathPeak peak = math_peak(device, kernel.precision, stack.legacy_library);
  const bool tensor = peak.unit == MathUnit::tensor;
  const GemmUnitConstants& fit = tensor                        ? constants.gemm.tensor
                                 : peak.unit == MathUnit::dp4a ? constants.gemm.dp4a
                                 : stack.legacy_library        ? constants.gemm.cuda_legacy
                                                               : constants.gemm.cuda;
  const ElementBytes bytes = element_bytes(kernel.precision);
  const double sms = static_cast<double>(device.sms);
  const double m = static_cast<double>(kernel.m), n = static_cast<double>(kernel.n), k = static_cast<double>(kernel.k),
               batch = static_cast<double>(kernel.batch);
  const double operations = 2 * batch * m * n * k;

  // Cache: half of a working set of l2_reach x L2 misses; weights that rotate count with all their copies.
  const double a_bytes = batch * m * k * bytes.activation / kernel.activation_reuse,
               b_bytes = batch * n * k * bytes.weight / kernel.weight_reuse,
               c_bytes = batch * m * n * bytes.result / kernel.result_reuse;
  const double reach = fit.l2_reach * device.l2_size.value;
  const auto miss = [&](double working_set) {
    const double ratio = reach / working_set;
    return 1 / (1 + ratio * ratio * ratio);
  };
  const double once = (a_bytes + c_bytes) * miss(a_bytes + b_bytes + c_bytes) +
                      b_bytes * miss(a_bytes + stack.weight_copies * b_bytes + c_bytes);
  const double wave_ratio = constants.gemm.wave_reach * device.l2_size.value / ((a_bytes + b_bytes) / batch);
  const double again = 1 / (1 + fourth(wave_ratio));  // share of the reads of later waves that the L2 no longer has
  const double dram_rate = device.dram_bandwidth.value * fit.dram_share * device.trim.dram;
  const bool aligned = has_aligned_rows(kernel);
  // Before Volta a misaligned row of a tile's k-slice (32 bytes) touches two sectors instead of one.
  const bool pascal = device.compute_capability < 7;
  const double drift_most =
      kernel.menu != KernelMenu::product
          ? 0
          : (pascal ? constants.gemm.drift_pascal : constants.gemm.drift_volta) * (pascal && !aligned ? 2 : 1);

  // The shared memory of an SM delivers 128 bytes a cycle whether 64 or 128 CUDA cores ask (CUDA C++ Programming Guide, compute capabilities).
  const double operand = fit.operand * (tensor ? 1 : static_cast<double>(device.cuda_cores_per_sm) / 64);
  // Start and end of a block take the time of as many steps of 16-bit operands, also where 8-bit ones run at twice the rate.
  const double start_k = fit.start_k * (tensor ? 2 / bytes.activation : 1);
  const double rate = peak.peak * (tensor ? device.trim.tensor : device.trim.cuda) * fit.efficiency / sms;
  const double l2_rate = l2_bytes_per_sm_cycle(device) * sms * device.boost.value;
  const bool quantised = kernel.precision == GpuPrecision::fp8 && kernel.quantises;
  const double quantise = quantised ? quantise_seconds(device, constants, kernel, timing.stack) : 0;
  // TensorRT-LLM's int8 products do not split sums, and stream the weights for few rows.
  const bool smooth_quant =
      timing.stack == Stack::cuda_graph_tensorrt_llm && kernel.precision == GpuPrecision::int8 && tensor;
  // cuBLAS streams the weights of a few rows through its gemv and gemmSN kernels (fp32, CUDA 12 and 13).
  const bool narrow = peak.unit == MathUnit::cuda && !stack.legacy_library && kernel.menu == KernelMenu::product &&
                      kernel.m <= (kernel.strided_batch ? 1 : streamed_rows);
  const bool streamed = narrow || (smooth_quant && kernel.m <= streamed_rows);
  const bool splits = !quantised && !smooth_quant && peak.unit != MathUnit::dp4a &&
                      (kernel.menu == KernelMenu::product || kernel.menu == KernelMenu::implicit_split || tensor);
  // Tensor-core kernels from CUDA 11 on: blocks in swizzled order, split sums that fill waves.
  const bool swizzled = tensor && !stack.legacy_library;
  const bool hopper = swizzled && device.compute_capability >= 9 && device.compute_capability < 10;
  const bool many_parts =
      kernel.menu == KernelMenu::implicit_split || has_few_rows(device, kernel, stack.legacy_library);
  const double most_blocks = (!tensor && many_parts ? many_blocks_per_sm : split_blocks_per_sm) * sms;
  KernelTime best;
  double best_norm = std::numeric_limits<double>::infinity();
  double dram_bytes = once, l2_bytes = 0, staged_bytes = 0, tile_operations = operations;
  const double alignment = aligned || kernel.menu != KernelMenu::product ? 1 : fit.unaligned;
  const std::span<const BlockTile> menu = streamed ? std::span<const BlockTile>(streaming_tiles)
                                          : tensor
                                              ? tensor_menu(device, stack.legacy_library)
                                              : cuda_menu(device, kernel, aligned, stack.legacy_library, peak.unit);
  for (const BlockTile& tile : menu) {
    const double tile_m = static_cast<double>(tile.m), tile_n = static_cast<double>(tile.n);
    const double delivery = 1 / (1 + operand * (32 / tile_m + 32 / tile_n));
    const double tiles_m = ceil_ratio(kernel.m, tile.m), tiles_n = ceil_ratio(kernel.n, tile.n);
    const double tiles = tiles_m * tiles_n * batch;
    const double resident_most = std::max(1.0, std::floor(device.registers_per_sm.value / (8 * tile_m * tile_n)));
    for (const std::int64_t split : split_menu(tiles, sms, swizzled)) {
      if (split < 1 ||
          (split > 1 && (!splits || tiles * static_cast<double>(split) > most_blocks || 64 * split > kernel.k)))
        continue;
      const double blocks = tiles * static_cast<double>(split);
      const double turns = std::ceil(blocks / sms);
      // What hides latency: warps on CUDA cores, results in flight on tensor cores (their warps own 64 x 64 each).
      const double warps =
          (tensor ? tile_m * tile_n / 4096 : static_cast<double>(tile.warps)) * std::min(turns, resident_most) / 4;
      const double hiding = warps / (warps + fit.warp_half);
      const double tile_seconds = turns * 2 * tile_m * tile_n * (ceil_ratio(kernel.k, split) + start_k) /
                                  (rate * delivery * hiding * alignment);
      // Never above the peak: the factors were fitted, the roof was not.
      const double compute = std::max(operations / peak.peak, streamed ? 0 : tile_seconds);
      // Partial sums are added up by the last block (CUDA cores) or after all blocks (tensor cores), like the results that leave the registers.
      const double sums = split > 1 ? 8 * static_cast<double>(split) * m * n * batch / l2_rate : 0;
      const double results = constants.gemm.epilogue * c_bytes * kernel.result_reuse / l2_rate;
      const double l2 = tiles * k * (tile_m * bytes.activation + tile_n * bytes.weight) / l2_rate + (tensor ? 0 : sums);
      if (fourth(compute) + fourth(l2) >= best_norm) continue;  // DRAM and start-up only add
      // The wave's blocks: along the columns, or close to a square.
      const double in_flight = std::min(tiles, sms * std::min(turns, resident_most));
      const double wide = std::min(tiles_n, swizzled ? std::sqrt(in_flight * tile_m / tile_n) : in_flight);
      const double lines = std::clamp(in_flight / wide, 1.0, tiles_m);
      const double columns = swizzled ? std::min(tiles_n, in_flight / lines) : wide;
      const double operands_once = a_bytes + b_bytes;
      const double by_wave = std::max(operands_once, tiles / in_flight * k *
                                                         (lines * tile_m * bytes.activation / kernel.activation_reuse +
                                                          columns * tile_n * bytes.weight / kernel.weight_reuse));
      const double by_tile = std::max(by_wave, tiles * k * (tile_m * bytes.activation + tile_n * bytes.weight));
      // Blocks of a wave drift apart along k until the L2 no longer holds what they share: it holds `window` steps of all their rows.
      const double window =
          device.l2_size.value / (lines * tile_m * bytes.activation + columns * tile_n * bytes.weight);
      const double drift = drift_most * k / (k + constants.gemm.drift_windows * window);
      const double traffic = once + again * ((by_wave - operands_once) + drift * (by_tile - by_wave));
      const double dram = traffic / dram_rate;
      // Hopper's kernels stay on their SM and write a tile's results while the next one is multiplied: those of the last turn are left.
      const double left = hopper ? results / turns : results;
      const double fixed = quantise + (tensor ? left + sums : 0) + (split > 1 ? 1e-6 * fit.split_us : 0);
      const double norm = fourth(std::sqrt(std::sqrt(fourth(compute) + fourth(l2) + fourth(dram))) + fixed);
      if (norm >= best_norm) continue;
      best_norm = norm;
      best.compute = Seconds{compute};
      best.l2 = Seconds{l2};
      best.dram = Seconds{dram};
      dram_bytes = traffic;
      staged_bytes = tiles * k * (tile_m * bytes.activation + tile_n * bytes.weight);
      l2_bytes = staged_bytes + sums * l2_rate + c_bytes;
      tile_operations = streamed ? operations : 2 * tiles * tile_m * tile_n * k;
      best.fixed = Seconds{fixed};
      best.tile_m = tile.m;
      best.tile_n = tile.n;
      best.split = split;
      best.tiles = static_cast<std::int64_t>(tiles);
      best.resident = static_cast<std::int64_t>(resident_most);
      best.waves = blocks / sms;
    }
  }
  const double dram = best.dram.value;
  const double clocked4 = fourth(best.compute.value) + fourth(best.l2.value);
  const double useful = operations * kernel.useful;
  const PowerWork work{useful,   dram_bytes,  peak.unit, bytes.activation, std::max(0.0, tile_operations - useful),
                       l2_bytes, staged_bytes};
  double clock = 1;
  if (device.tdp.value > 0) clock = allowed_clock(device, constants.power, work, std::sqrt(std::sqrt(clocked4)), dram);
  best.clock = clock;
  best.compute = best.compute / clock;
  best.l2 = best.l2 / clock;
  best.launch = timing.floor;
  best.l2_hit = 1 - once / (a_bytes + b_bytes + c_bytes);
  const double busy = std::sqrt(std::sqrt(clocked4 / fourth(clock) + fourth(dram))) + best.fixed.value;
  best.total = timing.floor + Seconds{busy};
  best.work = work;
  if (device.tdp.value > 0)
    best.clock_power_w = std::min(device.limit().value, clock_power(device, constants.power, work, clock, busy));
  return best;
}

}  // namespace tilewright
