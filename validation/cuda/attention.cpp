// Fused attention by cuDNN: softmax(scale Q K^T, causal) V as one graph of operations, which cuDNN recognises as flash attention.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <list>
#include <optional>

#include "validation/cuda/operators.hpp"

namespace tilewright::cuda {
namespace {

using Extents = std::array<std::int64_t, 4>;

class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &handle_), "cudnnBackendCreateDescriptor");
  }
  ~Descriptor() { cudnnBackendDestroyDescriptor(handle_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  cudnnBackendDescriptor_t get() const { return handle_; }
  template <class Value>
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const Value* values,
                  std::int64_t count = 1) {
    check(cudnnBackendSetAttribute(handle_, name, type, count, values), "cudnnBackendSetAttribute");
    return *this;
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
    const cudnnBackendDescriptor_t handle = other.get();
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, &handle);
  }
  template <class Value>
  Value value(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type) const {
    Value result{};
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(handle_, name, type, 1, &count, &result), "cudnnBackendGetAttribute");
    return result;
  }
  void finish() { check(cudnnBackendFinalize(handle_), "cudnnBackendFinalize"); }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

class Handle {
 public:
  Handle() { check(cudnnCreate(&handle_), "cudnnCreate"); }
  ~Handle() { cudnnDestroy(handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  cudnnHandle_t get() const { return handle_; }

 private:
  cudnnHandle_t handle_ = nullptr;
};

Extents packed(const Extents& extents) {
  return {extents[1] * extents[2] * extents[3], extents[2] * extents[3], extents[3], 1};
}

/// Operations under construction. A tensor's id is its number; `pointers` are those of the tensors that are not virtual.
class OperationGraph {
 public:
  using Tensor = const Descriptor*;

  Tensor tensor(const Extents& extents, const Extents& strides, cudnnDataType_t type, void* data) {
    return add_tensor(extents, strides, type, data, false);
  }
  Tensor between(const Extents& extents, cudnnDataType_t type) {
    return add_tensor(extents, packed(extents), type, nullptr, false);
  }
  /// One number on the host; it must outlive the graph.
  Tensor number(float* value) { return add_tensor({1, 1, 1, 1}, {1, 1, 1, 1}, CUDNN_DATA_FLOAT, value, true); }

  void matmul(Tensor a, Tensor b, Tensor c) {
    Descriptor& product = add(CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    product.set(CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, &real).finish();
    Descriptor& operation = add(CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_MATMUL_ADESC, *a)
        .set(CUDNN_ATTR_OPERATION_MATMUL_BDESC, *b)
        .set(CUDNN_ATTR_OPERATION_MATMUL_CDESC, *c)
        .set(CUDNN_ATTR_OPERATION_MATMUL_DESC, product);
    finish_operation(operation);
  }
  void reduce(cudnnReduceTensorOp_t how, Tensor x, Tensor y) {
    Descriptor& reduction = add(CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    reduction.set(CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, &how)
        .set(CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, &real)
        .finish();
    Descriptor& operation = add(CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_REDUCTION_XDESC, *x)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_YDESC, *y)
        .set(CUDNN_ATTR_OPERATION_REDUCTION_DESC, reduction);
    finish_operation(operation);
  }
  struct Pointwise {
    cudnnPointwiseMode_t mode;
    cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    std::optional<std::int64_t> axis = {};
  };
  void pointwise(const Pointwise& how, Tensor x, Tensor b, Tensor y, Tensor t = nullptr) {
    Descriptor& function = add(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    function.set(CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, &how.mode)
        .set(CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, &how.compute);
    if (how.axis) function.set(CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, &*how.axis);
    function.finish();
    Descriptor& operation = add(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_XDESC, *x)
        .set(CUDNN_ATTR_OPERATION_POINTWISE_YDESC, *y);
    if (b != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_BDESC, *b);
    if (t != nullptr) operation.set(CUDNN_ATTR_OPERATION_POINTWISE_TDESC, *t);
    finish_operation(operation);
  }

  const Descriptor& finish(cudnnHandle_t handle) {
    Descriptor& graph = add(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph
        .set(CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, operations_.data(),
             static_cast<std::int64_t>(operations_.size()))
        .set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, &handle)
        .finish();
    return graph;
  }
  /// Where the tensors lie, for the execution of a plan.
  const Descriptor& variant_pack(void* workspace) {
    Descriptor& pack = add(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers_.data(),
             static_cast<std::int64_t>(pointers_.size()))
        .set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids_.data(), static_cast<std::int64_t>(ids_.size()))
        .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &workspace)
        .finish();
    return pack;
  }

 private:
  Descriptor& add(cudnnBackendDescriptorType_t type) { return descriptors_.emplace_back(type); }
  void finish_operation(Descriptor& operation) {
    operation.finish();
    operations_.push_back(operation.get());
  }
  Tensor add_tensor(const Extents& extents, const Extents& strides, cudnnDataType_t type, void* data, bool by_value) {
    Descriptor& tensor = add(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    const std::int64_t id = ++last_id_, alignment = 16;
    const bool is_virtual = data == nullptr;
    tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, &type)
        .set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, extents.data(), 4)
        .set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, strides.data(), 4)
        .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, &id)
        .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, &alignment)
        .set(CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, &is_virtual)
        .set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, &by_value)
        .finish();
    if (!is_virtual) {
      ids_.push_back(id);
      pointers_.push_back(data);
    }
    return &tensor;
  }

  static constexpr cudnnDataType_t real = CUDNN_DATA_FLOAT;
  std::list<Descriptor> descriptors_;  // their addresses stay
  std::vector<cudnnBackendDescriptor_t> operations_;
  std::vector<std::int64_t> ids_;
  std::vector<void*> pointers_;
  std::int64_t last_id_ = 0;
};

