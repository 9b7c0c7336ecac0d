// Built-in workload generators: "resnet50", "gemm:m=8192,n=128,k=8192", "llama-7b:phase=decode,batch=8,context=2048".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/graph.hpp"

namespace tilewright {

struct Parameter {
  std::string name;
  std::string fallback;
  std::string meaning;
};

struct Generator {
  std::string_view name;
  std::string_view summary;
  std::vector<Parameter> (*parameters)();
  WorkloadGraph (*make)(std::string_view spec);  // the whole spec, parameters included
};

std::span<const Generator> generators();

/// Builds the graph of "NAME[:key=value,...]". InputError for unknown names or keys (nearest named), bad values, sizes that overflow.
WorkloadGraph generate(std::string_view spec);
bool is_generator(std::string_view spec);  // the part before ':' is a known generator

}  // namespace tilewright
