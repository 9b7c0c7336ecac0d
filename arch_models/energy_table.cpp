#include "arch_models/energy_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "arch_models/library_folder.hpp"
#include "core/document.hpp"

namespace tilewright {

namespace {

const std::vector<std::string> dram_names{"ddr3",  "ddr4",  "ddr5", "lpddr4", "lpddr5",
                                          "gddr5", "gddr6", "hbm2", "hbm2e",  "hbm3"};

Joules positive(const Value& value) {
  const Joules energy = value.as_energy();
  if (!(energy.value > 0)) value.fail("an energy of a table must be above zero");
  return energy;
}

/// {capacity, width, read, write}; write is the read energy where the source gives one figure for both.
EnergyPoint parse_point(const Value& row, bool with_capacity) {
  EnergyPoint point{};
  if (with_capacity) {
    const Value capacity = row.at("capacity");
    point.capacity_bytes = capacity.as_bytes().value;
    if (point.capacity_bytes <= 0) capacity.fail("a capacity of zero holds nothing");
  }
  const Value width = row.at("width");
  point.width_bits = width.as_bytes().value * 8;
  if (point.width_bits <= 0) width.fail("an access moves at least one bit, e.g. '64 bit'");
  point.read = positive(row.at("read"));
  const auto write = row.find("write");
  point.write = write ? positive(*write) : point.read;
  return point;
}

EnergyTable parse_node(const Value& node) {
  EnergyTable table;
  table.technology_nm = node.at("technology_nm").as_number(1, 1000);
  if (const auto rows = node.find("sram")) {
    for (const Value& row : rows->items()) {
      table.sram.push_back(parse_point(row, true));
      const std::size_t n = table.sram.size();
      if (n > 1 && table.sram[n - 1].capacity_bytes <= table.sram[n - 2].capacity_bytes)
        row.fail("list the sizes in rising order");
      if (table.sram[n - 1].width_bits != table.sram[0].width_bits) row.fail("all rows of `sram` have the same width");
    }
  }
  if (const auto rows = node.find("sram_widths")) {
    for (const Value& row : rows->items()) {
      table.sram_widths.push_back(parse_point(row, true));
      const std::size_t n = table.sram_widths.size();
      if (n > 1 && table.sram_widths[n - 1].width_bits <= table.sram_widths[n - 2].width_bits) {
        row.fail("list the widths in rising order");
      }
      if (table.sram_widths[n - 1].capacity_bytes != table.sram_widths[0].capacity_bytes) {
        row.fail("all rows of `sram_widths` have the same capacity");
      }
    }
  }
  if (const auto row = node.find("regfile")) table.regfile = parse_point(*row, true);
  if (const auto network = node.find("network")) table.network = positive(network->at("per_hop_16_bit"));
  if (const auto macs = node.find("mac")) {
    for (const std::string& key : macs->keys()) {
      const Value value = macs->at(key);
      const auto type = data_type_from(key);
      if (!type) value.fail(unknown_message("format", key, data_type_names()));
      table.mac.emplace_back(*type, positive(value));
    }
  }
  return table;
}

/// log-log interpolation of y over x between two points (extrapolates by the same law).
double power_law(double x, double x0, double y0, double x1, double y1) {
  return y0 * std::pow(y1 / y0, std::log(x / x0) / std::log(x1 / x0));
}

EnergyPoint between(const EnergyPoint& a, double node_a, const EnergyPoint& b, double node_b, double node) {
  const auto law = [&](Joules x, Joules y) { return Joules{power_law(node, node_a, x.value, node_b, y.value)}; };
  return {a.capacity_bytes, a.width_bits, law(a.read, b.read), law(a.write, b.write)};
}

/// The table at a node between two others: each component by its own power law of the node. Components that only one of the two
/// nodes has are left out (nothing to interpolate).
EnergyTable interpolate(const EnergyTable& a, const EnergyTable& b, double node) {
  EnergyTable table;
  table.technology_nm = node;
  const auto rows = [&](const std::vector<EnergyPoint>& from, const std::vector<EnergyPoint>& to) {
    std::vector<EnergyPoint> points;
    for (const EnergyPoint& p : from) {
      for (const EnergyPoint& q : to) {
        if (p.capacity_bytes == q.capacity_bytes && p.width_bits == q.width_bits) {
          points.push_back(between(p, a.technology_nm, q, b.technology_nm, node));
        }
      }
    }
    return points;
  };
  table.sram = rows(a.sram, b.sram);
  table.sram_widths = rows(a.sram_widths, b.sram_widths);
  if (a.regfile && b.regfile) table.regfile = between(*a.regfile, a.technology_nm, *b.regfile, b.technology_nm, node);
  if (a.network && b.network) {
    table.network = Joules{power_law(node, a.technology_nm, a.network->value, b.technology_nm, b.network->value)};
  }
  for (const auto& [type, energy] : a.mac) {
    if (const auto other = mac_energy(b, type)) {
      table.mac.emplace_back(type,
                             Joules{power_law(node, a.technology_nm, energy.value, b.technology_nm, other->value)});
    }
  }
  return table;
}

/// The node that `technology_nm` asks for. `nodes` falls in nm. Outside the nodes the nearest one is used as it is.
EnergyTable at_node(const std::vector<EnergyTable>& nodes, double technology_nm) {
  if (technology_nm <= 0 || technology_nm >= nodes.front().technology_nm) return nodes.front();
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    if (technology_nm == nodes[i].technology_nm) return nodes[i];
    if (technology_nm > nodes[i].technology_nm) return interpolate(nodes[i - 1], nodes[i], technology_nm);
  }
  return nodes.back();
}

/// Energy over capacity (or width) through rows sorted by it; one row: constant. `x` picks the axis.
template <typename Axis>
EnergyPoint along(const std::vector<EnergyPoint>& rows, double x, Axis axis) {
  EnergyPoint point = rows.front();
  if (rows.size() == 1) return point;
  std::size_t i = 1;
  while (i + 1 < rows.size() && axis(rows[i]) < x) ++i;
  const EnergyPoint& a = rows[i - 1];
  const EnergyPoint& b = rows[i];
  point.read = Joules{power_law(x, axis(a), a.read.value, axis(b), b.read.value)};
  point.write = Joules{power_law(x, axis(a), a.write.value, axis(b), b.write.value)};
  return point;
}

double width_axis(const EnergyPoint& point) { return point.width_bits; }
double capacity_axis(const EnergyPoint& point) { return point.capacity_bytes; }

/// Access energy of one width from that of the row: through `sram_widths` where the source measured widths, else linear. Outside the
/// measured widths linear from the end.
EnergyPoint at_width(const EnergyTable& table, EnergyPoint point, double width_bits) {
  double read = width_bits / point.width_bits;
  double write = read;
  if (table.sram_widths.size() > 1) {
    const auto relative = [&](double width) {
      const double least = table.sram_widths.front().width_bits;
      const double most = table.sram_widths.back().width_bits;
      const double inside = std::clamp(width, least, most);
      const EnergyPoint there = along(table.sram_widths, inside, width_axis);
      return EnergyPoint{0, width, (width / inside) * there.read, (width / inside) * there.write};
    };
    const EnergyPoint asked = relative(width_bits);
    const EnergyPoint own = relative(point.width_bits);
    read = asked.read / own.read;
    write = asked.write / own.write;
  }
  return {point.capacity_bytes, width_bits, read * point.read, write * point.write};
}

EnergyPoint linear_in_width(const EnergyPoint& point, double width_bits) {
  const double factor = width_bits / point.width_bits;
  return {point.capacity_bytes, width_bits, factor * point.read, factor * point.write};
}

EnergyTable parse_table(const Value& root, const std::string& file, double technology_nm) {
  const std::string table_name = root.at("name").as_string();
  const std::string source = root.at("source").as_string();
  const auto compatible = root.find("peer_compatible");
  const bool peer_compatible = compatible && compatible->as_bool();
  std::vector<EnergyTable> nodes;
  const Value list = root.at("nodes");
  for (const Value& node : list.items()) {
    nodes.push_back(parse_node(node));
    if (nodes.size() > 1 && nodes.back().technology_nm >= nodes[nodes.size() - 2].technology_nm) {
      node.fail("list the nodes from the largest to the smallest");
    }
  }
  if (nodes.empty()) list.fail("a table has at least one node");
  EnergyTable table = at_node(nodes, technology_nm);
  table.name = table_name;
  table.source = source;
  table.path = file;
  table.peer_compatible = peer_compatible;
  if (const auto types = root.find("dram")) {  // DRAM is made in a process of its own: no node
    for (const std::string& key : types->keys()) {
      const Value row = types->at(key);
      if (std::find(dram_names.begin(), dram_names.end(), key) == dram_names.end()) {
        row.fail(unknown_message("DRAM type", key, dram_names));
      }
      const auto row_source = row.find("source");
      table.dram_types.push_back({key, parse_point(row, false), row_source ? row_source->as_string() : ""});
    }
    if (!table.dram_types.empty()) table.dram = table.dram_types.front().energy;
  }
  root.reject_unread_keys();
  return table;
}

}  // namespace

