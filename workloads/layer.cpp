#include "workloads/layer.hpp"

#include <fmt/format.h>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

template <typename... Factors>
std::int64_t product(Factors... factors) {
  std::int64_t result = 1;
  ((result = checked_mul(result, factors)), ...);
  return result;
}

/// Kernel elements times the given extent of each axis.
std::int64_t window_points(const std::vector<Window>& axes, std::int64_t Window::*extent) {
  std::int64_t result = 1;
  for (const Window& axis : axes) result = product(result, axis.*extent, axis.kernel);
  return result;
}

/// total / groups; the split must be exact.
std::int64_t per_group(std::int64_t total, std::int64_t groups) {
  if (groups < 1 || total % groups != 0) {
    throw InputError({}, fmt::format("{} channels cannot be split into {} equal groups", total, groups));
  }
  return total / groups;
}

struct Macs {
  std::int64_t operator()(const Conv& c) const {
    return product(c.batch, c.out_channels, per_group(c.in_channels, c.groups), window_points(c.axes, &Window::out));
  }
  std::int64_t operator()(const ConvTranspose& c) const {
    return product(c.batch, c.in_channels, per_group(c.out_channels, c.groups), window_points(c.axes, &Window::in));
  }
  std::int64_t operator()(const MatMul& p) const {
    std::int64_t result = product(p.m, p.n, p.k);
    for (const BatchAxis& axis : p.batch) result = checked_mul(result, axis.bound);
    return result;
  }
  std::int64_t operator()(const Einsum& e) const {
    std::int64_t result = 1;
    for (const auto& [letter, bound] : e.bounds) result = checked_mul(result, bound);
    return result;
  }
  std::int64_t operator()(const Recurrent& r) const {
    const std::int64_t gates = r.cell == Cell::lstm ? 4 : r.cell == Cell::gru ? 3 : 1;
    return product(r.steps, r.batch, r.directions, gates, r.hidden, checked_add(r.input, r.hidden));
  }
  std::int64_t operator()(const Attention& a) const {
    return product(std::int64_t{2}, a.batch, a.heads, a.queries, a.keys, a.head_dim);
  }
  template <typename Other>
  std::int64_t operator()(const Other&) const {
    return 0;
  }
};

}  // namespace

std::int64_t macs(const Layer& layer) {
  try {
    return std::visit(Macs{}, layer.work);
  } catch (const OverflowError&) {
    throw OverflowError(fmt::format("the multiply-accumulates of layer '{}' leave 64 bits", shown(layer.name)));
  } catch (const InputError& error) { throw InputError(Place{"", 0, 0, shown(layer.name)}, error.what()); }
}

}  // namespace tilewright
