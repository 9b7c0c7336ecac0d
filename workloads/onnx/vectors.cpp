// Element-wise operators, normalisations and reductions: shapes, rows and operations per element.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/checked.hpp"
#include "workloads/onnx/rules.hpp"

namespace tilewright::importer {
namespace {

/// Rows of `columns` elements, where columns are the axes [first, last).
RowWise rows(const Shape& shape, std::size_t first, std::size_t last, int passes, double ops) {
  const std::int64_t columns = product(shape, first, last);
  return {elements(shape) / std::max<std::int64_t>(columns, 1), columns, passes, ops};
}

std::vector<bool> operand_axes(const Shape& result, const Shape& operand) {
  std::vector<bool> axes(result.size(), false);
  const std::size_t missing = result.size() - std::min(result.size(), operand.size());
  for (std::size_t i = missing; i < result.size(); ++i) axes[i] = operand[i - missing] == result[i];
  return axes;
}

Elementwise over(const Node& node, const std::vector<std::size_t>& operands, double ops) {
  Elementwise work{node.out.at(0).shape, {}, ops};
  for (const std::size_t i : operands) {
    if (node.has(i)) work.operand_axes.push_back(operand_axes(work.shape, node.shape(i)));
  }
  return work;
}

}  // namespace

// ---- element-wise ------------------------------------------------------------------------------------------------------

void same_shape(Node& node) {
  for (std::size_t i = 0; i < node.out.size(); ++i) node.result(i, node.shape(0), node.input(0).type);
}

void broadcast_shape(Node& node) {
  Shape out = node.shape(0);
  for (std::size_t i = 1; i < node.in.size(); ++i) {
    if (node.has(i)) out = broadcast(node, out, node.shape(i));
  }
  node.result(0, out, node.input(0).type);
}

void compare_shape(Node& node) { node.result(0, broadcast(node, node.shape(0), node.shape(1)), element::boolean); }

void where_shape(Node& node) {
  node.result(0, broadcast(node, broadcast(node, node.shape(0), node.shape(1)), node.shape(2)), node.input(1).type);
}

void unary_boolean_shape(Node& node) { node.result(0, node.shape(0), element::boolean); }

void cast_shape(Node& node) {
  if (!node.has_attribute("to")) node.fail("attribute 'to' is missing");
  const std::int64_t to = node.integer("to", 0);
  if (to < 1 || to > element::int4) node.fail(fmt::format("casts to the unknown element type {}", to));
  node.result(0, node.shape(0), static_cast<int>(to));
}

void cast_like_shape(Node& node) { node.result(0, node.shape(0), node.input(1).type); }

void prelu_shape(Node& node) {
  if (broadcast(node, node.shape(0), node.shape(1)) != node.shape(0)) {
    node.fail(fmt::format("slope {} does not broadcast to {}", text(node.shape(1)), text(node.shape(0))));
  }
  node.result(0, node.shape(0), node.input(0).type);
}

void quantize_shape(Node& node) {
  (void)node.input(1);
  node.result(0, node.shape(0), node.has(2) ? node.input(2).type : element::uint8);
}

void dequantize_shape(Node& node) { node.result(0, node.shape(0), node.input(1).type); }

void dynamic_quantize_shape(Node& node) {
  node.result(0, node.shape(0), element::uint8);
  node.result(1, {}, element::float32);
  node.result(2, {}, element::uint8);
}

/// QLinearAdd, QLinearMul: a, a_scale, a_zero_point, b, b_scale, b_zero_point, ...
void qlinear_binary_shape(Node& node) {
  node.result(0, broadcast(node, node.shape(0), node.shape(3)), node.input(0).type);
}

Elementwise elementwise(const Node& node, double ops) {
  std::vector<std::size_t> operands;
  const std::size_t rank = node.out.at(0).shape.size();
  for (std::size_t i = 0; i < node.in.size(); ++i) {
    if (node.has(i) && node.shape(i).size() <= rank) operands.push_back(i);
  }
  if (node.record->type == "Clip" || node.record->type == "QuantizeLinear" || node.record->type == "CastLike" ||
      node.record->type == "CumSum") {
    operands.assign(1, 0);
  }
  return over(node, operands, ops);
}

Operator qlinear_binary_work(const Node& node) { return over(node, {0, 3}, 1); }

/// Sum, Mean, Max, Min of n operands: n - 1 operations for each result (Mean one more).
Operator variadic_work(const Node& node) {
  const auto operands = static_cast<double>(node.in.size());
  return elementwise(node, std::max(1.0, operands - (node.record->type == "Mean" ? 0 : 1)));
}

/// A square and a sum per neighbour in the channel window, then scale, add, power and division.
Operator lrn_work(const Node& node) {
  const std::int64_t size = node.integer("size", 1);
  if (size < 1 || size > 1'000'000) node.fail(fmt::format("size = {}", size));
  return elementwise(node, static_cast<double>(2 * size + 4));
}

// ---- normalisations ----------------------------------------------------------------------------------------------------

/// Before opset 13 all axes from `axis` on form one row; since then `axis` alone. Maximum, difference, exponential, sum, division.
Operator softmax_work(const Node& node) {
  const Shape& x = node.shape(0);
  if (x.empty()) return RowWise{1, 1, 2, 5};
  const bool coerced = node.opset() < 13;
  const std::int64_t given = node.integer("axis", coerced ? 1 : -1);
  if (coerced && given == static_cast<std::int64_t>(x.size())) return RowWise{elements(x), 1, 2, 5};
  const std::size_t axis = node.axis(given, x.size());
  return rows(x, axis, coerced ? x.size() : axis + 1, 2, 5);
}

/// Further results (training only) are statistics of each channel.
void batch_norm_shape(Node& node) {
  node.result(0, node.shape(0), node.input(0).type);
  for (std::size_t i = 1; i < node.out.size(); ++i) node.result(i, node.shape(1), node.input(1).type);
}

/// Inference: statistics are folded into one multiplication and one addition per element.
Operator batch_norm_work(const Node& node) {
  const Shape& x = node.shape(0);
  if (x.size() < 2) node.fail(fmt::format("needs N and C axes, got shape {}", text(x)));
  for (std::size_t i = 1; i < 5; ++i) {
    if (node.shape(i) != Shape{x[1]}) {
      node.fail(fmt::format("operand {} has shape {}, expected {} channels", i, text(node.shape(i)), x[1]));
    }
  }
  return x.size() == 2 ? rows(x, 1, 2, 1, 2) : rows(x, 2, x.size(), 1, 2);
}

/// Further results are the mean and the inverse deviation of each row.
void layer_norm_shape(Node& node) {
  const Value& x = node.input(0);
  const std::size_t axis = node.axis(node.integer("axis", -1), x.shape.size());
  Shape statistics = x.shape;
  std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(axis), statistics.end(), 1);
  node.result(0, x.shape, x.type);
  for (std::size_t i = 1; i < node.out.size(); ++i) node.result(i, statistics, element::float32);
}

