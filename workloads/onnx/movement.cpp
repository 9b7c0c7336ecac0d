// Views, data movement, gathers and scatters, and operators that make constants.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/checked.hpp"
#include "workloads/onnx/rules.hpp"

namespace tilewright::importer {
namespace {

std::ptrdiff_t at(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

/// Axes from the attribute (up to opset 12) or from operand 1 (since opset 13).
std::optional<std::vector<std::int64_t>> axes_of(const Node& node) {
  if (auto axes = node.integers("axes")) return axes;
  if (node.has(1)) return node.constant_integers(1, "axes");
  return std::nullopt;
}

std::int64_t positive(const Node& node, std::string_view name) {
  const std::int64_t v = node.integer(name, 0);
  if (v < 1) node.fail(fmt::format("attribute '{}' = {}; at least 1 is needed", name, v));
  return v;
}

}  // namespace

// ---- views -------------------------------------------------------------------------------------------------------------

void reshape_shape(Node& node) {
  const Shape& x = node.shape(0);
  Shape out = node.constant_integers(1, "target shape");
  const bool zero_means_zero = node.integer("allowzero", 0) != 0;
  std::int64_t known = 1;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (out[i] == 0 && !zero_means_zero) {
      if (i >= x.size()) node.fail(fmt::format("target axis {} copies an axis that the input {} lacks", i, text(x)));
      out[i] = x[i];
    }
    if (out[i] == -1 && !open) {
      open = i;
    } else if (out[i] < 0) {
      node.fail(fmt::format("target shape {}: at most one -1 and no other negative size", text(out)));
    } else {
      known = checked_mul(known, out[i]);
    }
  }
  const std::int64_t all = elements(x);
  if (open) {
    if (known == 0 || all % known != 0)
      node.fail(fmt::format("{} elements do not divide into target {}", all, text(out)));
    out[*open] = all / known;
  } else if (known != all) {
    node.fail(fmt::format("shape {} ({} elements) cannot become {} ({} elements)", text(x), all, text(out), known));
  }
  node.result(0, out, node.input(0).type);
}

void flatten_shape(Node& node) {
  const Shape& x = node.shape(0);
  const std::int64_t given = node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(x.size());
  if (given < -rank || given > rank) node.fail(fmt::format("axis {} of a tensor of rank {}", given, rank));
  const auto axis = static_cast<std::size_t>(given < 0 ? given + rank : given);
  node.result(0, {product(x, 0, axis), product(x, axis, x.size())}, node.input(0).type);
}

void squeeze_shape(Node& node) {
  const Shape& x = node.shape(0);
  std::vector<bool> gone(x.size(), false);
  if (const auto axes = axes_of(node)) {
    for (const std::int64_t a : *axes) {
      const std::size_t axis = node.axis(a, x.size());
      if (x[axis] != 1) node.fail(fmt::format("axis {} of shape {} is not 1", a, text(x)));
      gone[axis] = true;
    }
  } else {
    for (std::size_t i = 0; i < x.size(); ++i) gone[i] = x[i] == 1;
  }
  Shape out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!gone[i]) out.push_back(x[i]);
  }
  node.result(0, out, node.input(0).type);
}

void unsqueeze_shape(Node& node) {
  const Shape& x = node.shape(0);
  const auto axes = axes_of(node);
  if (!axes) node.fail("axes are missing");
  const std::size_t rank = x.size() + axes->size();
  if (rank > 32) node.fail("more than 32 axes");
  std::vector<bool> fresh(rank, false);
  for (const std::int64_t a : *axes) {
    const std::size_t axis = node.axis(a, rank);
    if (fresh[axis]) node.fail(fmt::format("axis {} occurs twice", a));
    fresh[axis] = true;
  }
  Shape out;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) out.push_back(fresh[i] ? 1 : x[next++]);
  node.result(0, out, node.input(0).type);
}

void dropout_shape(Node& node) {
  node.result(0, node.shape(0), node.input(0).type);
  node.result(1, node.shape(0), element::boolean);
}

// ---- movement ----------------------------------------------------------------------------------------------------------

void transpose_shape(Node& node) {
  const Shape& x = node.shape(0);
  std::vector<std::int64_t> perm(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) perm[i] = static_cast<std::int64_t>(x.size() - 1 - i);
  perm = node.integers("perm").value_or(perm);
  std::vector<bool> seen(x.size(), false);
  Shape out;
  for (const std::int64_t p : perm) {
    const std::size_t axis = node.axis(p, x.size());
    if (seen[axis]) node.fail(fmt::format("perm names axis {} twice", p));
    seen[axis] = true;
    out.push_back(x[axis]);
  }
  if (out.size() != x.size()) node.fail(fmt::format("perm has {} axes, the input {}", out.size(), x.size()));
  node.result(0, out, node.input(0).type);
}

