// Exact 64-bit integer arithmetic that cannot overflow in silence.
#pragma once

#include <cstdint>

namespace tilewright {

/// a * b and a + b; throw OverflowError (core/diagnostics.hpp) when the result leaves 64 bits.
std::int64_t checked_mul(std::int64_t a, std::int64_t b);
std::int64_t checked_add(std::int64_t a, std::int64_t b);

/// ceil(a / b) for a >= 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0); }

}  // namespace tilewright
