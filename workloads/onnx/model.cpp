#include "workloads/onnx/model.hpp"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/onnx_pb.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string_view>
#include <unordered_set>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "workloads/onnx/rules.hpp"
#include "workloads/onnx/subgraph.hpp"

namespace tilewright::importer {

bool is_real(int type) {
  return type == element::float32 || type == element::float16 || type == element::float64 ||
         type == element::bfloat16 || (type >= element::float8_first && type <= element::float8_last);
}

namespace {

constexpr int most_nodes = 1'000'000;

[[noreturn]] void fail(const std::string& file, std::string_view message, std::string key = {}) {
  throw InputError(Place{file, 0, 0, std::move(key)}, message);
}

std::int64_t elements_of(const Shape& shape) {
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n = checked_mul(n, d);
  return n;
}

/// IEEE half to double: sign, 5 exponent bits (bias 15), 10 fraction bits.
double half_to_double(std::uint16_t h) {
  const int exponent = (h >> 10) & 31;
  const int fraction = h & 1023;
  double magnitude = 0;
  if (exponent == 31) {
    magnitude = fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  } else {
    magnitude = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  }
  return (h & 0x8000) != 0 ? -magnitude : magnitude;
}

double bfloat_to_double(std::uint16_t b) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(b) << 16));
}

template <class T>
std::vector<T> raw_numbers(const std::string& raw, std::int64_t count) {
  std::vector<T> numbers(static_cast<std::size_t>(count));
  std::memcpy(numbers.data(), raw.data(), numbers.size() * sizeof(T));
  return numbers;
}

template <class T>
Constant integers(const std::vector<T>& numbers) {
  Constant c;
  c.ints.reserve(numbers.size());
  for (const T n : numbers) c.ints.push_back(static_cast<std::int64_t>(n));
  return c;
}

Constant reals(std::vector<double> numbers) { return {true, {}, std::move(numbers)}; }

int raw_width(int type) {
  switch (type) {
    case element::uint8:
    case element::int8:
    case element::boolean: return 1;
    case element::uint16:
    case element::int16:
    case element::float16:
    case element::bfloat16: return 2;
    case element::float32:
    case element::int32:
    case element::uint32: return 4;
    case element::float64:
    case element::int64:
    case element::uint64: return 8;
    default: return 0;
  }
}

Constant from_raw(const std::string& raw, int type, std::int64_t n) {
  switch (type) {
    case element::uint8:
    case element::boolean: return integers(raw_numbers<std::uint8_t>(raw, n));
    case element::int8: return integers(raw_numbers<std::int8_t>(raw, n));
    case element::uint16: return integers(raw_numbers<std::uint16_t>(raw, n));
    case element::int16: return integers(raw_numbers<std::int16_t>(raw, n));
    case element::int32: return integers(raw_numbers<std::int32_t>(raw, n));
    case element::uint32: return integers(raw_numbers<std::uint32_t>(raw, n));
    case element::int64: return integers(raw_numbers<std::int64_t>(raw, n));
    case element::uint64: return integers(raw_numbers<std::uint64_t>(raw, n));
    default: break;
  }
  std::vector<double> numbers;
  numbers.reserve(static_cast<std::size_t>(n));
  if (type == element::float32) {
    for (const float f : raw_numbers<float>(raw, n)) numbers.push_back(static_cast<double>(f));
  } else if (type == element::float64) {
    numbers = raw_numbers<double>(raw, n);
  } else if (type == element::float16) {
    for (const std::uint16_t h : raw_numbers<std::uint16_t>(raw, n)) numbers.push_back(half_to_double(h));
  } else {
    for (const std::uint16_t b : raw_numbers<std::uint16_t>(raw, n)) numbers.push_back(bfloat_to_double(b));
  }
  return reals(std::move(numbers));
}

template <class Field>
std::vector<double> doubles(const Field& field) {
  return {field.begin(), field.end()};
}

