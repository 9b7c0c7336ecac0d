// What the readers give and the import collects: calls of operators, and kernels that belong to none.
#pragma once

#include <cstdint>
#include <functional>
#include <istream>
#include <string>

#include "validation/import/operators.hpp"

namespace tilewright {

/// One call of an operator, its kernels together. `record.name` empty: no operator is known, `reason` says why.
struct OperatorCall {
  OperatorRecord record;
  std::string reason;
  std::string kernel;            // the longest of them
  std::string phase;             // of a backward convolution; empty: not known
  bool converts_layout = false;  // some of the kernels only turn channels-first into channels-last or back
  std::string device;            // the driver's name; empty: not recorded
  double us = 0;
  std::int64_t launches = 1;  // kernels of the call; of an unknown operator: launches in all
};
using CallSink = std::function<void(const OperatorCall&)>;

/// A trace of torch.profiler (Chrome trace JSON), read as a stream: kernels joined with the operators that launched them by their External id.
/// InputError with line and column for what is no JSON, with the event for a field of the wrong type, and for a trace without kernels.
void read_torch_trace(std::istream& in, const std::string& path, const CallSink& sink);
/// `ncu --csv` (pages details and raw) or `nsys stats --format csv` (cuda_gpu_kern_sum, nvtx_kern_sum), by its header. InputError with the line for a broken row, number or unit,
/// and for a text without such a table.
void read_nsight(std::istream& in, const std::string& path, const CallSink& sink);

}  // namespace tilewright
