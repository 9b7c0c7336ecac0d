// A made-up GPU whose figures can be multiplied by hand.
#pragma once

#include "arch_models/gpu/device.hpp"

namespace tilewright {

/// A chip of round numbers: 100 SMs, 1 GHz, 12.8 TFLOP/s, 100 TFLOP/s on tensor cores, 1 TB/s.
inline GpuDevice round_chip(double compute_capability = 8.0) {
  GpuDevice device;
  device.name = "round";
  device.generation = "Ampere";
  device.compute_capability = compute_capability;
  device.sms = 100;
  device.cuda_cores_per_sm = 64;
  device.tensor_cores_per_sm = 4;
  device.boost = Hertz{1e9};
  device.fp32_peak = 12.8e12;
  device.fp16_tensor_peak = device.bf16_tensor_peak = 100e12;
  device.int8_peak = device.fp8_tensor_peak = 200e12;
  device.memory = "HBM2";
  device.l2_size = Bytes{40 << 20};
  device.shared_per_sm = Bytes{160 << 10};
  device.registers_per_sm = Bytes{256 << 10};
  device.dram_bandwidth = BytesPerSecond{1e12};
  device.tdp = Watts{400};
  device.node_nm = 8;
  device.die_mm2 = 600;
  return device;
}

}  // namespace tilewright