/// Numbers from the typed fields; empty when the tensor holds none there.
Constant from_fields(const onnx::TensorProto& t) {
  switch (t.data_type()) {
    case element::float32: return reals(doubles(t.float_data()));
    case element::float64: return reals(doubles(t.double_data()));
    case element::int64: return integers(std::vector<std::int64_t>(t.int64_data().begin(), t.int64_data().end()));
    case element::uint32:
    case element::uint64: return integers(std::vector<std::uint64_t>(t.uint64_data().begin(), t.uint64_data().end()));
    case element::float16:
    case element::bfloat16: {
      std::vector<double> numbers;
      for (const std::int32_t i : t.int32_data()) {
        const auto half = static_cast<std::uint16_t>(i);
        numbers.push_back(t.data_type() == element::float16 ? half_to_double(half) : bfloat_to_double(half));
      }
      return reals(std::move(numbers));
    }
    default: return integers(std::vector<std::int32_t>(t.int32_data().begin(), t.int32_data().end()));
  }
}

/// Shape, type and, when small and stored in the file, the numbers of a tensor.
Value tensor_value(const std::string& file, const onnx::TensorProto& t, const std::string& name) {
  const std::string key = fmt::format("tensor '{}'", shown(name));
  Value value{{t.dims().begin(), t.dims().end()}, t.data_type(), true, nullptr};
  if (value.type < 1 || value.type > element::int4) fail(file, fmt::format("unknown element type {}", value.type), key);
  if (value.shape.size() > largest_rank)
    fail(file, fmt::format("has {} axes; at most {} are read", t.dims_size(), largest_rank), key);
  for (const std::int64_t d : value.shape) {
    if (d < 0) fail(file, fmt::format("axis of negative size {}", d), key);
  }
  std::int64_t n = 0;
  try {
    n = elements_of(value.shape);
  } catch (const OverflowError&) { fail(file, "more than 2^63 elements", key); }
  const std::int64_t raw_bytes = static_cast<std::int64_t>(t.raw_data().size());
  if (n > largest_folded && raw_width(value.type) > 0 && raw_bytes / raw_width(value.type) == n) {  // a long mask
    const auto width = static_cast<std::size_t>(raw_width(value.type));
    const char* raw = t.raw_data().data();
    value.causal = is_causal(value.shape, [&](std::size_t a, std::size_t b) {
      return std::memcmp(raw + a * width, raw + b * width, width) == 0;
    });
  }
  if (n > largest_folded || t.data_location() == onnx::TensorProto::EXTERNAL || value.type == element::string)
    return value;
  if (t.has_raw_data() && !t.raw_data().empty()) {
    const int width = raw_width(value.type);
    if (width == 0) return value;
    if (static_cast<std::int64_t>(t.raw_data().size()) != n * width) {
      fail(file, fmt::format("{} bytes of data where its shape and type need {}", t.raw_data().size(), n * width), key);
    }
    value.data = std::make_shared<Constant>(from_raw(t.raw_data(), value.type, n));
    return value;
  }
  Constant numbers = from_fields(t);
  if (static_cast<std::int64_t>(numbers.size()) == n) {
    value.data = std::make_shared<Constant>(std::move(numbers));
  } else if (numbers.size() != 0) {
    fail(file, fmt::format("{} numbers where its shape needs {}", numbers.size(), n), key);
  }
  return value;
}

Subgraph subgraph(const std::string& file, const onnx::GraphProto& graph);

