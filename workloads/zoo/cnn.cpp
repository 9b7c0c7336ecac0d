// Products and image networks. Layer sizes: the cited papers in the form of torchvision (classes: 1000).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/checked.hpp"
#include "workloads/zoo/builder.hpp"
#include "workloads/zoo/nas_blocks.hpp"

namespace tilewright::zoo {
namespace {

TensorId relu(Builder& b, const std::string& name, TensorId x, const std::string& op = "Relu") {
  return b.elementwise(name, op, {x});
}

TensorId global_average(Builder& b, TensorId x) {
  const std::vector<std::int64_t> in = b.shape(x);
  Pool work{.batch = in[0], .channels = in[1], .axes = {Window{in[2], 1, in[2], 1, 1}, Window{in[3], 1, in[3], 1, 1}}};
  const TensorId pooled = b.layer("avgpool", "GlobalAveragePool", std::move(work), {x}, {in[0], in[1], 1, 1});
  return b.view("flatten", "Flatten", pooled, {in[0], in[1]});
}

struct ImageNet {
  Arguments arguments;
  Builder builder;
  TensorId input;
};

ImageNet image_net(std::string_view spec, const std::vector<Parameter>& parameters = image_parameters()) {
  Arguments arguments(spec, parameters);
  const std::int64_t batch = arguments.integer("batch"), size = arguments.integer("resolution");
  Builder builder(arguments, batch, DataType::fp32);
  const TensorId input = builder.input("input", {batch, 3, size, size});
  return {std::move(arguments), std::move(builder), input};
}

TensorId basic_block(Builder& b, const std::string& name, TensorId x, std::int64_t channels, std::int64_t stride) {
  TensorId y = relu(b, name + ".relu1", b.conv(name + ".conv1", x, channels, 3, stride, 1));
  y = b.conv(name + ".conv2", y, channels, 3, 1, 1);
  if (stride != 1 || b.shape(x)[1] != channels) x = b.conv(name + ".downsample", x, channels, 1, stride, 0);
  return relu(b, name + ".relu2", b.elementwise(name + ".add", "Add", {y, x}));
}

TensorId bottleneck(Builder& b, const std::string& name, TensorId x, std::int64_t channels, std::int64_t stride) {
  TensorId y = relu(b, name + ".relu1", b.conv(name + ".conv1", x, channels, 1, 1, 0));
  y = relu(b, name + ".relu2", b.conv(name + ".conv2", y, channels, 3, stride, 1));
  y = b.conv(name + ".conv3", y, 4 * channels, 1, 1, 0);
  if (stride != 1 || b.shape(x)[1] != 4 * channels) x = b.conv(name + ".downsample", x, 4 * channels, 1, stride, 0);
  return relu(b, name + ".relu3", b.elementwise(name + ".add", "Add", {y, x}));
}

using Block = TensorId (*)(Builder&, const std::string&, TensorId, std::int64_t, std::int64_t);

WorkloadGraph resnet(std::string_view spec, Block block, const std::array<int, 4>& depths) {
  ImageNet net = image_net(spec);
  Builder& b = net.builder;
  TensorId x = relu(b, "relu", b.conv("conv1", net.input, 64, 7, 2, 3));
  x = b.pool("maxpool", "MaxPool", x, 3, 2, 1);
  for (std::size_t stage = 0; stage < depths.size(); ++stage) {
    for (int i = 0; i < depths[stage]; ++i) {
      const std::int64_t stride = stage > 0 && i == 0 ? 2 : 1;
      x = block(b, fmt::format("layer{}.{}", stage + 1, i), x, std::int64_t{64} << stage, stride);
    }
  }
  return b.take({b.linear("fc", global_average(b, x), 1000, true)});
}

TensorId inverted_residual(Builder& b, const std::string& name, TensorId x, std::int64_t expansion,
                           std::int64_t channels, std::int64_t stride) {
  const std::int64_t in = b.shape(x)[1], hidden = in * expansion;
  TensorId y = x;
  if (expansion != 1) y = relu(b, name + ".relu1", b.conv(name + ".expand", y, hidden, 1, 1, 0), "Clip");
  y = relu(b, name + ".relu2", b.conv(name + ".depthwise", y, hidden, 3, stride, 1, hidden), "Clip");
  y = b.conv(name + ".project", y, channels, 1, 1, 0);
  return stride == 1 && in == channels ? b.elementwise(name + ".add", "Add", {x, y}) : y;
}

}  // namespace

std::vector<Parameter> gemm_parameters() {
  return {{"m", "1024", "rows of the result"},
          {"n", "1024", "columns of the result"},
          {"k", "1024", "length of the sums"},
          {"batch", "1", "independent products with the same weights B"}};
}

WorkloadGraph gemm(std::string_view spec) {
  const Arguments arguments(spec, gemm_parameters());
  const std::int64_t m = arguments.integer("m"), n = arguments.integer("n"), k = arguments.integer("k");
  const std::int64_t batch = arguments.integer("batch");
  Builder b(arguments, batch, DataType::fp32);
  MatMul work{.batch = {}, .m = m, .n = n, .k = k};
  std::vector<std::int64_t> in{m, k}, out{m, n};
  if (batch > 1) {
    work.batch = {BatchAxis{batch, true, false}};
    in.insert(in.begin(), batch);
    out.insert(out.begin(), batch);
  }
  const TensorId a = b.input("a", std::move(in));
  const TensorId weights = b.weight("b", {k, n});
  return b.take({b.layer("gemm", "MatMul", std::move(work), {a, weights}, std::move(out))});
}

std::vector<Parameter> conv2d_parameters() {
  return {{"n", "1", "batch"},
          {"c", "64", "input channels"},
          {"h", "56", "input height"},
          {"w", "56", "input width"},
          {"k", "64", "output channels"},
          {"r", "3", "kernel height"},
          {"s", "3", "kernel width"},
          {"stride", "1", "step of the window, both axes"},
          {"pad", "0", "zeros on each side, both axes"},
          {"dilation", "1", "step between kernel elements, both axes"},
          {"groups", "1", "groups of channels; divides c and k"}};
}

WorkloadGraph conv2d(std::string_view spec) {
  const Arguments a(spec, conv2d_parameters());
  const std::int64_t n = a.integer("n"), c = a.integer("c"), h = a.integer("h"), w = a.integer("w");
  const std::int64_t k = a.integer("k"), r = a.integer("r"), s = a.integer("s"), stride = a.integer("stride");
  const std::int64_t pad = a.integer("pad", 0), dilation = a.integer("dilation"), groups = a.integer("groups");
  if (c % groups != 0) a.fail("groups", fmt::format("{} does not divide c = {}", groups, c));
  if (k % groups != 0) a.fail("groups", fmt::format("{} does not divide k = {}", groups, k));
  Builder b(a, n, DataType::fp32);
  const std::int64_t p = window_out("conv2d", h, r, stride, pad, dilation);
  const std::int64_t q = window_out("conv2d", w, s, stride, pad, dilation);
  const TensorId x = b.input("input", {n, c, h, w});
  const TensorId weights = b.weight("weight", {k, c / groups, r, s});
  Conv work{.batch = n, .groups = groups, .in_channels = c, .out_channels = k, .axes = {}};
  work.axes = {Window{h, p, r, stride, dilation}, Window{w, q, s, stride, dilation}};
  return b.take({b.layer("conv2d", "Conv", std::move(work), {x, weights}, {n, k, p, q})});
}

std::vector<Parameter> image_parameters() {
  return {{"batch", "1", "images at once"}, {"resolution", "224", "height and width of an image"}};
}

WorkloadGraph resnet18(std::string_view spec) { return resnet(spec, basic_block, {2, 2, 2, 2}); }
WorkloadGraph resnet50(std::string_view spec) { return resnet(spec, bottleneck, {3, 4, 6, 3}); }

WorkloadGraph vgg16(std::string_view spec) {
  ImageNet net = image_net(spec);
  Builder& b = net.builder;
  if (b.shape(net.input)[2] % 224 != 0) {
    // The average pooling to 7 x 7 before the classifier has one window size only when the map is a multiple of 7.
    net.arguments.fail("resolution", "vgg16 needs a multiple of 224 (its classifier sees 7 x 7 maps)");
  }
  TensorId x = net.input;
  constexpr std::array<std::pair<std::int64_t, int>, 5> stages{{{64, 2}, {128, 2}, {256, 3}, {512, 3}, {512, 3}}};
  int number = 0;
  for (const auto& [channels, count] : stages) {
    for (int i = 0; i < count; ++i, ++number) {
      x = relu(b, fmt::format("relu{}", number), b.conv(fmt::format("conv{}", number), x, channels, 3, 1, 1));
    }
    x = b.pool(fmt::format("pool{}", number), "MaxPool", x, 2, 2, 0);
  }
  if (const std::int64_t window = b.shape(x)[2] / 7; window > 1) {
    x = b.pool("avgpool", "AveragePool", x, window, window, 0);
  }
  x = b.view("flatten", "Flatten", x, {b.shape(x)[0], std::int64_t{512} * 7 * 7});
  x = relu(b, "classifier.relu0", b.linear("classifier.0", x, 4096, true));
  x = relu(b, "classifier.relu1", b.linear("classifier.1", x, 4096, true));
  return b.take({b.linear("classifier.2", x, 1000, true)});
}

std::vector<Parameter> mobilenet_parameters() {
  std::vector<Parameter> parameters = image_parameters();
  parameters.push_back({"width", "1", "factor of all channel counts, 0.1 to 4"});
  return parameters;
}

WorkloadGraph mobilenet_v1(std::string_view spec) {
  constexpr std::array<std::pair<std::int64_t, std::int64_t>, 13> blocks{{{64, 1},
                                                                          {128, 2},
                                                                          {128, 1},
                                                                          {256, 2},
                                                                          {256, 1},
                                                                          {512, 2},
                                                                          {512, 1},
                                                                          {512, 1},
                                                                          {512, 1},
                                                                          {512, 1},
                                                                          {512, 1},
                                                                          {1024, 2},
                                                                          {1024, 1}}};
  ImageNet net = image_net(spec, mobilenet_parameters());
  Builder& b = net.builder;
  const double width = net.arguments.number("width", 0.1, 4);
  const auto scaled = [&](std::int64_t channels) {
    return std::max<std::int64_t>(8, static_cast<std::int64_t>(static_cast<double>(channels) * width));
  };
  TensorId x = relu(b, "conv0.relu", b.conv("conv0", net.input, scaled(32), 3, 2, 1), "Clip");
  int number = 1;
  for (const auto& [channels, stride] : blocks) {
    const std::string name = fmt::format("conv{}", number++);
    const std::int64_t in = b.shape(x)[1];
    x = relu(b, name + ".relu1", b.conv(name + ".depthwise", x, in, 3, stride, 1, in), "Clip");
    x = relu(b, name + ".relu2", b.conv(name + ".pointwise", x, scaled(channels), 1, 1, 0), "Clip");
  }
  return b.take({b.linear("classifier", global_average(b, x), 1000, true)});
}

WorkloadGraph mobilenet_v2(std::string_view spec) {
  struct Stage {
    std::int64_t expansion, channels;
    int count;
    std::int64_t stride;
  };
  constexpr std::array<Stage, 7> stages{
      {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};
  ImageNet net = image_net(spec, mobilenet_parameters());
  Builder& b = net.builder;
  const double width = net.arguments.number("width", 0.1, 4);
  const auto scaled = [&](std::int64_t channels) { return round_channels(static_cast<double>(channels) * width); };
  TensorId x = relu(b, "features.0.relu", b.conv("features.0", net.input, scaled(32), 3, 2, 1), "Clip");
  int number = 1;
  for (const Stage& stage : stages) {
    for (int i = 0; i < stage.count; ++i, ++number) {
      x = inverted_residual(b, fmt::format("features.{}", number), x, stage.expansion, scaled(stage.channels),
                            i == 0 ? stage.stride : 1);
    }
  }
  x = relu(b, "features.18.relu", b.conv("features.18", x, width > 1 ? scaled(1280) : 1280, 1, 1, 0), "Clip");
  return b.take({b.linear("classifier", global_average(b, x), 1000, true)});
}

}  // namespace tilewright::zoo
