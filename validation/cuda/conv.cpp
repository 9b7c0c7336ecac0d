// Convolutions by cuDNN, the fastest algorithm that its heuristic names and that fits the workspace.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "validation/cuda/operators.hpp"

namespace tilewright::cuda {
namespace {

constexpr std::size_t most_workspace = std::size_t{1} << 30;

template <class Handle, cudnnStatus_t (*create)(Handle*), cudnnStatus_t (*destroy)(Handle)>
class Owned {
 public:
  Owned() { check(create(&handle_), "cudnn create"); }
  ~Owned() { destroy(handle_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Handle get() const { return handle_; }

 private:
  Handle handle_ = nullptr;
};
using Library = Owned<cudnnHandle_t, cudnnCreate, cudnnDestroy>;
using Tensor = Owned<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using Filter = Owned<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using Convolution =
    Owned<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;

struct Passes {
  Library library;
  Tensor input, output;
  Filter filter;
  Convolution convolution;
};

/// The first usable entry of a heuristic's list, its math type made that of the convolution: but for fp32, which stays without tensor cores. tf32 needs an entry that uses them.
/// Its workspace is asked for anew: the list may name too little (depthwise in 16 bits, cuDNN 9.19).
template <class Entry>
const Entry& take_first(const std::array<Entry, 16>& entries, int count, const std::string& dtype,
                        const Convolution& convolution) {
  for (int i = 0; i < count; ++i) {
    const Entry& entry = entries[static_cast<std::size_t>(i)];
    if (entry.status != CUDNN_STATUS_SUCCESS || entry.memory > most_workspace) continue;
    if (dtype == "tf32" && entry.mathType == CUDNN_FMA_MATH) continue;
    if (dtype != "fp32") check(cudnnSetConvolutionMathType(convolution.get(), entry.mathType), "math type");
    return entry;
  }
  throw Unsupported("cuDNN has no algorithm for this shape on this GPU");
}

}  // namespace

Measurement measure_conv(Meter& meter, const Shape& shape, std::uint64_t seed) {
  const std::string &dtype = shape.word("dtype"), &phase = shape.word("phase");
  const auto side = [&](const char* column) { return static_cast<int>(shape.side(column)); };
  const bool half = dtype == "fp16" || dtype == "bf16";
  const cudnnDataType_t type = dtype == "fp16"   ? CUDNN_DATA_HALF
                               : dtype == "bf16" ? CUDNN_DATA_BFLOAT16
                                                 : CUDNN_DATA_FLOAT;
  const cudnnTensorFormat_t format = shape.word("layout") == "NHWC" ? CUDNN_TENSOR_NHWC : CUDNN_TENSOR_NCHW;
  const int filter_channels = side("c") / side("groups");

  Passes p;
  check(cudnnSetStream(p.library.get(), meter.stream().get()), "cudnnSetStream");
  check(cudnnSetTensor4dDescriptor(p.input.get(), format, type, side("n"), side("c"), side("h"), side("w")), "input");
  check(cudnnSetFilter4dDescriptor(p.filter.get(), type, format, side("k"), filter_channels, side("r"), side("s")),
        "filter");
  check(cudnnSetConvolution2dDescriptor(p.convolution.get(), side("pad_h"), side("pad_w"), side("stride_h"),
                                        side("stride_w"), 1, 1, CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
        "convolution");
  check(cudnnSetConvolutionGroupCount(p.convolution.get(), side("groups")), "groups");
  const cudnnMathType_t math = half ? CUDNN_TENSOR_OP_MATH : dtype == "tf32" ? CUDNN_DEFAULT_MATH : CUDNN_FMA_MATH;
  check(cudnnSetConvolutionMathType(p.convolution.get(), math), "math type");
  int n = 0, k = 0, h = 0, w = 0;
  check(cudnnGetConvolution2dForwardOutputDim(p.convolution.get(), p.input.get(), p.filter.get(), &n, &k, &h, &w),
        "output extents");
  check(cudnnSetTensor4dDescriptor(p.output.get(), format, type, n, k, h, w), "output");

  const auto count = [](std::initializer_list<int> extents) {
    std::size_t product = 1;
    for (const int extent : extents) product *= static_cast<std::size_t>(extent);
    return product;
  };
  const Element element = element_of(dtype);
  const Buffer input(count({side("n"), side("c"), side("h"), side("w")}), element, seed, meter.stream());
  const Buffer filter(count({side("k"), filter_channels, side("r"), side("s")}), element, seed + 1, meter.stream());
  const Buffer output(count({n, k, h, w}), element, seed + 2, meter.stream());

  const float one = 1, zero = 0;
  std::optional<Buffer> workspace;
  Measurement measurement;
  int listed = 0;
  if (phase == "fwd") {
    std::array<cudnnConvolutionFwdAlgoPerf_t, 16> entries{};
    check(cudnnGetConvolutionForwardAlgorithm_v7(p.library.get(), p.input.get(), p.filter.get(), p.convolution.get(),
                                                 p.output.get(), static_cast<int>(entries.size()), &listed,
                                                 entries.data()),
          "forward algorithms");
    const auto chosen = take_first(entries, listed, dtype, p.convolution);
    std::size_t asked = 0;
    check(cudnnGetConvolutionForwardWorkspaceSize(p.library.get(), p.input.get(), p.filter.get(), p.convolution.get(),
                                                  p.output.get(), chosen.algo, &asked),
          "workspace");
    workspace.emplace(std::max(chosen.memory, asked));
    measurement = meter.measure([&](cudaStream_t) {
      check(cudnnConvolutionForward(p.library.get(), &one, p.input.get(), input.get(), p.filter.get(), filter.get(),
                                    p.convolution.get(), chosen.algo, workspace->get(), workspace->bytes(), &zero,
                                    p.output.get(), output.get()),
            "cudnnConvolutionForward");
    });
    measurement.kernel = fmt::format("cudnn_fwd_algo{}", static_cast<int>(chosen.algo));
  } else if (phase == "bwd_data") {
    std::array<cudnnConvolutionBwdDataAlgoPerf_t, 16> entries{};
    check(cudnnGetConvolutionBackwardDataAlgorithm_v7(p.library.get(), p.filter.get(), p.output.get(),
                                                      p.convolution.get(), p.input.get(),
                                                      static_cast<int>(entries.size()), &listed, entries.data()),
          "backward data algorithms");
    const auto chosen = take_first(entries, listed, dtype, p.convolution);
    std::size_t asked = 0;
    check(cudnnGetConvolutionBackwardDataWorkspaceSize(p.library.get(), p.filter.get(), p.output.get(),
                                                       p.convolution.get(), p.input.get(), chosen.algo, &asked),
          "workspace");
    workspace.emplace(std::max(chosen.memory, asked));
    measurement = meter.measure([&](cudaStream_t) {
      check(cudnnConvolutionBackwardData(p.library.get(), &one, p.filter.get(), filter.get(), p.output.get(),
                                         output.get(), p.convolution.get(), chosen.algo, workspace->get(),
                                         workspace->bytes(), &zero, p.input.get(), input.get()),
            "cudnnConvolutionBackwardData");
    });
    measurement.kernel = fmt::format("cudnn_bwd_data_algo{}", static_cast<int>(chosen.algo));
  } else {
    std::array<cudnnConvolutionBwdFilterAlgoPerf_t, 16> entries{};
    check(cudnnGetConvolutionBackwardFilterAlgorithm_v7(p.library.get(), p.input.get(), p.output.get(),
                                                        p.convolution.get(), p.filter.get(),
                                                        static_cast<int>(entries.size()), &listed, entries.data()),
          "backward filter algorithms");
    const auto chosen = take_first(entries, listed, dtype, p.convolution);
    std::size_t asked = 0;
    check(cudnnGetConvolutionBackwardFilterWorkspaceSize(p.library.get(), p.input.get(), p.output.get(),
                                                         p.convolution.get(), p.filter.get(), chosen.algo, &asked),
          "workspace");
    workspace.emplace(std::max(chosen.memory, asked));
    measurement = meter.measure([&](cudaStream_t) {
      check(cudnnConvolutionBackwardFilter(p.library.get(), &one, p.input.get(), input.get(), p.output.get(),
                                           output.get(), p.convolution.get(), chosen.algo, workspace->get(),
                                           workspace->bytes(), &zero, p.filter.get(), filter.get()),
            "cudnnConvolutionBackwardFilter");
    });
    measurement.kernel = fmt::format("cudnn_bwd_filter_algo{}", static_cast<int>(chosen.algo));
  }
  return measurement;
}

}  // namespace tilewright::cuda
