#include "arch_models/load.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {

const std::string good =
    "name: edge\n"                                                                                    // 1
    "family: systolic\n"                                                                              // 2
    "summary: 16x16 array\n"                                                                          // 3
    "source: example\n"                                                                               // 4
    "technology_nm: 45\n"                                                                             // 5
    "clock: 500 MHz\n"                                                                                // 6
    "energy_table: horowitz-2014\n"                                                                   // 7
    "compute: {rows: 16, cols: 16, dataflow: weight_stationary, precisions: {int8: 1, fp16: 0.5}}\n"  // 8
    "levels:\n"                                                                                       // 9
    "  - {name: DRAM, bandwidth: 12.8 GB/s}\n"                                                        // 10
    "  - {name: Buffer, capacity: 256 KiB, bandwidth: 64 B/cycle, banks: 2}\n"                        // 11
    "power: {static: 0.2 W, tdp: 2 W}\n"                                                              // 12
    "area: {value: 4 mm2}\n"                                                                          // 13
    "price: {value: 20 USD}\n";                                                                       // 14

/// The good file with one piece of text replaced.
std::string with(const std::string& from, const std::string& to) {
  std::string text = good;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct Bad {
  std::string text;
  int line;
  std::string key;
  std::string says;  // part of the message
};

void check(const Bad& bad) {
  INFO(bad.text);
  try {
    parse_chip(bad.text, "chip.yaml");
    FAIL("no error; expected: " << bad.says);
  } catch (const InputError& error) {
    INFO(error.what());
    CHECK(error.place().file == "chip.yaml");
    CHECK(error.place().line == bad.line);
    CHECK(error.place().key == bad.key);
    CHECK_THAT(error.what(), Catch::Contains(bad.says));
  }
}

}  // namespace

TEST_CASE("A chip file is read with its units") {
  const Chip chip = parse_chip(good, "chip.yaml");
  CHECK(chip.name == "edge");
  CHECK(chip.family == "systolic");
  CHECK(chip.path == "chip.yaml");
  CHECK(chip.technology_nm == 45);
  CHECK(chip.clock.value == 500e6);
  CHECK(chip.energy_table == "horowitz-2014");
  CHECK(chip.static_power.value == 0.2);
  CHECK(chip.tdp.value == 2);
  CHECK(chip.area->value == 4);
  CHECK(chip.price->value == 20);
  CHECK(chip.validation == "not validated");
  CHECK(chip.launch_overhead.value == 0);
  const BufferLevel& dram = chip.levels.at(0);
  CHECK_FALSE(dram.capacity);
  CHECK(dram.bandwidth.value == Approx(25.6));  // 12.8 GB/s / 500 MHz
  const BufferLevel& buffer = chip.levels.at(1);
  CHECK(buffer.capacity->value == 262144);
  CHECK(buffer.bandwidth.value == 64);
  CHECK_FALSE(buffer.double_buffered);
  CHECK(chip.lanes() == 256);
}

TEST_CASE("Energies that the file leaves out come from the table by class, size per bank and width") {
  const Chip chip = parse_chip(good, "chip.yaml");
  CHECK(in_picojoules(chip.levels[0].read_energy) == Approx(1300));
  // 256 KiB in two banks: 128 KiB is 2 of the 5 doublings from 32 KiB (20 pJ) to 1 MiB (100 pJ): 20 x 5^(2/5) = 38.07 pJ
  CHECK(in_picojoules(chip.levels[1].read_energy) == Approx(38.0731).epsilon(1e-5));
  CHECK(chip.levels[1].energy_source == "horowitz-2014 SRAM 128 KiB, 64 bit");
  const Chip wide = parse_chip(with("banks: 2", "banks: 2, access: 128 bit"), "chip.yaml");
  CHECK(in_picojoules(wide.levels[1].read_energy) == Approx(2 * 38.0731).epsilon(1e-5));
  CHECK(wide.levels[1].access_bits == 128);
}

TEST_CASE("A figure of another node is marked in its source") {
  const Chip chip = parse_chip(with("technology_nm: 45", "technology_nm: 28"), "chip.yaml");
  CHECK_THAT(chip.levels[1].energy_source, Catch::Contains("45 nm figures for a 28 nm chip"));
}

