#include "arch_models/gpu/library.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "arch_models/family_tools.hpp"
#include "arch_models/gpu/constants.hpp"
#include "core/checked.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_group_rows = 16;  // query rows that a decode kernel takes as heads of one group

std::int64_t bound(const Problem& problem, std::string_view name) {
  const int d = problem.dim(name);
  return d < 0 ? 1 : problem.dims[static_cast<std::size_t>(d)].bound;
}

/// Bytes of an operand's distinct words: per axis the box, or fewer where a stride steps over words.
double operand_bytes(const Problem& problem, const Operand& operand) {
  double words = 1;
  for (const Axis& axis : operand.axes) {
    double span = 1, combinations = 1;
    for (const Term& term : axis) {
      const auto extent = static_cast<double>(problem.dims[static_cast<std::size_t>(term.dim)].bound);
      span += static_cast<double>(std::abs(term.coefficient)) * (extent - 1);
      if (term.coefficient != 0) combinations *= extent;
    }
    words *= std::min(span, combinations);
  }
  return words * bits(operand.type) / 8.0;
}

/// Bytes of all operands that are outside the chip, inputs alone or results as well.
double outside_bytes(const Problem& problem, bool results) {
  double bytes = 0;
  for (const Operand& operand : problem.operands) {
    if (!operand.on_chip && (results || operand.role != Role::output)) bytes += operand_bytes(problem, operand);
  }
  return bytes;
}

std::optional<GpuPrecision> same_precision(DataType type) {
  switch (type) {
    case DataType::fp32: return GpuPrecision::fp32;
    case DataType::tf32: return GpuPrecision::tf32;
    case DataType::fp16: return GpuPrecision::fp16;
    case DataType::bf16: return GpuPrecision::bf16;
    case DataType::fp8: return GpuPrecision::fp8;
    case DataType::int8: return GpuPrecision::int8;
    default: return std::nullopt;
  }
}

/// The format of a multiply-accumulate kernel by its weights and activations.
std::optional<GpuPrecision> product_precision(const Problem& problem) {
  const int stationary = stationary_operand(problem), streamed = streamed_operand(problem);
  if (stationary < 0 || streamed < 0) return std::nullopt;
  const DataType weights = problem.operands[static_cast<std::size_t>(stationary)].type,
                 activations = problem.operands[static_cast<std::size_t>(streamed)].type;
  if (weights == activations) return same_precision(weights);
  const bool half = activations == DataType::fp16 || activations == DataType::bf16;
  if (half && weights == DataType::int8) return GpuPrecision::w8a16;
  if (half && weights == DataType::int4) return GpuPrecision::w4a16;
  return std::nullopt;
}

/// The format of row-wise and recurrent kernels: by the width of the widest operand.
GpuPrecision precision_by_width(const Problem& problem) {
  int widest = 0;
  for (const Operand& operand : problem.operands) widest = std::max(widest, bits(operand.type));
  return widest >= 32 ? GpuPrecision::fp32 : widest >= 16 ? GpuPrecision::fp16 : GpuPrecision::int8;
}

/// A kernel that reads and writes so many bytes: an fp32 map moves eight for an element.
VectorKernel stream_of(double bytes) {
  VectorKernel kernel;
  kernel.cols = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(bytes / 8)));
  return kernel;
}

bool is_window(const Problem& problem) {
  return problem.dim("C") >= 0 && (problem.dim("S") >= 0 || problem.dim("R") >= 0) && problem.dim("Q") >= 0;
}

/// Stride of a position dim: its coefficient in the operand whose axes sum positions and offsets.
std::int64_t stride_of(const Problem& problem, std::string_view position) {
  const int d = problem.dim(position);
  for (const Operand& operand : problem.operands) {
    for (const Axis& axis : operand.axes) {
      if (axis.size() < 2) continue;
      for (const Term& term : axis)
        if (term.dim == d) return std::max<std::int64_t>(1, std::abs(term.coefficient));
    }
  }
  return 1;
}

/// Size of an input side from its results: filters are taken as centred, dilation leaves no trace.
std::int64_t input_side(std::int64_t out, std::int64_t stride, std::int64_t filter, std::int64_t pad) {
  return std::max<std::int64_t>(1, checked_add(checked_mul(out - 1, stride), filter) - 2 * pad);
}

