#include "validation/mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include "core/checked.hpp"
#include "core/data_folder.hpp"
#include "core/document.hpp"
#include "sim/mapping/access_counts.hpp"

namespace tilewright {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t largest_count = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t largest_bound = std::int64_t{1} << 40;
constexpr double largest_energy = 1e30;

/// pJ of one access of a level; `block` words move at once.
struct LevelEnergies {
  double read = 0, write = 0, update = 0, leak = 0;
};

struct LevelRates {
  std::optional<double> read, write;  // words a cycle of one instance
};

struct ReferenceLevel {
  std::string name;
  std::optional<LevelEnergies> energies;
  bool energy_per_word = false;  // not per block
  LevelRates rates;
};

/// One case as far as it is a question; `expected` is the answer to compare with.
struct ReferenceCase {
  std::string id;
  Problem problem;
  Mapping mapping;
  std::vector<ReferenceLevel> levels;  // outermost first, as many as the mapping has
  std::optional<double> mac_energy;    // pJ
  bool short_last_tile = false;        // some loop has a residual
};

std::vector<Value> items_of(const Value& map, std::string_view key) {
  const auto list = map.find(key);
  return list ? list->items() : std::vector<Value>{};
}

/// Marks keys as known that the comparison has no use for.
void set_aside(const Value& map, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) static_cast<void>(map.find(key));
}

int dim_of(const Problem& problem, const Value& name) {
  const int dim = problem.dim(name.as_string());
  if (dim >= 0) return dim;
  std::vector<std::string> known;
  for (const Dim& d : problem.dims) known.push_back(d.name);
  name.fail(unknown_message("dim", name.as_string(), known));
}

using Coefficients = std::map<std::string, std::int64_t>;

/// One term: [dim] or [dim, coefficient], the coefficient by name or as a number.
Term read_term(const Problem& problem, const Coefficients& coefficients, const Value& value) {
  const std::vector<Value> parts = value.items();
  if (parts.empty() || parts.size() > 2) value.fail("a term is [dim] or [dim, coefficient]");
  Term term{dim_of(problem, parts.front()), 1};
  if (parts.size() == 2) {
    const auto named = coefficients.find(parts[1].as_string());
    term.coefficient = named != coefficients.end() ? named->second : parts[1].as_int(1, largest_bound);
  }
  return term;
}

Operand read_operand(const Problem& problem, const Coefficients& coefficients, const std::string& name, Role role,
                     const Value& axes) {
  Operand operand;
  operand.name = name;
  operand.role = role;
  for (const Value& terms : axes.items()) {
    Axis axis;
    for (const Value& term : terms.items()) axis.push_back(read_term(problem, coefficients, term));
    operand.axes.push_back(std::move(axis));
  }
  return operand;
}

Problem read_problem(const Value& value) {
  Coefficients coefficients;
  for (const Value& coefficient : items_of(value, "coefficients")) {
    coefficients[coefficient.at("name").as_string()] = coefficient.at("default").as_int(1, largest_bound);
  }
  Problem problem;
  const Value instance = value.at("instance");
  for (const std::string& name : instance.keys()) {
    const std::int64_t size = instance.at(name).as_int(1, largest_bound);
    if (const auto coefficient = coefficients.find(name); coefficient != coefficients.end()) {
      coefficient->second = size;
    } else {
      problem.dims.push_back({name, size});
    }
  }
  const Value projection = value.at("projection");
  const Value outputs = value.at("output");
  if (outputs.items().size() != 1) outputs.fail("a problem has exactly one output");
  const std::string output = outputs.items().front().as_choice("tensor", projection.keys());
  for (const std::string& name : projection.keys()) {
    if (name != output) {
      problem.operands.push_back(read_operand(problem, coefficients, name, Role::input, projection.at(name)));
    }
  }
  problem.operands.push_back(read_operand(problem, coefficients, output, Role::output, projection.at(output)));
  try {
    validate(problem);
  } catch (const InputError& error) { value.fail(error.what()); }
  return problem;
}

