// What every kernel model takes and gives: number formats, the timing method, the time with its parts.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/checked.hpp"
#include "core/units.hpp"

namespace tilewright {

struct GpuDevice;

/// ceil(a / b), for counts of tiles and waves in sums of floating point.
inline double ceil_ratio(std::int64_t a, std::int64_t b) { return static_cast<double>(ceil_div(a, b)); }

/// Number formats of the measured tables. The mixed ones name storage and arithmetic.
enum class GpuPrecision { fp32, fp16, bf16, fp8, int8, fp16_fp32math, w8a16, w4a16, tf32 };
inline constexpr std::array<std::string_view, 9> gpu_precision_names{"fp32",          "fp16",  "bf16",  "fp8", "int8",
                                                                     "fp16_fp32math", "w8a16", "w4a16", "tf32"};

/// Storage of one element in bytes.
struct ElementBytes {
  double activation, weight, result;
};
ElementBytes element_bytes(GpuPrecision precision);

/// Where a product runs on a device, and its dense peak there at the boost clock (operations per second).
enum class MathUnit { cuda, dp4a, tensor };
struct MathPeak {
  MathUnit unit;
  double peak;
};
/// The unit that a library of this age uses: `legacy` libraries (before CUDA 11) run int8 on dp4a even where tensor cores have int8.
MathPeak math_peak(const GpuDevice& device, GpuPrecision precision, bool legacy);

/// The software between the framework and the kernel, and what its timing method includes.
enum class Stack {
  pytorch_eager,
  cuda_graph_vllm,
  cuda_graph_tensorrt_llm,
  library_loop,
  profiler,
  profiler_2018,
  profiler_2023,
  wall_clock,
  cuda_graph_replay
};
inline constexpr std::size_t stack_count = 9;
struct StackProfile {
  Stack stack;
  std::string_view name;
  std::string_view meaning;  // one line for reports: host dispatch, cache state, library age
  double weight_copies;      // weight buffers in rotation between replays: the working set that the L2 sees
  bool legacy_library;       // cuBLAS and cuDNN before CUDA 11
  bool early_rows;           // softmax and layer norm of PyTorch 2.1, else of 2.11
};
const StackProfile& stack_profile(Stack stack);

/// How a time is or was measured.
struct Timing {
  Stack stack = Stack::cuda_graph_tensorrt_llm;
  Seconds floor;  // host dispatch plus empty kernel, added to the kernel
};

/// What a kernel switches and moves, for the power equations.
struct PowerWork {
  double operations = 0, dram_bytes = 0;
  MathUnit unit = MathUnit::cuda;
  double operand_bytes = 4;      // of an element that the arithmetic takes
  double padded_operations = 0;  // of tiles beyond the operands: they multiply by zero
  double l2_bytes = 0;           // between L2 and SMs
  double staged_bytes = 0;       // of these, what products and attention stage in shared memory and deliver from there
};

/// Predicted time of one kernel launch with its parts. Parts overlap: total is not their sum.
struct KernelTime {
  Seconds total;    // launch + what the bounds leave
  Seconds launch;   // floor of the timing method and host
  Seconds compute;  // arithmetic of all waves at the allowed clock
  Seconds l2, dram;
  Seconds fixed;     // start, barriers, second passes
  double clock = 1;  // share of the boost clock that the power limit allows
  PowerWork work;
  double clock_power_w =
      0;               // what the clock model takes the board to draw at that clock; 0: the class has no clock model
  double power_w = 0;  // of the board, set by kernel_time
  // What was chosen, for explain():
  std::string_view algorithm = "gemm";
  std::int64_t tile_m = 0, tile_n = 0, split = 1, tiles = 0, resident = 1;
  double waves = 0, l2_hit = 0;

  Seconds kernel() const { return total - launch; }
};
/// "3.0 waves of 128x64 tiles (320 tiles, split-K 1) at 0.62 of boost; compute 41.2 us, DRAM 12.0 us, L2 3.1 us, launch 26.0 us: compute-bound"
std::string explain(const KernelTime& time);

}  // namespace tilewright
