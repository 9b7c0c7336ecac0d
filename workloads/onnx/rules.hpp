// Shape rules and builders by family of operators; operators.cpp joins them in one table.
#pragma once

#include "workloads/layer.hpp"
#include "workloads/onnx/node.hpp"
#include "workloads/onnx/subgraph.hpp"

namespace tilewright::importer {

// Shape rules: fill node.out with shapes and element types from the operands. InputError when they do not fit.
// Builders: the work of the node, after its shapes are known.

// products.cpp
void conv_shape(Node&);
void conv_integer_shape(Node&);
void qlinear_conv_shape(Node&);
Operator conv_work(const Node&);
Operator qlinear_conv_work(const Node&);
void conv_transpose_shape(Node&);
Operator conv_transpose_work(const Node&);
void gemm_shape(Node&);
Operator gemm_work(const Node&);
void matmul_shape(Node&);
void matmul_integer_shape(Node&);
void qlinear_matmul_shape(Node&);
Operator matmul_work(const Node&);
Operator qlinear_matmul_work(const Node&);
void einsum_shape(Node&);
Operator einsum_work(const Node&);
void recurrent_shape(Node&);
Operator lstm_work(const Node&);
Operator gru_work(const Node&);
Operator rnn_work(const Node&);

// windows.cpp
void pool_shape(Node&);
Operator pool_work(const Node&);
void global_pool_shape(Node&);
Operator global_pool_work(const Node&);
void resize_shape(Node&);
Operator resize_work(const Node&);
void grid_sample_shape(Node&);
Operator grid_sample_work(const Node&);

// vectors.cpp: element-wise operators, normalisations, reductions
void same_shape(Node&);
void broadcast_shape(Node&);
void compare_shape(Node&);
void where_shape(Node&);
void unary_boolean_shape(Node&);
void cast_shape(Node&);
void cast_like_shape(Node&);
void prelu_shape(Node&);
void quantize_shape(Node&);
void dequantize_shape(Node&);
void dynamic_quantize_shape(Node&);
void qlinear_binary_shape(Node&);
void batch_norm_shape(Node&);
void layer_norm_shape(Node&);
void reduce_shape(Node&);
void arg_reduce_shape(Node&);
void top_k_shape(Node&);
template <int Ops>
Operator elementwise_work(const Node&);
Operator qlinear_binary_work(const Node&);
Operator variadic_work(const Node&);
Operator lrn_work(const Node&);
Operator softmax_work(const Node&);
Operator batch_norm_work(const Node&);
Operator layer_norm_work(const Node&);
Operator rms_norm_work(const Node&);
Operator skip_layer_norm_work(const Node&);
Operator instance_norm_work(const Node&);
Operator group_norm_work(const Node&);
Operator axis_norm_work(const Node&);
Operator reduce_work(const Node&);
Operator top_k_work(const Node&);
Elementwise elementwise(const Node& node, double ops);

template <int Ops>
Operator elementwise_work(const Node& node) {
  return elementwise(node, Ops);
}

// movement.cpp: views, data movement, gathers, generators of constants
void reshape_shape(Node&);
void flatten_shape(Node&);
void squeeze_shape(Node&);
void unsqueeze_shape(Node&);
void dropout_shape(Node&);
void transpose_shape(Node&);
void concat_shape(Node&);
void split_shape(Node&);
void slice_shape(Node&);
void pad_shape(Node&);
void expand_shape(Node&);
void tile_shape(Node&);
void depth_to_space_shape(Node&);
void space_to_depth_shape(Node&);
void one_hot_shape(Node&);
void gather_shape(Node&);
void gather_elements_shape(Node&);
void gather_nd_shape(Node&);
void scatter_elements_shape(Node&);
void scatter_nd_shape(Node&);
void shape_shape(Node&);
void size_shape(Node&);
void constant_shape(Node&);
void constant_of_shape_shape(Node&);
void range_shape(Node&);
void eye_like_shape(Node&);
void non_zero_shape(Node&);
Operator movement_work(const Node&);
Operator gather_work(const Node&);
Operator gather_elements_work(const Node&);
Operator gather_nd_work(const Node&);
Operator scatter_elements_work(const Node&);
Operator scatter_nd_work(const Node&);

// runtime.cpp: ONNX Runtime's own operators
void multi_head_attention_shape(Node&);
Operator multi_head_attention_work(const Node&);
void group_query_attention_shape(Node&);
Operator group_query_attention_work(const Node&);
Operator rotary_work(const Node&);
void matmul_nbits_shape(Node&);
Operator matmul_nbits_work(const Node&);
void matmul_to_float_shape(Node&);
void qgemm_shape(Node&);
Operator qgemm_work(const Node&);
void qlinear_global_pool_shape(Node&);
Operator qlinear_global_pool_work(const Node&);
void qlinear_pool_shape(Node&);
void qlinear_concat_shape(Node&);
Operator qlinear_softmax_work(const Node&);
/// Operators that are several layers, written as functions; a call with more operands (a cache) is not one of them.
Functions runtime_functions();

/// One axis of a Slice: first index, step and number of elements taken.
struct SliceAxis {
  std::int64_t start = 0, step = 1, count = 0;
};
std::vector<SliceAxis> slice_axes(const Node& node);
/// Axes that a reduction removes or keeps as 1 (attribute or operand, all when there is none).
std::vector<bool> reduced_axes(const Node& node);

/// Layer::axes of a Transpose, a reduction or a Gather; empty for others.
std::vector<int> kept_axes(const Node& node);

// masks.cpp
/// Does this result of the node mask later keys: by its numbers, as a triangle (Trilu), or as its operands that only moved or were
/// combined element by element? `work`: of the node, null for a view.
bool is_causal_result(const Node& node, const Value& result, const Operator* work);

// fold.cpp
/// Numbers of the node's results when all operands that decide them are known; nullptr where they are not.
/// Integer overflow in a computed size is an InputError.
std::vector<std::shared_ptr<const Constant>> fold(const Node& node);

}  // namespace tilewright::importer
