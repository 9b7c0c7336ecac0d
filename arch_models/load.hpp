// Chip files and the chip library.
#pragma once

#include <string>
#include <vector>

#include "arch_models/chip.hpp"
#include "core/document.hpp"

namespace tilewright {

/// A library name ("a100-sxm4-80gb") or a path to a .yaml file or a SCALE-Sim .cfg file. InputError: unknown name (nearest named), unknown or missing key,
/// missing unit, zero capacity, a level that no operand can use, energies of two tables mixed.
Chip load_chip(const std::string& name_or_path);
Chip parse_chip(const std::string& yaml, const std::string& file);
/// The YAML of a chip before it is read, for changes by `with_overrides`; `read_chip` then makes the chip. Errors as load_chip.
Value chip_document(const std::string& name_or_path);
Chip read_chip(const Value& document);

/// Names of the library, sorted; the folder is found beside the program's source (compiled in) or its install prefix.
std::vector<std::string> chip_library();
std::string chip_library_folder();

}  // namespace tilewright
