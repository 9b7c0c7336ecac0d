// Constant folding of the small integer (and scale) subgraphs that compute shapes.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "core/checked.hpp"
#include "workloads/onnx/rules.hpp"

namespace tilewright::importer {
namespace {

using Numbers = std::shared_ptr<const Constant>;

Numbers share(Constant c) { return std::make_shared<const Constant>(std::move(c)); }

Numbers picked(const Constant& from, const std::vector<std::size_t>& indices) {
  Constant c;
  c.real = from.real;
  for (const std::size_t i : indices) {
    if (from.real)
      c.reals.push_back(from.reals[i]);
    else
      c.ints.push_back(from.ints[i]);
  }
  return share(std::move(c));
}

/// Calls visit(index) for every position of `shape`, row-major.
void for_each_index(const Shape& shape, const std::function<void(const Shape&)>& visit) {
  Shape index(shape.size(), 0);
  for (std::int64_t n = elements(shape); n > 0; --n) {
    visit(index);
    for (std::size_t a = shape.size(); a-- > 0;) {
      if (++index[a] < shape[a]) break;
      index[a] = 0;
    }
  }
}

std::size_t offset(const Shape& shape, const Shape& index) {
  std::int64_t o = 0;
  for (std::size_t a = 0; a < shape.size(); ++a) o = o * shape[a] + index[a];
  return static_cast<std::size_t>(o);
}

/// Position in a broadcast operand that feeds position `index` of the result.
std::size_t broadcast_offset(const Shape& operand, const Shape& index) {
  std::int64_t o = 0;
  const std::size_t missing = index.size() - operand.size();
  for (std::size_t a = 0; a < operand.size(); ++a) o = o * operand[a] + (operand[a] == 1 ? 0 : index[a + missing]);
  return static_cast<std::size_t>(o);
}

/// Positions of operand 0 that the result takes, in order, for operators that only move numbers.
Numbers moved(const Node& node, const std::function<Shape(const Shape&)>& source) {
  const Value& x = node.input(0);
  std::vector<std::size_t> indices;
  for_each_index(node.out[0].shape, [&](const Shape& i) { indices.push_back(offset(x.shape, source(i))); });
  return picked(*x.data, indices);
}

Numbers fold_copy(const Node& node) { return node.input(0).data; }

Numbers fold_slice(const Node& node) {
  const auto axes = slice_axes(node);
  return moved(node, [&](Shape i) {
    for (std::size_t a = 0; a < i.size(); ++a) i[a] = axes[a].start + i[a] * axes[a].step;
    return i;
  });
}

Numbers fold_transpose(const Node& node) {
  const auto perm = node.integers("perm");
  return moved(node, [&](const Shape& i) {
    Shape source(i.size());
    for (std::size_t a = 0; a < i.size(); ++a) {
      source[perm ? node.axis((*perm)[a], i.size()) : i.size() - 1 - a] = i[a];
    }
    return source;
  });
}

Numbers fold_tile(const Node& node) {
  return moved(node, [&](Shape i) {
    for (std::size_t a = 0; a < i.size(); ++a) i[a] %= node.shape(0)[a];
    return i;
  });
}

Numbers fold_expand(const Node& node) {
  const Value& x = node.input(0);
  std::vector<std::size_t> indices;
  for_each_index(node.out[0].shape, [&](const Shape& i) { indices.push_back(broadcast_offset(x.shape, i)); });
  return picked(*x.data, indices);
}

Numbers fold_gather(const Node& node) {
  const Value& table = node.input(0);
  const Value& indices = node.input(1);
  if (indices.data->real) node.fail("indices must be integers");
  const std::size_t axis = node.axis(node.integer("axis", 0), table.shape.size());
  const std::size_t index_rank = indices.shape.size();
  return moved(node, [&](const Shape& i) {
    const Shape where(i.begin() + static_cast<std::ptrdiff_t>(axis),
                      i.begin() + static_cast<std::ptrdiff_t>(axis + index_rank));
    std::int64_t index = indices.data->ints[offset(indices.shape, where)];
    if (index < 0) index += table.shape[axis];
    if (index < 0 || index >= table.shape[axis]) {
      node.fail(fmt::format("index {} of an axis of size {}", index, table.shape[axis]));
    }
    Shape source(i.begin(), i.begin() + static_cast<std::ptrdiff_t>(axis));
    source.push_back(index);
    source.insert(source.end(), i.begin() + static_cast<std::ptrdiff_t>(axis + index_rank), i.end());
    return source;
  });
}

Numbers fold_concat(const Node& node) {
  const Shape& out = node.out[0].shape;
  const std::size_t axis = node.axis(node.integer("axis", 1), out.size());
  Constant c;
  c.real = node.input(0).data->real;
  for (std::int64_t outer = product(out, 0, axis), o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < node.in.size(); ++i) {
      const Value& x = node.input(i);
      if (x.data->real != c.real) node.fail("mixes integers and reals");
      const auto run = product(x.shape, axis, x.shape.size());
      if (c.real)
        c.reals.insert(c.reals.end(), x.data->reals.begin() + o * run, x.data->reals.begin() + (o + 1) * run);
      else
        c.ints.insert(c.ints.end(), x.data->ints.begin() + o * run, x.data->ints.begin() + (o + 1) * run);
    }
  }
  return share(std::move(c));
}

Numbers fold_shape(const Node& node) {
  const Shape& x = node.shape(0);
  const auto rank = static_cast<std::int64_t>(x.size());
  const std::int64_t start = node.integer("start", 0);
  const auto first = static_cast<std::size_t>(std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank));
  Constant c;
  for (std::int64_t i = 0; i < node.out[0].shape[0]; ++i) c.ints.push_back(x[first + static_cast<std::size_t>(i)]);
  return share(std::move(c));
}