/// The plan of the first engine that the heuristic names and that accepts the graph.
class Plan {
 public:
  Plan(cudnnHandle_t handle, const Descriptor& graph) : heuristic_(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR) {
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    heuristic_.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, &mode)
        .finish();
    constexpr std::int64_t most = 8;
    std::list<Descriptor> configurations;
    std::array<cudnnBackendDescriptor_t, most> handles{};
    for (cudnnBackendDescriptor_t& slot : handles)
      slot = configurations.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).get();
    std::int64_t found = 0;
    check(cudnnBackendGetAttribute(heuristic_.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, most,
                                   &found, handles.data()),
          "engine heuristic");
    std::string reason = "the heuristic names no engine";
    auto configuration = configurations.begin();
    for (std::int64_t i = 0; i < found; ++i, ++configuration) {
      try {
        plan_.emplace(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        plan_->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, &handle)
            .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, *configuration)
            .finish();
      } catch (const Unsupported& no) {
        reason = no.what();
        plan_.reset();
        continue;
      }
      Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
      cudnnBackendDescriptor_t slot = engine.get();
      std::int64_t count = 0;
      check(cudnnBackendGetAttribute(configuration->get(), CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                     1, &count, &slot),
            "engine of the plan");
      engine_ = engine.value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64);
      return;
    }
    throw Unsupported("cuDNN has no fused attention for this shape on this GPU: " + reason);
  }

  cudnnBackendDescriptor_t get() const { return plan_->get(); }
  std::int64_t engine() const { return engine_; }
  std::int64_t workspace_bytes() const {
    return plan_->value<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64);
  }

 private:
  Descriptor heuristic_;
  std::optional<Descriptor> plan_;
  std::int64_t engine_ = 0;
};

}  // namespace

