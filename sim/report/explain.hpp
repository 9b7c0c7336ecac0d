// Why a number is what it is: its formula with the operands filled in, each of which can be asked again.
#pragma once

#include <string>
#include <vector>

#include "arch_models/chip.hpp"
#include "sim/cost/evaluation.hpp"

namespace tilewright {

struct Explanation {
  std::string what;     // "latency of conv1"
  std::string value;    // with its unit
  std::string formula;  // with the operands filled in; "": a leaf
  std::string source;   // of a constant, or the equation's place in docs/model.md; "": neither
  std::vector<Explanation> operands;
};

/// Latency, energy and error band of a network, down to bytes, bandwidths and energies per access. Figures are those of the evaluation.
/// Precondition: the evaluation has no failure.
std::vector<Explanation> explain(const NetworkEvaluation& network, const Chip& chip);
/// Of one layer (one execution).
std::vector<Explanation> explain(const LayerEvaluation& layer, const Chip& chip);

}  // namespace tilewright
