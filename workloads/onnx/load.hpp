// One door for every workload: a path (.onnx, .csv) or a generator.
#pragma once

#include <optional>
#include <string>

#include "workloads/onnx/import.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright {

/// WORKLOAD of the command line. InputError when it is neither a readable .onnx/.csv file nor a generator (nearest named).
WorkloadGraph load_workload(const std::string& workload, const ImportOptions& options);

/// A workload as asked for: read or generated, then at another batch, in another precision, fused.
struct WorkloadRequest {
  std::string workload;
  ImportOptions import;                                             // batch 0: as in the workload
  std::optional<Precision> precision;                               // none: as in the workload
  std::vector<std::pair<std::string, Precision>> layer_precisions;  // by pattern of layer names, later ones win
  std::vector<std::pair<std::string, Sparsity>> layer_sparsities;
  std::int64_t gpus = 1;  // that share every layer: the graph is then the part of one of them (shard)
  Fusion fusion = Fusion::normal;
};
/// Errors as load_workload, set_batch and set_precision.
WorkloadGraph prepare_workload(const WorkloadRequest& request);

}  // namespace tilewright
