#include "arch_models/fpga/fpga.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "arch_models/family_tools.hpp"
#include "core/checked.hpp"

namespace tilewright {

namespace {

const FpgaParameters& parameters(const Chip& chip) { return std::get<FpgaParameters>(chip.parameters); }

/// Stages from operand fetch to the written result: DSP multiply-add (4 registers), an adder tree over the inputs, read and write.
double pipeline_depth(std::int64_t inputs) {
  return 4.0 + std::ceil(std::log2(static_cast<double>(std::max<std::int64_t>(inputs, 1)))) + 2.0;
}

/// BRAM18 blocks of a weight memory of `width` bits and `depth` words (Umuroglu et al., FINN-R 2018: aspect ratios of a 18 Kbit block).
double bram18_blocks(double width, double depth) {
  if (width <= 1) return std::ceil(depth / 16384);
  if (width <= 2) return std::ceil(depth / 8192);
  if (width <= 4) return std::ceil(depth / 4096) * std::ceil(width / 4);
  if (width <= 9) return std::ceil(depth / 2048) * std::ceil(width / 9);
  if (width <= 18 || depth > 512) return std::ceil(depth / 1024) * std::ceil(width / 18);
  return std::ceil(depth / 512) * std::ceil(width / 36);
}

/// Share of the input stream that a stage must see before its first result: (rows of the window - 1) full rows plus one window width
/// for convolution and pooling, one vector of the batch for a product.
double fill_share(const Problem& problem, const std::vector<int>& pixel_dims) {
  double needed = 0, size = 1;
  bool windowed = false;
  for (const Axis& axis : problem.operands.front().axes) {
    std::int64_t extent = 1, window = 1;
    bool inner = false, outer = false;
    for (const Term& term : axis) {
      const std::int64_t reach =
          std::abs(term.coefficient) * (problem.dims[static_cast<std::size_t>(term.dim)].bound - 1);
      extent += reach;
      if (relevant(problem.operands.back(), term.dim)) {
        outer = true;
      } else {
        inner = true;
        window += reach;
      }
    }
    if (!inner || !outer) continue;
    // row-major order: what came before, times this axis, plus the window's reach in this axis
    needed = needed * static_cast<double>(extent) + static_cast<double>(window - 1);
    size *= static_cast<double>(extent);
    windowed = true;
  }
  if (windowed) return std::min(1.0, (needed + 1) / size);
  return 1.0 / static_cast<double>(bound_product(problem, pixel_dims));
}

ComputeCost overlay_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  const FpgaParameters& fpga = parameters(chip);
  // cycles = passes x II / MACs per lane, initiation interval II = 1: a new step enters the pipeline every cycle.
  const double rate = arithmetic_of(chip, problem).macs_per_cycle;
  const double iterations = static_cast<double>(pass.passes) * static_cast<double>(extent_product(pass.temporal));
  ComputeCost cost;
  cost.cycles = Cycles{std::max(1.0, iterations / rate)};
  cost.fill_drain = Cycles{pipeline_depth(fpga.input_parallel)};
  cost.events.push_back(mac_event(chip, problem));
  if (!pass.explained) return cost;
  cost.why = fmt::format(
      "{:g} steps (II 1) / {:g} MACs per lane = {:.0f} cycles; {} engine{} x {} of {} pixels x inputs x outputs lanes",
      iterations, rate, cost.cycles.value, extent_product(pass.chip), extent_product(pass.chip) == 1 ? "" : "s",
      extent_product(pass.spatial), fpga.pixel_parallel * fpga.input_parallel * fpga.output_parallel);
  return cost;
}

/// The adder trees of an overlay engine: stores nothing, sums over input channels.
BufferLevel input_lanes(const FpgaParameters& fpga) {
  BufferLevel lanes;
  lanes.name = "InputLanes";
  lanes.instances = checked_mul(fpga.engines, checked_mul(fpga.pixel_parallel, fpga.output_parallel));
  lanes.fanout_x = fpga.input_parallel;
  std::fill(std::begin(lanes.keeps), std::end(lanes.keeps), false);
  lanes.energy_source = "stores nothing";
  return lanes;
}

/// Dims that engines share: each runs a whole sample (Xilinx PG338: one image per core), so images of a batch, or rows of a product.
std::vector<int> sample_dims(const Problem& problem) {
  if (problem.dim("C") >= 0 && problem.dim("N") >= 0) return {problem.dim("N")};
  const DimGroups groups = group_dims(problem);
  std::vector<int> dims = groups.m;
  dims.insert(dims.end(), groups.batch.begin(), groups.batch.end());
  return dims;
}

ComputeCost streaming_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  const FpgaParameters& fpga = parameters(chip);
  const DimGroups groups = group_dims(problem);
  const double rate = arithmetic_of(chip, problem).macs_per_cycle;
  // FINN matrix-vector unit: cycles = ceil(MH / PE) x ceil(MW / SIMD) x vectors (fpgaConvNet: the same with coarse and fine folding).
  // The folds are the mapping's temporal loops; `rate` MACs per DSP slot pack narrow operands.
  const double iterations = static_cast<double>(pass.passes) * static_cast<double>(extent_product(pass.temporal));
  const double simd = static_cast<double>(extent_product(pass.spatial, groups.k));
  const double pe = static_cast<double>(extent_product(pass.spatial)) / simd;
  ComputeCost cost;
  cost.cycles = Cycles{std::max(1.0, iterations / rate)};
  const double share = fill_share(problem, groups.m);
  cost.fill_drain = Cycles{pipeline_depth(static_cast<std::int64_t>(simd))};
  cost.stage = Stage::shared;
  cost.fill_share = share;
  cost.events.push_back(mac_event(chip, problem));

