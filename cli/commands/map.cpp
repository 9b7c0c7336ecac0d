// tilewright map: the best loop nest of one layer; tilewright evaluate: a given one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "arch_models/load.hpp"
#include "cli/commands.hpp"
#include "sim/mapping/case_file.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"

namespace tilewright::cli {
namespace {

/// True if the layer is there when nothing is fused.
bool is_fused_away(const RunOptions& options) {
  RunOptions apart = options;
  apart.fuse = "none";
  const WorkloadGraph graph = prepared_workload(apart);
  return std::ranges::find(graph.layers, options.layer, &Layer::name) != graph.layers.end();
}

/// The graph with the one layer that the command asks for.
WorkloadGraph single_layer(const RunOptions& options) {
  WorkloadGraph graph = prepared_workload(options);
  const std::string& wanted = options.layer;
  std::vector<std::string> names;
  for (const Layer& layer : graph.layers) names.push_back(layer.name);
  if (wanted.empty()) {
    if (graph.layers.size() == 1) return graph;
    throw InputError(
        {.file = "--layer", .line = 0, .column = 0, .key = {}},
        fmt::format("{} has {} layers; name one, for example --layer '{}' (`tilewright show workload` lists them)",
                    graph.name, graph.layers.size(), names.empty() ? "" : names.front()));
  }
  const auto chosen = std::ranges::find(graph.layers, wanted, &Layer::name);
  if (chosen != graph.layers.end()) {
    graph.layers = {Layer(*chosen)};
    return graph;
  }
  if (is_fused_away(options)) {
    throw InputError({.file = "--layer", .line = 0, .column = 0, .key = {}},
                     fmt::format("'{}' is fused into the layer before it; --fuse none keeps it apart", wanted));
  }
  const std::string near = nearest(wanted, names);
  std::vector<std::string> alike;
  for (const std::string& name : names) {
    if (name.find(wanted) != std::string::npos && alike.size() < 4) alike.push_back(fmt::format("'{}'", name));
  }
  const std::string hint = !near.empty()    ? fmt::format(". Did you mean '{}'?", near)
                           : !alike.empty() ? fmt::format(". Did you mean {}?", fmt::join(alike, " or "))
                                            : "; `tilewright show workload` lists them";
  throw InputError({.file = "--layer", .line = 0, .column = 0, .key = {}},
                   fmt::format("{} has no layer '{}'{}", graph.name, wanted, hint));
}

/// The search's result for each kernel of the layer that `result` is the evaluation of.
std::vector<KernelMap> kernel_maps(const NetworkEvaluation& result, const Chip& chip, const NetworkOptions& settings,
                                   bool pareto) {
  std::vector<KernelMap> kernels;
  for (const auto& [evaluation, repeat] : result.layers.front().kernels) {
    const SearchOptions search = search_options(settings);
    KernelMap& kernel = kernels.emplace_back();
    kernel.repeat = repeat;
    kernel.found = find_best(evaluation.problem, chip, search).value();  // the network found it too
    if (pareto) kernel.pareto = pareto_set(evaluation.problem, chip, search).value();
  }
  return kernels;
}

/// How a case file names the chip: a library name, or the path from the folder of the case file.
std::string chip_name_for(const std::string& output, const Chip& chip) {
  namespace fs = std::filesystem;
  const fs::path file = fs::absolute(chip.path);
  if (file.parent_path() == fs::absolute(chip_library_folder())) return file.stem().string();
  const fs::path folder = output.empty() ? fs::current_path() : fs::absolute(output).parent_path();
  return file.lexically_proximate(folder).string();
}

/// The mapping of the layer's largest kernel as a case file.
std::string case_of(const LayerMap& map, const Chip& chip, const std::string& output) {
  const LayerEvaluation& layer = map.result.layers.front();
  const Evaluation& main = main_kernel(layer);
  for (std::size_t level = 0; level < main.levels.size(); ++level) {
    if (main.levels[level].name == chip.levels[level].name) continue;
    throw InputError(
        {.file = "--format", .line = 0, .column = 0, .key = {}},
        fmt::format("the mapping has {} in the place of {}, a case file keeps the chip's order: leave --uneven out",
                    main.levels[level].name, chip.levels[level].name));
  }
  std::string text = fmt::format("# {} on {}: {:.6g} cycles, {}\n", layer.name, chip.name, main.cycles.value,
                                 human(main.energy.total()));
  if (layer.kernels.size() > 1) text += fmt::format("# the largest of the layer's {} kernels\n", layer.kernels.size());
  return text + case_file_text(layer.name, main.problem, main.mapping, chip, chip_name_for(output, chip));
}

}  // namespace

int map(const RunOptions& options) {
  require_choice("--format", options.format, {"text", "json", "yaml"});
  const NetworkOptions settings = network_options(options);
  const std::vector<Chip> chips = chosen_chips(options);
  const bool as_case = options.format == "yaml";
  if (as_case && chips.size() != 1)
    throw InputError({.file = "--chip", .line = 0, .column = 0, .key = {}},
                     "a case file holds one mapping; name exactly one chip");
  const WorkloadGraph graph = single_layer(options);

  std::vector<LayerMap> maps;
  bool failed = false;
  for (const Chip& chip : chips) {
    LayerMap& map = maps.emplace_back();
    map.result = evaluate_network(graph, chip, settings);
    if (!map.result.failure.empty()) {
      failed = true;
    } else if (!as_case) {
      map.kernels = kernel_maps(map.result, chip, settings, options.pareto);
      map.one_more = marginals(graph, chip, settings, map.result);
    }
  }
  if (as_case && failed) {
    fmt::print(stderr, "tilewright: {}\n", maps.front().result.failure);
    return 1;
  }
  if (as_case) {
    deliver(case_of(maps.front(), chips.front(), options.output), options.output);
  } else if (options.format == "json") {
    RunRequest request;
    request.fields = request_fields(options, graph, chips);
    request.fields.emplace_back("layer", graph.layers.front().name);
    deliver(map_json(request, maps, chips), options.output);
  } else {
    std::string text;
    for (std::size_t i = 0; i < maps.size(); ++i) text += (i == 0 ? "" : "\n\n") + map_text(maps[i], chips[i]);
    deliver(text, options.output);
  }
  return failed ? 1 : 0;
}

int evaluate_case(const std::string& path, const std::string& format, const std::string& output) {
  require_choice("--format", format, {"text", "json"});
  const Case given = load_case(path);
  if (const auto legal = check(given.problem, given.mapping, given.chip); !legal) {
    const Infeasible& why = legal.error();
    deliver(format == "json"
                ? infeasible_json(why, given.chip)
                : fmt::format("{} on {} cannot run: {}\n", given.name, given.chip.name, infeasible_text(why)),
            output);
    return 1;
  }
  const Evaluation evaluation = evaluate(given.problem, given.mapping, given.chip);
  deliver(format == "json"
              ? evaluation_json(evaluation, given.chip)
              : fmt::format("{} on {}\n\n{}", given.name, given.chip.name, evaluation_text(evaluation, given.chip)),
          output);
  return 0;
}

}  // namespace tilewright::cli
