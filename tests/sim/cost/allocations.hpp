// Counts every operator new of the program that links allocations.cpp.
#pragma once

#include <cstddef>

namespace tilewright::testing {

std::size_t allocations();

}  // namespace tilewright::testing
