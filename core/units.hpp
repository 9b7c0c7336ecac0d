// Units as types: a cycle cannot be added to a picojoule.
// A quantity is a double with a compile-time dimension (second, joule, byte, cycle, usd, mm2 exponents).
#pragma once

#include <compare>

namespace tilewright {

/// A number with a dimension. Stored in base units: s, J, byte, cycle, USD, mm2.
template <int Second, int Joule, int Byte, int Cycle, int Dollar = 0, int Area = 0>
struct Quantity {
  double value = 0.0;

  friend constexpr auto operator<=>(Quantity, Quantity) = default;
  constexpr Quantity& operator+=(Quantity o) {
    value += o.value;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity o) {
    value -= o.value;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return {a.value + b.value}; }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return {a.value - b.value}; }
  friend constexpr Quantity operator*(double k, Quantity a) { return {k * a.value}; }
  friend constexpr Quantity operator*(Quantity a, double k) { return {k * a.value}; }
  friend constexpr Quantity operator/(Quantity a, double k) { return {a.value / k}; }
};

template <int S, int J, int B, int C, int D, int A, int S2, int J2, int B2, int C2, int D2, int A2>
constexpr auto operator*(Quantity<S, J, B, C, D, A> a, Quantity<S2, J2, B2, C2, D2, A2> b) {
  return Quantity<S + S2, J + J2, B + B2, C + C2, D + D2, A + A2>{a.value * b.value};
}

/// Division of quantities; equal dimensions give a plain double.
template <int S, int J, int B, int C, int D, int A, int S2, int J2, int B2, int C2, int D2, int A2>
constexpr auto operator/(Quantity<S, J, B, C, D, A> a, Quantity<S2, J2, B2, C2, D2, A2> b) {
  if constexpr (S == S2 && J == J2 && B == B2 && C == C2 && D == D2 && A == A2) {
    return a.value / b.value;
  } else {
    return Quantity<S - S2, J - J2, B - B2, C - C2, D - D2, A - A2>{a.value / b.value};
  }
}

using Seconds = Quantity<1, 0, 0, 0>;
using Joules = Quantity<0, 1, 0, 0>;
using Bytes = Quantity<0, 0, 1, 0>;
using Cycles = Quantity<0, 0, 0, 1>;
using Watts = Quantity<-1, 1, 0, 0>;
using Hertz = Quantity<-1, 0, 0, 1>;  // cycles per second
using BytesPerSecond = Quantity<-1, 0, 1, 0>;
using BytesPerCycle = Quantity<0, 0, 1, -1>;
using Dollars = Quantity<0, 0, 0, 0, 1>;
using SquareMillimetres = Quantity<0, 0, 0, 0, 0, 1>;

constexpr Joules picojoules(double pj) { return {pj * 1e-12}; }
constexpr double in_picojoules(Joules e) { return e.value * 1e12; }

}  // namespace tilewright
