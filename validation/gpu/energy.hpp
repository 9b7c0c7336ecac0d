// Energy and power of whole workloads against measurements: servers and chats of language models, training epochs, streaming kernels.
#pragma once

#include <string>

#include "arch_models/gpu/constants.hpp"
#include "validation/suite.hpp"

namespace tilewright {

/// Suite `gpu_energy` on energy.csv and roofline_power.csv:
/// - serving: power = idle + bytes/s + operations/s of weights, cache and arithmetic, once with the measured rate, once with the rate that the
///   kernel models and the host predict; known: all rows fitted, unseen: each model left out. Energy per request of all GPUs.
/// - chat: the 21 rows of the lecture's A100 table, one request at a time in eager Transformers, row by row: power by the constants of the serving
///   rows (none of its own), dispatch per operator of the host from the other models' rows.
/// - training: energy and power of an epoch of ResNet-50 under power limits, no constant fitted.
/// - streams: the three constants of board power on roofline_power.csv, device by device.
/// Passes when serving energy is at most 18 %, serving power with the rate given 14 % (models left out) and 12 % (known).
SuiteResult validate_energy(const std::string& folder, const Calibration& calibration);

/// Tokens per second at most of a decode that reads all weights from memory once a token.
double decode_roof(double weight_bytes, BytesPerSecond bandwidth);

}  // namespace tilewright