Numbers fold_size(const Node& node) { return share({false, {elements(node.shape(0))}, {}}); }

Numbers fold_constant(const Node& node) {
  if (node.has_attribute("value")) return node.tensor("value")->data;
  if (node.has_attribute("value_int")) return share({false, {node.integer("value_int", 0)}, {}});
  if (node.has_attribute("value_ints")) return share({false, *node.integers("value_ints"), {}});
  if (node.has_attribute("value_float")) return share({true, {}, {node.real("value_float", 0)}});
  if (node.has_attribute("value_floats")) return share({true, {}, *node.reals("value_floats")});
  return nullptr;
}

Numbers fold_constant_of_shape(const Node& node) {
  const auto n = static_cast<std::size_t>(elements(node.out[0].shape));
  const Value* value = node.has_attribute("value") ? node.tensor("value") : nullptr;
  if (value == nullptr) return share({true, {}, std::vector<double>(n, 0.0)});
  if (value->data == nullptr || value->data->size() != 1) return nullptr;
  return picked(*value->data, std::vector<std::size_t>(n, 0));
}

Numbers fold_range(const Node& node) {
  const std::int64_t n = node.out[0].shape[0];
  Constant c;
  c.real = node.input(0).data->real;
  for (std::int64_t i = 0; i < n; ++i) {
    if (c.real) {
      c.reals.push_back(node.constant_reals(0, "start")[0] +
                        static_cast<double>(i) * node.constant_reals(2, "delta")[0]);
    } else {
      c.ints.push_back(
          checked_add(node.constant_integers(0, "start")[0], checked_mul(i, node.constant_integers(2, "delta")[0])));
    }
  }
  return share(std::move(c));
}

Numbers fold_non_zero(const Node& node) {
  const auto numbers = node.constant_reals(0, "data");
  const Shape& x = node.shape(0);
  std::vector<Shape> hits;
  for_each_index(x, [&](const Shape& i) {
    if (numbers[offset(x, i)] != 0) hits.push_back(i);
  });
  Constant c;
  for (std::size_t a = 0; a < x.size(); ++a) {
    for (const Shape& hit : hits) c.ints.push_back(hit[a]);
  }
  return share(std::move(c));
}

