// What a study records of every point.
#pragma once

#include <limits>
#include <span>
#include <string_view>

#include "arch_models/chip.hpp"
#include "core/document.hpp"
#include "sim/cost/evaluation.hpp"

namespace tilewright {

inline constexpr double no_figure = std::numeric_limits<double>::quiet_NaN();

struct Metric {
  std::string_view name;                                            // in constraints and objectives
  std::string_view column;                                          // in tables, with the unit
  double (*of)(const NetworkEvaluation& result, const Chip& chip);  // no_figure where the chip file gives none
  double (*limit)(const Value& text);                               // reads a limit with its unit
};

std::span<const Metric> study_metrics();
/// Position of a metric; InputError at `place` naming the nearest.
std::size_t metric_position(const Value& where, std::string_view name);

}  // namespace tilewright