/// Sum, difference, square, sum, scale by the deviation, gain, bias: 7 operations.
Operator layer_norm_work(const Node& node) {
  const Shape& x = node.shape(0);
  return rows(x, node.axis(node.integer("axis", -1), x.size()), x.size(), 2, 7);
}

/// Square, sum, scale by the root mean square, gain.
Operator rms_norm_work(const Node& node) {
  const Shape& x = node.shape(0);
  return rows(x, node.axis(node.integer("axis", -1), x.size()), x.size(), 2, 4);
}

/// Residual addition, then layer normalisation of the last axis.
Operator skip_layer_norm_work(const Node& node) {
  const Shape& x = node.shape(0);
  return rows(x, node.axis(-1, x.size()), x.size(), 2, 8);
}

Operator instance_norm_work(const Node& node) {
  const Shape& x = node.shape(0);
  if (x.size() < 3) node.fail(fmt::format("needs N, C and spatial axes, got shape {}", text(x)));
  return rows(x, 2, x.size(), 2, 7);
}

Operator group_norm_work(const Node& node) {
  const Shape& x = node.shape(0);
  const std::int64_t groups = node.integer(node.has_attribute("groups") ? "groups" : "num_groups", 0);
  if (x.size() < 3) node.fail(fmt::format("needs N, C and spatial axes, got shape {}", text(x)));
  const bool channels_last = node.integer("channels_last", 0) != 0;
  const std::int64_t channels = channels_last ? x.back() : x[1];
  if (groups < 1 || channels % groups != 0)
    node.fail(fmt::format("{} channels do not divide into {} groups", channels, groups));
  const std::int64_t all = elements(x);
  const std::int64_t count = checked_mul(x[0], groups);
  return RowWise{count, all / count, 2, 7};
}

/// LpNormalization (one axis) and MeanVarianceNormalization (several).
Operator axis_norm_work(const Node& node) {
  const Shape& x = node.shape(0);
  std::vector<std::int64_t> axes{node.integer("axis", -1)};
  if (node.record->type == "MeanVarianceNormalization") {
    axes = node.integers("axes").value_or(std::vector<std::int64_t>{0, 2, 3});
  }
  std::vector<bool> inside(x.size(), false);
  for (const std::int64_t a : axes) inside[node.axis(a, x.size())] = true;
  std::int64_t columns = 1;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (inside[i]) columns = checked_mul(columns, x[i]);
  }
  return RowWise{elements(x) / std::max<std::int64_t>(columns, 1), columns, 2, 4};
}

