#include "workloads/graph.hpp"

#include <algorithm>
#include <bit>
#include <functional>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <boost/graph/adjacency_list.hpp>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

using Dag = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS>;

[[noreturn]] void fail(const WorkloadGraph& graph, std::string_view message) {
  throw InputError(Place{graph.source.empty() ? graph.name : graph.source, 0, 0, ""}, message);
}

std::size_t index(int id) { return static_cast<std::size_t>(id); }

bool valid(const WorkloadGraph& graph, TensorId id) { return id >= 0 && index(id) < graph.tensors.size(); }

/// The tensor that owns the memory: the end of the chain of views.
std::vector<TensorId> storage_of(const WorkloadGraph& graph) {
  std::vector<TensorId> root(graph.tensors.size(), -1);
  std::vector<TensorId> chain;
  for (std::size_t i = 0; i < graph.tensors.size(); ++i) {
    chain.clear();
    TensorId t = static_cast<TensorId>(i);
    while (root[index(t)] < 0 && graph.tensors[index(t)].alias_of >= 0) {
      chain.push_back(t);
      t = graph.tensors[index(t)].alias_of;
      if (!valid(graph, t)) fail(graph, fmt::format("view '{}' names no tensor", shown(graph.tensors[i].name)));
      if (chain.size() > graph.tensors.size()) {
        fail(graph, fmt::format("view '{}' is, in the end, a view of itself", shown(graph.tensors[i].name)));
      }
    }
    const TensorId end = root[index(t)] < 0 ? t : root[index(t)];
    root[index(t)] = end;
    for (const TensorId member : chain) root[index(member)] = end;
  }
  return root;
}

/// Layer that produces each tensor's memory, -1 if none. Throws when there are two.
std::vector<int> producers(const WorkloadGraph& graph) {
  std::vector<int> producer(graph.tensors.size(), -1);
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    for (const TensorId t : graph.layers[l].outputs) {
      if (!valid(graph, t))
        fail(graph, fmt::format("layer '{}' writes an unknown tensor", shown(graph.layers[l].name)));
      const Tensor& tensor = graph.tensors[index(t)];
      if (producer[index(t)] >= 0) {
        fail(graph, fmt::format("tensor '{}' has two producers: '{}' and '{}'", shown(tensor.name),
                                shown(graph.layers[index(producer[index(t)])].name), shown(graph.layers[l].name)));
      }
      if (tensor.kind != TensorKind::activation || tensor.alias_of >= 0) {
        fail(graph, fmt::format("layer '{}' writes '{}', which is {}", shown(graph.layers[l].name), shown(tensor.name),
                                tensor.alias_of >= 0                ? "a view of another tensor"
                                : tensor.kind == TensorKind::weight ? "a weight"
                                                                    : "an input of the graph"));
      }
      producer[index(t)] = static_cast<int>(l);
    }
  }
  return producer;
}

void reject_duplicate_names(const WorkloadGraph& graph) {
  std::unordered_set<std::string_view> seen;
  for (const Layer& layer : graph.layers) {
    if (!seen.insert(layer.name).second) fail(graph, fmt::format("two layers are named '{}'", shown(layer.name)));
  }
  seen.clear();
  for (const Tensor& tensor : graph.tensors) {
    if (!tensor.name.empty() && !seen.insert(tensor.name).second) {
      fail(graph, fmt::format("two tensors are named '{}'", shown(tensor.name)));
    }
  }
}

void reject_dangling(const WorkloadGraph& graph, const std::vector<TensorId>& root, const std::vector<int>& producer) {
  const auto check = [&](TensorId t, const std::string& consumer) {
    if (!valid(graph, t)) fail(graph, fmt::format("{} reads an unknown tensor", consumer));
    const TensorId memory = root[index(t)];
    if (graph.tensors[index(memory)].kind == TensorKind::activation && producer[index(memory)] < 0) {
      fail(graph, fmt::format("{} reads '{}', which nothing produces", consumer, shown(graph.tensors[index(t)].name)));
    }
  };
  for (const Layer& layer : graph.layers) {
    for (const TensorId t : layer.inputs) check(t, fmt::format("layer '{}'", shown(layer.name)));
  }
  for (const TensorId t : graph.outputs) check(t, "the list of graph outputs");
  for (const TensorId t : graph.inputs) {
    if (!valid(graph, t)) fail(graph, "the list of graph inputs names an unknown tensor");
  }
}

/// Pairs (producer, consumer) without repetition, ordered by consumer.
std::vector<std::pair<int, int>> dependencies(const WorkloadGraph& graph, const std::vector<TensorId>& root,
                                              const std::vector<int>& producer) {
  std::vector<std::pair<int, int>> result;
  std::vector<int> from;
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    from.clear();
    for (const TensorId t : graph.layers[l].inputs) {
      const int p = producer[index(root[index(t)])];
      if (p >= 0) from.push_back(p);
    }
    std::sort(from.begin(), from.end());
    from.erase(std::unique(from.begin(), from.end()), from.end());
    for (const int p : from) result.emplace_back(p, static_cast<int>(l));
  }
  return result;
}

