#include "workloads/onnx/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <vector>

#include "core/diagnostics.hpp"
#include "workloads/scalesim/topology.hpp"
#include "workloads/transform/shard.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright {
namespace {

std::string lower_extension(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

/// A batch in a generator's parameters and another one asked for beside them: neither wins in silence.
void refuse_two_batches(const WorkloadRequest& request, const WorkloadGraph& graph) {
  const std::string& spec = request.workload;
  if (request.import.batch <= 0 || graph.batch == request.import.batch || !is_generator(spec)) return;
  const std::string generator = spec.substr(0, spec.find(':'));
  const bool named = spec.find(":batch=") != std::string::npos || spec.find(",batch=") != std::string::npos;
  if (!named && generate(generator).batch == graph.batch) return;
  throw InputError(Place{spec, 0, 0, ""},
                   fmt::format("'{}' has batch {}, but batch {} is asked for; give one of the two", spec, graph.batch,
                               request.import.batch));
}

}  // namespace

WorkloadGraph load_workload(const std::string& workload, const ImportOptions& options) {
  const std::string extension = lower_extension(workload);
  if (extension == ".onnx") return import_onnx(workload, options);
  if (extension == ".csv") return import_topology(workload, std::max<std::int64_t>(options.batch, 1));
  if (is_generator(workload)) return generate(workload);
  std::vector<std::string> names;
  for (const Generator& generator : generators()) names.emplace_back(generator.name);
  std::error_code error;
  if (std::filesystem::exists(workload, error)) {
    throw InputError(Place{workload, 0, 0, ""},
                     std::filesystem::is_directory(workload, error)
                         ? "is a folder; name the .onnx or topology .csv file in it"
                         : "is neither an .onnx file nor a topology .csv; rename it or convert the model");
  }
  throw InputError(Place{}, unknown_message("workload (no such .onnx or .csv file either)",
                                            workload.substr(0, workload.find(':')), names));
}

WorkloadGraph prepare_workload(const WorkloadRequest& request) {
  WorkloadGraph graph = load_workload(request.workload, request.import);
  refuse_two_batches(request, graph);
  const std::int64_t batch = request.import.batch;
  if (batch > 0 && graph.batch != batch) graph = set_batch(graph, batch);
  if (request.precision) graph = set_precision(graph, *request.precision);
  for (const auto& [layers, precision] : request.layer_precisions)
    graph = set_layer_precision(graph, layers, precision);
  for (const auto& [layers, sparsity] : request.layer_sparsities) graph = set_sparsity(graph, layers, sparsity);
  if (request.gpus > 1) graph = shard(graph, request.gpus);
  return fuse(graph, request.fusion);
}

}  // namespace tilewright