/// Truncated towards zero to an integer; InputError outside 64 bits.
std::int64_t whole(const Node& node, double x) {
  if (!(x > -9.2e18 && x < 9.2e18)) node.fail(fmt::format("the number {} does not fit an integer", x));
  return static_cast<std::int64_t>(x);
}

Numbers fold_cast(const Node& node) {
  const Constant& x = *node.input(0).data;
  Constant c;
  c.real = is_real(node.out[0].type);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (c.real)
      c.reals.push_back(x.real ? x.reals[i] : static_cast<double>(x.ints[i]));
    else if (node.out[0].type == element::boolean)
      c.ints.push_back(x.real ? x.reals[i] != 0 : x.ints[i] != 0);
    else
      c.ints.push_back(x.real ? whole(node, x.reals[i]) : x.ints[i]);
  }
  return share(std::move(c));
}

template <double (*Real)(double), std::int64_t (*Whole)(std::int64_t)>
Numbers fold_unary(const Node& node) {
  Constant c = *node.input(0).data;
  for (double& x : c.reals) x = Real(x);
  for (std::int64_t& x : c.ints) x = Whole(x);
  return share(std::move(c));
}

double floor_of(double x) { return std::floor(x); }
double ceil_of(double x) { return std::ceil(x); }
double round_of(double x) { return std::nearbyint(x); }
double sqrt_of(double x) { return std::sqrt(x); }
double minus(double x) { return -x; }
double magnitude(double x) { return std::fabs(x); }
double negation(double x) { return x == 0 ? 1 : 0; }
std::int64_t same(std::int64_t x) { return x; }
std::int64_t minus_int(std::int64_t x) { return checked_mul(x, -1); }
std::int64_t magnitude_int(std::int64_t x) { return x < 0 ? minus_int(x) : x; }
std::int64_t negation_int(std::int64_t x) { return x == 0; }
std::int64_t root_int(std::int64_t x) { return static_cast<std::int64_t>(std::sqrt(static_cast<double>(x))); }

using RealOp = double (*)(const Node&, double, double);
using WholeOp = std::int64_t (*)(const Node&, std::int64_t, std::int64_t);

/// Element by element with broadcasting; `compares`: the result is a boolean.
template <RealOp Real, WholeOp Whole, bool Compares = false>
Numbers fold_binary(const Node& node) {
  const Value& a = node.input(0);
  const Value& b = node.input(1);
  const bool real = a.data->real || b.data->real;
  const auto at = [](const Constant& c, std::size_t i) { return c.real ? c.reals[i] : static_cast<double>(c.ints[i]); };
  Constant c;
  c.real = real && !Compares;
  for_each_index(node.out[0].shape, [&](const Shape& i) {
    const std::size_t x = broadcast_offset(a.shape, i);
    const std::size_t y = broadcast_offset(b.shape, i);
    if (!real)
      c.ints.push_back(Whole(node, a.data->ints[x], b.data->ints[y]));
    else if (Compares)
      c.ints.push_back(Real(node, at(*a.data, x), at(*b.data, y)) != 0);
    else
      c.reals.push_back(Real(node, at(*a.data, x), at(*b.data, y)));
  });
  return share(std::move(c));
}

std::int64_t nonzero(const Node& node, std::int64_t x) {
  if (x == 0) node.fail("divides by zero while a shape is computed");
  return x;
}

/// Remainder with the sign of the divisor (fmod = 0), or of the dividend (fmod = 1).
std::int64_t remainder_int(const Node& node, std::int64_t x, std::int64_t y) {
  if (nonzero(node, y) == -1) return 0;
  const std::int64_t r = x % y;
  return r != 0 && (r < 0) != (y < 0) && node.integer("fmod", 0) == 0 ? r + y : r;
}

std::int64_t divide_int(const Node& node, std::int64_t x, std::int64_t y) {
  return nonzero(node, y) == -1 ? checked_mul(x, -1) : x / y;
}

