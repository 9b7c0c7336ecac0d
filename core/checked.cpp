#include "core/checked.hpp"

#include <fmt/core.h>

#include "core/diagnostics.hpp"

namespace tilewright {

void product_overflow(std::int64_t a, std::int64_t b) {
  throw OverflowError(fmt::format("{} x {} leaves 64-bit integers; make the sizes smaller", a, b));
}

void sum_overflow(std::int64_t a, std::int64_t b) {
  throw OverflowError(fmt::format("{} + {} leaves 64-bit integers; make the sizes smaller", a, b));
}

}  // namespace tilewright
