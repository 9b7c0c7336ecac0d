#include "validation/gpu/rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <map>

#include "core/csv.hpp"
#include "core/text_file.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t largest_table = 256 << 20;  // bytes
constexpr std::int64_t longest_vector = std::int64_t{1} << 32;
constexpr double widest_recurrent = 65536;
constexpr std::int64_t longest_side = 1 << 24;  // products of two sides stay far inside 64 bits
constexpr double largest_tensor = 0x1p40;       // elements of an image or filter: no GPU holds more

class Hash {  // FNV-1a, 64 bit
 public:
  void add(std::string_view text) {
    for (const char c : text) state_ = (state_ ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  }
  std::string hex() const { return fmt::format("{:016x}", state_); }

 private:
  std::uint64_t state_ = 14695981039346656037ULL;
};

/// A table with what its rows need from outside: devices and places for messages.
struct Reader {
  const CsvTable& table;
  const std::vector<GpuDevice>& devices;
  std::string file;

  [[noreturn]] void fail(const CsvRow& row, std::string_view column, const std::string& message) const {
    throw InputError({table.file, row.line, 0, std::string(column)}, message);
  }
  const std::string& text(const CsvRow& row, std::string_view column) const {
    return table.text(row, table.column(column));
  }
  std::int64_t side(const CsvRow& row, std::string_view column, std::int64_t least = 1) const {
    return table.integer(row, table.column(column), least, longest_side);
  }

  GpuPrecision precision(const CsvRow& row) const {
    const std::string& word = text(row, "dtype");
    const auto found = std::ranges::find(gpu_precision_names, word);
    if (found == gpu_precision_names.end())
      fail(row, "dtype",
           unknown_message("number format", word,
                           std::vector<std::string>(gpu_precision_names.begin(), gpu_precision_names.end())));
    return static_cast<GpuPrecision>(found - gpu_precision_names.begin());
  }

  Stack stack(const CsvRow& row) const {
    const std::string& timing = text(row, "timing");
    const std::string& source = text(row, "source");
    if (timing == "torch_event_best5of25") return Stack::pytorch_eager;
    if (timing == "cuda_graph_avg")
      return source.find("vllm") != std::string::npos ? Stack::cuda_graph_vllm : Stack::cuda_graph_tensorrt_llm;
    if (timing == "cuda_graph_replay") return Stack::cuda_graph_replay;
    if (timing == "loop_avg") return Stack::library_loop;
    if (timing == "profiler_median_1us_resolution" || timing == "profiler_kernel" || timing == "ncu_kernel")
      return Stack::profiler;
    if (timing == "wall_avg") return Stack::wall_clock;
    const std::vector<std::string> known{
        "torch_event_best5of25",          "cuda_graph_avg",  "cuda_graph_replay", "loop_avg",
        "profiler_median_1us_resolution", "profiler_kernel", "ncu_kernel",        "wall_avg"};
    fail(row, "timing", unknown_message("timing method", timing, known));
  }