Loop read_loop(const Problem& problem, const Value& value, std::int64_t& residual) {
  Loop loop;
  loop.dim = dim_of(problem, value.at("dim"));
  loop.bound = value.at("bound").as_int(1, largest_bound);
  residual = loop.bound;
  if (const auto last = value.find("residual")) residual = last->as_int(1, loop.bound);
  if (const auto axis = value.find("spatial")) {
    loop.kind = axis->as_choice("axis", {"X", "Y"}) == "X" ? LoopKind::spatial_x : LoopKind::spatial_y;
  }
  return loop;
}

std::vector<bool> read_kept(const Problem& problem, const Value& tiles) {
  std::vector<std::string> names;
  for (const Operand& operand : problem.operands) names.push_back(operand.name);
  std::vector<bool> keeps(names.size(), false);
  for (const std::string& tensor : tiles.keys()) {
    const auto found = std::find(names.begin(), names.end(), tensor);
    if (found == names.end()) tiles.fail(unknown_message("tensor", tensor, names));
    tiles.at(tensor).as_int(1, largest_count);
    keeps[static_cast<std::size_t>(found - names.begin())] = true;
  }
  return keeps;
}

/// A chip with room for everything: only the structure of a mapping is checked against it.
Chip boundless(const std::vector<ReferenceLevel>& levels) {
  Chip chip;
  for (const ReferenceLevel& level : levels) {
    BufferLevel& added = chip.levels.emplace_back();
    added.name = level.name;
    added.fanout_x = added.fanout_y = largest_count;
  }
  return chip;
}

/// The mapping's levels and loops; `known` are the levels of the answer, any other one must be a network that keeps nothing.
void read_mapping(const Value& value, const std::vector<std::string>& known, ReferenceCase& result) {
  const Problem& problem = result.problem;
  // Index of the last point of each dim, loop by loop from the outside: digits of a mixed radix, the last one short.
  std::vector<std::int64_t> last(problem.dims.size(), 0);
  for (const Value& item : value.items()) {
    const Value level = item.at("level");
    const std::string name = level.as_string();
    std::vector<bool> keeps = read_kept(problem, item.at("tile_words"));
    const bool network = std::find(known.begin(), known.end(), name) == known.end();
    if (network && (result.levels.empty() || std::find(keeps.begin(), keeps.end(), true) != keeps.end())) {
      level.fail(unknown_message("level", name, known));
    }
    if (!network) {
      const bool repeated = std::ranges::find(result.levels, name, &ReferenceLevel::name) != result.levels.end();
      if (repeated) level.fail(fmt::format("the level '{}' is mapped twice", shown(name)));
      result.levels.push_back({.name = name, .energies = {}, .energy_per_word = false, .rates = {}});
      result.mapping.levels.push_back({{}, std::move(keeps)});
    }
    for (const Value& loop_value : item.at("loops_outer_to_inner").items()) {
      std::int64_t residual = 1;
      const Loop loop = read_loop(problem, loop_value, residual);
      std::int64_t& index = last[static_cast<std::size_t>(loop.dim)];
      index = checked_add(checked_mul(index, loop.bound), residual - 1);
      result.short_last_tile |= residual < loop.bound;
      result.mapping.levels.back().loops.push_back(loop);
    }
  }
  if (result.levels.empty()) value.fail("a mapping has at least one level");
  for (std::size_t d = 0; d < last.size(); ++d) {
    if (last[d] + 1 != problem.dims[d].bound) {
      value.fail(
          fmt::format("the loops of {} cover {} of {}", problem.dims[d].name, last[d] + 1, problem.dims[d].bound));
    }
  }
  if (const auto legal = check(problem, result.mapping, boundless(result.levels)); !legal) {
    value.fail(fmt::format("{}: {}", legal.error().level, legal.error().reason));
  }
}

