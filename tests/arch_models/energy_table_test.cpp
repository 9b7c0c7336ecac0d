#include "arch_models/energy_table.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {
Bytes kib(double n) { return Bytes{n * 1024}; }
double mac_pj(const EnergyTable& table, DataType type) { return in_picojoules(mac_energy(table, type).value()); }
double read_pj(const EnergyTable& table, Bytes capacity, double width) {
  return in_picojoules(access_energy(table, ComponentClass::sram, capacity, width).value().read);
}
}  // namespace

TEST_CASE("Horowitz's MAC energies are multiply plus add") {
  const EnergyTable table = load_energy_table("horowitz-2014");
  CHECK(table.technology_nm == 45);
  CHECK(mac_pj(table, DataType::int8) == Approx(0.2 + 0.03).epsilon(1e-12));
  CHECK(mac_pj(table, DataType::fp16) == Approx(1.1 + 0.4).epsilon(1e-12));
  CHECK(mac_pj(table, DataType::int32) == Approx(3.1 + 0.1).epsilon(1e-12));
  CHECK(mac_pj(table, DataType::fp32) == Approx(3.7 + 0.9).epsilon(1e-12));
  CHECK_FALSE(mac_energy(table, DataType::int16));
}

TEST_CASE("A 64-bit DRAM access costs 5652, 867, 406 and 283 MACs of int8, fp16, int32 and fp32") {
  const EnergyTable table = load_energy_table("horowitz-2014");
  const double dram = in_picojoules(access_energy(table, ComponentClass::dram, Bytes{}, 64).value().read);
  CHECK(dram == Approx(1300));
  CHECK(std::round(dram / mac_pj(table, DataType::int8)) == 5652);  // 1300 / 0.23
  CHECK(std::round(dram / mac_pj(table, DataType::fp16)) == 867);   // 1300 / 1.5
  CHECK(std::round(dram / mac_pj(table, DataType::int32)) == 406);  // 1300 / 3.2
  CHECK(std::round(dram / mac_pj(table, DataType::fp32)) == 283);   // 1300 / 4.6
  CHECK(mac_pj(table, DataType::fp32) / mac_pj(table, DataType::int8) == Approx(20.0).epsilon(1e-12));
}

TEST_CASE("SRAM energy is a power law between two rows of the table") {
  const EnergyTable table = load_energy_table("horowitz-2014");
  CHECK(read_pj(table, kib(8), 64) == Approx(10));
  CHECK(read_pj(table, kib(32), 64) == Approx(20));
  CHECK(read_pj(table, kib(1024), 64) == Approx(100));
  CHECK(read_pj(table, kib(16), 64) == Approx(10 * std::sqrt(2.0)));  // half way from 8 to 32 KiB in log: sqrt(10 x 20)
  // 256 KiB: 3 of the 5 doublings from 32 KiB to 1 MiB: 20 x 5^(3/5) = 52.53
  CHECK(read_pj(table, kib(256), 64) == Approx(52.5306).epsilon(1e-5));
  CHECK(read_pj(table, kib(32), 128) == Approx(40));  // linear in width
}

TEST_CASE("Outside a quarter and four times the table's sizes there is no figure") {
  const EnergyTable table = load_energy_table("horowitz-2014");
  CHECK(read_pj(table, kib(2), 64) == Approx(5));  // 10 x (1/4)^(1/2)
  CHECK_FALSE(access_energy(table, ComponentClass::sram, kib(1.99), 64));
  CHECK(access_energy(table, ComponentClass::sram, kib(4096), 64));
  CHECK_FALSE(access_energy(table, ComponentClass::sram, kib(4097), 64));
  CHECK_FALSE(access_energy(table, ComponentClass::regfile, Bytes{64}, 64));
}

TEST_CASE("CACTI's measured widths replace the linear rule") {
  const EnergyTable table = load_energy_table("cacti-45nm");
  CHECK(read_pj(table, kib(128), 64) == Approx(37.5));
  CHECK(read_pj(table, kib(128), 512) == Approx(91.9));
  CHECK(read_pj(table, kib(128), 1024) == Approx(2 * 91.9));           // beyond the last width: linear
  CHECK(read_pj(table, kib(256), 512) == Approx(46.0 * 91.9 / 37.5));  // the same ratio at another size
  CHECK(in_picojoules(access_energy(table, ComponentClass::sram, kib(128), 512)->write) == Approx(181.5));
  CHECK_FALSE(mac_energy(table, DataType::int8));
}