ConvKernel convolution(const Problem& problem, GpuPrecision precision) {
  ConvKernel conv;
  const std::int64_t groups = bound(problem, "G"), depth = bound(problem, "T");
  conv.precision = precision;
  conv.channels_last = element_bytes(precision).activation < 4;  // as tensor cores want them
  conv.groups = groups;
  conv.n = checked_mul(bound(problem, "N"), bound(problem, "Z"));         // planes of a volume are further images,
  conv.c = checked_mul(checked_mul(bound(problem, "C"), groups), depth);  // its filter's depth further channels
  conv.k = checked_mul(bound(problem, "K"), groups);
  conv.r = bound(problem, "R");
  conv.s = bound(problem, "S");
  conv.stride_h = stride_of(problem, "P");
  conv.stride_w = stride_of(problem, "Q");
  conv.pad_h = (conv.r - 1) / 2;
  conv.pad_w = (conv.s - 1) / 2;
  conv.h = input_side(bound(problem, "P"), conv.stride_h, conv.r, conv.pad_h);
  conv.w = input_side(bound(problem, "Q"), conv.stride_w, conv.s, conv.pad_w);
  if (problem.operands.back().axes.back().size() > 1) {  // results gather: a transposed convolution
    conv.phase = ConvPhase::backward_data;
    std::swap(conv.c, conv.k);
  }
  return conv;
}

GemmKernel product(const Problem& problem, GpuPrecision precision) {
  const DimGroups dims = group_dims(problem);
  GemmKernel gemm;
  gemm.precision = precision;
  gemm.batch = bound_product(problem, dims.batch);
  gemm.m = bound_product(problem, dims.m);
  gemm.n = bound_product(problem, dims.n);
  gemm.k = bound_product(problem, dims.k);
  gemm.strided_batch = gemm.batch > 1;
  gemm.a_transposed = !gemm.strided_batch;
  return gemm;
}

/// Rows of softmax (no weights) or of a norm (scale); one pass is an element-wise map.
GpuKernel row_wise(const Problem& problem) {
  const bool scaled = std::ranges::any_of(problem.operands, [](const Operand& o) { return o.role == Role::weight; });
  if (bound(problem, "T") == 1) return stream_of(outside_bytes(problem, true));
  VectorKernel rows;
  rows.op = scaled ? VectorOp::layernorm : VectorOp::softmax;
  rows.rows = bound(problem, "R");
  rows.cols = bound(problem, "C");
  rows.precision = precision_by_width(problem);
  return rows;
}

/// Pooling: index arithmetic per result and the bytes of its inputs; over whole planes only the bytes.
GpuKernel pooling(const Problem& problem) {
  const std::int64_t results = tensor_words(problem, problem.operands.back());
  if (bound(problem, "P") * bound(problem, "Q") * bound(problem, "Z") == 1)
    return stream_of(outside_bytes(problem, true));
  VectorKernel pool;
  pool.op = VectorOp::avg_pool;
  pool.cols = results;
  pool.inputs =
      std::max<std::int64_t>(1, std::llround(static_cast<double>(tensor_words(problem, problem.operands.front())) /
                                             static_cast<double>(results)));
  pool.precision = precision_by_width(problem);
  return pool;
}

bool is_attention(std::span<const Kernel> kernels) {
  if (kernels.size() < 3) return false;
  const Problem &scores = kernels[0].problem, &softmax = kernels[1].problem, &context = kernels[2].problem;
  return scores.compute == Compute::mac && scores.operands.back().on_chip && kernels[1].fused &&
         softmax.compute == Compute::vector && context.compute == Compute::mac && context.operands.front().on_chip;
}

AttentionKernel attention(const Kernel& scores, GpuPrecision precision) {
  AttentionKernel kernel;
  const std::int64_t rows = bound(scores.problem, "M");
  kernel.batch = bound(scores.problem, "B");
  kernel.keys = bound(scores.problem, "N");
  kernel.head_dim = bound(scores.problem, "K");
  const bool decoding = rows <= most_group_rows && rows < kernel.keys;
  (decoding ? kernel.heads : kernel.queries) = rows;
  kernel.prefill = !decoding;
  kernel.causal = scores.causal_queries > 1;
  if (kernel.causal) {
    kernel.queries = scores.causal_queries;
    kernel.heads = rows / kernel.queries;
  }
  kernel.precision = precision;
  return kernel;
}

/// Input product, state product over the steps, gates in its shadow.
bool is_recurrent(std::span<const Kernel> kernels) {
  return kernels.size() >= 3 && kernels[0].problem.compute == Compute::mac &&
         kernels[1].problem.compute == Compute::mac && kernels[1].problem.operands.back().on_chip && kernels[2].fused &&
         kernels[2].problem.dim("G") >= 0;
}

RecurrentKernel recurrent(const Kernel& state, const Problem& gates, GpuPrecision precision) {
  RecurrentKernel kernel;
  const std::int64_t count = bound(gates, "G");
  kernel.cell = count == 4 ? RecurrentCell::lstm : count == 3 ? RecurrentCell::gru : RecurrentCell::vanilla;
  kernel.hidden = bound(state.problem, "K");
  kernel.batch = bound(state.problem, "M");
  kernel.steps = state.repeat;
  kernel.precision = precision;
  return kernel;
}

