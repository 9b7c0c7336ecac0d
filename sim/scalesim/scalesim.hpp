// SCALE-Sim version 2, figure by figure: a named compatibility mode. Tilewright's own engines use none of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "arch_models/scalesim_cfg.hpp"
#include "sim/scalesim/buffers.hpp"
#include "sim/scalesim/layer.hpp"

namespace tilewright {

/// What is worked out.
enum class ScaleSimDetail {
  array,  // cycles, utilisation and SRAM word counts from closed formulas; CALC mode only
  memory  // DRAM accesses, stalls and all start and stop cycles too
};

/// The figures of COMPUTE_REPORT, BANDWIDTH_REPORT and DETAILED_ACCESS_REPORT for one layer.
struct ScaleSimResult {
  static constexpr std::array<std::string_view, 3> operands{"ifmap", "filter", "ofmap"};

  std::string layer;
  std::int64_t folds = 0, cycles_each = 0;          // passes over the array, and cycles of each
  std::int64_t total_cycles = 0, stall_cycles = 0;  // folds x cycles_each - 1 + stalls
  double overall_util_pct = 0, mapping_eff_pct = 0, compute_util_pct = 0;
  std::array<AccessSpan, 3> sram, dram;  // in the order of `operands`; Detail::array fills only sram[...].words

  double sram_bandwidth(std::size_t operand) const;  // words per cycle over all cycles
  double dram_bandwidth(std::size_t operand) const;  // words per cycle between start and stop
};

/// Public source read for the rules: scale-sim-v2, commit 22f88b17 (2025-02-25); formulas in docs/model.md.
/// Where the Python program would divide by zero (a total of 0 cycles) the percentages and bandwidths are 0.
/// InputError: a layer whose exact DRAM counts would need more than 20 G steps or 2^33 words of address space (USER: 2^28 words).
ScaleSimResult simulate_scalesim(const ScaleSimLayer& layer, const ScaleSimConfig& config, ScaleSimDetail detail);

}  // namespace tilewright