TEST_CASE("Energies of the file win over the table and are scaled to the access width") {
  const Chip chip = parse_chip(
      with("bandwidth: 12.8 GB/s", "access: 128 bit, read_energy: {value: 650 pJ, per: 32 bit, source: \"Han 2016\"}"),
      "chip.yaml");
  CHECK(in_picojoules(chip.levels[0].read_energy) == Approx(2600));   // 650 x 128 / 32
  CHECK(in_picojoules(chip.levels[0].write_energy) == Approx(2600));  // the only figure given
  CHECK_THAT(chip.levels[0].energy_source, Catch::Contains("Han 2016"));
  const Chip both = parse_chip(
      with("banks: 2", "read_energy: {value: 3 pJ, per: 64 bit, source: a}, write_energy: {value: 5 pJ, source: b}"),
      "chip.yaml");
  CHECK(in_picojoules(both.levels[1].read_energy) == Approx(3));
  CHECK(in_picojoules(both.levels[1].write_energy) == Approx(5));
  CHECK(both.levels[1].energy_source == "read: a; write: b");
}

TEST_CASE("DRAM types, links, leakage, overhead and the vector unit are read") {
  std::string text =
      with("bandwidth: 12.8 GB/s",
           "bandwidth: 12.8 GB/s, dram: lpddr4, leakage: 10 mW, link_energy: {value: 0.1 pJ, source: \"wire model\"}");
  text +=
      "overhead: {launch: 5 us, source: measured}\nvector: {ops_per_cycle: 32, width_scaling: false, energy_per_op: "
      "{value: 2 pJ, source: p}}\n";
  const Chip chip = parse_chip(text, "chip.yaml");
  CHECK(in_picojoules(chip.levels[0].read_energy) == Approx(512));  // 8 pJ/bit
  CHECK(in_picojoules(chip.levels[0].transfer_energy_per_bit) == Approx(0.1));
  CHECK(chip.levels[0].leakage.value == Approx(0.01));
  CHECK(chip.launch_overhead.value == Approx(5e-6));
  CHECK(chip.vector.ops_per_cycle_fp32 == 32);
  CHECK(chip.vector.width_scaling == 0);
  CHECK(in_picojoules(chip.vector.energy_per_op) == Approx(2));
}

TEST_CASE("Links, storage formats, the accumulator and sparsity are read") {
  const Chip chip = parse_chip(
      with("banks: 2}",
           "banks: 2, link: {overlap: merged, forwarding: {value: 0.1 pJ, per: 2 bit, source: s}, reduction: "
           "{value: 0.3 pJ, source: s}}, storage: {inputs: {format: csr, index: 4 bit, pointer: 16 bit}}}\n"
           "accumulator: int32\nsparsity: {gate: [inputs], skip: [weights]}"),
      "chip.yaml");
  const BufferLevel& buffer = chip.levels[1];
  CHECK(buffer.link.merged_overlap);
  CHECK(buffer.link.forwarding);
  CHECK(in_picojoules(buffer.link.hop_energy_per_bit) == Approx(0.05));
  CHECK(in_picojoules(buffer.link.reduction_energy_per_bit) == Approx(0.3));
  const Compression& inputs = buffer.stored[static_cast<int>(Role::input)];
  CHECK(inputs.format == StorageFormat::csr);
  CHECK(inputs.index_bits == 4);
  CHECK(inputs.pointer_bits == 16);
  CHECK(buffer.stored[static_cast<int>(Role::weight)].format == StorageFormat::dense);
  CHECK(chip.accumulator == DataType::int32);
  CHECK(chip.sparse.gated[static_cast<int>(Role::input)]);
  CHECK(chip.sparse.skipped[static_cast<int>(Role::weight)]);
  check({with("banks: 2}", "banks: 2, link: {overlap: joined}}"), 11, "levels[1].link.overlap", "merged"});
  check({with("banks: 2}", "banks: 2, link: {hops: 1}}"), 11, "levels[1].link.hops", "unknown key 'hops'"});
  check({with("banks: 2}", "banks: 2, storage: {inputs: {format: csr, index: 4 bit}}}"), 11,
         "levels[1].storage.inputs.pointer", "the key 'pointer' is missing"});
  check({with("power:", "sparsity: {gate: [outputs]}\npower:"), 12, "sparsity.gate[0]", "inputs or weights"});
}

