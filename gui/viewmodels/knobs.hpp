// The sliders of what-if: which figures of a chip and a network can be turned, over which range.
#pragma once

#include <string>
#include <vector>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

/// One slider: positions 0 .. values.size() - 1, each a value as a study's axis would have it.
struct Knob {
  std::string key;    // of the axis
  std::string label;  // "DRAM bandwidth"
  std::vector<std::string> values;
  int own = 0;  // position of what the files say, or nearest to it
  /// Position of the project's value; `own` when it is not changed.
  int position(const Project& project) const;
};

/// Clock, lanes of an array, capacity and bandwidth of every level, each from an eighth to eight times what the chip file says; batch; number
/// formats of the chip; the sequence lengths of a generator.
std::vector<Knob> knobs(const Analysis& unchanged);

}  // namespace tilewright::gui
