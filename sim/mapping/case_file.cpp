#include "sim/mapping/case_file.hpp"

#include <charconv>
#include <filesystem>
#include <limits>

#include <fmt/format.h>

#include "arch_models/load.hpp"
#include "core/checked.hpp"
#include "core/document.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t largest_bound = std::int64_t{1} << 40;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::int64_t positive_integer(std::string_view text, const Value& at, std::string_view what) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > largest_bound) {
    at.fail(fmt::format("{} must be an integer from 1 to {}, got '{}'", what, largest_bound, shown(text)));
  }
  return number;
}

int dim_of(const Problem& problem, std::string_view name, const Value& at) {
  for (std::size_t d = 0; d < problem.dims.size(); ++d) {
    if (problem.dims[d].name == name) return static_cast<int>(d);
  }
  std::vector<std::string> known;
  for (const Dim& dim : problem.dims) known.push_back(dim.name);
  at.fail(unknown_message("dim", name, known));
}

/// "2*P + R": terms joined by +, each a dim with an optional positive factor on either side.
Axis parse_axis(const Problem& problem, const Value& value) {
  const std::string text = value.as_string();
  Axis axis;
  std::string_view rest = text;
  while (true) {
    const auto plus = rest.find('+');
    const std::string_view term = trimmed(rest.substr(0, plus));
    if (term.empty()) value.fail(fmt::format("expected terms such as 'C' or '2*P + R', got '{}'", shown(text)));
    const auto star = term.find('*');
    if (star == std::string_view::npos) {
      axis.push_back({dim_of(problem, term, value), 1});
    } else {
      std::string_view factor = trimmed(term.substr(0, star));
      std::string_view name = trimmed(term.substr(star + 1));
      if (!name.empty() && name.front() >= '0' && name.front() <= '9') std::swap(factor, name);
      axis.push_back({dim_of(problem, name, value), positive_integer(factor, value, "the factor of a term")});
    }
    if (plus == std::string_view::npos) return axis;
    rest.remove_prefix(plus + 1);
  }
}

/// 0.5 (zeros anywhere) or "2:4" (in every 4 neighbours 2 non-zeros).
void parse_density(const Value& value, Operand& operand) {
  const std::string text = value.as_string();
  const std::string_view whole = text;
  const auto colon = whole.find(':');
  if (colon == std::string_view::npos) {
    operand.density = value.as_number(1e-9, 1);
    return;
  }
  const std::int64_t kept = positive_integer(trimmed(whole.substr(0, colon)), value, "the non-zeros of a block");
  operand.block = positive_integer(trimmed(whole.substr(colon + 1)), value, "the size of a block");
  if (kept > operand.block) value.fail("a block cannot hold more non-zeros than elements");
  operand.density = static_cast<double>(kept) / static_cast<double>(operand.block);
}

Operand parse_operand(const Problem& problem, const Value& value) {
  Operand operand;
  operand.name = value.at("name").as_string();
  const std::string role = value.at("role").as_choice("role", {"weight", "input", "output"});
  operand.role = role == "weight" ? Role::weight : role == "input" ? Role::input : Role::output;
  if (const auto density = value.find("density")) parse_density(*density, operand);
  if (const auto type = value.find("type")) {
    operand.type = *data_type_from(type->as_choice("type", data_type_names()));
  }
  if (const auto density = value.find("density")) operand.density = density->as_number(0, 1);
  if (const auto on_chip = value.find("on_chip")) operand.on_chip = on_chip->as_bool();
  for (const Value& axis : value.at("axes").items()) operand.axes.push_back(parse_axis(problem, axis));
  return operand;
}

