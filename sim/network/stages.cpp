#include "sim/network/stages.hpp"

#include <algorithm>

#include "core/checked.hpp"
#include "sim/network/ports.hpp"
#include "sim/network/shadows.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_pieces =
    2048;  // of a sample: rows are cut into fewer parts, and one of a larger result stands for several

const std::vector<Window>* windows_of(const Operator& work) {
  if (const auto* conv = std::get_if<Conv>(&work)) return &conv->axes;
  if (const auto* pool = std::get_if<Pool>(&work)) return &pool->axes;
  return nullptr;
}

const Problem* main_problem(const LayerEvaluation& layer) {
  for (const auto& [evaluation, repeat] : layer.kernels) {
    if (evaluation.problem.compute == Compute::mac) return &evaluation.problem;
  }
  return layer.kernels.empty() ? nullptr : &layer.kernels.front().first.problem;
}

bool sums_over_positions(const Operator& work) {
  return std::holds_alternative<Reduce>(work) || std::holds_alternative<Recurrent>(work);
}

/// Rows of a layer's result, all samples; 0: those of its first input.
std::int64_t rows_of(const Layer& layer, const LayerEvaluation& evaluation) {
  if (const auto* axes = windows_of(layer.work)) {
    const Problem* problem = main_problem(evaluation);
    const int n = problem == nullptr ? -1 : problem->dim("N");
    return checked_mul(axes->front().out, n < 0 ? 1 : problem->dims[static_cast<std::size_t>(n)].bound);
  }
  const Problem* problem = main_problem(evaluation);
  if (problem != nullptr && problem->compute == Compute::mac && !std::holds_alternative<Recurrent>(layer.work)) {
    std::int64_t rows = 1;
    for (const char* name : {"B", "B2", "M"}) {
      if (const int d = problem->dim(name); d >= 0)
        rows = checked_mul(rows, problem->dims[static_cast<std::size_t>(d)].bound);
    }
    return rows;
  }
  return sums_over_positions(layer.work) ? 1 : 0;
}

/// Work on all lanes: of a kernel and those in its shadow the longest.
Cycles lane_time(const LayerEvaluation& layer, const std::vector<bool>& fused) {
  std::vector<RunTime> runs;
  for (std::size_t k = 0; k < layer.kernels.size(); ++k) {
    const auto& [evaluation, repeat] = layer.kernels[k];
    runs.push_back({fused[k], static_cast<double>(repeat) * evaluation.compute.cycles, {}, {}});
  }
  return time_in_shadows(runs);
}

Ticks depth_of(const LayerEvaluation& layer, const std::vector<bool>& fused) {
  std::vector<RunTime> runs;
  for (std::size_t k = 0; k < layer.kernels.size(); ++k)
    runs.push_back({fused[k], layer.kernels[k].first.compute.fill_drain, {}, {}});
  return ticks_of(time_in_shadows(runs));
}

/// Rows are handed on column by column, or in as many equal parts as there may be.
void set_pieces(PipelineStage& stage, std::int64_t columns) {
  stage.columns = columns;
  stage.pieces = std::clamp<std::int64_t>(most_pieces / stage.rows, 1, columns);
}

/// The first operand that the outermost level hands to an activation of the layer.
std::optional<PipelineStage::Source> source_of(const LayerEvaluation& layer) {
  for (std::size_t k = 0; k < layer.kernels.size(); ++k) {
    const Evaluation& e = layer.kernels[k].first;
    for (std::size_t o = 0; o < e.problem.operands.size(); ++o) {
      if (e.problem.operands[o].role == Role::input && e.counts.levels.front()[o].reads > 0)
        return PipelineStage::Source{0, k, o};
    }
  }
  return std::nullopt;
}

}  // namespace

