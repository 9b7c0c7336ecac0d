// Causal masks: tensors that leave out, of their last two axes (queries, keys), the keys behind each query.
#include <algorithm>

#include "workloads/onnx/rules.hpp"

namespace tilewright::importer {
namespace {

bool square(const Shape& shape) {
  return shape.size() >= 2 && shape.back() > 1 && shape[shape.size() - 2] == shape.back();
}

/// Trilu that keeps the diagonal and what lies below it, or what lies above it alone.
bool keeps_a_triangle(const Node& node) {
  if (node.record->type != "Trilu" || !square(node.shape(0))) return false;
  const bool upper = node.integer("upper", 1) != 0;
  if (!node.has(1)) return false;  // k = 0: with the diagonal, which a mask of later keys does not have
  const Value& offset = node.input(1);
  if (offset.data == nullptr || offset.data->ints.size() != 1) return false;
  return offset.data->ints[0] == (upper ? 1 : 0);
}

}  // namespace

bool is_causal(const Shape& shape, const std::function<bool(std::size_t, std::size_t)>& same) {
  if (!square(shape)) return false;
  const auto side = static_cast<std::size_t>(shape.back()), count = static_cast<std::size_t>(elements(shape));
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t query = i / side % side, key = i % side;
    if (same(i, 1) != (key > query)) return false;  // entry 1: the first query, the second key
  }
  return true;
}

bool is_causal(const Value& value) {
  if (value.data == nullptr) return value.causal;
  const Constant& numbers = *value.data;
  return is_causal(value.shape, [&](std::size_t a, std::size_t b) {
    return numbers.real ? numbers.reals[a] == numbers.reals[b] : numbers.ints[a] == numbers.ints[b];
  });
}

bool is_causal_result(const Node& node, const Value& result, const Operator* work) {
  if (result.data != nullptr) return is_causal(result);
  if (!square(result.shape)) return false;
  if (keeps_a_triangle(node)) return true;
  const bool keeps =
      work == nullptr || std::holds_alternative<Elementwise>(*work) || std::holds_alternative<Movement>(*work);
  return keeps && node.record->type != "Transpose" && node.record->type != "Trilu" &&
         std::any_of(node.in.begin(), node.in.end(), [](const Value* in) { return in != nullptr && is_causal(*in); });
}

}  // namespace tilewright::importer
