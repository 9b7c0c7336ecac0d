// Networks of published search spaces: NAS-Bench-Macro, NAS-Bench-201, Once-for-All MobileNetV3. Batch norm folded.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/checked.hpp"
#include "workloads/zoo/builder.hpp"
#include "workloads/zoo/nas_blocks.hpp"

namespace tilewright {

std::int64_t round_channels(double channels) {
  const auto rounded = std::max<std::int64_t>(8, static_cast<std::int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

std::vector<std::string> cell_edges(const std::string& cell, const Place& where) {
  static const std::vector<std::string> known{"none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"};
  std::vector<std::string> edges;
  for (std::size_t at = 0; (at = cell.find_first_not_of("|+", at)) != std::string::npos;) {
    const std::size_t end = std::min(cell.find('|', at), cell.size());
    const std::string edge = cell.substr(at, end - at);
    const std::string op = edge.substr(0, edge.find('~'));
    if (std::ranges::find(known, op) == known.end())
      throw InputError(where, unknown_message("cell operator", op, known));
    edges.push_back(op);
    at = end;
  }
  if (edges.size() != 6)
    throw InputError(where, fmt::format("a cell has 6 edges, '{}' has {}", shown(cell), edges.size()));
  return edges;
}

OnceForAll once_for_all(double width, const std::vector<std::int64_t>& depths, const std::vector<std::int64_t>& kernels,
                        const std::vector<std::int64_t>& expansions) {
  constexpr std::array<double, 5> channels{24, 40, 80, 112, 160};
  constexpr std::array<std::int64_t, 5> strides{2, 2, 2, 1, 2};
  constexpr std::array<bool, 5> squeeze{false, true, false, true, true}, hard_swish{false, false, true, true, true};
  OnceForAll net{round_channels(16 * width), round_channels(960 * width), round_channels(1280 * width), {}};
  net.blocks.push_back({net.stem, 3, 1, 1, false, false});
  for (std::size_t stage = 0; stage < channels.size(); ++stage) {
    for (std::int64_t i = 0; i < depths[stage]; ++i) {
      const std::size_t block = 4 * stage + static_cast<std::size_t>(i);
      net.blocks.push_back({round_channels(channels[stage] * width), kernels[block], expansions[block],
                            i == 0 ? strides[stage] : 1, squeeze[stage], hard_swish[stage]});
    }
  }
  return net;
}

namespace zoo {
namespace {

TensorId act(Builder& b, const std::string& name, TensorId x, const std::string& op) {
  return b.elementwise(name, op, {x}, op == "HardSwish" ? 4 : 1);
}

/// [N, C, H, W] -> [N, C].
TensorId global_pool(Builder& b, const std::string& name, TensorId x) {
  const std::vector<std::int64_t> in = b.shape(x);
  Pool work{.batch = in[0], .channels = in[1], .axes = {Window{in[2], 1, in[2], 1, 1}, Window{in[3], 1, in[3], 1, 1}}};
  const TensorId pooled = b.layer(name, "GlobalAveragePool", std::move(work), {x}, {in[0], in[1], 1, 1});
  return b.view(name + ".flat", "Flatten", pooled, {in[0], in[1]});
}

TensorId squeeze_excite(Builder& b, const std::string& name, TensorId x) {
  const std::vector<std::int64_t> in = b.shape(x);
  TensorId s = global_pool(b, name + ".pool", x);
  s = act(b, name + ".relu", b.linear(name + ".reduce", s, round_channels(static_cast<double>(in[1]) / 4), true),
          "Relu");
  s = b.elementwise(name + ".gate", "HardSigmoid", {b.linear(name + ".expand", s, in[1], true)}, 3);
  return b.elementwise(name + ".scale", "Mul", {x, b.view(name + ".map", "Reshape", s, {in[0], in[1], 1, 1})});
}

/// `rounded`: expanded channels as multiples of 8 (MobileNetV3).
TensorId mobile_block(Builder& b, const std::string& name, TensorId x, const MobileBlock& block, bool rounded,
                      const std::string& activation) {
  const std::int64_t in = b.shape(x)[1];
  const std::int64_t wide = checked_mul(in, block.expansion);
  const std::int64_t hidden = rounded ? round_channels(static_cast<double>(wide)) : wide;
  TensorId y = x;
  if (block.expansion != 1) y = act(b, name + ".act1", b.conv(name + ".expand", y, hidden, 1, 1, 0), activation);
  y = act(b, name + ".act2",
          b.conv(name + ".depthwise", y, hidden, block.kernel, block.stride, block.kernel / 2, hidden), activation);
  if (block.squeeze) y = squeeze_excite(b, name + ".squeeze", y);
  y = b.conv(name + ".project", y, block.out, 1, 1, 0);
  return block.stride == 1 && in == block.out ? b.elementwise(name + ".add", "Add", {x, y}) : y;
}

std::vector<std::int64_t> numbers(const Arguments& a, std::string_view key, std::size_t count,
                                  const std::vector<std::int64_t>& allowed) {
  const std::string& text = a.text(key);
  std::vector<std::int64_t> values;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('-', start), text.size());
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data() + start, text.data() + end, value);
    if (error != std::errc{} || stop != text.data() + end || std::ranges::find(allowed, value) == allowed.end())
      a.fail(key, fmt::format("'{}' is not a value; {} numbers joined by '-', each one of {}",
                              shown(text.substr(start, end - start)), count, fmt::join(allowed, ", ")));
    values.push_back(value);
    start = end + 1;
  }
  if (values.size() != count)
    a.fail(key, fmt::format("{} numbers joined by '-' are wanted, here are {}", count, values.size()));
  return values;
}

TensorId cell(Builder& b, const std::string& name, TensorId input, const std::vector<std::string>& edges) {
  std::vector<TensorId> nodes{input};
  const std::int64_t channels = b.shape(input)[1];
  std::size_t edge = 0;
  for (int node = 1; node <= 3; ++node) {
    TensorId sum = -1;
    for (int from = 0; from < node; ++from, ++edge) {
      const std::string& op = edges[edge];
      if (op == "none") continue;
      const std::string at = fmt::format("{}.{}_{}", name, from, node);
      TensorId y = nodes[static_cast<std::size_t>(from)];
      if (y < 0) continue;  // nothing reaches this node
      if (op == "avg_pool_3x3") y = b.pool(at + ".pool", "AveragePool", y, 3, 1, 1);
      if (op.starts_with("nor_conv")) {
        const std::int64_t size = op == "nor_conv_3x3" ? 3 : 1;
        y = b.conv(at + ".conv", act(b, at + ".relu", y, "Relu"), channels, size, 1, size / 2);
      }
      sum = sum < 0 ? y : b.elementwise(at + ".add", "Add", {sum, y});
    }
    nodes.push_back(sum);
  }
  return nodes.back();
}

TensorId reduction(Builder& b, const std::string& name, TensorId x) {
  const std::int64_t out = 2 * b.shape(x)[1];
  TensorId y = b.conv(name + ".conv1", act(b, name + ".relu1", x, "Relu"), out, 3, 2, 1);
  y = b.conv(name + ".conv2", act(b, name + ".relu2", y, "Relu"), out, 3, 1, 1);
  const TensorId shortcut = b.conv(name + ".shortcut", b.pool(name + ".pool", "AveragePool", x, 2, 2, 0), out, 1, 1, 0);
  return b.elementwise(name + ".add", "Add", {y, shortcut});
}

}  // namespace

std::vector<Parameter> nasbench_macro_parameters() {
  return {{"batch", "1", "images at once"},
          {"arch", "22222222", "eight layers: 0 identity, 1 expansion 3 and kernel 3, 2 expansion 6 and kernel 5"},
          {"resolution", "32", "height and width of an image"},
          {"classes", "10", "results"}};
}

WorkloadGraph nasbench_macro(std::string_view spec) {
  const Arguments a(spec, nasbench_macro_parameters());
  const std::string& arch = a.text("arch");
  constexpr std::array<std::int64_t, 8> channels{64, 64, 128, 128, 128, 256, 256, 256};
  if (arch.size() != channels.size() || arch.find_first_not_of("012") != std::string::npos)
    a.fail("arch", fmt::format("'{}' is not eight digits of 0, 1, 2", shown(arch)));
  const std::int64_t batch = a.integer("batch"), size = a.integer("resolution");
  Builder b(a, batch, DataType::fp32);
  TensorId x = act(b, "stem.relu", b.conv("stem", b.input("input", {batch, 3, size, size}), 32, 3, 1, 1), "Clip");
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::string name = fmt::format("layers.{}", i);
    const std::int64_t stride = i == 0 || i == 2 || i == 5 ? 2 : 1;
    if (arch[i] != '0') {
      x = mobile_block(b, name, x, {channels[i], arch[i] == '1' ? 3 : 5, arch[i] == '1' ? 3 : 6, stride, false, false},
                       false, "Clip");
    } else if (stride == 2) {
      x = b.conv(name, x, channels[i], 1, 2, 0);  // an identity that halves the map and widens it
    }
  }
  x = act(b, "last.relu", b.conv("last", x, 1280, 1, 1, 0), "Clip");
  return b.take({b.linear("classifier", global_pool(b, "pool", x), a.integer("classes"), true)});
}

