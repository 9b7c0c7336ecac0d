#include <fmt/format.h>

#include <charconv>

#include "core/diagnostics.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright {
namespace {

/// * stands for any text.
bool fits(std::string_view name, std::string_view pattern) {
  if (pattern.empty()) return name.empty();
  if (pattern.front() != '*')
    return !name.empty() && name.front() == pattern.front() && fits(name.substr(1), pattern.substr(1));
  const std::string_view rest = pattern.substr(
      pattern.find_first_not_of('*') == std::string_view::npos ? pattern.size() : pattern.find_first_not_of('*'));
  for (std::size_t at = 0; at <= name.size(); ++at) {
    if (fits(name.substr(at), rest)) return true;
  }
  return false;
}

const Tensor& root_of(const WorkloadGraph& graph, TensorId id) {
  const Tensor* base = &graph.tensors[static_cast<std::size_t>(id)];
  while (base->alias_of >= 0) base = &graph.tensors[static_cast<std::size_t>(base->alias_of)];
  return *base;
}

bool multiplies(const Layer& layer) { return macs(layer) > 0; }

}  // namespace

std::vector<std::size_t> layers_named(const WorkloadGraph& graph, const std::string& pattern) {
  std::vector<std::size_t> found;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    if (!multiplies(graph.layers[i])) continue;
    names.push_back(graph.layers[i].name);
    if (fits(names.back(), pattern)) found.push_back(i);
  }
  if (found.empty())
    throw InputError({graph.name, 0, 0, pattern}, unknown_message("layer that multiplies", pattern, names));
  return found;
}

WorkloadGraph set_layer_precision(const WorkloadGraph& graph, const std::string& layers, const Precision& precision) {
  WorkloadGraph result = graph;
  for (const std::size_t i : layers_named(graph, layers)) {
    for (const TensorId id : graph.layers[i].inputs) {
      Tensor& tensor = result.tensors[static_cast<std::size_t>(id)];
      if (tensor.type == DataType::int32 || tensor.type == DataType::int64) continue;
      tensor.type = root_of(graph, id).kind == TensorKind::weight ? precision.weights : precision.activations;
    }
  }
  return result;
}

Sparsity sparsity_from(const std::string& text) {
  const char* end = text.data() + text.size();
  const std::size_t colon = text.find(':');
  std::int64_t kept = 0, block = 0;
  double share = 0;
  if (colon != std::string::npos) {
    const auto first = std::from_chars(text.data(), text.data() + colon, kept);
    const auto second = std::from_chars(text.data() + colon + 1, end, block);
    if (first.ec == std::errc{} && first.ptr == text.data() + colon && second.ec == std::errc{} && second.ptr == end &&
        kept >= 1 && block >= kept && block <= 1024)
      return {static_cast<double>(kept) / static_cast<double>(block), block};
  } else if (const auto [stop, error] = std::from_chars(text.data(), end, share);
             error == std::errc{} && stop == end && share >= 0 && share < 1) {
    return {1 - share, 0};
  }
  throw InputError({shown(text), 0, 0, "sparsity"},
                   "is neither a share of zeros from 0 to below 1 nor non-zeros in a block, such as 2:4");
}

WorkloadGraph set_sparsity(const WorkloadGraph& graph, const std::string& layers, const Sparsity& sparsity) {
  WorkloadGraph result = graph;
  for (const std::size_t i : layers_named(graph, layers)) {
    for (const TensorId id : graph.layers[i].inputs) {
      Tensor& tensor = result.tensors[static_cast<std::size_t>(id)];
      if (root_of(graph, id).kind != TensorKind::weight || tensor.shape.size() < 2) continue;  // not a bias
      tensor.density = sparsity.density;
      tensor.block = sparsity.block;
    }
  }
  return result;
}

}  // namespace tilewright
