#include "workloads/zoo/builder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright::zoo {

Arguments::Arguments(std::string_view spec, const std::vector<Parameter>& parameters) : spec_(spec) {
  const std::size_t colon = spec.find(':');
  name_ = std::string(spec.substr(0, colon));
  for (const Parameter& parameter : parameters) {
    order_.push_back(parameter.name);
    values_[parameter.name] = parameter.fallback;
  }
  if (colon == std::string_view::npos) return;
  std::string_view rest = spec.substr(colon + 1);
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view item = rest.substr(0, comma);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == item.size()) {
      throw InputError({shown(spec_), 0, 0, {}},
                       fmt::format("'{}' is not key=value; keys: {}", shown(item), fmt::join(order_, ", ")));
    }
    const std::string key(item.substr(0, equals));
    if (!values_.contains(key)) {
      throw InputError({shown(spec_), 0, 0, shown(key)}, unknown_message("parameter", key, order_));
    }
    if (given_[key]) fail(key, "given twice; keep one");
    given_[key] = true;
    values_[key] = std::string(item.substr(equals + 1));
    if (comma == std::string_view::npos) return;
    rest = rest.substr(comma + 1);
  }
}

void Arguments::fail(std::string_view key, std::string_view message) const {
  throw InputError({shown(spec_), 0, 0, std::string(key)}, message);
}

bool Arguments::given(std::string_view key) const {
  const auto at = given_.find(key);
  return at != given_.end() && at->second;
}

const std::string& Arguments::text(std::string_view key) const { return values_.find(key)->second; }

std::int64_t Arguments::integer(std::string_view key, std::int64_t least, std::int64_t most) const {
  const std::string& value = text(key);
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc::result_out_of_range || (error == std::errc{} && stop == end && number > most)) {
    fail(key, fmt::format("{} is too large; at most {}", shown(value), most));
  }
  if (error != std::errc{} || stop != end) fail(key, fmt::format("'{}' is not an integer", shown(value)));
  if (number < least) fail(key, fmt::format("{} is too small; at least {}", number, least));
  return number;
}

double Arguments::number(std::string_view key, double least, double most) const {
  const std::string& value = text(key);
  double number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc{} || stop != end) fail(key, fmt::format("'{}' is not a number", shown(value)));
  if (!(number >= least && number <= most))
    fail(key, fmt::format("{} is out of range: {:g} to {:g}", shown(value), least, most));
  return number;
}

std::string Arguments::choice(std::string_view key, const std::vector<std::string>& known) const {
  const std::string& value = text(key);
  if (std::find(known.begin(), known.end(), value) == known.end()) fail(key, unknown_message("value", value, known));
  return value;
}

std::string Arguments::canonical() const {
  std::vector<std::string> items;
  for (const std::string& key : order_) {
    if (const std::string& value = text(key); !value.empty())
      items.push_back(std::string(key).append("=").append(value));
  }
  return items.empty() ? name_ : fmt::format("{}:{}", name_, fmt::join(items, ","));
}

std::int64_t product(const std::vector<std::int64_t>& extents) {
  std::int64_t result = 1;
  for (const std::int64_t extent : extents) result = checked_mul(result, extent);
  return result;
}

std::int64_t window_out(const std::string& layer, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                        std::int64_t pad, std::int64_t dilation) {
  const std::int64_t padded = checked_add(in, checked_mul(2, pad));
  const std::int64_t span = checked_add(checked_mul(dilation, kernel - 1), 1);
  if (padded < span) {
    throw InputError(
        {{}, 0, 0, layer},
        fmt::format("a window of {} elements does not fit in {} (with padding); enlarge the input", span, padded));
  }
  return (padded - span) / stride + 1;
}

Builder::Builder(const Arguments& arguments, std::int64_t batch, DataType type) : type_(type) {
  graph_.name = std::string(arguments.name());
  graph_.source = arguments.canonical();
  graph_.batch = batch;
}

TensorId Builder::tensor(const std::string& name, std::vector<std::int64_t> shape, TensorKind kind, DataType type) {
  product(shape);
  graph_.tensors.push_back({.name = name, .shape = std::move(shape), .type = type, .kind = kind});
  return static_cast<TensorId>(graph_.tensors.size()) - 1;
}

const std::vector<std::int64_t>& Builder::shape(TensorId id) const {
  return graph_.tensors[static_cast<std::size_t>(id)].shape;
}

