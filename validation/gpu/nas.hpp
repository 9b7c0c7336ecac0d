// Rank correlation of predicted with measured latencies of network families: NAS-Bench-201 cells and Once-for-All sub-networks.
#pragma once

#include <string>
#include <vector>

#include "arch_models/gpu/stack.hpp"
#include "core/diagnostics.hpp"
#include "validation/suite.hpp"

namespace tilewright {

/// Kernels of one eager pass of a NAS-Bench-201 network (CIFAR, 32 x 32; 3 stages of 5 cells at 16, 32, 64 channels). InputError for a
/// string that is no cell; `where` names its row.
std::vector<ModelKernel> nasbench201_kernels(const std::string& cell, std::int64_t batch, const Place& where);
/// Kernels of a Once-for-All MobileNetV3 sub-network, width 1.2: depth of each of 5 stages, kernel and expansion of each of 20 blocks.
std::vector<ModelKernel> once_for_all_kernels(std::int64_t resolution, const std::vector<std::int64_t>& depths,
                                              const std::vector<std::int64_t>& sizes,
                                              const std::vector<std::int64_t>& expansions, std::int64_t batch);

/// Suite `nas`: predictions in eager PyTorch by family, device and batch. Passes when the correlation at
/// the largest batch is 0.95 or more on every device. `folder` holds nasbench201_cuda_latency.csv and ofa_cuda_latency.csv, `devices` the device table.
SuiteResult validate_nas(const std::string& folder, const std::string& devices, const GpuConstants& constants);

}  // namespace tilewright