EnergyTable parse_energy_table(const std::string& yaml, const std::string& file, double technology_nm) {
  return parse_table(parse_yaml(yaml, file), file, technology_nm);
}

const EnergyTable& load_energy_table(std::string_view name, double technology_nm) {
  static std::mutex mutex;
  static std::map<std::pair<std::string, double>, EnergyTable, std::less<>> tables;
  const std::pair<std::string, double> key{name, technology_nm};
  const std::lock_guard lock(mutex);
  if (const auto found = tables.find(key); found != tables.end()) return found->second;
  const std::vector<std::string>& known = energy_table_library();
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    throw InputError({}, unknown_message("energy table", name, known));
  }
  const std::string path = fmt::format("{}/{}.yaml", library_folder("energy"), name);
  return tables.emplace(key, parse_table(load_yaml(path), path, technology_nm)).first->second;
}

const std::vector<std::string>& energy_table_library() {
  static const std::vector<std::string> names = library_names(library_folder("energy"));
  return names;
}

std::optional<EnergyPoint> access_energy(const EnergyTable& table, ComponentClass component, Bytes capacity,
                                         double width_bits) {
  switch (component) {
    case ComponentClass::dram:
      if (!table.dram) return std::nullopt;
      return linear_in_width(*table.dram, width_bits);
    case ComponentClass::regfile: {
      if (!table.regfile || capacity.value > 4 * table.regfile->capacity_bytes) return std::nullopt;
      EnergyPoint point = linear_in_width(*table.regfile, width_bits);
      point.capacity_bytes = capacity.value;
      return point;
    }
    case ComponentClass::sram: {
      if (table.sram.empty() || capacity.value < table.sram.front().capacity_bytes / 4 ||
          capacity.value > table.sram.back().capacity_bytes * 4) {
        return std::nullopt;
      }
      EnergyPoint point = along(table.sram, capacity.value, capacity_axis);
      point.capacity_bytes = capacity.value;
      return at_width(table, point, width_bits);
    }
  }
  return std::nullopt;
}

std::optional<EnergyPoint> dram_energy(const EnergyTable& table, std::string_view type, double width_bits) {
  for (const DramEnergy& row : table.dram_types) {
    if (row.type == type) return linear_in_width(row.energy, width_bits);
  }
  return std::nullopt;
}

std::optional<Joules> mac_energy(const EnergyTable& table, DataType type) {
  for (const auto& [row, energy] : table.mac) {
    if (row == type) return energy;
  }
  return std::nullopt;
}

}  // namespace tilewright
