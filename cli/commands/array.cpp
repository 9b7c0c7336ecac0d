// tilewright array: a matrix product on a systolic array, PE by PE and cycle by cycle.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "core/diagnostics.hpp"
#include "core/text_file.hpp"
#include "sim/systemc/pe_array/pe_array.hpp"
#include "sim/systemc/pe_array/picture.hpp"

namespace tilewright::cli {
namespace {

constexpr std::int64_t most_frame_pes = 1'000'000;  // PE states kept for --frames: about 100 MB of JSON
constexpr std::int64_t most_picture_cycles = 24;

[[noreturn]] void refuse(std::string_view option, std::string_view why) {
  throw InputError({.file = std::string(option), .line = 0, .column = 0, .key = {}}, why);
}

/// The one plain matrix product of the workload.
MatMul product_of(const RunOptions& options) {
  const WorkloadGraph graph = prepared_workload(options);
  const auto* product = graph.layers.size() == 1 ? std::get_if<MatMul>(&graph.layers.front().work) : nullptr;
  const bool batched =
      product != nullptr && std::ranges::any_of(product->batch, [](const BatchAxis& axis) { return axis.bound != 1; });
  if (product == nullptr || batched)
    refuse(options.workload, "the array multiplies two matrices; give one product, for example gemm:m=4,n=4,k=8");
  return *product;
}

/// Small whole numbers, different for neighbours, so that every sum is exact: -4 to 4.
Matrix example(std::int64_t rows, std::int64_t cols, std::int64_t row_step, std::int64_t col_step) {
  Matrix matrix(rows, cols);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c)
      matrix.at(r, c) = static_cast<double>((r * row_step + c * col_step) % 9 - 4);
  }
  return matrix;
}

nlohmann::ordered_json frame_json(const ArrayFrame& frame) {
  nlohmann::ordered_json pes = nlohmann::ordered_json::array();
  for (const PeState& pe : frame.pes) {
    const char* state = pe.active ? "mac" : pe.loading ? "load" : "idle";
    pes.push_back({state, pe.index, pe.streamed, pe.partner, pe.sum});
  }
  return {{"cycle", frame.cycle}, {"fold", frame.fold}, {"pes", std::move(pes)}};
}

/// "2 folds x (8 streamed + 2 x 4 rows + 4 columns - 2)".
std::string formula_text(const PeArrayRequest& request) {
  const PeArrayCycles cycles = pe_array_cycles(request);
  const bool in_place = cycles.lines_each == cycles.stream + request.rows + request.cols - 2;
  return fmt::format("{} fold{} x ({} streamed + {}{} rows + {} columns - 2)", cycles.folds(),
                     cycles.folds() == 1 ? "" : "s", cycles.stream, in_place ? "" : "2 x ", request.rows, request.cols);
}

std::string summary(const PeArrayRequest& request, const PeArrayResult& result, std::string_view dataflow) {
  const bool os = request.dataflow == ArrayDataflow::output_stationary;
  std::string out = fmt::format("{} x {} by {} x {} on a {} x {} array, {}\n", request.a.rows, request.a.cols,
                                request.b.rows, request.b.cols, request.rows, request.cols, dataflow);
  out += fmt::format("cycles        {}\n", result.cycles);
  out += fmt::format("formula       {} = {}\n", formula_text(request), pe_array_cycles(request).total());
  out += fmt::format("utilisation   {:.1f} % ({} MACs on {} PEs)\n", 100 * result.utilization, result.macs,
                     request.rows * request.cols);
  out += fmt::format("product       {}\n", result.product == multiply(request.a, request.b)
                                               ? "equal to the definition, element by element"
                                               : "WRONG");
  if (os && request.exit == ResultExit::in_place) {
    out += fmt::format(
        "note: every PE hands its result over in place, as SCALE-Sim and the systolic family count; through the bottom "
        "edge (--exit bottom) each fold takes {} cycles more\n",
        request.rows);
  } else if (os) {
    out += fmt::format(
        "note: SCALE-Sim and the systolic family count {} cycles less per fold: they do not wait until the results "
        "have left at the bottom\n",
        request.rows);
  }
  out += fmt::format("note: SCALE-Sim version 2 reports {}: it counts cycles from 0\n",
                     result.cycles - 1 - (os && request.exit == ResultExit::bottom ? result.folds * request.rows : 0));
  return out;
}

}  // namespace

