#include "arch_models/gpu/vector.hpp"

#include <algorithm>
#include <cmath>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

constexpr double row_exponent = 3.5;            // steepness of the change from hits to misses
constexpr std::int64_t norm_threads = 128;      // block of PyTorch's vectorised layer norm
constexpr std::int64_t norm_width = 4;          // elements of its vector loads, whatever the number format
constexpr std::int64_t softmax_registers = 40;  // of a thread: partial sums of a vector load
constexpr std::int64_t load_bytes = 16;         // one vector load of a thread
// Row kernels of PyTorch 2.1 (the eager tables) and of 2.11, whose launches and registers a profiler showed.
struct RowKernels {
  std::int64_t warp_columns;  // longest row that softmax keeps in the registers of a warp
  std::int64_t
      block_columns;  // longest row that it keeps in the registers of a block of 1024 threads, nine values each; 0: it has no such kernel
  std::int64_t norm_registers, norm_registers_16;  // of a thread of layer norm; the same for 16-bit formats
};
constexpr RowKernels early_rows{1024, 0, 56, 56};  // 56: moments of a vector load, its scales and shifts (assumption)
constexpr RowKernels later_rows{2048, 9 * 1024, 39, 32};
constexpr std::int64_t block_softmax_threads = 1024, softmax_block_registers = 30;
// Dependent instructions follow each other after 6 cycles up to Pascal and 4 from Volta on (Jia et al., 2018, arXiv 1804.06826).
constexpr double pascal_latency = 6.0 / 4;

constexpr std::int64_t channel_threads =
    512;  // block of a channel (batch_norm_collect_statistics_kernel, bn_fw_tr_1C11)
constexpr std::int64_t channel_held =
    20 * channel_threads;  // elements that bn_fw_tr_1C11_singleread keeps in registers
// GP102 and its like: data sheets give 16-bit arithmetic 1/64 of the fp32 rate, of two lanes that count two operations each.
constexpr double half_slots = 1.0 / 64 / 4;

double cube(double x) { return x * x * x; }
double join(double a, double b) { return std::cbrt(cube(a) + cube(b)); }
/// Block of PyTorch's softmax: the smallest power of two that covers half of the row's vector loads, one warp to 512 threads.
std::int64_t softmax_threads(std::int64_t loads) {
  const std::int64_t most = std::min<std::int64_t>(loads, 1024);
  std::int64_t threads = 1;
  while (2 * threads < most) threads *= 2;
  return std::max<std::int64_t>(threads, 32);
}

bool by_channel(VectorOp op) {
  return op == VectorOp::channel_moments || op == VectorOp::channel_sum || op == VectorOp::channel_norm;
}
bool pools(VectorOp op) { return op == VectorOp::avg_pool || op == VectorOp::max_pool; }

/// How a row-wise kernel walks its rows.
struct RowWalk {
  double passes = 1;           // reads of each row
  std::int64_t threads = 128;  // of the block that owns a row
  std::int64_t registers = softmax_registers;
  double reach = 0.6, before = 0.7;
  double block_seconds = 0;  // dependent loads and barriers of one row from Volta on; 0: hidden
};

