// The operator table: ONNX type -> shape rule and builder. A new operator is one line there plus its functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "workloads/layer.hpp"
#include "workloads/onnx/node.hpp"

namespace tilewright::importer {

/// layer: real work · view: renames memory, free · constant: known before the network runs · precision: changes only the
/// format in which a tensor is held (QuantizeLinear, DequantizeLinear) and is folded into its neighbours.
enum class Kind { layer, view, constant, precision };

struct OperatorRule {
  std::string_view type;
  Kind kind;
  void (*shape)(Node&);
  Operator (*work)(const Node&);  // layers only
  std::uint32_t operands;         // bit i: operand i carries data (the others are parameters: axes, sizes, scales ...)
};

inline constexpr std::uint32_t all_operands = ~0U;

/// nullptr when there is no model for the type in that domain.
const OperatorRule* find_operator(std::string_view domain, std::string_view type);

}  // namespace tilewright::importer