std::int64_t power_int(const Node& node, std::int64_t x, std::int64_t y) {
  if (y < 0 || y > 64) node.fail(fmt::format("raises a size to the power {}", y));
  std::int64_t p = 1;
  for (; y > 0; --y) p = checked_mul(p, x);
  return p;
}

std::int64_t add_int(const Node&, std::int64_t x, std::int64_t y) { return checked_add(x, y); }
std::int64_t subtract_int(const Node&, std::int64_t x, std::int64_t y) {
  return y == std::numeric_limits<std::int64_t>::min()
             ? checked_add(checked_add(x, std::numeric_limits<std::int64_t>::max()), 1)
             : checked_add(x, -y);
}
std::int64_t multiply_int(const Node&, std::int64_t x, std::int64_t y) { return checked_mul(x, y); }

template <class T>
T least(const Node&, T x, T y) {
  return std::min(x, y);
}
template <class T>
T most(const Node&, T x, T y) {
  return std::max(x, y);
}
template <class T>
T equal(const Node&, T x, T y) {
  return static_cast<T>(x == y);
}
template <class T>
T less(const Node&, T x, T y) {
  return static_cast<T>(x < y);
}
template <class T>
T greater(const Node&, T x, T y) {
  return static_cast<T>(x > y);
}
template <class T>
T less_or_equal(const Node&, T x, T y) {
  return static_cast<T>(x <= y);
}
template <class T>
T greater_or_equal(const Node&, T x, T y) {
  return static_cast<T>(x >= y);
}
template <class T>
T both(const Node&, T x, T y) {
  return static_cast<T>(x != 0 && y != 0);
}
template <class T>
T either(const Node&, T x, T y) {
  return static_cast<T>(x != 0 || y != 0);
}

double add_real(const Node&, double x, double y) { return x + y; }
double subtract_real(const Node&, double x, double y) { return x - y; }
double multiply_real(const Node&, double x, double y) { return x * y; }
double divide_real(const Node&, double x, double y) { return x / y; }
double remainder_real(const Node&, double x, double y) { return std::fmod(x, y); }
double power_real(const Node&, double x, double y) { return std::pow(x, y); }

Numbers fold_where(const Node& node) {
  const Value& condition = node.input(0);
  const Value& a = node.input(1);
  const Value& b = node.input(2);
  if (a.data->real != b.data->real || condition.data->real) node.fail("mixes element types");
  Constant c;
  c.real = a.data->real;
  for_each_index(node.out[0].shape, [&](const Shape& i) {
    const bool yes = condition.data->ints[broadcast_offset(condition.shape, i)] != 0;
    const Value& from = yes ? a : b;
    const std::size_t at = broadcast_offset(from.shape, i);
    if (c.real)
      c.reals.push_back(from.data->reals[at]);
    else
      c.ints.push_back(from.data->ints[at]);
  });
  return share(std::move(c));
}

/// ReduceProd, ReduceSum, ReduceMax, ReduceMin of integers.
Numbers fold_reduce(const Node& node) {
  const Value& x = node.input(0);
  if (x.data->real || x.data->size() == 0) return nullptr;
  const std::string& type = node.record->type;
  const auto reduced = reduced_axes(node);
  Shape kept = x.shape;
  for (std::size_t a = 0; a < kept.size(); ++a) kept[a] = reduced[a] ? 1 : kept[a];
  std::vector<std::optional<std::int64_t>> sums(static_cast<std::size_t>(elements(kept)));
  for_each_index(x.shape, [&](const Shape& i) {
    auto& sum = sums[broadcast_offset(kept, i)];
    const std::int64_t v = x.data->ints[offset(x.shape, i)];
    sum = !sum                   ? v
          : type == "ReduceProd" ? checked_mul(*sum, v)
          : type == "ReduceSum"  ? checked_add(*sum, v)
          : type == "ReduceMax"  ? std::max(*sum, v)
                                 : std::min(*sum, v);
  });
  Constant c;
  for (const auto& sum : sums) c.ints.push_back(sum.value_or(0));
  return share(std::move(c));
}

struct Folder {
  std::string_view type;
  Numbers (*fold)(const Node&);
};

