// Where the data files that belong to the program are found.
#pragma once

#include <string>
#include <string_view>

namespace tilewright {

/// `part` below the folder `room`: beside the source (`built`, the folder's path when the program was compiled), else below
/// ../share/tilewright/ of the program (an installed copy). InputError naming both places when neither exists.
std::string data_folder(std::string_view built, std::string_view room, std::string_view part);

}  // namespace tilewright
