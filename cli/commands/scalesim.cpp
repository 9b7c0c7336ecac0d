// tilewright run --engine scalesim-v2: a topology on a SCALE-Sim configuration, as SCALE-Sim version 2 reports it, beside our own engine.
#include <fmt/format.h>

#include <filesystem>

#include "arch_models/scalesim_cfg.hpp"
#include "cli/commands.hpp"
#include "core/csv.hpp"
#include "core/diagnostics.hpp"
#include "core/text_file.hpp"
#include "sim/scalesim/report.hpp"

namespace tilewright::cli {
namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view why) {
  throw InputError({.file = std::string(option), .line = 0, .column = 0, .key = {}}, why);
}

/// Our own engine's cycles for each layer of the graph; equal layers are evaluated once.
std::vector<LayerEvaluation> own_engine(const RunOptions& options, const WorkloadGraph& graph, const Chip& chip) {
  RunOptions own = options;
  own.engine = "analytical";
  const NetworkEvaluation result = evaluate_network(graph, chip, network_options(own));
  if (!result.failure.empty()) refuse(chip.path, result.failure);
  const std::vector<LayerGroup> groups = merge_repeats(graph);
  std::vector<LayerEvaluation> layers(graph.layers.size());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (const int member : groups[g].members) layers[static_cast<std::size_t>(member)] = result.layers[g];
  }
  return layers;
}

std::string text_report(const ScaleSimConfig& config, const std::vector<ScaleSimResult>& layers,
                        const std::vector<LayerEvaluation>& own) {
  static constexpr std::array dataflows{"output", "weight", "input"};
  std::string out = fmt::format(
      "{}: SCALE-Sim version 2 compatibility mode, {}x{} array, {} stationary, SRAM {} / {} / {} KiB, {}\n\n",
      config.run_name, config.rows, config.cols, dataflows[static_cast<std::size_t>(config.dataflow)], config.ifmap_kib,
      config.filter_kib, config.ofmap_kib,
      config.user_bandwidth ? fmt::format("{} words a cycle for each operand", config.bandwidth)
                            : "bandwidth as high as it must be");
  std::size_t width = 5;
  for (const ScaleSimResult& layer : layers) width = std::max(width, layer.layer.size());
  out += fmt::format("{:<{}}  {:>12} {:>12} {:>8} {:>8} {:>13} {:>13} {:>13}  {:>14} {}\n", "layer", width, "cycles",
                     "of it stalls", "util %", "mapped %", "DRAM ifmap", "DRAM filter", "DRAM ofmap", "Tilewright",
                     "bound by");
  std::int64_t cycles = 0, stalls = 0;
  double ours = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ScaleSimResult& layer = layers[i];
    out +=
        fmt::format("{:<{}}  {:>12} {:>12} {:>8.2f} {:>8.2f} {:>13} {:>13} {:>13}  {:>14.0f} {}\n", layer.layer, width,
                    layer.total_cycles, layer.stall_cycles, layer.overall_util_pct, layer.mapping_eff_pct,
                    layer.dram[0].words, layer.dram[1].words, layer.dram[2].words, own[i].cycles.value, own[i].bound);
    cycles += layer.total_cycles;
    stalls += layer.stall_cycles;
    ours += own[i].cycles.value;
  }
  out += fmt::format("{:<{}}  {:>12} {:>12} {:>62}  {:>14.0f}\n", "total", width, cycles, stalls, "", ours);
  out += "\nWhy the two columns of cycles differ, layer by layer:\n";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    out += fmt::format("  {:<{}}  SCALE-Sim: {} folds x {} cycles - 1 + {} stalls. Tilewright: ", layers[i].layer,
                       width, layers[i].folds, layers[i].cycles_each, layers[i].stall_cycles);
    for (const auto& [kernel, repeat] : own[i].kernels)
      out += fmt::format("{}, {:.0f} cycles of fill and drain; bound by {}\n", kernel.compute.why,
                         kernel.overhead.value, own[i].bound);
  }
  out +=
      "Rules behind that:\n"
      "  SCALE-Sim's total is the number of the last cycle, counted from 0: one less than the cycles of a layer.\n"
      "  SCALE-Sim numbers the output pixels through and fills the rows of the array with the next ones; a tile of "
      "Tilewright is a box of\n"
      "  output rows, columns and channels, which may leave rows of the array out where the sizes do not divide.\n"
      "  A tile of Tilewright fits into half of each memory, so a long reduction may be cut; SCALE-Sim streams a fold "
      "of any length.\n"
      "  A PE of SCALE-Sim holds one word, Tilewright's a register of 4 bytes: up to four int8 words stay for a longer "
      "fold with one fill and drain.\n"
      "  SCALE-Sim writes the partial sums of weight and input stationary folds and never reads them back; Tilewright "
      "does.\n";
  out += config.user_bandwidth ? "  SCALE-Sim gives ifmap, filter and ofmap an interface each, prefetches each operand "
                                 "in one fixed order without regard to room, and goes\n"
                                 "  round the whole operand for a word that has left; Tilewright shares the same words "
                                 "a cycle among all traffic and reads the tiles of its mapping.\n"
                               : "  Neither waits for DRAM here (InterfaceBandwidth CALC). SCALE-Sim's DRAM words are "
                                 "the misses of half a buffer that is filled and then\n"
                                 "  emptied at once; Tilewright's are the tiles of its mapping.\n";
  return out;
}