LevelEnergies read_energies(const Value& map) {
  LevelEnergies energies;
  const auto number = [&](std::string_view key) { return map.at(key).as_number(0, largest_energy); };
  energies.read = number("read");
  energies.write = number(map.find("write") ? "write" : "write_or_update");
  energies.update = map.find("update") ? number("update") : energies.write;
  if (const auto leak = map.find("leak")) energies.leak = leak->as_number(0, largest_energy);
  return energies;
}

void read_action_energies(const Value& energies, const std::string& mac, ReferenceCase& result) {
  for (const std::string& name : energies.keys()) {
    const Value row = energies.at(name);
    const auto level = std::ranges::find(result.levels, name, &ReferenceLevel::name);
    if (level != result.levels.end()) {
      level->energies = read_energies(row);
    } else if (name == mac) {
      result.mac_energy = row.at("compute").as_number(0, largest_energy);
    } else {
      row.fail(fmt::format("'{}' is no level of the mapping and does not compute", shown(name)));
    }
  }
}

void read_architecture(const Value& architecture, ReferenceCase& result) {
  set_aside(architecture, {"mac", "word_bits"});
  if (const auto mac = architecture.find("mac_pJ")) result.mac_energy = mac->as_number(0, largest_energy);
  const Value energies = architecture.at("energy_per_scalar_access_pJ");
  for (ReferenceLevel& level : result.levels) {
    level.energies = read_energies(energies.at(level.name));
    level.energy_per_word = true;
  }
  for (const Value& row : architecture.at("levels_outer_to_inner").items()) {
    set_aside(row, {"class", "depth", "e", "meshX", "meshY"});
    const Value name = row.at("name");
    const auto level = std::ranges::find(result.levels, name.as_string(), &ReferenceLevel::name);
    if (level == result.levels.end())
      name.fail(fmt::format("'{}' is no level of the mapping", shown(name.as_string())));
    const auto rate = [&](std::string_view key) -> std::optional<double> {
      const auto value = row.find(key);
      if (!value) return std::nullopt;
      if (value->as_number(0, 1e18) <= 0) value->fail("a rate of zero moves nothing");
      return value->as_number(0, 1e18);
    };
    level->rates = {rate("rbw"), rate("wbw")};
  }
}

/// Problem and mapping; `mac` becomes the name of the arithmetic.
ReferenceCase read_nest(const Value& value, std::string& mac) {
  ReferenceCase result;
  result.id = value.at("id").as_string();
  result.problem = read_problem(value.at("problem"));
  std::vector<std::string> known;
  for (const Value& level : value.at("expected").at("levels").items()) {
    (level.find("dataspaces") ? known.emplace_back() : mac) = level.at("name").as_string();
  }
  read_mapping(value.at("mapping_outer_to_inner"), known, result);
  return result;
}

ReferenceCase read_case(const Value& value) {
  set_aside(value, {"note", "source", "tool", "mapping_timeloop_yaml"});
  std::string mac;
  ReferenceCase result = read_nest(value, mac);
  if (const auto energies = value.find("energy_per_action_pJ")) read_action_energies(*energies, mac, result);
  if (const auto architecture = value.find("architecture")) read_architecture(*architecture, result);
  return result;
}

/// 1e-4 relative; two decimals are printed, so half a unit of the last is rounding.
bool close(double ours, double printed) {
  return std::abs(ours - printed) <= std::max(1e-4 * std::abs(printed), 0.00501);
}

/// Collects what was compared of one case.
struct Tally {
  SuiteGroup& group;
  std::vector<std::string>& notes;

