// The systolic wavefront of a kernel: the per-cycle model of the array on a product small enough to be watched.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "sim/cost/evaluation.hpp"
#include "sim/systemc/pe_array/pe_array.hpp"

namespace tilewright::gui {

/// Frames of one fold, and what of the kernel and of the chip they stand for.
struct Wavefront {
  std::int64_t rows = 1, cols = 1;            // of the array that is drawn
  std::int64_t chip_rows = 1, chip_cols = 1;  // of the chip
  std::int64_t m = 1, n = 1, k = 1;           // of the product that is drawn
  std::string dataflow;
  std::vector<ArrayFrame> frames;
  PeArrayResult result;
  std::int64_t formula_cycles = 0;
};
using WavefrontPtr = std::shared_ptr<const Wavefront>;

/// The first tile of the kernel as a product on the chip's array, both cut to 16 in every direction. none: the chip has no systolic array,
/// its dataflow is not a product's (row stationary), or the kernel multiplies nothing.
std::optional<PeArrayRequest> wavefront_request(const Evaluation& evaluation, const Chip& chip);

/// Simulates it. Errors as simulate_pe_array.
WavefrontPtr wavefront(PeArrayRequest request, const Chip& chip);

}  // namespace tilewright::gui