  /// The columns that every table has.
  MeasuredRow common(const CsvRow& row) const {
    MeasuredRow measured;
    measured.table = file;
    measured.line = row.line;
    measured.device = text(row, "device");
    const auto device = std::ranges::find(devices, measured.device, &GpuDevice::name);
    if (device == devices.end()) {
      std::vector<std::string> names;
      for (const GpuDevice& known : devices) names.push_back(known.name);
      fail(row, "device", unknown_message("device (no row of devices.csv)", measured.device, names));
    }
    measured.device_index = static_cast<std::size_t>(device - devices.begin());
    measured.precision = text(row, "dtype");
    measured.source = text(row, "source");
    measured.timing = text(row, "timing");
    if (table.has("flag")) measured.flag = text(row, "flag");
    measured.stack = stack(row);
    const double latency = table.number(row, table.column("latency_us"));
    if (latency <= 0) fail(row, "latency_us", "a latency is above 0");
    measured.latency = Seconds{1e-6 * latency};
    return measured;
  }
};

MeasuredRow gemm_row(const Reader& reader, const CsvRow& row) {
  MeasuredRow measured = reader.common(row);
  measured.op = reader.text(row, "op");
  if (measured.op != "linear" && measured.op != "bmm")
    reader.fail(row, "op", unknown_message("operator", measured.op, std::vector<std::string>{"linear", "bmm"}));
  GemmKernel kernel;
  kernel.batch = reader.side(row, "batch");
  kernel.m = reader.side(row, "m");
  kernel.n = reader.side(row, "n");
  kernel.k = reader.side(row, "k");
  kernel.precision = reader.precision(row);
  kernel.strided_batch = measured.op == "bmm";
  kernel.quantises = measured.stack == Stack::cuda_graph_vllm || measured.stack == Stack::cuda_graph_tensorrt_llm;
  const std::string& layout = reader.text(row, "layout");
  if (layout.size() != 2 || layout.find_first_not_of("NT") != std::string::npos)
    reader.fail(row, "layout", unknown_message("layout", layout, std::vector<std::string>{"NN", "NT", "TN", "TT"}));
  kernel.a_transposed = layout[0] == 'T';
  kernel.b_transposed = layout[1] == 'T';
  // DeepBench lists the extents of its cuBLAS calls, whose matrices are column-major: by rows that is the transposed product.
  if (measured.stack == Stack::library_loop) std::swap(kernel.m, kernel.n);
  if (!reader.text(row, "power_w").empty()) {
    const double power = reader.table.number(row, reader.table.column("power_w"));
    if (power <= 0) reader.fail(row, "power_w", "a power is above 0");
    measured.power = Watts{power};
  }
  measured.kernel = kernel;
  return measured;
}

MeasuredRow conv_row(const Reader& reader, const CsvRow& row) {
  MeasuredRow measured = reader.common(row);
  ConvKernel kernel;
  const std::string& phase = reader.text(row, "phase");
  static const std::vector<std::string> phases{"fwd", "bwd_data", "bwd_filter"};
  const auto found = std::ranges::find(phases, phase);
  if (found == phases.end()) reader.fail(row, "phase", unknown_message("phase", phase, phases));
  kernel.phase = static_cast<ConvPhase>(found - phases.begin());
  measured.op = "conv_" + phase;
  kernel.n = reader.side(row, "n");
  kernel.c = reader.side(row, "c");
  kernel.h = reader.side(row, "h");
  kernel.w = reader.side(row, "w");
  kernel.k = reader.side(row, "k");
  kernel.r = reader.side(row, "r");
  kernel.s = reader.side(row, "s");
  kernel.pad_h = reader.side(row, "pad_h", 0);
  kernel.pad_w = reader.side(row, "pad_w", 0);
  kernel.stride_h = reader.side(row, "stride_h");
  kernel.stride_w = reader.side(row, "stride_w");
  kernel.groups = reader.side(row, "groups");
  kernel.precision = reader.precision(row);
  if (reader.table.has("layout") && !reader.text(row, "layout").empty()) {
    const std::string& layout = reader.text(row, "layout");
    static const std::vector<std::string> layouts{"NCHW", "NHWC"};
    if (std::ranges::find(layouts, layout) == layouts.end())
      reader.fail(row, "layout", unknown_message("layout", layout, layouts));
    kernel.channels_last = layout == "NHWC";
  }
  if (kernel.h + 2 * kernel.pad_h < kernel.r) reader.fail(row, "r", "the filter is higher than the padded input");
  if (kernel.w + 2 * kernel.pad_w < kernel.s) reader.fail(row, "s", "the filter is wider than the padded input");
  const auto count = [](auto... sides) { return (static_cast<double>(sides) * ...); };
  if (std::max({count(kernel.n, kernel.c, kernel.h, kernel.w),
                count(kernel.n, kernel.k, kernel.out_h(), kernel.out_w()),
                count(kernel.k, kernel.c, kernel.r, kernel.s)}) > largest_tensor)
    reader.fail(row, "n", "more elements than any GPU holds (2^40)");
  if (kernel.c % kernel.groups != 0 || kernel.k % kernel.groups != 0)
    reader.fail(row, "groups", "c and k must be multiples of the groups");
  measured.kernel = kernel;
  return measured;
}

MeasuredRow vector_row(const Reader& reader, const CsvRow& row) {
  MeasuredRow measured = reader.common(row);
  measured.op = reader.text(row, "op");
  const auto found = std::ranges::find(vector_op_names, measured.op);
  if (found == vector_op_names.end())
    reader.fail(row, "op",
                unknown_message("operator", measured.op,
                                std::vector<std::string>(vector_op_names.begin(), vector_op_names.end())));
  VectorKernel kernel;
  kernel.op = static_cast<VectorOp>(found - vector_op_names.begin());
  kernel.rows = reader.side(row, "rows");
  kernel.cols = reader.table.integer(row, reader.table.column("cols"), 1, longest_vector);
  kernel.inputs = reader.table.integer(row, reader.table.column("n_inputs"), 1, 16);
  kernel.precision = reader.precision(row);
  measured.kernel = kernel;
  return measured;
}

/// The library by the `kernel` and `source` columns: what served the call in that version of the server.
AttentionLibrary attention_library(const Reader& reader, const CsvRow& row) {
  const std::string& kernel = reader.text(row, "kernel");
  if (kernel.starts_with("cudnn")) return AttentionLibrary::cudnn;
  if (kernel.find("flashinfer") != std::string::npos) return AttentionLibrary::flashinfer;
  if (kernel.find("flash_attn") == std::string::npos)
    reader.fail(row, "kernel",
                unknown_message("attention library", kernel,
                                std::vector<std::string>{"vllm_flash_attn", "vllm_flashinfer", "cudnn_flash_attn"}));
  return reader.text(row, "source").ends_with("vllm0.14.0") ? AttentionLibrary::flash_attention_2_v014
                                                            : AttentionLibrary::flash_attention_2;
}

MeasuredRow attention_row(const Reader& reader, const CsvRow& row) {
  MeasuredRow measured = reader.common(row);
  const std::string& phase = reader.text(row, "phase");
  if (phase != "prefill" && phase != "decode")
    reader.fail(row, "phase", unknown_message("phase", phase, std::vector<std::string>{"prefill", "decode"}));
  measured.op = "attention_" + phase;
  AttentionKernel kernel;
  kernel.prefill = phase == "prefill";
  kernel.batch = reader.side(row, "batch");
  kernel.queries = reader.side(row, "q_len");
  kernel.keys = reader.side(row, "kv_len");
  kernel.heads = reader.side(row, "heads");
  kernel.kv_heads = reader.side(row, "kv_heads");
  kernel.head_dim = reader.side(row, "head_dim");
  kernel.causal = reader.table.integer(row, reader.table.column("causal"), 0, 1) == 1;
  kernel.precision = reader.precision(row);
  kernel.library = attention_library(reader, row);
  if (kernel.heads % kernel.kv_heads != 0) reader.fail(row, "kv_heads", "heads must be a multiple of kv_heads");
  measured.kernel = kernel;
  return measured;
}

/// Rows of rnn.csv whose source shifted its columns (sizes of convolutions read as hidden units) have fractional time steps: no layer has.
bool is_recurrent(const Reader& reader, const CsvRow& row) {
  const double steps = reader.table.number(row, reader.table.column("timesteps"));
  return steps == std::floor(steps) && reader.table.number(row, reader.table.column("hidden")) <= widest_recurrent;
}

MeasuredRow recurrent_row(const Reader& reader, const CsvRow& row) {
  MeasuredRow measured = reader.common(row);
  const std::string& cell = reader.text(row, "cell");
  const auto found = std::ranges::find(recurrent_cell_names, cell);
  if (found == recurrent_cell_names.end())
    reader.fail(row, "cell",
                unknown_message("cell", cell,
                                std::vector<std::string>(recurrent_cell_names.begin(), recurrent_cell_names.end())));
  measured.op = "recurrent_" + cell;
  RecurrentKernel kernel;
  kernel.cell = static_cast<RecurrentCell>(found - recurrent_cell_names.begin());
  kernel.hidden = reader.side(row, "hidden");
  kernel.batch = reader.side(row, "batch");
  const double steps = reader.table.number(row, reader.table.column("timesteps"));
  if (steps < 1 || steps > longest_side) reader.fail(row, "timesteps", "time steps are a whole number from 1 on");
  kernel.steps = static_cast<std::int64_t>(steps);
  kernel.precision = reader.precision(row);
  kernel.input_product = measured.stack != Stack::library_loop;  // DeepBench asks cuDNN for CUDNN_SKIP_INPUT
  measured.kernel = kernel;
  return measured;
}

struct Table {
  std::string_view file;
  MeasuredRow (*read)(const Reader&, const CsvRow&);
  bool (*holds_kernel)(const Reader&, const CsvRow&) = nullptr;  // none: every row does
};
constexpr std::array tables{Table{"gemm.csv", gemm_row}, Table{"conv.csv", conv_row}, Table{"vector.csv", vector_row},
                            Table{"attention.csv", attention_row}, Table{"rnn.csv", recurrent_row, is_recurrent}};

struct ShapeText {
  std::string operator()(const GemmKernel& g) const {
    return fmt::format("batch {} m {} n {} k {} {}{}", g.batch, g.m, g.n, g.k, g.a_transposed ? 'T' : 'N',
                       g.b_transposed ? 'T' : 'N');
  }
  std::string operator()(const ConvKernel& c) const {
    return fmt::format("n {} c {} h {} w {} k {} r {} s {} pad {}x{} stride {}x{} groups {}", c.n, c.c, c.h, c.w, c.k,
                       c.r, c.s, c.pad_h, c.pad_w, c.stride_h, c.stride_w, c.groups);
  }
  std::string operator()(const VectorKernel& v) const { return fmt::format("rows {} cols {}", v.rows, v.cols); }
  std::string operator()(const AttentionKernel& a) const {
    return fmt::format("batch {} queries {} keys {} heads {}/{} of {}", a.batch, a.queries, a.keys, a.heads, a.kv_heads,
                       a.head_dim);
  }
  std::string operator()(const RecurrentKernel& r) const {
    return fmt::format("hidden {} batch {} steps {}", r.hidden, r.batch, r.steps);
  }
};

/// Place of each row among those of its host, stack and operator.
void set_places(std::vector<MeasuredRow>& rows) {
  std::map<std::string, std::vector<MeasuredRow*>> sessions;
  for (MeasuredRow& row : rows) sessions[floor_key(row)].push_back(&row);
  for (const auto& [key, session] : sessions)
    for (std::size_t i = 1; i < session.size(); ++i)
      session[i]->place = static_cast<double>(i) / static_cast<double>(session.size() - 1);
}

}  // namespace

