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
constexpr std::array volta_menu{t128x128, t64x128, t128x64, t128x32, t32x128, t32x64, t32x32};
constexpr std::array volta_batched{t64x64, t128x32, t32x128};
constexpr std::array turing_menu{t128x128, t64x128, t128x64, t64x64, t128x32, t32x128, t32x32};
constexpr std::array turing_batched{t64x128, t64x64, t32x128, t128x32};
constexpr std::array pascal_menu{t128x32, t64x64, t32x128};
constexpr std::array pascal_vector_menu{t128x128};  // 6.1: 16-byte loads
constexpr std::array pascal_batched{t64x128};
constexpr std::array legacy_menu{t128x128, t128x64, t64x128, t64x64, t128x32, t32x128, t64x32, t32x64, t32x32};
constexpr std::array implicit_menu{t128x128, t128x64, t128x32, t64x64, t32x128};
constexpr std::array transformed_menu{t128x128, t128x64, t128x32};
constexpr std::array fused_menu{BlockTile{32, 64, 8}};
constexpr std::array tensor_tiles{BlockTile{256, 128, 8}, BlockTile{128, 256, 8}, BlockTile{128, 128, 4},
                                  BlockTile{256, 64, 4},  BlockTile{64, 256, 4},  BlockTile{128, 64, 4},
                                  BlockTile{64, 128, 4},  BlockTile{64, 64, 4},   BlockTile{32, 128, 4},
                                  BlockTile{128, 32, 4},  BlockTile{32, 64, 4},   BlockTile{16, 128, 4}};

/// The fp32 kernels that cuBLAS of CUDA 12 was seen to choose from, by generation; older libraries offered all shapes everywhere.
std::span<const BlockTile> cuda_menu(const GpuDevice& device, const GemmKernel& kernel, bool aligned, bool legacy) {
  const bool batched = kernel.strided_batch;
  switch (kernel.menu) {
    case KernelMenu::implicit: return implicit_menu;
    case KernelMenu::implicit_split: return legacy_menu;
    case KernelMenu::transformed: return transformed_menu;
    case KernelMenu::fused_winograd: return fused_menu;
    case KernelMenu::product: break;
  }
  if (legacy) return legacy_menu;
  if (device.compute_capability >= 8.9) return batched ? std::span<const BlockTile>(ampere_batched) : ada_menu;
  if (device.compute_capability >= 8) return batched ? std::span<const BlockTile>(ampere_batched) : ampere_menu;
  if (device.compute_capability >= 7.5) return batched ? std::span<const BlockTile>(turing_batched) : turing_menu;
  if (device.compute_capability >= 7) return batched ? std::span<const BlockTile>(volta_batched) : volta_menu;
  if (batched) return pascal_batched;
  return device.compute_capability > 6 && aligned ? std::span<const BlockTile>(pascal_vector_menu) : pascal_menu;
}

/// True when 16-byte loads fit the rows of both operands.
bool is_aligned(const GemmKernel& kernel, const ElementBytes& bytes) {
  const auto fits = [](std::int64_t length, double size) {
    return std::fmod(static_cast<double>(length) * size, 16.0) == 0;
  };
  // cuBLAS letters are column-major: T in front = the weight is stored n x k, N behind = the activation is stored m x k
  return fits(kernel.a_transposed ? kernel.k : kernel.n, bytes.weight) &&
         fits(kernel.b_transposed ? kernel.m : kernel.k, bytes.activation);
}

constexpr std::array<std::int64_t, 8> split_menu{1, 2, 4, 8, 16, 32, 64, 128};

double ceil_ratio(std::int64_t a, std::int64_t b) { return static_cast<double>((a + b - 1) / b); }
double fourth(double x) { return x * x * x * x; }

}  // namespace

