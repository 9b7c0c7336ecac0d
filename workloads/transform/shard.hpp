// Tensor parallelism: the part of a graph that one of several GPUs runs.
#pragma once

#include "workloads/graph.hpp"

namespace tilewright {

/// The part of one of `gpus` GPUs (Shoeybi et al., Megatron-LM, 2019), by rule on the graph instead of by the names of its layers:
/// - A product with weights whose other operand every GPU has is split by columns. The split is followed through views, transpositions, joins,
///   element-wise operators, attention and norms (by heads) up to a product that sums over it: that one is split by rows, and an all-reduce
///   adds up its result (a layer of its own).
/// - Where the split cannot go on (a norm over it, an operand that is not split), the products that it comes from stay whole on every GPU,
///   as everything else. A result of the network is gathered; key/value caches stay with the GPU that uses them.
/// - The rows of the largest table of words are shared as well, its look-ups added up; vocabularies are padded to a multiple.
/// Columns of fused projections (query, key and value of one product) are taken to be ordered so that each GPU has its part of all of them.
/// Works on graphs before fusion. InputError naming the layer and what does not divide (a width, its heads), and where nothing can be shared.
WorkloadGraph shard(const WorkloadGraph& graph, std::int64_t gpus);

}  // namespace tilewright
