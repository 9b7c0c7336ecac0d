#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "validation/import/calls.hpp"
#include "validation/import/csv_stream.hpp"

namespace tilewright {
namespace {

using Cells = std::vector<std::string>;

bool has(const Cells& header, std::string_view name) { return std::ranges::find(header, name) != header.end(); }

bool has_prefix(const Cells& header, std::string_view name) {
  return std::ranges::any_of(header, [&](const std::string& column) { return column.starts_with(name); });
}

bool is_raw_page(const Cells& header) { return has_prefix(header, "gpu__time_duration"); }
bool is_ncu(const Cells& header) {
  return has(header, "Kernel Name") &&
         ((has(header, "Metric Name") && has(header, "Metric Value")) || is_raw_page(header));
}
bool is_nsys(const Cells& header) {
  return has_prefix(header, "Total Time") && (has(header, "Name") || has(header, "Kernel Name")) &&
         (has_prefix(header, "Instances") || has_prefix(header, "Kern Inst"));
}
bool is_known(const Cells& header) { return is_ncu(header) || is_nsys(header); }

/// Microseconds in one unit of a column.
double unit_us(const CsvStream& table, const CsvRow& row, std::size_t column, std::string_view unit) {
  static const std::map<std::string, double, std::less<>> units{{"ns", 1e-3},   {"nsecond", 1e-3}, {"us", 1},
                                                                {"usecond", 1}, {"ms", 1e3},       {"msecond", 1e3},
                                                                {"s", 1e6},     {"second", 1e6}};
  const auto found = units.find(unit);
  if (found == units.end())
    table.fail(row, column, fmt::format("unknown unit of time '{}'; known: ns, us, ms, s", shown(unit)));
  return found->second;
}

/// A kernel with the ranges that it ran in: an operator with extents, or the reason why there is none.
OperatorCall call_of(std::string_view ranges, std::string kernel, double us, std::int64_t launches) {
  OperatorCall call;
  call.kernel = std::move(kernel);
  call.us = us;
  call.launches = launches;
  if (auto record = operator_of_range(ranges))
    call.record = std::move(*record);
  else
    call.reason = record.error();
  return call;
}

std::string ranges_of(const CsvStream& table, const CsvRow& row) {
  std::string text;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    if (table.header()[i].find("Push/Pop_Range") != std::string::npos ||
        table.header()[i].find("Start/Stop_Range") != std::string::npos)
      text += row.cells[i] + " ";
  }
  return text;
}

/// Kernels that belong to one operator: their time together, the name of the longest.
struct Together {
  std::string kernel;
  double us = 0, longest = -1;
  std::int64_t launches = 0;
  bool converts_layout = false;

  void add(const std::string& name, double kernel_us, std::int64_t count) {
    if (kernel_us > longest) {
      longest = kernel_us;
      kernel = name;
    }
    us += kernel_us;
    launches += count;
    converts_layout |= is_layout_conversion(name);
  }
  void deliver(std::string_view ranges, const CallSink& sink) const {
    OperatorCall call = call_of(ranges, kernel, us, launches);
    call.converts_layout = converts_layout;
    sink(call);
  }
};

/// One launch a row (page raw), or one metric a row (page details). Launches that follow one another in the same range are one call: the range of an operator names its call.
class Launches {
 public:
  void add(const CsvStream& table, const CsvRow& row, const CallSink& sink) {
    const std::size_t kernel = *table.column({"Kernel Name"});
    if (is_raw_page(table.header())) {
      const std::size_t duration = *table.column({"gpu__time_duration.sum", "gpu__time_duration"});
      if (row.cells[kernel].empty()) {  // the row of units below the header
        raw_unit_ = row.cells[duration];
        return;
      }
      if (raw_unit_.empty()) table.fail(row, duration, "the row of units below the header is missing");
      launch(table, row, table.number(row, duration) * unit_us(table, row, duration, raw_unit_), sink);
      return;
    }
    const std::string& metric = row.cells[*table.column({"Metric Name"})];
    if (metric != "Duration" && !metric.starts_with("gpu__time_duration")) return;
    const std::optional<std::size_t> unit = table.column({"Metric Unit"});
    const std::size_t value = *table.column({"Metric Value"});
    if (!unit) table.fail(row, value, "the column 'Metric Unit' is missing");
    launch(table, row, table.number(row, value) * unit_us(table, row, *unit, row.cells[*unit]), sink);
  }

  void deliver(const CallSink& sink) {
    if (call_.launches > 0) call_.deliver(ranges_, sink);
    call_ = {};
  }

 private:
  void launch(const CsvStream& table, const CsvRow& row, double us, const CallSink& sink) {
    std::string ranges = ranges_of(table, row);
    if (ranges != ranges_ || ranges.find("op_id") == std::string::npos) deliver(sink);
    ranges_ = std::move(ranges);
    call_.add(row.cells[*table.column({"Kernel Name"})], us, 1);
  }

  std::string raw_unit_, ranges_;
  Together call_;
};

/// "Total Time (ns)" -> "ns".
std::string unit_of(const std::string& column) {
  const std::size_t open = column.find('('), close = column.find(')');
  return open == std::string::npos || close == std::string::npos ? "ns" : column.substr(open + 1, close - open - 1);
}

/// Kernels of a summary, by range where the report has ranges: those of one range belong to one operator.
class Ranges {
 public:
  void add(const CsvStream& table, const CsvRow& row, const CallSink& sink) {
    const std::size_t total = *table.column({"Total Time"});
    const std::size_t name = table.column({"Kernel Name"}).value_or(*table.column({"Kernel Name", "Name"}));
    const std::size_t instances = *table.column({"Kern Inst", "Instances"});
    const double us = table.number(row, total) * unit_us(table, row, total, unit_of(table.header()[total]));
    const double launches = table.number(row, instances);
    if (launches < 1) table.fail(row, instances, "a kernel ran at least once");
    const std::optional<std::size_t> range = table.column({"NVTX Range"}), times = table.column({"NVTX Inst"});
    if (!range || !times) {
      sink(call_of("", row.cells[name], us, static_cast<std::int64_t>(launches)));
      return;
    }
    const double calls = table.number(row, *times);
    if (calls < 1) table.fail(row, *times, "a range was entered at least once");
    ranges_[row.cells[*range]].add(row.cells[name], us / calls, static_cast<std::int64_t>(launches));
  }

  void deliver(const CallSink& sink) const {
    for (const auto& [text, kernels] : ranges_) kernels.deliver(text, sink);
  }

 private:
  std::map<std::string, Together> ranges_;
};

}  // namespace

void read_nsight(std::istream& in, const std::string& path, const CallSink& sink) {
  CsvStream table(in, path, is_known);
  Launches launches;
  Ranges ranges;
  while (const std::optional<CsvRow> row = table.next()) {
    if (is_ncu(table.header()))
      launches.add(table, *row, sink);
    else
      ranges.add(table, *row, sink);
  }
  if (table.header().empty())
    throw InputError({path, 0, 0, ""},
                     "no table of kernels here; known: a Chrome trace of torch.profiler (.json), `ncu --csv` with the "
                     "kernels' durations, `nsys stats --format csv` "
                     "(cuda_gpu_kern_sum, nvtx_kern_sum)");
  launches.deliver(sink);
  ranges.deliver(sink);
}

}  // namespace tilewright
