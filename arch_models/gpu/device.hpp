// A GPU as its data sheet describes it: the only thing that the kernel models know about a device.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/units.hpp"

namespace tilewright {

struct Chip;

/// Correction factors of one device that was calibrated itself; 1 for a device known from its data sheet alone.
struct DeviceTrim {
  double cuda = 1, tensor = 1, dram = 1, power = 1, conv = 1;
};

/// Data-sheet figures of one GPU. Peaks are dense operations per second (a multiply-add counts two) at the boost clock; 0: the chip has none.
struct GpuDevice {
  std::string name, generation;  // generation: Maxwell Pascal Volta Turing Ampere Ada Hopper Blackwell
  double compute_capability = 0;
  std::int64_t sms = 1, cuda_cores_per_sm = 64, tensor_cores_per_sm = 0;
  Hertz boost;
  double fp32_peak = 0, fp16_vector_peak = 0, fp16_tensor_peak = 0, bf16_tensor_peak = 0, tf32_tensor_peak = 0,
         int8_peak = 0, fp8_tensor_peak = 0;
  std::string memory;  // GDDR5, HBM2e, ...
  Bytes memory_size, l2_size, shared_per_sm, registers_per_sm;
  BytesPerSecond dram_bandwidth;
  Watts tdp;
  Watts power_limit;  // that a user sets below the TDP; 0: none
  double node_nm = 0, die_mm2 = 0;
  DeviceTrim trim;

  /// What the board may draw.
  Watts limit() const { return power_limit.value > 0 ? power_limit : tdp; }
  bool has_hbm() const { return memory.starts_with("HBM"); }
};

/// Die in mm2; where the data sheet gives none, what boards of its TDP usually have.
double die_area(const GpuDevice& device);
/// Bytes that the L2 delivers to one SM in a cycle when all ask, by memory system; not on data sheets, measured by micro-benchmarks.
double l2_bytes_per_sm_cycle(const GpuDevice& device);

/// Reads a device table (columns of validation/measured/gpu/devices.csv). InputError with line and column for a bad or missing cell.
std::vector<GpuDevice> read_gpu_devices(const std::string& csv_path);
/// The device of a chip file of family gpu. Precondition: the chip came from load_chip and has the gpu family.
GpuDevice gpu_device_of(const Chip& chip);

}  // namespace tilewright