/// One row a layer with the columns of the reference tables, so that `validate systolic --data` reads it.
std::string csv_report(const ScaleSimConfig& config, const std::vector<ScaleSimLayer>& shapes,
                       const std::vector<ScaleSimResult>& layers, const std::string& topology) {
  static constexpr std::array dataflows{"os", "ws", "is"};
  std::string out =
      "topology,layer,ifmap_h,ifmap_w,filter_h,filter_w,channels,num_filters,stride_h,stride_w,dataflow,rows,cols,"
      "ifmap_sram_kb,filter_sram_kb,ofmap_sram_kb,bw_mode,bw_words_per_cycle,total_cycles,stall_cycles,overall_util_"
      "pct,"
      "mapping_eff_pct,compute_util_pct";
  const auto words_name = [](std::string_view operand) { return operand == "ofmap" ? "writes" : "reads"; };
  for (const char* side : {"sram", "dram"}) {
    for (const std::string_view o : ScaleSimResult::operands)
      out += fmt::format(",avg_{}_{}_bw,{}_{}_start,{}_{}_stop,{}_{}_{}", o, side, side, o, side, o, side, o,
                         words_name(o));
  }
  out += "\n";
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const ScaleSimLayer& s = shapes[i];
    const ScaleSimResult& layer = layers[i];
    out +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}", csv_cell(topology),
                    csv_cell(s.name), s.ifmap_h, s.ifmap_w, s.filter_h, s.filter_w, s.channels, s.filters, s.stride_h,
                    s.stride_w, dataflows[static_cast<std::size_t>(config.dataflow)], config.rows, config.cols,
                    config.ifmap_kib, config.filter_kib, config.ofmap_kib, config.user_bandwidth ? "USER" : "CALC",
                    config.user_bandwidth ? std::to_string(config.bandwidth) : "", layer.total_cycles,
                    layer.stall_cycles, layer.overall_util_pct, layer.mapping_eff_pct, layer.compute_util_pct);
    for (std::size_t o = 0; o < layer.sram.size(); ++o)
      out += fmt::format(",{},{},{},{}", layer.sram_bandwidth(o), layer.sram[o].start, layer.sram[o].stop,
                         layer.sram[o].words);
    for (std::size_t o = 0; o < layer.dram.size(); ++o)
      out += fmt::format(",{},{},{},{}", layer.dram_bandwidth(o), layer.dram[o].start, layer.dram[o].stop,
                         layer.dram[o].words);
    out += "\n";
  }
  return out;
}

void write_reports(const std::string& folder, const std::vector<ScaleSimResult>& layers) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) refuse(folder, fmt::format("cannot make the folder: {}", error.message()));
  for (const ScaleSimReport& report : scalesim_reports())
    write_file(fmt::format("{}/{}", folder, report.file), report.write(layers));
}

}  // namespace

int run_scalesim(const RunOptions& options) {
  require_choice("--format", options.format, {"text", "csv", "scalesim"});
  if (options.format == "scalesim" && options.output.empty())
    refuse("-o", "name the folder for COMPUTE_REPORT.csv, BANDWIDTH_REPORT.csv and DETAILED_ACCESS_REPORT.csv");
  if (options.chips.size() != 1 || !is_scalesim_config(options.chips.front()))
    refuse("--chip", "the engine scalesim-v2 takes one SCALE-Sim configuration, a .cfg file");
  const ScaleSimConfig config = load_scalesim_config(options.chips.front());
  if (!config.version3.empty())
    refuse(options.chips.front(),
           fmt::format("turns on {}, which version 2 does not have; turn it off, or use --engine analytical",
                       config.version3));
  const WorkloadGraph graph = prepared_workload(options);
  std::vector<ScaleSimLayer> shapes;
  std::vector<ScaleSimResult> layers;
  for (const Layer& layer : graph.layers) shapes.push_back(scalesim_layer(layer));
  for (const ScaleSimLayer& shape : shapes) layers.push_back(simulate_scalesim(shape, config, ScaleSimDetail::memory));
  if (options.format == "scalesim") {
    write_reports(options.output, layers);
  } else if (options.format == "csv") {
    deliver(csv_report(config, shapes, layers, graph.name), options.output);
  } else {
    const Chip chip = scalesim_chip(config, options.chips.front());
    deliver(text_report(config, layers, own_engine(options, graph, chip)), options.output);
  }
  return 0;
}

}  // namespace tilewright::cli
