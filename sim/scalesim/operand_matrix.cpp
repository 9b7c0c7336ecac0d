#include "sim/scalesim/operand_matrix.hpp"

#include "core/checked.hpp"

namespace tilewright {

OperandMatrix ifmap_operand(const ScaleSimLayer& layer) {
  OperandMatrix operand;
  operand.vectors = layer.m();
  operand.length = layer.k();
  operand.height = layer.ifmap_h;
  operand.width = layer.ifmap_w;
  operand.channels = layer.channels;
  operand.words = checked_mul(checked_mul(layer.ifmap_h, layer.ifmap_w), layer.channels);
  operand.windows_across = layer.ofmap_w();
  operand.stride_h = layer.stride_h;
  operand.stride_w = layer.stride_w;
  operand.row_length = checked_mul(layer.filter_w, layer.channels);
  return operand;
}

OperandMatrix filter_operand(const ScaleSimLayer& layer) {
  OperandMatrix operand;
  operand.vectors = operand.height = layer.n();
  operand.length = operand.channels = operand.row_length = layer.k();
  operand.words = checked_mul(layer.n(), layer.k());
  return operand;
}

std::int64_t words_in_line(const FoldDemand& fold, std::int64_t line) {
  const std::int64_t x = line - fold.base;
  if (x < 0) return 0;
  return std::max<std::int64_t>(0,
                                std::min(x, fold.vectors - 1) - std::max<std::int64_t>(0, x - fold.elements + 1) + 1);
}

std::int64_t last_line(const OperandMatrix& operand, const std::vector<FoldDemand>& folds) {
  for (auto fold = folds.rbegin(); fold != folds.rend(); ++fold) {
    std::int64_t last = -1;
    for (std::int64_t v = 0; v < fold->vectors; ++v) {
      operand.visit_runs(fold->first_vector + v, fold->first_element, fold->first_element + fold->elements,
                         [&](std::int64_t, std::int64_t count, std::int64_t element) {
                           const std::int64_t e = element - fold->first_element;
                           last = std::max(
                               last, fold->entry == Entry::loaded ? fold->base - e : fold->base + v + e + count - 1);
                         });
    }
    if (last >= 0) return last;
  }
  return -1;
}

}  // namespace tilewright