  void differs(const std::string& where, std::string_view ours, std::string_view theirs) const {
    ++group.mismatches;
    group.worst.push_back(fmt::format("{} {}: ours {}, theirs {}", group.keys.at("case"), where, ours, theirs));
    if (group.first_mismatch.empty()) group.first_mismatch = group.worst.front();
  }
  void exact(const std::string& where, std::int64_t ours, std::int64_t theirs) const {
    ++group.n;
    if (ours != theirs) differs(where, std::to_string(ours), std::to_string(theirs));
  }
  /// Whole cycles: a level that needs a part of one more takes it.
  void cycles(const std::string& where, double ours, const std::optional<Value>& printed) const {
    constexpr double rounding = 1e-9;
    constexpr double most = 9e18;  // a slower rate than that differs from anything a file can say
    if (printed)
      exact(where, std::llround(std::ceil(std::min(ours, most) - rounding)), printed->as_int(0, largest_count));
  }
  void near(const std::string& where, double ours, const std::optional<Value>& printed) const {
    if (!printed) return;
    ++group.n;
    const double theirs = printed->as_number(-largest_energy, largest_energy);
    if (!close(ours, theirs)) differs(where, fmt::format("{:.8g}", ours), fmt::format("{:.8g}", theirs));
  }
};

/// Counts of the same mapping when no tile is short: every dim as long as its loops.
AccessCounts full_tile_counts(const ReferenceCase& reference) {
  Problem problem = reference.problem;
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    std::int64_t extent = 1;
    for (const LevelMapping& level : reference.mapping.levels) {
      for (const Loop& loop : level.loops) {
        if (loop.dim == static_cast<int>(d)) extent = checked_mul(extent, loop.bound);
      }
    }
    problem.dims[d].bound = extent;
  }
  return count_accesses(problem, reference.mapping);
}

/// The last tile at full size on its way to and from a level, the words owned there counted without it.
OperandAccesses at_full_size(OperandAccesses true_words, const OperandAccesses& full) {
  const std::int64_t owned_updates = true_words.updates - true_words.reads;
  const std::int64_t owned_drains = true_words.drains - true_words.fills;
  OperandAccesses accesses = full;
  if (true_words.updates > 0) {
    accesses.reads = full.updates - owned_updates;
    accesses.fills = full.drains > 0 ? full.drains - owned_drains : 0;
  }
  return accesses;
}

struct LevelFigures {
  double energy = 0;                   // pJ of all tensors
  std::int64_t read = 0, written = 0;  // words, all instances
  std::int64_t instances = 1;          // that hold a word
};

/// One tensor at one level. Where the answer takes the short last tile at full size, the energy is that of its counts.
void compare_tensor(const Tally& tally, const ReferenceCase& reference, std::size_t l, std::size_t o,
                    const OperandAccesses& ours, const std::optional<OperandAccesses>& full, std::int64_t block,
                    const Value& theirs, LevelFigures& figures) {
  const Operand& operand = reference.problem.operands[o];
  const ReferenceLevel& level = reference.levels[l];
  const std::string place = fmt::format("{} {}", level.name, operand.name);
  const auto where = [&](std::string_view field) { return fmt::format("{} {}", place, field); };
  const std::int64_t instances = theirs.at("utilized_instances").as_int(1, largest_count);
  tally.exact(where("utilized_instances"), ours.utilized_instances, instances);
  tally.exact(where("utilized_capacity_words"), ours.tile_words,
              theirs.at("utilized_capacity_words").as_int(0, largest_count));
  figures.read = checked_add(figures.read, ours.reads);
  figures.written = checked_add(figures.written, checked_add(ours.fills, ours.updates));
  figures.instances = std::max(figures.instances, ours.utilized_instances);

  OperandAccesses accepted = ours;
  const auto compare = [&](std::string_view field, std::int64_t OperandAccesses::*count) {
    const Value value = theirs.at(fmt::format("{}_per_instance", field));
    const std::int64_t printed = checked_mul(value.as_int(0, largest_count), instances);
    if (full && ours.*count != printed && (*full).*count == printed) {
      tally.notes.push_back(fmt::format("{} {}: ours {} (true words), theirs {} (short last tile at full size)",
                                        reference.id, where(field), ours.*count, printed));
      accepted.*count = printed;
      ++tally.group.n;
    } else {
      tally.exact(where(field), ours.*count, printed);
    }
  };
  compare("reads", &OperandAccesses::reads);
  compare("fills", &OperandAccesses::fills);
  compare("updates", &OperandAccesses::updates);
  if (const auto reductions = theirs.find("temporal_reductions_per_instance")) {
    tally.exact(where("temporal_reductions"), operand.role == Role::output ? accepted.reads : 0,
                checked_mul(reductions->as_int(0, largest_count), instances));
  }
  const auto total = theirs.find("pJ_total");
  const auto each = theirs.find("pJ_per_scalar_access");
  if (!level.energies) return;
  const auto accesses = [&](std::int64_t words) {
    const std::int64_t blocks = checked_mul(ceil_div(words / instances, block), instances);
    return static_cast<double>(level.energy_per_word ? checked_mul(blocks, block) : blocks);
  };
  const double energy = accesses(accepted.reads) * level.energies->read +
                        accesses(accepted.fills) * level.energies->write +
                        accesses(accepted.updates) * level.energies->update;
  const std::int64_t words = checked_add(accepted.reads, checked_add(accepted.fills, accepted.updates));
  tally.near(where("pJ_total"), energy, total);
  if (words > 0) tally.near(where("pJ_per_scalar_access"), energy / static_cast<double>(words), each);
  figures.energy += energy;
}

