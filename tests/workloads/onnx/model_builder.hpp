// Small ONNX models written through the protobuf interface and imported from a temporary file.
#pragma once

#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "workloads/onnx/import.hpp"

namespace tilewright::test {

using Shape = std::vector<std::int64_t>;

/// Writes bytes to a file of its own, removed at the end of the scope.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes, const std::string& suffix = ".onnx") {
    static int next = 0;
    path_ = (std::filesystem::temp_directory_path() /
             ("tilewright_onnx_" + std::to_string(::getpid()) + "_" + std::to_string(next++) + suffix))
                .string();
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct Attributes {
  onnx::NodeProto* node;
  Attributes& integer(const std::string& name, std::int64_t v) {
    auto* a = add(name, onnx::AttributeProto::INT);
    a->set_i(v);
    return *this;
  }
  Attributes& integers(const std::string& name, const Shape& v) {
    auto* a = add(name, onnx::AttributeProto::INTS);
    for (const auto i : v) a->add_ints(i);
    return *this;
  }
  Attributes& reals(const std::string& name, const std::vector<float>& v) {
    auto* a = add(name, onnx::AttributeProto::FLOATS);
    for (const float f : v) a->add_floats(f);
    return *this;
  }
  Attributes& text(const std::string& name, const std::string& v) {
    auto* a = add(name, onnx::AttributeProto::STRING);
    a->set_s(v);
    return *this;
  }
  onnx::AttributeProto* add(const std::string& name, onnx::AttributeProto::AttributeType type) {
    auto* a = node->add_attribute();
    a->set_name(name);
    a->set_type(type);
    return a;
  }
};

struct ModelBuilder {
  onnx::ModelProto proto;

  explicit ModelBuilder(std::int64_t opset = 13) {
    proto.set_ir_version(7);
    auto* import = proto.add_opset_import();
    import->set_domain("");
    import->set_version(opset);
    proto.mutable_graph()->set_name("g");
  }
  onnx::GraphProto& graph() { return *proto.mutable_graph(); }

  ModelBuilder& input(const std::string& name, const Shape& shape, int type = onnx::TensorProto::FLOAT) {
    auto* tensor = declare(graph().add_input(), name, type);
    for (const auto d : shape) tensor->mutable_shape()->add_dim()->set_dim_value(d);
    return *this;
  }
  ModelBuilder& symbolic_input(const std::string& name, const std::vector<std::string>& dims) {
    auto* tensor = declare(graph().add_input(), name, onnx::TensorProto::FLOAT);
    for (const auto& d : dims) {
      auto* dim = tensor->mutable_shape()->add_dim();
      if (d.empty()) continue;
      if (d[0] >= '0' && d[0] <= '9')
        dim->set_dim_value(std::stoll(d));
      else
        dim->set_dim_param(d);
    }
    return *this;
  }
  /// A node of a domain of its own.
  Attributes node_of(const std::string& domain, const std::string& type, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs) {
    Attributes made = node(type, inputs, outputs);
    made.node->set_domain(domain);
    return made;
  }
  /// An initialiser whose numbers are in an absent file.
  ModelBuilder& weight(const std::string& name, const Shape& shape, int type = onnx::TensorProto::FLOAT) {
    auto* t = graph().add_initializer();
    t->set_name(name);
    t->set_data_type(type);
    for (const auto d : shape) t->add_dims(d);
    t->set_data_location(onnx::TensorProto::EXTERNAL);
    auto* e = t->add_external_data();
    e->set_key("location");
    e->set_value("absent.bin");
    return *this;
  }
  ModelBuilder& constant(const std::string& name, const Shape& numbers, bool scalar = false) {
    auto* t = graph().add_initializer();
    t->set_name(name);
    t->set_data_type(onnx::TensorProto::INT64);
    if (!scalar) t->add_dims(static_cast<std::int64_t>(numbers.size()));
    for (const auto n : numbers) t->add_int64_data(n);
    return *this;
  }
  ModelBuilder& reals(const std::string& name, const std::vector<float>& numbers) {
    auto* t = graph().add_initializer();
    t->set_name(name);
    t->set_data_type(onnx::TensorProto::FLOAT);
    t->add_dims(static_cast<std::int64_t>(numbers.size()));
    for (const float n : numbers) t->add_float_data(n);
    return *this;
  }
  Attributes node(const std::string& type, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs) {
    auto* n = graph().add_node();
    n->set_op_type(type);
    n->set_name(type + "_" + outputs.at(0));
    for (const auto& i : inputs) n->add_input(i);
    for (const auto& o : outputs) n->add_output(o);
    return {n};
  }
  ModelBuilder& output(const std::string& name) {
    graph().add_output()->set_name(name);
    return *this;
  }
  std::string bytes() const { return proto.SerializeAsString(); }
  WorkloadGraph import(const ImportOptions& options = {}) const {
    const TemporaryFile file(bytes());
    return import_onnx(file.path(), options);
  }

 private:
  static onnx::TypeProto::Tensor* declare(onnx::ValueInfoProto* info, const std::string& name, int type) {
    info->set_name(name);
    auto* tensor = info->mutable_type()->mutable_tensor_type();
    tensor->set_elem_type(type);
    tensor->mutable_shape();
    return tensor;
  }
};

inline const Tensor& tensor(const WorkloadGraph& graph, const std::string& name) {
  for (const Tensor& t : graph.tensors) {
    if (t.name == name) return t;
  }
  throw std::runtime_error("no tensor " + name);
}

}  // namespace tilewright::test