Attribute attribute_value(const std::string& file, const onnx::AttributeProto& a, const std::string& node) {
  using Proto = onnx::AttributeProto;
  if (!a.ref_attr_name().empty()) return Reference{a.ref_attr_name()};
  int kind = a.type();
  if (kind == Proto::UNDEFINED) {  // IR version 1 has no type field: the filled field tells
    kind = a.has_i()             ? Proto::INT
           : a.has_f()           ? Proto::FLOAT
           : a.has_s()           ? Proto::STRING
           : a.has_t()           ? Proto::TENSOR
           : a.floats_size() > 0 ? Proto::FLOATS
                                 : Proto::INTS;
  }
  switch (kind) {
    case Proto::INT: return a.i();
    case Proto::FLOAT: return static_cast<double>(a.f());
    case Proto::STRING: return a.s();
    case Proto::INTS: return std::vector<std::int64_t>(a.ints().begin(), a.ints().end());
    case Proto::FLOATS: return doubles(a.floats());
    case Proto::TENSOR: return tensor_value(file, a.t(), fmt::format("{}.{}", node, a.name()));
    case Proto::GRAPH: return std::make_shared<const Subgraph>(subgraph(file, a.g()));
    default: return Unsupported{Proto::AttributeType_Name(a.type())};
  }
}