void concat_shape(Node& node) {
  Shape out = node.shape(0);
  if (node.opset() >= 4 && !node.has_attribute("axis")) node.fail("attribute 'axis' is missing");
  const std::size_t axis = node.axis(node.integer("axis", 1), out.size());
  for (std::size_t i = 1; i < node.in.size(); ++i) {
    const Shape& x = node.shape(i);
    if (x.size() != out.size()) node.fail(fmt::format("operands of rank {} and {}", out.size(), x.size()));
    for (std::size_t a = 0; a < x.size(); ++a) {
      if (a != axis && x[a] != out[a]) {
        node.fail(fmt::format("operands {} and {} differ outside axis {}", text(node.shape(0)), text(x), axis));
      }
    }
    out[axis] = checked_add(out[axis], x[axis]);
  }
  node.result(0, out, node.input(0).type);
}

void split_shape(Node& node) {
  const Shape& x = node.shape(0);
  const std::size_t axis = node.axis(node.integer("axis", 0), x.size());
  std::optional<std::vector<std::int64_t>> parts = node.integers("split");
  if (!parts && node.has(1)) parts = node.constant_integers(1, "split");
  const auto count = static_cast<std::int64_t>(node.out.size());
  if (count == 0) return;
  if (!parts) {
    if (x[axis] % count != 0)
      node.fail(fmt::format("axis of size {} does not split into {} equal parts", x[axis], count));
    parts = std::vector<std::int64_t>(node.out.size(), x[axis] / count);
  }
  std::int64_t sum = 0;
  for (const std::int64_t p : *parts) {
    if (p < 0) node.fail(fmt::format("a part of size {}", p));
    sum = checked_add(sum, p);
  }
  if (parts->size() != node.out.size() || sum != x[axis]) {
    node.fail(
        fmt::format("{} parts of {} in all for {} results and an axis of size {}", parts->size(), sum, count, x[axis]));
  }
  for (std::size_t i = 0; i < node.out.size(); ++i) {
    Shape out = x;
    out[axis] = (*parts)[i];
    node.result(i, out, node.input(0).type);
  }
}

/// Starts and ends count from the end when negative and are clamped to the axis (ONNX Slice; attributes up to opset 9).
std::vector<SliceAxis> slice_axes(const Node& node) {
  const Shape& x = node.shape(0);
  std::vector<std::int64_t> starts, ends, axes, steps;
  if (node.opset() < 10) {
    const auto s = node.integers("starts");
    const auto e = node.integers("ends");
    if (!s || !e) node.fail("attributes 'starts' and 'ends' are missing");
    starts = *s;
    ends = *e;
    axes = node.integers("axes").value_or(axes);
  } else {
    starts = node.constant_integers(1, "starts");
    ends = node.constant_integers(2, "ends");
    if (node.has(3)) axes = node.constant_integers(3, "axes");
    if (node.has(4)) steps = node.constant_integers(4, "steps");
  }
  if (axes.empty()) {
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    node.fail("starts, ends, axes and steps differ in number");
  }
  std::vector<SliceAxis> result(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) result[i].count = x[i];
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t axis = node.axis(axes[i], x.size());
    const std::int64_t size = x[axis];
    const std::int64_t step = steps[i];
    if (step == 0 || step == std::numeric_limits<std::int64_t>::min()) node.fail(fmt::format("a step of {}", step));
    if (size == 0) continue;  // an empty axis stays empty
    const auto place = [&](std::int64_t index, std::int64_t least, std::int64_t most) {
      return std::clamp(index < 0 ? index + size : index, least, most);
    };
    const std::int64_t start = step > 0 ? place(starts[i], 0, size) : place(starts[i], 0, size - 1);
    const std::int64_t end = step > 0 ? place(ends[i], 0, size) : place(ends[i], -1, size - 1);
    const std::int64_t span = step > 0 ? end - start : start - end;
    result[axis] = {start, step, span <= 0 ? 0 : ceil_div(span, step > 0 ? step : -step)};
  }
  return result;
}

void slice_shape(Node& node) {
  Shape out;
  for (const SliceAxis& axis : slice_axes(node)) out.push_back(axis.count);
  node.result(0, out, node.input(0).type);
}

void pad_shape(Node& node) {
  const Shape& x = node.shape(0);
  auto pads = node.integers("pads");
  if (!pads) pads = node.constant_integers(1, "pads");
  if (pads->size() != 2 * x.size()) node.fail(fmt::format("{} pads for a tensor of rank {}", pads->size(), x.size()));
  Shape out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    out.push_back(checked_add(x[i], checked_add((*pads)[i], (*pads)[i + x.size()])));
    if (out.back() < 0) node.fail(fmt::format("axis {} is cut to size {}", i, out.back()));
  }
  node.result(0, out, node.input(0).type);
}

