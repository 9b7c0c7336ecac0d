// The wavefront as text and as a picture.
#pragma once

#include <string>
#include <vector>

#include "sim/systemc/pe_array/pe_array.hpp"

namespace tilewright {

/// One cycle as text: a cell for each PE. A number is the streamed word (modulo 100) that the PE multiplies, 'w' a stationary word on its way in, '.' nothing.
std::string wavefront_text(const ArrayFrame& frame, std::int64_t cols);

/// The first cycles side by side as an SVG: a square for each PE, coloured and numbered by the streamed word that it multiplies. At most 24 frames.
std::string wavefront_svg(const std::vector<ArrayFrame>& frames, std::int64_t rows, std::int64_t cols,
                          const std::string& title);

}  // namespace tilewright
