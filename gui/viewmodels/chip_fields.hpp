// A chip file as fields to edit and as a picture.
#pragma once

#include <QString>
#include <optional>
#include <string>
#include <vector>

#include "core/document.hpp"
#include "gui/viewmodels/knobs.hpp"

namespace tilewright::gui {

/// One scalar of a chip file. Its change in a project has the key "chip." + path.
struct ChipField {
  std::string path;          // "levels.DRAM.bandwidth"
  std::string section;       // "levels.DRAM", "compute"; "": of the chip as a whole
  std::string label;         // the path inside the section
  std::string text;          // as the file has it, with its unit
  std::string source;        // the nearest one that the file gives
  bool fixed = false;        // a name by which other fields are found
  std::optional<Knob> knob;  // numbers: from an eighth to eight times
};

/// All scalars in file order, sources left out: they stand beside what they are the source of.
std::vector<ChipField> chip_fields(const Value& document);

/// The document with the changes of the project that are of its chip. InputError as with_overrides.
Value with_changes(const Value& document, const Project& project);

/// Why the chip cannot be read with this text in a field, on top of the project's changes; "": it can.
std::string chip_error(const Value& document, const Project& project, const ChipField& field, const std::string& text);

/// A document as YAML, one line for each key of the chip and for each level, without comments. It is read back equal.
std::string chip_yaml(const Value& document);

/// A level or the lanes as a box, and the link to the next one, in words.
struct ChipBox {
  QString name, count, size, energy;  // "SM", "108 of them", "420 KiB", "1.2 pJ / 128 bit" (a read)
  QString link, fan_out;              // "1.55 TB/s", "each, 1 : 16 x 16"; empty for the last box
};
/// Outermost level first, the compute lanes last.
std::vector<ChipBox> chip_boxes(const Chip& chip);

}  // namespace tilewright::gui
