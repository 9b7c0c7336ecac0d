// Energy tables: one per source, never merged. Keyed by component class, size and width.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/units.hpp"
#include "workloads/data_type.hpp"

namespace tilewright {

struct EnergyPoint {
  double capacity_bytes;
  double width_bits;
  Joules read, write;
};

struct DramEnergy {
  std::string type;    // "ddr4", "hbm2", ...
  EnergyPoint energy;  // one access of width_bits; capacity 0
  std::string source;  // where the row is not the table's own figure
};

struct EnergyTable {
  std::string name, source, path;
  double technology_nm = 0;  // node of the figures below
  std::vector<EnergyPoint>
      sram;  // sorted by capacity; log-log interpolation in capacity at equal width, linear in width
  std::vector<EnergyPoint>
      sram_widths;                     // one capacity at several widths, sorted; when given, replaces "linear in width"
  std::optional<EnergyPoint> dram;     // energy per access of width_bits: the table's default type
  std::vector<DramEnergy> dram_types;  // rows by type, in file order; the first is the default
  std::optional<EnergyPoint> regfile;  // one small register-file access
  std::optional<Joules> network;       // per 16-bit hop, if the source gives it
  std::vector<std::pair<DataType, Joules>> mac;  // multiply + add
  bool peer_compatible = false;  // draining an output tile is not charged (Timeloop's rule); false: physical
};

/// A table of the library; InputError with the nearest name. `technology_nm` (0: the table's first node) matters for tables that
/// give several nodes: every component is interpolated on its own, log(energy) over log(node); outside the nodes of the table the
/// nearest one is used as it is. Tables of one node never scale. Read once per process; the reference stays valid.
const EnergyTable& load_energy_table(std::string_view name, double technology_nm = 0);
EnergyTable parse_energy_table(const std::string& yaml, const std::string& file, double technology_nm = 0);
const std::vector<std::string>& energy_table_library();

enum class ComponentClass { dram, sram, regfile };

/// Energy of one access of `width_bits` to a component of this class and size. InputError-free: nullopt where the source has no row
/// (outside [smallest/4, largest*4] of the table's sizes nothing is extrapolated). Register files are not scaled with size
/// (the sources give one figure), and hold at most 4 x the size of the row.
std::optional<EnergyPoint> access_energy(const EnergyTable& table, ComponentClass component, Bytes capacity,
                                         double width_bits);
/// Energy of one access to DRAM of a type such as "hbm2"; nullopt where the table has no such row.
std::optional<EnergyPoint> dram_energy(const EnergyTable& table, std::string_view type, double width_bits);
std::optional<Joules> mac_energy(const EnergyTable& table, DataType type);

}  // namespace tilewright
