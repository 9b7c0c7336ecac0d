// Layers at work at once: stages joined by FIFOs, as tile transactions of a row or a part of one.
#pragma once

#include <memory>

#include "sim/cost/evaluation.hpp"
#include "sim/twin/program.hpp"

namespace tilewright {

/// What of another stage's result a stage reads. Row k of its own result needs the rows before k x stride + window - padding;
/// those before (k + 1) x stride - padding are not needed again. Columns alike.
struct StageInput {
  std::size_t from = 0;     // a stage before this one
  std::int64_t window = 0;  // 0: in proportion, part k of n needs the first (k + 1) / n of the result
  std::int64_t stride = 1, padding = 0;
  std::int64_t fifo = -1;          // rows that fit between the two, besides a window; -1: a whole sample
  std::int64_t column_window = 0;  // 0: whole rows
  std::int64_t column_stride = 1, column_padding = 0;
};

/// The whole input before the first row, held until the last one.
constexpr StageInput whole_input(std::size_t from, std::int64_t rows) { return {from, rows, 0, 0, -1}; }

/// A kernel whose words a stage moves, a row's share at a time. The evaluation outlives the program.
struct StageKernel {
  const Evaluation* evaluation = nullptr;
  std::int64_t repeat = 1;
};

struct PipelineStage {
  std::string layer;
  std::int32_t row = 0;   // of the report
  std::int64_t rows = 1;  // of the result of a sample
  std::int64_t columns = 1,
               pieces = 1;  // of a row: elements, and equal parts in which it is handed on (at most the columns)
  Ticks ticks = 0;          // at work for a frame, all samples, all rows alike
  Ticks latency = 0;        // a row is there so long after the work on it has ended: pipeline registers
  std::vector<StageInput> inputs;
  std::vector<StageKernel> kernels;
  /// A source is no layer but rows of an operand that the outermost level sends to the stage after it: nothing but `rows`, `columns` and `pieces` counts.
  struct Source {
    std::size_t stage = 0, kernel = 0, operand = 0;
  };
  std::optional<Source> source;
};

/// Every stage is a resource of its own and works on piece after piece of its rows; before one come the inputs that it needs, its share of the weights that
/// are not resident, and room for the result in the FIFOs behind it. Stages share the outermost level and the inner levels with a
/// bandwidth, in turn. `frames` of `samples` each follow one another without a gap; the kernels' words are those of a frame.
/// Kernels are numbered through the stages that are no sources, at least one a stage.
/// Precondition: stages in the order of data flow, rows >= 1. While it is played: PlayError where no stage can go on, naming who
/// waits for whom.
std::unique_ptr<Program> pipelined_program(std::vector<PipelineStage> stages, const Chip& chip, std::int64_t samples,
                                           std::int64_t frames);

}  // namespace tilewright
