// Fusion: every rule replaces layers by one that reads the same operands once and writes the last result only. A tensor
// that somebody else reads, or that leaves the graph, is never fused away; so MACs stay and traffic never grows.
#include <algorithm>
#include <optional>
#include <set>

#include "core/checked.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright {
namespace {

constexpr int none = -1;

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// The graph under work. Layers are marked dead and swept at the end, so that indices stay.
class Fuser {
 public:
  explicit Fuser(const WorkloadGraph& graph) : graph_(graph), dead_(graph.layers.size(), false) {
    for (const Layer& layer : graph_.layers) parts_.push_back(own_parts(layer));
    for (const TensorId out : graph_.outputs) leaves_.insert(root(out));
    index();
  }

  WorkloadGraph run(Fusion fusion) {
    for (int i = 0; i < count(); ++i) fuse_norm(i);
    for (int i = 0; i < count(); ++i) merge_elementwise(i);
    if (fusion == Fusion::attention) {
      for (int i = 0; i < count(); ++i) fuse_attention(i);
    }
    for (int i = 0; i < count(); ++i) {
      while (fuse_epilogue(i)) {}
    }
    return sweep();
  }

 private:
  int count() const { return static_cast<int>(graph_.layers.size()); }
  Layer& layer(int i) { return graph_.layers[at(i)]; }
  const Tensor& tensor(TensorId id) const { return graph_.tensors[at(id)]; }

  TensorId root(TensorId id) const {
    while (tensor(id).alias_of >= 0) id = tensor(id).alias_of;
    return id;
  }
  bool is_weight(TensorId id) const { return tensor(root(id)).kind == TensorKind::weight; }
  std::int64_t elements(TensorId id) const { return tensor(id).elements(); }

  static std::vector<Epilogue> own_parts(const Layer& layer) {
    const auto* work = std::get_if<Elementwise>(&layer.work);
    if (work == nullptr) return {};
    return {Epilogue{layer.op, work->ops_per_element, 0}};
  }

  void index() {
    producer_.assign(graph_.tensors.size(), none);
    readers_.assign(graph_.tensors.size(), {});
    for (int i = 0; i < count(); ++i) {
      if (!dead_[at(i)]) link(i);
    }
  }
  void link(int i) {
    for (const TensorId in : layer(i).inputs) readers_[at(root(in))].insert(i);
    for (const TensorId out : layer(i).outputs) producer_[at(root(out))] = i;
  }
  void unlink(int i) {
    for (const TensorId in : layer(i).inputs) readers_[at(root(in))].erase(i);
    for (const TensorId out : layer(i).outputs) producer_[at(root(out))] = none;
  }
  void kill(int i) {
    unlink(i);
    dead_[at(i)] = true;
  }

  int producer(TensorId id) const { return producer_[at(root(id))]; }
  /// The layer that alone reads the tensor, if it stays inside the graph.
  int only_reader(TensorId id) const {
    const TensorId base = root(id);
    return leaves_.contains(base) || readers_[at(base)].size() != 1 ? none : *readers_[at(base)].begin();
  }
  /// The only reader of the single result of layer i.
  int successor(int i) { return layer(i).outputs.size() == 1 ? only_reader(layer(i).outputs[0]) : none; }
  bool is(int i, std::string_view op) { return i != none && layer(i).op == op && layer(i).epilogues.empty(); }
  bool private_to(TensorId id, const std::set<int>& readers) const {
    return !leaves_.contains(root(id)) && readers_[at(root(id))] == readers;
  }

  // Layer norm and root-mean-square norm written as primitives, found from their square root.

  struct Norm {
    TensorId x = none;
    std::vector<int> members;
    std::vector<TensorId> parameters;
    std::int64_t rows = 1, columns = 1;
    bool centred = false;
  };

