// Operators of ONNX Runtime (domain com.microsoft): quantised pooling and joining, packed weights, fused attention.
// Signatures: onnxruntime, docs/ContribOperators.md.
#include <fmt/format.h>

#include <algorithm>

#include "core/checked.hpp"
#include "workloads/onnx/rules.hpp"

namespace tilewright::importer {
namespace {

std::int64_t count_of(const Node& node, std::string_view name) {
  const std::int64_t n = node.integer(name, 0);
  if (n < 1) node.fail(fmt::format("attribute '{}' = {}; at least 1 is needed", name, n));
  return n;
}

bool channels_last(const Node& node) { return node.integer("channels_last", 0) != 0; }

/// Batch, channels and the spatial sizes of an image in either layout.
Pool whole_image(const Node& node) {
  const Shape& x = node.shape(0);
  if (x.size() < 3) node.fail(fmt::format("needs N, C and spatial axes, got shape {}", text(x)));
  const bool last = channels_last(node);
  Pool pool{x[0], last ? x.back() : x[1], {}};
  for (std::size_t i = last ? 1 : 2; i < x.size() - (last ? 1 : 0); ++i) pool.axes.push_back({x[i], 1, x[i], x[i], 1});
  return pool;
}

/// Sizes of attention, its keys at operand 1 and, where a cache is given, the cached keys in front of them.
struct Heads {
  Attention work;
  std::int64_t value_width = 1;  // of all heads
};

const Shape& sequence(const Node& node, std::size_t i, std::string_view what) {
  const Shape& s = node.shape(i);
  if (s.size() != 3) node.fail(fmt::format("{} of shape {}; batch, sequence and width are needed", what, text(s)));
  return s;
}

std::int64_t split_width(const Node& node, std::int64_t width, std::int64_t heads) {
  if (width % heads != 0) node.fail(fmt::format("a width of {} does not divide into {} heads", width, heads));
  return width / heads;
}

std::int64_t cached_keys(const Node& node, std::size_t past) {
  if (!node.has(past)) return 0;
  const Shape& cache = node.shape(past);
  if (cache.size() != 4) node.fail(fmt::format("a cache of shape {}; four axes are needed", text(cache)));
  return cache[2];
}

/// Keys of the other sequence may come projected already: [batch, heads, keys, width of a head].
Heads multi_head(const Node& node) {
  const Shape& q = sequence(node, 0, "query");
  const Shape& k = node.shape(1);
  const Shape& v = node.shape(2);
  const std::int64_t heads = count_of(node, "num_heads");
  if ((k.size() != 3 && k.size() != 4) || v.size() != k.size() || k[0] != q[0])
    node.fail(fmt::format("key {} and value {} do not fit query {}", text(k), text(v), text(q)));
  const std::int64_t keys = checked_add(k[k.size() - 2], k.size() == 3 ? cached_keys(node, 6) : 0);
  const std::int64_t value_width = k.size() == 3 ? v[2] : checked_mul(heads, v[3]);
  (void)split_width(node, value_width, heads);
  return {{q[0], heads, heads, q[1], keys, split_width(node, q[2], heads), node.integer("unidirectional", 0) != 0},
          value_width};
}

/// Without a key operand the query holds all three. The cache is taken as filled.
Heads grouped(const Node& node) {
  const Shape& q = sequence(node, 0, "query");
  const std::int64_t heads = count_of(node, "num_heads"), kv_heads = count_of(node, "kv_num_heads");
  if (heads % kv_heads != 0) node.fail(fmt::format("{} heads do not divide into {} groups", heads, kv_heads));
  const std::int64_t parts = node.has(1) ? heads : checked_add(heads, checked_mul(2, kv_heads));
  const std::int64_t width = split_width(node, q[2], parts);
  if (node.has(1) && sequence(node, 1, "key") != Shape{q[0], q[1], checked_mul(kv_heads, width)})
    node.fail(
        fmt::format("key {} does not fit query {} with {} of {} heads", text(node.shape(1)), text(q), kv_heads, heads));
  const std::int64_t keys = checked_add(q[1], cached_keys(node, 3));
  return {{q[0], heads, kv_heads, q[1], keys, width, true}, checked_mul(heads, width)};
}

void attention_results(Node& node, const Heads& heads) {
  const int type = node.input(0).type;
  const Attention& a = heads.work;
  const Shape cache{a.batch, a.kv_heads, a.keys, a.head_dim};
  node.result(0, {a.batch, a.queries, heads.value_width}, type);
  node.result(1, cache, type);
  node.result(2, cache, type);
}

}  // namespace

void multi_head_attention_shape(Node& node) { attention_results(node, multi_head(node)); }
Operator multi_head_attention_work(const Node& node) { return multi_head(node).work; }
void group_query_attention_shape(Node& node) { attention_results(node, grouped(node)); }
Operator group_query_attention_work(const Node& node) { return grouped(node).work; }

/// A turn of each pair of elements: two products, a sum for each of both.
Operator rotary_work(const Node& node) {
  const Shape& x = node.shape(0);
  return Elementwise{x, {std::vector<bool>(x.size(), true)}, 3};
}

/// B holds [N, blocks of K, packed bytes]; the attributes give its sizes.
void matmul_nbits_shape(Node& node) {
  Shape out = node.shape(0);
  const std::int64_t k = count_of(node, "K");
  if (out.empty() || out.back() != k) node.fail(fmt::format("A of shape {}, K = {}", text(out), k));
  out.back() = count_of(node, "N");
  (void)node.input(1);
  node.result(0, out, node.input(0).type);
}
Operator matmul_nbits_work(const Node& node) {
  const Shape& a = node.shape(0);
  return MatMul{{}, product(a, 0, a.size() - 1), count_of(node, "N"), count_of(node, "K")};
}

/// A, B, scales, zero points, bias: integers inside, floating point outside.
void matmul_to_float_shape(Node& node) {
  matmul_shape(node);
  node.out.at(0).type = node.input(2).type;
}

/// A, its scale and zero point, B and its ones, C, then those of the result: without them it is floating point.
void qgemm_shape(Node& node) {
  Node plain = node;
  plain.in = {&node.input(0), &node.input(3)};
  gemm_shape(plain);
  node.result(0, plain.out.at(0).shape, node.has(8) ? node.input(8).type : element::float32);
}
Operator qgemm_work(const Node& node) {
  Node plain = node;
  plain.in = {&node.input(0), &node.input(3)};
  return gemm_work(plain);
}

void qlinear_global_pool_shape(Node& node) {
  (void)whole_image(node);
  Shape out = node.shape(0);
  const bool last = channels_last(node);
  std::fill(out.begin() + (last ? 1 : 2), out.end() - (last ? 1 : 0), 1);
  node.result(0, out, node.input(0).type);
}
Operator qlinear_global_pool_work(const Node& node) { return whole_image(node); }

void qlinear_pool_shape(Node& node) {
  if (channels_last(node)) node.fail("channels_last is not modelled; convert the model to N, C and spatial axes");
  pool_shape(node);
}

/// Scale and zero point of the result, then for each operand the tensor, its scale and its zero point.
void qlinear_concat_shape(Node& node) {
  Node plain = node;
  plain.in.clear();
  for (std::size_t i = 2; i < node.in.size(); i += 3) plain.in.push_back(&node.input(i));
  concat_shape(plain);
  node.result(0, plain.out.at(0).shape, node.input(1).type);
}

Operator qlinear_softmax_work(const Node& node) {
  const Shape& x = node.shape(0);
  const std::size_t axis = node.axis(node.integer("axis", -1), x.size());
  const std::size_t last = node.integer("opset", 13) < 13 ? x.size() : axis + 1;
  const std::int64_t columns = product(x, axis, last);
  return RowWise{elements(x) / std::max<std::int64_t>(columns, 1), columns, 2, 5};
}

Functions runtime_functions() {
  const auto node = [](std::string type, std::string domain, std::vector<std::string> inputs,
                       std::vector<std::string> outputs, decltype(NodeRecord::attributes) attributes = {}) {
    return NodeRecord{type, type, std::move(domain), std::move(inputs), std::move(outputs), std::move(attributes)};
  };
  const decltype(NodeRecord::attributes) last_axis{{"axis", std::int64_t{-1}}};
  const decltype(NodeRecord::attributes) heads{{"num_heads", Reference{"num_heads"}},
                                               {"unidirectional", Reference{"unidirectional"}}};
  const std::vector<NodeRecord> attend{node("Split", "", {"qkv"}, {"q", "k", "v"}, last_axis),
                                       node("MultiHeadAttention", "com.microsoft", {"q", "k", "v"}, {"y"}, heads)};
  Functions functions;
  const auto add = [&](const char* type, Subgraph body) { functions[{"com.microsoft", type}] = std::move(body); };
  Subgraph attention{{"x", "w", "b", "mask"}, {"y"}, {}, attend};
  attention.nodes.insert(attention.nodes.begin(),
                         {node("MatMul", "", {"x", "w"}, {"projected"}), node("Add", "", {"projected", "b"}, {"qkv"})});
  add("Attention", std::move(attention));
  Subgraph quantised{{"x", "w", "b", "x_scale", "w_scale", "mask", "x_zero", "w_zero"}, {"y"}, {}, attend};
  quantised.nodes.insert(quantised.nodes.begin(),
                         node("MatMulIntegerToFloat", "com.microsoft",
                              {"x", "w", "x_scale", "w_scale", "x_zero", "w_zero", "b"}, {"qkv"}));
  add("QAttention", std::move(quantised));
  // Positions are looked up once for each word, as the words themselves; the mask's index is a count for each sequence.
  add("EmbedLayerNormalization",
      {{"words", "segments", "word_table", "position_table", "segment_table", "gamma", "beta", "mask"},
       {"y", "mask_index"},
       {},
       {node("Gather", "", {"word_table", "words"}, {"w"}), node("Gather", "", {"position_table", "words"}, {"p"}),
        node("Gather", "", {"segment_table", "segments"}, {"s"}), node("Add", "", {"w", "p"}, {"wp"}),
        node("Add", "", {"wp", "s"}, {"sum"}),
        node("LayerNormalization", "", {"sum", "gamma", "beta"}, {"y"}, last_axis),
        node("ArgMax", "", {"words"}, {"mask_index"}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}})}});
  return functions;
}

}  // namespace tilewright::importer
