#include "sim/search/divisors.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

namespace tilewright {
namespace {

/// Each of `n` values takes the less of the two.
void lower(double* to, const double* from, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) to[i] = std::min(to[i], from[i]);
}

}  // namespace

std::vector<std::int64_t> divisors(std::int64_t n) {
  std::vector<std::int64_t> small, large;
  for (std::int64_t i = 1; i <= n / i; ++i) {
    if (n % i != 0) continue;
    small.push_back(i);
    if (i != n / i) large.push_back(n / i);
  }
  small.insert(small.end(), large.rbegin(), large.rend());
  return small;
}

Divisors packed_divisors(std::int64_t n) {
  Divisors found;
  found.values = divisors(n);
  found.exponents.assign(found.values.size(), 0);
  found.larger.resize(found.values.size());
  std::int64_t left = n;
  for (std::int64_t prime = 2; left > 1; ++prime) {
    if (prime > left / prime) prime = left;  // no smaller factor is left
    int power = 0;
    for (; left % prime == 0; left /= prime) ++power;
    if (power == 0) continue;
    for (std::size_t i = 0; i < found.values.size(); ++i) {
      std::uint64_t exponent = 0;
      for (std::int64_t value = found.values[i]; value % prime == 0; value /= prime) ++exponent;
      found.exponents[i] |= exponent << found.width;
      const auto next = std::lower_bound(found.values.begin(), found.values.end(), found.values[i] * prime);
      if (next == found.values.end() || *next != found.values[i] * prime) continue;
      found.prime_steps.emplace_back(i, next - found.values.begin());
      found.larger[i].push_back(found.prime_steps.back().second);
    }
    found.width += std::bit_width(static_cast<unsigned>(power)) + 1;
    found.guards |= std::uint64_t{1} << (found.width - 1);
  }
  return found;
}

void Lattice::enter(std::span<const Divisors* const> dims) {
  constexpr std::size_t most_cells = 1 << 17;
  dims_.assign(dims.begin(), dims.end());
  cells_ = 1;
  operations_ = 0;
  whole_ = false;
  std::vector<std::size_t> order(
      dims_.size());  // dims of few values lie close together: the passes run along many cells
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return dims_[a]->values.size() < dims_[b]->values.size(); });
  for (const std::size_t d : order) {
    strides_[d] = cells_;
    cells_ *= dims_[d]->values.size();
    if (cells_ <= most_cells) continue;
    dims_.clear();
    cells_ = 1;
    return;
  }
  whole_ = true;
  for (const Divisors* dim : dims_) operations_ += cells_ / dim->values.size() * dim->prime_steps.size();
}

void Lattice::least_of_larger(std::span<double> rows, std::size_t width) const {
  for (std::size_t d = 0; d < dims_.size(); ++d) {
    const std::size_t stride = strides_[d] * width, block = stride * dims_[d]->values.size();
    const auto& steps = dims_[d]->prime_steps;
    for (std::size_t first = 0; first < rows.size(); first += block) {
      for (auto step = steps.rbegin(); step != steps.rend(); ++step)
        lower(rows.data() + first + step->first * stride, rows.data() + first + step->second * stride, stride);
    }
  }
}

void Lattice::least_beyond(std::span<const double> least_of_larger, std::size_t width, const Steps& tile,
                           double* row) const {
  if (!whole_) {  // all tiles in one cell
    std::copy_n(least_of_larger.data(), width, row);
    return;
  }
  std::fill_n(row, width, std::numeric_limits<double>::infinity());
  const double* own = least_of_larger.data() + cell(tile) * width;
  for (std::size_t d = 0; d < dims_.size(); ++d) {
    for (const std::uint16_t larger : dims_[d]->larger[tile[d]])
      lower(row, own + (larger - tile[d]) * strides_[d] * width, width);
  }
}

void Lattice::least_of_smaller(std::span<double> rows, std::size_t width) const {
  for (std::size_t d = 0; d < dims_.size(); ++d) {
    const std::size_t stride = strides_[d] * width, block = stride * dims_[d]->values.size();
    for (std::size_t first = 0; first < rows.size(); first += block) {
      for (const auto& [smaller, larger] : dims_[d]->prime_steps)
        lower(rows.data() + first + larger * stride, rows.data() + first + smaller * stride, stride);
    }
  }
}

}  // namespace tilewright