  /// sqrt <- Add(epsilon) <- ReduceMean <- square of `d`; fills rows and columns. Returns d.
  std::optional<TensorId> variance(int sqrt, Norm& norm) {
    const int add = producer(layer(sqrt).inputs.at(0));
    if (!is(add, "Add") || successor(add) != sqrt || layer(add).inputs.size() != 2) return std::nullopt;
    const TensorId left = layer(add).inputs[0], right = layer(add).inputs[1];
    const TensorId sum = is_weight(left) ? right : left, epsilon = is_weight(left) ? left : right;
    if (!is_weight(epsilon) || elements(epsilon) != 1) return std::nullopt;
    const int mean = producer(sum);
    if (!is(mean, "ReduceMean") || successor(mean) != add) return std::nullopt;
    const auto* reduce = std::get_if<Reduce>(&layer(mean).work);
    const int square = producer(layer(mean).inputs.at(0));
    if (reduce == nullptr || square == none || successor(square) != mean) return std::nullopt;
    const std::vector<TensorId>& in = layer(square).inputs;
    const bool power = is(square, "Pow") && in.size() == 2 && is_weight(in[1]) && elements(in[1]) == 1;
    const bool times = is(square, "Mul") && in.size() == 2 && root(in[0]) == root(in[1]);
    if (!power && !times && !(is(square, "Pow") && in.size() == 1)) return std::nullopt;
    norm.rows = reduce->kept;
    norm.columns = reduce->reduced;
    norm.members = {square, mean, add, sqrt};
    return in[0];
  }

  void fuse_norm(int sqrt) {
    if (dead_[at(sqrt)] || !is(sqrt, "Sqrt")) return;
    Norm norm;
    const std::optional<TensorId> found = variance(sqrt, norm);
    if (!found || elements(*found) != checked_mul(norm.rows, norm.columns)) return;
    const TensorId d = *found;
    int last = successor(sqrt);
    if (is(last, "Reciprocal")) {
      norm.members.push_back(last);
      last = successor(last);
      if (!is(last, "Mul")) return;
    } else if (!is(last, "Div") || root(layer(last).inputs.at(0)) != root(d)) {
      return;
    }
    const std::vector<TensorId>& ratio = layer(last).inputs;
    if (ratio.size() != 2 || (root(ratio[0]) != root(d) && root(ratio[1]) != root(d))) return;
    norm.x = d;
    centre(d, norm.members.front(), last, norm);
    norm.members.push_back(last);
    last = parameter(norm, last, "Mul");
    if (norm.centred) last = parameter(norm, last, "Add");
    replace(norm, last);
  }

  /// Layer norm: d = x - mean(x), read by the square and the quotient alone.
  void centre(TensorId d, int square, int quotient, Norm& norm) {
    const int sub = producer(d);
    if (!is(sub, "Sub") || !private_to(d, {square, quotient})) return;
    const TensorId x = layer(sub).inputs.at(0);
    const int mean = producer(layer(sub).inputs.at(1));
    if (!is(mean, "ReduceMean") || successor(mean) != sub || root(layer(mean).inputs.at(0)) != root(x)) return;
    const auto* reduce = std::get_if<Reduce>(&layer(mean).work);
    if (reduce == nullptr || reduce->kept != norm.rows || reduce->reduced != norm.columns) return;
    norm.centred = true;
    norm.x = x;
    norm.members.push_back(mean);
    norm.members.push_back(sub);
  }

  /// Takes a following product with (sum with) a weight of one row into the norm.
  int parameter(Norm& norm, int last, std::string_view op) {
    int next = successor(last);
    const int cast = is(next, "Cast") ? next : none;
    if (cast != none) next = successor(cast);
    if (!is(next, op) || layer(next).inputs.size() != 2 || layer(next).outputs.size() != 1) return last;
    const std::vector<TensorId>& in = layer(next).inputs;
    const TensorId weight = is_weight(in[0]) ? in[0] : in[1];
    if (!is_weight(weight) || elements(weight) != norm.columns) return last;
    if (elements(layer(next).outputs[0]) != checked_mul(norm.rows, norm.columns)) return last;
    if (cast != none) norm.members.push_back(cast);
    norm.members.push_back(next);
    norm.parameters.push_back(weight);
    return next;
  }

  void replace(const Norm& norm, int last) {
    for (const int member : norm.members) {
      if (member != last) kill(member);
    }
    unlink(last);
    Layer& kept = layer(last);
    kept.op = norm.centred ? "LayerNormalization" : "RMSNormalization";
    kept.work = RowWise{norm.rows, norm.columns, 2, norm.centred ? 7.0 : 4.0};
    kept.inputs = {norm.x};
    kept.inputs.insert(kept.inputs.end(), norm.parameters.begin(), norm.parameters.end());
    parts_[at(last)].clear();
    link(last);
  }

  // Chains of element-wise operators of equal shape.