constexpr Folder folders[] = {
    {"Constant", fold_constant},
    {"ConstantOfShape", fold_constant_of_shape},
    {"Shape", fold_shape},
    {"Size", fold_size},
    {"Range", fold_range},
    {"NonZero", fold_non_zero},
    {"Identity", fold_copy},
    {"Reshape", fold_copy},
    {"Flatten", fold_copy},
    {"Squeeze", fold_copy},
    {"Unsqueeze", fold_copy},
    {"Slice", fold_slice},
    {"Transpose", fold_transpose},
    {"Tile", fold_tile},
    {"Expand", fold_expand},
    {"Gather", fold_gather},
    {"Concat", fold_concat},
    {"Cast", fold_cast},
    {"Where", fold_where},
    {"Floor", fold_unary<floor_of, same>},
    {"Ceil", fold_unary<ceil_of, same>},
    {"Round", fold_unary<round_of, same>},
    {"Sqrt", fold_unary<sqrt_of, root_int>},
    {"Neg", fold_unary<minus, minus_int>},
    {"Abs", fold_unary<magnitude, magnitude_int>},
    {"Not", fold_unary<negation, negation_int>},
    {"Add", fold_binary<add_real, add_int>},
    {"Sub", fold_binary<subtract_real, subtract_int>},
    {"Mul", fold_binary<multiply_real, multiply_int>},
    {"Div", fold_binary<divide_real, divide_int>},
    {"Mod", fold_binary<remainder_real, remainder_int>},
    {"Pow", fold_binary<power_real, power_int>},
    {"Equal", fold_binary<equal<double>, equal<std::int64_t>, true>},
    {"Less", fold_binary<less<double>, less<std::int64_t>, true>},
    {"Greater", fold_binary<greater<double>, greater<std::int64_t>, true>},
    {"LessOrEqual", fold_binary<less_or_equal<double>, less_or_equal<std::int64_t>, true>},
    {"GreaterOrEqual", fold_binary<greater_or_equal<double>, greater_or_equal<std::int64_t>, true>},
    {"Min", fold_binary<least<double>, least<std::int64_t>>},
    {"Max", fold_binary<most<double>, most<std::int64_t>>},
    {"And", fold_binary<both<double>, both<std::int64_t>, true>},
    {"Or", fold_binary<either<double>, either<std::int64_t>, true>},
    {"ReduceProd", fold_reduce},
    {"ReduceSum", fold_reduce},
    {"ReduceMax", fold_reduce},
    {"ReduceMin", fold_reduce},
};

/// Split is the one folder with several results.
std::vector<Numbers> fold_split(const Node& node) {
  std::vector<Numbers> results;
  const Value& x = node.input(0);
  const std::size_t axis = node.axis(node.integer("axis", 0), x.shape.size());
  std::int64_t start = 0;
  for (const Value& out : node.out) {
    std::vector<std::size_t> indices;
    for_each_index(out.shape, [&](Shape i) {
      i[axis] += start;
      indices.push_back(offset(x.shape, i));
    });
    results.push_back(picked(*x.data, indices));
    start += out.shape[axis];
  }
  return results;
}

}  // namespace

std::vector<Numbers> fold(const Node& node) {
  std::vector<Numbers> results(node.out.size());
  if (results.empty()) return results;
  const std::string& type = node.record->type;
  const bool needs_numbers = type != "Shape" && type != "Size" && type != "Constant";
  for (const Value* in : node.in) {
    if (needs_numbers && in != nullptr && in->data == nullptr) return results;
  }
  for (const Value& out : node.out) {
    if (elements(out.shape) > largest_folded) return results;
  }
  if (type == "Split") return fold_split(node);
  const auto* folder =
      std::find_if(std::begin(folders), std::end(folders), [&](const Folder& f) { return f.type == type; });
  if (folder == std::end(folders)) return results;
  if ((type == "Min" || type == "Max") && node.in.size() != 2) return results;
  results[0] = folder->fold(node);
  return results;
}

}  // namespace tilewright::importer
