// Area and price of a chip, given or put together from its parts.
#pragma once

#include "arch_models/chip.hpp"
#include "core/document.hpp"

namespace tilewright {

/// `area: {value}` or `{fixed, lane, kib}`: fixed + lanes x lane + KiB of all levels but the outermost x kib. `price: {value}` or `{fixed, per_mm2}`:
/// fixed + area x per_mm2. Linear in the parts: wiring, pads and yield are in the figures given, or nowhere. Needs levels and lanes. InputError.
void parse_area_and_price(const Value& root, Chip& chip);

}  // namespace tilewright
