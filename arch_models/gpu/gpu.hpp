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

/// GPU: streaming multiprocessors under the L2, lanes (CUDA or tensor cores) under the shared memory.
struct GpuParameters {
  std::int64_t sms = 1;
  std::int64_t cuda_cores_per_sm = 64;
  std::int64_t tensor_cores_per_sm = 0;
  std::int64_t registers_bytes_per_sm = 262144;
  std::int64_t shared_bytes_per_sm = 65536;
  /// Most thread blocks and warps that an SM holds at once (CUDA programming guide, technical specifications by compute capability:
  /// 32 and 64 on 7.0, 8.0 and 9.0). For the simulation; the tile equation knows registers and shared memory alone.
  std::int64_t blocks_per_sm = 32, warps_per_sm = 64;
};

/// The entry of the family list (arch_models/family.hpp says what each one promises).
std::vector<std::string_view> gpu_keys();
void parse_gpu(const Value& compute, Chip& chip);
int gpu_array_level(const Chip& chip);
MapRules gpu_rules(const Chip& chip, const Problem& problem);
ComputeCost gpu_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass);

}  // namespace tilewright
