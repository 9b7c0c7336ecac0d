// Energy and power of whole workloads against measurements: servers and chats of language models, training epochs, streaming kernels.
#pragma once

#include <string>

#include "arch_models/gpu/constants.hpp"
#include "validation/suite.hpp"

namespace tilewright {

/// Suite `gpu_energy` on energy.csv and roofline_power.csv. Power is that of the kernels by the constants `board.*` (board.hpp), known: those of
/// `calibration`, left out: from a fit without the rows of the model.
/// - serving: power with the measured rate; step and energy per request of all GPUs with the rate that the kernel models and the host (fitted) predict.
/// - chat: the 21 rows of the lecture's A100 table, one request at a time in eager Transformers, row by row, models left out; dispatch per operator of the
///   host from the other models' rows. The other tasks and devices by device.
/// - training: energy and power of an epoch of ResNet-50 under power limits, the model left out of the fit.
/// - board power with the rate given, by kind of row and device: known, models left out, devices left out.
/// Passes when serving energy is at most 18 %, serving power with the rate given 14 % (models left out) and 12 % (known).
SuiteResult validate_energy(const std::string& folder, const Calibration& calibration);

/// Tokens per second at most of a decode that reads all weights from memory once a token.
double decode_roof(double weight_bytes, BytesPerSecond bandwidth);

}  // namespace tilewright
