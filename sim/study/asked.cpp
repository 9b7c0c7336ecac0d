#include "sim/study/asked.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/diagnostics.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright {
namespace {

std::string_view after(std::string_view key, std::string_view prefix) { return key.substr(prefix.size()); }

}  // namespace

WorkloadRequest workload_request(const StudyRequest& request, const StudyPoint& point) {
  const std::vector<std::string> keys = axis_keys(request);
  WorkloadRequest asked;
  asked.workload = point.workload;
  if (request.architectures) {  // the axis "arch" stands first
    const ArchitectureList& list = *request.architectures;
    asked.workload = workload_of(list.space, list.architectures[list.position.at(point.values.front())]);
  }
  asked.fusion = request.fusion;
  std::string parameters;
  for (std::size_t a = 0; a < keys.size(); ++a) {
    const std::string_view key = keys[a];
    const std::string& value = point.values[a];
    if (!key.starts_with("model.")) continue;
    if (key == "model.precision") {
      asked.precision = precision_from(value);
    } else if (key.starts_with("model.precision.")) {
      asked.layer_precisions.emplace_back(after(key, "model.precision."), *precision_from(value));
    } else if (key == "model.sparsity" || key.starts_with("model.sparsity.")) {
      asked.layer_sparsities.emplace_back(key == "model.sparsity" ? "*" : after(key, "model.sparsity."),
                                          sparsity_from(value));
    } else if (key == "model.fuse") {
      asked.fusion = value == "none" ? Fusion::none : value == "attention" ? Fusion::attention : Fusion::normal;
    } else if (key == "model.batch") {
      asked.import.batch = std::stoll(value);
    } else if (key.starts_with("model.set.")) {
      asked.import.dims.emplace(after(key, "model.set."), std::stoll(value));
    } else {
      parameters += fmt::format("{}{}={}", parameters.empty() ? "" : ",", after(key, "model."), value);
    }
  }
  if (!parameters.empty()) {
    if (!is_generator(asked.workload)) {
      throw InputError(
          {asked.workload, 0, 0, ""},
          fmt::format("only a generator has the parameters {}; of a file vary model.precision, model.batch, "
                      "model.fuse or model.set.DIM",
                      parameters));
    }
    asked.workload += (asked.workload.find(':') == std::string::npos ? ":" : ",") + parameters;
  }
  return asked;
}

std::vector<Override> chip_overrides(const StudyRequest& request, const StudyPoint& point) {
  std::vector<Override> overrides;
  std::size_t a = 0;
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) {
      const std::string& value = point.values[a++];
      if (axis.key.starts_with("chip."))
        overrides.push_back({std::string(after(axis.key, "chip.")), value, axis.place});
    }
  }
  return overrides;
}

NetworkOptions network_options(const StudyRequest& request, Engine engine) {
  const std::vector<std::string> keys = axis_keys(request);
  NetworkOptions options;
  options.engine = engine;
  options.objective = request.objective;
  options.latency_slack = request.latency_slack;
  options.precision_given = std::find(keys.begin(), keys.end(), "model.precision") != keys.end();
  if (engine == Engine::analytical) options.stack = default_stack();
  return options;
}

}  // namespace tilewright
