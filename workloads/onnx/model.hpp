// An ONNX model as plain data: what the importer needs of the file, without protobuf and without weights.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace tilewright::importer {

using Shape = std::vector<std::int64_t>;

/// Element types as numbered in onnx.proto (TensorProto.DataType).
namespace element {
inline constexpr int float32 = 1, uint8 = 2, int8 = 3, uint16 = 4, int16 = 5, int32 = 6, int64 = 7, string = 8,
                     boolean = 9, float16 = 10, float64 = 11, uint32 = 12, uint64 = 13, bfloat16 = 16,
                     float8_first = 17, float8_last = 20, uint4 = 21, int4 = 22;
}  // namespace element

bool is_real(int element_type);

/// Numbers of a small constant, row-major; integers (and booleans) in `ints`, the others in `reals`.
struct Constant {
  bool real = false;
  std::vector<std::int64_t> ints;
  std::vector<double> reals;
  std::size_t size() const { return real ? reals.size() : ints.size(); }
};

/// Constants above this many elements keep their shape only: they are weights, not sizes.
inline constexpr std::int64_t largest_folded = 1 << 16;

/// What is known of a tensor. `constant`: it depends on no input of the graph; `data`: its numbers, when small.
struct Value {
  Shape shape;
  int type = element::float32;
  bool constant = false;
  std::shared_ptr<const Constant> data;
  bool causal = false;  // of its last two axes (queries, keys) one value stands behind the diagonal and nowhere else
};

/// Is one value in all places whose key (last axis) lies behind the query (the axis before), and nowhere else? Both axes are equal and
/// longer than 1. `same`: are the entries at two places (row-major) equal?
bool is_causal(const Shape& shape, const std::function<bool(std::size_t, std::size_t)>& same);
/// The same, of the numbers where they are kept, else as was found when the value was made.
bool is_causal(const Value& value);

/// Tensors of more axes are refused.
inline constexpr std::size_t largest_rank = 32;

struct Unsupported {
  std::string kind;
};  // attribute of a kind that no operator here reads (strings, sparse tensors ...)
/// In the body of a function: stands for an attribute of the node that calls it.
struct Reference {
  std::string name;
};
struct Subgraph;
using Attribute = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, Value,
                               std::shared_ptr<const Subgraph>, Reference, Unsupported>;

struct NodeRecord {
  std::string name, type, domain;            // name: as in the file, or "Type_index"
  std::vector<std::string> inputs, outputs;  // "" for an omitted one
  std::map<std::string, Attribute, std::less<>> attributes;
};

/// Nodes that run in the place of another node: the body of a function, a branch of an If.
struct Subgraph {
  std::vector<std::string> inputs, outputs;
  std::vector<std::pair<std::string, Value>> initialisers;
  std::vector<NodeRecord> nodes;
};

/// One axis of a declared tensor: its size, or (size < 1) the symbol that stands for it; "" when it has none.
struct Axis {
  std::int64_t size = 0;
  std::string symbol;
  bool given = false;  // the file writes the size
};
/// A tensor as the file declares it: an input of the graph, or a result with its stored shape.
struct Declared {
  std::string name;
  int type = element::float32;
  std::vector<Axis> axes;
};

struct Model {
  std::string file, name;
  std::int64_t opset = 0;
  std::vector<Declared> inputs;  // without those that an initialiser repeats
  std::vector<std::pair<std::string, Value>> initialisers;
  std::vector<NodeRecord> nodes;
  std::vector<std::string> outputs;
  std::unordered_map<std::string, Declared> declared;  // shapes stored in the file (value_info, outputs)
};

/// Reads the file. External weights are never opened; numbers of more than `largest_folded` elements are not kept.
/// Calls of the model's own functions are replaced by the nodes of their bodies.
/// InputError: unreadable, not a model, no nodes, an opset outside 7 to 17, malformed tensors, functions that call themselves.
Model read_model(const std::string& path);

}  // namespace tilewright::importer
