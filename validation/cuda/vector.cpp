#include "validation/cuda/operators.hpp"

namespace tilewright::cuda {
namespace {

VectorOperator operator_of(const std::string& op) {
  if (op == "add") return VectorOperator::add;
  if (op == "relu") return VectorOperator::relu;
  if (op == "gelu") return VectorOperator::gelu;
  return op == "softmax" ? VectorOperator::softmax : VectorOperator::layernorm;
}

}  // namespace

Measurement measure_vector(Meter& meter, const Shape& shape, std::uint64_t seed) {
  const VectorOperator op = operator_of(shape.word("op"));
  const Element element = element_of(shape.word("dtype"));
  const std::int64_t rows = shape.side("rows"), cols = shape.side("cols");
  const auto count = static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
  const Buffer a(count, element, seed, meter.stream()),
      b(op == VectorOperator::add ? count : 1, element, seed + count, meter.stream()),
      out(count, element, seed, meter.stream());
  Measurement measurement = meter.measure(
      [&](cudaStream_t stream) { vector_operator(op, element, out.get(), a.get(), b.get(), rows, cols, stream); });
  measurement.kernel = "tilewright";
  return measurement;
}

}  // namespace tilewright::cuda
