// The chip library: every file loads, and the peaks are those of the data sheets.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>

#include "arch_models/load.hpp"
#include "core/diagnostics.hpp"

using namespace tilewright;

namespace {
/// Peak operations per second: lanes x MACs per cycle x 2 x clock.
double peak(const Chip& chip, DataType type) {
  return static_cast<double>(chip.lanes()) * chip.arithmetic.at(type).macs_per_cycle * 2 * chip.clock.value;
}
}  // namespace

TEST_CASE("Every chip of the library loads, is named like its file and has figures to compute with") {
  const std::vector<std::string> names = chip_library();
  CHECK(names.size() >= 22);
  CHECK(std::is_sorted(names.begin(), names.end()));
  for (const std::string& name : names) {
    INFO(name);
    const Chip chip = load_chip(name);
    CHECK(chip.name == name);
    CHECK(std::filesystem::exists(chip.path));
    CHECK_FALSE(chip.source.empty());
    CHECK(chip.validation.starts_with("not validated"));
    CHECK(chip.lanes() > 0);
    CHECK(chip.vector.ops_per_cycle_fp32 > 0);
    CHECK(chip.tdp.value > 0);
    CHECK_FALSE(chip.arithmetic.empty());
    for (const auto& [type, arithmetic] : chip.arithmetic) {
      CHECK(arithmetic.macs_per_cycle > 0);
      CHECK(arithmetic.energy_per_mac.value > 0);
      CHECK_FALSE(arithmetic.source.empty());
    }
    for (const BufferLevel& level : chip.levels) {
      INFO(level.name);
      CHECK(level.instances >= 1);
      CHECK(level.fanout_x >= 1);
      CHECK(level.fanout_y >= 1);
      CHECK_FALSE(level.energy_source.empty());
      CHECK(level.read_energy.value >= 0);
    }
    CHECK(chip.levels.front().read_energy.value > 0);
  }
}

