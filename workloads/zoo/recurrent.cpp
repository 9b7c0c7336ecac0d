// Recurrent stacks and the SeqNAS encoder.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "workloads/zoo/builder.hpp"

namespace tilewright::zoo {
namespace {

constexpr std::int64_t most_layers = 1024;

TensorId cell(Builder& b, const std::string& name, Cell kind, TensorId x, std::int64_t hidden,
              std::int64_t directions) {
  const std::vector<std::int64_t> in = b.shape(x);  // steps, batch, input
  const std::int64_t gates = kind == Cell::lstm ? 4 : 3;
  const std::int64_t rows = checked_mul(gates, hidden);
  const TensorId w = b.weight(name + ".w", {directions, rows, in[2]});
  const TensorId r = b.weight(name + ".r", {directions, rows, hidden});
  const TensorId bias = b.weight(name + ".b", {directions, checked_mul(2, rows)});
  return b.layer(name, kind == Cell::lstm ? "LSTM" : "GRU", Recurrent{kind, in[0], in[1], in[2], hidden, directions},
                 {x, w, r, bias}, {in[0], directions, in[1], hidden});
}

WorkloadGraph stack(std::string_view spec, Cell kind) {
  const Arguments a(spec, recurrent_parameters());
  const std::int64_t steps = a.integer("steps"), batch = a.integer("batch"), input = a.integer("input");
  const std::int64_t hidden = a.integer("hidden"), layers = a.integer("layers", 1, most_layers);
  const std::int64_t directions = a.integer("bidirectional", 0, 1) + 1;
  Builder b(a, batch, DataType::fp32);
  TensorId x = b.input("input", {steps, batch, input});
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string name = fmt::format("layers.{}", i);
    x = cell(b, name, kind, x, hidden, directions);
    if (directions == 2) x = b.transpose(name + ".transpose", x, {steps, batch, directions, hidden});
    x = b.view(name + ".joined", "Reshape", x, {steps, batch, checked_mul(directions, hidden)});
  }
  return b.take({x});
}

/// One layer of the encoder: a subset of attention, GRU and convolution, each on its own part of the features.
struct SeqLayer {
  bool attention = false, gru = false, conv = false;
  std::int64_t heads = 0;
  std::int64_t parts() const { return int{attention} + int{gru} + int{conv}; }
};

SeqLayer seq_layer(const Arguments& a, const std::string& word) {
  SeqLayer layer;
  std::size_t at = 0;
  const auto take = [&](char letter) {
    const bool there = at < word.size() && word[at] == letter;
    if (there) ++at;
    return there;
  };
  layer.attention = take('A');
  layer.gru = take('G');
  layer.conv = take('C');
  const std::string heads = word.substr(at);
  const bool known = heads == "1" || heads == "2" || heads == "4" || heads == "8";
  if (layer.parts() == 0 || (layer.attention ? !known : !heads.empty())) {
    a.fail("ops", fmt::format("'{}' is not a layer; one is letters of A (attention), G (GRU), C (convolution) in this "
                              "order, then with A the heads 1, 2, 4 or 8: AGC2, A8, GC",
                              word));
  }
  if (layer.attention) layer.heads = heads[0] - '0';
  return layer;
}

std::vector<SeqLayer> seq_layers(const Arguments& a) {
  std::vector<SeqLayer> layers;
  const std::string& text = a.text("ops");
  if (text == "none") return layers;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('|', start), text.size());
    layers.push_back(seq_layer(a, text.substr(start, end - start)));
    start = end + 1;
  }
  if (layers.size() > static_cast<std::size_t>(most_layers))
    a.fail("ops", fmt::format("more than {} layers", most_layers));
  return layers;
}

/// Heads of a decoder layer: of the attention among its queries and of that over the encoder.
struct SeqDecoder {
  std::int64_t self = 1, cross = 1;
};

std::vector<SeqDecoder> seq_decoders(const Arguments& a) {
  std::vector<SeqDecoder> layers;
  const std::string& text = a.text("decoder");
  if (text == "none") return layers;
  const auto known = [](char c) { return c == '1' || c == '2' || c == '4' || c == '8'; };
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('|', start), text.size());
    const std::string word = text.substr(start, end - start);
    if (word.size() != 3 || word[1] != 'x' || !known(word[0]) || !known(word[2]))
      a.fail("decoder",
             fmt::format("'{}' is not a layer; one is its heads, self x cross, each 1, 2, 4 or 8: 4x2, or none",
                         shown(word)));
    layers.push_back({word[0] - '0', word[2] - '0'});
    start = end + 1;
  }
  if (layers.size() > static_cast<std::size_t>(most_layers))
    a.fail("decoder", fmt::format("more than {} layers", most_layers));
  return layers;
}

