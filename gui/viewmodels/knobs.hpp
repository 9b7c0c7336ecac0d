// The sliders of what-if: which figures of a chip and a network can be turned, over which range.
#pragma once

#include <QString>
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
  /// The label in the language of the window.
  QString title() const;
};

/// A slider around the value of a file, a number with or without a unit, from an eighth to eight times; whole: rounded to integers,
/// doubles left out.
Knob around(std::string key, std::string label, const std::string& own, bool whole);
/// The same for a capacity: whole bytes in the largest unit that the file's value has.
Knob capacities(std::string key, std::string label, const std::string& own);

/// Clock, lanes of an array, capacity and bandwidth of every level, each from an eighth to eight times what the chip file says; batch; number
/// formats of the chip; lengths of sequences and sides of images of a generator;
/// sizes that an ONNX file leaves open.
std::vector<Knob> knobs(const Analysis& unchanged);

}  // namespace tilewright::gui
