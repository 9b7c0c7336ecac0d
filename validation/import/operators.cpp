#include "validation/import/operators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace tilewright {
namespace {

using Dims = std::vector<std::int64_t>;
using Row = std::expected<OperatorRow, std::string>;

constexpr std::int64_t longest_side = 1 << 24;  // of the tables' reader
constexpr std::int64_t longest_cols = std::int64_t{1} << 32;

const std::string no_shapes =
    "the extents were not recorded; profile with record_shapes=True, or with "
    "torch.autograd.profiler.emit_nvtx(record_shapes=True) under Nsight";
const std::string no_values =
    "stride and padding were not recorded; PyTorch 2.1 or newer records them with record_shapes=True";

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

const Dims* dims_at(const OperatorRecord& record, std::size_t i) {
  return i < record.dims.size() ? &record.dims[i] : nullptr;
}

/// The number format: by the type of the argument, else by what kernel names of cuBLAS, cuDNN, CUTLASS and PyTorch say.
std::expected<std::string, std::string> precision_of(const OperatorRecord& record, std::size_t argument,
                                                     std::string_view kernel) {
  const bool tf32 = holds(kernel, "tf32") || holds(kernel, "s1688gemm") || holds(kernel, "s1688fprop") ||
                    holds(kernel, "s1688dgrad") || holds(kernel, "s1688wgrad");
  if (argument < record.types.size()) {
    const std::string& type = record.types[argument];
    if (type == "float") return tf32 ? "tf32" : "fp32";
    if (type == "c10::Half") return "fp16";
    if (type == "c10::BFloat16") return "bf16";
    if (type.starts_with("c10::Float8_e4m3fn") || type.starts_with("c10::Float8_e5m2")) return "fp8";
    if (type == "signed char") return "int8";
    return std::unexpected(fmt::format("the tables have no number format '{}'", type));
  }
  if (const std::size_t at = kernel.find("nvjet_");
      at != std::string_view::npos) {  // nvjet_sm90_hsh, nvjet_tst: operand, sum, result
    std::string_view code = kernel.substr(at + 6);
    if (code.starts_with("sm")) code.remove_prefix(std::min(code.find('_') + 1, code.size()));
    if (code.starts_with('h')) return "fp16";
    if (code.starts_with('t')) return "bf16";
  }
  if (holds(kernel, "bf16") || holds(kernel, "BFloat16") || holds(kernel, "bfloat16")) return "bf16";
  if (holds(kernel, "fp16") || holds(kernel, "f16") || holds(kernel, "Half") || holds(kernel, "half") ||
      holds(kernel, "hgemm") || holds(kernel, "h884") || holds(kernel, "h1688") || holds(kernel, "h16816"))
    return "fp16";
  if (holds(kernel, "tf32")) return "tf32";
  if (holds(kernel, "sgemm") || holds(kernel, "float") || holds(kernel, "f32") || holds(kernel, "scudnn"))
    return "fp32";
  return std::unexpected("neither the operator nor the kernel's name says the number format");
}

std::optional<std::int64_t> product(const Dims& dims, std::size_t from, std::size_t to) {
  std::int64_t result = 1;
  for (std::size_t i = from; i < to; ++i) {
    if (dims[i] < 1 || __builtin_mul_overflow(result, dims[i], &result)) return std::nullopt;
  }
  return result;
}

/// "[1, 1]", "(1,1)", "[1]", "3": the numbers in it.
std::optional<Dims> numbers_in(std::string_view text) {
  Dims numbers;
  for (std::size_t at = 0; at < text.size();) {
    if (std::string_view("[]() ,").find(text[at]) != std::string_view::npos) {
      ++at;
      continue;
    }
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    if (error != std::errc{}) return std::nullopt;
    numbers.push_back(value);
    at = static_cast<std::size_t>(end - text.data());
  }
  return numbers.empty() ? std::nullopt : std::optional(numbers);
}

std::optional<Dims> value_at(const OperatorRecord& record, std::size_t i) {
  return i < record.values.size() ? numbers_in(record.values[i]) : std::nullopt;
}

/// Extents into cells; the reason when one is outside what the tables hold.
std::expected<void, std::string> set_sides(OperatorRow& row,
                                           const std::vector<std::pair<std::string, std::int64_t>>& sides,
                                           std::int64_t least = 1) {
  for (const auto& [name, side] : sides) {
    if (side < least || side > longest_side)
      return std::unexpected(fmt::format("{} = {} is outside the tables ({} to {})", name, side, least, longest_side));
    row.cells[name] = std::to_string(side);
  }
  return {};
}

// Products. Arguments: A [batch,] m x k and B [batch,] k x n, B the weights.

/// cuBLAS computes the transpose: its first operand is our B, its second our A. A letter is T where the inner dimension k runs along memory in B, and across it in A.
std::string letters(const OperatorRecord& record, std::size_t a, std::size_t b) {
  const auto transposed = [](const Dims& strides) {
    const std::size_t n = strides.size();
    return n >= 2 && strides[n - 2] == 1 && strides[n - 1] != 1;
  };
  return std::string(transposed(record.strides[b]) ? "T" : "N") + (transposed(record.strides[a]) ? "T" : "N");
}

Row product_row(const OperatorRecord& record, std::string_view kernel, std::size_t a, bool batched, bool bias) {
  const std::size_t b = a + 1, rank = batched ? 3 : 2;
  const Dims *left = dims_at(record, a), *right = dims_at(record, b);
  if (left == nullptr || right == nullptr) return std::unexpected(no_shapes);
  if (left->size() != rank || right->size() != rank || (*left)[rank - 1] != (*right)[rank - 2])
    return std::unexpected("the recorded extents are no product of two matrices");
  const auto precision = precision_of(record, a, kernel);
  if (!precision) return std::unexpected(precision.error());
  OperatorRow row;
  row.table = "gemm";
  row.cells = {{"dtype", *precision}, {"op", batched ? "bmm" : "linear"}, {"epilogue", bias ? "bias" : "none"}};
  row.layout_assumed =
      record.strides.size() <= b || record.strides[a].size() != rank || record.strides[b].size() != rank;
  row.cells["layout"] = row.layout_assumed ? (batched ? "NN" : "TN") : letters(record, a, b);
  if (const auto set = set_sides(row, {{"batch", batched ? (*left)[0] : 1},
                                       {"m", (*left)[rank - 2]},
                                       {"n", (*right)[rank - 1]},
                                       {"k", (*left)[rank - 1]}});
      !set)
    return std::unexpected(set.error());
  return row;
}

Row linear_row(const OperatorRecord& record, std::string_view kernel) {
  const Dims *input = dims_at(record, 0), *weight = dims_at(record, 1);
  if (input == nullptr || weight == nullptr) return std::unexpected(no_shapes);
  if (input->empty() || weight->size() != 2 || input->back() != (*weight)[1])
    return std::unexpected("the recorded extents are no linear layer");
  const auto rows = product(*input, 0, input->size() - 1);
  const auto precision = precision_of(record, 0, kernel);
  if (!precision) return std::unexpected(precision.error());
  OperatorRow row;
  row.table = "gemm";
  const bool bias = record.dims.size() > 2 && !record.dims[2].empty();
  row.cells = {{"dtype", *precision}, {"op", "linear"}, {"epilogue", bias ? "bias" : "none"}, {"layout", "TN"}};
  if (const auto set =
          set_sides(row, {{"batch", 1}, {"m", rows.value_or(0)}, {"n", (*weight)[0]}, {"k", (*weight)[1]}});
      !set)
    return std::unexpected(set.error());
  return row;
}

// Convolutions. Where an operator keeps its tensors and its lists.

struct ConvArguments {
  std::size_t input, weight, stride, padding, dilation;
  std::optional<std::size_t> transposed, groups;
};

Row conv_row(const OperatorRecord& record, std::string_view kernel, const ConvArguments& at, std::string phase) {
  const Dims *input = dims_at(record, at.input), *weight = dims_at(record, at.weight);
  if (input == nullptr || weight == nullptr) return std::unexpected(no_shapes);
  if (input->size() != 4 || weight->size() != 4) return std::unexpected("only 2-D convolutions have a table");
  const auto stride = value_at(record, at.stride), padding = value_at(record, at.padding),
             dilation = value_at(record, at.dilation);
  if (!stride || !padding || !dilation) return std::unexpected(no_values);
  const auto pair = [](const Dims& list, std::size_t i) { return list.size() > i ? list[i] : list[0]; };
  if (pair(*dilation, 0) != 1 || pair(*dilation, 1) != 1) return std::unexpected("the table has no dilation");
  if (at.transposed && *at.transposed < record.values.size() && record.values[*at.transposed] == "True")
    return std::unexpected("the table has no transposed convolution");
  // Depthwise operators have no argument for the groups: as many as channels.
  const auto groups = at.groups ? value_at(record, *at.groups) : std::optional(Dims{(*input)[1]});
  if (!groups) return std::unexpected(no_values);
  const auto precision = precision_of(record, at.input, kernel);
  if (!precision) return std::unexpected(precision.error());
  OperatorRow row;
  row.table = "conv";
  row.cells = {{"dtype", *precision}, {"phase", std::move(phase)}};
  const auto sides = set_sides(row, {{"n", (*input)[0]},
                                     {"c", (*input)[1]},
                                     {"h", (*input)[2]},
                                     {"w", (*input)[3]},
                                     {"k", (*weight)[0]},
                                     {"r", (*weight)[2]},
                                     {"s", (*weight)[3]},
                                     {"stride_h", pair(*stride, 0)},
                                     {"stride_w", pair(*stride, 1)},
                                     {"groups", (*groups)[0]}});
  if (!sides) return std::unexpected(sides.error());
  const auto pads = set_sides(row, {{"pad_h", pair(*padding, 0)}, {"pad_w", pair(*padding, 1)}}, 0);
  if (!pads) return std::unexpected(pads.error());
  if ((*input)[1] != (*weight)[1] * (*groups)[0] || (*weight)[0] % (*groups)[0] != 0 ||
      (*input)[2] + 2 * pair(*padding, 0) < (*weight)[2] || (*input)[3] + 2 * pair(*padding, 1) < (*weight)[3])
    return std::unexpected("the recorded extents are no convolution");
  return row;
}

// Vectors: element-wise operators on the tensor as it lies, softmax and layer norm along the last dimension.

Row vector_cells(const OperatorRecord& record, std::string_view kernel, std::string op,
                 std::optional<std::int64_t> rows, std::optional<std::int64_t> cols, int inputs) {
  if (!rows || !cols || *rows < 1 || *rows > longest_side || *cols > longest_cols)
    return std::unexpected("the tensor is empty or outside the tables");
  const auto precision = precision_of(record, 0, kernel);
  if (!precision) return std::unexpected(precision.error());
  return OperatorRow{"vector",
                     {{"dtype", *precision},
                      {"op", std::move(op)},
                      {"rows", std::to_string(*rows)},
                      {"cols", std::to_string(*cols)},
                      {"n_inputs", std::to_string(inputs)}}};
}

Row element_row(const OperatorRecord& record, std::string_view kernel, std::string op, bool binary) {
  const Dims* first = dims_at(record, 0);
  if (first == nullptr) return std::unexpected(no_shapes);
  if (first->empty()) return std::unexpected("a scalar has no row");
  int inputs = 1;
  if (const Dims* second = dims_at(record, 1); binary && second != nullptr && !second->empty()) {
    if (*second != *first) return std::unexpected("the table has no broadcast operands");
    inputs = 2;
  }
  return vector_cells(record, kernel, std::move(op), product(*first, 0, first->size() - 1), first->back(), inputs);
}

Row softmax_row(const OperatorRecord& record, std::string_view kernel) {
  const Dims* input = dims_at(record, 0);
  if (input == nullptr) return std::unexpected(no_shapes);
  const auto dim = value_at(record, 1);
  if (!dim) return std::unexpected("the dimension of the softmax was not recorded (PyTorch 2.1 or newer records it)");
  if (input->empty() || ((*dim)[0] != -1 && (*dim)[0] != static_cast<std::int64_t>(input->size()) - 1))
    return std::unexpected("the table has softmax along the last dimension only");
  return vector_cells(record, kernel, "softmax", product(*input, 0, input->size() - 1), input->back(), 1);
}

Row layer_norm_row(const OperatorRecord& record, std::string_view kernel) {
  const Dims *input = dims_at(record, 0), *weight = dims_at(record, 2);
  if (input == nullptr) return std::unexpected(no_shapes);
  if (weight == nullptr || weight->empty() || weight->size() > input->size())
    return std::unexpected("without weights the extent of the layer norm was not recorded");
  const std::size_t outer = input->size() - weight->size();
  return vector_cells(record, kernel, "layernorm", product(*input, 0, outer), product(*input, outer, input->size()), 1);
}

// Fused attention. `heads` and `length`: positions of the two in q, k and v of four dimensions.

Row attention_row(const OperatorRecord& record, std::string_view kernel, std::size_t heads, std::size_t length,
                  std::size_t causal_at, std::string_view library) {
  const Dims *q = dims_at(record, 0), *k = dims_at(record, 1);
  if (q == nullptr || k == nullptr) return std::unexpected(no_shapes);
  if (q->size() != 4 || k->size() != 4) return std::unexpected("sequences of unequal lengths have no row");
  if (causal_at >= record.values.size()) return std::unexpected("whether it is causal was not recorded");
  const std::int64_t queries = (*q)[length], keys = (*k)[length];
  if (queries != 1 && queries != keys)
    return std::unexpected("the table has prefill (as many queries as keys) and decode (one query) only");
  if ((*k)[heads] < 1 || (*q)[heads] % (*k)[heads] != 0) return std::unexpected("heads are no multiple of kv_heads");
  const auto precision = precision_of(record, 0, kernel);
  if (!precision) return std::unexpected(precision.error());
  OperatorRow row;
  row.table = "attention";
  row.cells = {{"dtype", *precision},
               {"phase", queries == 1 ? "decode" : "prefill"},
               {"causal", record.values[causal_at] == "True" ? "1" : "0"},
               {"kernel", std::string(library)}};
  const auto sides = set_sides(row, {{"batch", (*q)[0]},
                                     {"q_len", queries},
                                     {"kv_len", keys},
                                     {"heads", (*q)[heads]},
                                     {"kv_heads", (*k)[heads]},
                                     {"head_dim", (*q)[3]}});
  if (!sides) return std::unexpected(sides.error());
  return row;
}

/// One line for each operator whose arguments we know (signatures: native_functions.yaml of PyTorch).
struct Entry {
  std::string_view name;
  Row (*read)(const OperatorRecord&, std::string_view kernel);
};

Row backward_conv_row(const OperatorRecord& record, std::string_view kernel, std::string_view phase) {
  if (phase.empty())
    return std::unexpected("the kernels of the call do not all say to which of the two backward passes they belong");
  return conv_row(record, kernel, {1, 2, 4, 5, 6, 7, 9}, std::string(phase));
}

constexpr std::array entries{
    Entry{"aten::mm", [](auto& r, auto k) { return product_row(r, k, 0, false, false); }},
    Entry{"aten::addmm", [](auto& r, auto k) { return product_row(r, k, 1, false, true); }},
    Entry{"aten::_addmm_activation", [](auto& r, auto k) { return product_row(r, k, 1, false, true); }},
    Entry{"aten::_scaled_mm", [](auto& r, auto k) { return product_row(r, k, 0, false, false); }},
    Entry{"aten::_int_mm", [](auto& r, auto k) { return product_row(r, k, 0, false, false); }},
    Entry{"aten::bmm", [](auto& r, auto k) { return product_row(r, k, 0, true, false); }},
    Entry{"aten::baddbmm", [](auto& r, auto k) { return product_row(r, k, 1, true, true); }},
    Entry{"aten::linear", linear_row},
    Entry{"aten::cudnn_convolution",
          [](auto& r, auto k) {
            return conv_row(r, k, {0, 1, 3, 2, 4, std::nullopt, 5}, "fwd");
          }},
    Entry{"aten::conv2d",
          [](auto& r, auto k) {
            return conv_row(r, k, {0, 1, 3, 4, 5, std::nullopt, 6}, "fwd");
          }},
    Entry{"aten::convolution",
          [](auto& r, auto k) {
            return conv_row(r, k, {0, 1, 3, 4, 5, 6, 8}, "fwd");
          }},
    Entry{"aten::_convolution",
          [](auto& r, auto k) {
            return conv_row(r, k, {0, 1, 3, 4, 5, 6, 8}, "fwd");
          }},
    Entry{"aten::_conv_depthwise2d",
          [](auto& r, auto k) {
            return conv_row(r, k, {0, 1, 4, 5, 6, std::nullopt, std::nullopt}, "fwd");
          }},
    Entry{"aten::add", [](auto& r, auto k) { return element_row(r, k, "add", true); }},
    Entry{"aten::add_", [](auto& r, auto k) { return element_row(r, k, "add", true); }},
    Entry{"aten::relu", [](auto& r, auto k) { return element_row(r, k, "relu", false); }},
    Entry{"aten::relu_", [](auto& r, auto k) { return element_row(r, k, "relu", false); }},
    Entry{"aten::clamp_min", [](auto& r, auto k) { return element_row(r, k, "relu", false); }},
    Entry{"aten::clamp_min_", [](auto& r, auto k) { return element_row(r, k, "relu", false); }},
    Entry{"aten::gelu", [](auto& r, auto k) { return element_row(r, k, "gelu", false); }},
    Entry{"aten::tanh", [](auto& r, auto k) { return element_row(r, k, "tanh", false); }},
    Entry{"aten::pow", [](auto& r, auto k) { return element_row(r, k, "pow", false); }},
    Entry{"aten::_softmax", softmax_row},
    Entry{"aten::softmax", softmax_row},
    Entry{"aten::native_layer_norm", layer_norm_row},
    Entry{"aten::layer_norm", layer_norm_row},
    Entry{"aten::_flash_attention_forward",
          [](auto& r, auto k) { return attention_row(r, k, 2, 1, 8, "torch_flash_attn"); }},
    Entry{"aten::_scaled_dot_product_flash_attention",
          [](auto& r, auto k) { return attention_row(r, k, 1, 2, 4, "torch_flash_attn"); }},
};

const Entry* entry_of(std::string_view name) {
  const auto found = std::ranges::find(entries, name, &Entry::name);
  return found == entries.end() ? nullptr : &*found;
}

}  // namespace

