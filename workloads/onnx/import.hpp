// ONNX import. The only room that sees protobuf.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "workloads/graph.hpp"

namespace tilewright {

struct ImportOptions {
  std::map<std::string, std::int64_t> dims;  // --set NAME=VALUE for symbolic dims
  std::int64_t batch = 0;                    // --batch; 0: as in the file (binds a symbolic first axis)
  bool allow_unmodelled = false;
};

/// Reads an ONNX model (opset 7 to 17) into a finished graph. Weights are never read. Calls of the model's own functions become
/// their nodes, an If whose condition follows from the shapes the branch that it takes. InputError for: unreadable or empty file,
/// not ONNX, unsupported opset, unresolved symbolic dims (all named, with the --set that binds them), cycles,
/// operators without a model (all listed by name and type).
WorkloadGraph import_onnx(const std::string& path, const ImportOptions& options);

}  // namespace tilewright