LevelFigures compare_level(const Tally& tally, const ReferenceCase& reference, std::size_t l,
                           const AccessCounts& counts, const std::optional<AccessCounts>& full, const Value& theirs) {
  set_aside(theirs, {"size_words", "word_bits", "pJ_vector_access"});
  const auto block_words = theirs.find("block_words");
  const std::int64_t block = block_words ? block_words->as_int(1, largest_bound) : 1;
  const Value tensors = theirs.at("dataspaces");
  LevelFigures figures;
  std::vector<std::string> names;
  for (std::size_t o = 0; o < reference.problem.operands.size(); ++o) {
    const std::string& name = names.emplace_back(reference.problem.operands[o].name);
    const OperandAccesses& ours = counts.levels[l][o];
    const auto row = tensors.find(name);
    if (ours.kept != row.has_value()) {
      tally.differs(fmt::format("{} {} kept", reference.levels[l].name, name), ours.kept ? "yes" : "no",
                    ours.kept ? "no" : "yes");
      ++tally.group.n;
    } else if (row) {
      std::optional<OperandAccesses> full_size;
      if (full) full_size = at_full_size(ours, full->levels[l][o]);
      compare_tensor(tally, reference, l, o, ours, full_size, block, *row, figures);
    }
  }
  for (const std::string& name : tensors.keys()) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      tensors.fail(unknown_message("tensor", name, names));
  }
  return figures;
}

double cycles_of(const LevelFigures& figures, const LevelRates& rates, double steps) {
  const auto time = [&](std::int64_t words, const std::optional<double>& rate) {
    return rate ? static_cast<double>(words) / static_cast<double>(figures.instances) / *rate : 0.0;
  };
  return std::max({steps, time(figures.read, rates.read), time(figures.written, rates.write)});
}