/// Attention of x over `memory` (x itself: self-attention); both [batch, steps, features].
TensorId seq_attention(Builder& b, const std::string& name, TensorId x, TensorId memory, std::int64_t heads,
                       std::int64_t head_dim) {
  const std::vector<std::int64_t> in = b.shape(x);
  const std::int64_t inner = checked_mul(heads, head_dim);
  const auto project = [&](const std::string& part, TensorId from) {
    const std::int64_t steps = b.shape(from)[1];
    const TensorId y = b.view(name + part + ".heads", "Reshape", b.linear(name + part, from, inner, true),
                              {in[0], steps, heads, head_dim});
    return b.transpose(name + part + ".transpose", y, {in[0], heads, steps, head_dim});
  };
  const TensorId q = project(".q", x), k = project(".k", memory), v = project(".v", memory);
  TensorId y = b.transpose(name + ".merge", attention(b, name, q, k, v, -1), {in[0], in[1], heads, head_dim});
  y = b.view(name + ".merged", "Reshape", y, {in[0], in[1], inner});
  return b.linear(name + ".o", y, in[2], true);
}

TensorId self_attention(Builder& b, const std::string& name, TensorId x, std::int64_t heads, std::int64_t head_dim) {
  return seq_attention(b, name, x, x, heads, head_dim);
}

TensorId seq_gru(Builder& b, const std::string& name, TensorId x) {
  const std::vector<std::int64_t> in = b.shape(x);
  TensorId y = b.transpose(name + ".steps_first", x, {in[1], in[0], in[2]});
  y = cell(b, name, Cell::gru, y, in[2], 1);
  y = b.view(name + ".squeeze", "Squeeze", y, {in[1], in[0], in[2]});
  return b.transpose(name + ".batch_first", y, in);
}

TensorId seq_conv(Builder& b, const std::string& name, TensorId x, std::int64_t kernel) {
  const std::vector<std::int64_t> in = b.shape(x);
  TensorId y = b.transpose(name + ".channels_first", x, {in[0], in[2], in[1]});
  const TensorId weights = b.weight(name + ".weight", {in[2], in[2], kernel});
  const TensorId bias = b.weight(name + ".bias", {in[2]});
  Conv work{.batch = in[0], .groups = 1, .in_channels = in[2], .out_channels = in[2], .axes = {}};
  work.axes = {Window{in[1], in[1], kernel, 1, 1}};
  y = b.layer(name, "Conv", std::move(work), {y, weights, bias}, {in[0], in[2], in[1]});
  return b.transpose(name + ".channels_last", y, in);
}

/// Depthwise convolution over time, its length kept.
TensorId seq_stem(Builder& b, TensorId x, std::int64_t kernel) {
  const std::vector<std::int64_t> in = b.shape(x);
  TensorId y = b.transpose("stem.channels_first", x, {in[0], in[2], in[1]});
  const TensorId weights = b.weight("stem.weight", {in[2], 1, kernel});
  const TensorId bias = b.weight("stem.bias", {in[2]});
  Conv work{.batch = in[0], .groups = in[2], .in_channels = in[2], .out_channels = in[2], .axes = {}};
  work.axes = {Window{in[1], in[1], kernel, 1, 1}};
  y = b.layer("stem", "Conv", std::move(work), {y, weights, bias}, {in[0], in[2], in[1]});
  return b.transpose("stem.channels_last", y, in);
}

TensorId feed_forward(Builder& b, const std::string& name, TensorId x, TensorId normed, const Arguments& a) {
  TensorId z = b.linear(name + ".fc1", normed, a.integer("ffn"), true);
  z = b.linear(name + ".fc2", b.elementwise(name + ".relu", "Relu", {z}), b.shape(x)[2], true);
  return b.elementwise(name + ".add2", "Add", {x, z});
}

/// The queries attend to each other, then to the encoder's results.
TensorId decoder_layer(Builder& b, const std::string& name, TensorId x, TensorId memory, const SeqDecoder& layer,
                       const Arguments& a) {
  const std::int64_t head_dim = a.integer("head_dim");
  TensorId y = self_attention(b, name + ".self", b.layer_norm(name + ".norm0", x), layer.self, head_dim);
  x = b.elementwise(name + ".add0", "Add", {x, y});
  y = seq_attention(b, name + ".cross", b.layer_norm(name + ".norm1", x), memory, layer.cross, head_dim);
  x = b.elementwise(name + ".add1", "Add", {x, y});
  return feed_forward(b, name, x, b.layer_norm(name + ".norm2", x), a);
}

/// [batch, steps, features] -> [batch, features], or twice as many for mean and maximum beside each other.
TensorId aggregate(Builder& b, TensorId x, const std::string& how) {
  const std::vector<std::int64_t> in = b.shape(x);
  const auto reduced = [&](const std::string& name, const std::string& op) {
    return b.layer(name, op, Reduce{checked_mul(in[0], in[2]), in[1], 1}, {x}, {in[0], in[2]});
  };
  if (how == "mean") return reduced("mean", "ReduceMean");
  if (how == "max") return reduced("max", "ReduceMax");
  const TensorId mean = reduced("mean", "ReduceMean"), largest = reduced("max", "ReduceMax");
  const std::int64_t joined = checked_mul(2, in[2]);
  return b.layer("joined", "Concat", Movement{checked_mul(in[0], joined)}, {mean, largest}, {in[0], joined});
}

