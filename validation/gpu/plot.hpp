// The predicted-against-measured plot.
#pragma once

#include <string>
#include <vector>

namespace tilewright {

struct ComparedRow;

/// Log-log scatter of predicted over measured time, one colour per operator class, with the diagonal and its factor-of-two band.
std::string predicted_against_measured_svg(const std::vector<ComparedRow>& rows);

}  // namespace tilewright
