// A project and its answer.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch_models/chip.hpp"
#include "core/document.hpp"
#include "gui/viewmodels/project.hpp"
#include "sim/cost/roofline.hpp"
#include "workloads/graph.hpp"
#include "workloads/onnx/free_sizes.hpp"

namespace tilewright::gui {

/// Never changes once it is made; threads and views share it.
struct Analysis {
  Project asked, project;  // as asked; and with the sizes that its file leaves open
  std::shared_ptr<const WorkloadGraph> graph;
  Chip chip;
  NetworkEvaluation result;
  RooflinePlot roofline;
  bool searched = true;  // false: mappings of an earlier answer on this chip, the best ones are not searched yet
  std::vector<std::size_t> row_of_node;  // for each layer of the graph the position in result.layers that stands for it
};
using AnalysisPtr = std::shared_ptr<const Analysis>;

/// What a size that an ONNX file leaves open is at first: a batch of 1, else 128.
std::string first_size(const FreeSize& size);

/// Answers projects; keeps the last network and chip file, so that a change of one figure reads nothing again. One thread at a time.
class Analyser {
 public:
  /// InputError when the project cannot be built, or its layers do not fit on the chip: the message says where and the way out.
  /// The figures of `tilewright run` and `sweep`. Stopped: `stop` said so.
  AnalysisPtr analyse(const Project& project, const std::function<bool()>& stop = {});
  /// At once: the best of the mappings of the last few answers to this network and chip, with exact costs under the project's changes. Null: there was none, or
  /// the project is simulated.
  AnalysisPtr preview(const Project& project);

 private:
  struct Prepared;
  Prepared prepare(const Project& project);
  AnalysisPtr evaluate(Prepared prepared) const;

  std::deque<AnalysisPtr> earlier_;  // searched, of one network and chip, the latest first
  std::string graph_key_, chip_name_, sizes_of_;
  std::vector<FreeSize> sizes_;  // that the file of the last workload leaves open
  std::shared_ptr<const WorkloadGraph> graph_;
  std::optional<Value> chip_;
};

}  // namespace tilewright::gui
