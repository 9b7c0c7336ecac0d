// Splits are followed through the layers in their order. Where one cannot go on, the products that it comes from are marked to stay whole and
// the walk starts anew; every walk marks at least one product more.
#include "workloads/transform/shares.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"

namespace tilewright {
namespace {

constexpr int whole = -1;
constexpr std::int64_t most_stacked = 3;  // query, key and value of one product

std::size_t at(int i) { return static_cast<std::size_t>(i); }

std::int64_t behind(const std::vector<std::int64_t>& shape, std::size_t axis) {
  std::int64_t elements = 1;
  for (std::size_t i = axis + 1; i < shape.size(); ++i) elements = checked_mul(elements, shape[i]);
  return elements;
}

class Finder {
 public:
  Finder(const WorkloadGraph& graph, std::int64_t gpus) : old_(graph), gpus_(gpus), views_(graph.tensors.size()) {
    for (std::size_t i = 0; i < old_.tensors.size(); ++i) {
      if (const TensorId of = old_.tensors[i].alias_of; of >= 0) views_[at(of)].push_back(static_cast<TensorId>(i));
    }
    for (const Layer& layer : old_.layers) {
      for (const TensorId id : layer.inputs) ++reads_[root(id)];
    }
  }

  Shares run() {
    while (!walk()) {}
    if (!uneven_.empty()) {
      const auto& [product, why] = *uneven_.begin();
      throw InputError({old_.source, 0, 0, old_.layers[at(product)].name},
                       fmt::format("tensor parallel: {} among {} GPUs", why, gpus_));
    }
    if (columns_.empty())
      throw InputError({old_.source, 0, 0, ""},
                       fmt::format("tensor parallel: no product with weights can be shared among {} GPUs", gpus_));
    share_table();
    return found();
  }

 private:
  const Tensor& tensor(TensorId id) const { return old_.tensors[at(id)]; }
  const std::vector<std::int64_t>& shape(TensorId id) const { return tensor(id).shape; }
  int rank(TensorId id) const { return static_cast<int>(shape(id).size()); }
  TensorId root(TensorId id) const {
    while (tensor(id).alias_of >= 0) id = tensor(id).alias_of;
    return id;
  }
  bool is_weight(TensorId id) const { return tensor(root(id)).kind == TensorKind::weight; }
  bool is_split(TensorId id) const { return split_[at(id)].axis != whole; }
  std::int64_t part(std::int64_t extent) const { return ceil_div(extent, gpus_); }

  // ---- the walk --------------------------------------------------------------------------------------------------------

  /// False where a split could not go on; the products that it came from are then in `refused_`.
  bool walk() {
    layers_ = old_.layers;
    split_.assign(old_.tensors.size(), Split{});
    sources_.assign(old_.tensors.size(), {});
    read_whole_.clear();
    weights_.clear();
    columns_.clear();
    sums_.clear();
    gathered_.clear();
    uneven_.clear();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      if (!visit(static_cast<int>(i))) return false;
    }
    return gather_results();
  }

  bool visit(int i) {
    const Layer& layer = old_.layers[at(i)];
    if (std::none_of(layer.inputs.begin(), layer.inputs.end(), [&](TensorId id) { return is_split(id); })) {
      if (const auto* product = std::get_if<MatMul>(&layer.work);
          product != nullptr && has_weights(layer, *product) && !refused_.contains(i) && product->n >= gpus_)
        return split_columns(i, *product);
      for (const TensorId id : layer.inputs) read_whole_.insert(root(id));
      return true;
    }
    std::set<int> sources;
    for (const TensorId id : layer.inputs) sources.insert(sources_[at(id)].begin(), sources_[at(id)].end());
    const bool followed = std::visit([&](auto& work) { return follow(work, i, sources); }, layers_[at(i)].work);
    return followed || refuse(sources, layer);
  }

