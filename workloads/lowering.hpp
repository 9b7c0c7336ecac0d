// Lowering: layer -> problems. What a chip sees.
#pragma once

#include <vector>

#include "workloads/graph.hpp"
#include "workloads/problem.hpp"

namespace tilewright {

/// A problem to execute `repeat` times in sequence. A layer is one or more kernels, run in order.
struct Kernel {
  Problem problem;
  std::int64_t repeat = 1;
  /// Runs in the shadow of the previous kernel (fused epilogue on results still on chip): time is the maximum, not the
  /// sum; its main operand is on chip, so its operands are only the extra ones read from memory.
  bool fused = false;
  /// Scores of attention behind a causal mask, as many keys as queries: the queries of one head (rows of M hold those of
  /// all heads of a group). 0: no such mask.
  std::int64_t causal_queries = 0;
};

/// Problems of a layer. Operand names: "weights", "inputs", "outputs" (products of two activations: "inputs_a", "inputs_b";
/// element-wise: "inputs", "inputs_2" ...). Types and densities come from the layer's tensors. Points x repeat of the mac
/// kernels sum to macs(layer). Every kernel has one output, last, and zero or more inputs.
///  Conv, ConvTranspose: N K C, positions Q | P Q | Z P Q and kernel S | R S | T R S for one | two | three axes; K and C
///   are per group, G only when groups > 1. ConvTranspose iterates over input positions. A bias is no operand.
///  MatMul, Einsum: M N K, and B for indices of both factors and the result. Batch axes of one factor alone are further
///   rows of M or N. B2: indices of the result alone; KA, KB: summed indices of one factor alone.
///  Recurrent: one product over all steps for the input (directions side by side in N), then `steps` sequential products
///   for the state (B: directions), then the gates (vector, fused: they read the input's products and write the state).
///  Attention: score product, softmax (vector, fused), context product; B = batch x key/value heads, the heads of a group
///   are further rows of M. Scores are on chip (Operand::on_chip). Causal or not, the full rectangle is lowered
///   (Kernel::causal_queries tells who skips masked tiles); a mask is no operand.
///  Pool: N C, windows as above. RowWise: rows R, columns C, passes T (if > 1) as a loop irrelevant to every operand;
///   scale and bias vectors are "weights", "weights_2" where their size is that of a row or a column; a further full-size
///   activation is "inputs_2" ...
///  Elementwise: E0 E1 ..., neighbouring axes of the same operands merged. Reduce: E kept, R reduced.
///  Resize: E, U copies, T taps. Gather: L lookups of E elements. Movement, Collective, Unmodelled: E; no arithmetic (ops_per_point 0).
///   Resize and Unmodelled with unrelated sizes: one kernel that reads and one that writes.
///  Epilogues: fused vector kernels over the result (E x U points); "inputs" are the extra elements (E), absent if none;
///   the output is on chip and has no axes (one word).
/// InputError with the layer's name as key for sizes that do not fit together or leave 64 bits.
std::vector<Kernel> lower(const WorkloadGraph& graph, const Layer& layer);

}  // namespace tilewright
