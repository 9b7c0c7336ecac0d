// Execution order of the nodes of a file.
#pragma once

#include "workloads/onnx/model.hpp"

namespace tilewright::importer {

/// Positions in model.nodes so that every producer comes before its consumers; file order among the ready ones.
/// InputError: a tensor that nothing produces, one produced twice, a cycle (its nodes are named).
std::vector<int> execution_order(const Model& model);

}  // namespace tilewright::importer