TensorId Builder::input(const std::string& name, std::vector<std::int64_t> shape) {
  const TensorId id = tensor(name, std::move(shape), TensorKind::input, type_);
  graph_.inputs.push_back(id);
  return id;
}

TensorId Builder::index_input(const std::string& name, std::vector<std::int64_t> shape) {
  const TensorId id = tensor(name, std::move(shape), TensorKind::input, DataType::int64);
  graph_.inputs.push_back(id);
  return id;
}

TensorId Builder::weight(const std::string& name, std::vector<std::int64_t> shape) {
  graph_.weight_elements = checked_add(graph_.weight_elements, product(shape));
  return tensor(name, std::move(shape), TensorKind::weight, type_);
}

TensorId Builder::view(const std::string& name, const std::string& op, TensorId of, std::vector<std::int64_t> shape) {
  const Tensor base = graph_.tensors[static_cast<std::size_t>(of)];
  const TensorKind kind = base.kind == TensorKind::input ? TensorKind::activation : base.kind;
  const TensorId id = tensor(name, std::move(shape), kind, base.type);
  graph_.tensors[static_cast<std::size_t>(id)].alias_of = of;
  graph_.views.push_back({name, op});
  return id;
}

TensorId Builder::layer(const std::string& name, const std::string& op, Operator work, std::vector<TensorId> inputs,
                        std::vector<std::int64_t> result) {
  const TensorId out = tensor(name + "_out", std::move(result), TensorKind::activation, type_);
  graph_.layers.push_back({name, op, std::move(work), std::move(inputs), {out}, {}});
  return out;
}

TensorId Builder::conv(const std::string& name, TensorId x, std::int64_t out_channels, std::int64_t kernel,
                       std::int64_t stride, std::int64_t pad, std::int64_t groups) {
  const std::vector<std::int64_t> in = shape(x);
  const std::int64_t h = window_out(name, in[2], kernel, stride, pad, 1);
  const std::int64_t w = window_out(name, in[3], kernel, stride, pad, 1);
  const TensorId weights = weight(name + ".weight", {out_channels, in[1] / groups, kernel, kernel});
  const TensorId bias = weight(name + ".bias", {out_channels});
  Conv work{.batch = in[0], .groups = groups, .in_channels = in[1], .out_channels = out_channels, .axes = {}};
  work.axes = {Window{in[2], h, kernel, stride, 1}, Window{in[3], w, kernel, stride, 1}};
  return layer(name, "Conv", std::move(work), {x, weights, bias}, {in[0], out_channels, h, w});
}

TensorId Builder::linear(const std::string& name, TensorId x, std::int64_t n, bool bias) {
  const TensorId weights = weight(name + ".weight", {shape(x).back(), n});
  const TensorId result = linear_with(name, x, weights, n);
  if (bias) {
    const TensorId shift = weight(name + ".bias", {n});
    graph_.layers.back().inputs.push_back(shift);
    graph_.layers.back().op = "Gemm";
  }
  return result;
}

TensorId Builder::linear_with(const std::string& name, TensorId x, TensorId weights, std::int64_t n) {
  std::vector<std::int64_t> extents = shape(x);
  const std::int64_t k = extents.back();
  extents.pop_back();
  const std::int64_t m = product(extents);
  extents.push_back(n);
  return layer(name, "MatMul", MatMul{.batch = {}, .m = m, .n = n, .k = k}, {x, weights}, std::move(extents));
}

TensorId Builder::elementwise(const std::string& name, const std::string& op, std::vector<TensorId> operands,
                              double ops) {
  std::vector<std::int64_t> result;
  for (const TensorId operand : operands) {
    const std::vector<std::int64_t>& extents = shape(operand);
    if (extents.size() > result.size()) result.insert(result.begin(), extents.size() - result.size(), 1);
    const std::size_t shift = result.size() - extents.size();
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      result[axis + shift] = std::max(result[axis + shift], extents[axis]);
    }
  }
  Elementwise work{.shape = result, .operand_axes = {}, .ops_per_element = ops};
  for (const TensorId operand : operands) {
    const std::vector<std::int64_t>& extents = shape(operand);
    const std::size_t shift = result.size() - extents.size();
    std::vector<bool> has(result.size(), false);
    for (std::size_t axis = 0; axis < extents.size(); ++axis) has[axis + shift] = extents[axis] == result[axis + shift];
    work.operand_axes.push_back(std::move(has));
  }
  return layer(name, op, std::move(work), std::move(operands), std::move(result));
}