std::string MeasuredRow::name() const { return fmt::format("{}:{}", table, line); }

MeasuredData read_measured(const std::string& folder) {
  namespace fs = std::filesystem;
  MeasuredData data;
  data.folder = folder;
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) throw InputError({folder, 0, 0, ""}, "no such folder");
  Hash hash;
  const std::string devices = folder + "/devices.csv";
  hash.add(read_file(devices, largest_table));
  data.devices = read_gpu_devices(devices);
  bool any = false;
  for (const Table& known : tables) {
    const std::string path = folder + "/" + std::string(known.file);
    if (!fs::exists(path, ignored)) continue;
    any = true;
    hash.add(read_file(path, largest_table));
    const CsvTable table = read_csv(path);
    const Reader reader{table, data.devices, std::string(known.file)};
    std::int64_t without = 0;
    for (const CsvRow& row : table.rows) {
      if (known.holds_kernel == nullptr || known.holds_kernel(reader, row))
        data.rows.push_back(known.read(reader, row));
      else
        ++without;
    }
    if (without > 0)
      data.notes.push_back(fmt::format("{}: {} rows left out, their source shifted its columns", known.file, without));
  }
  if (!any)
    throw InputError(
        {folder, 0, 0, ""},
        "no table of measurements here: one of gemm.csv, conv.csv, vector.csv, attention.csv, rnn.csv is needed");
  data.hash = hash.hex();
  set_places(data.rows);
  return data;
}

std::string hash_of_files(const std::vector<std::string>& paths) {
  Hash hash;
  for (const std::string& path : paths) hash.add(read_file(path, largest_table));
  return hash.hex();
}

bool host_drifts(const MeasuredRow& row) {
  return row.stack == Stack::pytorch_eager && std::holds_alternative<ConvKernel>(row.kernel);
}

std::string measured_gpu_folder() { return std::string(TILEWRIGHT_VALIDATION_FOLDER) + "/measured/gpu"; }

std::string floor_key(const MeasuredRow& row) {
  return fmt::format("{}/{}/{}/{}", stack_profile(row.stack).name, row.op, row.precision, row.device);
}

KernelTime predict(const MeasuredRow& row, const GpuDevice& device, const GpuConstants& constants, Seconds floor) {
  return kernel_time(device, constants, row.kernel, {row.stack, floor});
}

std::string shape_text(const GpuKernel& kernel) { return std::visit(ShapeText{}, kernel); }

std::string shape_key(const MeasuredRow& row) { return row.op + " " + shape_text(row.kernel); }

}  // namespace tilewright
