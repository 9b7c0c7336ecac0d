// Why a point of a study is on the front, or not, and what bounds it.
#pragma once

#include <string>

#include "sim/results/front.hpp"

namespace tilewright {

/// The front as a table, the best point of each objective, the winning network of each chip, and the gain over one-sided searches.
std::string front_text(const StudyRows& rows);
/// All points of the front as a table: identity, point, objectives.
std::string front_csv(const StudyRows& rows);

/// The point whose identity begins with `identity`: what it beats and by what it is beaten, what a better figure of each objective costs,
/// which constraints it meets narrowly, and where its time goes (evaluated again). InputError: no such point, or several.
std::string explain_text(const StudyRows& rows, const std::string& identity);

}  // namespace tilewright
