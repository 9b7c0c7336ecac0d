// Points and results as bytes, on their way between processes of one program.
#pragma once

#include "sim/study/point.hpp"

namespace tilewright {

std::string packed(const StudyPoint& point);
StudyPoint unpacked_point(const std::string& bytes);

/// Figures to the bit.
std::string packed(const PointResult& result);
PointResult unpacked_result(const std::string& bytes);

}  // namespace tilewright