  /// Moves layer i into its only reader. Also closes diamonds (x times sigmoid of x): both paths then read x.
  void merge_elementwise(int i) {
    if (dead_[at(i)]) return;
    const auto* first = std::get_if<Elementwise>(&layer(i).work);
    const int next = first == nullptr ? none : successor(i);
    if (next == none || !layer(i).epilogues.empty() || !layer(next).epilogues.empty()) return;
    auto* second = std::get_if<Elementwise>(&layer(next).work);
    if (second == nullptr || second->shape != first->shape || layer(next).outputs.size() != 1) return;
    if (first->operand_axes.size() != layer(i).inputs.size()) return;
    if (second->operand_axes.size() != layer(next).inputs.size()) return;
    const TensorId between = root(layer(i).outputs[0]);
    if (elements(layer(i).outputs[0]) != elements(layer(next).outputs[0])) return;
    unlink(next);
    std::vector<TensorId> inputs;
    std::vector<std::vector<bool>> axes;
    const auto take = [&](TensorId id, const std::vector<bool>& has) {
      const auto same = std::find_if(inputs.begin(), inputs.end(), [&](TensorId t) { return root(t) == root(id); });
      if (same != inputs.end()) return;
      inputs.push_back(id);
      axes.push_back(has);
    };
    for (std::size_t k = 0; k < layer(i).inputs.size(); ++k) take(layer(i).inputs[k], first->operand_axes[k]);
    for (std::size_t k = 0; k < layer(next).inputs.size(); ++k) {
      if (root(layer(next).inputs[k]) != between) take(layer(next).inputs[k], second->operand_axes[k]);
    }
    second->ops_per_element += first->ops_per_element;
    second->operand_axes = std::move(axes);
    std::vector<Epilogue> joined = parts_[at(i)];
    joined.insert(joined.end(), parts_[at(next)].begin(), parts_[at(next)].end());
    kill(i);
    layer(next).inputs = std::move(inputs);
    layer(next).op = named(joined);
    parts_[at(next)] = std::move(joined);
    link(next);
  }

  /// "A+B+C"; the spellings of SiLU and of the erf form of GELU become one part.
  static std::string named(std::vector<Epilogue>& parts) {
    static const std::vector<std::pair<std::vector<std::string>, std::string>> spellings{
        {{"Div", "Erf", "Add", "Mul", "Mul"}, "Gelu"},
        {{"Mul", "Erf", "Add", "Mul", "Mul"}, "Gelu"},
        {{"Sigmoid", "Mul"}, "Silu"},
        {{"HardSigmoid", "Mul"}, "HardSwish"}};
    for (const auto& [ops, name] : spellings) {
      const auto same = [](const Epilogue& part, const std::string& op) { return part.op == op; };
      const auto start = std::search(parts.begin(), parts.end(), ops.begin(), ops.end(), same);
      if (start == parts.end()) continue;
      const auto stop = start + static_cast<std::ptrdiff_t>(ops.size());
      double sum = 0;
      for (auto part = start; part != stop; ++part) sum += part->ops_per_element;
      *start = Epilogue{name, sum, 0};
      parts.erase(start + 1, stop);
    }
    std::string text;
    for (const Epilogue& part : parts) text += (text.empty() ? "" : "+") + part.op;
    return text;
  }

  // Epilogues behind products.

  bool fuse_epilogue(int i) {
    if (dead_[at(i)] || layer(i).outputs.size() != 1) return false;
    const Operator& work = layer(i).work;
    if (!std::holds_alternative<Conv>(work) && !std::holds_alternative<ConvTranspose>(work) &&
        !std::holds_alternative<MatMul>(work)) {
      return false;
    }
    const int next = successor(i);
    if (next == none || layer(next).outputs.size() != 1 || !layer(next).epilogues.empty()) return false;
    const TensorId between = root(layer(i).outputs[0]);
    if (elements(layer(next).outputs[0]) != elements(layer(i).outputs[0])) return false;
    std::vector<Epilogue> added;
    if (const auto* norm = std::get_if<RowWise>(&layer(next).work)) {
      if (layer(next).op != "BatchNormalization" || root(layer(next).inputs.at(0)) != between) return false;
      added = {Epilogue{layer(next).op, norm->ops_per_element, 0}};
    } else if (std::holds_alternative<Elementwise>(layer(next).work)) {
      added = parts_[at(next)];
    } else {
      return false;
    }
    take_over(i, next, between, std::move(added));
    return true;
  }

