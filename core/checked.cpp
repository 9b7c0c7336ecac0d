#include "core/checked.hpp"

#include <fmt/core.h>

#include "core/diagnostics.hpp"

namespace tilewright {

std::int64_t checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) {
    throw OverflowError(fmt::format("{} x {} leaves 64-bit integers; make the sizes smaller", a, b));
  }
  return result;
}

std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) {
    throw OverflowError(fmt::format("{} + {} leaves 64-bit integers; make the sizes smaller", a, b));
  }
  return result;
}

}  // namespace tilewright
