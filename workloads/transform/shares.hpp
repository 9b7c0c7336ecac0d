// Which parts of a graph one of several GPUs gets: the decisions behind shard.hpp.
#pragma once

#include <map>
#include <set>

#include "workloads/graph.hpp"

namespace tilewright {

/// The axis of a tensor that lies in parts (-1: it is whole), and how many neighbouring entries of it are shared: all of them, or the heads
/// of [batch x heads].
struct Split {
  int axis = -1;
  std::int64_t span = 1;
  friend bool operator==(const Split&, const Split&) = default;
};

struct Shares {
  std::vector<Layer> layers;        // with the sizes of one GPU
  std::vector<Split> splits;        // per tensor, weights apart
  std::map<TensorId, int> weights;  // that lie in parts, and along which axis
  std::set<int> columns;            // products split by columns
  std::set<int> sums;           // layers whose results are added up: products split by rows, look-ups in a shared table
  std::vector<int> whole;       // products with weights that are not split
  std::set<TensorId> gathered;  // results of the network
};

/// Rules and errors of shard().
Shares find_shares(const WorkloadGraph& graph, std::int64_t gpus);

}  // namespace tilewright