RowWalk walk(const VectorKernel& kernel, const VectorConstants& constants, const RowKernels& kernels) {
  const auto element = static_cast<std::int64_t>(element_bytes(kernel.precision).activation);
  const std::int64_t width = load_bytes / element;  // elements of one load
  RowWalk rows;
  rows.before = kernel.op == VectorOp::softmax     ? constants.softmax_before
                : kernel.op == VectorOp::layernorm ? constants.norm_before
                                                   : constants.map_before;
  if (kernel.op == VectorOp::softmax && kernel.cols > kernels.warp_columns && kernel.cols <= kernels.block_columns) {
    rows.threads = block_softmax_threads;
    rows.registers = softmax_block_registers;
    rows.block_seconds =
        1e-6 * (constants.softmax_row_us + constants.softmax_step_us);  // all loads are on their way at once
  } else if (kernel.op == VectorOp::softmax && kernel.cols > kernels.warp_columns) {
    rows.passes = 3;  // maximum, sum, result
    rows.threads = softmax_threads(kernel.cols / width);
    rows.reach = constants.softmax_reach;
    const std::int64_t whole = kernel.cols / (width * rows.threads), rest = kernel.cols % (width * rows.threads);
    const std::int64_t loads = whole * width / 4;
    const double steps =
        static_cast<double>(loads) + constants.softmax_tail * static_cast<double>(ceil_div(rest, rows.threads));
    rows.block_seconds = 1e-6 * (constants.softmax_row_us + rows.passes * steps * constants.softmax_step_us);
  } else if (kernel.op == VectorOp::layernorm) {
    rows.passes = 2;  // moments, result
    rows.threads = norm_threads;
    rows.registers = element < 4 ? kernels.norm_registers_16 : kernels.norm_registers;
    rows.reach = constants.norm_reach;
    const std::int64_t loads = ceil_div(kernel.cols, norm_width * norm_threads);
    rows.block_seconds =
        1e-6 * (constants.norm_row_us + rows.passes * static_cast<double>(loads) * constants.norm_step_us);
  } else if (kernel.op == VectorOp::plane_norm) {
    // Threads of batch_norm_transform_input_kernel: the power of two that a quarter of the plane fills, 64 to 512.
    while (rows.threads > 64 && rows.threads >= ceil_div(kernel.cols, 4)) rows.threads /= 2;
    while (rows.threads < channel_threads && rows.threads < ceil_div(kernel.cols, 4)) rows.threads *= 2;
    rows.block_seconds =
        1e-6 * (constants.norm_row_us + ceil_ratio(kernel.cols, rows.threads) * constants.norm_step_us);
  } else if (by_channel(kernel.op)) {
    // cuDNN's kernels (32 bits) load 16 bytes a step, of one tensor or of two together, and read a channel once that a block holds. PyTorch's own,
    // which take 16-bit scales, load single elements; its sums load four.
    const bool own = element < 4, normalises = kernel.op == VectorOp::channel_norm;
    const std::int64_t together =
        own ? (kernel.op == VectorOp::channel_sum ? 4 : 1) : std::max<std::int64_t>(1, 4 / kernel.inputs);
    rows.passes = normalises && (own || kernel.cols > channel_held) ? 2 : 1;
    rows.threads = channel_threads;
    rows.reach = constants.norm_reach;
    rows.block_seconds =
        1e-6 * (constants.norm_row_us +
                rows.passes * ceil_ratio(kernel.cols, channel_threads * together) * constants.softmax_step_us);
  }
  return rows;
}

}  // namespace

double streaming_bandwidth(const GpuDevice& device, const VectorConstants& constants) {
  const bool to_pascal = device.compute_capability < 7;
  const double share = to_pascal          ? constants.share_pascal
                       : device.has_hbm() ? constants.share_hbm
                                          : constants.share_gddr;
  return share * device.dram_bandwidth.value;
}

StreamTime stream_time(const GpuDevice& device, const VectorConstants& constants, double bytes, double working_set) {
  const double ratio = constants.l2_reach * device.l2_size.value / working_set;
  const double miss = 1 / (1 + ratio * ratio * ratio);
  const double l2_rate = constants.l2_bytes_per_cycle * static_cast<double>(device.sms) * device.boost.value;
  return {bytes * miss / streaming_bandwidth(device, constants) + bytes * (1 - miss) / l2_rate, bytes * miss};
}

std::int64_t threads_per_sm(const GpuDevice& device) {
  if (device.compute_capability == 7.5) return 1024;
  return device.compute_capability >= 8.6 && device.compute_capability < 9 ? 1536 : 2048;
}

