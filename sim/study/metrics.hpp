// What a study records of every point.
#pragma once

#include <limits>
#include <span>
#include <string_view>

#include "arch_models/chip.hpp"
#include "core/document.hpp"
#include "sim/cost/evaluation.hpp"
#include "sim/money/money.hpp"

namespace tilewright {

inline constexpr double no_figure = std::numeric_limits<double>::quiet_NaN();

/// What the figures of a point come from.
struct PointFacts {
  const NetworkEvaluation& network;
  const Chip& chip;
  double accuracy = no_figure;
  double predicted = no_figure;          // 1: the accuracy is a prediction, 0: measured
  const ServingCost* serving = nullptr;  // where the study has terms of serving
};

struct Metric {
  std::string_view name;                  // in constraints and objectives
  std::string_view column;                // in tables, with the unit
  double (*of)(const PointFacts& point);  // no_figure where chip file or study give none
  double (*limit)(const Value& text);     // reads a limit with its unit
};

std::span<const Metric> study_metrics();
/// Position of a metric; InputError at `place` naming the nearest.
std::size_t metric_position(const Value& where, std::string_view name);

}  // namespace tilewright