  bool refuse(const std::set<int>& sources, const Layer& layer) {
    const std::size_t before = refused_.size();
    refused_.insert(sources.begin(), sources.end());
    if (refused_.size() == before)
      throw InputError({old_.source, 0, 0, layer.name}, "tensor parallel: this layer cannot be shared among GPUs");
    return false;
  }

  /// The product of an activation with one matrix of weights.
  bool has_weights(const Layer& layer, const MatMul& product) const {
    return layer.inputs.size() >= 2 && is_weight(layer.inputs[1]) && !is_weight(layer.inputs[0]) &&
           std::none_of(product.batch.begin(), product.batch.end(), [](const BatchAxis& axis) { return axis.in_b; }) &&
           !shape(layer.outputs[0]).empty() && shape(layer.outputs[0]).back() == product.n;
  }

  bool split_columns(int i, const MatMul& product) {
    const Layer& layer = old_.layers[at(i)];
    std::get<MatMul>(layers_[at(i)].work).n = part(product.n);
    share_weight(layer.inputs[1], product.n, true);
    for (std::size_t k = 2; k < layer.inputs.size(); ++k) {  // a bias
      if (is_weight(layer.inputs[k]) && tensor(layer.inputs[k]).elements() == product.n)
        share_weight(layer.inputs[k], product.n, true);
    }
    columns_.insert(i);
    if (product.n % gpus_ != 0) uneven_.emplace(i, fmt::format("its width of {} does not divide", product.n));
    return put(layer.outputs[0], {rank(layer.outputs[0]) - 1, product.n}, {i}) || refuse({i}, layer);
  }

  /// One use of a weight in parts along the axis of this extent, the last such axis or the first.
  void share_weight(TensorId id, std::int64_t extent, bool last) {
    const std::vector<std::int64_t>& extents = shape(root(id));
    int axis = whole;
    for (int a = 0; a < static_cast<int>(extents.size()); ++a) {
      if (extents[at(a)] == extent && (axis == whole || last)) axis = a;
    }
    weights_[root(id)].push_back(axis);
  }

  /// Gives a tensor and all its views their split. False where a view has no axis for it.
  bool put(TensorId id, Split split, const std::set<int>& sources) {
    split_[at(id)] = split;
    sources_[at(id)] = sources;
    if (split.span % gpus_ != 0) {
      for (const int source : sources)
        uneven_.emplace(source, fmt::format("{} (heads or the like, of {}) do not divide", split.span,
                                            fmt::join(shape(id), " x ")));
    }
    for (const TensorId view : views_[at(id)]) {
      const std::optional<Split> seen = renamed(id, view);
      if (!seen || !put(view, *seen, sources)) return false;
    }
    return true;
  }

  /// What is shared keeps its length in memory under any shape.
  std::optional<Split> renamed(TensorId of, TensorId view) const {
    const Split old = split_[at(of)];
    const std::int64_t length = checked_mul(old.span, behind(shape(of), at(old.axis)));
    const std::vector<std::int64_t>& extents = shape(view);
    for (std::size_t axis = 0; axis < extents.size(); ++axis) {
      const std::int64_t step = behind(extents, axis), all = checked_mul(step, extents[axis]);
      if (step >= length || all < length) continue;
      if (length % step != 0 || all % length != 0) return std::nullopt;
      const std::int64_t span = length / step;
      const bool stacked =
          span <= most_stacked && span % gpus_ != 0 && axis + 1 < extents.size() && old.span == shape(of)[at(old.axis)];
      if (stacked && extents[axis + 1] >= gpus_) return Split{static_cast<int>(axis) + 1, extents[axis + 1]};
      return Split{static_cast<int>(axis), span};
    }
    return std::nullopt;
  }