/// One cycle among the vertices that could not be ordered: going backwards from any of them must come round.
[[noreturn]] void report_cycle(const WorkloadGraph& graph, const Dag& dag, const std::vector<bool>& ordered) {
  std::size_t at = index(static_cast<int>(std::find(ordered.begin(), ordered.end(), false) - ordered.begin()));
  std::vector<std::size_t> path;
  std::vector<bool> visited(ordered.size(), false);
  while (!visited[at]) {
    visited[at] = true;
    path.push_back(at);
    const auto [begin, end] = boost::in_edges(at, dag);
    const auto back = std::find_if(begin, end, [&](const auto& e) { return !ordered[boost::source(e, dag)]; });
    at = boost::source(*back, dag);
  }
  path.erase(path.begin(), std::find(path.begin(), path.end(), at));
  std::reverse(path.begin(), path.end());
  std::rotate(path.begin(), std::min_element(path.begin(), path.end()), path.end());
  path.push_back(path.front());
  std::vector<std::string> names;
  constexpr std::size_t most_names = 12;  // a longer cycle is cut in the middle of the message
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path.size() > most_names && i == most_names - 1) names.emplace_back("...");
    if (i < most_names - 1 || i + 1 == path.size()) names.push_back("'" + shown(graph.layers[path[i]].name) + "'");
  }
  fail(graph, fmt::format("the graph has a cycle: {}", fmt::join(names, " -> ")));
}

/// Kahn's algorithm (CACM 5(11), 1962); among the ready layers the first in file order goes next.
std::vector<std::size_t> topological_order(const WorkloadGraph& graph, const Dag& dag) {
  const std::size_t count = boost::num_vertices(dag);
  std::vector<std::size_t> waiting(count), order;
  std::vector<bool> ordered(count, false);
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t v = 0; v < count; ++v) {
    waiting[v] = boost::in_degree(v, dag);
    if (waiting[v] == 0) ready.push(v);
  }
  order.reserve(count);
  while (!ready.empty()) {
    const std::size_t v = ready.top();
    ready.pop();
    ordered[v] = true;
    order.push_back(v);
    for (auto [e, end] = boost::out_edges(v, dag); e != end; ++e) {
      if (--waiting[boost::target(*e, dag)] == 0) ready.push(boost::target(*e, dag));
    }
  }
  if (order.size() != count) report_cycle(graph, dag, ordered);
  return order;
}

/// Appends plain values to a byte string: two layers are equal when their strings are.
class Fingerprint {
 public:
  void add(std::int64_t value) {
    for (int shift = 0; shift < 64; shift += 8) {
      text_.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff));
    }
  }
  void add(int value) { add(std::int64_t{value}); }
  void add(bool value) { add(std::int64_t{value}); }
  void add(double value) { add(std::bit_cast<std::int64_t>(value)); }
  void add(const std::string& value) {
    add(static_cast<std::int64_t>(value.size()));
    text_ += value;
  }
  template <typename Item>
  void add(const std::vector<Item>& items) {
    add(static_cast<std::int64_t>(items.size()));
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Item& item = items[i];
      add(item);
    }
  }
  void add(const std::pair<std::string, std::int64_t>& item) { add_all(item.first, item.second); }
  void add(const Window& w) { add_all(w.in, w.out, w.kernel, w.stride, w.dilation); }
  void add(const BatchAxis& b) { add_all(b.bound, b.in_a, b.in_b); }
  void add(const Epilogue& e) { add_all(e.op, e.ops_per_element, e.extra_elements); }
  void add(const Conv& c) { add_all(c.batch, c.groups, c.in_channels, c.out_channels, c.axes); }
  void add(const ConvTranspose& c) { add_all(c.batch, c.groups, c.in_channels, c.out_channels, c.axes); }
  void add(const MatMul& p) { add_all(p.batch, p.m, p.n, p.k); }
  void add(const Einsum& e) { add_all(e.bounds, e.a, e.b, e.result); }
  void add(const Recurrent& r) { add_all(static_cast<int>(r.cell), r.steps, r.batch, r.input, r.hidden, r.directions); }
  void add(const Attention& a) { add_all(a.batch, a.heads, a.kv_heads, a.queries, a.keys, a.head_dim, a.causal); }
  void add(const Pool& p) { add_all(p.batch, p.channels, p.axes); }
  void add(const RowWise& r) { add_all(r.rows, r.columns, r.passes, r.ops_per_element); }
  void add(const Elementwise& e) { add_all(e.shape, e.operand_axes, e.ops_per_element); }
  void add(const Reduce& r) { add_all(r.kept, r.reduced, r.ops_per_element); }
  void add(const Resize& r) { add_all(r.in_elements, r.out_elements, r.taps); }
  void add(const Gather& g) { add_all(g.lookups, g.slice, g.table); }
  void add(const Movement& m) { add(m.elements); }
  void add(const Collective& c) { add_all(static_cast<int>(c.kind), c.elements); }
  void add(const Unmodelled& u) { add_all(u.elements_in, u.elements_out); }
  void add(const Operator& work) {
    add(static_cast<std::int64_t>(work.index()));
    std::visit([this](const auto& w) { add(w); }, work);
  }
  std::string text() && { return std::move(text_); }

 private:
  template <typename... Values>
  void add_all(const Values&... values) {
    (add(values), ...);
  }
  void add(const std::vector<bool>& flags) {
    add(static_cast<std::int64_t>(flags.size()));
    for (const bool flag : flags) add(flag);
  }

  std::string text_;
};

