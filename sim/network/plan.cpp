#include "sim/network/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/checked.hpp"
#include "sim/network/ports.hpp"
#include "sim/network/precision.hpp"

namespace tilewright {
namespace {

std::size_t index_of(std::vector<Problem>& problems, const Problem& problem) {
  const auto found = std::find(problems.begin(), problems.end(), problem);
  if (found != problems.end()) return static_cast<std::size_t>(found - problems.begin());
  problems.push_back(problem);
  return problems.size() - 1;
}

/// Memory of the fabric of an FPGA: 36 Kbit per BRAM36, 288 Kbit per URAM (Xilinx DS890).
double fabric_bytes(const FpgaParameters& fpga) {
  return (static_cast<double>(fpga.bram36) * 36.0 + static_cast<double>(fpga.uram) * 288.0) * 1024.0 / 8.0;
}

/// True if the weights stay in the chip from one sample to the next: always on neuromorphic cores, on a streaming FPGA if they fit.
bool weights_resident(const WorkloadGraph& graph, const Chip& chip) {
  if (!is_pipelined(chip)) return false;
  const auto* fpga = std::get_if<FpgaParameters>(&chip.parameters);
  return fpga == nullptr || static_cast<double>(weight_bytes(graph)) <= fabric_bytes(*fpga);
}

/// The graph's inputs and outputs cross the chip's boundary, also in a pipeline.
struct Boundary {
  bool in = false, out = false;
  friend bool operator==(const Boundary&, const Boundary&) = default;
};

Boundary boundary_of(const WorkloadGraph& graph, int index) {
  const Layer& layer = graph.layers[static_cast<std::size_t>(index)];
  Boundary boundary;
  for (const TensorId id : layer.inputs) {
    boundary.in |= graph.tensors[static_cast<std::size_t>(storage_of(graph, id))].kind == TensorKind::input;
  }
  for (const TensorId id : layer.outputs) {
    boundary.out |= std::any_of(graph.outputs.begin(), graph.outputs.end(),
                                [&](TensorId out) { return storage_of(graph, out) == storage_of(graph, id); });
  }
  return boundary;
}

/// Groups of equal layers; in a pipeline those at the graph's boundary stand apart from equal ones inside.
std::vector<LayerGroup> groups_of(const WorkloadGraph& graph, const Chip& chip) {
  if (!is_pipelined(chip)) return merge_repeats(graph);
  std::vector<LayerGroup> groups;
  for (const LayerGroup& group : merge_repeats(graph)) {
    std::vector<std::pair<Boundary, LayerGroup>> parts;
    for (const int member : group.members) {
      const Boundary boundary = boundary_of(graph, member);
      auto part = std::find_if(parts.begin(), parts.end(), [&](const auto& p) { return p.first == boundary; });
      if (part == parts.end()) part = parts.insert(parts.end(), {boundary, LayerGroup{member, 0, {}}});
      ++part->second.repeat;
      part->second.members.push_back(member);
    }
    for (auto& [boundary, part] : parts) groups.push_back(std::move(part));
  }
  return groups;
}

/// In a pipeline results go from stage to stage without leaving the chip.
void keep_on_chip(Problem& problem, Boundary boundary, bool weights) {
  for (Operand& operand : problem.operands) {
    if (operand.role == Role::weight) operand.on_chip |= weights;
    if (operand.role == Role::input) operand.on_chip |= !boundary.in;
    if (operand.role == Role::output) operand.on_chip |= !boundary.out;
  }
}

}  // namespace

std::int64_t weight_bytes(const WorkloadGraph& graph) {
  std::int64_t bytes = 0;
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.kind != TensorKind::weight || tensor.alias_of >= 0) continue;
    bytes = checked_add(bytes, tensor_bytes(tensor));
  }
  return bytes;
}

Plan plan_layers(const WorkloadGraph& graph, const Chip& chip) {
  Plan plan;
  const bool weights = weights_resident(graph, chip);
  for (LayerGroup& group : groups_of(graph, chip)) {
    LoweredGroup lowered;
    lowered.kernels = lower(graph, graph.layers[static_cast<std::size_t>(group.layer)]);
    lowered.group = std::move(group);
    for (Kernel& kernel : lowered.kernels) {
      kernel.problem = in_native_format(std::move(kernel.problem), chip);
      if (is_pipelined(chip)) keep_on_chip(kernel.problem, boundary_of(graph, lowered.group.layer), weights);
      lowered.problems.push_back(index_of(plan.problems, kernel.problem));
    }
    plan.groups.push_back(std::move(lowered));
  }
  return plan;
}

std::string unsupported_format(const WorkloadGraph& graph, const Chip& chip) {
  for (const LayerGroup& group : merge_repeats(graph)) {
    const Layer& layer = graph.layers[static_cast<std::size_t>(group.layer)];
    for (const Kernel& kernel : lower(graph, layer)) {
      if (const auto supported = check_format(kernel.problem, chip); !supported) {
        return fmt::format("layer {}: {}", layer.name, supported.error());
      }
    }
  }
  return "";
}

}  // namespace tilewright