  /// An operand that a layer needs in parts: it is so already, or the network is given it so (a cache).
  bool require(TensorId id, Split split, const std::set<int>& sources) {
    if (is_split(id)) return split_[at(id)] == split;
    if (split.axis < 0 || split.axis >= rank(id) || tensor(root(id)).kind != TensorKind::input) return false;
    if (read_whole_.contains(root(id)) || tensor(id).alias_of >= 0) return false;
    return put(id, split, sources);
  }

  bool put_results(const Layer& layer, Split split, const std::set<int>& sources) {
    return std::all_of(layer.outputs.begin(), layer.outputs.end(),
                       [&](TensorId id) { return put(id, split, sources); });
  }

  // ---- layers with split operands --------------------------------------------------------------------------------------

  template <class Work>
  bool follow(Work&, int, const std::set<int>&) {
    return false;  // convolutions, recurrent layers, reductions ...: not shared
  }

  bool follow(MatMul& work, int i, const std::set<int>& sources) {
    const Layer& layer = old_.layers[at(i)];
    if (layer.inputs.size() < 2 || is_weight(layer.inputs[0])) return false;
    const TensorId a = layer.inputs[0], b = layer.inputs[1], out = layer.outputs[0];
    const Split sa = split_[at(a)], sb = split_[at(b)];
    if (rank(a) < 2 || rank(b) < 2 || rank(out) < 2) return false;
    if (has_weights(layer, work) && sa.axis == rank(a) - 1) {  // split by rows
      if (sa.span != work.k || shape(a).back() != work.k) return false;
      share_weight(b, work.k, false);
      work.k = part(work.k);
      sums_.insert(i);
      return true;
    }
    const Split lead = sa.axis != whole ? sa : sb;  // of the result, by the operand that has it
    const int axis = lead.axis + rank(out) - rank(sa.axis != whole ? a : b);
    if (axis >= 0 && at(axis) < work.batch.size()) {
      BatchAxis& batch = work.batch[at(axis)];
      if (batch.in_a && !require(a, {axis - rank(out) + rank(a), lead.span}, sources)) return false;
      if (batch.in_b && !is_weight(b) && !require(b, {axis - rank(out) + rank(b), lead.span}, sources)) return false;
      if (batch.in_b && is_weight(b)) return false;
      batch.bound = part(batch.bound);
      return put(out, {axis, lead.span}, sources);
    }
    if (sa.axis == rank(a) - 2 && sb.axis == whole && shape(a)[at(sa.axis)] == work.m) {
      work.m = part(work.m);
      return put(out, {rank(out) - 2, sa.span}, sources);
    }
    return false;
  }

  bool follow(Elementwise& work, int i, const std::set<int>& sources) {
    const Layer& layer = old_.layers[at(i)];
    const int axes = static_cast<int>(work.shape.size());
    if (work.operand_axes.size() != layer.inputs.size() || layer.outputs.size() != 1) return false;
    Split split;
    for (const TensorId id : layer.inputs) {
      if (is_split(id)) split = {split_[at(id)].axis + axes - rank(id), split_[at(id)].span};
    }
    if (split.axis < 0 || split.axis >= axes || rank(layer.outputs[0]) != axes) return false;
    const std::int64_t extent = work.shape[at(split.axis)];
    for (std::size_t k = 0; k < layer.inputs.size(); ++k) {
      const TensorId id = layer.inputs[k];
      if (!is_split(id) && !work.operand_axes[k][at(split.axis)]) continue;
      if (is_weight(id)) {
        share_weight(id, extent, true);
      } else if (!require(id, {split.axis - axes + rank(id), split.span}, sources)) {
        return false;
      }
    }
    work.shape[at(split.axis)] = part(extent);
    return put(layer.outputs[0], split, sources);
  }

