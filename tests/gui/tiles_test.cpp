// The played mapping against the access counts of the report, and the wavefront against the array's formula.
#include <algorithm>
#include <catch2/catch.hpp>

#include "gui/viewmodels/analysis.hpp"
#include "gui/viewmodels/tile_steps.hpp"
#include "gui/viewmodels/wavefront.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

AnalysisPtr analysed(const std::string& workload, const std::string& chip) {
  Analyser analyser;
  return analyser.analyse({workload, chip, {}});
}

void require_sums(const TileSteps& shown, const AccessCounts& counts) {
  REQUIRE_FALSE(shown.steps.empty());
  REQUIRE(shown.steps.back().points_so_far == counts.points);
  for (std::size_t l = 0; l < counts.levels.size(); ++l) {
    for (std::size_t o = 0; o < counts.levels[l].size(); ++o) {
      INFO("level " << shown.buffers[l].name << ", tensor " << shown.tensors[o].name);
      const OperandAccesses& whole = counts.levels[l][o];
      std::int64_t in = 0, out = 0, inside = 0;
      for (const TileStep& step : shown.steps) {
        in += step.held[l][o].in;
        out += step.held[l][o].out;
        inside += step.held[l][o].inside;
      }
      REQUIRE(in == whole.fills);
      REQUIRE(out == whole.drains);
      REQUIRE(inside == whole.reads + whole.updates);
      REQUIRE(shown.steps.back().held[l][o].in_so_far == whole.fills);
      REQUIRE(shown.steps.back().held[l][o].inside_so_far == whole.reads + whole.updates);
    }
  }
}

TEST_CASE("the played steps add up to the access counts of the report, at every level") {
  for (const char* chip : {"edge-systolic-16x16", "a100-sxm4-80gb", "eyeriss"}) {
    const AnalysisPtr analysis = analysed("resnet18", chip);
    for (const LayerEvaluation& layer : analysis->result.layers) {
      for (const auto& [evaluation, repeat] : layer.kernels) {
        INFO(chip << ", " << layer.name);
        const Chip ordered = in_order_of(evaluation, analysis->chip);
        require_sums(tile_steps(evaluation, ordered, 0, 100), evaluation.counts);
        for (std::size_t level = 1; level < evaluation.mapping.levels.size(); ++level) {
          const TileSteps shown = tile_steps(evaluation, ordered, level, 20);
          REQUIRE(shown.buffers.front().name == ordered.levels[level].name);
          require_sums(shown, shown.counts);
        }
      }
    }
  }
}

TEST_CASE("the boxes of the steps cover every tensor, and what a buffer holds fits into it") {
  const AnalysisPtr analysis = analysed("resnet18", "edge-systolic-16x16");
  for (const LayerEvaluation& layer : analysis->result.layers) {
    for (const auto& [evaluation, repeat] : layer.kernels) {
      const Chip ordered = in_order_of(evaluation, analysis->chip);
      const TileSteps shown = tile_steps(evaluation, ordered, 0, 300);
      INFO(layer.name);
      for (std::size_t o = 0; o < shown.tensors.size(); ++o) {
        for (std::size_t a = 0; a < shown.tensors[o].sizes.size(); ++a) {
          std::int64_t least = shown.tensors[o].sizes[a], end = 0;
          for (const TileStep& step : shown.steps) {
            const TileSchedule::Range& range = step.boxes[o][a];
            REQUIRE(range.low <= range.high);
            least = std::min(least, range.low);
            end = std::max(end, range.high);
          }
          REQUIRE(least == 0);
          REQUIRE(end == shown.tensors[o].sizes[a]);
        }
      }
      for (const TileStep& step : shown.steps) {
        for (std::size_t l = 1; l < shown.buffers.size(); ++l) {
          double bytes = 0;
          for (const HeldTile& held : step.held[l]) bytes += held.bytes;
          if (shown.buffers[l].capacity && !shown.aggregated) REQUIRE(bytes <= *shown.buffers[l].capacity);
        }
      }
    }
  }
}