void compare_case(const ReferenceCase& reference, const Value& expected, SuiteGroup& group,
                  std::vector<std::string>& notes) {
  const Tally tally{group, notes};
  const AccessCounts counts = count_accesses(reference.problem, reference.mapping);
  std::optional<AccessCounts> full;
  if (reference.short_last_tile) full = full_tile_counts(reference);
  set_aside(expected, {"networks"});

  struct Row {
    Value theirs;
    std::string name;
    LevelFigures figures;
    const ReferenceLevel* level;  // none: the arithmetic
  };
  std::vector<Row> rows;
  const double steps = static_cast<double>(counts.temporal_steps);
  double cycles = steps;
  for (const Value& theirs : expected.at("levels").items()) {
    Row row{theirs, theirs.at("name").as_string(), {}, nullptr};
    if (theirs.find("dataspaces")) {
      const auto level = std::ranges::find(reference.levels, row.name, &ReferenceLevel::name);
      if (level == reference.levels.end())
        theirs.at("name").fail(fmt::format("the level '{}' is not in the mapping", shown(row.name)));
      row.level = &*level;
      row.figures = compare_level(tally, reference, static_cast<std::size_t>(level - reference.levels.begin()), counts,
                                  full, theirs);
      cycles = std::max(cycles, cycles_of(row.figures, level->rates, steps));
    }
    rows.push_back(std::move(row));
  }

  double energy = 0;
  double instances = static_cast<double>(counts.lanes_used);
  std::map<std::string, double> energy_of;  // of each level and of the arithmetic, leakage included
  for (const Row& row : rows) {
    const auto where = [&](std::string_view field) { return fmt::format("{} {}", row.name, field); };
    const auto physical = row.theirs.find("instances");
    const double count = physical ? static_cast<double>(physical->as_int(1, largest_count)) : 1.0;
    double picojoules = row.figures.energy;
    if (row.level) {
      const double leakage = row.level->energies ? row.level->energies->leak * count * cycles : 0.0;
      tally.near(where("leakage_pJ_total"), leakage, row.theirs.find("leakage_pJ_total"));
      picojoules += leakage;
      tally.cycles(where("cycles"), cycles_of(row.figures, row.level->rates, steps), row.theirs.find("cycles"));
    } else {
      if (physical) instances = count;
      picojoules = reference.mac_energy.value_or(0) * static_cast<double>(counts.points);
      set_aside(row.theirs, {"word_bits"});
      tally.cycles(where("cycles"), steps, row.theirs.find("cycles"));
      const auto each = row.theirs.find("pJ_compute");
      const auto total = row.theirs.find("energy_pJ_total");
      if (reference.mac_energy) {
        tally.near(where("pJ_compute"), *reference.mac_energy, each);
        tally.near(where("energy_pJ_total"), picojoules, total);
      }
      tally.exact(where("computes_total"), counts.points, row.theirs.at("computes_total").as_int(0, largest_count));
      tally.exact(where("utilized_instances"), counts.lanes_used,
                  row.theirs.at("utilized_instances").as_int(1, largest_count));
    }
    energy_of[row.name] = picojoules;
    energy += picojoules;
  }

  const bool energies_known = reference.mac_energy && std::ranges::all_of(reference.levels, [](const auto& level) {
                                return level.energies.has_value();
                              });
  const Value summary = expected.at("summary");
  tally.cycles("summary cycles", cycles, summary.at("cycles"));
  if (const auto computes = summary.find("computes"))
    tally.exact("summary computes", counts.points, computes->as_int(0, largest_count));
  tally.near("summary utilization_pct", 100 * static_cast<double>(counts.points) / (cycles * instances),
             summary.find("utilization_pct"));
  const auto microjoules = summary.find("energy_uJ");
  const auto per_compute = summary.find("fJ_per_compute");
  if (energies_known) tally.near("summary energy_uJ", energy / 1e6, microjoules);
  if (!energies_known || !per_compute) return;
  energy_of["Total"] = energy;
  for (const std::string& name : per_compute->keys()) {
    const Value printed = per_compute->at(name);
    const auto ours = energy_of.find(name);
    if (ours == energy_of.end()) printed.fail(fmt::format("'{}' is no level of this case", shown(name)));
    tally.near(fmt::format("summary fJ_per_compute {}", name), 1000 * ours->second / static_cast<double>(counts.points),
               printed);
  }
}

