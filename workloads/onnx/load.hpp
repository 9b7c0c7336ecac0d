// One door for every workload: a path (.onnx, .csv) or a generator.
#pragma once

#include <string>

#include "workloads/onnx/import.hpp"

namespace tilewright {

/// WORKLOAD of the command line. InputError when it is neither a readable .onnx/.csv file nor a generator (nearest named).
WorkloadGraph load_workload(const std::string& workload, const ImportOptions& options);

}  // namespace tilewright