void expand_shape(Node& node) {
  const auto target = node.constant_integers(1, "target shape");
  for (const std::int64_t t : target) {
    if (t < 0) node.fail(fmt::format("target shape {} holds a negative size", text(target)));
  }
  node.result(0, broadcast(node, node.shape(0), target), node.input(0).type);
}

void tile_shape(Node& node) {
  Shape out = node.shape(0);
  const auto repeats = node.constant_integers(1, "repeats");
  if (repeats.size() != out.size())
    node.fail(fmt::format("{} repeats for a tensor of rank {}", repeats.size(), out.size()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (repeats[i] < 0) node.fail(fmt::format("repeats {} times", repeats[i]));
    out[i] = checked_mul(out[i], repeats[i]);
  }
  node.result(0, out, node.input(0).type);
}

void depth_to_space_shape(Node& node) {
  const Shape& x = node.shape(0);
  const std::int64_t b = positive(node, "blocksize");
  if (x.size() != 4 || x[1] % checked_mul(b, b) != 0)
    node.fail(fmt::format("blocksize {} does not fit shape {}", b, text(x)));
  node.result(0, {x[0], x[1] / (b * b), checked_mul(x[2], b), checked_mul(x[3], b)}, node.input(0).type);
}

void space_to_depth_shape(Node& node) {
  const Shape& x = node.shape(0);
  const std::int64_t b = positive(node, "blocksize");
  if (x.size() != 4 || x[2] % b != 0 || x[3] % b != 0)
    node.fail(fmt::format("blocksize {} does not fit shape {}", b, text(x)));
  node.result(0, {x[0], checked_mul(x[1], checked_mul(b, b)), x[2] / b, x[3] / b}, node.input(0).type);
}

void one_hot_shape(Node& node) {
  Shape out = node.shape(0);
  const auto depth = node.constant_reals(1, "depth");
  if (depth.size() != 1 || !(depth[0] >= 1 && depth[0] < 9e15)) node.fail("depth must be one positive number");
  const std::size_t axis = node.axis(node.integer("axis", -1), out.size() + 1);
  out.insert(out.begin() + at(axis), static_cast<std::int64_t>(depth[0]));
  node.result(0, out, node.input(2).type);
}

Operator movement_work(const Node& node) {
  std::int64_t moved = 0;
  for (const Value& out : node.out) moved = checked_add(moved, elements(out.shape));
  return Movement{moved};
}

// ---- gathers and scatters ----------------------------------------------------------------------------------------------

void gather_shape(Node& node) {
  const Shape& table = node.shape(0);
  const Shape& indices = node.shape(1);
  const std::size_t axis = node.axis(node.integer("axis", 0), table.size());
  Shape out(table.begin(), table.begin() + at(axis));
  out.insert(out.end(), indices.begin(), indices.end());
  out.insert(out.end(), table.begin() + at(axis + 1), table.end());
  node.result(0, out, node.input(0).type);
}

Operator gather_work(const Node& node) {
  const Shape& table = node.shape(0);
  const std::size_t axis = node.axis(node.integer("axis", 0), table.size());
  return Gather{checked_mul(product(table, 0, axis), elements(node.shape(1))), product(table, axis + 1, table.size()),
                product(table, 0, axis + 1)};
}

void gather_elements_shape(Node& node) {
  if (node.shape(0).size() != node.shape(1).size()) node.fail("data and indices differ in rank");
  (void)node.axis(node.integer("axis", 0), node.shape(0).size());
  node.result(0, node.shape(1), node.input(0).type);
}

Operator gather_elements_work(const Node& node) { return Gather{elements(node.shape(1)), 1, elements(node.shape(0))}; }

namespace {

/// Axes of the table before the slices that one index of GatherND or ScatterND names.
std::size_t indexed_axes(const Node& node, std::size_t batch_axes) {
  const Shape& table = node.shape(0);
  const Shape& indices = node.shape(1);
  if (indices.empty()) node.fail("indices need at least one axis");
  const std::int64_t depth = indices.back();
  if (batch_axes >= indices.size() || batch_axes > table.size() || depth < 1 ||
      depth > static_cast<std::int64_t>(table.size() - batch_axes)) {
    node.fail(fmt::format("indices {} do not fit data {}", text(indices), text(table)));
  }
  return batch_axes + static_cast<std::size_t>(depth);
}

std::size_t batch_axes_of(const Node& node) {
  const std::int64_t batch = node.integer("batch_dims", 0);
  if (batch < 0 || batch > 32) node.fail(fmt::format("batch_dims = {}", batch));
  return static_cast<std::size_t>(batch);
}

}  // namespace

void gather_nd_shape(Node& node) {
  const Shape& table = node.shape(0);
  const std::size_t first = indexed_axes(node, batch_axes_of(node));
  Shape out(node.shape(1).begin(), node.shape(1).end() - 1);
  out.insert(out.end(), table.begin() + at(first), table.end());
  node.result(0, out, node.input(0).type);
}

Operator gather_nd_work(const Node& node) {
  const Shape& table = node.shape(0);
  const Shape& indices = node.shape(1);
  const std::size_t first = indexed_axes(node, batch_axes_of(node));
  return Gather{product(indices, 0, indices.size() - 1), product(table, first, table.size()), product(table, 0, first)};
}

void scatter_elements_shape(Node& node) {
  if (node.shape(1) != node.shape(2) || node.shape(0).size() != node.shape(1).size()) {
    node.fail(fmt::format("indices {} and updates {} do not fit data {}", text(node.shape(1)), text(node.shape(2)),
                          text(node.shape(0))));
  }
  node.result(0, node.shape(0), node.input(0).type);
}

/// The data is copied, then updated: the traffic of the copy is that of a movement.
Operator scatter_elements_work(const Node& node) {
  return Movement{checked_add(elements(node.shape(0)), elements(node.shape(2)))};
}

void scatter_nd_shape(Node& node) {
  (void)indexed_axes(node, 0);
  node.result(0, node.shape(0), node.input(0).type);
}

Operator scatter_nd_work(const Node& node) { return scatter_elements_work(node); }

// ---- constants ---------------------------------------------------------------------------------------------------------

void shape_shape(Node& node) {
  const auto rank = static_cast<std::int64_t>(node.shape(0).size());
  const auto place = [rank](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + rank : i, 0, rank); };
  node.result(0, {std::max<std::int64_t>(0, place(node.integer("end", rank)) - place(node.integer("start", 0)))},
              element::int64);
}

