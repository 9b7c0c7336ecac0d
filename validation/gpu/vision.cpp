#include "validation/gpu/vision.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace tilewright {
namespace {

constexpr std::int64_t image = 224, classes = 1000;

/// A tensor that grows into a network: batch x c x h x h.
class Net {
 public:
  std::int64_t c = 3, h = image;

  Net(std::int64_t batch, GpuPrecision precision, bool training, bool channels_first)
      : batch_(batch), precision_(precision), training_(training), channels_first_(channels_first) {}

  void conv(std::int64_t k, std::int64_t r, std::int64_t stride = 1, std::int64_t pad = -1, std::int64_t groups = 1) {
    ConvKernel kernel;
    kernel.n = batch_;
    kernel.c = c;
    kernel.h = kernel.w = h;
    kernel.k = k;
    kernel.r = kernel.s = r;
    kernel.stride_h = kernel.stride_w = stride;
    kernel.pad_h = kernel.pad_w = pad >= 0 ? pad : (r - 1) / 2;
    kernel.groups = groups;
    kernel.precision = precision_;
    kernel.channels_last = !channels_first_;
    kernels_.push_back({kernel, 1});
    parameter(k * (c / groups) * r * r);
    c = k;
    h = kernel.out_h();
  }
  void bias() {  // added in place behind the convolution
    channels(VectorOp::bias);
    parameter(c);
  }
  /// cuDNN normalises fp32. PyTorch's own kernels take 16-bit scales: moments of each channel, then the planes. Given moments leave the planes alone.
  void norm() {
    const bool own = precision_ == GpuPrecision::fp16;
    if (training_) channels(own ? VectorOp::channel_moments : VectorOp::channel_norm);
    if (own || !training_) vector(VectorOp::plane_norm, batch_ * c, h * h);
    if (training_) counters_ += 1;  // batches tracked
    parameter(c);
    parameter(c);
  }
  void relu() { map(VectorOp::relu); }
  void add() { map(VectorOp::add, 2); }
  void copy() { map(VectorOp::copy); }
  void conv_norm_relu(std::int64_t k, std::int64_t r, std::int64_t stride = 1, std::int64_t groups = 1) {
    conv(k, r, stride, -1, groups);
    norm();
    relu();
  }
  void max_pool(std::int64_t r, std::int64_t stride, std::int64_t pad, bool ceil = false) {
    const std::int64_t span = h + 2 * pad - r;
    h = (ceil ? (span + stride - 1) / stride : span / stride) + 1;
    vector(VectorOp::max_pool, 1, batch_ * c * h * h, stride * stride);
  }
  void mean(std::int64_t to = 1) {
    copy();
    h = to;
  }
  void linear(std::int64_t out) {
    GemmKernel kernel;
    kernel.m = batch_;
    kernel.k = c * h * h;
    kernel.n = out;
    kernel.a_transposed = true;
    kernel.precision = precision_;
    kernels_.push_back({kernel, 1});
    parameter(out * kernel.k);
    parameter(out);
    c = out;
    h = 1;
  }
  void dropout() {
    if (training_) relu();
  }

  std::vector<ModelKernel> take() {
    if (!training_) return std::move(kernels_);
    const std::vector<ModelKernel> backward = backward_kernels(kernels_);
    kernels_.insert(kernels_.end(), backward.begin(), backward.end());
    if (counters_ > 0) kernels_.push_back({VectorKernel{VectorOp::add, 1, 1, 1, precision_}, counters_});
    for (const std::int64_t size : parameters_) {
      vector(VectorOp::copy, 1, size, 0);  // zeros
      vector(VectorOp::add, 1, size, 2);
    }
    return std::move(kernels_);
  }

 private:
  void vector(VectorOp op, std::int64_t rows, std::int64_t cols, std::int64_t inputs = 1) {
    kernels_.push_back({VectorKernel{op, rows, cols, inputs, precision_}, 1});
  }
  void map(VectorOp op, std::int64_t inputs = 1) { vector(op, 1, batch_ * c * h * h, inputs); }
  void channels(VectorOp op) { vector(op, c, batch_ * h * h); }
  void parameter(std::int64_t size) { parameters_.push_back(size); }