bool has_table(std::string_view operator_name) {
  return operator_name == backward_convolution || entry_of(operator_name) != nullptr;
}

bool is_layout_conversion(std::string_view kernel) {
  return holds(kernel, "nchwToNhwc") || holds(kernel, "nhwcToNchw");
}

std::string_view backward_phase(std::string_view kernel) {
  if (holds(kernel, "dgrad") || holds(kernel, "bwd_data")) return "bwd_data";
  if (holds(kernel, "wgrad") || holds(kernel, "bwd_filter")) return "bwd_filter";
  return "";
}

std::string_view only_phase(const OperatorRecord& record) {
  constexpr std::size_t mask = 10;
  if (record.name != backward_convolution || mask >= record.values.size()) return "";
  if (record.values[mask].starts_with("[False, True")) return "bwd_filter";
  return record.values[mask].starts_with("[True, False") ? "bwd_data" : "";
}

std::expected<OperatorRow, std::string> operator_row(const OperatorRecord& record, std::string_view kernel,
                                                     std::string_view phase) {
  if (!has_table(record.name)) return std::unexpected(fmt::format("no table for the operator '{}'", record.name));
  if (record.dims.empty()) return std::unexpected(no_shapes);
  if (record.name == backward_convolution) return backward_conv_row(record, kernel, phase);
  return entry_of(record.name)->read(record, kernel);
}

std::expected<OperatorRecord, std::string> operator_of_range(std::string_view text) {
  const std::size_t sizes = text.rfind("sizes = [");
  const std::size_t name = sizes == std::string_view::npos ? sizes : text.rfind("aten::", sizes);
  if (name == std::string_view::npos)
    return std::unexpected("the kernel is in no range with extents; " + no_shapes.substr(no_shapes.find("profile")));
  OperatorRecord record;
  record.name = text.substr(name, text.find_first_of(", :", name + 6) - name);
  int depth = 0;
  Dims inner;
  for (std::size_t at = sizes + 8; at < text.size();) {
    const char c = text[at];
    if (c == '[') {
      ++depth;
      if (depth == 2) inner.clear();
      ++at;
    } else if (c == ']') {
      --depth;
      if (depth == 1) record.dims.push_back(inner);
      if (depth == 0) return record;
      ++at;
    } else if (c == ',' || c == ' ') {
      ++at;
    } else {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
      if (error != std::errc{}) break;
      inner.push_back(value);
      at = static_cast<std::size_t>(end - text.data());
    }
  }
  return std::unexpected("the range's sizes are cut off");
}

}  // namespace tilewright
