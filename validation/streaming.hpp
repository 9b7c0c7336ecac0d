// Suite `streaming`: batch-1 latency of streaming FPGA designs.
#pragma once

#include <string>

#include "validation/suite.hpp"

namespace tilewright {

/// Plays every design of a folder with designs.csv and stages.csv (columns: validation/measured/fpga/README.md) as a pipeline on the
/// SystemC engine and compares the latency of one sample with the measured one. Only the stages are simulated: no host, no DMA.
/// Passes when there are designs and each latency lies between its slowest stage and the sum of its stages.
/// `data`: a folder; empty: the project's own nine designs. InputError: file, line and column of what is missing or malformed.
SuiteResult validate_streaming(const std::string& data);

}  // namespace tilewright