  std::int64_t batch_;
  GpuPrecision precision_;
  bool training_, channels_first_;
  std::vector<ModelKernel> kernels_;
  std::vector<std::int64_t> parameters_;
  std::int64_t counters_ = 0;
};

struct ResNet {
  std::string_view name;
  bool bottleneck;
  std::array<int, 4> blocks;
  std::int64_t width;  // of the first stage's 3 x 3 convolutions
};
constexpr std::array resnets{
    ResNet{"resnet18", false, {2, 2, 2, 2}, 64},        ResNet{"resnet34", false, {3, 4, 6, 3}, 64},
    ResNet{"resnet50", true, {3, 4, 6, 3}, 64},         ResNet{"resnet50v1.5", true, {3, 4, 6, 3}, 64},
    ResNet{"resnet101", true, {3, 4, 23, 3}, 64},       ResNet{"resnet152", true, {3, 8, 36, 3}, 64},
    ResNet{"wide_resnet50_2", true, {3, 4, 6, 3}, 128}, ResNet{"wide_resnet101_2", true, {3, 4, 23, 3}, 128},
};

void build(Net& net, const ResNet& model) {
  net.conv_norm_relu(64, 7, 2);
  net.max_pool(3, 2, 1);
  for (std::size_t stage = 0; stage < 4; ++stage) {
    const std::int64_t scale = std::int64_t{1} << stage, width = model.width * scale,
                       out = model.bottleneck ? 256 * scale : width;
    for (int block = 0; block < model.blocks[stage]; ++block) {
      const std::int64_t stride = block == 0 && stage > 0 ? 2 : 1, in = net.c, side = net.h;
      if (model.bottleneck) net.conv_norm_relu(width, 1);
      net.conv_norm_relu(width, 3, stride);
      if (!model.bottleneck) {
        net.conv(out, 3);
      } else {
        net.conv(out, 1);
      }
      net.norm();
      if (in != out || stride != 1) {
        const std::int64_t c = net.c, h = net.h;
        net.c = in;
        net.h = side;
        net.conv(out, 1, stride);
        net.norm();
        net.c = c;
        net.h = h;
      }
      net.add();
      net.relu();
    }
  }
  net.mean();
  net.linear(classes);
}

/// Convolutions of each of the five stages; a name ending in _bn has batch norms.
struct Vgg {
  std::string_view name;
  std::array<int, 5> convs;
};
constexpr std::array vggs{Vgg{"vgg11", {1, 1, 2, 2, 2}}, Vgg{"vgg13", {2, 2, 2, 2, 2}}, Vgg{"vgg16", {2, 2, 3, 3, 3}},
                          Vgg{"vgg19", {2, 2, 4, 4, 4}}};

void build(Net& net, const Vgg& model, bool norms) {
  for (std::size_t stage = 0; stage < 5; ++stage) {
    for (int i = 0; i < model.convs[stage]; ++i) {
      net.conv(std::min<std::int64_t>(512, 64 << stage), 3);
      net.bias();
      if (norms) net.norm();
      net.relu();
    }
    net.max_pool(2, 2, 0);
  }
  net.mean(7);
  for (const std::int64_t width : {4096, 4096}) {
    net.linear(width);
    net.relu();
    net.dropout();
  }
  net.linear(classes);
}

void fire(Net& net, std::int64_t squeeze, std::int64_t expand) {
  net.conv(squeeze, 1);
  net.bias();
  net.relu();
  for (const std::int64_t r : {1, 3}) {
    net.c = squeeze;
    net.conv(expand, r);
    net.bias();
    net.relu();
  }
  net.c = 2 * expand;
  net.copy();  // concatenation
}

void build_squeezenet(Net& net, bool first_version) {
  net.conv(first_version ? 96 : 64, first_version ? 7 : 3, 2, 0);
  net.bias();
  net.relu();
  constexpr std::array<std::int64_t, 8> squeeze{16, 16, 32, 32, 48, 48, 64, 64};
  for (std::size_t i = 0; i < squeeze.size(); ++i) {
    const bool pooled = first_version ? i == 0 || i == 3 || i == 7 : i == 0 || i == 2 || i == 4;
    if (pooled) net.max_pool(3, 2, 0, true);
    fire(net, squeeze[i], 4 * squeeze[i]);
  }
  net.dropout();
  net.conv(classes, 1);
  net.bias();
  net.relu();
  net.mean();
}

/// Multiple of 8, at least 0.9 of the value.
std::int64_t rounded(double value) {
  const auto near = std::max<std::int64_t>(8, static_cast<std::int64_t>(value + 4) / 8 * 8);
  return static_cast<double>(near) < 0.9 * value ? near + 8 : near;
}

void build_mnasnet(Net& net, double alpha) {
  net.conv_norm_relu(rounded(32 * alpha), 3, 2);
  net.conv_norm_relu(net.c, 3, 1, net.c);
  net.conv(rounded(16 * alpha), 1);
  net.norm();
  struct Stack {
    std::int64_t out, kernel, stride, expansion;
    int repeats;
  };
  for (const Stack& s : {Stack{24, 3, 2, 3, 3}, Stack{40, 5, 2, 3, 3}, Stack{80, 5, 2, 6, 3}, Stack{96, 3, 1, 6, 2},
                         Stack{192, 5, 2, 6, 4}, Stack{320, 3, 1, 6, 1}}) {
    for (int i = 0; i < s.repeats; ++i) {
      const std::int64_t in = net.c, out = rounded(static_cast<double>(s.out) * alpha);
      const std::int64_t stride = i == 0 ? s.stride : 1;
      net.conv_norm_relu(in * s.expansion, 1);
      net.conv_norm_relu(net.c, s.kernel, stride, net.c);
      net.conv(out, 1);
      net.norm();
      if (in == out && stride == 1) net.add();
    }
  }
  net.conv_norm_relu(1280, 1);
  net.mean();
  net.dropout();
  net.linear(classes);
}

void build_shufflenet(Net& net, const std::array<std::int64_t, 3>& widths, std::int64_t last) {
  net.conv_norm_relu(24, 3, 2);
  net.max_pool(3, 2, 1);
  for (std::size_t stage = 0; stage < widths.size(); ++stage) {
    const std::int64_t half = widths[stage] / 2;
    const int repeats = stage == 1 ? 8 : 4;
    for (int i = 0; i < repeats; ++i) {
      const std::int64_t in = net.c, side = net.h, stride = i == 0 ? 2 : 1;
      if (stride == 2) {  // the left branch shrinks as well
        net.conv(in, 3, 2, 1, in);
        net.norm();
        net.conv_norm_relu(half, 1);
        net.c = in;
        net.h = side;
      } else {
        net.c = half;
      }
      net.conv_norm_relu(half, 1);
      net.conv(half, 3, stride, 1, half);
      net.norm();
      net.conv_norm_relu(half, 1);
      net.c = 2 * half;
      net.copy();  // concatenation
      net.copy();  // shuffle
    }
  }
  net.conv_norm_relu(last, 1);
  net.mean();
  net.linear(classes);
}

bool build(Net& net, std::string_view name) {
  if (const auto model = std::ranges::find(resnets, name, &ResNet::name); model != resnets.end()) {
    build(net, *model);
    return true;
  }
  const bool norms = name.ends_with("_bn");
  const std::string_view plain = norms ? name.substr(0, name.size() - 3) : name;
  if (const auto model = std::ranges::find(vggs, plain, &Vgg::name); model != vggs.end()) {
    build(net, *model, norms);
    return true;
  }
  struct Mnas {
    std::string_view name;
    double alpha;
  };
  for (const Mnas& m :
       {Mnas{"mnasnet0_5", 0.5}, Mnas{"mnasnet0_75", 0.75}, Mnas{"mnasnet1_0", 1}, Mnas{"mnasnet1_3", 1.3}})
    if (m.name == name) return build_mnasnet(net, m.alpha), true;
  struct Shuffle {
    std::string_view name;
    std::array<std::int64_t, 3> widths;
    std::int64_t last;
  };
  for (const Shuffle& s :
       {Shuffle{"shufflenet_v2_x0_5", {48, 96, 192}, 1024}, Shuffle{"shufflenet_v2_x1_0", {116, 232, 464}, 1024},
        Shuffle{"shufflenet_v2_x1_5", {176, 352, 704}, 1024}, Shuffle{"shufflenet_v2_x2_0", {244, 488, 976}, 2048}})
    if (s.name == name) return build_shufflenet(net, s.widths, s.last), true;
  if (name != "squeezenet1_0" && name != "squeezenet1_1") return false;
  build_squeezenet(net, name == "squeezenet1_0");
  return true;
}

}  // namespace

std::optional<std::vector<ModelKernel>> vision_kernels(std::string_view model, std::int64_t batch,
                                                       GpuPrecision precision, bool training, bool channels_first) {
  Net net(batch, precision, training, channels_first);
  if (!build(net, model)) return std::nullopt;
  return net.take();
}

}  // namespace tilewright
