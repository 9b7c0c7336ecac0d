#include "arch_models/one_more.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "arch_models/family.hpp"
#include "core/checked.hpp"

namespace tilewright {
namespace {

constexpr double kibibyte = 1024.0;
constexpr double gigabyte_per_second = 1e9;

/// Fan-out of a level; the instances of all levels inside follow.
void set_fanout(Chip& chip, std::size_t level, std::int64_t x, std::int64_t y) {
  chip.levels[level].fanout_x = x;
  chip.levels[level].fanout_y = y;
  for (std::size_t l = level; l + 1 < chip.levels.size(); ++l) {
    const BufferLevel& outer = chip.levels[l];
    chip.levels[l + 1].instances = checked_mul(outer.instances, checked_mul(outer.fanout_x, outer.fanout_y));
  }
}

/// The outermost level whose next one has `count` instances.
std::optional<std::size_t> level_above(const Chip& chip, std::int64_t count) {
  for (std::size_t l = 0; l + 1 < chip.levels.size(); ++l) {
    if (chip.levels[l + 1].instances == count) return l;
  }
  return std::nullopt;
}

/// The steps of a compute array, by family.
struct CountSteps {
  const Chip& chip;
  std::vector<OneMore>& steps;

  /// `extra` more of what `count` names; `grow` changes the levels of the copy.
  template <class Parameters, class Grow>
  void add(std::string_view name, std::int64_t Parameters::*count, std::int64_t extra, const Grow& grow) const {
    const std::int64_t from = std::get<Parameters>(chip.parameters).*count;
    OneMore step{std::string(name), std::to_string(from), std::to_string(from + extra), chip};
    std::get<Parameters>(step.chip.parameters).*count += extra;
    grow(step.chip);
    steps.push_back(std::move(step));
  }

  /// Whole units side by side (cores, SMs, engines, arrays): one more under each instance of the level that holds them.
  template <class Parameters>
  void add_units(std::string_view name, std::int64_t Parameters::*count) const {
    const std::int64_t units = std::get<Parameters>(chip.parameters).*count;
    const auto above = level_above(chip, units);
    if (!above) return;
    const BufferLevel& level = chip.levels[*above];
    add(name, count, level.instances, [&](Chip& grown) {
      set_fanout(grown, *above, level.fanout_x + 1, level.fanout_y);
      grown.vector.ops_per_cycle_fp32 *= static_cast<double>(units + level.instances) / static_cast<double>(units);
    });
  }

  std::size_t array_level() const { return static_cast<std::size_t>(family_of(chip).array_level(chip)); }

  void operator()(const CpuParameters& cpu) const {
    add_units("cores", &CpuParameters::cores);
    const std::size_t last = chip.levels.size() - 1;
    add("fma_units", &CpuParameters::fma_units, 1, [&](Chip& grown) {
      set_fanout(grown, last, chip.levels[last].fanout_x / cpu.fma_units * (cpu.fma_units + 1), 1);
    });
  }
  void operator()(const GpuParameters&) const { add_units("sms", &GpuParameters::sms); }
  void operator()(const SystolicParameters& array) const {
    const std::size_t level = array_level();
    const BufferLevel& feeder = chip.levels[level];
    add("rows", &SystolicParameters::rows, 1,
        [&](Chip& grown) { set_fanout(grown, level, feeder.fanout_x, feeder.fanout_y + 1); });
    add("cols", &SystolicParameters::cols, 1, [&](Chip& grown) {
      set_fanout(grown, level, feeder.fanout_x + array.arrays / feeder.instances, feeder.fanout_y);
    });
    if (array.arrays > 1 && feeder.instances == array.arrays) add_units("arrays", &SystolicParameters::arrays);
  }
  void operator()(const FpgaParameters& fpga) const {
    const std::size_t level = array_level();
    const BufferLevel& memory = chip.levels[level];
    if (fpga.style == FpgaStyle::streaming) {
      add("dsp", &FpgaParameters::dsp, 1, [&](Chip& grown) { set_fanout(grown, level, memory.fanout_x + 1, 1); });
      return;
    }
    add("pixel_parallel", &FpgaParameters::pixel_parallel, 1,
        [&](Chip& grown) { set_fanout(grown, level, memory.fanout_x, memory.fanout_y + 1); });
    add("output_parallel", &FpgaParameters::output_parallel, 1,
        [&](Chip& grown) { set_fanout(grown, level, memory.fanout_x + 1, memory.fanout_y); });
    add("input_parallel", &FpgaParameters::input_parallel, 1, [&](Chip& grown) {
      set_fanout(grown, level + 1, chip.levels[level + 1].fanout_x + 1, chip.levels[level + 1].fanout_y);
    });
    add_units("engines", &FpgaParameters::engines);
  }
  void operator()(const NeuromorphicParameters&) const { add_units("cores", &NeuromorphicParameters::cores); }
};

/// Stores of one instance that a family budgets beside the level's capacity.
void grow_budgets(Chip& chip, std::size_t level) {
  if (auto* gpu = std::get_if<GpuParameters>(&chip.parameters)) {
    const auto array = static_cast<std::size_t>(family_of(chip).array_level(chip));
    if (level == array + 1) gpu->shared_bytes_per_sm += static_cast<std::int64_t>(kibibyte);
  }
  if (auto* cores = std::get_if<NeuromorphicParameters>(&chip.parameters)) {
    if (level + 1 == chip.levels.size() && cores->synapse_memory_bits > 0)
      cores->synapse_memory_bits += 8 * static_cast<std::int64_t>(kibibyte);
  }
}

std::string size_text(Bytes value) {
  const double whole = std::floor(value.value / kibibyte);
  return whole * kibibyte == value.value ? fmt::format("{:.0f} KiB", whole) : fmt::format("{:.0f} B", value.value);
}
std::string gigabytes_per_second(BytesPerSecond value) { return fmt::format("{:.6g} GB/s", value.value / 1e9); }

}  // namespace

std::vector<OneMore> one_more_of_each(const Chip& chip) {
  std::vector<OneMore> steps;
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    const BufferLevel& level = chip.levels[l];
    if (level.capacity) {
      const Bytes more = *level.capacity + Bytes{kibibyte};
      OneMore step{level.name + ".capacity", size_text(*level.capacity), size_text(more), chip};
      step.chip.levels[l].capacity = more;
      grow_budgets(step.chip, l);
      steps.push_back(std::move(step));
    }
    if (level.bandwidth.value > 0) {
      const BytesPerSecond now = level.bandwidth * chip.clock;
      const BytesPerSecond more = now + BytesPerSecond{gigabyte_per_second};
      OneMore step{level.name + ".bandwidth", gigabytes_per_second(now), gigabytes_per_second(more), chip};
      step.chip.levels[l].bandwidth = more / chip.clock;
      steps.push_back(std::move(step));
    }
  }
  std::visit(CountSteps{chip, steps}, chip.parameters);
  return steps;
}

}  // namespace tilewright
