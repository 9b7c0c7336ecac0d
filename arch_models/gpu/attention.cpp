#include "arch_models/gpu/attention.hpp"

#include <algorithm>
#include <cmath>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t key_tile = 128;
constexpr std::int64_t most_splits = 128;

double cube(double x) { return x * x * x; }
double join(double a, double b) { return std::cbrt(cube(a) + cube(b)); }
double number(std::int64_t value) { return static_cast<double>(value); }
/// Device, constants and traffic of one call.
struct Call {
  const GpuDevice& device;
  const GpuConstants& constants;
  const AttentionKernel& kernel;
  double kv_bytes, qo_bytes;
  bool ahead;  // loads run ahead of arithmetic

  double sms() const { return number(device.sms); }
  StreamTime move(double bytes, double working_set) const {
    VectorConstants fit = constants.vector;
    fit.l2_reach = constants.attention.l2_reach;
    return stream_time(device, fit, bytes, working_set);
  }
};

/// What a phase adds to the floor.
struct Phase {
  double seconds = 0, blocks_seconds = 0, memory_seconds = 0, dram_bytes = 0, operations = 0;
  double l2_bytes = 0, staged_bytes = 0;
  std::int64_t blocks = 0, split = 1, tile_m = 1;
};

/// Decode: one block per sequence, key head and split walks its keys in steps. Without loads ahead every step pays the latency of its loads.
Phase decode(const Call& call) {
  const AttentionKernel& k = call.kernel;
  const AttentionConstants& fit = call.constants.attention;
  Phase phase;
  const std::int64_t steps = ceil_div(k.keys, key_tile), pairs = k.batch * k.kv_heads;
  const bool grouped = k.heads > k.kv_heads;
  if ((grouped || call.ahead) && number(pairs) < 0.8 * call.sms())
    phase.split = std::clamp<std::int64_t>(call.device.sms / pairs, 1, std::min(steps, most_splits));
  phase.blocks = pairs * phase.split;
  const double turns = std::max(1.0, number(phase.blocks) / call.sms());
  const double chain = 1e-6 * (call.ahead ? fit.flashinfer_chain_us : fit.flash_chain_us);
  const double step = call.ahead ? 0 : 1e-6 * fit.tile_us + fit.tile_cycles / call.device.boost.value;
  phase.blocks_seconds = turns * (chain + number(ceil_div(steps, phase.split)) * step);
  const StreamTime memory = call.move(call.kv_bytes + call.qo_bytes, call.kv_bytes + call.qo_bytes);
  phase.memory_seconds = memory.seconds;
  phase.dram_bytes = memory.dram_bytes;
  phase.staged_bytes = call.kv_bytes;
  phase.l2_bytes = call.kv_bytes + call.qo_bytes;
  phase.seconds = join(phase.blocks_seconds, phase.memory_seconds);
  if (phase.split > 1) phase.seconds += 1e-6 * (fit.combine_us + fit.combine_split_us * number(phase.split));
  // Grouped queries become rows of one tile; with several sequences and key heads that reordering copies queries and results.
  if (!call.ahead && grouped && k.kv_heads > 1 && k.batch > 1)
    phase.seconds += 2 * (1e-6 * fit.copy_us + call.move(call.qo_bytes, call.qo_bytes).seconds);
  phase.operations = 4 * number(k.batch) * number(k.heads) * number(k.head_dim) * number(k.keys);
  return phase;
}