  if (!pass.explained) return cost;
  // Weight memory (FINN-R): depth MH MW / (PE SIMD), width PE SIMD weights, in 18 Kbit blocks.
  std::string memory;
  const int weights = stationary_operand(problem);
  if (weights >= 0) {
    const Operand& operand = problem.operands[static_cast<std::size_t>(weights)];
    const double words = static_cast<double>(tensor_words(problem, operand));
    const double used = std::min(words, pe * simd);
    const double blocks = bram18_blocks(used * bits(operand.type), std::ceil(words / used));
    memory =
        fmt::format(", weights in {:.0f} of {} BRAM18{}", blocks, 2 * fpga.bram36,
                    blocks > 2.0 * static_cast<double>(fpga.bram36) ? " (over the budget: from outside memory)" : "");
  }
  cost.why = fmt::format(
      "{:g} folds / {:g} MACs per DSP slot = {:.0f} cycles per frame (PE {:g} x SIMD {:g} of {} DSP), first result "
      "after {:.1f} %{}",
      iterations, rate, cost.cycles.value, pe, simd, fpga.dsp, 100 * share, memory);
  return cost;
}

}  // namespace

std::vector<std::string_view> fpga_keys() {
  return {
      "style",           "dsp",       "bram36",     "uram",      "lut", "engines", "pixel_parallel", "input_parallel",
      "output_parallel", "fifo_rows", "precisions", "mac_energy"};
}

void parse_fpga(const Value& compute, Chip& chip) {
  FpgaParameters fpga;
  const std::string style = compute.at("style").as_choice("style", {"overlay", "streaming"});
  fpga.style = style == "overlay" ? FpgaStyle::overlay : FpgaStyle::streaming;
  fpga.dsp = compute.at("dsp").as_int(1, 10'000'000);
  fpga.bram36 = int_or(compute, "bram36", 0, 0, 10'000'000);
  fpga.uram = int_or(compute, "uram", 0, 0, 10'000'000);
  fpga.lut = int_or(compute, "lut", 0, 0, 1'000'000'000);
  BufferLevel& innermost = chip.levels.back();
  double lanes = 0;
  if (fpga.style == FpgaStyle::overlay) {
    fpga.engines = int_or(compute, "engines", 1, 1, 10'000);
    fpga.pixel_parallel = compute.at("pixel_parallel").as_int(1, 10'000);
    fpga.input_parallel = compute.at("input_parallel").as_int(1, 10'000);
    fpga.output_parallel = compute.at("output_parallel").as_int(1, 10'000);
    if (innermost.instances != fpga.engines) {
      compute.fail(
          fmt::format("the innermost level '{}' has {} instances, the design {} engines: list one instance per engine",
                      innermost.name, innermost.instances, fpga.engines));
    }
    innermost.fanout_x = fpga.output_parallel;
    innermost.fanout_y = fpga.pixel_parallel;
    lanes =
        static_cast<double>(fpga.engines * fpga.output_parallel);  // vector path: one operation per output channel lane
  } else {
    if (innermost.instances != 1)
      compute.fail(fmt::format("level '{}' of a streaming design must have 1 instance", innermost.name));
    fpga.fifo_rows = int_or(compute, "fifo_rows", -1, 0, 1'000'000);
    innermost.fanout_x = fpga.dsp;
    innermost.fanout_y = 1;
    lanes = static_cast<double>(fpga.dsp);
  }
  read_precisions(compute, chip, 1.0);
  default_vector(chip, lanes,
                 fpga.style == FpgaStyle::overlay ? "one operation per output channel lane and cycle"
                                                  : "one operation per DSP and cycle");
  chip.parameters = fpga;
  if (fpga.style == FpgaStyle::overlay) chip.levels.push_back(input_lanes(fpga));
}

int fpga_array_level(const Chip& chip) {  // the memory of an engine or of the fabric
  return static_cast<int>(chip.levels.size()) - (parameters(chip).style == FpgaStyle::overlay ? 2 : 1);
}

MapRules fpga_rules(const Chip& chip, const Problem& problem) {
  MapRules rules = plain_rules(chip, problem);
  if (problem.compute == Compute::vector) return rules;
  const auto level = static_cast<std::size_t>(fpga_array_level(chip));
  const DimGroups groups = group_dims(problem);
  std::vector<int>& x = rules.x_dims[level];
  x = groups.n;
  x.insert(x.end(), groups.batch.begin(), groups.batch.end());  // depthwise: a group per output lane
  if (parameters(chip).style == FpgaStyle::overlay) {
    spread_over_chip(rules, chip, static_cast<int>(level), sample_dims(problem));
    rules.y_dims[level] = groups.m;
    const std::vector<int> taps = window_dims(problem);  // filter taps come one after another
    for (int d : groups.k) {
      if (std::find(taps.begin(), taps.end(), d) == taps.end()) rules.x_dims[level + 1].push_back(d);
    }
  } else {
    x.insert(x.end(), groups.k.begin(), groups.k.end());  // PE x SIMD share the DSPs; pixels come one after another
  }
  return rules;
}

ComputeCost fpga_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  const bool streaming = parameters(chip).style == FpgaStyle::streaming;
  if (problem.compute == Compute::vector) {
    ComputeCost cost = vector_cost(chip, problem);
    if (streaming) {
      cost.fill_drain = Cycles{pipeline_depth(1)};
      cost.stage = Stage::shared;
      cost.fill_share = problem.operands.size() > 1 ? fill_share(problem, output_dims(problem)) : 0.0;
    }
    return cost;
  }
  return streaming ? streaming_compute(chip, problem, pass) : overlay_compute(chip, problem, pass);
}

}  // namespace tilewright