std::vector<Parameter> nasbench201_parameters() {
  return {{"batch", "1", "images at once"},
          {"cell", "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
           "operators of the six edges"},
          {"channels", "16", "of the first stage"},
          {"cells", "5", "cells of a stage"},
          {"classes", "10", "results"}};
}

WorkloadGraph nasbench201(std::string_view spec) {
  const Arguments a(spec, nasbench201_parameters());
  const std::vector<std::string> edges = cell_edges(a.text("cell"), {std::string(spec), 0, 0, "cell"});
  const std::int64_t batch = a.integer("batch"), cells = a.integer("cells", 1, 64);
  Builder b(a, batch, DataType::fp32);
  TensorId x = b.conv("stem", b.input("input", {batch, 3, 32, 32}), a.integer("channels"), 3, 1, 1);
  for (int stage = 0; stage < 3; ++stage) {
    if (stage > 0) x = reduction(b, fmt::format("reduction.{}", stage), x);
    for (std::int64_t i = 0; i < cells; ++i) {
      x = cell(b, fmt::format("stage{}.{}", stage, i), x, edges);
      if (x < 0) a.fail("cell", "no path leads through this cell: the network computes nothing of its input");
    }
  }
  x = global_pool(b, "pool", act(b, "last.relu", x, "Relu"));
  return b.take({b.linear("classifier", x, a.integer("classes"), true)});
}