std::string_view band_class(const GpuDevice& device, const GpuKernel& kernel) {
  if (const auto* gemm = std::get_if<GemmKernel>(&kernel))
    return math_peak(device, gemm->precision, false).unit == MathUnit::tensor ? "gemm_tensor" : "gemm_cuda";
  if (std::holds_alternative<ConvKernel>(kernel)) return "conv";
  if (std::holds_alternative<VectorKernel>(kernel)) return "vector";
  return std::holds_alternative<AttentionKernel>(kernel) ? "attention" : "recurrent";
}

GpuPrecision precision_of(const GpuKernel& kernel) {
  return std::visit([](const auto& k) { return k.precision; }, kernel);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// "conv_fwd/fp32" belongs to class conv, "linear/bf16" to the products.
bool floor_in_class(const HostFloor& floor, std::string_view op_class, std::string_view precision) {
  const std::string_view op = std::string_view(floor.op).substr(0, floor.op.find('/'));
  if (std::string_view(floor.op).substr(op.size() + 1) != precision) return false;
  if (op == "linear" || op == "bmm") return op_class.starts_with("gemm");
  if (op.starts_with("conv")) return op_class == "conv";
  if (op.starts_with("attention")) return op_class == "attention";
  if (op.starts_with("recurrent")) return op_class == "recurrent";
  return op_class == "vector";
}

/// The other 16-bit format has the same bytes and rates.
std::string_view twin_of(std::string_view precision) {
  return precision == "fp16" ? "bf16" : precision == "bf16" ? "fp16" : precision;
}

/// cuBLAS from CUDA 11 on falls back to loads of one or two elements: two to seven times slower on an H100 and an H200. The open tables hold no such row.
bool is_misaligned_on_tensor_cores(const GpuDevice& device, const GpuKernel& kernel) {
  const auto* product = std::get_if<GemmKernel>(&kernel);
  return product != nullptr && element_bytes(product->precision).activation < 4 && !has_aligned_rows(*product) &&
         math_peak(device, product->precision, false).unit == MathUnit::tensor;
}

void add_band(LibraryLaunch& launch, const GpuDevice& device, const GpuKernel& kernel) {
  if (is_misaligned_on_tensor_cores(device, kernel)) {
    launch.why +=
        "; not validated: rows are no multiples of 16 bytes, which the libraries load element by element (several "
        "times slower)";
    return;
  }
  const Calibration& calibration = library_calibration();
  const std::string_view op_class = band_class(device, kernel);
  const std::string_view own = gpu_precision_names[static_cast<std::size_t>(precision_of(kernel))];
  for (const std::string_view precision : {own, twin_of(own)}) {
    launch.same_device = std::ranges::any_of(calibration.floors, [&](const HostFloor& floor) {
      return floor_in_class(floor, op_class, precision) && equal_ignoring_case(floor.device, device.name);
    });
    const std::string_view transfer = launch.same_device ? "known_device" : "unseen_device";
    for (const ErrorBand& band : calibration.bands) {
      if (band.op_class != op_class || band.precision != precision || band.transfer != transfer) continue;
      launch.band_pct = band.mape_pct;
      return;
    }
  }
}

/// Bands of power: fp32 and 16 bits had a wattmeter.
void add_power_band(LibraryLaunch& launch, const GpuDevice& device, const GpuKernel& kernel) {
  const Calibration& calibration = library_calibration();
  const bool same = std::ranges::any_of(
      calibration.power_devices, [&](const std::string& name) { return equal_ignoring_case(name, device.name); });
  const std::string_view own = gpu_precision_names[static_cast<std::size_t>(precision_of(kernel))];
  for (const ErrorBand& band : calibration.bands) {
    if (band.op_class == "board_power" && (band.precision == own || band.precision == twin_of(own)) &&
        band.transfer == (same ? "known_device" : "unseen_device"))
      launch.power_band_pct = band.mape_pct;
  }
}

double fourth(double x) { return x * x * x * x; }

LibraryLaunch timed(const GpuDevice& device, const Chip& chip, const LibraryKernel& kernel) {
  const GpuConstants& constants = library_calibration().constants;
  KernelTime time = kernel_time(device, constants, kernel.kernel, {Stack::profiler, Seconds{0}});
  const double bandwidth = device.dram_bandwidth.value;
  if (kernel.epilogue_bytes > 0) {  // joins the DRAM traffic of the main loop, overlapping as the kernel models have it
    const double others = fourth(time.compute.value) + fourth(time.l2.value), before = time.dram.value,
                 after = before + kernel.epilogue_bytes / streaming_bandwidth(device, constants.vector);
    time.dram = Seconds{after};
    time.total += Seconds{std::pow(others + fourth(after), 0.25) - std::pow(others + fourth(before), 0.25)};
  }
  const Seconds roof{kernel.compulsory_bytes / bandwidth};
  time.dram = std::max(time.dram, roof);
  time.total = std::max(time.total, roof);

  const double times = static_cast<double>(kernel.launches);
  const std::string &l2 = chip.levels[static_cast<std::size_t>(gpu_array_level(chip))].name,
                    &dram = chip.levels.front().name;
  LibraryLaunch launch;
  launch.first = kernel.first;
  launch.last = kernel.last;
  launch.launches = kernel.launches;
  launch.computed = kernel.computed;
  launch.busy = times * time.total;
  launch.limits = {
      {"compute", times * time.compute}, {"memory:" + l2, times * time.l2}, {"memory:" + dram, times * time.dram}};
  launch.start = times * time.fixed;
  launch.clock = time.clock;
  time.work.dram_bytes += kernel.epilogue_bytes;
  time.work.l2_bytes += kernel.epilogue_bytes;
  launch.power = board_power(device, constants, time);
  launch.idle = idle_power(device, constants.board);
  launch.why = explain(time);
  add_band(launch, device, kernel.kernel);
  add_power_band(launch, device, kernel.kernel);
  return launch;
}

}  // namespace