/// Prefill: query tiles x heads x sequences; a causal tile walks only the keys up to its own end. The cache is written first.
Phase prefill(const Call& call, double peak) {
  const AttentionKernel& k = call.kernel;
  const AttentionConstants& fit = call.constants.attention;
  Phase phase;
  phase.tile_m = call.ahead ? 128 : 64;
  const double efficiency = call.ahead ? fit.flashinfer_efficiency : fit.flash_efficiency;
  const double block = (call.ahead ? fit.flashinfer_block_cycles : fit.flash_block_cycles) / call.device.boost.value;
  const std::int64_t query_tiles = ceil_div(k.queries, phase.tile_m), key_tiles = ceil_div(k.keys, key_tile);
  std::int64_t steps = query_tiles * key_tiles;
  if (k.causal && k.queries == k.keys) {  // sum over i of ceil(i tile_m / key_tile)
    const std::int64_t per_key_tile = key_tile / phase.tile_m, whole = query_tiles / per_key_tile,
                       rest = query_tiles % per_key_tile;
    steps = per_key_tile * whole * (whole + 1) / 2 + rest * (whole + 1);
  }
  phase.blocks = k.batch * k.heads * query_tiles;
  const double tile_operations = 4 * number(phase.tile_m) * number(key_tile) * number(k.head_dim);
  const double step = tile_operations / (peak / call.sms() * efficiency);
  const double shared =
      (number(k.batch) * number(k.heads) * number(steps) * step + number(phase.blocks) * block) / call.sms();
  const double longest = number(key_tiles) * step * fit.lone_tile + block;
  phase.blocks_seconds = std::sqrt(std::sqrt(cube(shared) * shared + cube(longest) * longest));
  const double io = call.kv_bytes + call.qo_bytes;
  const StreamTime memory = call.move(io, io + call.kv_bytes);

  phase.operations = number(k.batch) * number(k.heads) * number(steps) * tile_operations;
  // Each step reads a tile of keys and one of values.
  phase.staged_bytes = phase.operations / number(phase.tile_m) * element_bytes(k.precision).activation / 2;
  phase.l2_bytes = call.qo_bytes + phase.staged_bytes;
  phase.memory_seconds = memory.seconds;
  phase.dram_bytes = memory.dram_bytes;
  phase.seconds = join(phase.blocks_seconds, phase.memory_seconds);
  if (k.library == AttentionLibrary::cudnn) return phase;  // keys and values lie where they were computed

  const StreamTime cache = call.move(2 * call.kv_bytes, io + 2 * call.kv_bytes);
  const std::int64_t cache_threads = std::min<std::int64_t>(512, k.kv_heads * k.head_dim);
  const double cache_slots =
      call.sms() * number(std::max<std::int64_t>(1, threads_per_sm(call.device) / cache_threads));
  const double cache_wait =
      k.library == AttentionLibrary::flash_attention_2_v014 ? fit.cache_write_v014_us : fit.cache_write_us;
  const double cache_blocks = 1e-6 * cache_wait * number(k.batch * k.queries) / cache_slots;
  phase.dram_bytes += cache.dram_bytes;
  phase.l2_bytes += 2 * call.kv_bytes;
  phase.seconds += std::hypot(cache.seconds, cache_blocks);
  return phase;
}

}  // namespace

KernelTime attention_time(const GpuDevice& device, const GpuConstants& constants, const AttentionKernel& kernel,
                          const Timing& timing) {
  const ElementBytes element = element_bytes(kernel.precision);
  const double row = number(kernel.batch) * number(kernel.head_dim);
  const Call call{device,
                  constants,
                  kernel,
                  2 * row * number(kernel.keys) * number(kernel.kv_heads) * element.activation,
                  row * number(kernel.queries) * number(kernel.heads) * (element.activation + element.result),
                  kernel.library == AttentionLibrary::flashinfer || kernel.library == AttentionLibrary::cudnn};
  const MathPeak peak = math_peak(device, kernel.precision, false);
  const bool decoding = kernel.queries == 1;
  const Phase phase = decoding ? decode(call) : prefill(call, peak.peak);

  KernelTime time;
  time.algorithm = decoding ? "attention decode" : "attention prefill";
  time.launch = timing.floor;
  time.compute = Seconds{phase.blocks_seconds};
  time.dram = Seconds{phase.memory_seconds};
  time.fixed = Seconds{std::max(0.0, phase.seconds - join(phase.blocks_seconds, phase.memory_seconds))};
  time.tile_m = phase.tile_m;
  time.tile_n = key_tile;
  time.split = phase.split;
  time.tiles = phase.blocks / phase.split;
  time.waves = number(phase.blocks) / number(device.sms);
  time.l2_hit = std::max(0.0, 1 - phase.dram_bytes / (call.kv_bytes + call.qo_bytes));
  time.total = timing.floor + Seconds{phase.seconds};
  time.work = {phase.operations, phase.dram_bytes,  peak.unit, element.activation, 0,
               phase.l2_bytes,   phase.staged_bytes};
  return time;
}

}  // namespace tilewright