TEST_CASE("a tile that stays is fetched once and reused") {
  // M 4 outside, N 3 inside: the rows of A stay while the columns of B pass.
  Evaluation evaluation;
  evaluation.problem.dims = {{"M", 4}, {"N", 3}, {"K", 2}};
  Operand a, b, z;
  a.name = "inputs", a.axes = {{{0, 1}}, {{2, 1}}};
  b.name = "weights", b.role = Role::weight, b.axes = {{{2, 1}}, {{1, 1}}};
  z.name = "outputs", z.role = Role::output, z.axes = {{{0, 1}}, {{1, 1}}};
  evaluation.problem.operands = {a, b, z};
  evaluation.mapping = {{{{{0, 4, LoopKind::temporal}, {1, 3, LoopKind::temporal}}, {true, true, true}},
                         {{{2, 2, LoopKind::temporal}}, {true, true, true}}}};
  Chip chip;
  chip.levels.resize(2);
  chip.levels[0].name = "DRAM";
  chip.levels[1].name = "Buffer";
  chip.levels[1].capacity = Bytes{64};
  const TileSteps shown = tile_steps(evaluation, chip, 0, 100);
  REQUIRE(shown.steps.size() == 12);
  REQUIRE(shown.steps[4].boxes[0] == std::vector<TileSchedule::Range>{{1, 2}, {0, 2}});  // M 1, all of K
  REQUIRE(shown.steps[4].boxes[1] == std::vector<TileSchedule::Range>{{0, 2}, {1, 2}});  // N 1
  REQUIRE(shown.steps[4].stays == std::vector<bool>{true, false, false});
  REQUIRE(shown.steps[3].held[1][0].in == 2);
  REQUIRE(shown.steps[4].held[1][0].in == 0);
  REQUIRE_FALSE(shown.steps[4].held[1][0].fresh);
  REQUIRE(shown.steps[4].held[1][1].fresh);  // weights came in
  REQUIRE(shown.steps[4].held[1][2].fresh);  // results begin
  REQUIRE(shown.steps[4].held[1][0].bytes == 8);
  REQUIRE(shown.steps[2].held[1][0].reuse() == 3.0);  // two words fetched, each read for three columns
}

TEST_CASE("the wavefront takes the cycles of the formula, every product once") {
  const AnalysisPtr analysis = analysed("gemm:m=40,n=20,k=10", "edge-systolic-16x16");
  const Evaluation& evaluation = main_kernel(analysis->result.layers.front());
  const auto request = wavefront_request(evaluation, analysis->chip);
  REQUIRE(request);
  const WavefrontPtr shown = wavefront(*request, analysis->chip);
  REQUIRE(std::vector{shown->m, shown->n, shown->k} == std::vector<std::int64_t>{16, 16, 10});
  REQUIRE(static_cast<std::int64_t>(shown->frames.size()) == shown->formula_cycles);
  REQUIRE(shown->formula_cycles == 16 + 2 * 16 + 16 - 2);  // stream + 2 rows + columns - 2
  std::int64_t active = 0;
  for (const ArrayFrame& frame : shown->frames)
    active += std::count_if(frame.pes.begin(), frame.pes.end(), [](const PeState& pe) { return pe.active; });
  REQUIRE(active == 16 * 16 * 10);
  REQUIRE(shown->result.product == multiply(request->a, request->b));
}

TEST_CASE("a chip without a systolic array has no wavefront") {
  for (const char* chip : {"a100-sxm4-80gb", "eyeriss"}) {
    const AnalysisPtr analysis = analysed("gemm:m=64,n=64,k=64", chip);
    REQUIRE_FALSE(wavefront_request(main_kernel(analysis->result.layers.front()), analysis->chip));
  }
}

}  // namespace
}  // namespace tilewright::gui
