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

// Tiles as the kernels of the libraries are named (cuBLAS sgemm, CUTLASS); 32 accumulators x 2 per thread, small tiles split k over 4 warps.
constexpr std::array cuda_tiles{BlockTile{256, 128, 8}, BlockTile{128, 128, 8}, BlockTile{128, 64, 4}, BlockTile{64, 128, 4},
                                BlockTile{64, 64, 2},   BlockTile{128, 32, 2},  BlockTile{32, 128, 2}, BlockTile{64, 32, 4},
                                BlockTile{32, 64, 4},   BlockTile{32, 32, 4}};
constexpr std::array tensor_tiles{BlockTile{256, 128, 8}, BlockTile{128, 256, 8}, BlockTile{128, 128, 4}, BlockTile{256, 64, 4},
                                  BlockTile{64, 256, 4},  BlockTile{128, 64, 4},  BlockTile{64, 128, 4}, BlockTile{64, 64, 4},
                                  BlockTile{32, 128, 4},  BlockTile{128, 32, 4}, BlockTile{32, 64, 4}, BlockTile{16, 128, 4}};
constexpr std::array<std::int64_t, 6> split_menu{1, 2, 4, 8, 16, 32};

double ceil_ratio(std::int64_t a, std::int64_t b) { return static_cast<double>((a + b - 1) / b); }
double fourth(double x) { return x * x * x * x; }

}  // namespace

KernelTime gemm_time(const GpuDevice& device, const GpuConstants& constants, const GemmKernel& kernel, const Timing& timing) {
  const StackProfile& stack = stack_profile(timing.stack);
  const MathPeak peak = math_peak(device, kernel.precision, stack.legacy_library);
  const bool tensor = peak.unit == MathUnit::tensor;
  const GemmUnitConstants& fit = tensor ? constants.gemm.tensor : constants.gemm.cuda;
  const ElementBytes bytes = element_bytes(kernel.precision);
  const double sms = static_cast<double>(device.sms);
  const double m = static_cast<double>(kernel.m), n = static_cast<double>(kernel.n), k = static_cast<double>(kernel.k),
               batch = static_cast<double>(kernel.batch);
  const double operations = 2 * batch * m * n * k;

  // Cache: half of a working set of l2_reach x L2 misses; weights that rotate count with all their copies.
  const double a_bytes = batch * m * k * bytes.activation, b_bytes = batch * n * k * bytes.weight,
               c_bytes = batch * m * n * bytes.result;
  const double reach = constants.gemm.l2_reach * device.l2_size.value;
  const auto miss = [&](double working_set) {
    const double ratio = reach / working_set;
    return 1 / (1 + ratio * ratio * ratio);
  };
  const double dram_bytes =
      (a_bytes + c_bytes) * miss(a_bytes + b_bytes + c_bytes) + b_bytes * miss(a_bytes + stack.weight_copies * b_bytes + c_bytes);
  const double dram = dram_bytes / (device.dram_bandwidth.value * fit.dram_share * device.trim.dram);

  const double rate = peak.peak * (tensor ? device.trim.tensor : device.trim.cuda) * fit.efficiency / sms;
  const double l2_rate = constants.gemm.l2_bytes_per_cycle * sms * device.boost.value;
  KernelTime best;
  double best_norm = std::numeric_limits<double>::infinity();
  const std::span<const BlockTile> menu = tensor ? std::span<const BlockTile>(tensor_tiles) : std::span<const BlockTile>(cuda_tiles);
  for (const BlockTile& tile : menu) {
    const double tile_m = static_cast<double>(tile.m), tile_n = static_cast<double>(tile.n);
    const double delivery = 1 / (1 + fit.operand * (32 / tile_m + 32 / tile_n));
    const double tiles_m = ceil_ratio(kernel.m, tile.m), tiles_n = ceil_ratio(kernel.n, tile.n);
    const double tiles = tiles_m * tiles_n * batch;
    const double resident_most = std::max(1.0, std::floor(device.registers_per_sm.value / (8 * tile_m * tile_n)));
    for (const std::int64_t split : split_menu) {
      if (split > 1 && (tiles * static_cast<double>(split) > 2 * sms || 64 * split > kernel.k)) break;
      const double blocks = tiles * static_cast<double>(split);
      const double turns = std::ceil(blocks / sms);
      const double warps = static_cast<double>(tile.warps) * std::min(turns, resident_most) / 4;
      const double hiding = warps / (warps + fit.warp_half);
      const double compute =
          turns * 2 * tile_m * tile_n * (ceil_ratio(kernel.k, split) + fit.start_k) / (rate * delivery * hiding);
      const double l2_bytes = tiles * k * (tile_m * bytes.activation + tile_n * bytes.weight) +
                              (split > 1 ? 8 * static_cast<double>(split) * m * n * batch : 0);
      const double l2 = l2_bytes / l2_rate;
      const double fixed = split > 1 ? 1e-6 * fit.split_us : 0;
      const double norm = fourth(std::sqrt(std::sqrt(fourth(compute) + fourth(l2) + fourth(dram))) + fixed);
      if (norm >= best_norm) continue;
      best_norm = norm;
      best.compute = Seconds{compute};
      best.l2 = Seconds{l2};
      best.fixed = Seconds{fixed};
      best.tile_m = tile.m;
      best.tile_n = tile.n;
      best.split = split;
      best.tiles = static_cast<std::int64_t>(tiles);
      best.resident = static_cast<std::int64_t>(resident_most);
      best.waves = blocks / sms;
    }
  }
  const double clocked4 = fourth(best.compute.value) + fourth(best.l2.value);
  const PowerWork work{operations, dram_bytes, peak.unit, bytes.activation < 2 ? 0.5 : 1.0};
  const double boost_time = std::sqrt(std::sqrt(clocked4 + fourth(dram)));
  double clock = 1;
  if (device.tdp.value > 0) clock = allowed_clock(device, constants.power, work, std::sqrt(std::sqrt(clocked4)), dram);
  if (stack.short_burst) {  // the limit acts on an average over some milliseconds
    const double burst = 1e-3 * constants.power.burst_ms;
    clock = 1 - (1 - clock) * boost_time / (boost_time + burst);
  }
  best.clock = clock;
  best.compute = best.compute / clock;
  best.l2 = best.l2 / clock;
  best.dram = Seconds{dram};
  best.launch = timing.floor;
  best.l2_hit = 1 - dram_bytes / (a_bytes + b_bytes + c_bytes);
  const double busy = std::sqrt(std::sqrt(clocked4 / fourth(clock) + fourth(dram))) + best.fixed.value;
  best.total = timing.floor + Seconds{busy};
  best.power_w = device.tdp.value > 0 ? std::min(device.tdp.value, board_power(device, constants.power, work, clock, busy)) : 0;
  return best;
}

}  // namespace tilewright
