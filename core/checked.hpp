// Exact 64-bit integer arithmetic that cannot overflow in silence.
#pragma once

#include <cstdint>

namespace tilewright {

[[noreturn]] void product_overflow(std::int64_t a, std::int64_t b);
[[noreturn]] void sum_overflow(std::int64_t a, std::int64_t b);

/// a * b and a + b; throw OverflowError (core/diagnostics.hpp) when the result leaves 64 bits.
inline std::int64_t checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) [[unlikely]]
    product_overflow(a, b);
  return result;
}
inline std::int64_t checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) [[unlikely]]
    sum_overflow(a, b);
  return result;
}

/// ceil(a / b) for a >= 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0); }

}  // namespace tilewright