/// The counts of a sparse case before anything is gated or skipped, where it prints them. What is left of them afterwards depends on
/// formats and gates that a case does not state.
void compare_sparse_case(const Value& value, SuiteGroup& group, std::vector<std::string>& notes) {
  const auto set_all_aside = [](const Value& map) {
    for (const std::string& key : map.keys()) set_aside(map, {key});
  };
  std::string mac;
  const ReferenceCase reference = read_nest(value, mac);
  const Tally tally{group, notes};
  const AccessCounts counts = count_accesses(reference.problem, reference.mapping);
  set_all_aside(value);
  const Value expected = value.at("expected");
  set_all_aside(expected);
  for (const Value& theirs : expected.at("levels").items()) {
    set_all_aside(theirs);
    const auto level = std::ranges::find(reference.levels, theirs.at("name").as_string(), &ReferenceLevel::name);
    const auto tensors = theirs.find("dataspaces");
    if (level == reference.levels.end() || !tensors) continue;
    const auto l = static_cast<std::size_t>(level - reference.levels.begin());
    for (std::size_t o = 0; o < reference.problem.operands.size(); ++o) {
      const std::string& name = reference.problem.operands[o].name;
      const auto row = tensors->find(name);
      if (!row) continue;
      set_all_aside(*row);
      const OperandAccesses& ours = counts.levels[l][o];
      const std::int64_t instances = row->at("utilized_instances").as_int(1, largest_count);
      const auto compare = [&](std::string_view field, std::int64_t dense) {
        const auto printed = row->find(fmt::format("alg_{}_per_instance", field));
        if (!printed) return;
        tally.exact(fmt::format("{} {} alg_{}", level->name, name, field), dense,
                    checked_mul(printed->as_int(0, largest_count), instances));
      };
      compare("reads", ours.reads);
      compare("fills", ours.fills);
      compare("updates", ours.updates);
    }
  }
  notes.push_back(
      fmt::format("{}: sparse, {} counts before gating and skipping compared: the case states no formats and no gates",
                  reference.id, group.n));
}

void validate_file(const std::string& path, SuiteResult& result) {
  const Value root = load_yaml(path);  // JSON is YAML: errors know line and key
  root.at("format").as_int(1, 1);
  const std::vector<Value> cases = root.at("cases").items();
  if (cases.empty()) root.at("cases").fail("no cases");
  for (const Value& value : cases) {
    const Value id = value.at("id");
    const auto sparse = value.find("sparse");
    SuiteGroup group;
    group.keys["case"] = id.as_string();
    const bool repeated =
        std::ranges::any_of(result.groups, [&](const SuiteGroup& other) { return other.keys == group.keys; });
    if (repeated) id.fail(fmt::format("a second case '{}'", shown(id.as_string())));
    try {
      if (sparse && sparse->as_bool()) {
        compare_sparse_case(value, group, result.notes);
      } else {
        const ReferenceCase reference = read_case(value);
        compare_case(reference, value.at("expected"), group, result.notes);
      }
    } catch (const OverflowError& error) { value.fail(error.what()); }
    result.groups.push_back(std::move(group));
  }
  root.reject_unread_keys();
}

std::vector<std::string> files_of(const std::string& data) {
  std::error_code ignored;
  if (!fs::is_directory(data, ignored)) return {data};
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(data, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path().string());
  }
  if (error) throw InputError({data, 0, 0, ""}, fmt::format("cannot list the folder: {}", error.message()));
  if (files.empty()) throw InputError({data, 0, 0, ""}, "no .json file in this folder");
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

SuiteResult validate_mapping(const std::string& data) {
  SuiteResult result;
  result.suite = "mapping";
  result.data = data.empty() ? data_folder(TILEWRIGHT_VALIDATION_FOLDER, "validation", "measured/mapping") : data;
  for (const std::string& file : files_of(result.data)) validate_file(file, result);
  SuiteGroup all;
  all.keys["case"] = "*";
  for (const SuiteGroup& group : result.groups) {
    all.n += group.n;
    all.mismatches += group.mismatches;
    if (all.first_mismatch.empty()) all.first_mismatch = group.first_mismatch;
  }
  result.pass = all.n > 0 && all.mismatches == 0;
  result.groups.insert(result.groups.begin(), std::move(all));
  return result;
}

}  // namespace tilewright
