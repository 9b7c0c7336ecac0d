// Where the data files of this room are found.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tilewright {

/// Folder "chips" or "energy" of the library: beside the program's source (compiled in), else ../share/tilewright/arch_models
/// from the program (an installed copy). InputError naming both places when neither exists.
std::string library_folder(std::string_view part);
/// Names of the .yaml files of a folder without their ending, sorted.
std::vector<std::string> library_names(const std::string& folder);

}  // namespace tilewright