Problem parse_problem(const Value& value) {
  Problem problem;
  const Value dims = value.at("dims");
  for (const std::string& name : dims.keys()) {
    problem.dims.push_back({name, dims.at(name).as_int(1, largest_bound)});
  }
  if (const auto compute = value.find("compute")) {
    const bool vector = compute->as_choice("compute", {"mac", "vector"}) == "vector";
    problem.compute = vector ? Compute::vector : Compute::mac;
  }
  if (const auto operations = value.find("ops_per_point")) {
    if (problem.compute != Compute::vector)
      operations->fail("only a problem with `compute: vector` has operations per point");
    problem.ops_per_point = operations->as_number(0, 1e9);
  }
  const Value operands = value.at("operands");
  std::optional<Operand> output;
  for (const Value& item : operands.items()) {
    Operand operand = parse_operand(problem, item);
    if (operand.role != Role::output) {
      problem.operands.push_back(std::move(operand));
    } else if (output) {
      item.fail(fmt::format("a second output '{}'; a problem has exactly one", operand.name));
    } else {
      output = std::move(operand);
    }
  }
  if (!output) operands.fail("no operand has the role output");
  problem.operands.push_back(std::move(*output));  // inputs first, the output last
  try {
    validate(problem);
  } catch (const InputError& error) { value.fail(error.what()); }
  return problem;
}

/// "M=2" or "N=3 @x".
Loop parse_loop(const Problem& problem, const Value& value) {
  const std::string text = value.as_string();
  const std::string_view whole = text;
  const auto at = whole.find('@');
  const std::string_view head = trimmed(whole.substr(0, at));
  const auto equals = head.find('=');
  if (equals == std::string_view::npos) {
    value.fail(fmt::format("expected a loop such as 'M=2', 'M=2 @x' or 'M=2 @y', got '{}'", shown(text)));
  }
  Loop loop;
  loop.dim = dim_of(problem, trimmed(head.substr(0, equals)), value);
  loop.bound = positive_integer(trimmed(head.substr(equals + 1)), value, "the bound of a loop");
  if (at != std::string_view::npos) {
    const std::string_view place = trimmed(whole.substr(at + 1));
    if (place != "x" && place != "y") {
      value.fail(fmt::format("a spatial loop ends in @x or @y, got '@{}'", shown(place)));
    }
    loop.kind = place == "x" ? LoopKind::spatial_x : LoopKind::spatial_y;
  }
  return loop;
}

Mapping parse_mapping(const Problem& problem, const Chip& chip, const Value& value) {
  std::vector<std::string> level_names, operand_names;
  for (const BufferLevel& level : chip.levels) level_names.push_back(level.name);
  for (const Operand& operand : problem.operands) operand_names.push_back(operand.name);

  Mapping mapping;
  mapping.levels.resize(chip.levels.size());
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    mapping.levels[l].keeps.assign(operand_names.size(), l == 0);
  }
  std::size_t next = 0;  // levels come in the chip's order
  for (const Value& item : value.items()) {
    const Value level_value = item.at("level");
    const std::string name = level_value.as_choice("level", level_names);
    std::size_t l = 0;
    while (level_names[l] != name) ++l;
    if (l < next) level_value.fail(fmt::format("level {} is repeated or out of order (outermost first)", name));
    next = l + 1;
    LevelMapping& level = mapping.levels[l];
    if (const auto keeps = item.find("keeps")) {
      level.keeps.assign(operand_names.size(), false);
      for (const Value& kept : keeps->items()) {
        const std::string operand = kept.as_choice("operand", operand_names);
        for (std::size_t o = 0; o < operand_names.size(); ++o) {
          if (operand_names[o] == operand) level.keeps[o] = true;
        }
      }
      for (std::size_t o = 0; l == 0 && o < operand_names.size(); ++o) {
        if (!level.keeps[o]) keeps->fail(fmt::format("the outermost level must keep {}", operand_names[o]));
      }
    } else {
      for (std::size_t o = 0; o < operand_names.size(); ++o) {
        level.keeps[o] = l == 0 || chip.levels[l].keeps[static_cast<int>(problem.operands[o].role)];
      }
    }
    if (const auto loops = item.find("loops")) {
      for (const Value& loop : loops->items()) level.loops.push_back(parse_loop(problem, loop));
    }
  }
  const std::vector<std::int64_t> covered = tile_extents(problem, mapping, 0);
  for (std::size_t d = 0; d < covered.size(); ++d) {
    if (covered[d] < problem.dims[d].bound) {
      value.fail(
          fmt::format("the loops of {} cover {} of {}", problem.dims[d].name, covered[d], problem.dims[d].bound));
    }
  }
  return mapping;
}

