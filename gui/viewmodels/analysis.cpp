#include "gui/viewmodels/analysis.hpp"

#include <map>

#include "arch_models/load.hpp"
#include "sim/study/asked.hpp"

namespace tilewright::gui {
namespace {

std::vector<std::size_t> rows_of_nodes(const WorkloadGraph& graph, const NetworkEvaluation& result) {
  std::map<std::string, std::size_t> row_of;
  for (std::size_t row = 0; row < result.layers.size(); ++row) row_of.emplace(result.layers[row].name, row);
  std::vector<std::size_t> rows(graph.layers.size(), 0);
  for (const LayerGroup& group : merge_repeats(graph)) {
    const auto row = row_of.find(graph.layers[static_cast<std::size_t>(group.layer)].name);
    for (const int member : group.members) {
      if (row != row_of.end()) rows[static_cast<std::size_t>(member)] = row->second;
    }
  }
  return rows;
}

}  // namespace

AnalysisPtr Analyser::analyse(const Project& project) {
  const StudyRequest request = parse_study(project_text(project), "the project");
  const StudyPoint point = point_at(request, Position(axis_sizes(request).size(), 0));
  std::string graph_key = project.workload;
  for (const auto& [key, value] : project.changes) {
    if (key.starts_with("model.")) graph_key.append("\n").append(key).append("=").append(value);
  }
  if (graph_key != graph_key_) {
    graph_ = std::make_shared<const WorkloadGraph>(prepare_workload(workload_request(request, point)));
    graph_key_ = graph_key;
  }
  if (project.chip != chip_name_) {
    chip_ = chip_document(project.chip);
    chip_name_ = project.chip;
  }
  auto analysis = std::make_shared<Analysis>();
  analysis->project = project;
  analysis->graph = graph_;
  analysis->chip = read_chip(with_overrides(*chip_, chip_overrides(request, point)));
  analysis->result = evaluate_network(*graph_, analysis->chip, network_options(request, project.engine));
  if (!analysis->result.failure.empty()) {
    throw InputError({.file = project.chip, .line = 0, .column = 0, .key = {}}, analysis->result.failure);
  }
  analysis->roofline = roofline_plot(analysis->result, analysis->chip);
  analysis->row_of_node = rows_of_nodes(*graph_, analysis->result);
  return analysis;
}

}  // namespace tilewright::gui
