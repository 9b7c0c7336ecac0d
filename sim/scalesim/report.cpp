#include "sim/scalesim/report.hpp"

#include <fmt/format.h>

namespace tilewright {
namespace {

/// As Python prints a float: the shortest form, with ".0" behind a whole number.
std::string number(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string table(std::string_view header, const std::vector<ScaleSimResult>& layers,
                  std::vector<std::string> (*cells)(const ScaleSimResult&)) {
  std::string out = fmt::format("LayerID, {},\n", header);
  for (std::size_t id = 0; id < layers.size(); ++id)
    out += fmt::format("{}, {},\n", id, fmt::join(cells(layers[id]), ", "));
  return out;
}

std::string compute_report(const std::vector<ScaleSimResult>& layers) {
  return table("Total Cycles, Stall Cycles, Overall Util %, Mapping Efficiency %, Compute Util %", layers,
               [](const ScaleSimResult& layer) -> std::vector<std::string> {
                 return {std::to_string(layer.total_cycles), std::to_string(layer.stall_cycles),
                         number(layer.overall_util_pct), number(layer.mapping_eff_pct), number(layer.compute_util_pct)};
               });
}

std::string bandwidth_report(const std::vector<ScaleSimResult>& layers) {
  return table(
      "Avg IFMAP SRAM BW, Avg FILTER SRAM BW, Avg OFMAP SRAM BW, Avg IFMAP DRAM BW, Avg FILTER DRAM BW, Avg OFMAP DRAM "
      "BW",
      layers, [](const ScaleSimResult& layer) {
        std::vector<std::string> cells;
        for (std::size_t o = 0; o < layer.sram.size(); ++o) cells.push_back(number(layer.sram_bandwidth(o)));
        for (std::size_t o = 0; o < layer.dram.size(); ++o) cells.push_back(number(layer.dram_bandwidth(o)));
        return cells;
      });
}

std::string access_report(const std::vector<ScaleSimResult>& layers) {
  std::string header;
  for (const char* side : {"SRAM", "DRAM"}) {
    for (const char* operand : {"IFMAP", "Filter", "OFMAP"}) {
      const char* words = operand == std::string_view("OFMAP") ? "Writes" : "Reads";
      header += fmt::format("{}{} {} Start Cycle, {} {} Stop Cycle, {} {} {}", header.empty() ? "" : ", ", side,
                            operand, side, operand, side, operand, words);
    }
  }
  return table(header, layers, [](const ScaleSimResult& layer) {
    std::vector<std::string> cells;
    for (const auto& spans : {layer.sram, layer.dram}) {
      for (const AccessSpan& span : spans) {
        for (const std::int64_t value : {span.start, span.stop, span.words}) cells.push_back(std::to_string(value));
      }
    }
    return cells;
  });
}

}  // namespace

std::span<const ScaleSimReport> scalesim_reports() {
  static constexpr std::array reports{
      ScaleSimReport{"COMPUTE_REPORT.csv", compute_report},
      ScaleSimReport{"BANDWIDTH_REPORT.csv", bandwidth_report},
      ScaleSimReport{"DETAILED_ACCESS_REPORT.csv", access_report},
  };
  return reports;
}

}  // namespace tilewright
