// tilewright map: the best loop nest of one layer; tilewright evaluate: a given one.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "sim/mapping/case_file.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"

namespace tilewright::cli {
namespace {

/// The graph with the one layer that the command asks for.
WorkloadGraph single_layer(WorkloadGraph graph, const std::string& wanted) {
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
  const std::string near = nearest(wanted, names);
  throw InputError({.file = "--layer", .line = 0, .column = 0, .key = {}},
                   fmt::format("{} has no layer '{}'{}", graph.name, wanted,
                               near.empty() ? "; `tilewright show workload` lists them"
                                            : fmt::format(". Did you mean '{}'?", near)));
}

}  // namespace

int map(const RunOptions& options) {
  require_choice("--format", options.format, {"text", "json"});
  const NetworkOptions settings = network_options(options);
  const std::vector<Chip> chips = chosen_chips(options);
  const WorkloadGraph graph = single_layer(prepared_workload(options), options.layer);

  RunReport report;
  report.request.fields = request_fields(options, graph, chips);
  report.request.fields.emplace_back("layer", graph.layers.front().name);
  std::string text;
  bool failed = false;
  for (const Chip& chip : chips) {
    NetworkEvaluation result = evaluate_network(graph, chip, settings);
    if (!result.failure.empty()) {
      failed = true;
      text += fmt::format("{}: {}\n", chip.name, result.failure);
    } else {
      const LayerEvaluation& layer = result.layers.front();
      text += fmt::format(
          "{} on {}: {} in {} cycles, {}, bound by {}; {:.3g} % above the lower bound of the {} objective\n",
          layer.name, chip.name, human(layer.latency), layer.cycles.value, human(layer.energy.total()), layer.bound,
          100 * layer.optimality_gap, options.objective);
      for (const std::string& note : result.notes) text += fmt::format("  note: {}\n", note);
      for (const auto& [evaluation, repeat] : layer.kernels) {
        if (layer.kernels.size() > 1)
          text += fmt::format("\n# executed {} time{} per layer\n", repeat, repeat == 1 ? "" : "s");
        text += "\n" + evaluation_text(evaluation, chip);
        const auto found = find_best(evaluation.problem, chip, settings.objective);
        if (!found || found->runners_up.empty()) continue;
        text += "\nrunners-up:\n";
        for (const Evaluation& other : found->runners_up) {
          text += fmt::format("  {} cycles, {}:", other.cycles.value, human(other.energy.total()));
          for (std::size_t level = 0; level < other.mapping.levels.size(); ++level) {
            text += fmt::format(" {}[{}]", other.levels[level].name,
                                loops_in_short(other.problem, other.mapping.levels[level]));
          }
          text += "\n";
        }
      }
    }
    report.results.push_back(std::move(result));
  }
  deliver(options.format == "json" ? report_json(report) : text, options.output);
  return failed ? 1 : 0;
}

int evaluate_case(const std::string& path, const std::string& format, const std::string& output) {
  require_choice("--format", format, {"text", "json"});
  const Case given = load_case(path);
  if (const auto legal = check(given.problem, given.mapping, given.chip); !legal) {
    fmt::print(stderr, "tilewright: {}: infeasible at {}: {}\n", path, legal.error().level, legal.error().reason);
    return 1;
  }
  const Evaluation evaluation = evaluate(given.problem, given.mapping, given.chip);
  deliver(format == "json" ? evaluation_json(evaluation, given.chip) : evaluation_text(evaluation, given.chip), output);
  return 0;
}

}  // namespace tilewright::cli