/// Everything that `lower` looks at, and the operator's name; not the names of layer and tensors.
std::string fingerprint(const WorkloadGraph& graph, const std::vector<TensorId>& root, const Layer& layer) {
  Fingerprint result;
  result.add(layer.op);
  result.add(layer.work);
  result.add(layer.epilogues);
  for (const auto* list : {&layer.inputs, &layer.outputs}) {
    result.add(static_cast<std::int64_t>(list->size()));
    for (const TensorId t : *list) {
      const Tensor& tensor = graph.tensors[index(t)];
      result.add(tensor.elements());
      result.add(static_cast<int>(tensor.type));
      result.add(tensor.density);
      result.add(tensor.block);
      result.add(graph.tensors[index(root[index(t)])].kind == TensorKind::weight);
    }
  }
  return std::move(result).text();
}

}  // namespace

std::int64_t Tensor::elements() const {
  std::int64_t result = 1;
  for (const std::int64_t extent : shape) {
    if (extent < 0) throw InputError(Place{"", 0, 0, name}, fmt::format("an extent of {} is negative", extent));
    result = checked_mul(result, extent);
  }
  return result;
}

void finish(WorkloadGraph& graph) {
  reject_duplicate_names(graph);
  const std::vector<TensorId> root = storage_of(graph);
  const std::vector<int> producer = producers(graph);
  reject_dangling(graph, root, producer);
  const auto pairs = dependencies(graph, root, producer);
  const Dag dag(pairs.begin(), pairs.end(), graph.layers.size());
  std::vector<Layer> sorted;
  sorted.reserve(graph.layers.size());
  for (const std::size_t l : topological_order(graph, dag)) sorted.push_back(std::move(graph.layers[l]));
  graph.layers = std::move(sorted);
}

std::vector<std::pair<int, int>> edges(const WorkloadGraph& graph) {
  auto result = dependencies(graph, storage_of(graph), producers(graph));
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<LayerGroup> merge_repeats(const WorkloadGraph& graph) {
  const std::vector<TensorId> root = storage_of(graph);
  std::unordered_map<std::string, std::size_t> known;
  std::vector<LayerGroup> groups;
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    const int layer = static_cast<int>(l);
    const auto [found, fresh] = known.try_emplace(fingerprint(graph, root, graph.layers[l]), groups.size());
    if (fresh) {
      groups.push_back({layer, 1, {layer}});
    } else {
      LayerGroup& group = groups[found->second];
      ++group.repeat;
      group.members.push_back(layer);
    }
  }
  return groups;
}

std::int64_t peak_activation_bytes(const WorkloadGraph& graph) {
  const std::vector<TensorId> root = storage_of(graph);
  const std::size_t steps = std::max<std::size_t>(graph.layers.size(), 1);
  struct Life {
    std::size_t from = 0, to = 0;
    bool exists = false;
  };
  std::vector<Life> lives(graph.tensors.size());
  for (std::size_t t = 0; t < lives.size(); ++t) {
    lives[t].exists = root[t] == static_cast<TensorId>(t) && graph.tensors[t].kind == TensorKind::input;
  }
  for (std::size_t l = 0; l < graph.layers.size(); ++l) {
    for (const TensorId t : graph.layers[l].outputs) lives[index(root[index(t)])] = {l, l, true};
    for (const TensorId t : graph.layers[l].inputs) {
      Life& life = lives[index(root[index(t)])];
      life.to = std::max(life.to, l);
    }
  }
  for (const TensorId t : graph.outputs) lives[index(root[index(t)])].to = steps - 1;

  std::vector<std::int64_t> born(steps, 0), dead(steps + 1, 0);
  for (std::size_t t = 0; t < lives.size(); ++t) {
    if (!lives[t].exists) continue;
    const Tensor& tensor = graph.tensors[t];
    const std::int64_t bytes = ceil_div(checked_mul(tensor.elements(), bits(tensor.type)), 8);
    born[lives[t].from] = checked_add(born[lives[t].from], bytes);
    dead[lives[t].to + 1] = checked_add(dead[lives[t].to + 1], bytes);
  }
  std::int64_t live = 0, peak = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    live = checked_add(live - dead[step], born[step]);
    peak = std::max(peak, live);
  }
  return peak;
}

std::int64_t total_macs(const WorkloadGraph& graph) {
  std::int64_t result = 0;
  for (const Layer& layer : graph.layers) result = checked_add(result, macs(layer));
  return result;
}

}  // namespace tilewright
