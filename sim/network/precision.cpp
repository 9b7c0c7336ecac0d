#include "sim/network/precision.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tilewright {
namespace {

/// The format with the highest rate; the widest of equals.
DataType fastest_type(const Chip& chip) {
  DataType best = chip.arithmetic.begin()->first;
  for (const auto& [type, arithmetic] : chip.arithmetic) {
    if (arithmetic.macs_per_cycle > chip.arithmetic.at(best).macs_per_cycle) best = type;
  }
  return best;
}

bool kept_as_is(DataType type) { return type == DataType::int64 || type == DataType::int32; }

}  // namespace

std::vector<std::string> substitute_formats(WorkloadGraph& graph, const Chip& chip) {
  std::vector<std::string> notes;
  for (Tensor& tensor : graph.tensors) {
    if (kept_as_is(tensor.type)) continue;
    const DataType native = native_type(chip, tensor.type);
    if (native == tensor.type) continue;
    std::string note =
        fmt::format("{} runs as {}, the nearest format of {}", name(tensor.type), name(native), chip.name);
    if (const DataType quickest = fastest_type(chip); quickest != native) {
      note += fmt::format(" (its fastest is {}: --precision {})", name(quickest), name(quickest));
    }
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
    tensor.type = native;
  }
  return notes;
}

std::expected<void, std::string> check_format(const Problem& problem, const Chip& chip) {
  if (problem.compute == Compute::vector) return {};
  const DataType wanted = compute_format(problem);
  if (native_type(chip, wanted) == wanted) return {};
  std::vector<std::string_view> known;
  for (const auto& [type, arithmetic] : chip.arithmetic) {
    if (arithmetic.macs_per_cycle > 0) known.push_back(name(type));
  }
  return std::unexpected(
      fmt::format("{} does not compute in {}; it supports {}", chip.name, name(wanted), fmt::join(known, ", ")));
}

Problem in_native_format(Problem problem, const Chip& chip) {
  if (problem.compute == Compute::vector) return problem;
  const DataType asked = compute_format(problem);
  const DataType native = native_type(chip, asked);
  if (native == asked) return problem;
  for (Operand& operand : problem.operands) {
    if (operand.role == Role::output) {
      const bool accumulator = bits(operand.type) > bits(asked);
      operand.type = !accumulator ? native : is_integer(native) ? DataType::int32 : DataType::fp32;
    } else if (bits(operand.type) >= bits(native) || operand.type == asked) {
      operand.type = native;
    }
  }
  return problem;
}

}  // namespace tilewright
