// Sizes that an ONNX file leaves open.
#pragma once

#include <string>
#include <vector>

namespace tilewright {

struct FreeSize {
  std::string name;    // for ImportOptions::dims
  bool batch = false;  // on the first axis of an input: ImportOptions::batch binds it
};

/// In order of appearance; empty for a workload that is no .onnx file. InputError as import_onnx: the file cannot be read.
std::vector<FreeSize> free_sizes(const std::string& workload);

}  // namespace tilewright
