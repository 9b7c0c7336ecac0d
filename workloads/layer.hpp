// Layer: what the network says, one operator with its sizes. After lowering nobody asks what layer it was.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "workloads/data_type.hpp"

namespace tilewright {

/// One spatial axis of a window operator (1-D to 3-D convolutions and pooling have one to three).
struct Window {
  std::int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1;
};

/// Convolution; channels are totals, split in `groups`. Padding counts as work (out is given).
struct Conv {
  std::int64_t batch = 1, groups = 1, in_channels = 1, out_channels = 1;
  std::vector<Window> axes;
};
/// Transposed convolution: MACs = input elements x (out_channels / groups) x kernel elements.
struct ConvTranspose {
  std::int64_t batch = 1, groups = 1, in_channels = 1, out_channels = 1;
  std::vector<Window> axes;
};
/// One batch axis of a matrix product; broadcasting leaves it out of one side.
struct BatchAxis {
  std::int64_t bound = 1;
  bool in_a = true, in_b = true;
};
/// C[batch..., m, n] = A[batch..., m, k] B[batch..., k, n].
struct MatMul {
  std::vector<BatchAxis> batch;
  std::int64_t m = 1, n = 1, k = 1;
};
/// A general contraction of two operands: index letters with bounds, letters of a, b and the result.
struct Einsum {
  std::vector<std::pair<std::string, std::int64_t>> bounds;
  std::vector<std::string> a, b, result;
};
enum class Cell { rnn, gru, lstm };
/// Recurrent layer: `steps` time steps in sequence; MACs = steps x batch x directions x gates x hidden x (input + hidden).
struct Recurrent {
  Cell cell = Cell::lstm;
  std::int64_t steps = 1, batch = 1, input = 1, hidden = 1, directions = 1;
};
/// Fused attention: softmax(Q K^T) V with grouped key/value heads; scores stay on chip. Causal or not, the full queries x
/// keys rectangle is counted and lowered; the kernels of a GPU library skip what a causal mask leaves out.
struct Attention {
  std::int64_t batch = 1, heads = 1, kv_heads = 1, queries = 1, keys = 1, head_dim = 1;
  bool causal = false;
};
/// Max or average pooling over windows (global pooling: kernel = in).
struct Pool {
  std::int64_t batch = 1, channels = 1;
  std::vector<Window> axes;
};
/// Softmax, layer/RMS/group/instance/batch normalisation: `rows` independent rows of `columns` elements.
/// passes: how often the row is read (softmax 2, layer norm 2, folded batch norm 1); ops per element.
struct RowWise {
  std::int64_t rows = 1, columns = 1;
  int passes = 1;
  double ops_per_element = 1;
};
/// Element by element over the broadcast result; operand_broadcast[i][axis] says that operand i has that axis.
struct Elementwise {
  std::vector<std::int64_t> shape;
  std::vector<std::vector<bool>> operand_axes;
  double ops_per_element = 1;
};
/// Reduction of `reduced` elements into each of `kept` results.
struct Reduce {
  std::int64_t kept = 1, reduced = 1;
  double ops_per_element = 1;
};
/// Resize: each result interpolates `taps` inputs.
struct Resize {
  std::int64_t in_elements = 1, out_elements = 1, taps = 1;
};
/// Embedding or general gather: `lookups` slices of `slice` elements out of a table of `table` slices.
struct Gather {
  std::int64_t lookups = 1, slice = 1, table = 1;
};
/// Data movement without arithmetic (Concat, Split, Slice, Pad, Transpose, Expand ...): reads and writes `elements`.
struct Movement {
  std::int64_t elements = 1;
};
/// What GPUs that share a network exchange: all_reduce adds up `elements` that each of them holds, all_gather joins their parts to `elements`.
struct Collective {
  enum class Kind { all_reduce, all_gather };
  Kind kind = Kind::all_reduce;
  std::int64_t elements = 1;
};
/// An operator without a model: only its traffic is counted (--allow-unmodelled).
struct Unmodelled {
  std::int64_t elements_in = 1, elements_out = 1;
};

using Operator = std::variant<Conv, ConvTranspose, MatMul, Einsum, Recurrent, Attention, Pool, RowWise, Elementwise,
                              Reduce, Resize, Gather, Movement, Collective, Unmodelled>;

/// An operator fused behind another one: it works on the result before it leaves the chip.
struct Epilogue {
  std::string op;                   // e.g. "Relu", "Add"
  double ops_per_element = 1;       // per element of the layer's result
  std::int64_t extra_elements = 0;  // elements of further operands read once (residual, bias, scale)
};

/// Index of a tensor in WorkloadGraph::tensors.
using TensorId = int;

struct Layer {
  std::string name;  // as in the file, unique within the graph
  std::string op;    // ONNX operator type, e.g. "Conv", "Gemm", "MatMul"; fused: "Conv+Relu"
  Operator work;
  std::vector<TensorId> inputs, outputs;  // data operands (weights included), in operand order
  std::vector<Epilogue> epilogues;
  /// axes[i]: the axis of the first operand that is axis i of the result, -1 for none; empty: not told. Costs nothing, but
  /// says where a batch goes when axes are exchanged or summed away.
  std::vector<int> axes = {};
};

/// Multiply-accumulates by the conventions of docs/model.md (Conv, ConvTranspose, MatMul, Einsum, Recurrent, Attention; else 0).
std::int64_t macs(const Layer& layer);

}  // namespace tilewright