  void take_over(int i, int next, TensorId between, std::vector<Epilogue> added) {
    std::int64_t extra = 0;
    std::vector<TensorId> inputs = layer(i).inputs;
    for (const TensorId id : layer(next).inputs) {
      if (root(id) == between) continue;
      extra = checked_add(extra, elements(id));
      inputs.push_back(id);
    }
    attribute_extra(added, extra);
    unlink(i);
    std::vector<TensorId> outputs = layer(next).outputs;
    kill(next);
    Layer& kept = layer(i);
    kept.inputs = std::move(inputs);
    kept.outputs = std::move(outputs);
    for (Epilogue& part : added) {
      kept.op += "+" + part.op;
      kept.epilogues.push_back(std::move(part));
    }
    link(i);
  }

  /// Operands of a merged chain are read by its first part with two operands, else by the first part.
  static void attribute_extra(std::vector<Epilogue>& parts, std::int64_t extra) {
    static const std::set<std::string> binary{"Add",  "Sub", "Mul", "Div", "Pow", "Where", "BatchNormalization",
                                              "PRelu"};
    const auto reader =
        std::find_if(parts.begin(), parts.end(), [](const Epilogue& p) { return binary.contains(p.op); });
    (reader == parts.end() ? parts.front() : *reader).extra_elements = extra;
  }

  // Softmax(scale Q K^T + mask) V as one layer.

  struct Heads {
    std::int64_t batch = 1, heads = 1, kv_heads = 1;
  };

  /// Both products must run over the same batch axes, all of them in Q, the outermost in K and V too.
  static std::optional<Heads> heads(const MatMul& scores, const MatMul& context) {
    Heads found;
    if (scores.batch.size() != context.batch.size()) return std::nullopt;
    for (std::size_t axis = 0; axis < scores.batch.size(); ++axis) {
      const BatchAxis& s = scores.batch[axis];
      const BatchAxis& c = context.batch[axis];
      if (s.bound != c.bound || s.in_b != c.in_b || !s.in_a || !c.in_a) return std::nullopt;
      if (axis == 0 && scores.batch.size() > 1) {
        if (!s.in_b && s.bound > 1) return std::nullopt;
        found.batch = s.bound;
        continue;
      }
      found.heads = checked_mul(found.heads, s.bound);
      if (s.in_b) found.kv_heads = checked_mul(found.kv_heads, s.bound);
    }
    return found;
  }

  void fuse_attention(int softmax) {
    if (dead_[at(softmax)] || !is(softmax, "Softmax") || layer(softmax).inputs.size() != 1) return;
    const auto* rows = std::get_if<RowWise>(&layer(softmax).work);
    const int second = successor(softmax);
    if (rows == nullptr || !is(second, "MatMul")) return;
    const TensorId probabilities = layer(softmax).outputs[0];
    std::vector<int> between;
    TensorId scores = layer(softmax).inputs[0];
    int first = producer(scores);
    while (first != none && std::holds_alternative<Elementwise>(layer(first).work)) {
      if (only_reader(scores) != (between.empty() ? softmax : between.back())) return;
      between.push_back(first);
      const std::optional<TensorId> operand = full_operand(first, elements(probabilities));
      if (!operand) return;
      scores = *operand;
      first = producer(scores);
    }
    if (!is(first, "MatMul") || only_reader(scores) != (between.empty() ? softmax : between.back())) return;
    join_attention(first, between, softmax, second, rows->columns);
  }

  /// The only operand of an element-wise layer that is a product's result and as large as the scores.
  std::optional<TensorId> full_operand(int i, std::int64_t size) {
    std::optional<TensorId> found;
    for (const TensorId id : layer(i).inputs) {
      if (is_weight(id) || elements(id) != size || producer(id) == none) continue;
      if (only_reader(id) != i) continue;
      if (found) return std::nullopt;
      found = id;
    }
    return found;
  }

  /// A mask that is known to be causal, or one that the graph is given when it runs, equal for all sequences and heads, with as
  /// many keys as queries: what else such a mask would be for is rare.
  bool masks_later_keys(TensorId id, std::int64_t queries, std::int64_t keys) const {
    const std::vector<std::int64_t>& extents = tensor(id).shape;
    if (queries != keys || queries == 1 || extents.size() < 2) return false;
    if (extents[extents.size() - 2] != queries || extents.back() != keys) return false;
    return tensor(id).causal ||
           (tensor(root(id)).kind == TensorKind::input && elements(id) == checked_mul(queries, keys));
  }

