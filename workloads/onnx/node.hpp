// One node with its operands, as shape rules, folders and builders see it.
#pragma once

#include <optional>
#include <string_view>

#include "workloads/onnx/model.hpp"

namespace tilewright::importer {

struct Node {
  const Model* model = nullptr;
  const NodeRecord* record = nullptr;
  std::vector<const Value*> in;  // nullptr for an omitted operand
  std::vector<Value> out;        // as many as the node names; shape rules fill them

  std::int64_t opset() const { return model->opset; }
  bool has(std::size_t i) const { return i < in.size() && in[i] != nullptr; }
  /// Operand i; InputError when the node leaves it out.
  const Value& input(std::size_t i) const;
  const Shape& shape(std::size_t i) const { return input(i).shape; }

  /// Attributes; InputError when present with another type.
  bool has_attribute(std::string_view name) const;
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  double real(std::string_view name, double fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  std::optional<std::vector<std::int64_t>> integers(std::string_view name) const;
  std::optional<std::vector<double>> reals(std::string_view name) const;
  const Value* tensor(std::string_view name) const;

  /// Numbers of operand i; InputError when they are not known before the network runs.
  std::vector<std::int64_t> constant_integers(std::size_t i, std::string_view what) const;
  std::vector<double> constant_reals(std::size_t i, std::string_view what) const;

  /// An axis of a tensor of this rank, negative counted from the end; InputError when outside.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;

  /// Sets result i (ignored when the node does not name it).
  void result(std::size_t i, Shape shape, int type);

  [[noreturn]] void fail(std::string_view message) const;
};

/// Product of sizes [first, last) of a shape; OverflowError.
std::int64_t product(const Shape& shape, std::size_t first, std::size_t last);
std::int64_t elements(const Shape& shape);
/// "1x3x224x224".
std::string text(const Shape& shape);
/// Numpy broadcasting of two shapes; InputError naming both.
Shape broadcast(const Node& node, const Shape& a, const Shape& b);

}  // namespace tilewright::importer
