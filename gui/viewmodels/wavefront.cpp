#include "gui/viewmodels/wavefront.hpp"

#include <algorithm>

namespace tilewright::gui {
namespace {

constexpr std::int64_t most = 16;  // rows, columns and streamed words that can be followed by eye

const char* name_of(ArrayDataflow dataflow) {
  switch (dataflow) {
    case ArrayDataflow::weight_stationary: return "weight stationary";
    case ArrayDataflow::output_stationary: return "output stationary";
    case ArrayDataflow::input_stationary: return "input stationary";
    case ArrayDataflow::row_stationary: return "row stationary";
  }
  return "";
}

/// Any words do: the picture shows which of them meet.
Matrix numbered(std::int64_t rows, std::int64_t cols) {
  Matrix matrix(rows, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) matrix.at(r, c) = static_cast<double>((r + c) % 7 - 3);
  }
  return matrix;
}

}  // namespace

std::optional<PeArrayRequest> wavefront_request(const Evaluation& evaluation, const Chip& chip) {
  const auto* array = std::get_if<SystolicParameters>(&chip.parameters);
  const Problem& problem = evaluation.problem;
  if (array == nullptr || array->dataflow == ArrayDataflow::row_stationary || problem.compute != Compute::mac ||
      problem.operands.size() != 3)
    return std::nullopt;
  std::int64_t m = 1, n = 1, k = 1;  // rows of the streamed operand, columns of the weights, terms of a sum
  const Operand& result = problem.operands.back();
  const Operand* weights = &problem.operands[1];
  for (const Operand& operand : problem.operands) {
    if (operand.role == Role::weight) weights = &operand;
  }
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    const int dim = static_cast<int>(d);
    std::int64_t& size = !relevant(result, dim) ? k : relevant(*weights, dim) ? n : m;
    size = std::min(most, size * std::min(most, problem.dims[d].bound));
  }
  PeArrayRequest request;
  request.rows = std::min(most, array->rows);
  request.cols = std::min(most, array->cols);
  request.dataflow = array->dataflow;
  const bool output = array->dataflow == ArrayDataflow::output_stationary,
             input = array->dataflow == ArrayDataflow::input_stationary;
  // One fold: what stays fits on the array.
  if (output) m = std::min(m, request.rows);
  if (!output) k = std::min(k, request.rows);
  if (input) m = std::min(m, request.cols);
  if (!input) n = std::min(n, request.cols);
  request.a = numbered(m, k);
  request.b = numbered(k, n);
  return request;
}

WavefrontPtr wavefront(PeArrayRequest request, const Chip& chip) {
  auto shown = std::make_shared<Wavefront>();
  shown->rows = request.rows;
  shown->cols = request.cols;
  if (const auto* array = std::get_if<SystolicParameters>(&chip.parameters)) {
    shown->chip_rows = array->rows;
    shown->chip_cols = array->cols;
  }
  shown->m = request.a.rows;
  shown->n = request.b.cols;
  shown->k = request.a.cols;
  shown->dataflow = name_of(request.dataflow);
  request.on_frame = [&](const ArrayFrame& frame) { shown->frames.push_back(frame); };
  shown->formula_cycles = pe_array_cycles(request).total();
  shown->result = simulate_pe_array(request);
  return shown;
}

}  // namespace tilewright::gui
