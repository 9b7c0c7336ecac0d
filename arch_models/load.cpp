#include "arch_models/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "arch_models/area.hpp"
#include "arch_models/energy_table.hpp"
#include "arch_models/family.hpp"
#include "arch_models/library_folder.hpp"
#include "arch_models/scalesim_cfg.hpp"
#include "core/document.hpp"

namespace tilewright {

namespace {

const std::vector<std::string> class_names{"dram", "sram", "regfile"};
const std::vector<std::string> dram_names{"ddr3",  "ddr4",  "ddr5", "lpddr4", "lpddr5",
                                          "gddr5", "gddr6", "hbm2", "hbm2e",  "hbm3"};
const std::vector<std::string> role_names{"weights", "inputs", "outputs"};  // in the order of Role

/// A chip names one table; a figure taken from another table would mix two sources.
void reject_foreign_table(const Value& source, const std::string& table) {
  const std::string text = source.as_string();
  for (const std::string& other : energy_table_library()) {
    if (other != table && text.find(other) != std::string::npos) {
      source.fail(fmt::format(
          "the chip's energy table is '{}', this figure is of '{}': energies of two tables are not mixed; name one "
          "table, or cite the paper that the figure is from",
          table, other));
    }
  }
}

struct GivenEnergy {
  double joules_per_bit = 0;
  double per_bits = 0;
  std::string source;
};

/// `{value: 1300 pJ, per: 64 bit, source: "..."}`. Without `per` the figure is for one access of `default_bits`.
GivenEnergy parse_energy(const Value& map, double default_bits, const std::string& table) {
  GivenEnergy energy;
  const Joules value = map.at("value").as_energy();
  energy.per_bits = default_bits;
  if (const auto per = map.find("per")) {
    energy.per_bits = per->as_bytes().value * 8;
    if (energy.per_bits <= 0) per->fail("an access moves at least one bit, e.g. '64 bit'");
  }
  energy.joules_per_bit = value.value / energy.per_bits;
  const Value source = map.at("source");
  energy.source = source.as_string();
  if (energy.source.empty()) source.fail("say where the figure is from");
  reject_foreign_table(source, table);
  return energy;
}

std::string size_text(double bytes) {
  if (bytes >= 1048576) return fmt::format("{:g} MiB", bytes / 1048576);
  if (bytes >= 1024) return fmt::format("{:g} KiB", bytes / 1024);
  return fmt::format("{:g} B", bytes);
}

/// "; 45 nm figures for a 28 nm chip" where the table has no figures of the chip's node.
std::string node_note(const EnergyTable& table, double technology_nm) {
  if (table.technology_nm == technology_nm) return "";
  return fmt::format("; {:g} nm figures for a {:g} nm chip", table.technology_nm, technology_nm);
}

struct LevelEnergyKeys {
  ComponentClass component = ComponentClass::sram;
  std::string dram;  // empty: the table's default type
  std::int64_t banks = 1;
};

/// Fills read and write energy: given figures win, the table fills the rest.
void set_energy(const Value& value, BufferLevel& level, const LevelEnergyKeys& keys, const EnergyTable& table,
                double technology_nm) {
  const double width = static_cast<double>(level.access_bits);
  const auto read = value.find("read_energy");
  const auto write = value.find("write_energy");
  if (read || write) {
    std::optional<GivenEnergy> r, w;
    if (read) r = parse_energy(*read, width, table.name);
    if (write) w = parse_energy(*write, width, table.name);
    level.read_energy = Joules{(r ? r : w)->joules_per_bit * width};
    level.write_energy = Joules{(w ? w : r)->joules_per_bit * width};
    if (r && w) {
      level.energy_source =
          r->source == w->source ? r->source : fmt::format("read: {}; write: {}", r->source, w->source);
    } else {
      level.energy_source =
          fmt::format("{} ({} energy only; the other taken equal)", (r ? r : w)->source, r ? "read" : "write");
    }
    return;
  }
  if (keys.component == ComponentClass::dram) {
    const auto row = keys.dram.empty() ? access_energy(table, ComponentClass::dram, Bytes{}, width)
                                       : dram_energy(table, keys.dram, width);
    if (!row) {
      std::vector<std::string> has;
      for (const DramEnergy& type : table.dram_types) has.push_back(type.type);
      const std::string remedy =
          has.empty() ? std::string() : fmt::format("set `dram` to one of {}, or ", fmt::join(has, ", "));
      value.fail(fmt::format(
          "the energy table '{}' has no row for {}; {}give read_energy: {{value: 1300 pJ, per: 64 bit, source: ...}}",
          table.name, keys.dram.empty() ? "DRAM" : keys.dram, remedy));
    }
    level.read_energy = row->read;
    level.write_energy = row->write;
    const std::string type = keys.dram.empty() ? table.dram_types.front().type : keys.dram;
    level.energy_source = fmt::format("{} {}, {} bit", table.name, type, level.access_bits);
    for (const DramEnergy& entry : table.dram_types) {
      if (entry.type == type && !entry.source.empty()) level.energy_source += fmt::format(" ({})", entry.source);
    }
    return;
  }
  const double bank = level.capacity->value / static_cast<double>(keys.banks);
  const auto row = access_energy(table, keys.component, Bytes{bank}, width);
  if (!row) {
    const char* what = keys.component == ComponentClass::sram ? "an SRAM" : "a register file";
    std::string remedy;
    if (keys.component == ComponentClass::sram && !table.sram.empty()) {
      remedy = fmt::format("its rows reach from {} to {} per bank: set `banks`, or ",
                           size_text(table.sram.front().capacity_bytes / 4),
                           size_text(table.sram.back().capacity_bytes * 4));
    } else if (keys.component == ComponentClass::regfile && !table.sram.empty()) {
      remedy = "set `class: sram`, or ";
    }
    value.fail(fmt::format(
        "the energy table '{}' has no row for {} of {}; {}give read_energy: {{value: 10 pJ, per: {} bit, source: "
        "...}}",
        table.name, what, size_text(bank), remedy, level.access_bits));
  }
  level.read_energy = row->read;
  level.write_energy = row->write;
  level.energy_source =
      fmt::format("{} {} {}, {} bit{}", table.name, keys.component == ComponentClass::sram ? "SRAM" : "register file",
                  size_text(bank), level.access_bits, node_note(table, technology_nm));
}

void parse_keeps(const Value& list, BufferLevel& level, bool outermost) {
  std::fill(std::begin(level.keeps), std::end(level.keeps), false);
  for (const Value& item : list.items()) {
    const std::string word = item.as_choice("operand", role_names);
    const auto role =
        static_cast<std::size_t>(std::find(role_names.begin(), role_names.end(), word) - role_names.begin());
    if (level.keeps[role]) item.fail(fmt::format("'{}' is listed twice", word));
    level.keeps[role] = true;
  }
  if (std::none_of(std::begin(level.keeps), std::end(level.keeps), [](bool keep) { return keep; })) {
    list.fail(fmt::format(
        "the level '{}' keeps nothing: no tensor can use it; name inputs, weights or outputs, or remove the level",
        level.name));
  }
  if (outermost && !std::all_of(std::begin(level.keeps), std::end(level.keeps), [](bool keep) { return keep; })) {
    list.fail(fmt::format("the outermost level '{}' holds all of inputs, weights and outputs; leave `keeps` out",
                          level.name));
  }
}

Role parse_role(const Value& value) {
  const std::string word = value.as_choice("operand", role_names);
  return static_cast<Role>(std::find(role_names.begin(), role_names.end(), word) - role_names.begin());
}

/// `link: {overlap: merged, forwarding: {value: 0.1 pJ, per: 1 bit, source: ...}, reduction: {value: ..., ...}}`
LinkOptions parse_link(const Value& map, const std::string& table) {
  LinkOptions link;
  if (const auto overlap = map.find("overlap")) {
    link.merged_overlap = overlap->as_choice("overlap", {"separate", "merged"}) == "merged";
  }
  if (const auto hop = map.find("forwarding")) {
    link.forwarding = true;
    link.hop_energy_per_bit = Joules{parse_energy(*hop, 1, table).joules_per_bit};
  }
  if (const auto reduction = map.find("reduction")) {
    link.reduction_energy_per_bit = Joules{parse_energy(*reduction, 1, table).joules_per_bit};
  }
  return link;
}

std::int64_t parse_bits(const Value& value) {
  const double width = value.as_bytes().value * 8;
  if (width < 1 || width > 62 || width != std::floor(width))
    value.fail("an index has 1 to 62 whole bits, e.g. '5 bit'");
  return static_cast<std::int64_t>(width);
}

/// `{format: csr, index: 8 bit, pointer: 16 bit}`
Compression parse_compression(const Value& map) {
  static const std::vector<std::string> formats{"dense", "bitmask", "run_length", "coordinate", "csr"};
  Compression stored;
  const std::string word = map.at("format").as_choice("format", formats);
  stored.format = static_cast<StorageFormat>(std::find(formats.begin(), formats.end(), word) - formats.begin());
  const bool indexed = stored.format != StorageFormat::dense && stored.format != StorageFormat::bitmask;
  if (indexed) stored.index_bits = parse_bits(map.at("index"));
  if (stored.format == StorageFormat::csr) stored.pointer_bits = parse_bits(map.at("pointer"));
  return stored;
}

/// `{banks: 16, ports: 1, source: ...}`
BankTiming parse_bank_timing(const Value& map, bool outermost) {
  if (outermost) map.fail("the outermost level is a DRAM: give its channels and rows with dram_timing");
  BankTiming timing;
  timing.banks = map.at("banks").as_int(1, 65'536);
  if (const auto ports = map.find("ports")) timing.ports = ports->as_int(1, 64);
  if (const auto source = map.find("source")) source->as_string();
  return timing;
}

DramTiming parse_dram_timing(const Value& map, bool outermost) {
  if (!outermost) map.fail("only the outermost level has channels and rows of a DRAM");
  DramTiming dram;
  if (const auto channels = map.find("channels")) dram.channels = channels->as_int(1, 100'000);
  if (const auto banks = map.find("banks")) dram.banks = banks->as_int(1, 100'000);
  if (const auto row = map.find("row")) dram.row = row->as_bytes();
  if (dram.row.value < 1) map.at("row").fail("a row holds at least one byte, e.g. '2 KiB'");
  if (const auto cycle = map.find("row_cycle")) dram.row_cycle = cycle->as_time();
  if (const auto latency = map.find("latency")) dram.latency = latency->as_time();
  if (const auto source = map.find("source")) source->as_string();
  return dram;
}

/// One entry of `levels`; the fan-out is set by the caller.
BufferLevel parse_level(const Value& value, const BufferLevel* outer, const Chip& chip, const EnergyTable& table) {
  BufferLevel level;
  const Value name = value.at("name");
  level.name = name.as_string();
  if (level.name.empty()) name.fail("a level needs a name");
  for (const BufferLevel& other : chip.levels) {
    if (other.name == level.name) name.fail(fmt::format("two levels are called '{}'", shown(level.name)));
  }

  const auto capacity = value.find("capacity");
  if (capacity) {
    level.capacity = capacity->as_bytes();
    if (level.capacity->value <= 0) {
      capacity->fail(outer == nullptr
                         ? "a capacity of zero holds nothing; leave the key out for an unbounded outermost level"
                         : "a capacity of zero holds nothing; give a size such as '256 KiB', or remove the level");
    }
    if (level.capacity->value > 9e18) capacity->fail("larger than 9e18 bytes");
  } else if (outer != nullptr) {
    Place place = value.place();
    place.key += ".capacity";
    throw InputError(
        place, fmt::format("the level '{}' needs a capacity: only the outermost level may be unbounded", level.name));
  }

  level.instances = outer == nullptr ? 1 : outer->instances;
  if (const auto instances = value.find("instances")) {
    level.instances = instances->as_int(1, 1'000'000'000);
    if (outer == nullptr && level.instances != 1) {
      instances->fail("the outermost level is one store; give the bandwidth of all its channels together");
    }
    if (outer != nullptr && level.instances % outer->instances != 0) {
      instances->fail(fmt::format("{} instances cannot be shared out evenly under the {} of '{}'; use a multiple of {}",
                                  level.instances, outer->instances, outer->name, outer->instances));
    }
  }

  if (const auto bandwidth = value.find("bandwidth")) {
    level.bandwidth = bandwidth->as_bandwidth(chip.clock) / chip.clock;
    if (level.bandwidth.value <= 0)
      bandwidth->fail("a bandwidth of zero moves nothing; leave the key out where it is never the bound");
  }
  if (const auto dram = value.find("dram_timing")) level.dram = parse_dram_timing(*dram, outer == nullptr);
  if (const auto banks = value.find("bank_timing")) level.banks = parse_bank_timing(*banks, outer == nullptr);
  if (const auto ports = value.find("separate_ports")) level.separate_ports = ports->as_bool();
  if (const auto buffered = value.find("double_buffered")) level.double_buffered = buffered->as_bool();
  if (const auto keeps = value.find("keeps")) parse_keeps(*keeps, level, outer == nullptr);

  level.access_bits = 64;
  if (const auto access = value.find("access")) {
    const double width = access->as_bytes().value * 8;
    if (width < 1 || width > 1'048'576 || width != std::floor(width)) {
      access->fail("one access moves 1 to 1048576 whole bits, e.g. '64 bit' or '64 B'");
    }
    level.access_bits = static_cast<std::int64_t>(width);
  }

  LevelEnergyKeys keys;
  if (const auto banks = value.find("banks")) keys.banks = banks->as_int(1, 1'000'000);
  if (outer == nullptr && !level.capacity) {
    keys.component = ComponentClass::dram;
  } else if (level.capacity->value <= 2048) {
    keys.component = ComponentClass::regfile;
  }
  if (const auto component = value.find("class")) {
    const std::string word = component->as_choice("class", class_names);
    keys.component = word == "dram"   ? ComponentClass::dram
                     : word == "sram" ? ComponentClass::sram
                                      : ComponentClass::regfile;
    if (keys.component != ComponentClass::dram && !level.capacity) {
      component->fail(fmt::format("an unbounded level cannot be {}; give a capacity", word));
    }
  }
  if (const auto dram = value.find("dram")) {
    keys.dram = dram->as_choice("DRAM type", dram_names);
    if (keys.component != ComponentClass::dram)
      dram->fail("this level is on the chip; set `class: dram` or leave `dram` out");
  }
  set_energy(value, level, keys, table, chip.technology_nm);

  if (const auto link = value.find("link_energy")) {
    const GivenEnergy energy = parse_energy(*link, 1, table.name);
    level.transfer_energy_per_bit = Joules{energy.joules_per_bit};
    level.energy_source += fmt::format("; link: {}", energy.source);
  }
  if (const auto link = value.find("link")) level.link = parse_link(*link, table.name);
  if (const auto storage = value.find("storage")) {
    for (const std::string& role : role_names) {
      const auto at = static_cast<std::size_t>(&role - role_names.data());
      if (const auto format = storage->find(role)) level.stored[at] = parse_compression(*format);
    }
  }
  if (const auto leakage = value.find("leakage")) level.leakage = leakage->as_power();
  if (const auto source = value.find("source")) source->as_string();
  return level;
}

void parse_levels(const Value& list, Chip& chip, const EnergyTable& table) {
  const std::vector<Value> items = list.items();
  if (items.empty()) list.fail("a chip has at least one level; the first is the outermost (DRAM or host)");
  if (items.size() > 16) list.fail("a chip has at most 16 levels");
  for (const Value& item : items) {
    const BufferLevel* outer = chip.levels.empty() ? nullptr : &chip.levels.back();
    chip.levels.push_back(parse_level(item, outer, chip, table));
  }
  for (std::size_t i = 0; i + 1 < chip.levels.size(); ++i) {
    chip.levels[i].fanout_x = chip.levels[i + 1].instances / chip.levels[i].instances;
    chip.levels[i].fanout_y = 1;
  }
}

/// Returns the width scaling that the file asks for.
std::optional<double> parse_vector(const Value& map, Chip& chip) {
  std::optional<double> scaling;
  if (const auto rate = map.find("ops_per_cycle")) {
    chip.vector.ops_per_cycle_fp32 = rate->as_number(0, 1e12);
    if (chip.vector.ops_per_cycle_fp32 <= 0)
      rate->fail(
          "a vector unit does more than zero operations per cycle; leave the key out for "
          "the family's default");
  }
  if (const auto flag = map.find("width_scaling")) scaling = flag->as_bool() ? 1.0 : 0.0;
  if (const auto energy = map.find("energy_per_op")) {
    const GivenEnergy given = parse_energy(*energy, 32, chip.energy_table);
    chip.vector.energy_per_op = Joules{given.joules_per_bit * 32};
    chip.vector.source = given.source;
  }
  if (const auto source = map.find("source")) chip.vector.source = source->as_string();
  return scaling;
}

/// `{value: 4 mm2, source: ...}`
void parse_top(const Value& root, Chip& chip) {
  const Value name = root.at("name");
  chip.name = name.as_string();
  if (chip.name.empty()) name.fail("a chip needs a name");
  std::vector<std::string> families;
  for (const ArchFamily& family : arch_families()) families.emplace_back(family.name);
  chip.family = root.at("family").as_choice("family", families);
  if (const auto summary = root.find("summary")) chip.summary = summary->as_string();
  const Value source = root.at("source");
  chip.source = source.as_string();
  if (chip.source.empty()) source.fail("say where the figures are from (data sheet, paper, or 'example')");
  chip.technology_nm = root.at("technology_nm").as_number(0.5, 1000);
  const Value clock = root.at("clock");
  chip.clock = clock.as_frequency();
  if (chip.clock.value <= 0) clock.fail("a clock of zero never ticks");
  if (const auto overhead = root.find("overhead")) {
    chip.launch_overhead = overhead->at("launch").as_time();
    if (const auto from = overhead->find("source")) from->as_string();
  }
  if (const auto power = root.find("power")) {
    if (const auto idle = power->find("static")) chip.static_power = idle->as_power();
    if (const auto tdp = power->find("tdp")) {
      chip.tdp = tdp->as_power();
      if (chip.tdp < chip.static_power) {
        tdp->fail(fmt::format("a design power of {:g} W is below the static power of {:g} W", chip.tdp.value,
                              chip.static_power.value));
      }
    }
    if (const auto from = power->find("source")) from->as_string();
  }
  if (const auto validation = root.find("validation")) chip.validation = validation->as_string();
}

/// `sparsity: {gate: [inputs], skip: [weights]}`
SparseCompute parse_sparsity(const Value& map) {
  SparseCompute sparse;
  const auto read = [&](const char* key, bool(&flags)[3]) {
    const auto list = map.find(key);
    if (!list) return;
    for (const Value& item : list->items()) {
      const Role role = parse_role(item);
      if (role == Role::output) item.fail("a zero result is known only after the MACs; name inputs or weights");
      if (sparse.gated[static_cast<int>(role)] || sparse.skipped[static_cast<int>(role)]) {
        item.fail("an operand is named once, under `gate` or under `skip`");
      }
      flags[static_cast<int>(role)] = true;
    }
  };
  read("gate", sparse.gated);
  read("skip", sparse.skipped);
  return sparse;
}

const EnergyTable& table_of(const Value& root, Chip& chip) {
  const Value table = root.at("energy_table");
  if (table.is_list()) table.fail("a chip names one energy table; energies of two tables are not mixed");
  chip.energy_table = table.as_choice("energy table", energy_table_library());
  return load_energy_table(chip.energy_table, chip.technology_nm);
}

Chip build(const Value& root, const std::string& file) {
  Chip chip;
  chip.path = file;
  parse_top(root, chip);
  const EnergyTable& table = table_of(root, chip);
  parse_levels(root.at("levels"), chip, table);
  std::optional<double> scaling;
  if (const auto vector = root.find("vector")) scaling = parse_vector(*vector, chip);
  const Value compute = root.at("compute");
  family_of(chip).parse(compute, chip);
  if (const auto source = compute.find("source")) source->as_string();
  if (scaling) chip.vector.width_scaling = *scaling;
  if (chip.arithmetic.empty()) compute.fail("the chip computes in no format: give `precisions`, e.g. {int8: 1}");
  if (const auto type = root.find("accumulator")) {
    const std::vector<std::string> known = data_type_names();
    chip.accumulator = data_type_from(type->as_choice("format", known));
  }
  if (const auto sparsity = root.find("sparsity")) {
    if (chip.family == "neuromorphic") sparsity->fail("event-driven cores skip zeros by nature; leave the key out");
    chip.sparse = parse_sparsity(*sparsity);
  }
  chip.lanes();  // an OverflowError here names the chip file's fault before any search meets it
  parse_area_and_price(root, chip);
  root.reject_unread_keys();
  return chip;
}

bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".yaml") || text.ends_with(".yml");
}

}  // namespace

Chip parse_chip(const std::string& yaml, const std::string& file) { return build(parse_yaml(yaml, file), file); }

Chip read_chip(const Value& document) { return build(document, document.place().file); }

Value chip_document(const std::string& name_or_path) {
  if (is_scalesim_config(name_or_path)) {
    throw InputError({name_or_path, 0, 0, ""},
                     "a SCALE-Sim configuration has no chip keys that could be changed; write a chip file (.yaml)");
  }
  if (is_path(name_or_path)) return load_yaml(name_or_path);
  const std::vector<std::string> known = chip_library();
  if (std::find(known.begin(), known.end(), name_or_path) == known.end()) {
    throw InputError({},
                     unknown_message("chip", name_or_path, known) + " (a file is named by its path, e.g. ./mine.yaml)");
  }
  return load_yaml(fmt::format("{}/{}.yaml", chip_library_folder(), name_or_path));
}

Chip load_chip(const std::string& name_or_path) {
  if (is_scalesim_config(name_or_path)) return scalesim_chip(load_scalesim_config(name_or_path), name_or_path);
  return read_chip(chip_document(name_or_path));
}

std::string chip_library_folder() { return library_folder("chips"); }

std::vector<std::string> chip_library() { return library_names(chip_library_folder()); }

}  // namespace tilewright
