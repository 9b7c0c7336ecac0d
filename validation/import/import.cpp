#include "validation/import/import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "core/csv.hpp"
#include "core/diagnostics.hpp"
#include "validation/import/calls.hpp"
#include "validation/tables/device_name.hpp"
#include "validation/tables/sample.hpp"
#include "validation/tables/tables.hpp"

namespace tilewright {
namespace {

namespace fs = std::filesystem;

struct Format {
  std::string source, timing;
  void (*read)(std::istream&, const std::string&, const CallSink&);
};

/// By the first bytes: JSON, or the header of a report.
Format format_of(std::istream& in, const std::string& path) {
  std::string start(4096, '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(in.gcount()));
  in.clear();
  in.seekg(0);
  if (start.empty()) throw InputError({path, 0, 0, ""}, "the file is empty");
  if (start.starts_with("\x1f\x8b"))
    throw InputError({path, 0, 0, ""}, "the file is compressed; unpack it first (gzip -d)");
  const std::size_t first = start.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first != std::string::npos && (start[first] == '{' || start[first] == '['))
    return {"torch.profiler", "profiler_kernel", read_torch_trace};
  if (start.find("Metric Name") != std::string::npos || start.find("gpu__time_duration") != std::string::npos ||
      start.find("==PROF==") != std::string::npos)
    return {"ncu", "ncu_kernel", read_nsight};
  return {"nsys", "profiler_kernel", read_nsight};
}

/// Calls by row: equal shapes on one device become one row.
class Collection {
 public:
  Collection(const ImportRequest& request, CsvTable devices) : request_(request), devices_(std::move(devices)) {
    for (const CsvRow& row : devices_.rows) keys_.push_back(devices_.text(row, devices_.column("device")));
    if (!request_.device.empty() && std::ranges::find(keys_, request_.device) == keys_.end())
      throw InputError({"--device", 0, 0, ""}, unknown_message("device", request_.device, keys_));
  }

  void read(const std::string& path) {
    std::error_code ignored;
    std::ifstream in(path, std::ios::binary);
    if (fs::is_directory(path, ignored) || !in) throw InputError({path, 0, 0, ""}, "no such file, or not readable");
    const Format format = format_of(in, path);
    // The table's kernel cell of products and convolutions is the kernel's own name.
    format.read(in, path, [&](const OperatorCall& call) { take(call, format, path); });
  }

  Imported result() const {
    Imported imported;
    std::map<std::string, MeasuredTable> tables;
    std::set<std::string> used;
    bool assumed = false;
    for (const auto& [key, sample] : rows_) {
      const SampleSummary summary = summary_of(sample.us);
      MeasuredTable::Cells cells = key.row.cells;
      cells["device"] = key.device;
      cells["latency_us"] = figure(summary.median);
      cells["timing"] = key.timing;
      cells["source"] = key.source;
      if (key.row.table == "gemm" || key.row.table == "conv") cells["kernel"] = sample.kernel;
      cells["samples"] = std::to_string(summary.count);
      cells["p5_us"] = figure(summary.p5);
      cells["p95_us"] = figure(summary.p95);
      tables.try_emplace(key.row.table, key.row.table, std::vector<std::string>{"samples", "p5_us", "p95_us"})
          .first->second.add(cells);
      used.insert(key.device);
      assumed |= key.row.layout_assumed;
    }
    for (const auto& [name, table] : tables) {
      imported.tables[name + ".csv"] = table.csv();
      imported.rows[name] = table.size();
    }
    imported.tables["devices.csv"] = device_rows(used);
    for (const auto& [kernel, left] : left_)
      imported.left.push_back({kernel.first, kernel.second, left.launches, left.us});
    std::ranges::stable_sort(imported.left, std::greater{}, &NotImported::total_us);
    if (assumed)
      imported.notes.emplace_back(
          "layout assumed where the trace holds no strides: TN (weights stored n x k) for linear, NN for batched "
          "products");
    return imported;
  }

 private:
  struct Key {
    OperatorRow row;
    std::string device, timing, source;
    auto operator<=>(const Key&) const = default;
  };
  struct Sample {
    std::vector<double> us;
    std::string kernel;  // of the first call
  };
  struct Left {
    std::int64_t launches = 0;
    double us = 0;
  };

  void leave(const OperatorCall& call, const std::string& reason) {
    Left& left = left_[{call.kernel, reason}];
    left.launches += call.launches;
    left.us += call.us;
  }

  void take(const OperatorCall& call, const Format& format, const std::string& path) {
    if (call.record.name.empty()) return leave(call, call.reason);
    auto row = operator_row(call.record, call.kernel, call.phase);
    if (!row) return leave(call, row.error());
    // Tensor cores want channels last: a call without conversions had such tensors, or a filter that needs none.
    if (row->table == "conv")
      row->cells["layout"] = call.converts_layout || row->cells["dtype"] == "fp32" ? "NCHW" : "NHWC";
    if (call.us <= 0) return leave(call, "the recorded time is 0");
    Sample& sample = rows_[{*row, device_of(call, path), format.timing, format.source}];
    if (sample.us.empty()) sample.kernel = call.kernel;
    sample.us.push_back(call.us);
  }

  std::string device_of(const OperatorCall& call, const std::string& path) const {
    if (!request_.device.empty()) return request_.device;
    if (call.device.empty())
      throw InputError({path, 0, 0, ""}, "the file does not say on which GPU it was measured; name it: --device NAME");
    if (const auto key = device_key(call.device, keys_)) return *key;
    throw InputError({path, 0, 0, "deviceProperties"},
                     fmt::format("the GPU '{}' fits no single row of the device table; name its row (--device), or add "
                                 "one to a copy of the table (--devices). {}",
                                 shown(call.device), unknown_message("device", new_device_key(call.device), keys_)));
  }

  std::string device_rows(const std::set<std::string>& used) const {
    std::string text = fmt::format("{}\n", fmt::join(devices_.header, ","));
    for (const CsvRow& row : devices_.rows) {
      if (!used.contains(devices_.text(row, devices_.column("device")))) continue;
      for (std::size_t i = 0; i < row.cells.size(); ++i) text += (i == 0 ? "" : ",") + csv_cell(row.cells[i]);
      text += '\n';
    }
    return text;
  }

  const ImportRequest& request_;
  CsvTable devices_;
  std::vector<std::string> keys_;
  std::map<Key, Sample> rows_;
  std::map<std::pair<std::string, std::string>, Left> left_;
};

}  // namespace

Imported import_measurements(const ImportRequest& request) {
  Collection collection(request, read_csv(request.devices));
  for (const std::string& path : request.files) collection.read(path);
  return collection.result();
}

}  // namespace tilewright
