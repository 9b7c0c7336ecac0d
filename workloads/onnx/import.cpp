// Model -> WorkloadGraph: walks the nodes in order, infers shapes, folds constants and builds layers.
#include "workloads/onnx/import.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <span>
#include <unordered_set>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "workloads/onnx/model.hpp"
#include "workloads/onnx/operators.hpp"
#include "workloads/onnx/order.hpp"
#include "workloads/onnx/rules.hpp"
#include "workloads/onnx/subgraph.hpp"
#include "workloads/onnx/symbols.hpp"

namespace tilewright {
namespace importer {
namespace {

/// What the builder knows of a name: its value, and the tensor that holds it once a layer touches it.
struct Entry {
  Value value;
  TensorId tensor = -1;
};

struct Builder {
  const Model& model;
  const ImportOptions& options;
  WorkloadGraph graph;
  std::unordered_map<std::string_view, Entry> entries;
  std::unordered_set<std::string> layer_names;
  std::int64_t constant_elements = 0;  // of Constant nodes: the weights of files that keep no others
  std::deque<NodeRecord> inlined;      // nodes of branches; `entries` holds their names
};

/// An If with both branches in the file.
bool is_branch(const NodeRecord& node) {
  const auto has = [&](const char* name) {
    const auto found = node.attributes.find(name);
    return found != node.attributes.end() && std::holds_alternative<std::shared_ptr<const Subgraph>>(found->second);
  };
  return node.domain.empty() && node.type == "If" && !node.inputs.empty() && has("then_branch") && has("else_branch");
}

/// Booleans and unsigned integers are held in the integer format of their width.
DataType data_type(const std::string& file, const std::string& tensor, int element_type) {
  if (element_type >= element::float8_first && element_type <= element::float8_last) return DataType::fp8;
  switch (element_type) {
    case element::float32: return DataType::fp32;
    case element::float64: return DataType::fp64;
    case element::float16: return DataType::fp16;
    case element::bfloat16: return DataType::bf16;
    case element::uint8:
    case element::int8:
    case element::boolean: return DataType::int8;
    case element::uint16:
    case element::int16: return DataType::int16;
    case element::int32:
    case element::uint32: return DataType::int32;
    case element::int64:
    case element::uint64: return DataType::int64;
    case element::int4:
    case element::uint4: return DataType::int4;
    default: break;
  }
  throw InputError(Place{file, 0, 0, fmt::format("tensor '{}'", shown(tensor))},
                   fmt::format("element type {} (text, complex or unknown) is not supported", element_type));
}

TensorId add_tensor(Builder& b, const std::string& name, const Value& value, TensorKind kind) {
  Tensor tensor;
  tensor.name = name;
  tensor.shape = value.shape;
  tensor.type = data_type(b.model.file, name, value.type);
  tensor.kind = kind;
  tensor.causal = is_causal(value);
  for (const std::int64_t size : tensor.shape) {
    if (size < 1) {
      throw InputError(Place{b.model.file, 0, 0, fmt::format("tensor '{}'", shown(name))},
                       fmt::format("shape {} has an axis of size {}; at least 1 is needed", text(value.shape), size));
    }
  }
  (void)tensor.elements();  // overflow is found here
  b.graph.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(b.graph.tensors.size()) - 1;
}

TensorId tensor_of(Builder& b, const std::string& name) {
  Entry& entry = b.entries.at(name);
  if (entry.tensor < 0) {
    entry.tensor = add_tensor(b, name, entry.value, entry.value.constant ? TensorKind::weight : TensorKind::activation);
  }
  return entry.tensor;
}

// ---- weights -----------------------------------------------------------------------------------------------------------

/// Floating-point and quantised (up to 8 bits) elements count as weights; indices, sizes and int32 biases do not.
bool counts_as_weight(int type) {
  return is_real(type) || type == element::int8 || type == element::uint8 || type == element::int4 ||
         type == element::uint4;
}

void add_weights(Builder& b, std::int64_t n) { b.graph.weight_elements = checked_add(b.graph.weight_elements, n); }

void enter_initialisers(Builder& b) {
  for (const auto& [name, value] : b.model.initialisers) {
    if (!b.entries.emplace(name, Entry{value, -1}).second) {
      throw InputError(Place{b.model.file, 0, 0, fmt::format("tensor '{}'", shown(name))}, "is initialised twice");
    }
    if (counts_as_weight(value.type)) add_weights(b, elements(value.shape));
  }
}

// ---- nodes -------------------------------------------------------------------------------------------------------------

std::string unique_name(Builder& b, const NodeRecord& node, std::size_t index) {
  std::string name = node.name;
  while (!b.layer_names.insert(name).second) name += fmt::format("_{}", index);
  return name;
}

std::vector<TensorId> output_tensors(Builder& b, const Node& node) {
  std::vector<TensorId> ids;
  for (const std::string& name : node.record->outputs) {
    if (!name.empty()) ids.push_back(tensor_of(b, name));
  }
  return ids;
}

void add_layer(Builder& b, const Node& node, std::size_t index, Operator work, std::uint32_t operands) {
  Layer layer{unique_name(b, *node.record, index), node.record->type, std::move(work), {}, {}, {}};
  for (std::size_t i = 0; i < node.in.size(); ++i) {
    const bool carries_data = operands == all_operands || (i < 32 && (operands >> i & 1U) != 0);
    if (carries_data && node.has(i)) layer.inputs.push_back(tensor_of(b, node.record->inputs[i]));
  }
  layer.outputs = output_tensors(b, node);
  if (layer.outputs.empty()) node.fail("has no results");
  if (!std::holds_alternative<Unmodelled>(layer.work)) layer.axes = kept_axes(node);
  (void)macs(layer);  // overflow is found here
  b.graph.layers.push_back(std::move(layer));
}

/// Results that share the memory of operand 0.
void add_view(Builder& b, const Node& node) {
  const TensorId source = tensor_of(b, node.record->inputs[0]);
  b.graph.views.push_back({node.record->name, node.record->type});
  for (std::size_t i = 0; i < node.record->outputs.size(); ++i) {
    const std::string& name = node.record->outputs[i];
    if (name.empty()) continue;
    if (i > 0) {  // the mask of Dropout is all true at inference
      b.entries.at(name).value.constant = true;
      continue;
    }
    Value value = node.out[i];
    const TensorId id = add_tensor(b, name, value, b.graph.tensors[static_cast<std::size_t>(source)].kind);
    Tensor& view = b.graph.tensors[static_cast<std::size_t>(id)];
    view.alias_of = source;
    view.type = b.graph.tensors[static_cast<std::size_t>(source)].type;
    b.entries.at(name).tensor = id;
  }
}

/// The result is operand 0 in another format: QuantizeLinear makes its tensor an integer one for all who read it,
/// DequantizeLinear leaves it as it is, so that the operators behind it see the stored format.
void add_precision(Builder& b, const Node& node) {
  TensorId id = tensor_of(b, node.record->inputs[0]);
  b.graph.views.push_back({node.record->name, node.record->type});
  if (!node.record->outputs.empty()) b.entries.at(node.record->outputs[0]).tensor = id;
  if (node.record->type != "QuantizeLinear") return;
  const DataType type = data_type(b.model.file, node.record->outputs[0], node.out[0].type);
  for (; id >= 0; id = b.graph.tensors[static_cast<std::size_t>(id)].alias_of)
    b.graph.tensors[static_cast<std::size_t>(id)].type = type;
}

/// Shapes of an operator without a model come from the file.
void declared_shapes(const Builder& b, Node& node) {
  for (std::size_t i = 0; i < node.out.size(); ++i) {
    const std::string& name = node.record->outputs[i];
    if (name.empty()) continue;
    const auto found = b.model.declared.find(name);
    const auto shape =
        found == b.model.declared.end() ? std::nullopt : declared_shape(b.model, b.options, found->second);
    if (!shape) {
      node.fail(
          fmt::format("the operator is not modelled and the file does not give the shape of its result '{}'; store "
                      "inferred shapes in the model (onnx.shape_inference) to count its traffic",
                      shown(name)));
    }
    node.out[i] = {*shape, found->second.type, false, nullptr};
  }
}

void add_unmodelled(Builder& b, Node& node, std::size_t index) {
  Unmodelled work{0, 0};
  for (const Value* in : node.in) {
    if (in != nullptr) work.elements_in = checked_add(work.elements_in, elements(in->shape));
  }
  for (std::size_t i = 0; i < node.out.size(); ++i) {
    if (!node.record->outputs[i].empty())
      work.elements_out = checked_add(work.elements_out, elements(node.out[i].shape));
  }
  add_layer(b, node, index, work, all_operands);
  b.graph.unmodelled.push_back(fmt::format("{} ({})", b.graph.layers.back().name, node.record->type));
}

Node node_with_operands(const Builder& b, const NodeRecord& record) {
  Node node{&b.model, &record, {}, std::vector<Value>(record.outputs.size())};
  for (const std::string& name : record.inputs) {
    const auto found = name.empty() ? b.entries.end() : b.entries.find(name);
    if (!name.empty() && found == b.entries.end()) {  // in a branch: the nodes of the graph itself are in order
      node.fail(fmt::format("reads tensor '{}', which nothing before it produces", shown(name)));
    }
    node.in.push_back(name.empty() ? nullptr : &found->second.value);
  }
  while (!node.in.empty() && node.in.back() == nullptr) node.in.pop_back();
  return node;
}

bool all_constant(const Node& node) {
  return std::all_of(node.in.begin(), node.in.end(), [](const Value* in) { return in == nullptr || in->constant; });
}

void check_sizes(const Node& node) {
  for (std::size_t i = 0; i < node.out.size(); ++i) {
    if (node.out[i].shape.size() > largest_rank)
      node.fail(fmt::format("a result of {} axes", node.out[i].shape.size()));
    (void)elements(node.out[i].shape);  // overflow is found here
    for (const std::int64_t size : node.out[i].shape) {
      if (size < (node.out[i].constant ? 0 : 1)) {
        node.fail(fmt::format("its result {} has shape {}: an axis of size {}", i, text(node.out[i].shape), size));
      }
    }
  }
}

void enter_outputs(Builder& b, const Node& node) {
  for (std::size_t i = 0; i < node.out.size(); ++i) {
    const std::string& name = node.record->outputs[i];
    if (!name.empty() && !b.entries.emplace(name, Entry{node.out[i], -1}).second)
      node.fail(fmt::format("writes tensor '{}', which already has a value", shown(name)));
  }
}

/// A weight that is dequantised and then only rearranged stays in its stored format.
void keep_stored_format(Builder& b, const Node& node) {
  if (node.in.empty() || node.in[0] == nullptr || !node.in[0]->constant || node.record->outputs.empty()) return;
  const std::string& result = node.record->outputs[0];
  const TensorId source = b.entries.at(node.record->inputs[0]).tensor;
  if (result.empty() || source < 0 || node.out[0].type != node.in[0]->type) return;
  const DataType stored = b.graph.tensors[static_cast<std::size_t>(source)].type;
  if (!is_real(node.in[0]->type) || !is_integer(stored)) return;
  b.graph.tensors[static_cast<std::size_t>(tensor_of(b, result))].type = stored;
}

/// MatMulNBits keeps its weights as packed bytes: the tensor takes the shape and format that the attributes give.
void unpack_weights(Builder& b, const Node& node) {
  const std::string& name = node.record->inputs[1];
  const std::int64_t width = node.integer("bits", 4);
  if (width != 2 && width != 4 && width != 8) node.fail(fmt::format("bits = {}; known: 2, 4, 8", width));
  const bool counted = node.in[1]->constant && counts_as_weight(node.in[1]->type);
  const Shape shape{node.integer("N", 1), node.integer("K", 1)};
  Tensor& tensor = b.graph.tensors[static_cast<std::size_t>(tensor_of(b, name))];
  if (tensor.shape == shape) return;  // a second product with the same weights
  if (counted) add_weights(b, elements(shape) - elements(tensor.shape));
  tensor.shape = shape;
  tensor.type = width == 2 ? DataType::int2 : width == 4 ? DataType::int4 : DataType::int8;
}

void add_node(Builder& b, const NodeRecord& record, std::size_t index);

/// Adds the place of the node to a size overflow found on the way.
void add_node_with_place(Builder& b, const NodeRecord& record, std::size_t index) {
  try {
    add_node(b, record, index);
  } catch (const OverflowError& error) {
    throw InputError(Place{b.model.file, 0, 0, fmt::format("node '{}' ({})", shown(record.name), shown(record.type))},
                     error.what());
  }
}

void refuse_unmodelled(const std::string& file, std::span<const NodeRecord> nodes) {
  std::vector<std::string> names;
  for (const NodeRecord& node : nodes) {
    if (is_branch(node) || find_operator(node.domain, node.type) != nullptr) continue;
    names.push_back(fmt::format("'{}' ({}{}{})", shown(node.name), shown(node.domain), node.domain.empty() ? "" : ".",
                                shown(node.type)));
  }
  if (names.empty()) return;
  throw InputError(Place{file, 0, 0, ""},
                   fmt::format("{} node{} without a model: {}; --allow-unmodelled counts their traffic only",
                               names.size(), names.size() == 1 ? "" : "s", fmt::join(names, ", ")));
}

/// An If whose condition is known before the network runs is the branch that it takes. False when it is not known.
bool add_branch(Builder& b, const Node& node, std::size_t index) {
  const Value& condition = node.input(0);
  if (condition.data == nullptr || condition.data->ints.size() != 1) return false;
  const char* name = condition.data->ints[0] != 0 ? "then_branch" : "else_branch";
  const auto& branch = std::get<std::shared_ptr<const Subgraph>>(node.record->attributes.find(name)->second);
  if (branch->outputs.size() != node.out.size())
    node.fail(fmt::format("{} gives {} results, the node {}", name, branch->outputs.size(), node.out.size()));
  b.graph.views.push_back({node.record->name, node.record->type});
  std::vector<NodeRecord> records = instantiate(*branch, *node.record);
  if (!b.options.allow_unmodelled) refuse_unmodelled(b.model.file, records);
  const std::size_t first = b.inlined.size(), last = first + records.size();
  std::move(records.begin(), records.end(), std::back_inserter(b.inlined));
  for (std::size_t i = first; i < last; ++i) add_node_with_place(b, b.inlined[i], index);
  return true;
}

void add_node(Builder& b, const NodeRecord& record, std::size_t index) {
  const OperatorRule* rule = find_operator(record.domain, record.type);
  Node node = node_with_operands(b, record);
  if (std::all_of(record.outputs.begin(), record.outputs.end(), [](const auto& o) { return o.empty(); }))
    node.fail("has no results");
  if (is_branch(record) && add_branch(b, node, index)) return;
  if (rule == nullptr) {
    if (!b.options.allow_unmodelled) {
      node.fail(
          fmt::format("its condition (operand 0, '{}') is not known before the network runs, so neither is the "
                      "branch; --allow-unmodelled counts its traffic only",
                      shown(record.inputs.at(0))));
    }
    declared_shapes(b, node);
    check_sizes(node);
    enter_outputs(b, node);
    add_unmodelled(b, node, index);
    return;
  }
  rule->shape(node);
  const bool constant = rule->kind == Kind::constant || all_constant(node);
  for (Value& out : node.out) out.constant = constant;
  check_sizes(node);
  const auto numbers = fold(node);
  for (std::size_t i = 0; i < node.out.size(); ++i) node.out[i].data = numbers[i];
  if (counts_as_weight(node.out[0].type)) {
    const std::int64_t made = elements(node.out[0].shape);
    if (record.type == "ConstantOfShape") add_weights(b, made);
    if (record.type == "Constant") b.constant_elements = checked_add(b.constant_elements, made);
  }
  if (rule->kind == Kind::precision) {
    enter_outputs(b, node);
    add_precision(b, node);
    return;
  }
  const bool folded = std::any_of(numbers.begin(), numbers.end(), [](const auto& n) { return n != nullptr; });
  if (rule->kind == Kind::constant || (folded && rule->kind == Kind::layer)) {
    for (Value& out : node.out) out.constant = true;
    enter_outputs(b, node);
    return;
  }
  if (rule->kind == Kind::view) {
    node.out[0].causal = is_causal_result(node, node.out[0], nullptr);
    enter_outputs(b, node);
    if (constant)
      keep_stored_format(b, node);
    else
      add_view(b, node);
    return;
  }
  const Layer probe{record.name, record.type, rule->work(node), {}, {}, {}};
  node.out[0].causal = is_causal_result(node, node.out[0], &probe.work);
  enter_outputs(b, node);
  if (constant && macs(probe) == 0) {  // computed once when the model is loaded: its result is a weight
    if (std::holds_alternative<Movement>(probe.work)) keep_stored_format(b, node);
    return;
  }
  for (const std::string& name : record.outputs) {
    if (!name.empty()) b.entries.at(name).value.constant = false;
  }
  if (record.type == "MatMulNBits") unpack_weights(b, node);
  add_layer(b, node, index, probe.work, rule->operands);
}

/// The first axis of the first input, or the batch of the first recurrent layer, whose operands keep time in front.
std::int64_t batch_of(const WorkloadGraph& graph) {
  for (const Layer& layer : graph.layers) {
    const auto* recurrent = std::get_if<Recurrent>(&layer.work);
    if (recurrent == nullptr || graph.inputs.empty()) continue;
    const auto& shape = graph.tensors[static_cast<std::size_t>(graph.inputs[0])].shape;
    if (std::find(shape.begin(), shape.end(), recurrent->batch) != shape.end()) return recurrent->batch;
  }
  if (graph.inputs.empty()) return 1;
  const auto& shape = graph.tensors[static_cast<std::size_t>(graph.inputs[0])].shape;
  return shape.empty() ? 1 : shape[0];
}

WorkloadGraph build(const Model& model, const ImportOptions& options) {
  if (!options.allow_unmodelled) refuse_unmodelled(model.file, model.nodes);
  Builder b{model, options, {}, {}, {}, 0, {}};
  b.graph.name = std::filesystem::path(model.file).stem().string();
  b.graph.source = model.file;
  enter_initialisers(b);
  const auto order = execution_order(model);
  const auto shapes = input_shapes(model, options);
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    const Declared& input = model.inputs[i];
    if (!b.entries.emplace(input.name, Entry{{shapes[i], input.type, false, nullptr}, -1}).second) {
      throw InputError(Place{model.file, 0, 0, fmt::format("input '{}'", shown(input.name))}, "is declared twice");
    }
    const TensorId id = tensor_of(b, input.name);
    b.graph.tensors[static_cast<std::size_t>(id)].kind = TensorKind::input;
    b.graph.inputs.push_back(id);
  }
  for (const int index : order) {
    const auto i = static_cast<std::size_t>(index);
    add_node_with_place(b, model.nodes[i], i);
  }
  for (const std::string& name : model.outputs) {
    if (!b.entries.contains(name)) {
      throw InputError(Place{model.file, 0, 0, fmt::format("output '{}'", shown(name))},
                       "nothing produces this result");
    }
    b.graph.outputs.push_back(tensor_of(b, name));
  }
  if (b.graph.weight_elements == 0) b.graph.weight_elements = b.constant_elements;
  b.graph.batch = batch_of(b.graph);
  finish(b.graph);
  (void)total_macs(b.graph);  // overflow is found here
  (void)peak_activation_bytes(b.graph);
  return std::move(b.graph);
}

}  // namespace
}  // namespace importer

WorkloadGraph import_onnx(const std::string& path, const ImportOptions& options) {
  const importer::Model model = importer::read_model(path);
  try {
    return importer::build(model, options);
  } catch (const OverflowError& error) { throw InputError(Place{path, 0, 0, ""}, error.what()); }
}

}  // namespace tilewright