double half_conversion_seconds(const GpuDevice& device, double elements, Stack stack) {
  const bool converts =
      device.compute_capability == 6.1 && stack != Stack::profiler_2018 && !stack_profile(stack).legacy_library;
  return converts ? elements / (half_slots * device.fp32_peak) : 0;
}

Seconds dispatched(Stack stack, Seconds floor, double before, double kernel_seconds) {
  if (stack != Stack::pytorch_eager) return floor + Seconds{kernel_seconds};
  const double started = before * floor.value + kernel_seconds;
  // A narrow blend (12-norm) instead of the plain maximum: both vary a little from call to call.
  return floor.value <= 0 ? Seconds{kernel_seconds}
                          : Seconds{started * std::pow(1 + std::pow(floor.value / started, 12), 1.0 / 12)};
}

KernelTime vector_time(const GpuDevice& device, const GpuConstants& constants, const VectorKernel& kernel,
                       const Timing& timing) {
  const VectorConstants& fit = constants.vector;
  const ElementBytes element = element_bytes(kernel.precision);
  const double cells = static_cast<double>(kernel.rows) * static_cast<double>(kernel.cols);
  const bool sums = kernel.op == VectorOp::channel_moments || kernel.op == VectorOp::channel_sum;  // a number a row
  const double read = static_cast<double>(kernel.inputs) * cells * element.activation,
               written = (sums ? static_cast<double>(kernel.rows) : cells) * element.result;
  const RowWalk rows = walk(kernel, fit, stack_profile(timing.stack).early_rows ? early_rows : later_rows);
  const auto by_registers =
      static_cast<std::int64_t>(device.registers_per_sm.value) / (4 * rows.registers * rows.threads);
  const std::int64_t resident =
      std::max<std::int64_t>(1, std::min(threads_per_sm(device) / rows.threads, by_registers));
  const std::int64_t slots = device.sms * resident;

  // Later passes find the rows in flight in the L2 as far as they fit.
  const double in_flight =
      static_cast<double>(std::min(kernel.rows, slots) * std::max<std::int64_t>(1, kernel.inputs)) *
      static_cast<double>(kernel.cols) * element.activation;
  const double pass_miss = 1 / (1 + std::pow(rows.reach * device.l2_size.value / in_flight, row_exponent));
  const double first = read + written, again = (rows.passes - 1) * read;
  const StreamTime memory = stream_time(device, fit, first + again * pass_miss, first);
  const double blocks = pools(kernel.op)
                            ? cells * fit.pool_cycles / (static_cast<double>(device.sms) * device.boost.value)
                            : std::max(1.0, static_cast<double>(kernel.rows) / static_cast<double>(slots)) *
                                  rows.block_seconds * (device.compute_capability < 7 ? pascal_latency : 1);
  const bool converts = kernel.precision == GpuPrecision::fp16 && kernel.op != VectorOp::copy;
  const double elements = cells * static_cast<double>(kernel.inputs) * rows.passes;
  // A thread converts what it has loaded before it loads more: no overlap.
  const double conversion = converts ? half_conversion_seconds(device, elements, timing.stack) : 0;

  KernelTime time;
  time.algorithm = vector_op_names[static_cast<std::size_t>(kernel.op)];
  time.launch = timing.floor;
  time.dram = Seconds{memory.seconds};
  time.compute = Seconds{blocks + conversion};
  time.fixed = Seconds{1e-6 * fit.start_us};
  time.tiles = kernel.rows;
  time.tile_m = 1;
  time.tile_n = kernel.cols;
  time.resident = resident;
  time.waves = static_cast<double>(kernel.rows) / static_cast<double>(slots);
  time.l2_hit = 1 - memory.dram_bytes / (first + again);
  const double busy = join(memory.seconds, blocks) + conversion + time.fixed.value;
  time.total = dispatched(timing.stack, timing.floor, rows.before, busy);
  time.work = {cells * rows.passes, memory.dram_bytes, MathUnit::cuda, 4, 0, first + again};
  return time;
}

}  // namespace tilewright
