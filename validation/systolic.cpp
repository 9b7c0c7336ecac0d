#include "validation/systolic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/csv.hpp"
#include "core/data_folder.hpp"
#include "sim/scalesim/scalesim.hpp"

namespace tilewright {
namespace {

constexpr double tolerance = 1e-9;
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

/// A row of the table by the names of its columns.
struct Row {
  const CsvTable& table;
  const CsvRow& row;

  std::int64_t size(std::string_view name) const {
    return table.integer(row, table.column(name), 1, std::int64_t{1} << 31);
  }
  std::int64_t integer(std::string_view name) const {
    return table.integer(row, table.column(name), -largest, largest);
  }
  double number(std::string_view name) const { return table.number(row, table.column(name)); }
  const std::string& text(std::string_view name) const { return table.text(row, table.column(name)); }

  std::size_t choice(std::string_view name, const std::vector<std::string>& known) const {
    const auto found = std::find(known.begin(), known.end(), text(name));
    if (found == known.end()) {
      throw InputError({.file = table.file, .line = row.line, .column = 0, .key = std::string(name)},
                       unknown_message("value", text(name), known));
    }
    return static_cast<std::size_t>(found - known.begin());
  }
};

ScaleSimLayer layer_of(const Row& row) {
  ScaleSimLayer layer{row.text("layer"),       row.size("ifmap_h"),  row.size("ifmap_w"),
                      row.size("filter_h"),    row.size("filter_w"), row.size("channels"),
                      row.size("num_filters"), row.size("stride_h"), row.size("stride_w")};
  if (layer.filter_h > layer.ifmap_h || layer.filter_w > layer.ifmap_w) {
    throw InputError({.file = row.table.file, .line = row.row.line, .column = 0, .key = "filter_h"},
                     "the filter is larger than the ifmap");
  }
  return layer;
}

ScaleSimConfig config_of(const Row& row) {
  ScaleSimConfig config;
  config.rows = row.size("rows");
  config.cols = row.size("cols");
  config.ifmap_kib = row.size("ifmap_sram_kb");
  config.filter_kib = row.size("filter_sram_kb");
  config.ofmap_kib = row.size("ofmap_sram_kb");
  config.dataflow = static_cast<ScaleSimDataflow>(row.choice("dataflow", {"os", "ws", "is"}));
  config.user_bandwidth = row.choice("bw_mode", {"CALC", "USER"}) == 1;
  if (config.user_bandwidth) config.bandwidth = row.size("bw_words_per_cycle");
  return config;
}

/// The fields of a row that differ, as "total_cycles 10, expected 11"; empty when it is the same.
std::vector<std::string> differences(const Row& row, const ScaleSimResult& result) {
  std::vector<std::string> found;
  const auto integer = [&](std::string_view name, std::int64_t got) {
    const std::int64_t expected = row.integer(name);
    if (got != expected) found.push_back(fmt::format("{} {}, expected {}", name, got, expected));
  };
  const auto number = [&](std::string_view name, double got) {
    const double expected = row.number(name);
    if (!(std::abs(got - expected) <= tolerance * std::abs(expected)))
      found.push_back(fmt::format("{} {:.12g}, expected {:.12g}", name, got, expected));
  };
  integer("total_cycles", result.total_cycles);
  integer("stall_cycles", result.stall_cycles);
  number("overall_util_pct", result.overall_util_pct);
  number("mapping_eff_pct", result.mapping_eff_pct);
  number("compute_util_pct", result.compute_util_pct);
  for (std::size_t o = 0; o < ScaleSimResult::operands.size(); ++o) {
    const std::string_view name = ScaleSimResult::operands[o];
    const std::string_view words = name == "ofmap" ? "writes" : "reads";
    for (const auto& [side, span] : {std::pair{"sram", result.sram[o]}, std::pair{"dram", result.dram[o]}}) {
      integer(fmt::format("{}_{}_start", side, name), span.start);
      integer(fmt::format("{}_{}_stop", side, name), span.stop);
      integer(fmt::format("{}_{}_{}", side, name, words), span.words);
    }
    number(fmt::format("avg_{}_sram_bw", name), result.sram_bandwidth(o));
    number(fmt::format("avg_{}_dram_bw", name), result.dram_bandwidth(o));
  }
  return found;
}

SuiteGroup& group_of(std::vector<SuiteGroup>& groups, const std::string& mode, const std::string& dataflow) {
  const std::map<std::string, std::string> keys{{"mode", mode}, {"dataflow", dataflow}};
  for (SuiteGroup& group : groups)
    if (group.keys == keys) return group;
  SuiteGroup group;
  group.keys = keys;
  groups.push_back(group);
  return groups.back();
}

}  // namespace

SuiteResult validate_systolic(const std::string& data) {
  const std::string path =
      data.empty() ? data_folder(TILEWRIGHT_VALIDATION_FOLDER, "validation", "measured/scalesim") + "/golden_v2.csv"
                   : data;
  const CsvTable table = read_csv(path);
  SuiteResult result;
  result.suite = "systolic";
  result.data = path;
  group_of(result.groups, "*", "*");
  for (const CsvRow& csv_row : table.rows) {
    const Row row{table, csv_row};
    const ScaleSimConfig config = config_of(row);
    const std::vector<std::string> differing =
        differences(row, simulate_scalesim(layer_of(row), config, ScaleSimDetail::memory));
    group_of(result.groups, row.text("bw_mode"), row.text("dataflow"));  // may move the others
    for (SuiteGroup* group :
         {&group_of(result.groups, "*", "*"), &group_of(result.groups, row.text("bw_mode"), row.text("dataflow"))}) {
      ++group->n;
      if (differing.empty()) continue;
      ++group->mismatches;
      const std::string where = fmt::format("line {}, {} {} on {}x{}: {}", csv_row.line, row.text("topology"),
                                            row.text("layer"), config.rows, config.cols, fmt::join(differing, "; "));
      if (group->first_mismatch.empty()) group->first_mismatch = where;
      group->worst.push_back(where);
    }
  }
  const SuiteGroup& all = result.groups.front();
  result.pass = all.n > 0 && all.mismatches == 0;
  result.notes.emplace_back(
      "compared: every integer of COMPUTE, BANDWIDTH and DETAILED_ACCESS reports exactly, the other figures to 1e-9");
  return result;
}

}  // namespace tilewright
