#include "workloads/onnx/node.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright::importer {
namespace {

template <class T>
const T* attribute(const Node& node, std::string_view name, std::string_view kind) {
  const auto found = node.record->attributes.find(name);
  if (found == node.record->attributes.end()) return nullptr;
  const T* value = std::get_if<T>(&found->second);
  if (value == nullptr) node.fail(fmt::format("attribute '{}' is not {}", name, kind));
  return value;
}

}  // namespace

void Node::fail(std::string_view message) const {
  throw InputError(Place{model->file, 0, 0, fmt::format("node '{}' ({})", shown(record->name), shown(record->type))},
                   message);
}

const Value& Node::input(std::size_t i) const {
  if (!has(i)) fail(fmt::format("operand {} is missing", i));
  return *in[i];
}

bool Node::has_attribute(std::string_view name) const {
  return record->attributes.find(name) != record->attributes.end();
}

std::int64_t Node::integer(std::string_view name, std::int64_t fallback) const {
  const auto* v = attribute<std::int64_t>(*this, name, "an integer");
  return v != nullptr ? *v : fallback;
}

double Node::real(std::string_view name, double fallback) const {
  const auto* v = attribute<double>(*this, name, "a number");
  return v != nullptr ? *v : fallback;
}

std::string Node::text(std::string_view name, std::string_view fallback) const {
  const auto* v = attribute<std::string>(*this, name, "a text");
  return v != nullptr ? *v : std::string(fallback);
}

std::optional<std::vector<std::int64_t>> Node::integers(std::string_view name) const {
  const auto* v = attribute<std::vector<std::int64_t>>(*this, name, "a list of integers");
  return v != nullptr ? std::optional(*v) : std::nullopt;
}

std::optional<std::vector<double>> Node::reals(std::string_view name) const {
  const auto* v = attribute<std::vector<double>>(*this, name, "a list of numbers");
  return v != nullptr ? std::optional(*v) : std::nullopt;
}

const Value* Node::tensor(std::string_view name) const { return attribute<Value>(*this, name, "a tensor"); }

std::vector<std::int64_t> Node::constant_integers(std::size_t i, std::string_view what) const {
  const Value& value = input(i);
  if (value.data == nullptr) {
    fail(fmt::format("its {} (operand {}, '{}') cannot be computed from the shapes alone", what, i,
                     shown(record->inputs[i])));
  }
  if (value.data->real) fail(fmt::format("its {} (operand {}) must be integers", what, i));
  return value.data->ints;
}

std::vector<double> Node::constant_reals(std::size_t i, std::string_view what) const {
  const Value& value = input(i);
  if (value.data == nullptr) {
    fail(fmt::format("its {} (operand {}, '{}') cannot be computed from the shapes alone", what, i,
                     shown(record->inputs[i])));
  }
  if (!value.data->real) return {value.data->ints.begin(), value.data->ints.end()};
  return value.data->reals;
}

std::size_t Node::axis(std::int64_t a, std::size_t rank) const {
  const auto r = static_cast<std::int64_t>(rank);
  if (a < -r || a >= r) fail(fmt::format("axis {} of a tensor of rank {}", a, rank));
  return static_cast<std::size_t>(a < 0 ? a + r : a);
}

void Node::result(std::size_t i, Shape shape, int type) {
  if (i >= out.size()) return;
  out[i].shape = std::move(shape);
  out[i].type = type;
}

std::int64_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::int64_t n = 1;
  for (std::size_t i = first; i < last; ++i) n = checked_mul(n, shape[i]);
  return n;
}

std::int64_t elements(const Shape& shape) { return product(shape, 0, shape.size()); }

std::string text(const Shape& shape) { return shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x")); }

Shape broadcast(const Node& node, const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < result.size(); ++i) {  // i counts axes from the last
    const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t y = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (x != y && x != 1 && y != 1) node.fail(fmt::format("shapes {} and {} do not broadcast", text(a), text(b)));
    result[result.size() - 1 - i] = x == 1 ? y : x;
  }
  return result;
}

}  // namespace tilewright::importer
