// A project and its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch_models/chip.hpp"
#include "core/document.hpp"
#include "gui/viewmodels/project.hpp"
#include "sim/cost/roofline.hpp"
#include "workloads/graph.hpp"

namespace tilewright::gui {

/// Never changes once it is made; threads and views share it.
struct Analysis {
  Project project;
  std::shared_ptr<const WorkloadGraph> graph;
  Chip chip;
  NetworkEvaluation result;
  RooflinePlot roofline;
  std::vector<std::size_t> row_of_node;  // for each layer of the graph the position in result.layers that stands for it
};
using AnalysisPtr = std::shared_ptr<const Analysis>;

/// Answers projects; keeps the last network and chip file, so that a change of one figure reads nothing again. One thread at a time.
class Analyser {
 public:
  /// InputError when the project cannot be built, or its layers do not fit on the chip: the message says where and the way out.
  AnalysisPtr analyse(const Project& project);

 private:
  std::string graph_key_, chip_name_;
  std::shared_ptr<const WorkloadGraph> graph_;
  std::optional<Value> chip_;
};

}  // namespace tilewright::gui
