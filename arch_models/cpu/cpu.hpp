#pragma once
#include <cstdint>
#include <string_view>
#include <vector>
namespace tilewright {

class Value;
struct Chip;
struct Problem;
struct MapRules;
struct ArrayPass;
struct ComputeCost;

/// CPU: cores under the last shared cache, SIMD lanes under the first-level cache.
struct CpuParameters {
  std::int64_t cores = 1;
  std::int64_t simd_bits = 256;  // width of one vector unit
  std::int64_t fma_units = 2;    // vector units per core
  std::int64_t fma_latency = 4;  // cycles: needs fma_units x fma_latency independent accumulators
};

/// The entry of the family list (arch_models/family.hpp says what each one promises).
std::vector<std::string_view> cpu_keys();
void parse_cpu(const Value& compute, Chip& chip);
int cpu_array_level(const Chip& chip);
MapRules cpu_rules(const Chip& chip, const Problem& problem);
ComputeCost cpu_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass);

}  // namespace tilewright