TEST_CASE("DRAM timing of the outermost level is read, with DDR3-1600 where a key is missing") {
  const Chip chip = parse_chip(
      with("bandwidth: 12.8 GB/s}", "bandwidth: 12.8 GB/s, dram_timing: {channels: 2, row_cycle: 45 ns, source: x}}"),
      "chip.yaml");
  const DramTiming& dram = chip.levels.front().dram.value();
  CHECK(dram.channels == 2);
  CHECK(dram.row_cycle.value == Approx(45e-9));
  CHECK(dram.banks == 8);
  CHECK(dram.row.value == 2048);
  CHECK(dram.latency.value == Approx(27.5e-9));
  CHECK_FALSE(parse_chip(good, "chip.yaml").levels.front().dram.has_value());
  check({with("bandwidth: 12.8 GB/s}", "dram_timing: {bank: 2}}"), 10, "levels[0].dram_timing.bank", "banks"});
  check({with("bandwidth: 12.8 GB/s}", "dram_timing: {row: 0 KiB}}"), 10, "levels[0].dram_timing.row",
         "at least one byte"});
  check({with("banks: 2}", "banks: 2, dram_timing: {}}"), 11, "levels[1].dram_timing", "only the outermost level"});
}

TEST_CASE("Banks of a level on the chip are read, with one port each where none is given") {
  const Chip chip = parse_chip(with("banks: 2}", "banks: 2, bank_timing: {banks: 16, source: x}}"), "chip.yaml");
  CHECK(chip.levels[1].banks->banks == 16);
  CHECK(chip.levels[1].banks->ports == 1);
  check({with("banks: 2}", "banks: 2, bank_timing: {ports: 2}}"), 11, "levels[1].bank_timing.banks", "missing"});
  check({with("banks: 2}", "banks: 2, bank_timing: {banks: 2, port: 2}}"), 11, "levels[1].bank_timing.port", "ports"});
  check({with("bandwidth: 12.8 GB/s}", "bank_timing: {banks: 2}}"), 10, "levels[0].bank_timing", "dram_timing"});
}

TEST_CASE("Fan-outs follow from the instances") {
  const Chip chip = load_chip("epyc-7763");  // DRAM, 8 L3, 64 L2, 64 L1, 64 register files of 2 x 256 / 32 lanes
  REQUIRE(chip.levels.size() == 5);
  CHECK(chip.levels[0].fanout_x * chip.levels[0].fanout_y == 8);
  CHECK(chip.levels[1].fanout_x * chip.levels[1].fanout_y == 8);
  CHECK(chip.levels[2].fanout_x == 1);
  CHECK(chip.levels[3].fanout_x == 1);
  CHECK(chip.levels[4].fanout_x * chip.levels[4].fanout_y == 16);
  CHECK(chip.lanes() == 1024);
}