  /// Rows are shared, never their columns.
  bool follow(RowWise& work, int i, const std::set<int>& sources) {
    const Layer& layer = old_.layers[at(i)];
    const TensorId x = layer.inputs[0];
    const Split split = split_[at(x)];
    if (split.axis == whole || behind(shape(x), at(split.axis)) % work.columns != 0) return false;
    if (checked_mul(work.rows, work.columns) != tensor(x).elements() || shape(layer.outputs[0]) != shape(x))
      return false;
    for (const TensorId id : layer.inputs) {
      if (tensor(id).elements() == tensor(x).elements() && !require(id, split, sources)) return false;
    }
    work.rows = part(work.rows);
    return put(layer.outputs[0], split, sources);
  }

  /// Transpositions by the axes that the layer keeps; joins, cuts and appended caches leave the axes in their order.
  bool follow(Movement& work, int i, const std::set<int>& sources) {
    const Layer& layer = old_.layers[at(i)];
    const TensorId x = *std::ranges::find_if(layer.inputs, [&](TensorId id) { return is_split(id); });
    const Split split = split_[at(x)];
    if (layer.op == "Transpose" && layer.axes.empty()) return false;
    for (const TensorId id : layer.inputs) {
      if (id == x) continue;
      const bool cut = rank(id) == rank(x) && shape(id)[at(split.axis)] != shape(x)[at(split.axis)];
      if (rank(id) != rank(x) || !require(id, cut ? Split{split.axis, shape(id)[at(split.axis)]} : split, sources))
        return false;
    }
    for (const TensorId out : layer.outputs) {
      std::optional<Split> moved = after_move(layer, x, out);
      if (!moved || !put(out, *moved, sources)) return false;
    }
    work.elements = part(work.elements);
    return true;
  }

  std::optional<Split> after_move(const Layer& layer, TensorId x, TensorId out) const {
    Split split = split_[at(x)];
    const std::int64_t extent = shape(x)[at(split.axis)];
    if (!layer.axes.empty()) {
      const auto place = std::find(layer.axes.begin(), layer.axes.end(), split.axis);
      if (place == layer.axes.end() || layer.axes.size() != shape(out).size()) return std::nullopt;
      split.axis = static_cast<int>(place - layer.axes.begin());
    } else if (rank(out) != rank(x)) {
      return std::nullopt;
    }
    const std::int64_t now = shape(out)[at(split.axis)];
    if (now == extent) return split;
    if (split.span != extent) return std::nullopt;
    return Split{split.axis, now};  // the columns are ordered so that each part is shared
  }

  /// One of stacked tensors.
  bool follow(Gather& work, int i, const std::set<int>& sources) {
    const Layer& layer = old_.layers[at(i)];
    if (!is_split(layer.inputs[0]) || layer.axes.empty() || work.slice % gpus_ != 0) return false;
    for (std::size_t k = 1; k < layer.inputs.size(); ++k) {
      if (is_split(layer.inputs[k])) return false;
    }
    const std::optional<Split> moved = after_move(layer, layer.inputs[0], layer.outputs[0]);
    if (!moved) return false;
    work.slice = part(work.slice);
    return put_results(layer, *moved, sources);
  }

  /// By heads: queries, keys and values are [batch, sequence, heads x width] or [batch, heads, sequence, width].
  bool follow(Attention& work, int i, const std::set<int>& sources) {
    const Layer& layer = old_.layers[at(i)];
    if (layer.inputs.size() < 3) return false;
    for (std::size_t k = 0; k < layer.inputs.size(); ++k) {
      const TensorId id = layer.inputs[k];
      const bool heads_apart = rank(id) == 4 && shape(id)[1] == work.kv_heads;
      if (k >= 3 && !heads_apart) continue;  // masks
      const Split split = heads_apart ? Split{1, work.kv_heads} : Split{rank(id) - 1, shape(id).back()};
      if (!require(id, split, sources)) return false;
    }
    for (const std::int64_t heads : {work.heads, work.kv_heads}) {
      if (heads % gpus_ == 0) continue;
      for (const int source : sources) uneven_.emplace(source, fmt::format("{} heads do not divide", heads));
    }
    work.heads = part(work.heads);
    work.kv_heads = part(work.kv_heads);
    for (std::size_t k = 0; k < layer.outputs.size(); ++k) {
      const TensorId out = layer.outputs[k];
      const Split split = k > 0 && rank(out) == 4 ? Split{1, shape(out)[1]} : Split{rank(out) - 1, shape(out).back()};
      if (!put(out, split, sources)) return false;
    }
    return true;
  }

