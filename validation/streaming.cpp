#include "validation/streaming.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/csv.hpp"
#include "core/data_folder.hpp"
#include "sim/systemc/simulate.hpp"
#include "sim/twin/pipeline.hpp"

namespace tilewright {
namespace {

/// Stages of one design in the order of the table, and their bounds.
struct Design {
  std::vector<PipelineStage> stages;
  Cycles slowest, sum;
};

[[noreturn]] void fail(const CsvTable& table, const CsvRow& row, std::string key, const std::string& message) {
  throw InputError({.file = table.file, .line = row.line, .column = 0, .key = std::move(key)}, message);
}

void add_stage(Design& design, const CsvTable& table, const CsvRow& row) {
  const auto integer = [&](std::string_view name, std::int64_t least) {
    return table.integer(row, table.column(name), least, std::int64_t{1} << 31);
  };
  PipelineStage stage;
  stage.layer = table.text(row, table.column("stage"));
  stage.row = static_cast<std::int32_t>(design.stages.size());
  stage.rows = integer("rows", 1);
  stage.columns = stage.pieces = integer("columns", 1);
  const Cycles cycles{static_cast<double>(integer("cycles", 0))};
  stage.ticks = ticks_of(cycles);
  const std::string& from = table.text(row, table.column("from"));
  std::vector<std::string> known;
  for (const PipelineStage& before : design.stages) known.push_back(before.layer);
  for (std::size_t at = 0; at <= from.size();) {
    const std::size_t plus = std::min(from.find('+', at), from.size());
    const std::string name = from.substr(at, plus - at);
    const auto producer = std::ranges::find(known, name);
    if (producer != known.end()) {
      const std::int64_t kernel = integer("kernel", 1), stride = integer("stride", 1), padding = integer("padding", 0);
      stage.inputs.push_back(
          {static_cast<std::size_t>(producer - known.begin()), kernel, stride, padding, -1, kernel, stride, padding});
    } else if (name != "input") {
      known.emplace_back("input");
      fail(table, row, "from", unknown_message("stage", name, known));
    }
    at = plus + 1;
  }
  for (const StageInput& input : stage.inputs) {
    if (design.stages[input.from].rows != integer("rows_in", 1))
      fail(table, row, "rows_in",
           fmt::format("{} hands out {} rows", known[input.from], design.stages[input.from].rows));
  }
  design.slowest = std::max(design.slowest, cycles);
  design.sum += cycles;
  design.stages.push_back(std::move(stage));
}

}  // namespace

SuiteResult validate_streaming(const std::string& data) {
  SuiteResult result;
  result.suite = "streaming";
  result.data = data.empty() ? data_folder(TILEWRIGHT_VALIDATION_FOLDER, "validation", "measured/fpga") : data;
  const CsvTable designs = read_csv(result.data + "/designs.csv"), stages = read_csv(result.data + "/stages.csv");
  Chip fabric;  // nothing but the stages
  fabric.levels.emplace_back().name = "outside";
  std::map<std::string, std::vector<Compared>> compared;  // by tool; "*": all
  std::int64_t outside = 0;
  for (const CsvRow& row : designs.rows) {
    const std::string& name = designs.text(row, designs.column("design"));
    Design design;
    for (const CsvRow& stage : stages.rows) {
      if (stages.text(stage, stages.column("design")) == name) add_stage(design, stages, stage);
    }
    if (design.stages.empty()) fail(designs, row, "design", fmt::format("stages.csv has no stage of '{}'", name));
    const double clock = designs.number(row, designs.column("clock_mhz")) * 1e6;
    const double rate = designs.number(row, designs.column("inferences_per_s"));
    if (!(clock > 0) || !(rate > 0)) fail(designs, row, "clock_mhz", "clock and rate must be above 0");
    const auto program = pipelined_program(design.stages, fabric, 1, 1);
    const Cycles simulated = cycles_of(simulate(*program, nullptr, {}).end);
    const double measured = clock / rate, ratio = simulated.value / measured;
    const bool between = simulated >= design.slowest && simulated <= design.sum;
    outside += between ? 0 : 1;
    const Compared one{
        ratio,
        fmt::format("{}: simulated {:.0f} cycles ({:+.1f} %), measured {:.0f}; slowest stage {:.0f}, sum {:.0f}{}",
                    name, simulated.value, 100 * (ratio - 1), measured, design.slowest.value, design.sum.value,
                    between ? "" : ": OUTSIDE")};
    compared[designs.text(row, designs.column("tool"))].push_back(one);
    compared["*"].push_back(one);
  }
  for (const auto& [tool, rows] : compared)
    result.groups.push_back(measured_group({{"tool", tool}}, rows, tool == "*" ? rows.size() : 0));
  result.pass = !compared.empty() && outside == 0;
  result.notes.emplace_back(
      "passes when every simulated latency lies between the slowest stage and the sum of the stages; the error is "
      "stated, not bounded");
  result.notes.emplace_back("only the stages are simulated: host, DMA and FIFO sizes of the boards are not known");
  return result;
}

}  // namespace tilewright
