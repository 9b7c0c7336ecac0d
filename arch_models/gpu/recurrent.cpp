#include "arch_models/gpu/recurrent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "arch_models/gpu/constants.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t filling_steps = 50;  // launches that the queue between host and GPU takes up
constexpr std::int64_t streaming_batch =
    16;  // largest batch for which libraries stream the weights like a matrix-vector product

double cube(double x) { return x * x * x; }
double join(double a, double b) { return std::cbrt(cube(a) + cube(b)); }
double number(std::int64_t value) { return static_cast<double>(value); }

struct Unit {
  MathPeak peak;
  const RecurrentUnitConstants& fit;
};

/// cuDNN converts fp32 operands for the tensor cores when it is allowed to, and the benchmark allows it.
Unit unit_of(const GpuDevice& device, const RecurrentConstants& constants, GpuPrecision precision) {
  MathPeak peak = math_peak(device, precision, true);
  if (precision == GpuPrecision::fp32 && device.tensor_cores_per_sm > 0 && device.fp16_tensor_peak > 0)
    peak = {MathUnit::tensor, device.fp16_tensor_peak};
  return {peak, peak.unit == MathUnit::tensor ? constants.tensor : constants.cuda};
}

struct Blocks {
  double seconds = std::numeric_limits<double>::infinity();
  std::int64_t tile_m = 0, tile_n = 0, count = 0;
};

/// The recurrent product of one step on the best tile. Without split-K few blocks leave SMs idle.
Blocks best_blocks(const GpuDevice& device, const RecurrentConstants& constants, const Unit& unit,
                   const RecurrentKernel& kernel) {
  const std::int64_t outputs = recurrent_gates(kernel.cell) * kernel.hidden, batch = kernel.batch,
                     hidden = kernel.hidden;
  const bool cuda = unit.peak.unit == MathUnit::cuda;
  Blocks best;
  for (const std::int64_t tile_m : {64, 128}) {
    for (const std::int64_t tile_n : {32, 64, 128}) {
      if (cuda && (tile_n == 32) != (batch <= 32)) continue;
      double share = unit.fit.efficiency / (1 + unit.fit.operand * (32 / number(tile_m) + 32 / number(tile_n)));
      const double blocks = ceil_ratio(outputs, tile_m) * ceil_ratio(batch, tile_n);
      double seconds = std::max(1.0, blocks / number(device.sms)) * 2 * number(tile_m * tile_n) *
                       (number(hidden) + constants.start_k) / (unit.peak.peak / number(device.sms) * share);
      if (cuda && tile_n == 32) {
        const double half = kernel.precision == GpuPrecision::fp16_fp32math ? constants.half_storage : 1;
        seconds = join(seconds, number(hidden) * constants.narrow_cycles / (half * device.boost.value));
      }
      if (seconds < best.seconds) best = {seconds, tile_m, tile_n, static_cast<std::int64_t>(blocks)};
    }
  }
  return best;
}

}  // namespace

std::int64_t recurrent_gates(RecurrentCell cell) {
  return cell == RecurrentCell::lstm ? 4 : cell == RecurrentCell::gru ? 3 : 1;
}

KernelTime recurrent_time(const GpuDevice& device, const GpuConstants& constants, const RecurrentKernel& kernel,
                          const Timing& timing) {
  const RecurrentConstants& fit = constants.recurrent;
  const Unit unit = unit_of(device, fit, kernel.precision);
  const double hidden = number(kernel.hidden), steps = number(kernel.steps);
  const std::int64_t outputs = recurrent_gates(kernel.cell) * kernel.hidden;
  const double weights = number(outputs) * hidden * element_bytes(kernel.precision).weight;
  const double step_operations = 2 * number(outputs) * hidden * number(kernel.batch);

  VectorConstants streaming = constants.vector;
  streaming.l2_reach = fit.l2_reach;
  const StreamTime stream = stream_time(device, streaming, weights, weights);
  const Blocks blocks = best_blocks(device, fit, unit, kernel);
  double step = join(stream.seconds, blocks.seconds);
  if (kernel.batch <= streaming_batch)
    step = std::min(step, stream.seconds * (1 + fit.batch_slope * number(kernel.batch)));
  step += 1e-6 * fit.step_us;
  const bool fits = device.compute_capability >= 6 &&
                    weights < fit.register_share * number(device.sms) * device.registers_per_sm.value;
  double step_dram = stream.dram_bytes;
  bool persistent = false;
  if (fits) {
    const double resident = 1e-6 * fit.sync_us + step_operations / (unit.peak.peak * unit.fit.persistent_share);
    persistent = resident < step;
    if (persistent) step = resident, step_dram = 0;
  }
  step = std::max(step, step_operations / unit.peak.peak);

  KernelTime inputs;
  if (kernel.input_product) {
    GemmKernel product;
    product.m = kernel.batch * kernel.steps, product.n = outputs, product.k = kernel.hidden;
    product.precision = kernel.precision == GpuPrecision::fp32 && unit.peak.unit == MathUnit::tensor
                            ? GpuPrecision::fp16
                            : kernel.precision;
    inputs = gemm_time(device, constants, product, {timing.stack, Seconds{0}});
  }
  const double input = inputs.total.value;
  const double filling = 1e-6 * fit.first_us * number(std::min(kernel.steps, filling_steps));
  const double busy = steps * step + input + filling;

  KernelTime time;
  time.algorithm = persistent ? "persistent recurrent" : "recurrent";
  time.launch = timing.floor;
  time.compute = Seconds{steps * step + input};
  time.dram = Seconds{steps * (persistent ? 0 : stream.seconds)};
  time.fixed = Seconds{filling};
  time.tile_m = blocks.tile_m;
  time.tile_n = blocks.tile_n;
  time.tiles = blocks.count;
  time.waves = number(blocks.count) / number(device.sms);
  time.l2_hit = 1 - step_dram / weights;
  time.total = timing.floor + Seconds{busy};
  const double operations = step_operations * steps;
  time.work = {operations + inputs.work.operations,
               steps * step_dram + inputs.work.dram_bytes,
               unit.peak.unit,
               element_bytes(kernel.precision).activation,
               inputs.work.padded_operations,
               (persistent ? 1 : steps) * weights + inputs.work.l2_bytes,
               inputs.work.staged_bytes};
  return time;
}

}  // namespace tilewright