std::string default_domain(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

/// Declared type of a graph input or stored intermediate; false when it is no tensor with a shape.
bool tensor_type(const onnx::ValueInfoProto& info, int& type, std::vector<Axis>& axes) {
  if (!info.type().has_tensor_type() || !info.type().tensor_type().has_shape()) return false;
  const auto& tensor = info.type().tensor_type();
  if (static_cast<std::size_t>(tensor.shape().dim_size()) > largest_rank) return false;
  type = tensor.elem_type();
  for (const auto& dim : tensor.shape().dim()) {
    axes.push_back(dim.has_dim_value() ? Axis{dim.dim_value(), "", true} : Axis{0, dim.dim_param(), false});
  }
  return true;
}

void read_inputs(const onnx::GraphProto& graph, Model& model) {
  std::unordered_set<std::string_view> initialised;
  for (const auto& [name, value] : model.initialisers) initialised.insert(name);
  for (const auto& info : graph.input()) {
    if (initialised.contains(info.name())) continue;
    Declared input{info.name(), element::float32, {}};
    if (!tensor_type(info, input.type, input.axes)) {
      fail(model.file, "is no tensor with a declared shape; only dense tensors of a known rank can be imported",
           fmt::format("input '{}'", shown(info.name())));
    }
    model.inputs.push_back(std::move(input));
  }
}

void read_declared(const onnx::GraphProto& graph, Model& model) {
  const auto keep = [&](const onnx::ValueInfoProto& info) {
    Declared tensor{info.name(), element::float32, {}};
    if (tensor_type(info, tensor.type, tensor.axes)) model.declared.emplace(info.name(), std::move(tensor));
  };
  for (const auto& info : graph.value_info()) keep(info);
  for (const auto& info : graph.output()) keep(info);
}

template <class Nodes>
std::vector<NodeRecord> nodes_of(const std::string& file, const Nodes& nodes) {
  if (nodes.size() > most_nodes) fail(file, fmt::format("more than {} nodes", most_nodes));
  std::vector<NodeRecord> records;
  records.reserve(static_cast<std::size_t>(nodes.size()));
  for (const onnx::NodeProto& n : nodes) {
    NodeRecord node{n.name().empty() ? fmt::format("{}_{}", n.op_type(), records.size()) : n.name(),
                    n.op_type(),
                    default_domain(n.domain()),
                    {n.input().begin(), n.input().end()},
                    {n.output().begin(), n.output().end()},
                    {}};
    for (const auto& a : n.attribute()) node.attributes.insert_or_assign(a.name(), attribute_value(file, a, node.name));
    records.push_back(std::move(node));
  }
  return records;
}

std::vector<std::pair<std::string, Value>> initialisers_of(const std::string& file, const onnx::GraphProto& graph) {
  std::vector<std::pair<std::string, Value>> result;
  for (const auto& t : graph.initializer()) result.emplace_back(t.name(), tensor_value(file, t, t.name()));
  for (const auto& s : graph.sparse_initializer()) {
    Value value = tensor_value(file, s.values(), s.values().name());
    value.shape.assign(s.dims().begin(), s.dims().end());
    value.data = nullptr;
    for (const std::int64_t d : value.shape) {
      if (d < 0) fail(file, "sparse tensor with an axis of negative size", s.values().name());
    }
    result.emplace_back(s.values().name(), std::move(value));
  }
  return result;
}

Subgraph subgraph(const std::string& file, const onnx::GraphProto& graph) {
  Subgraph result{{}, {}, initialisers_of(file, graph), nodes_of(file, graph.node())};
  for (const auto& input : graph.input()) result.inputs.push_back(input.name());
  for (const auto& output : graph.output()) result.outputs.push_back(output.name());
  return result;
}

Functions functions_of(const std::string& file, const onnx::ModelProto& proto, std::int64_t opset) {
  Functions result;
  for (const auto& f : proto.functions()) {
    const std::string key = fmt::format("function '{}'", shown(f.name()));
    for (const auto& import : f.opset_import()) {
      if (default_domain(import.domain()).empty() && import.version() != opset)
        fail(file, fmt::format("is written in opset {}, the model in opset {}", import.version(), opset), key);
    }
    Subgraph body{
        {f.input().begin(), f.input().end()}, {f.output().begin(), f.output().end()}, {}, nodes_of(file, f.node())};
    if (!result.emplace(std::pair(default_domain(f.domain()), f.name()), std::move(body)).second)
      fail(file, "is defined twice", key);
  }
  result.merge(runtime_functions());
  return result;
}

std::int64_t default_opset(const onnx::ModelProto& proto, const std::string& file) {
  std::int64_t opset = 0;
  for (const auto& import : proto.opset_import()) {
    if (default_domain(import.domain()).empty()) opset = import.version();
  }
  if (opset == 0) fail(file, "names no ONNX opset (opset_import is missing): not an ONNX model, or a damaged one");
  if (opset < 7 || opset > 17) {
    fail(file, fmt::format("opset {} is not supported; convert the model to an opset from 7 to 17", opset));
  }
  return opset;
}

void parse(const std::string& path, onnx::ModelProto& proto) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) fail(path, "no such file");
  if (std::filesystem::is_directory(path, error)) fail(path, "is a directory; name the .onnx file in it");
  // A pipe that nobody writes to would be waited for without end.
  if (!std::filesystem::is_regular_file(path, error)) fail(path, "is not a regular file; save the model to one");
  std::ifstream in(path, std::ios::binary);
  if (!in) fail(path, "cannot be read (check its permissions)");
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size == 0) fail(path, "is empty; an ONNX model was expected");
  if (!error && size > static_cast<std::uintmax_t>(std::numeric_limits<int>::max())) {
    fail(path, "is larger than 2 GiB, which protobuf cannot read; save the model with external weights");
  }
  const google::protobuf::LogSilencer quiet;
  google::protobuf::io::IstreamInputStream stream(&in, 1 << 16);
  google::protobuf::io::CodedInputStream coded(&stream);
  coded.SetTotalBytesLimit(std::numeric_limits<int>::max());
  if (!proto.ParseFromCodedStream(&coded) || !coded.ConsumedEntireMessage()) {
    fail(path, "is not an ONNX model, or is cut off (protobuf cannot parse it)");
  }
}

}  // namespace

Model read_model(const std::string& path) {
  onnx::ModelProto proto;
  parse(path, proto);
  Model model;
  model.file = path;
  model.opset = default_opset(proto, path);
  const onnx::GraphProto& graph = proto.graph();
  if (graph.node_size() == 0) fail(path, "holds no nodes: nothing to evaluate");
  model.name = graph.name();
  model.initialisers = initialisers_of(path, graph);
  read_inputs(graph, model);
  read_declared(graph, model);
  model.nodes = inline_functions(path, nodes_of(path, graph.node()), functions_of(path, proto, model.opset));
  for (const auto& output : graph.output()) model.outputs.push_back(output.name());
  return model;
}

}  // namespace tilewright::importer