TEST_CASE("A malformed chip file is an error with its place and the way out") {
  const std::vector<Bad> cases{
      // top level
      {with("name: edge\n", ""), 1, "name", "the key 'name' is missing"},
      {with("family: systolic", "family: systolik"), 2, "family", "Did you mean 'systolic'?"},
      {with("source: example\n", ""), 1, "source", "the key 'source' is missing"},
      {with("source: example", "source: \"\""), 4, "source", "say where the figures are from"},
      {with("technology_nm: 45", "technology_nm: 45 nm"), 5, "technology_nm", "expected a finite number"},
      {with("technology_nm: 45", "technology_nm: 0"), 5, "technology_nm", "expected a number from 0.5 to 1000"},
      {with("clock: 500 MHz", "clock: 500"), 6, "clock", "has no unit"},
      {with("clock: 500 MHz", "clock: 0 MHz"), 6, "clock", "never ticks"},
      {with("clock:", "clok:"), 1, "clock", "Is it meant by 'clok'?"},
      {with("horowitz-2014", "horowitz-2015"), 7, "energy_table", "Did you mean 'horowitz-2014'?"},
      {with("horowitz-2014", "[horowitz-2014, cacti-45nm]"), 7, "energy_table", "energies of two tables are not mixed"},
      {good + "colour: red\n", 15, "colour", "unknown key 'colour'"},
      {with("price:", "prise:"), 14, "prise", "Did you mean 'price'?"},
      {with("tdp: 2 W", "tdp: 2"), 12, "power.tdp", "has no unit"},
      {with("tdp: 2 W", "tdp: 0.1 W"), 12, "power.tdp", "below the static power"},
      {with("static: 0.2 W", "statik: 0.2 W"), 12, "power.statik", "Did you mean 'static'?"},
      {with("{value: 4 mm2}", "{value: 4 USD}"), 13, "area.value", "unknown unit 'USD'"},
      {with("{value: 20 USD}", "{}"), 14, "price.value", "the key 'value' is missing"},
      // levels
      {with("  - {name: DRAM, bandwidth: 12.8 GB/s}\n  - {name: Buffer, capacity: 256 KiB, bandwidth: 64 B/cycle, "
            "banks: 2}\n",
            "  []\n"),
       10, "levels", "at least one level"},
      {with("capacity: 256 KiB", "capacity: 0 KiB"), 11, "levels[1].capacity", "a capacity of zero holds nothing"},
      {with("bandwidth: 12.8 GB/s", "capacity: 0 B"), 10, "levels[0].capacity",
       "leave the key out for an unbounded outermost level"},
      {with("capacity: 256 KiB, ", ""), 11, "levels[1].capacity", "only the outermost level may be unbounded"},
      {with("capacity: 256 KiB", "capacity: 256"), 11, "levels[1].capacity", "has no unit"},
      {with("capacity: 256 KiB", "capacity: -1 KiB"), 11, "levels[1].capacity", "must not be negative"},
      {with("capacity: 256 KiB", "capacty: 256 KiB"), 11, "levels[1].capacity", "needs a capacity"},
      {with("name: Buffer", "name: DRAM"), 11, "levels[1].name", "two levels are called 'DRAM'"},
      {with("bandwidth: 12.8 GB/s", "bandwidth: 0 GB/s"), 10, "levels[0].bandwidth", "moves nothing"},
      {with("bandwidth: 12.8 GB/s", "bandwidth: 12.8 Gb/s"), 10, "levels[0].bandwidth", "Did you mean"},
      {with("bandwidth: 12.8 GB/s", "instances: 2"), 10, "levels[0].instances", "the outermost level is one store"},
      {with("banks: 2", "banks: 0"), 11, "levels[1].banks", "expected an integer from 1 to 1000000"},
      {with("banks: 2", "keeps: []"), 11, "levels[1].keeps", "keeps nothing: no tensor can use it"},
      {with("banks: 2", "keeps: [weight]"), 11, "levels[1].keeps[0]", "Did you mean 'weights'?"},
      {with("banks: 2", "keeps: [inputs, inputs]"), 11, "levels[1].keeps[1]", "listed twice"},
      {with("bandwidth: 12.8 GB/s", "keeps: [inputs, weights]"), 10, "levels[0].keeps",
       "the outermost level 'DRAM' holds all"},
      {with("banks: 2", "class: sramm"), 11, "levels[1].class", "Did you mean 'sram'?"},
      {with("banks: 2", "class: regfile"), 11, "levels[1]",
       "has no row for a register file of 256 KiB; set `class: sram`, or give read_energy"},
      {with("banks: 2", "banks: 1024"), 11, "levels[1]", "its rows reach from 2 KiB to 4 MiB per bank: set `banks`"},
      {with("banks: 2", "dram: ddr4"), 11, "levels[1].dram", "this level is on the chip"},
      {with("bandwidth: 12.8 GB/s", "dram: hbm3"), 10, "levels[0]",
       "no row for hbm3; set `dram` to one of ddr3, ddr4, lpddr4, gddr5, hbm2"},
      {with("bandwidth: 12.8 GB/s", "dram: hbm4"), 10, "levels[0].dram", "unknown DRAM type 'hbm4'"},
      {with("bandwidth: 12.8 GB/s", "class: sram"), 10, "levels[0].class", "give a capacity"},
      {with("banks: 2", "access: 0 bit"), 11, "levels[1].access", "1 to 1048576 whole bits"},
      {with("banks: 2", "double_buffered: maybe"), 11, "levels[1].double_buffered", "expected true or false"},
      {with("banks: 2", "bancs: 2"), 11, "levels[1].bancs", "Did you mean 'banks'?"},
      {with("banks: 2", "read_energy: {value: 3 pJ, per: 64 bit}"), 11, "levels[1].read_energy.source",
       "the key 'source' is missing"},
      {with("banks: 2", "read_energy: {value: 3, source: s}"), 11, "levels[1].read_energy.value", "has no unit"},
      {with("banks: 2", "read_energy: {value: 3 pJ, source: cacti-45nm}"), 11, "levels[1].read_energy.source",
       "energies of two tables are not mixed"},
      // compute
      {with("rows: 16", "row: 16"), 8, "compute.rows", "Is it meant by 'row'?"},
      {with("dataflow: weight_stationary", "dataflow: weight_stationery"), 8, "compute.dataflow",
       "Did you mean 'weight_stationary'?"},
      {with("int8: 1", "int9: 1"), 8, "compute.precisions.int9", "unknown format 'int9'"},
      {with("cols: 16", "cols: 16, colour: red"), 8, "compute.colour", "unknown key 'colour'"},
      // further maps
      {good + "vector: {ops_per_cycle: 0}\n", 15, "vector.ops_per_cycle", "more than zero"},
      {good + "vector: {ops: 4}\n", 15, "vector.ops", "unknown key 'ops'"},
      {good + "overhead: {launch: 5}\n", 15, "overhead.launch", "has no unit"},
      {good + "name: again\n", 15, "", "duplicate key 'name'"},
  };
  CHECK(cases.size() >= 25);
  for (const Bad& bad : cases) check(bad);
}