TensorId encoder_layer(Builder& b, const std::string& name, TensorId x, const SeqLayer& layer, const Arguments& a) {
  const std::vector<std::int64_t> in = b.shape(x);
  const std::int64_t parts = layer.parts(), width = in[2] / parts;
  if (width * parts != in[2]) a.fail("features", fmt::format("{} cannot be split in {} equal parts", in[2], parts));
  const TensorId y = b.layer_norm(name + ".norm1", x);
  std::vector<TensorId> done;
  const auto part = [&](const std::string& op) {
    if (parts == 1) return y;
    const std::int64_t moved = product({in[0], in[1], width});
    return b.layer(name + op + ".split", "Slice", Movement{moved}, {y}, {in[0], in[1], width});
  };
  if (layer.attention) {
    done.push_back(self_attention(b, name + ".attention", part(".attention"), layer.heads, a.integer("head_dim")));
  }
  if (layer.gru) done.push_back(seq_gru(b, name + ".gru", part(".gru")));
  if (layer.conv) done.push_back(seq_conv(b, name + ".conv", part(".conv"), a.integer("kernel")));
  const TensorId joined =
      parts == 1 ? done.front() : b.layer(name + ".concat", "Concat", Movement{product(in)}, done, in);
  x = b.elementwise(name + ".add1", "Add", {x, joined});
  return feed_forward(b, name, x, b.layer_norm(name + ".norm2", x), a);
}

}  // namespace

std::vector<Parameter> recurrent_parameters() {
  return {{"steps", "35", "time steps"},          {"batch", "1", "sequences at once"},
          {"input", "512", "features of a step"}, {"hidden", "512", "width of the state"},
          {"layers", "1", "stacked layers"},      {"bidirectional", "0", "1: a second pass from the end"}};
}
WorkloadGraph lstm(std::string_view spec) { return stack(spec, Cell::lstm); }
WorkloadGraph gru(std::string_view spec) { return stack(spec, Cell::gru); }

std::vector<Parameter> seqnas_parameters() {
  return {{"batch", "1", "sequences at once"},
          {"steps", "128", "events of a sequence"},
          {"input", "20", "numbers that describe an event"},
          {"features", "96", "width of the encoder"},
          {"stem", "0", "odd kernel of a depthwise convolution over time before the encoder, 0: none"},
          {"time", "0", "1: a time encoding is added"},
          {"ops", "AGC2|A8|GC|AC4",
           "encoder layers: letters of A (attention), G (GRU), C (convolution), with A the heads; none"},
          {"decoder", "none", "decoder layers: heads of self x cross attention, 4x2|8x1"},
          {"queries", "1", "learned queries of the decoder"},
          {"head", "mean", "over time: mean, max, mean+max"},
          {"head_dim", "16", "width of an attention head"},
          {"kernel", "3", "odd kernel of the convolution over time"},
          {"ffn", "128", "hidden width of the feed-forward part"},
          {"classes", "2", "results"}};
}

WorkloadGraph seqnas(std::string_view spec) {
  const Arguments a(spec, seqnas_parameters());
  const std::int64_t batch = a.integer("batch"), steps = a.integer("steps"), features = a.integer("features");
  const std::vector<SeqLayer> layers = seq_layers(a);
  if (a.integer("kernel") % 2 == 0) a.fail("kernel", "must be odd, so that the length stays");
  const std::vector<SeqDecoder> decoders = seq_decoders(a);
  const std::string head = a.choice("head", {"mean", "max", "mean+max"});
  const std::int64_t stem = a.integer("stem", 0);
  if (stem > 0 && stem % 2 == 0) a.fail("stem", "must be odd, so that the length stays; 0: none");
  Builder b(a, batch, DataType::fp32);
  TensorId x = b.linear("embedding", b.input("events", {batch, steps, a.integer("input")}), features, true);
  if (stem > 0) x = seq_stem(b, x, stem);
  if (a.integer("time", 0, 1) == 1) x = b.elementwise("time", "Add", {x, b.weight("time.encoding", {steps, features})});
  for (std::size_t i = 0; i < layers.size(); ++i) x = encoder_layer(b, fmt::format("layers.{}", i), x, layers[i], a);
  if (!decoders.empty()) {
    const TensorId memory = x;
    const std::int64_t queries = a.integer("queries");
    const TensorId learned = b.weight("queries", {1, queries, features});
    x = b.layer("queries.expand", "Expand", Movement{product({batch, queries, features})}, {learned},
                {batch, queries, features});
    for (std::size_t i = 0; i < decoders.size(); ++i)
      x = decoder_layer(b, fmt::format("decoder.{}", i), x, memory, decoders[i], a);
  }
  return b.take({b.linear("head", aggregate(b, x, head), a.integer("classes"), true)});
}

}  // namespace tilewright::zoo
