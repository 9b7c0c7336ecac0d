#include "workloads/onnx/operators.hpp"

#include <unordered_map>

#include "workloads/onnx/rules.hpp"

namespace tilewright::importer {
namespace {

constexpr Kind layer = Kind::layer;
constexpr std::uint32_t all = all_operands;

/// An element-wise operator of one operand and so many primitive operations per element (a primitive: one arithmetic
/// operation, comparison or elementary function; docs/model.md).
template <int Ops>
constexpr OperatorRule unary(std::string_view type) {
  return {type, layer, same_shape, elementwise_work<Ops>, 0b1};
}
constexpr OperatorRule binary(std::string_view type) {
  return {type, layer, broadcast_shape, elementwise_work<1>, all};
}
constexpr OperatorRule comparison(std::string_view type) {
  return {type, layer, compare_shape, elementwise_work<1>, all};
}
constexpr OperatorRule variadic(std::string_view type) { return {type, layer, broadcast_shape, variadic_work, all}; }
constexpr OperatorRule reduction(std::string_view type) { return {type, layer, reduce_shape, reduce_work, 0b1}; }

constexpr OperatorRule standard[] = {
    // products
    {"Conv", layer, conv_shape, conv_work, all},
    {"ConvInteger", layer, conv_integer_shape, conv_work, 0b11},
    {"QLinearConv", layer, qlinear_conv_shape, qlinear_conv_work, 0b1'0000'1001},
    {"ConvTranspose", layer, conv_transpose_shape, conv_transpose_work, all},
    {"Gemm", layer, gemm_shape, gemm_work, all},
    {"MatMul", layer, matmul_shape, matmul_work, all},
    {"MatMulInteger", layer, matmul_integer_shape, matmul_work, 0b11},
    {"QLinearMatMul", layer, qlinear_matmul_shape, qlinear_matmul_work, 0b1001},
    {"Einsum", layer, einsum_shape, einsum_work, all},
    {"LSTM", layer, recurrent_shape, lstm_work, 0b1110'1111},
    {"GRU", layer, recurrent_shape, gru_work, 0b10'1111},
    {"RNN", layer, recurrent_shape, rnn_work, 0b10'1111},
    // windows
    {"MaxPool", layer, pool_shape, pool_work, 0b1},
    {"AveragePool", layer, pool_shape, pool_work, 0b1},
    {"LpPool", layer, pool_shape, pool_work, 0b1},
    {"GlobalMaxPool", layer, global_pool_shape, global_pool_work, 0b1},
    {"GlobalAveragePool", layer, global_pool_shape, global_pool_work, 0b1},
    {"GlobalLpPool", layer, global_pool_shape, global_pool_work, 0b1},
    {"Resize", layer, resize_shape, resize_work, 0b1},
    {"Upsample", layer, resize_shape, resize_work, 0b1},
    {"GridSample", layer, grid_sample_shape, grid_sample_work, 0b11},
    // normalisations
    {"BatchNormalization", layer, batch_norm_shape, batch_norm_work, all},
    {"LayerNormalization", layer, layer_norm_shape, layer_norm_work, all},
    {"SimplifiedLayerNormalization", layer, layer_norm_shape, rms_norm_work, all},
    {"InstanceNormalization", layer, same_shape, instance_norm_work, all},
    {"GroupNormalization", layer, same_shape, group_norm_work, all},
    {"LpNormalization", layer, same_shape, axis_norm_work, 0b1},
    {"MeanVarianceNormalization", layer, same_shape, axis_norm_work, 0b1},
    {"LRN", layer, same_shape, lrn_work, 0b1},
    {"Softmax", layer, same_shape, softmax_work, 0b1},
    {"LogSoftmax", layer, same_shape, softmax_work, 0b1},
    {"Hardmax", layer, same_shape, softmax_work, 0b1},
    // one operand, element by element
    unary<1>("Relu"),
    unary<2>("LeakyRelu"),
    unary<2>("ThresholdedRelu"),
    unary<3>("Elu"),
    unary<4>("Selu"),
    unary<4>("Celu"),
    unary<4>("Sigmoid"),
    unary<4>("HardSigmoid"),
    unary<5>("HardSwish"),
    unary<5>("Mish"),
    unary<3>("Softplus"),
    unary<3>("Softsign"),
    unary<5>("Gelu"),
    unary<3>("Shrink"),
    unary<2>("Clip"),
    unary<1>("Tanh"),
    unary<1>("Erf"),
    unary<1>("Exp"),
    unary<1>("Log"),
    unary<1>("Sqrt"),
    unary<1>("Reciprocal"),
    unary<1>("Abs"),
    unary<1>("Neg"),
    unary<1>("Sign"),
    unary<1>("Floor"),
    unary<1>("Ceil"),
    unary<1>("Round"),
    unary<1>("Not"),
    unary<1>("Sin"),
    unary<1>("Cos"),
    unary<1>("Tan"),
    unary<1>("Asin"),
    unary<1>("Acos"),
    unary<1>("Atan"),
    unary<1>("Sinh"),
    unary<1>("Cosh"),
    unary<1>("Asinh"),
    unary<1>("Acosh"),
    unary<1>("Atanh"),
    unary<1>("CumSum"),
    {"IsNaN", layer, unary_boolean_shape, elementwise_work<1>, 0b1},
    {"IsInf", layer, unary_boolean_shape, elementwise_work<1>, 0b1},
    {"Cast", layer, cast_shape, elementwise_work<1>, 0b1},
    {"CastLike", layer, cast_like_shape, elementwise_work<1>, 0b1},
    {"DynamicQuantizeLinear", layer, dynamic_quantize_shape, elementwise_work<4>, 0b1},
    // several operands, element by element
    binary("Add"),
    binary("Sub"),
    binary("Mul"),
    binary("Div"),
    binary("Mod"),
    binary("Pow"),
    binary("BitShift"),
    comparison("Equal"),
    comparison("Less"),
    comparison("Greater"),
    comparison("LessOrEqual"),
    comparison("GreaterOrEqual"),
    comparison("And"),
    comparison("Or"),
    comparison("Xor"),
    variadic("Sum"),
    variadic("Mean"),
    variadic("Max"),
    variadic("Min"),
    {"PRelu", layer, prelu_shape, elementwise_work<2>, all},
    {"Where", layer, where_shape, elementwise_work<1>, all},
    // reductions
    reduction("ReduceSum"),
    reduction("ReduceMean"),
    reduction("ReduceMax"),
    reduction("ReduceMin"),
    reduction("ReduceProd"),
    reduction("ReduceL1"),
    reduction("ReduceL2"),
    reduction("ReduceSumSquare"),
    reduction("ReduceLogSum"),
    reduction("ReduceLogSumExp"),
    {"ArgMax", layer, arg_reduce_shape, reduce_work, 0b1},
    {"ArgMin", layer, arg_reduce_shape, reduce_work, 0b1},
    {"TopK", layer, top_k_shape, top_k_work, 0b1},
    // gathers and scatters
    {"Gather", layer, gather_shape, gather_work, 0b11},
    {"GatherElements", layer, gather_elements_shape, gather_elements_work, 0b11},
    {"GatherND", layer, gather_nd_shape, gather_nd_work, 0b11},
    {"ScatterElements", layer, scatter_elements_shape, scatter_elements_work, 0b111},
    {"Scatter", layer, scatter_elements_shape, scatter_elements_work, 0b111},
    {"ScatterND", layer, scatter_nd_shape, scatter_nd_work, 0b111},
    // movement
    {"Transpose", layer, transpose_shape, movement_work, 0b1},
    {"Concat", layer, concat_shape, movement_work, all},
    {"Split", layer, split_shape, movement_work, 0b1},
    {"Slice", layer, slice_shape, movement_work, 0b1},
    {"Pad", layer, pad_shape, movement_work, 0b1},
    {"Expand", layer, expand_shape, movement_work, 0b1},
    {"Tile", layer, tile_shape, movement_work, 0b1},
    {"Trilu", layer, same_shape, movement_work, 0b1},
    {"ReverseSequence", layer, same_shape, movement_work, 0b1},
    {"DepthToSpace", layer, depth_to_space_shape, movement_work, 0b1},
    {"SpaceToDepth", layer, space_to_depth_shape, movement_work, 0b1},
    {"OneHot", layer, one_hot_shape, movement_work, 0b1},
    // views
    {"Reshape", Kind::view, reshape_shape, nullptr, 0b1},
    {"Flatten", Kind::view, flatten_shape, nullptr, 0b1},
    {"Squeeze", Kind::view, squeeze_shape, nullptr, 0b1},
    {"Unsqueeze", Kind::view, unsqueeze_shape, nullptr, 0b1},
    {"Identity", Kind::view, same_shape, nullptr, 0b1},
    {"Dropout", Kind::view, dropout_shape, nullptr, 0b1},
    // formats
    {"QuantizeLinear", Kind::precision, quantize_shape, nullptr, 0b1},
    {"DequantizeLinear", Kind::precision, dequantize_shape, nullptr, 0b1},
    // constants
    {"Constant", Kind::constant, constant_shape, nullptr, 0},
    {"ConstantOfShape", Kind::constant, constant_of_shape_shape, nullptr, 0},
    {"Shape", Kind::constant, shape_shape, nullptr, 0},
    {"Size", Kind::constant, size_shape, nullptr, 0},
    {"Range", Kind::constant, range_shape, nullptr, 0},
    {"EyeLike", Kind::constant, eye_like_shape, nullptr, 0},
    {"NonZero", Kind::constant, non_zero_shape, nullptr, 0},
};

/// Every third operand from the third on: the tensors of QLinearConcat.
constexpr std::uint32_t every_third = 0b100'100'100'100'100'100'100'100'100'100U;

/// Operators that ONNX Runtime's optimiser and quantiser write (domain com.microsoft).
constexpr OperatorRule runtime[] = {
    {"FusedConv", layer, conv_shape, conv_work, all},
    {"FusedGemm", layer, gemm_shape, gemm_work, all},
    {"FusedMatMul", layer, matmul_shape, matmul_work, all},
    {"TransposeMatMul", layer, matmul_shape, matmul_work, all},
    {"SkipLayerNormalization", layer, same_shape, skip_layer_norm_work, all},
    {"SkipSimplifiedLayerNormalization", layer, same_shape, skip_layer_norm_work, all},
    {"SimplifiedLayerNormalization", layer, layer_norm_shape, rms_norm_work, all},
    {"GroupNorm", layer, same_shape, group_norm_work, all},
    unary<5>("Gelu"),
    unary<8>("QuickGelu"),
    {"FastGelu", layer, broadcast_shape, elementwise_work<8>, all},
    {"BiasGelu", layer, broadcast_shape, elementwise_work<6>, all},
    {"QLinearAdd", layer, qlinear_binary_shape, qlinear_binary_work, 0b1001},
    {"QLinearMul", layer, qlinear_binary_shape, qlinear_binary_work, 0b1001},
    {"QLinearConcat", layer, qlinear_concat_shape, movement_work, every_third},
    {"QLinearAveragePool", layer, qlinear_pool_shape, pool_work, 0b1},
    {"QLinearGlobalAveragePool", layer, qlinear_global_pool_shape, qlinear_global_pool_work, 0b1},
    {"QLinearReduceMean", layer, reduce_shape, reduce_work, 0b1},
    {"QLinearSoftmax", layer, same_shape, qlinear_softmax_work, 0b1},
    {"QGemm", layer, qgemm_shape, qgemm_work, 0b100'1001},
    {"MatMulIntegerToFloat", layer, matmul_to_float_shape, matmul_work, 0b100'0011},
    {"DynamicQuantizeMatMul", layer, matmul_shape, matmul_work, 0b1'0011},
    {"MatMulNBits", layer, matmul_nbits_shape, matmul_nbits_work, 0b11},
    {"MultiHeadAttention", layer, multi_head_attention_shape, multi_head_attention_work, 0b111},
    {"GroupQueryAttention", layer, group_query_attention_shape, group_query_attention_work, 0b1'1111},
    {"RotaryEmbedding", layer, same_shape, rotary_work, 0b1},
    {"LayerNormalization", layer, layer_norm_shape, layer_norm_work, all},
    {"Trilu", layer, same_shape, movement_work, 0b1},
    {"Pad", layer, pad_shape, movement_work, 0b1},
    {"Range", Kind::constant, range_shape, nullptr, 0},
    {"QLinearSigmoid", layer, same_shape, elementwise_work<4>, 0b1},
    {"QLinearLeakyRelu", layer, same_shape, elementwise_work<2>, 0b1},
    {"QuantizeLinear", Kind::precision, quantize_shape, nullptr, 0b1},
    {"DequantizeLinear", Kind::precision, dequantize_shape, nullptr, 0b1},
};

using Index = std::unordered_map<std::string_view, const OperatorRule*>;

template <std::size_t N>
Index index_of(const OperatorRule (&rules)[N]) {
  Index index;
  for (const OperatorRule& rule : rules) index.emplace(rule.type, &rule);
  return index;
}

}  // namespace

const OperatorRule* find_operator(std::string_view domain, std::string_view type) {
  static const Index standard_index = index_of(standard);
  static const Index runtime_index = index_of(runtime);
  if (!domain.empty() && domain != "com.microsoft") return nullptr;
  const Index& index = domain.empty() ? standard_index : runtime_index;
  const auto found = index.find(type);
  return found != index.end() ? found->second : nullptr;
}

}  // namespace tilewright::importer
