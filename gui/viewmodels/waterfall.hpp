// From the peak of the lanes to what is achieved, cause by cause.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

/// What keeps a network from the peak rate, in the order in which the steps are drawn.
enum class LossCause {
  array,     // lanes without work: edge tiles, unrollings that do not fill the array, waves that do not come out even
  memory,    // waiting for a memory level or a link
  start,     // fill, drain and launches
  vector,    // operators without multiply-accumulates
  software,  // the host and the gaps between kernels
  pipeline,  // waiting for the slowest stage of a pipeline and for its first result
  other      // fused operators, transfers that nothing hides, cores without a tile
};

struct WaterfallStep {
  LossCause cause = LossCause::other;
  std::string level;             // memory: which
  double seconds = 0;            // lost; negative: gained (zeros that are skipped, stages that run at once)
  double before = 0, after = 0;  // operations per second, before this step and with it
};

/// `ideal` + all seconds = `whole`; peak = operations / ideal, and every step adds its seconds to the time so far, so that the last rate is the achieved one. Time from the
/// ledger of the report: of a library's launches, of a simulation, or of the kernels' bounds.
struct Waterfall {
  double operations = 0;        // of multiply-accumulates, two each
  double ideal = 0, whole = 0;  // seconds: at the peak rate of each layer's own format, and as reported
  double peak = 0, achieved = 0;
  std::vector<WaterfallStep> steps;
};

/// Of the network or of one layer (all its repeats). nullopt: it has no multiply-accumulates.
std::optional<Waterfall> waterfall(const Analysis& analysis, std::optional<std::size_t> row = {});

}  // namespace tilewright::gui