int array(const ArrayOptions& options) {
  require_choice("--dataflow", options.dataflow, {"os", "ws", "is"});
  require_choice("--exit", options.exit, {"in-place", "bottom"});
  if (options.exit == "bottom" && options.dataflow != "os")
    refuse("--exit", "only output stationary results wait in the array (--dataflow os)");
  RunOptions workload;
  workload.workload = options.workload;
  const MatMul product = product_of(workload);
  PeArrayRequest request;
  request.rows = options.rows;
  request.cols = options.cols;
  request.dataflow = options.dataflow == "os"   ? ArrayDataflow::output_stationary
                     : options.dataflow == "ws" ? ArrayDataflow::weight_stationary
                                                : ArrayDataflow::input_stationary;
  request.exit = options.exit == "bottom" ? ResultExit::bottom : ResultExit::in_place;
  request.vcd = options.vcd;
  constexpr std::int64_t most_side = 1 << 20;
  if (product.m > most_side || product.n > most_side || product.k > most_side ||
      std::max(product.m, product.n) * product.k > most_side * 64)
    refuse(options.workload, "too large to be multiplied PE by PE; `tilewright run` gives its cycles");
  request.a = example(product.m, product.k, 2, 5);
  request.b = example(product.k, product.n, 4, 7);

  const std::int64_t pes = request.rows * request.cols;
  if (!options.frames.empty() && pe_array_cycles(request).total() > most_frame_pes / std::max<std::int64_t>(pes, 1)) {
    refuse("--frames", fmt::format("{} cycles of {} PEs: more than {} PE states; take a smaller problem",
                                   pe_array_cycles(request).total(), pes, most_frame_pes));
  }
  std::string animation;
  std::vector<ArrayFrame> pictures;
  nlohmann::ordered_json frames = nlohmann::ordered_json::array();
  if (options.show > 0 || !options.svg.empty() || !options.frames.empty()) {
    request.on_frame = [&](const ArrayFrame& frame) {
      if (frame.cycle < options.show) animation += wavefront_text(frame, request.cols) + "\n";
      if (!options.svg.empty() && frame.cycle < most_picture_cycles) pictures.push_back(frame);
      if (!options.frames.empty()) frames.push_back(frame_json(frame));
    };
  }
  const PeArrayResult result = simulate_pe_array(request);
  if (!options.frames.empty()) {
    const nlohmann::ordered_json json{{"schema", "tilewright.array/1"},
                                      {"m", product.m},
                                      {"n", product.n},
                                      {"k", product.k},
                                      {"rows", request.rows},
                                      {"cols", request.cols},
                                      {"dataflow", options.dataflow},
                                      {"exit", options.exit},
                                      {"cycles", result.cycles},
                                      {"folds", result.folds},
                                      {"utilization", result.utilization},
                                      {"a", request.a.values},
                                      {"b", request.b.values},
                                      {"product", result.product.values},
                                      {"pe", {"state", "index", "streamed", "partner", "sum"}},
                                      {"frames", std::move(frames)}};
    write_file(options.frames, json.dump() + "\n");
  }
  const std::string_view name = options.dataflow == "os"   ? "output stationary"
                                : options.dataflow == "ws" ? "weight stationary"
                                                           : "input stationary";
  if (!options.svg.empty())
    write_file(options.svg, wavefront_svg(pictures, request.rows, request.cols,
                                          fmt::format("{} x {} by {} x {}, {}: the streamed word in each PE", product.m,
                                                      product.k, product.k, product.n, name)));
  deliver(animation + summary(request, result, name), "");
  return result.product == multiply(request.a, request.b) ? 0 : 1;
}

}  // namespace tilewright::cli