KernelTime gemm_time(const GpuDevice& device, const GpuConstants& constants, const GemmKernel& kernel,
                     const Timing& timing) {
  const StackProfile& stack = stack_profile(timing.stack);
  const MathPeak peak = math_peak(device, kernel.precision, stack.legacy_library);
  const bool tensor = peak.unit == MathUnit::tensor;
  const GemmUnitConstants& fit = tensor                 ? constants.gemm.tensor
                                 : stack.legacy_library ? constants.gemm.cuda_legacy
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
  const bool aligned = is_aligned(kernel, bytes);
  // Before Volta a misaligned row of a tile's k-slice (32 bytes) touches two sectors instead of one.
  const bool pascal = device.compute_capability < 7;
  const double drift_most =
      kernel.menu != KernelMenu::product
          ? 0
          : (pascal ? constants.gemm.drift_pascal : constants.gemm.drift_volta) * (pascal && !aligned ? 2 : 1);

  const double rate = peak.peak * (tensor ? device.trim.tensor : device.trim.cuda) * fit.efficiency / sms;
  const double l2_rate = constants.gemm.l2_share * l2_bytes_per_sm_cycle(device) * sms * device.boost.value;
  // fp8 layers first quantise their activations: a kernel of its own with one block per row.
  const bool quantised = kernel.precision == GpuPrecision::fp8;
  double quantise = 0;
  if (quantised) {
    const double moved = batch * m * k * 3;  // 16-bit in, 8-bit out
    quantise = 1e-6 * constants.gemm.quantise_us + moved * miss(moved) / dram_rate +
               std::max(1.0, batch * m / sms) * k * constants.gemm.quantise_cycles / device.boost.value;
  }
  const bool splits =
      !quantised && (kernel.menu == KernelMenu::product || kernel.menu == KernelMenu::implicit_split || tensor);
  KernelTime best;
  double best_norm = std::numeric_limits<double>::infinity();
  double dram_bytes = once;
  const double alignment = aligned || kernel.menu != KernelMenu::product ? 1 : fit.unaligned;
  const std::span<const BlockTile> menu =
      tensor ? std::span<const BlockTile>(tensor_tiles) : cuda_menu(device, kernel, aligned, stack.legacy_library);
  for (const BlockTile& tile : menu) {
    const double tile_m = static_cast<double>(tile.m), tile_n = static_cast<double>(tile.n);
    const double delivery = 1 / (1 + fit.operand * (32 / tile_m + 32 / tile_n));
    const double tiles_m = ceil_ratio(kernel.m, tile.m), tiles_n = ceil_ratio(kernel.n, tile.n);
    const double tiles = tiles_m * tiles_n * batch;
    const double resident_most = std::max(1.0, std::floor(device.registers_per_sm.value / (8 * tile_m * tile_n)));
    for (const std::int64_t split : split_menu) {
      if (split > 1 && (!splits || tiles * static_cast<double>(split) > 2 * sms || 64 * split > kernel.k)) break;
      const double blocks = tiles * static_cast<double>(split);
      const double turns = std::ceil(blocks / sms);
      const double warps = static_cast<double>(tile.warps) * std::min(turns, resident_most) / 4;
      const double hiding = warps / (warps + fit.warp_half);
      // Never above the peak: the factors were fitted, the roof was not.
      const double compute =
          std::max(operations / peak.peak, turns * 2 * tile_m * tile_n * (ceil_ratio(kernel.k, split) + fit.start_k) /
                                               (rate * delivery * hiding * alignment));
      const double l2_bytes = tiles * k * (tile_m * bytes.activation + tile_n * bytes.weight) +
                              (split > 1 ? 8 * static_cast<double>(split) * m * n * batch : 0);
      const double l2 = l2_bytes / l2_rate;
      const double in_flight = std::min(tiles, sms * std::min(turns, resident_most));
      const double columns = std::min(tiles_n, in_flight), lines = std::clamp(in_flight / columns, 1.0, tiles_m);
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
      const double fixed = quantise + (split > 1 ? 1e-6 * fit.split_us : 0);
      const double norm = fourth(std::sqrt(std::sqrt(fourth(compute) + fourth(l2) + fourth(dram))) + fixed);
      if (norm >= best_norm) continue;
      best_norm = norm;
      best.compute = Seconds{compute};
      best.l2 = Seconds{l2};
      best.dram = Seconds{dram};
      dram_bytes = traffic;
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
  const PowerWork work{operations, dram_bytes, peak.unit, bytes.activation < 2 ? 0.5 : 1.0};
  double clock = 1;
  if (device.tdp.value > 0) clock = allowed_clock(device, constants.power, work, std::sqrt(std::sqrt(clocked4)), dram);
  best.clock = clock;
  best.compute = best.compute / clock;
  best.l2 = best.l2 / clock;
  best.launch = timing.floor;
  best.l2_hit = 1 - once / (a_bytes + b_bytes + c_bytes);
  const double busy = std::sqrt(std::sqrt(clocked4 / fourth(clock) + fourth(dram))) + best.fixed.value;
  best.total = timing.floor + Seconds{busy};
  best.power_w =
      device.tdp.value > 0 ? std::min(device.tdp.value, board_power(device, constants.power, work, clock, busy)) : 0;
  return best;
}

}  // namespace tilewright
