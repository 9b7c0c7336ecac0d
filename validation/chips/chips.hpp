// Whole chips against figures that others published: networks and layers on CPUs, FPGAs and arrays.
#pragma once

#include <string>

#include "validation/suite.hpp"

namespace tilewright {

/// Runs each row of `file` (columns of validation/measured/chips/published.csv; empty: that file) through the analytical engine and compares
/// time with the published one. `quantity` is what a row measured: `latency` of one batch, `throughput` in samples, or
/// `compute_time`, the array's own part of it. Relative errors |predicted - published| / published; groups by chip, software and
/// quantity, by chip, and all. Nothing is fitted to these rows. InputError for a file that cannot be read, with line and column.
/// Always passes: the errors are the result.
SuiteResult validate_chips(const std::string& file, int jobs);

}  // namespace tilewright
