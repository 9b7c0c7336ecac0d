// Number formats that a chip does not have: the nearest one is taken, or the request is refused.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "arch_models/family.hpp"
#include "workloads/graph.hpp"

namespace tilewright {

/// Puts every tensor in the chip's nearest format. int64 and int32 tensors (indices, accumulators) keep theirs. Returns one
/// sentence for each format that was replaced, in order of first use.
std::vector<std::string> substitute_formats(WorkloadGraph& graph, const Chip& chip);

/// Why a problem cannot be computed as it stands, naming the formats that the chip has. Vector problems run in any format;
/// operands narrower than the widest one are only stored so (4-bit weights under 16-bit activations).
std::expected<void, std::string> check_format(const Problem& problem, const Chip& chip);

/// Operands of a multiply-accumulate problem in the nearest format that the chip computes in; accumulators follow.
Problem in_native_format(Problem problem, const Chip& chip);

}  // namespace tilewright