/// A path is tried beside the case file first; anything else is a library name or a path from the working folder.
Chip find_chip(const std::string& name_or_path, const std::string& case_path) {
  const std::filesystem::path beside = std::filesystem::path(case_path).parent_path() / name_or_path;
  std::error_code ignored;
  if (std::filesystem::is_regular_file(beside, ignored)) return load_chip(beside.string());
  return load_chip(name_or_path);
}

/// A YAML scalar in double quotes.
std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "\"";
}

std::string list_in_quotes(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "" : ", ") + in_quotes(item);
  return "[" + out + "]";
}

std::string axis_text(const Problem& problem, const Axis& axis) {
  std::string text;
  for (const Term& term : axis) {
    if (!text.empty()) text += " + ";
    if (term.coefficient != 1) text += fmt::format("{}*", term.coefficient);
    text += problem.dims[static_cast<std::size_t>(term.dim)].name;
  }
  return text;
}

std::string operand_text(const Problem& problem, const Operand& operand) {
  std::vector<std::string> axes;
  for (const Axis& axis : operand.axes) {
    if (!axis.empty()) axes.push_back(axis_text(problem, axis));  // an axis without a term has one word
  }
  const char* role = operand.role == Role::weight ? "weight" : operand.role == Role::input ? "input" : "output";
  std::string text = fmt::format("{{name: {}, role: {}, type: {}, axes: {}", in_quotes(operand.name), role,
                                 name(operand.type), list_in_quotes(axes));
  if (operand.density != 1.0) text += fmt::format(", density: {}", operand.density);
  if (operand.on_chip) text += ", on_chip: true";
  return text + "}";
}

}  // namespace

std::string case_file_text(const std::string& name, const Problem& problem, const Mapping& mapping, const Chip& chip,
                           const std::string& chip_name) {
  std::string dims;
  for (const Dim& dim : problem.dims)
    dims += fmt::format("{}{}: {}", dims.empty() ? "" : ", ", in_quotes(dim.name), dim.bound);
  std::string text = fmt::format("name: {}\nproblem:\n  dims: {{{}}}\n", in_quotes(name), dims);
  if (problem.compute == Compute::vector)
    text += fmt::format("  compute: vector\n  ops_per_point: {}\n", problem.ops_per_point);
  text += "  operands:\n";
  for (const Operand& operand : problem.operands) text += fmt::format("    - {}\n", operand_text(problem, operand));
  text += fmt::format("chip: {}\nmapping:  # outermost level first; @x, @y: unrolled in space\n", in_quotes(chip_name));
  for (std::size_t l = 0; l < mapping.levels.size(); ++l) {
    std::vector<std::string> keeps, loops;
    for (std::size_t o = 0; o < problem.operands.size(); ++o) {
      if (mapping.levels[l].keeps[o]) keeps.push_back(problem.operands[o].name);
    }
    for (const Loop& loop : mapping.levels[l].loops) {
      if (loop.bound == 1) continue;
      const char* place = loop.kind == LoopKind::temporal ? "" : loop.kind == LoopKind::spatial_x ? " @x" : " @y";
      loops.push_back(fmt::format("{}={}{}", problem.dims[static_cast<std::size_t>(loop.dim)].name, loop.bound, place));
    }
    text += fmt::format("  - {{level: {}, keeps: {}, loops: {}}}\n", in_quotes(chip.levels[l].name),
                        list_in_quotes(keeps), list_in_quotes(loops));
  }
  return text;
}

Case load_case(const std::string& path) {
  const Value root = load_yaml(path);
  Case result;
  const auto name = root.find("name");
  result.name = name ? name->as_string() : std::filesystem::path(path).stem().string();
  result.problem = parse_problem(root.at("problem"));
  const Value chip = root.at("chip");
  if (chip.is_map()) chip.fail("a chip is given by its library name or by a path; write the map into a chip file");
  result.chip = find_chip(chip.as_string(), path);
  result.mapping = parse_mapping(result.problem, result.chip, root.at("mapping"));
  root.reject_unread_keys();
  return result;
}

}  // namespace tilewright