Measurement measure_attention(Meter& meter, const Shape& shape, std::uint64_t seed) {
  const std::string& dtype = shape.word("dtype");
  const cudnnDataType_t type = dtype == "fp16" ? CUDNN_DATA_HALF : CUDNN_DATA_BFLOAT16;
  const std::int64_t batch = shape.side("batch"), queries = shape.side("q_len"), keys = shape.side("kv_len"),
                     heads = shape.side("heads"), kv_heads = shape.side("kv_heads"), width = shape.side("head_dim");
  const Extents q_extents{batch, heads, queries, width}, v_extents{batch, kv_heads, keys, width},
      score_extents{batch, heads, queries, keys}, row_extents{batch, heads, queries, 1};
  const auto elements = [](const Extents& e) {
    return static_cast<std::size_t>(e[0]) * static_cast<std::size_t>(e[1]) * static_cast<std::size_t>(e[2]) *
           static_cast<std::size_t>(e[3]);
  };
  const Element element = element_of(dtype);
  const Buffer q(elements(q_extents), element, seed, meter.stream()),
      k(elements(v_extents), element, seed + 1, meter.stream()),
      v(elements(v_extents), element, seed + 2, meter.stream()),
      out(elements(q_extents), element, seed + 3, meter.stream());
  float scale = 1 / std::sqrt(static_cast<float>(width)), masked = -std::numeric_limits<float>::infinity();

  const Handle handle;
  check(cudnnSetStream(handle.get(), meter.stream().get()), "cudnnSetStream");
  OperationGraph graph;
  const auto real = [&](const Extents& extents) { return graph.between(extents, CUDNN_DATA_FLOAT); };
  const auto query = graph.tensor(q_extents, packed(q_extents), type, q.get());
  const auto key = graph.tensor({batch, kv_heads, width, keys}, {kv_heads * keys * width, keys * width, 1, width}, type,
                                k.get());  // transposed
  const auto value = graph.tensor(v_extents, packed(v_extents), type, v.get());
  const auto result = graph.tensor(q_extents, packed(q_extents), type, out.get());

  const auto product = real(score_extents);
  graph.matmul(query, key, product);
  auto scores = real(score_extents);
  graph.pointwise({CUDNN_POINTWISE_MUL}, product, graph.number(&scale), scores);
  if (shape.side("causal") == 1 && queries > 1) {
    const auto row = graph.between(score_extents, CUDNN_DATA_INT32),
               column = graph.between(score_extents, CUDNN_DATA_INT32);
    graph.pointwise({CUDNN_POINTWISE_GEN_INDEX, CUDNN_DATA_FLOAT, 2}, scores, nullptr, row);
    graph.pointwise({CUDNN_POINTWISE_GEN_INDEX, CUDNN_DATA_FLOAT, 3}, scores, nullptr, column);
    const auto seen = graph.between(score_extents, CUDNN_DATA_BOOLEAN), causal = real(score_extents);
    graph.pointwise({CUDNN_POINTWISE_CMP_GE, CUDNN_DATA_BOOLEAN}, row, column, seen);
    graph.pointwise({CUDNN_POINTWISE_BINARY_SELECT}, scores, graph.number(&masked), causal, seen);
    scores = causal;
  }
  // The sums are kept as for training: without them cuDNN 9.19 names no engine on Hopper.
  const Buffer row_sums(elements(row_extents) * sizeof(float));
  const auto largest = real(row_extents), shifted = real(score_extents), powers = real(score_extents),
             sum = real(row_extents), logarithm = real(row_extents), shares = graph.between(score_extents, type),
             log_sum = graph.tensor(row_extents, packed(row_extents), CUDNN_DATA_FLOAT, row_sums.get());
  graph.reduce(CUDNN_REDUCE_TENSOR_MAX, scores, largest);
  graph.pointwise({CUDNN_POINTWISE_SUB}, scores, largest, shifted);
  graph.pointwise({CUDNN_POINTWISE_EXP}, shifted, nullptr, powers);
  graph.reduce(CUDNN_REDUCE_TENSOR_ADD, powers, sum);
  graph.pointwise({CUDNN_POINTWISE_LOG}, sum, nullptr, logarithm);
  graph.pointwise({CUDNN_POINTWISE_ADD}, largest, logarithm, log_sum);
  graph.pointwise({CUDNN_POINTWISE_DIV}, powers, sum, shares);
  graph.matmul(shares, value, result);

  const Plan plan(handle.get(), graph.finish(handle.get()));
  const Buffer workspace(static_cast<std::size_t>(plan.workspace_bytes()));
  const Descriptor& pack = graph.variant_pack(workspace.get());
  Measurement measurement = meter.measure(
      [&](cudaStream_t) { check(cudnnBackendExecute(handle.get(), plan.get(), pack.get()), "cudnnBackendExecute"); });
  measurement.kernel = fmt::format("cudnn_flash_attn_engine{}", plan.engine());
  return measurement;
}

}  // namespace tilewright::cuda
