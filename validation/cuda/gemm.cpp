// Products by cuBLASLt, the first algorithm of its heuristic: what a framework gets.
#include <fmt/format.h>

#include <optional>

#include "validation/cuda/operators.hpp"

namespace tilewright::cuda {
namespace {

constexpr std::size_t workspace_bytes = 32 << 20;  // what NVIDIA recommends for Hopper; PyTorch uses as much

/// An object of the library: made and destroyed by its functions.
template <class Handle, cublasStatus_t (*destroy)(Handle)>
class Owned {
 public:
  Owned() = default;
  ~Owned() {
    if (handle_ != nullptr) destroy(handle_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }

 private:
  Handle handle_ = nullptr;
};
using Library = Owned<cublasLtHandle_t, cublasLtDestroy>;
using Product = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

struct Types {
  cudaDataType_t operand, result, scale;
  cublasComputeType_t compute;
  std::size_t result_size;
};

Types types_of(const std::string& dtype) {
  if (dtype == "fp32") return {CUDA_R_32F, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, 4};
  if (dtype == "tf32") return {CUDA_R_32F, CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, 4};
  if (dtype == "fp16") return {CUDA_R_16F, CUDA_R_16F, CUDA_R_32F, CUBLAS_COMPUTE_32F, 2};
  if (dtype == "bf16") return {CUDA_R_16BF, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F, 2};
  if (dtype == "fp8") return {CUDA_R_8F_E4M3, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F, 2};
  return {CUDA_R_8I, CUDA_R_32I, CUDA_R_32I, CUBLAS_COMPUTE_32I, 4};
}

/// Column-major, as stored: `rows` is the leading dimension.
void make_layout(Layout& layout, cudaDataType_t type, std::int64_t rows, std::int64_t cols, std::int64_t batch) {
  check(cublasLtMatrixLayoutCreate(layout.out(), type, static_cast<std::uint64_t>(rows),
                                   static_cast<std::uint64_t>(cols), rows),
        "cublasLtMatrixLayoutCreate");
  const auto count = static_cast<std::int32_t>(batch);
  const std::int64_t stride = rows * cols;
  check(cublasLtMatrixLayoutSetAttribute(layout.get(), CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof count),
        "batch count");
  check(cublasLtMatrixLayoutSetAttribute(layout.get(), CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                         sizeof stride),
        "batch offset");
}

/// "cublaslt_algo66_tile20_stages21_splitk1"
std::string algorithm_name(const cublasLtMatmulAlgo_t& algorithm) {
  const auto value = [&](cublasLtMatmulAlgoConfigAttributes_t attribute) {
    std::int32_t number = 0;
    check(cublasLtMatmulAlgoConfigGetAttribute(&algorithm, attribute, &number, sizeof number, nullptr),
          "cublasLtMatmulAlgoConfigGetAttribute");
    return number;
  };
  return fmt::format("cublaslt_algo{}_tile{}_stages{}_splitk{}", value(CUBLASLT_ALGO_CONFIG_ID),
                     value(CUBLASLT_ALGO_CONFIG_TILE_ID), value(CUBLASLT_ALGO_CONFIG_STAGES_ID),
                     value(CUBLASLT_ALGO_CONFIG_SPLITK_NUM));
}

}  // namespace

Measurement measure_gemm(Meter& meter, const Shape& shape, std::uint64_t seed) {
  const std::string& dtype = shape.word("dtype");
  const std::int64_t batch = shape.side("batch"), m = shape.side("m"), n = shape.side("n"), k = shape.side("k");
  const Types types = types_of(dtype);
  const Element element = element_of(dtype);
  const auto count = [&](std::int64_t rows, std::int64_t cols) {
    return static_cast<std::size_t>(batch) * static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  };

  Library library;
  check(cublasLtCreate(library.out()), "cublasLtCreate");
  Product product;
  check(cublasLtMatmulDescCreate(product.out(), types.compute, types.scale), "cublasLtMatmulDescCreate");
  // The library computes the transpose of our result: its first operand is our B (the weights, n x k), its second our A.
  const bool first_transposed = shape.word("layout")[0] == 'T', second_transposed = shape.word("layout")[1] == 'T';
  const cublasOperation_t first = first_transposed ? CUBLAS_OP_T : CUBLAS_OP_N,
                          second = second_transposed ? CUBLAS_OP_T : CUBLAS_OP_N;
  check(cublasLtMatmulDescSetAttribute(product.get(), CUBLASLT_MATMUL_DESC_TRANSA, &first, sizeof first), "transa");
  check(cublasLtMatmulDescSetAttribute(product.get(), CUBLASLT_MATMUL_DESC_TRANSB, &second, sizeof second), "transb");

  const Buffer b(count(k, n), element, seed, meter.stream()),
      a(count(m, k), element, seed + count(k, n), meter.stream());
  const Buffer c(count(m, n) * types.result_size), workspace(workspace_bytes);
  std::optional<Buffer> bias;
  if (shape.word("epilogue") == "bias") {
    if (dtype == "int8") throw Unsupported("32-bit integer results have no bias");
    bias.emplace(static_cast<std::size_t>(n),
                 types.result_size == 4 ? Element::fp32
                 : dtype == "fp16"      ? Element::fp16
                                        : Element::bf16,
                 seed, meter.stream());
    const cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_BIAS;
    const void* pointer = bias->get();
    check(cublasLtMatmulDescSetAttribute(product.get(), CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof epilogue),
          "epilogue");
    check(cublasLtMatmulDescSetAttribute(product.get(), CUBLASLT_MATMUL_DESC_BIAS_POINTER, &pointer, sizeof pointer),
          "bias");
  }

  Layout weights, activations, results;
  make_layout(weights, types.operand, first_transposed ? k : n, first_transposed ? n : k, batch);
  make_layout(activations, types.operand, second_transposed ? m : k, second_transposed ? k : m, batch);
  make_layout(results, types.result, n, m, batch);
  Preference preference;
  check(cublasLtMatmulPreferenceCreate(preference.out()), "cublasLtMatmulPreferenceCreate");
  check(cublasLtMatmulPreferenceSetAttribute(preference.get(), CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                             &workspace_bytes, sizeof workspace_bytes),
        "workspace");
  cublasLtMatmulHeuristicResult_t chosen{};
  int found = 0;
  check(cublasLtMatmulAlgoGetHeuristic(library.get(), product.get(), weights.get(), activations.get(), results.get(),
                                       results.get(), preference.get(), 1, &chosen, &found),
        "cublasLtMatmulAlgoGetHeuristic");
  if (found == 0) throw Unsupported("cuBLASLt has no algorithm for this shape on this GPU");

  const float one = 1, zero = 0;
  const std::int32_t whole_one = 1, whole_zero = 0;
  const bool whole = types.scale == CUDA_R_32I;
  const void *alpha = whole ? static_cast<const void*>(&whole_one) : &one,
             *beta = whole ? static_cast<const void*>(&whole_zero) : &zero;
  Measurement measurement = meter.measure([&](cudaStream_t stream) {
    check(cublasLtMatmul(library.get(), product.get(), alpha, b.get(), weights.get(), a.get(), activations.get(), beta,
                         c.get(), results.get(), c.get(), results.get(), &chosen.algo, workspace.get(),
                         workspace.bytes(), stream),
          "cublasLtMatmul");
  });
  measurement.kernel = algorithm_name(chosen.algo);
  return measurement;
}

}  // namespace tilewright::cuda