std::optional<std::vector<LibraryKernel>> library_kernels(std::span<const Kernel> kernels, TensorFormat tensors) {
  std::vector<LibraryKernel> found;
  for (std::size_t i = 0; i < kernels.size();) {
    const Problem& problem = kernels[i].problem;
    LibraryKernel next;
    next.first = i;
    next.last = i + 1;
    next.launches = kernels[i].repeat;
    const bool attends = is_attention(kernels.subspan(i)), recurs = !attends && is_recurrent(kernels.subspan(i));
    if (attends) {
      const std::optional<GpuPrecision> precision = product_precision(problem);
      if (!precision) return std::nullopt;
      next.kernel = attention(kernels[i], *precision);
      next.last = i + 3;
      if (const auto seen = static_cast<double>(kernels[i].causal_queries); seen > 1)
        next.computed = (seen + 1) / (2 * seen);
    } else if (recurs) {
      next.kernel = recurrent(kernels[i + 1], kernels[i + 2].problem, precision_by_width(problem));
      next.launches = bound(kernels[i + 1].problem, "B");  // directions
      next.last = i + 3;
    } else if (problem.compute == Compute::mac) {
      const std::optional<GpuPrecision> precision = product_precision(problem);
      if (!precision) return std::nullopt;
      if (is_window(problem)) {
        ConvKernel conv = convolution(problem, *precision);
        if (tensors == TensorFormat::channels_first) conv.channels_last = false;
        next.kernel = conv;
      } else {
        next.kernel = product(problem, *precision);
      }
    } else if (problem.dim("R") >= 0 && problem.dim("C") >= 0 && problem.dim("N") < 0) {
      next.kernel = row_wise(problem);
    } else if (is_window(problem)) {
      next.kernel = tensors == TensorFormat::engine ? stream_of(outside_bytes(problem, true)) : pooling(problem);
    } else {
      next.kernel = stream_of(outside_bytes(problem, true));
    }
    for (std::size_t k = i; k < (attends ? next.last : i + 1); ++k)
      next.compulsory_bytes +=
          outside_bytes(kernels[k].problem, !recurs) / (recurs ? static_cast<double>(next.launches) : 1);
    for (; next.last < kernels.size() && kernels[next.last].fused; ++next.last) {
      const double bytes = outside_bytes(kernels[next.last].problem, false);
      next.epilogue_bytes += bytes;
      next.compulsory_bytes += bytes;
    }
    i = next.last;
    found.push_back(next);
  }
  return found;
}

GpuDevice calibrated_device(const Chip& chip) {
  GpuDevice device = gpu_device_of(chip);
  for (const auto& [name, trim] : library_calibration().trims) {
    if (equal_ignoring_case(name, device.name)) device.trim = trim;
  }
  return device;
}

std::optional<std::vector<LibraryLaunch>> gpu_library(const Chip& chip, std::span<const Kernel> kernels,
                                                      const SoftwareStack& stack) {
  const auto found = library_kernels(kernels, stack.tensors);
  if (!found) return std::nullopt;
  const GpuDevice device = calibrated_device(chip);
  std::vector<LibraryLaunch> launches;
  for (const LibraryKernel& kernel : *found) launches.push_back(timed(device, chip, kernel));
  return launches;
}

}  // namespace tilewright
