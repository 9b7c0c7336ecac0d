#include "arch_models/family.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "arch_models/gpu/library.hpp"

namespace tilewright {

std::span<const ArchFamily> arch_families() {
  static constexpr std::array families{
      ArchFamily{"cpu", "cores with SIMD units under a cache hierarchy", cpu_keys, parse_cpu, cpu_array_level,
                 cpu_rules, cpu_compute, false, false},
      ArchFamily{"gpu", "streaming multiprocessors with CUDA and tensor cores", gpu_keys, parse_gpu, gpu_array_level,
                 gpu_rules, gpu_compute, false, false, gpu_library, true},
      ArchFamily{"fpga", "DSP, BRAM and LUT budget: overlay engine or streaming pipeline", fpga_keys, parse_fpga,
                 fpga_array_level, fpga_rules, fpga_compute, true, false},
      ArchFamily{"systolic", "TPU-like or spatial MAC array", systolic_keys, parse_systolic, systolic_array_level,
                 systolic_rules, systolic_compute, false, false, nullptr, false, systolic_timer},
      ArchFamily{"neuromorphic", "event-driven cores, rate-coded networks", neuromorphic_keys, parse_neuromorphic,
                 neuromorphic_array_level, neuromorphic_rules, neuromorphic_compute, true, true},
  };
  return families;
}

const ArchFamily& family_of(const Chip& chip) {
  for (const ArchFamily& family : arch_families()) {
    if (family.name == chip.family) return family;
  }
  assert(!"a loaded chip has a known family");
  return arch_families().front();
}

bool is_pipelined(const Chip& chip) {
  if (const auto* fpga = std::get_if<FpgaParameters>(&chip.parameters)) return fpga->style == FpgaStyle::streaming;
  return family_of(chip).pipelined;
}

std::size_t core_level(const Chip& chip) {
  const ArchFamily& family = family_of(chip);
  const int array = family.array_level(chip) + (family.pass_of_all_cores ? 1 : 0);
  const auto last = static_cast<std::size_t>(std::clamp(array, 0, static_cast<int>(chip.levels.size()) - 1));
  const std::int64_t cores = chip.levels[last].instances;
  if (cores == 1) return 0;
  std::size_t level = last;
  while (level > 1 && chip.levels[level - 1].instances == cores) --level;
  return level;
}

DataType native_type(const Chip& chip, DataType asked) {
  using enum DataType;
  // Narrower formats of the same kind first (the order in which hardware replaces them), then wider ones of the same kind, then the
  // other kind: integers run exactly in a float wide enough; floats are quantised to the widest integer.
  static constexpr std::array floats{fp64, fp32, tf32, bf16, fp16, fp8};
  static constexpr std::array integers{int64, int32, int16, int8, int4, int2, int1};
  const auto has = [&](DataType type) {
    const auto found = chip.arithmetic.find(type);
    return found != chip.arithmetic.end() && found->second.macs_per_cycle > 0;
  };
  const auto same_kind = [&](const auto& list) -> std::optional<DataType> {
    std::size_t at = 0;
    while (list[at] != asked) ++at;
    for (std::size_t i = at; i < list.size(); ++i)
      if (has(list[i])) return list[i];
    for (std::size_t i = at; i-- > 0;)
      if (has(list[i])) return list[i];
    return std::nullopt;
  };
  if (is_integer(asked)) {
    if (const auto found = same_kind(integers)) return *found;
    for (DataType type : {fp16, bf16, tf32, fp32, fp64, fp8}) {
      if (has(type) && (bits(asked) <= 8 || bits(type) >= 32)) return type;
    }
  } else {
    if (const auto found = same_kind(floats)) return *found;
    for (DataType type : {int16, int8, int32, int4, int2, int1, int64})
      if (has(type)) return type;
  }
  assert(!chip.arithmetic.empty());
  return chip.arithmetic.begin()->first;
}

}  // namespace tilewright