std::vector<Parameter> once_for_all_parameters() {
  return {{"batch", "1", "images at once"},
          {"resolution", "224", "height and width of an image"},
          {"width", "1.2", "factor of all channel counts, 0.1 to 4"},
          {"depth", "4-4-4-4-4", "blocks of the five stages, 2 to 4"},
          {"kernel", "7-7-7-7-7-7-7-7-7-7-7-7-7-7-7-7-7-7-7-7", "of twenty blocks, four a stage: 3, 5 or 7"},
          {"expand", "6-6-6-6-6-6-6-6-6-6-6-6-6-6-6-6-6-6-6-6", "of twenty blocks: 3, 4 or 6"},
          {"classes", "1000", "results"}};
}

WorkloadGraph once_for_all_mbv3(std::string_view spec) {
  const Arguments a(spec, once_for_all_parameters());
  const OnceForAll net = once_for_all(a.number("width", 0.1, 4), numbers(a, "depth", 5, {2, 3, 4}),
                                      numbers(a, "kernel", 20, {3, 5, 7}), numbers(a, "expand", 20, {3, 4, 6}));
  const std::int64_t batch = a.integer("batch"), size = a.integer("resolution");
  Builder b(a, batch, DataType::fp32);
  TensorId x =
      act(b, "stem.act", b.conv("stem", b.input("input", {batch, 3, size, size}), net.stem, 3, 2, 1), "HardSwish");
  for (std::size_t i = 0; i < net.blocks.size(); ++i)
    x = mobile_block(b, fmt::format("blocks.{}", i), x, net.blocks[i], true,
                     net.blocks[i].hard_swish ? "HardSwish" : "Relu");
  x = global_pool(b, "pool", act(b, "last.act", b.conv("last", x, net.last, 1, 1, 0), "HardSwish"));
  x = act(b, "feature.act", b.linear("feature", x, net.feature, false), "HardSwish");
  return b.take({b.linear("classifier", x, a.integer("classes"), true)});
}

}  // namespace zoo
}  // namespace tilewright
