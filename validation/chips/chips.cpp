#include "validation/chips/chips.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "arch_models/load.hpp"
#include "core/csv.hpp"
#include "core/data_folder.hpp"
#include "sim/network/network.hpp"
#include "workloads/onnx/load.hpp"

namespace tilewright {
namespace {

constexpr std::size_t worst_shown = 3;

/// A row of the table, checked; times in milliseconds, rates in samples per second.
struct Published {
  std::string chip, workload, quantity, software, place;
  Precision precision;
  double value = 0;
};

Published read_row(const CsvTable& table, const CsvRow& row) {
  const auto cell = [&](std::string_view column) { return table.text(row, table.column(column)); };
  const auto fail = [&](std::string_view column, const std::string& message) {
    throw InputError({table.file, row.line, 0, std::string(column)}, message);
  };
  const std::string quantity = cell("quantity"), format = cell("precision");
  const std::vector<std::string> quantities{"latency", "throughput", "compute_time"};
  if (std::ranges::find(quantities, quantity) == quantities.end())
    fail("quantity", unknown_message("quantity", quantity, quantities));
  const std::string unit = quantity == "throughput" ? "1/s" : "ms";
  if (cell("unit") != unit) fail("unit", fmt::format("a {} is given in {}", quantity, unit));
  const std::optional<Precision> precision = precision_from(format);
  if (!precision) fail("precision", unknown_message("precision", format, precision_names()));
  const double value = table.number(row, table.column("value"));
  if (value <= 0) fail("value", "a time or rate is above 0");
  return {cell("chip"),
          cell("workload"),
          quantity,
          cell("software"),
          fmt::format("{}:{}", table.file, row.line),
          *precision,
          value};
}

/// A chip file beside the table, or a chip of the library.
std::string chip_path(const std::filesystem::path& folder, const std::string& chip) {
  return chip.ends_with(".yaml") ? (folder / chip).string() : chip;
}

/// A graph beside the table or of the library; anything else is a generator.
std::string workload_path(const std::filesystem::path& folder, const std::string& workload) {
  if (!workload.ends_with(".onnx")) return workload;
  if (const std::filesystem::path beside = folder / workload; std::filesystem::exists(beside)) return beside.string();
  return data_folder(TILEWRIGHT_WORKLOADS_FOLDER, "workloads", "models") + "/" + workload;
}

double predicted(const NetworkEvaluation& network, const Chip& chip, const std::string& quantity) {
  if (quantity == "throughput") return network.throughput_per_s;
  if (quantity == "latency") return 1e3 * network.latency.value;
  Cycles array;
  for (const LayerEvaluation& layer : network.layers) {
    for (const auto& [kernel, times] : layer.kernels)
      array += static_cast<double>(times * layer.repeat) * kernel.compute.cycles;
  }
  return 1e3 * (array / chip.clock).value;
}

}  // namespace

SuiteResult validate_chips(const std::string& file, int jobs) {
  const std::string path =
      file.empty() ? data_folder(TILEWRIGHT_VALIDATION_FOLDER, "validation", "measured/chips") + "/published.csv"
                   : file;
  const CsvTable table = read_csv(path);
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  NetworkOptions options;
  options.jobs = jobs;
  options.precision_given = true;
  std::map<std::vector<std::string>, std::vector<Compared>> groups;  // family, chip, software, quantity
  SuiteResult result;
  result.suite = "chips";
  result.data = file.empty() ? "validation/measured/chips/published.csv" : file;
  result.pass = true;
  for (const CsvRow& line : table.rows) {
    const Published row = read_row(table, line);
    const Chip chip = load_chip(chip_path(folder, row.chip));
    WorkloadRequest request;
    request.workload = workload_path(folder, row.workload);
    request.precision = row.precision;
    const NetworkEvaluation network = evaluate_network(prepare_workload(request), chip, options);
    if (!network.failure.empty()) {
      result.pass = false;
      result.notes.push_back(fmt::format("{}: {} on {}: {}", row.place, row.workload, row.chip, network.failure));
      continue;
    }
    const double ours = predicted(network, chip, row.quantity);
    const std::string unit = row.quantity == "throughput" ? "1/s" : "ms";
    const Compared one{ours / row.value,
                       fmt::format("line {}: {} {} on {}: published {:g} {}, predicted {:.4g} {}", line.line,
                                   row.workload, name(row.precision), row.chip, row.value, unit, ours, unit)};
    const std::string family(family_of(chip).name);
    groups[{"*", "*", "*", "*"}].push_back(one);
    groups[{family, "*", "*", "*"}].push_back(one);
    groups[{family, chip.name, "*", "*"}].push_back(one);
    groups[{family, chip.name, row.software, row.quantity}].push_back(one);
  }
  for (auto& [key, rows] : groups) {
    result.groups.push_back(
        measured_group({{"family", key[0]}, {"chip", key[1]}, {"software", key[2]}, {"quantity", key[3]}},
                       std::move(rows), key[3] == "*" ? 0 : worst_shown));
  }
  return result;
}

}  // namespace tilewright
