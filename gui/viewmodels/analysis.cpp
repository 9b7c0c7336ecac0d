#include "gui/viewmodels/analysis.hpp"

#include <algorithm>
#include <map>
#include <thread>

#include "arch_models/load.hpp"
#include "sim/study/asked.hpp"

namespace tilewright::gui {
namespace {

bool same_files(const Project& a, const Project& b) { return a.workload == b.workload && a.chip == b.chip; }

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

struct Analyser::Prepared {
  NetworkOptions options;
  std::shared_ptr<Analysis> analysis;  // without a result
};

std::string first_size(const FreeSize& size) { return size.batch ? "1" : "128"; }

Analyser::Prepared Analyser::prepare(const Project& asked) {
  Project project = asked;
  if (project.workload != sizes_of_) {
    sizes_ = free_sizes(project.workload);
    sizes_of_ = project.workload;
  }
  for (const FreeSize& size : sizes_) {
    const std::string key = size.batch ? "model.batch" : "model.set." + size.name;
    if (project.value(key).empty()) project.change(key, first_size(size));
  }
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
  Prepared prepared{network_options(request, project.engine), std::make_shared<Analysis>()};
  prepared.analysis->asked = asked;
  prepared.analysis->project = project;
  prepared.analysis->graph = graph_;
  prepared.analysis->chip = read_chip(with_overrides(*chip_, chip_overrides(request, point)));
  return prepared;
}

AnalysisPtr Analyser::evaluate(Prepared prepared) const {
  Analysis& analysis = *prepared.analysis;
  analysis.result = evaluate_network(*analysis.graph, analysis.chip, prepared.options);
  if (!analysis.result.failure.empty()) {
    throw InputError({.file = analysis.project.chip, .line = 0, .column = 0, .key = {}}, analysis.result.failure);
  }
  analysis.roofline = roofline_plot(analysis.result, analysis.chip);
  analysis.row_of_node = rows_of_nodes(*analysis.graph, analysis.result);
  return std::move(prepared.analysis);
}

AnalysisPtr Analyser::analyse(const Project& project, const std::function<bool()>& stop) {
  Prepared prepared = prepare(project);
  prepared.options.jobs = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  prepared.options.limits.stop = stop;
  AnalysisPtr answer = evaluate(std::move(prepared));
  constexpr std::size_t most_earlier = 8;
  if (!earlier_.empty() && !same_files(earlier_.front()->project, project)) earlier_.clear();
  earlier_.push_front(answer);
  if (earlier_.size() > most_earlier) earlier_.pop_back();
  return answer;
}

AnalysisPtr Analyser::preview(const Project& project) {
  if (earlier_.empty() || !same_files(earlier_.front()->project, project) || project.engine == Engine::systemc)
    return nullptr;
  Prepared prepared = prepare(project);
  for (const AnalysisPtr& answer : earlier_) prepared.options.earlier.push_back(&answer->result);
  prepared.analysis->searched = false;
  return evaluate(std::move(prepared));
}

}  // namespace tilewright::gui