TEST_CASE("The library holds all five families and the chips that the manual speaks of") {
  const std::vector<std::string> names = chip_library();
  for (const char* name :
       {"xeon-8380", "epyc-7763", "raspberry-pi-4",      "v100-sxm2-16gb",        "a100-sxm4-80gb", "h100-sxm5-80gb",
        "t4",        "l4",        "zcu102-dpu",          "pynq-z2-streaming",     "vu9p-overlay",   "tpu-v1",
        "tpu-v4i",   "eyeriss",   "edge-systolic-16x16", "edge-systolic-example", "wse-3",          "loihi",
        "loihi-2",   "truenorth", "spinnaker-2"}) {
    INFO(name);
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
}

TEST_CASE("GPU peaks are those of the data sheets") {
  const Chip v100 = load_chip("v100-sxm2-16gb");
  CHECK(peak(v100, DataType::fp16) == Approx(125e12).epsilon(0.005));
  CHECK(peak(v100, DataType::fp32) == Approx(15.7e12).epsilon(0.005));
  const Chip a100 = load_chip("a100-sxm4-80gb");
  CHECK(peak(a100, DataType::fp16) == Approx(312e12).epsilon(0.001));
  CHECK(peak(a100, DataType::fp32) == Approx(19.5e12).epsilon(0.001));
  CHECK(peak(a100, DataType::int8) == Approx(624e12).epsilon(0.001));
  const Chip h100 = load_chip("h100-sxm5-80gb");
  CHECK(peak(h100, DataType::fp16) == Approx(989.4e12).epsilon(0.001));
  CHECK(peak(h100, DataType::fp32) == Approx(66.9e12).epsilon(0.001));
  const Chip t4 = load_chip("t4");
  CHECK(peak(t4, DataType::fp32) == Approx(8.14e12).epsilon(0.001));
  CHECK(peak(t4, DataType::int8) == Approx(130e12).epsilon(0.005));
  const Chip l4 = load_chip("l4");
  CHECK(peak(l4, DataType::fp16) == Approx(121.2e12).epsilon(0.001));
  CHECK(peak(l4, DataType::fp32) == Approx(30.3e12).epsilon(0.001));
}

TEST_CASE("CPU peaks are cores x FMA units x lanes x 2 x clock") {
  CHECK(peak(load_chip("xeon-8380"), DataType::fp32) == Approx(5.888e12));   // 40 x 2 x 16 x 2 x 2.3 GHz
  CHECK(peak(load_chip("xeon-8380"), DataType::int8) == Approx(23.552e12));  // x 4
  CHECK(peak(load_chip("epyc-7763"), DataType::fp32) == Approx(5.0176e12));  // 64 x 2 x 8 x 2 x 2.45 GHz
  CHECK(peak(load_chip("raspberry-pi-4"), DataType::fp32) == Approx(48e9));  // 4 x 1 x 4 x 2 x 1.5 GHz
  CHECK(peak(load_chip("wse-3"), DataType::fp16) == Approx(15.84e15));       // 900,000 x 8 x 2 x 1.1 GHz
}

TEST_CASE("Systolic peaks are rows x columns x arrays x 2 x clock") {
  CHECK(peak(load_chip("tpu-v1"), DataType::int8) == Approx(92e12).epsilon(0.005));    // 65536 x 2 x 700 MHz = 91.75
  CHECK(peak(load_chip("tpu-v3"), DataType::bf16) == Approx(123e12).epsilon(0.005));   // 65536 x 2 x 940 MHz = 123.2
  CHECK(peak(load_chip("tpu-v4i"), DataType::bf16) == Approx(138e12).epsilon(0.005));  // 65536 x 2 x 1050 MHz = 137.6
  CHECK(peak(load_chip("eyeriss"), DataType::int16) == Approx(67.2e9));                // 168 x 2 x 200 MHz: 33.6 GMAC/s
  CHECK(peak(load_chip("edge-systolic-example"), DataType::int8) == Approx(256e9));    // 256 x 2 x 500 MHz
}

TEST_CASE("FPGA peaks are engines x parallelism x 2 x clock") {
  CHECK(peak(load_chip("zcu102-dpu"), DataType::int8) == Approx(3.45e12).epsilon(0.002));  // 3 x 2048 x 2 x 281 MHz
  CHECK(peak(load_chip("kv260-dpu"), DataType::int8) == Approx(1.23e12).epsilon(0.002));   // 2048 x 2 x 300 MHz
  CHECK(peak(load_chip("pynq-z2-streaming"), DataType::int8) == Approx(44e9));             // 220 x 2 x 100 MHz
}

TEST_CASE("The V100's fp16 ridge is 138.9 FLOP per byte") {
  const Chip v100 = load_chip("v100-sxm2-16gb");
  const double bandwidth = v100.levels[0].bandwidth.value * v100.clock.value;
  CHECK(bandwidth == Approx(900e9));
  CHECK(peak(v100, DataType::fp16) / bandwidth ==
        Approx(138.9).epsilon(0.005));  // 125e12 / 900e9; the clock gives 125.3
}

TEST_CASE("Where no per-event energies are published the chip says so in its validation text") {
  CHECK_THAT(load_chip("loihi-2").validation, Catch::Contains("stand in"));
  CHECK(load_chip("loihi").validation == "not validated");
}

TEST_CASE("An unknown chip is named with its nearest neighbour, and names are exact") {
  CHECK_THROWS_WITH(load_chip("a100-sxm4-80g"), Catch::Contains("unknown chip 'a100-sxm4-80g'") &&
                                                    Catch::Contains("Did you mean 'a100-sxm4-80gb'?"));
  CHECK_THROWS_WITH(load_chip("TPU-V1"), Catch::Contains("unknown chip 'TPU-V1'"));
  CHECK_THROWS_AS(load_chip("/no/such/chip.yaml"), InputError);
}
