// Plots and the HTML page of a study.
#pragma once

#include <optional>
#include <string>

#include "sim/results/front.hpp"

namespace tilewright {

/// Metrics by name; x and y default to the study's first two objectives. Colour: the chip. InputError for unknown names.
std::string pareto_picture(const StudyRows& rows, const std::string& x, const std::string& y);
/// The front's points over all axes of the study with several values and all objectives.
std::string parallel_picture(const StudyRows& rows);
/// Per axis the lowest and the highest geometric mean of a metric over the axis' values, against the mean of all points.
std::string tornado_picture(const StudyRows& rows, const std::string& metric);
/// Best figure of a metric over all points with each pair of values of two coordinates ("chip", "workload" or an axis).
std::string heatmap_picture(const StudyRows& rows, const std::string& x, const std::string& y,
                            const std::string& metric);

/// One self-contained page: front, gain, these plots.
std::string study_html(const StudyRows& rows);

}  // namespace tilewright
