#include "arch_models/family_tools.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "arch_models/energy_table.hpp"
#include "core/checked.hpp"

namespace tilewright {

int stationary_operand(const Problem& problem) {
  int inputs = 0;
  int second = -1;
  for (std::size_t i = 0; i < problem.operands.size(); ++i) {
    if (problem.operands[i].role == Role::weight) return static_cast<int>(i);
    if (problem.operands[i].role == Role::input && ++inputs == 2) second = static_cast<int>(i);
  }
  return second;
}

int streamed_operand(const Problem& problem) {
  const int stationary = stationary_operand(problem);
  for (std::size_t i = 0; i < problem.operands.size(); ++i) {
    if (static_cast<int>(i) != stationary && problem.operands[i].role != Role::output) return static_cast<int>(i);
  }
  return -1;
}

DimGroups group_dims(const Problem& problem) {
  const int b = stationary_operand(problem);
  const int a = streamed_operand(problem);
  const auto moves = [&](int operand, int dim) {
    return operand >= 0 && relevant(problem.operands[static_cast<std::size_t>(operand)], dim);
  };
  DimGroups groups;
  for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) {
    if (!relevant(problem.operands.back(), d)) {
      groups.k.push_back(d);
    } else if (!moves(b, d)) {
      groups.m.push_back(d);
    } else if (!moves(a, d)) {
      groups.n.push_back(d);
    } else {
      groups.batch.push_back(d);
    }
  }
  return groups;
}

std::int64_t bound_product(const Problem& problem, const std::vector<int>& dims) {
  std::int64_t product = 1;
  for (int d : dims) product = checked_mul(product, problem.dims[static_cast<std::size_t>(d)].bound);
  return product;
}

std::int64_t extent_product(const std::vector<std::int64_t>& extents, const std::vector<int>& dims) {
  std::int64_t product = 1;
  for (int d : dims) product = checked_mul(product, extents[static_cast<std::size_t>(d)]);
  return product;
}

std::int64_t extent_product(const std::vector<std::int64_t>& extents) {
  std::int64_t product = 1;
  for (std::int64_t extent : extents) product = checked_mul(product, extent);
  return product;
}

std::vector<int> output_dims(const Problem& problem) {
  std::vector<int> dims;
  for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) {
    if (relevant(problem.operands.back(), d)) dims.push_back(d);
  }
  if (dims.empty() &&
      problem.operands.back().on_chip) {  // a fused operator whose results are consumed where they are made
    for (int d = 0; d < static_cast<int>(problem.dims.size()); ++d) dims.push_back(d);
  }
  return dims;
}

std::vector<int> window_dims(const Problem& problem) {
  std::vector<int> windows;
  const int input = streamed_operand(problem);
  if (input < 0) return windows;
  for (const Axis& axis : problem.operands[static_cast<std::size_t>(input)].axes) {
    if (axis.size() < 2) continue;
    bool outer = false;
    for (const Term& term : axis) outer = outer || relevant(problem.operands.back(), term.dim);
    for (const Term& term : axis) {
      if (outer && !relevant(problem.operands.back(), term.dim)) windows.push_back(term.dim);
    }
  }
  return windows;
}

MapRules plain_rules(const Chip& chip, const Problem& problem) {
  MapRules rules;
  const int stationary = problem.compute == Compute::mac ? stationary_operand(problem) : -1;
  rules.x_dims.resize(chip.levels.size());
  rules.y_dims.resize(chip.levels.size());
  for (std::size_t l = 0; l < chip.levels.size(); ++l) {
    std::vector<bool> keeps;
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      const Role role = static_cast<int>(o) == stationary ? Role::weight : problem.operands[o].role;
      keeps.push_back(l == 0 || chip.levels[l].keeps[static_cast<int>(role)]);
    }
    rules.keeps.push_back(std::move(keeps));
  }
  return rules;
}

void spread_over_chip(MapRules& rules, const Chip& chip, int level, const std::vector<int>& dims) {
  for (std::size_t l = 0; l < static_cast<std::size_t>(std::max(level, 0)); ++l) {
    if (chip.levels[l].fanout_x > 1) rules.x_dims[l] = dims;
    if (chip.levels[l].fanout_y > 1) rules.y_dims[l] = dims;
  }
}

DataType compute_type(const Chip& chip, const Problem& problem) { return native_type(chip, compute_format(problem)); }

const Arithmetic& arithmetic_of(const Chip& chip, const Problem& problem) {
  const auto found = chip.arithmetic.find(compute_type(chip, problem));
  assert(found != chip.arithmetic.end());
  return found->second;
}

Event mac_event(const Chip& chip, const Problem& problem) {
  return {"mac", EventKind::compute, static_cast<double>(problem.points()),
          arithmetic_of(chip, problem).energy_per_mac};
}