TensorId Builder::norm(const std::string& name, const std::string& op, TensorId x, double ops, bool shift) {
  const std::vector<std::int64_t> extents = shape(x);
  const std::int64_t columns = extents.back();
  std::vector<TensorId> inputs{x, weight(name + ".weight", {columns})};
  if (shift) inputs.push_back(weight(name + ".bias", {columns}));
  return layer(name, op, RowWise{product(extents) / columns, columns, 2, ops}, std::move(inputs), extents);
}

// Operations an element: mean, difference, square, variance, scaling, gamma, beta.
TensorId Builder::layer_norm(const std::string& name, TensorId x) {
  return norm(name, "LayerNormalization", x, 7, true);
}

// Operations an element: square, sum, scaling, gamma.
TensorId Builder::rms_norm(const std::string& name, TensorId x) { return norm(name, "RMSNormalization", x, 4, false); }

// Operations an element: maximum, difference, exponential, sum, division.
TensorId Builder::softmax(const std::string& name, TensorId x) {
  const std::vector<std::int64_t> extents = shape(x);
  const std::int64_t columns = extents.back();
  return layer(name, "Softmax", RowWise{product(extents) / columns, columns, 2, 5}, {x}, extents);
}

TensorId Builder::transpose(const std::string& name, TensorId x, std::vector<std::int64_t> result,
                            std::vector<int> axes) {
  const std::int64_t moved = product(result);  // before `result` is moved from
  const TensorId made = layer(name, "Transpose", Movement{moved}, {x}, std::move(result));
  graph_.layers.back().axes = std::move(axes);
  return made;
}

TensorId Builder::gather(const std::string& name, TensorId table, TensorId indices) {
  std::vector<std::int64_t> result = shape(indices);
  const std::int64_t lookups = product(result);
  const std::int64_t rows = shape(table).front(), slice = shape(table).back();
  result.push_back(slice);
  return layer(name, "Gather", Gather{lookups, slice, rows}, {table, indices}, std::move(result));
}

TensorId Builder::pool(const std::string& name, const std::string& op, TensorId x, std::int64_t kernel,
                       std::int64_t stride, std::int64_t pad) {
  const std::vector<std::int64_t> in = shape(x);
  const std::int64_t h = window_out(name, in[2], kernel, stride, pad, 1);
  const std::int64_t w = window_out(name, in[3], kernel, stride, pad, 1);
  Pool work{.batch = in[0], .channels = in[1], .axes = {}};
  work.axes = {Window{in[2], h, kernel, stride, 1}, Window{in[3], w, kernel, stride, 1}};
  return layer(name, op, std::move(work), {x}, {in[0], in[1], h, w});
}

WorkloadGraph Builder::take(std::vector<TensorId> outputs) {
  graph_.outputs = std::move(outputs);
  finish(graph_);
  total_macs(graph_);
  return std::move(graph_);
}

TensorId attention(Builder& b, const std::string& name, TensorId q, TensorId k, TensorId v, TensorId mask) {
  std::vector<std::int64_t> extents = b.shape(q);
  const std::vector<std::int64_t> keys_shape = b.shape(k);
  const std::int64_t head_dim = extents.back(), queries = extents[extents.size() - 2];
  const std::int64_t keys = keys_shape[keys_shape.size() - 2];
  std::vector<BatchAxis> batch;
  for (std::size_t axis = 0; axis + 2 < extents.size(); ++axis) {
    batch.push_back({extents[axis], true, keys_shape[axis] == extents[axis]});
  }
  const std::vector<std::int64_t> result = extents;
  extents.back() = keys;
  TensorId scores = b.layer(name + ".scores", "MatMul", MatMul{batch, queries, keys, head_dim}, {q, k}, extents);
  scores = b.elementwise(name + ".scale", "Mul", {scores});
  if (mask >= 0) scores = b.elementwise(name + ".mask", "Add", {scores, mask});
  const TensorId probabilities = b.softmax(name + ".softmax", scores);
  return b.layer(name + ".context", "MatMul", MatMul{batch, queries, head_dim, keys}, {probabilities, v}, result);
}

}  // namespace tilewright::zoo