  void join_attention(int first, const std::vector<int>& between, int softmax, int second, std::int64_t columns) {
    const auto* qk = std::get_if<MatMul>(&layer(first).work);
    const auto* pv = std::get_if<MatMul>(&layer(second).work);
    if (qk == nullptr || pv == nullptr || layer(first).inputs.size() != 2 || layer(second).inputs.size() != 2) return;
    const TensorId v = layer(second).inputs[1];
    if (is_weight(layer(first).inputs[1]) || is_weight(v)) return;
    if (root(layer(second).inputs[0]) != root(layer(softmax).outputs[0]) || root(v) == root(layer(softmax).outputs[0]))
      return;
    if (qk->m != pv->m || qk->n != pv->k || qk->k != pv->n || columns != qk->n) return;
    const std::optional<Heads> shape = heads(*qk, *pv);
    if (!shape) return;
    Attention work{shape->batch, shape->heads, shape->kv_heads, qk->m, qk->n, qk->k, false};
    const double scores_per_result = static_cast<double>(qk->n) / static_cast<double>(qk->k);
    std::vector<TensorId> inputs{layer(first).inputs[0], layer(first).inputs[1], v};
    std::vector<Epilogue> epilogues;
    for (auto i = between.rbegin(); i != between.rend(); ++i) {
      Epilogue part{layer(*i).op, std::get<Elementwise>(layer(*i).work).ops_per_element * scores_per_result, 0};
      for (const TensorId id : layer(*i).inputs) {
        const int source = producer(id);
        if (source != none && (source == first || std::find(between.begin(), between.end(), source) != between.end()))
          continue;
        part.extra_elements = checked_add(part.extra_elements, elements(id));
        inputs.push_back(id);
        work.causal = work.causal || masks_later_keys(id, qk->m, qk->n);
      }
      epilogues.push_back(std::move(part));
    }
    kill(first);
    for (const int i : between) kill(i);
    kill(softmax);
    unlink(second);
    Layer& kept = layer(second);
    kept.op = "Attention";
    kept.work = work;
    kept.inputs = std::move(inputs);
    kept.epilogues = std::move(epilogues);
    link(second);
  }

  /// Drops dead layers and the tensors that nobody names any more.
  WorkloadGraph sweep() {
    std::vector<bool> used(graph_.tensors.size(), false);
    const auto use = [&](const std::vector<TensorId>& ids) {
      for (TensorId id : ids) {
        for (; id >= 0 && !used[at(id)]; id = tensor(id).alias_of) used[at(id)] = true;
      }
    };
    use(graph_.inputs);
    use(graph_.outputs);
    std::vector<Layer> kept;
    for (int i = 0; i < count(); ++i) {
      if (dead_[at(i)]) continue;
      use(layer(i).inputs);
      use(layer(i).outputs);
      kept.push_back(std::move(layer(i)));
    }
    graph_.layers = std::move(kept);
    compact(used);
    finish(graph_);
    return std::move(graph_);
  }

  void compact(const std::vector<bool>& used) {
    std::vector<TensorId> renamed(used.size(), none);
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < used.size(); ++i) {
      if (!used[i]) continue;
      renamed[i] = static_cast<TensorId>(tensors.size());
      tensors.push_back(std::move(graph_.tensors[i]));
    }
    const auto rename = [&](std::vector<TensorId>& ids) {
      for (TensorId& id : ids) id = renamed[at(id)];
    };
    for (Tensor& t : tensors) {
      if (t.alias_of >= 0) t.alias_of = renamed[at(t.alias_of)];
    }
    rename(graph_.inputs);
    rename(graph_.tensor_parallel.replicated);
    rename(graph_.outputs);
    for (Layer& l : graph_.layers) {
      rename(l.inputs);
      rename(l.outputs);
    }
    graph_.tensors = std::move(tensors);
  }

  WorkloadGraph graph_;
  std::vector<bool> dead_;
  std::vector<std::vector<Epilogue>> parts_;  // what a (merged) element-wise layer is made of, in order
  std::set<TensorId> leaves_;                 // storage of graph outputs
  std::vector<int> producer_;                 // by root tensor
  std::vector<std::set<int>> readers_;        // by root tensor
};

}  // namespace

WorkloadGraph fuse(const WorkloadGraph& graph, Fusion fusion) {
  return fusion == Fusion::none ? graph : Fuser(graph).run(fusion);
}

}  // namespace tilewright
