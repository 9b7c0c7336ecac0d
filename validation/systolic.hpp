// Suite `systolic`: the compatibility mode against SCALE-Sim version 2, field by field.
#pragma once

#include <string>

#include "validation/suite.hpp"

namespace tilewright {

/// Runs every row of a table of SCALE-Sim results (columns: validation/measured/scalesim/README.md) and compares all 20 integers and 9 other figures of its
/// three reports. A row counts as a mismatch when an integer differs or another figure is off by more than 1e-9 of its value. One group for each mode and
/// dataflow (keys `mode`, `dataflow`) and one over all (`*`). Passes when the table has rows and none differs.
/// `data`: a CSV file; empty: the project's own 275 rows. InputError: file, line and column of what is missing or malformed.
SuiteResult validate_systolic(const std::string& data);

}  // namespace tilewright
