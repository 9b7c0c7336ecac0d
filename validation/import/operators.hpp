// What a framework's operator is in the tables: from its name, extents and arguments to a row's cells.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

/// An operator of PyTorch as a profiler recorded it. Empty lists: not recorded.
struct OperatorRecord {
  std::string name;                             // "aten::addmm"
  std::vector<std::vector<std::int64_t>> dims;  // extents of each argument, {} for a scalar
  std::vector<std::vector<std::int64_t>> strides;
  std::vector<std::string> types;   // "c10::Half", as the trace writes them
  std::vector<std::string> values;  // "[1, 1]": arguments that are no tensors

  auto operator<=>(const OperatorRecord&) const = default;
};

/// Where a call belongs and what its row says; the time and the device come from elsewhere.
struct OperatorRow {
  std::string table;  // "gemm"
  std::map<std::string, std::string> cells;
  bool layout_assumed = false;  // the strides were not recorded

  auto operator<=>(const OperatorRow&) const = default;
};

/// A row, or the reason why there is none. `kernel`: name of the longest kernel, which tells TF32 from fp32, and the number format where the types were not recorded.
/// `phase`: of a backward convolution.
std::expected<OperatorRow, std::string> operator_row(const OperatorRecord& record, std::string_view kernel,
                                                     std::string_view phase = "");
/// True for operators that have a table, whatever their arguments.
bool has_table(std::string_view operator_name);
/// True for the kernels by which cuDNN turns channels-first tensors into channels-last ones and back.
bool is_layout_conversion(std::string_view kernel);
/// "bwd_data" or "bwd_filter" by the name of a backward convolution's kernel, as older libraries spell it; "": the name does not say.
std::string_view backward_phase(std::string_view kernel);
/// The pass of a backward convolution that computes one gradient only, by its output mask; "": both, or another operator.
std::string_view only_phase(const OperatorRecord& record);
constexpr std::string_view backward_convolution = "aten::convolution_backward";
/// An operator recorded as an NVTX range "aten::mm, seq = 3, op_id = 7, sizes = [[64, 32], [32, 16]]"; the innermost (last) one of the text that has sizes.
/// None: the text names no operator with sizes.
std::expected<OperatorRecord, std::string> operator_of_range(std::string_view text);

}  // namespace tilewright