TEST_CASE("Instances that cannot be shared out evenly are an error") {
  check({with("  - {name: Buffer, capacity: 256 KiB, bandwidth: 64 B/cycle, banks: 2}\n",
              "  - {name: L2, capacity: 256 KiB, instances: 4}\n  - {name: L1, capacity: 32 KiB, instances: 6}\n"),
         12, "levels[2].instances", "use a multiple of 4"});
}

TEST_CASE("A file that is no map or no text is an error") {
  CHECK_THROWS_AS(parse_chip("", "chip.yaml"), InputError);
  CHECK_THROWS_AS(parse_chip("- 1\n- 2\n", "chip.yaml"), InputError);
  CHECK_THROWS_AS(parse_chip("levels", "chip.yaml"), InputError);
  CHECK_THROWS_AS(parse_chip(std::string("\x00\x01\x02", 3), "chip.yaml"), InputError);
}

TEST_CASE("Area and price follow from lanes, memory and area where the file gives them by part") {
  const std::string by_part =
      with("area: {value: 4 mm2}\nprice: {value: 20 USD}",
           "area: {fixed: 1 mm2, lane: 0.001 mm2, kib: 0.004 mm2}\nprice: {fixed: 2 USD, per_mm2: 3 USD}");
  const Chip chip = read_chip(parse_yaml(by_part, "chip.yaml"));
  // Each PE has 8 bytes of registers: 2 KiB. 1 + 16 x 16 x 0.001 + (256 + 2) x 0.004 = 2.288 mm2; 2 + 3 x 2.288 = 8.864 USD
  REQUIRE(chip.area->value == Approx(2.288));
  REQUIRE(chip.price->value == Approx(8.864));
  const Chip larger = read_chip(with_overrides(
      parse_yaml(by_part, "chip.yaml"), {{"compute.rows", "32", {}}, {"levels.Buffer.capacity", "512 KiB", {}}}));
  REQUIRE(larger.area->value == Approx(1 + 0.512 + 516 * 0.004));
}
