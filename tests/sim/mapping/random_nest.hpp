// Random problems and mappings for laws that hold for any nest.
#pragma once

#include <random>

#include "sim/mapping/mapping.hpp"

namespace tilewright {

/// A product, a strided and dilated convolution, a depthwise one, a transposed one, or an operand with a dim on two axes; bounds up
/// to `largest`.
Problem random_problem(std::mt19937_64& random, std::int64_t largest);

/// Loops of any kind in any order on one to four levels, operands bypassing levels, bounds that need not divide. Fan-outs and
/// capacities are not looked at.
Mapping random_mapping(std::mt19937_64& random, const Problem& problem);

}  // namespace tilewright
