#include "sim/twin/cores.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "arch_models/family.hpp"
#include "core/checked.hpp"
#include "sim/twin/transfer.hpp"

namespace tilewright {

Cores::Cores(const Problem& problem, const Mapping& mapping, const Chip& chip, std::int64_t most) {
  const std::size_t level = core_level(chip);
  if (level == 0 || TileSchedule::results_overlap(problem)) return;
  bool open = true;
  for (std::size_t l = 0; l < level; ++l) {
    std::int64_t here = 1;
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.kind == LoopKind::temporal || loop.bound <= 1) continue;
      open = open && loop.bound <= most / static_cast<std::int64_t>(count_);
      if (!open) continue;
      loops_.push_back({l, loop.dim, loop.bound});
      count_ *= static_cast<std::size_t>(loop.bound);
      here *= loop.bound;
    }
    widths_.push_back(open ? checked_mul(chip.levels[l].fanout_x, chip.levels[l].fanout_y) : here);
  }
  if (count_ > 1) level_ = level;
}

std::vector<std::int64_t> Cores::place(std::size_t core) const {
  std::vector<std::int64_t> place(loops_.size());
  auto rest = static_cast<std::int64_t>(core);
  for (std::size_t i = loops_.size(); i-- > 0;) {
    place[i] = rest % loops_[i].bound;
    rest /= loops_[i].bound;
  }
  return place;
}

std::int64_t Cores::instance(std::size_t core, std::size_t level) const {
  const std::vector<std::int64_t> at = place(core);
  std::int64_t instance = 0;
  std::size_t i = 0;
  for (std::size_t l = 0; l < std::min(level, level_); ++l) {
    std::int64_t digit = 0;
    for (; i < loops_.size() && loops_[i].level == l; ++i) digit = digit * loops_[i].bound + at[i];
    instance = checked_add(checked_mul(instance, widths_[l]), digit);
  }
  return instance;
}

std::size_t Cores::carrier(std::size_t core, const Operand& operand, std::size_t keeper) const {
  const std::vector<std::int64_t> at = place(core);
  std::int64_t number = 0;
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    const bool own = loops_[i].level < keeper && relevant(operand, loops_[i].dim);
    number = number * loops_[i].bound + (own ? at[i] : 0);
  }
  return static_cast<std::size_t>(number);
}

PlacedCores place_cores(const std::vector<Cores>& kernels, const Chip& chip) {
  PlacedCores placed;
  const Ticks latency = transfer_latency(chip.levels.front(), chip.clock);
  const std::size_t levels = chip.levels.size();
  std::vector<std::map<std::int64_t, std::int32_t>> instances(levels + 1);  // of each level in use; the last: arrays
  for (const Cores& kernel : kernels) {
    for (std::size_t c = 0; c < kernel.count(); ++c) {
      for (std::size_t l = 0; l <= levels; ++l) instances[l].emplace(kernel.instance(c, l), 0);
    }
  }
  const auto add = [&](std::string name, Resource::Kind kind, Ticks later) {
    placed.resources.push_back({std::move(name), kind, later});
    return static_cast<std::int32_t>(placed.resources.size() - 1);
  };
  const auto numbered = [&](const std::string& name, std::size_t l, std::int64_t instance) {
    return instances[l].size() > 1 ? fmt::format("{} {}", name, instance) : name;
  };
  std::map<std::int32_t, std::size_t> core_of;
  const bool several = instances[levels].size() > 1;
  for (auto& [instance, id] : instances[levels]) {
    id = add(numbered(several ? "core" : "compute", levels, instance), Resource::Kind::array, 0);
    core_of[id] = placed.arrays.size();
    placed.arrays.push_back(id);
  }
  for (std::size_t l = 0; l < levels; ++l) {
    for (auto& [instance, id] : instances[l]) {
      id = add(numbered(chip.levels[l].name, l, instance), l == 0 ? Resource::Kind::memory : Resource::Kind::buffer,
               l == 0 ? latency : 0);
    }
  }
  if (!instances.front().empty()) placed.read_port = instances.front().begin()->second;
  placed.write_port = placed.read_port;
  if (chip.levels.front().separate_ports)
    placed.write_port = add(chip.levels.front().name + " write", Resource::Kind::memory, latency);
  if (several) placed.barrier = add("barrier", Resource::Kind::barrier, 0);
  for (const Cores& kernel : kernels) {
    CorePorts& at = placed.runs.emplace_back();
    for (std::size_t l = 0; l <= levels; ++l) {
      std::vector<std::int32_t> ports;
      for (std::size_t c = 0; c < kernel.count(); ++c) ports.push_back(instances[l].at(kernel.instance(c, l)));
      if (l == levels) {
        for (const std::int32_t array : ports) at.core_of.push_back(core_of.at(array));
        break;
      }
      at.ports_used.push_back(static_cast<std::int64_t>(std::set(ports.begin(), ports.end()).size()));
      at.ports.push_back(std::move(ports));
    }
  }
  return placed;
}

}  // namespace tilewright