ComputeCost vector_cost(const Chip& chip, const Problem& problem) {
  int widest = 1;
  for (const Operand& operand : problem.operands) widest = std::max(widest, bits(operand.type));
  const double narrow = 32.0 / widest;
  const double factor = chip.vector.width_scaling > 0 ? narrow : std::min(narrow, 1.0);
  const double per_point = problem.ops_per_point > 0 ? problem.ops_per_point : 1.0;  // movement: one move per point
  const double ops = static_cast<double>(problem.points()) * per_point;
  const double rate = chip.vector.ops_per_cycle_fp32 * factor;
  ComputeCost cost;
  cost.cycles = Cycles{std::max(1.0, ops / rate)};
  cost.events.push_back({"vector op", EventKind::compute, ops, (1.0 / factor) * chip.vector.energy_per_op});
  cost.why = fmt::format("{:.0f} vector operations / {:g} per cycle = {:.0f} cycles ({} bit)", ops, rate,
                         cost.cycles.value, widest);
  return cost;
}

namespace {

/// Formats whose MAC costs no less than that of `type`, nearest first: wider ones of the same kind, then fp32.
std::vector<DataType> wider_types(DataType type) {
  using enum DataType;
  static constexpr std::array floats{fp8, fp16, bf16, tf32, fp32, fp64};
  static constexpr std::array integers{int1, int2, int4, int8, int16, int32, int64};
  std::vector<DataType> wider;
  const auto take = [&](const auto& list) {
    const auto at = std::find(list.begin(), list.end(), type);
    if (at != list.end()) wider.assign(at, list.end());
  };
  take(floats);
  take(integers);
  return wider;
}

std::optional<std::pair<Joules, std::string>> table_mac(const EnergyTable& table, DataType type) {
  for (DataType candidate : wider_types(type)) {
    if (const auto energy = mac_energy(table, candidate)) {
      return std::pair{*energy, fmt::format("{} {} MAC{}", table.name, name(candidate),
                                            candidate == type ? "" : " (next wider format of the table)")};
    }
  }
  return std::nullopt;
}

}  // namespace

void read_precisions(const Value& compute, Chip& chip, double scale,
                     const std::optional<std::pair<Joules, std::string>>& event) {
  const Value precisions = compute.at("precisions");
  std::optional<Value> energies;
  if (!event) energies = compute.find("mac_energy");
  const EnergyTable* table = nullptr;
  if (!event && !chip.energy_table.empty()) table = &load_energy_table(chip.energy_table, chip.technology_nm);
  if (precisions.keys().empty()) precisions.fail("name at least one format and its MACs per cycle, e.g. {int8: 1}");
  for (const std::string& key : precisions.keys()) {
    const Value value = precisions.at(key);
    const auto type = data_type_from(key);
    if (!type) {
      const std::vector<std::string> known = data_type_names();
      value.fail(unknown_message("format", key, known));
    }
    Arithmetic arithmetic;
    arithmetic.macs_per_cycle = value.as_number(1e-6, 1e9) * scale;
    const std::optional<Value> given = energies ? energies->find(key) : std::nullopt;
    if (event) {
      arithmetic.energy_per_mac = event->first;
      arithmetic.source = event->second;
    } else if (given) {
      arithmetic.energy_per_mac = given->at("value").as_energy();
      arithmetic.source = given->at("source").as_string();
    } else if (const auto found = table != nullptr ? table_mac(*table, *type) : std::nullopt) {
      arithmetic.energy_per_mac = found->first;
      arithmetic.source = found->second;
    } else {
      value.fail(fmt::format(
          "energy table '{}' has no MAC energy for {} or a wider format; give compute.mac_energy: {{{}: {{value: "
          "1 pJ, source: ...}}}}",
          chip.energy_table, key, key));
    }
    chip.arithmetic[*type] = arithmetic;
  }
}

void default_vector(Chip& chip, double ops_per_cycle, const char* source) {
  if (chip.vector.ops_per_cycle_fp32 <= 0) {
    chip.vector.ops_per_cycle_fp32 = ops_per_cycle;
    chip.vector.source = chip.vector.source.empty() ? source : fmt::format("{}; rate: {}", chip.vector.source, source);
  }
  if (chip.vector.energy_per_op.value > 0) return;
  std::optional<Joules> mac;
  if (!chip.energy_table.empty()) {
    if (const auto found = table_mac(load_energy_table(chip.energy_table, chip.technology_nm), DataType::fp32))
      mac = found->first;
  }
  if (!mac) {  // no fp32 row: the dearest format that the chip runs
    mac = Joules{};
    for (const auto& [type, arithmetic] : chip.arithmetic) mac = std::max(*mac, arithmetic.energy_per_mac);
  }
  chip.vector.energy_per_op = 0.2 * *mac;  // 0.9 pJ / 4.6 pJ
}

std::int64_t int_or(const Value& map, std::string_view key, std::int64_t otherwise, std::int64_t least,
                    std::int64_t most) {
  const std::optional<Value> value = map.find(key);
  return value ? value->as_int(least, most) : otherwise;
}

}  // namespace tilewright
