#pragma once

#include <string_view>

namespace tilewright {
inline constexpr std::string_view version = "0.1.0";
}
