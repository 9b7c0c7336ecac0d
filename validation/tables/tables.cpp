#include "validation/tables/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/csv.hpp"

namespace tilewright {

std::span<const TableKind> table_kinds() {
  static const std::vector<TableKind> kinds{
      {"gemm",
       {"device", "dtype", "op", "batch", "m", "n", "k", "layout", "epilogue", "latency_us", "power_w", "kernel",
        "grid", "timing", "flag", "source"}},
      {"conv", {"device", "dtype",  "phase",      "n",      "c",      "h",        "w",
                "k",      "r",      "s",          "pad_h",  "pad_w",  "stride_h", "stride_w",
                "groups", "layout", "latency_us", "kernel", "timing", "flag",     "source"}},
      {"vector", {"device", "dtype", "op", "rows", "cols", "n_inputs", "latency_us", "timing", "flag", "source"}},
      {"attention",
       {"device", "dtype", "phase", "batch", "q_len", "kv_len", "heads", "kv_heads", "head_dim", "causal", "latency_us",
        "power_w", "kernel", "timing", "flag", "source"}},
      {"microbench", {"device", "test", "level", "working_set_kb", "metric", "value", "unit", "note", "source"}},
      {"roofline_power",
       {"device", "dtype", "flop_per_byte", "bandwidth_gbps", "gflops", "clock_mhz", "power_w", "temp_c",
        "n_gpus_averaged", "source"}},
      {"devices",
       {"device",
        "arch",
        "generation",
        "compute_cap",
        "sms",
        "fp32_cores_per_sm",
        "tensor_cores_per_sm",
        "base_mhz",
        "boost_mhz",
        "fp32_tflops",
        "fp16_vector_tflops",
        "fp16_tensor_tflops",
        "bf16_tensor_tflops",
        "tf32_tensor_tflops",
        "int8_tops",
        "fp8_tensor_tflops",
        "mem_type",
        "mem_gb",
        "dram_gbps",
        "l2_mb",
        "smem_kb_per_sm",
        "regs_kb_per_sm",
        "tdp_w",
        "node_nm",
        "die_mm2",
        "launch_price_usd",
        "source",
        "notes"}},
  };
  return kinds;
}

const TableKind& table_kind(std::string_view name) {
  const auto found = std::ranges::find(table_kinds(), name, &TableKind::name);
  if (found == table_kinds().end()) throw std::logic_error(fmt::format("no table '{}'", name));
  return *found;
}

MeasuredTable::MeasuredTable(std::string_view kind, const std::vector<std::string>& further) {
  for (const std::string_view column : table_kind(kind).columns) columns_.emplace_back(column);
  for (const std::string& column : further) {
    if (std::ranges::find(columns_, column) == columns_.end()) columns_.push_back(column);
  }
}

void MeasuredTable::add(const Cells& cells) {
  std::vector<std::string> row(columns_.size());
  for (const auto& [column, text] : cells) {
    const auto found = std::ranges::find(columns_, column);
    if (found == columns_.end()) throw std::logic_error(fmt::format("no column '{}'", column));
    row[static_cast<std::size_t>(found - columns_.begin())] = text;
  }
  rows_.push_back(std::move(row));
}

std::string MeasuredTable::csv() const {
  std::string text = fmt::format("{}\n", fmt::join(columns_, ","));
  for (const std::vector<std::string>& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : ",") + csv_cell(row[i]);
    text += '\n';
  }
  return text;
}

std::string figure(double value) {
  if (value == 0) return "0";
  return value > -1e9 && value < 1e9 && (value >= 1e-4 || value <= -1e-4) ? fmt::format("{:.6g}", value)
                                                                          : fmt::format("{:.6e}", value);
}

}  // namespace tilewright
