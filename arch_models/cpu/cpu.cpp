#include "arch_models/cpu/cpu.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "arch_models/family_tools.hpp"

namespace tilewright {

std::vector<std::string_view> cpu_keys() {
  return {"cores", "simd", "simd_bits", "fma_units", "fma_latency", "precisions", "mac_energy"};
}

void parse_cpu(const Value& compute, Chip& chip) {
  CpuParameters cpu;
  cpu.cores = compute.at("cores").as_int(1, 1'000'000);
  if (const auto simd = compute.find("simd")) {
    const double width = simd->as_bytes().value * 8;
    cpu.simd_bits = static_cast<std::int64_t>(width);
    if (cpu.simd_bits < 32 || cpu.simd_bits % 32 != 0)
      simd->fail("a SIMD unit holds a multiple of 32 bit, e.g. '256 bit'");
  } else {
    const Value simd_bits = compute.at("simd_bits");
    cpu.simd_bits = simd_bits.as_int(32, 65'536);
    if (cpu.simd_bits % 32 != 0) simd_bits.fail("a SIMD unit holds a multiple of 32 bit, e.g. 256");
  }
  cpu.fma_units = int_or(compute, "fma_units", 1, 1, 64);
  cpu.fma_latency = int_or(compute, "fma_latency", 4, 1, 64);
  const std::int64_t lanes = cpu.fma_units * cpu.simd_bits / 32;
  BufferLevel& innermost = chip.levels.back();
  if (innermost.instances != cpu.cores) {
    compute.fail(fmt::format("the innermost level '{}' has {} instances, the chip {} cores: list one instance per core",
                             innermost.name, innermost.instances, cpu.cores));
  }
  innermost.fanout_x = lanes;
  innermost.fanout_y = 1;
  read_precisions(compute, chip, 1.0);
  default_vector(chip, static_cast<double>(cpu.cores * lanes),
                 "one operation per 32-bit SIMD lane of the FMA units and cycle");
  chip.parameters = cpu;
}

int cpu_array_level(const Chip& chip) {
  // The register block: the loops inside the level above the innermost one run on one core between two trips to that level.
  return std::max(0, static_cast<int>(chip.levels.size()) - 2);
}

MapRules cpu_rules(const Chip& chip, const Problem& problem) {
  MapRules rules = plain_rules(chip, problem);
  const int last = static_cast<int>(chip.levels.size()) - 1;
  // Cores share no accumulators: only dims that move the result are split over them (no atomic or tree reduction between cores).
  const std::vector<int> outputs = output_dims(problem);
  spread_over_chip(rules, chip, last, outputs);
  // SIMD lanes need unit stride in the result: output channels (columns), the innermost pixel (row) dim, or the group dim when it
  // holds the channels (depthwise).
  std::vector<int> lanes = outputs;
  if (problem.compute == Compute::mac) {
    const DimGroups groups = group_dims(problem);
    lanes = groups.n;
    if (!groups.m.empty()) lanes.push_back(groups.m.back());
    if (!groups.batch.empty()) lanes.push_back(groups.batch.back());
  }
  rules.x_dims[static_cast<std::size_t>(last)] = lanes;
  return rules;
}

ComputeCost cpu_compute(const Chip& chip, const Problem& problem, const ArrayPass& pass) {
  if (problem.compute == Compute::vector) return vector_cost(chip, problem);
  const auto& cpu = std::get<CpuParameters>(chip.parameters);
  const Arithmetic& arithmetic = arithmetic_of(chip, problem);
  // cycles = passes x steps x stall / (MACs per lane and cycle). One step issues one FMA on every lane of a core.
  // stall = max(1, latency / accumulators): an FMA may start only when the one before it on the same accumulator has ended, so a unit
  // with `fma_latency` stages needs that many independent results in the register block (Little's law; lanes and units hold different
  // results by the spatial rule). Short last tiles cost full steps: the mapping's bounds are already rounded up.
  const double steps = static_cast<double>(extent_product(pass.temporal));
  const double accumulators = static_cast<double>(extent_product(pass.temporal, output_dims(problem)));
  const double latency = static_cast<double>(cpu.fma_latency);
  const double stall = std::max(1.0, latency / accumulators);
  const double passes = static_cast<double>(pass.passes);
  ComputeCost cost;
  cost.cycles = Cycles{std::max(1.0, passes * steps * stall / arithmetic.macs_per_cycle)};
  cost.fill_drain = Cycles{latency};  // the last result leaves the pipeline
  cost.events.push_back(mac_event(chip, problem));
  if (!pass.explained) return cost;
  cost.why = fmt::format(
      "{} passes x {:g} steps x {:g} stall ({:g} of {} accumulators per FMA unit) / {:g} MACs per lane = {:.0f} cycles",
      pass.passes, steps, stall, accumulators, cpu.fma_latency, arithmetic.macs_per_cycle, cost.cycles.value);
  return cost;
}

}  // namespace tilewright