void size_shape(Node& node) {
  (void)node.input(0);
  node.result(0, {}, element::int64);
}

void constant_shape(Node& node) {
  if (const Value* value = node.has_attribute("value") ? node.tensor("value") : nullptr) {
    node.result(0, value->shape, value->type);
  } else if (node.has_attribute("value_int")) {
    node.result(0, {}, element::int64);
  } else if (node.has_attribute("value_float")) {
    node.result(0, {}, element::float32);
  } else if (const auto ints = node.has_attribute("value_ints") ? node.integers("value_ints") : std::nullopt) {
    node.result(0, {static_cast<std::int64_t>(ints->size())}, element::int64);
  } else if (const auto floats = node.has_attribute("value_floats") ? node.reals("value_floats") : std::nullopt) {
    node.result(0, {static_cast<std::int64_t>(floats->size())}, element::float32);
  } else if (node.has_attribute("value_string")) {
    node.result(0, {}, element::string);
  } else {
    node.fail("holds no dense value (attributes value, value_int, value_ints, value_float, value_floats)");
  }
}

void constant_of_shape_shape(Node& node) {
  Shape out = node.constant_integers(0, "shape");
  for (const std::int64_t d : out) {
    if (d < 0) node.fail(fmt::format("shape {} holds a negative size", text(out)));
  }
  const Value* value = node.has_attribute("value") ? node.tensor("value") : nullptr;
  node.result(0, out, value != nullptr ? value->type : element::float32);
}

void range_shape(Node& node) {
  double v[3];
  for (std::size_t i = 0; i < 3; ++i) {
    const auto numbers = node.constant_reals(i, "bounds");
    if (numbers.size() != 1) node.fail("bounds must be scalars");
    v[i] = numbers[0];
  }
  const double count = std::max(0.0, std::ceil((v[1] - v[0]) / v[2]));
  if (v[2] == 0 || !(count < 9e15)) node.fail(fmt::format("from {} to {} in steps of {}", v[0], v[1], v[2]));
  node.result(0, {static_cast<std::int64_t>(count)}, node.input(0).type);
}

void eye_like_shape(Node& node) {
  const auto type = node.integer("dtype", node.input(0).type);
  if (type < 1 || type > element::int4) node.fail(fmt::format("unknown element type {}", type));
  node.result(0, node.shape(0), static_cast<int>(type));
}

void non_zero_shape(Node& node) {
  const auto numbers = node.constant_reals(0, "data");
  const auto hits = std::count_if(numbers.begin(), numbers.end(), [](double n) { return n != 0; });
  node.result(0, {static_cast<std::int64_t>(node.shape(0).size()), static_cast<std::int64_t>(hits)}, element::int64);
}

}  // namespace tilewright::importer