  /// Results split along their last axis are gathered and may be padded; others (caches) stay in parts.
  bool gather_results() {
    for (const TensorId out : old_.outputs) {
      const TensorId base = root(out);
      const Split split = split_[at(base)];
      if (split.axis == whole || split.axis != rank(base) - 1) continue;
      if (reads_.contains(base)) {
        refused_.insert(sources_[at(base)].begin(), sources_[at(base)].end());
        return false;
      }
      gathered_.insert(base);
      for (const int source : sources_[at(base)]) uneven_.erase(source);
    }
    return true;
  }

  /// The largest table of which every other use is in parts along the same axis.
  void share_table() {
    std::optional<int> largest;
    for (int i = 0; i < static_cast<int>(old_.layers.size()); ++i) {
      const Layer& layer = old_.layers[at(i)];
      const auto* lookup = std::get_if<Gather>(&layer.work);
      if (lookup == nullptr || !is_weight(layer.inputs[0]) || lookup->table < gpus_) continue;
      if (!largest || lookup->table > std::get<Gather>(old_.layers[at(*largest)].work).table) largest = i;
    }
    if (!largest) return;
    const TensorId table = old_.layers[at(*largest)].inputs[0];
    auto& work = std::get<Gather>(layers_[at(*largest)].work);
    const auto uses = weights_.find(root(table));
    const std::int64_t others = uses == weights_.end() ? 0 : static_cast<std::int64_t>(uses->second.size());
    if (others + 1 != reads_.at(root(table))) return;
    share_weight(table, work.table, false);
    work.table = part(work.table);
    sums_.insert(*largest);
  }

  Shares found() {
    Shares shares{std::move(layers_), std::move(split_), {}, columns_, sums_, {}, gathered_};
    // A weight lies in parts where every layer that reads it needs no more; else each GPU holds all of it.
    for (const auto& [weight, axes] : weights_) {
      const bool every_use = static_cast<std::int64_t>(axes.size()) == reads_.at(weight);
      const bool alike = std::ranges::all_of(axes, [&](int axis) { return axis == axes.front(); });
      if (every_use && alike && axes.front() != whole) shares.weights.emplace(weight, axes.front());
    }
    for (int i = 0; i < static_cast<int>(old_.layers.size()); ++i) {
      const auto* product = std::get_if<MatMul>(&old_.layers[at(i)].work);
      if (product != nullptr && has_weights(old_.layers[at(i)], *product) && !columns_.contains(i) &&
          !sums_.contains(i))
        shares.whole.push_back(i);
    }
    return shares;
  }

  const WorkloadGraph& old_;
  std::int64_t gpus_;
  std::vector<std::vector<TensorId>> views_;
  std::map<TensorId, std::int64_t> reads_;        // by root: operands of layers
  std::vector<Layer> layers_;                     // with the sizes of one GPU
  std::vector<Split> split_;                      // per tensor, weights apart
  std::vector<std::set<int>> sources_;            // per tensor: products whose columns it holds
  std::set<TensorId> read_whole_;                 // by root
  std::map<TensorId, std::vector<int>> weights_;  // by root: the axis that each use needs in parts
  std::set<int> columns_, sums_;                  // products by columns; layers whose results are added up
  std::set<TensorId> gathered_;
  std::set<int> refused_;              // products that stay whole
  std::map<int, std::string> uneven_;  // products, and what of them does not divide
};

}  // namespace

Shares find_shares(const WorkloadGraph& graph, std::int64_t gpus) { return Finder(graph, gpus).run(); }

}  // namespace tilewright
