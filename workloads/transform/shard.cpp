#include "workloads/transform/shard.hpp"

#include <algorithm>
#include <optional>

#include "core/checked.hpp"
#include "workloads/transform/shares.hpp"

namespace tilewright {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

void share_axis(Tensor& tensor, int axis, std::int64_t gpus) {
  std::int64_t& extent = tensor.shape[at(axis)];
  extent = ceil_div(extent, gpus);
  tensor.parts = gpus;
}

/// A weight and its views: the same axis, or where a view moves it the one of its extent.
void share_weight(WorkloadGraph& graph, TensorId weight, int axis, std::int64_t gpus) {
  const std::int64_t before = graph.tensors[at(weight)].elements(), extent = graph.tensors[at(weight)].shape[at(axis)];
  std::vector<TensorId> all{weight};
  for (std::size_t next = 0; next < all.size(); ++next) {
    Tensor& tensor = graph.tensors[at(all[next])];
    const bool same = at(axis) < tensor.shape.size() && tensor.shape[at(axis)] == extent;
    const auto place = same ? tensor.shape.begin() + axis : std::ranges::find(tensor.shape, extent);
    if (place != tensor.shape.end()) share_axis(tensor, static_cast<int>(place - tensor.shape.begin()), gpus);
    for (std::size_t t = 0; t < graph.tensors.size(); ++t) {
      if (graph.tensors[t].alias_of == all[next]) all.push_back(static_cast<TensorId>(t));
    }
  }
  graph.weight_elements -= before - graph.tensors[at(weight)].elements();
}

TensorId root(const WorkloadGraph& graph, TensorId id) {
  while (graph.tensors[at(id)].alias_of >= 0) id = graph.tensors[at(id)].alias_of;
  return id;
}

/// What follows a layer, if anything: the sum of its results or the joining of their parts.
std::optional<Collective> exchange_behind(const WorkloadGraph& graph, const Shares& shares, int i) {
  const TensorId out = graph.layers[at(i)].outputs.front();
  const std::int64_t elements = graph.tensors[at(out)].elements();
  if (shares.sums.contains(i)) return Collective{Collective::Kind::all_reduce, elements};
  if (shares.gathered.contains(out)) return Collective{Collective::Kind::all_gather, elements};
  return std::nullopt;
}

}  // namespace

WorkloadGraph shard(const WorkloadGraph& graph, std::int64_t gpus) {
  if (gpus < 2) return graph;
  Shares shares = find_shares(graph, gpus);
  WorkloadGraph part = graph;
  for (std::size_t t = 0; t < part.tensors.size(); ++t) {
    const int axis = shares.splits[t].axis;
    if (axis >= 0 && !shares.gathered.contains(root(graph, static_cast<TensorId>(t))))
      share_axis(part.tensors[t], axis, gpus);
  }
  for (const auto& [weight, axis] : shares.weights) share_weight(part, weight, axis, gpus);

  part.layers.clear();
  for (int i = 0; i < static_cast<int>(graph.layers.size()); ++i) {
    const std::optional<Collective> exchange = exchange_behind(graph, shares, i);
    part.layers.push_back(std::move(shares.layers[at(i)]));
    if (!exchange) continue;
    const bool sum = exchange->kind == Collective::Kind::all_reduce;
    const TensorId out = part.layers.back().outputs.front();
    Tensor own = part.tensors[at(out)];  // what this GPU has before
    own.name += sum ? ".partial" : ".part";
    if (!sum) share_axis(own, shares.splits[at(out)].axis, gpus);
    const auto before = static_cast<TensorId>(part.tensors.size());
    part.tensors.push_back(std::move(own));
    part.layers.back().outputs.front() = before;
    part.layers.push_back({part.layers.back().name + (sum ? ".all_reduce" : ".all_gather"),
                           sum ? "AllReduce" : "AllGather",
                           *exchange,
                           {before},
                           {out},
                           {}});
  }

  TensorParallel& parallel = part.tensor_parallel;
  parallel.gpus = gpus;
  for (const int i : shares.columns) {
    const TensorId x = graph.layers[at(i)].inputs[0];
    if (std::ranges::find(parallel.replicated, x) == parallel.replicated.end()) parallel.replicated.push_back(x);
  }
  for (const int i : shares.whole) parallel.whole.push_back(graph.layers[at(i)].name);
  parallel.split = static_cast<std::int64_t>(shares.columns.size());
  for (const int i : shares.sums) parallel.split += std::holds_alternative<MatMul>(graph.layers[at(i)].work) ? 1 : 0;
  finish(part);
  return part;
}

}  // namespace tilewright