Stages stages_of(const WorkloadGraph& graph, const std::vector<LayerEvaluation>& layers,
                 const std::vector<std::vector<bool>>& fused, std::int64_t fifo_rows) {
  const std::size_t count = graph.layers.size();
  std::vector<int> producer(graph.tensors.size(), -1);
  for (std::size_t l = 0; l < count; ++l) {
    for (const TensorId id : graph.layers[l].outputs)
      producer[static_cast<std::size_t>(storage_of(graph, id))] = static_cast<int>(l);
  }
  const auto storage = [&](TensorId id) { return static_cast<std::size_t>(storage_of(graph, id)); };
  const auto is_activation = [&](TensorId id) { return graph.tensors[storage(id)].kind != TensorKind::weight; };

  Stages result;
  std::vector<std::int64_t> rows(count), columns(count, 1);
  for (std::size_t l = 0; l < count; ++l) {
    rows[l] = rows_of(graph.layers[l], layers[l]);
    const auto* axes = windows_of(graph.layers[l].work);
    if (axes != nullptr && axes->size() == 2) columns[l] = axes->back().out;
    for (const TensorId id : graph.layers[l].inputs) {
      if (rows[l] != 0 || !is_activation(id) || producer[storage(id)] < 0) continue;
      rows[l] = rows[static_cast<std::size_t>(producer[storage(id)])];
      columns[l] = columns[static_cast<std::size_t>(producer[storage(id)])];
    }
    if (rows[l] == 0) rows[l] = graph.batch;
  }
  const bool by_sample = std::ranges::all_of(rows, [&](std::int64_t r) { return r % graph.batch == 0; });
  result.samples = by_sample ? graph.batch : 1;

  Cycles pace;
  for (std::size_t l = 0; l < count; ++l) pace += lane_time(layers[l], fused[l]);
  std::vector<std::size_t> stage_of(count);
  for (std::size_t l = 0; l < count; ++l) {
    const Layer& layer = graph.layers[l];
    PipelineStage stage;
    stage.layer = layers[l].name;
    stage.row = static_cast<std::int32_t>(l);
    const std::int64_t own = rows[l] / result.samples;
    stage.rows = std::min(own, most_pieces);
    set_pieces(stage, columns[l]);
    stage.ticks = lane_time(layers[l], fused[l]).value > 0 ? ticks_of(pace) : 0;
    stage.latency = depth_of(layers[l], fused[l]);
    for (const auto& [evaluation, repeat] : layers[l].kernels) stage.kernels.push_back({&evaluation, repeat});
    const auto* axes = windows_of(layer.work);
    const Problem* problem = main_problem(layers[l]);
    const bool second_activation = problem != nullptr && problem->compute == Compute::mac &&
                                   std::ranges::count(problem->operands, Role::input, &Operand::role) > 1;
    const auto input = [&](std::size_t from, std::size_t position) {
      StageInput in{from, 0, 1, 0, fifo_rows};
      const PipelineStage& made = result.stages[from];
      const std::int64_t producer_rows = made.rows;
      const bool rows_match = axes != nullptr && stage.rows == axes->front().out && producer_rows == axes->front().in;
      if (position == 0 && rows_match) {
        const auto extent = [](const Window& w) { return (w.kernel - 1) * w.dilation + 1; };
        const auto padding = [&](const Window& w) {
          return std::max<std::int64_t>(0, (w.out - 1) * w.stride + extent(w) - w.in) / 2;
        };
        in.window = extent(axes->front());
        in.stride = axes->front().stride;
        in.padding = padding(axes->front());
        if (const Window& w = axes->back(); axes->size() == 2 && made.columns == w.in) {
          in.column_window = extent(w);
          in.column_stride = w.stride;
          in.column_padding = padding(w);
        }
      } else if (position > 0 && second_activation) {
        in = whole_input(from, producer_rows);
      } else if (sums_over_positions(layer.work) || (std::holds_alternative<MatMul>(layer.work) && stage.rows == 1)) {
        in = whole_input(from, producer_rows);
      }
      return in;
    };
    std::size_t position = 0;
    bool sourced = false;
    for (const TensorId id : layer.inputs) {
      if (!is_activation(id)) continue;
      const int from = producer[storage(id)];
      if (from >= 0) {
        const std::size_t at = stage_of[static_cast<std::size_t>(from)];
        stage.inputs.push_back(input(at, position));
      } else if (auto source = source_of(layers[l]); source && !sourced) {
        sourced = true;
        PipelineStage rows_in;
        const bool window = axes != nullptr && stage.rows == axes->front().out;
        rows_in.rows = window ? std::min(axes->front().in, most_pieces) : stage.rows;
        set_pieces(rows_in, window && axes->size() == 2 ? axes->back().in : stage.columns);
        source->stage = result.stages.size() + 1;
        rows_in.source = *source;
        result.stages.push_back(rows_in);
        stage.inputs.push_back(input(result.stages.size() - 1, position));
      }
      ++position;
    }
    stage_of[l] = result.stages.size();
    result.stages.push_back(std::move(stage));
  }
  return result;
}

}  // namespace tilewright
