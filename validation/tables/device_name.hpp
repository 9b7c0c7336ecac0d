// From the name that a driver reports to the key of a device table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tilewright {

/// "NVIDIA A100 80GB PCIe" -> "A100-PCIE-80GB": the one of `known` that has the same words in any order, or the only one that has all of them. Words of the
/// brand (NVIDIA, Tesla, GeForce) do not count. None when nothing or more than one fits.
std::optional<std::string> device_key(std::string_view driver_name, std::span<const std::string> known);
/// A key for a device that no table has: the driver's words joined by "-", without those of the brand.
std::string new_device_key(std::string_view driver_name);

}  // namespace tilewright