TEST_CASE("Each component of the two-node table follows its own power law of the node") {
  const EnergyTable at45 = load_energy_table("jouppi-2021", 45);
  const EnergyTable at7 = load_energy_table("jouppi-2021", 7);
  CHECK(read_pj(at45, kib(1024), 64) == Approx(100));
  CHECK(read_pj(at7, kib(1024), 64) == Approx(14));
  // the node half way in log, sqrt(45 x 7) = 17.748 nm, has the geometric mean of the two figures
  const EnergyTable middle = load_energy_table("jouppi-2021", std::sqrt(45.0 * 7.0));
  CHECK(middle.technology_nm == Approx(17.748).epsilon(1e-4));
  CHECK(read_pj(middle, kib(8), 64) == Approx(std::sqrt(10 * 7.5)));
  CHECK(read_pj(middle, kib(1024), 64) == Approx(std::sqrt(100 * 14.0)));
  CHECK(mac_pj(middle, DataType::int8) == Approx(std::sqrt(0.23 * 0.077)));
  CHECK(mac_pj(middle, DataType::fp32) == Approx(std::sqrt(4.6 * 1.69)));
  // DRAM does not move, and no single factor holds for all: 8 KiB falls 1.33 times, 1 MiB 7.14 times
  CHECK(in_picojoules(middle.dram->read) == Approx(1300));
  CHECK(read_pj(at45, kib(8), 64) / read_pj(at7, kib(8), 64) == Approx(4.0 / 3.0));
  CHECK(read_pj(at45, kib(1024), 64) / read_pj(at7, kib(1024), 64) == Approx(50.0 / 7.0));
}

TEST_CASE("Outside the nodes of a table the nearest node is used as it is") {
  CHECK(load_energy_table("jouppi-2021", 65).technology_nm == 45);
  CHECK(load_energy_table("jouppi-2021", 4).technology_nm == 7);
  CHECK(load_energy_table("jouppi-2021").technology_nm == 45);
  CHECK(load_energy_table("horowitz-2014", 7).technology_nm == 45);
}

TEST_CASE("The normalised hierarchy of Eyeriss is 1, 1, 2, 6, 200") {
  const EnergyTable table = load_energy_table("eyeriss-2016-normalised");
  const double mac = mac_pj(table, DataType::int16);
  CHECK(in_picojoules(access_energy(table, ComponentClass::regfile, Bytes{512}, 16)->read) / mac == Approx(1));
  CHECK(in_picojoules(*table.network) / mac == Approx(2));
  CHECK(read_pj(table, kib(100), 16) / mac == Approx(6));
  CHECK(in_picojoules(table.dram->read) / mac == Approx(200));
  const EnergyTable chip = load_energy_table("eyeriss-2016");
  CHECK(mac_pj(chip, DataType::int16) == Approx(2));
  CHECK(in_picojoules(chip.dram->read) == Approx(460));
}

TEST_CASE("DRAM rows are asked for by type") {
  const EnergyTable table = load_energy_table("jouppi-2021");
  CHECK(in_picojoules(dram_energy(table, "hbm2", 64)->read) == Approx(350));
  CHECK(in_picojoules(dram_energy(table, "hbm2", 256)->read) == Approx(1400));
  CHECK(in_picojoules(dram_energy(table, "ddr4", 64)->read) == Approx(1300));
  CHECK_FALSE(dram_energy(table, "hbm3", 64));
}

TEST_CASE("Every table of the library loads, is named like its file and cites a source") {
  const std::vector<std::string> names = energy_table_library();
  CHECK(std::is_sorted(names.begin(), names.end()));
  CHECK(names.size() >= 6);
  for (const std::string& name : names) {
    INFO(name);
    const EnergyTable table = load_energy_table(name);
    CHECK(table.name == name);
    CHECK_FALSE(table.source.empty());
    CHECK(table.dram.has_value());
    for (const EnergyPoint& row : table.sram) CHECK(row.read.value > 0);
  }
}

TEST_CASE("A table that does not exist is named with its nearest neighbour") {
  CHECK_THROWS_WITH(load_energy_table("horowitz-2041"), Catch::Contains("unknown energy table 'horowitz-2041'") &&
                                                            Catch::Contains("Did you mean 'horowitz-2014'?"));
}

TEST_CASE("A broken table names its line") {
  const std::string head = "name: t\nsource: s\nnodes:\n  - technology_nm: 45\n";
  CHECK_THROWS_WITH(parse_energy_table(head + "    sram: [{capacity: 0 B, width: 64 bit, read: 1 pJ}]\n", "t.yaml"),
                    Catch::Contains("t.yaml:5: nodes[0].sram[0].capacity: a capacity of zero holds nothing"));
  CHECK_THROWS_WITH(parse_energy_table(head + "    sram: [{capacity: 8 KiB, width: 64 bit, read: 1}]\n", "t.yaml"),
                    Catch::Contains("nodes[0].sram[0].read") && Catch::Contains("no unit"));
  CHECK_THROWS_WITH(parse_energy_table(head + "    mac: {int9: 1 pJ}\n", "t.yaml"),
                    Catch::Contains("unknown format 'int9'"));
  CHECK_THROWS_WITH(
      parse_energy_table(head + "    srams: []\n", "t.yaml"),
      Catch::Contains("t.yaml:5: nodes[0].srams: unknown key 'srams'") && Catch::Contains("Did you mean 'sram'?"));
  CHECK_THROWS_WITH(parse_energy_table("name: t\nsource: s\nnodes: []\n", "t.yaml"),
                    Catch::Contains("at least one node"));
}