// ---- reductions --------------------------------------------------------------------------------------------------------

std::vector<bool> reduced_axes(const Node& node) {
  const std::size_t rank = node.shape(0).size();
  std::vector<std::int64_t> axes;
  if (const auto given = node.integers("axes")) {
    axes = *given;
  } else if (node.has(1) && node.record->type != "QLinearReduceMean") {  // whose operand 1 is a scale
    axes = node.constant_integers(1, "axes");
  }
  std::vector<bool> reduced(rank, axes.empty() && node.integer("noop_with_empty_axes", 0) == 0);
  for (const std::int64_t a : axes) reduced[node.axis(a, rank)] = true;
  return reduced;
}

void reduce_shape(Node& node) {
  const Shape& x = node.shape(0);
  const auto reduced = reduced_axes(node);
  const bool keep = node.integer("keepdims", 1) != 0;
  Shape out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!reduced[i])
      out.push_back(x[i]);
    else if (keep)
      out.push_back(1);
  }
  node.result(0, out, node.input(0).type);
}

void arg_reduce_shape(Node& node) {
  Shape out = node.shape(0);
  const std::size_t axis = node.axis(node.integer("axis", 0), out.size());
  if (node.integer("keepdims", 1) != 0)
    out[axis] = 1;
  else
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(axis));
  node.result(0, out, element::int64);
}

/// One operation per element; two where each element is squared or exponentiated first.
Operator reduce_work(const Node& node) {
  const std::string& type = node.record->type;
  const bool two = type == "ReduceL2" || type == "ReduceSumSquare" || type == "ReduceLogSumExp";
  const std::int64_t kept = elements(node.out.at(0).shape);
  return Reduce{kept, elements(node.shape(0)) / std::max<std::int64_t>(kept, 1), two ? 2.0 : 1.0};
}

namespace {

std::int64_t k_of(const Node& node) {
  const auto k = node.has(1) ? node.constant_integers(1, "k") : std::vector<std::int64_t>{node.integer("k", 0)};
  if (k.size() != 1 || k[0] < 1) node.fail("k must be one positive integer");
  return k[0];
}

}  // namespace

void top_k_shape(Node& node) {
  Shape out = node.shape(0);
  const std::size_t axis = node.axis(node.integer("axis", -1), out.size());
  const std::int64_t k = k_of(node);
  if (k > out[axis]) node.fail(fmt::format("k = {} of an axis of size {}", k, out[axis]));
  out[axis] = k;
  node.result(0, out, node.input(0).type);
  node.result(1, out, element::int64);
}

/// Each element is compared with a heap of k: ceil(log2 k) + 1 comparisons.
Operator top_k_work(const Node& node) {
  const Shape& x = node.shape(0);
  const std::int64_t columns = x[node.axis(node.integer("axis", -1), x.size())];
  const auto depth = std::bit_width(static_cast<std::uint64_t>(k_of(node)) - 1);
  return Reduce{elements(x) / columns, columns, static_cast<double>(depth + 1)};
}

std::vector<int> kept_axes(const Node& node) {
  const std::string& type = node.record->type;
  std::vector<int> axes;
  const auto keep = [&](std::size_t axis) { axes.push_back(static_cast<int>(axis)); };
  const std::size_t rank = node.has(0) ? node.shape(0).size() : 0;
  if (type == "Transpose") {
    const auto perm = node.integers("perm");
    for (std::size_t i = 0; i < rank; ++i) keep(perm ? node.axis((*perm)[i], rank) : rank - 1 - i);
  } else if (type == "Gather") {
    const std::size_t axis = node.axis(node.integer("axis", 0), rank);
    for (std::size_t i = 0; i < axis; ++i) keep(i);
    axes.insert(axes.end(), node.shape(1).size(), -1);
    for (std::size_t i = axis + 1; i < rank; ++i) keep(i);
  } else if (type.starts_with("Reduce") || type == "ArgMax" || type == "ArgMin") {
    std::vector<bool> gone(rank, false);
    if (type.starts_with("Reduce"))
      gone = reduced_axes(node);
    else
      gone[node.axis(node.integer("axis", 0), rank)] = true;
    for (std::size_t i = 0; i < rank; ++i) {
      if (!gone[i])
        keep(i);
      else if (node.integer("keepdims", 1) != 0)
        axes.push_back(-1);
    }
  }
  return axes;
}

}  // namespace tilewright::importer
