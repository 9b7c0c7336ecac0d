// What the axes of a point ask for: of its workload, of its chip's document, and of the evaluation.
#pragma once

#include <vector>

#include "core/document.hpp"
#include "sim/network/network.hpp"
#include "sim/study/request.hpp"
#include "workloads/onnx/load.hpp"

namespace tilewright {

/// InputError: a parameter of a workload that is no generator.
WorkloadRequest workload_request(const StudyRequest& request, const StudyPoint& point);
/// Scalars to put into the document of the point's chip, in file order.
std::vector<Override> chip_overrides(const StudyRequest& request, const StudyPoint& point);
/// One thread, mappings searched quickly; GPUs behind the default software stack.
NetworkOptions network_options(const StudyRequest& request, Engine engine);

}  // namespace tilewright
