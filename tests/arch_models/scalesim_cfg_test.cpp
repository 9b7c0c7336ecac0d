#include "arch_models/scalesim_cfg.hpp"

#include <catch2/catch.hpp>

#include "arch_models/load.hpp"
#include "tests/core/message_of.hpp"

using namespace tilewright;

namespace {

ScaleSimConfig parse(const std::string& text) { return parse_scalesim_config(text, "x.cfg"); }
std::string error_of(const std::string& text) {
  return message_of([&] { parse(text); });
}

}  // namespace

TEST_CASE("a configuration is read in SCALE-Sim's spelling, in any case, with '=' or ':' and comments") {
  const ScaleSimConfig config = parse(
      "# a comment\n[general]\nrun_name = GoogleTPU_v1_ws\n\n[architecture_presets]\r\nArrayHeight:    "
      "256\r\narraywidth = 128 ; columns\n"
      "IfmapSramSzkB:    6144\nFilterSramszkB:   6145\nofmapsramszkB:    2048\nIfmapOffset:    0\nDataflow : "
      "WS\nBandwidth : 10,20\nMemoryBanks: 1\n"
      "[layout]\nAnything: at all\n[run_presets]\nInterfaceBandwidth: USER \nSRAM_row_size: 2\n");
  REQUIRE(config.run_name == "GoogleTPU_v1_ws");
  REQUIRE(config.rows == 256);
  REQUIRE(config.cols == 128);
  REQUIRE(config.ifmap_kib == 6144);
  REQUIRE(config.filter_kib == 6145);
  REQUIRE(config.ofmap_kib == 2048);
  REQUIRE(config.dataflow == ScaleSimDataflow::ws);
  REQUIRE(config.user_bandwidth);
  REQUIRE(config.bandwidth == 10);  // the first bank's, for all three interfaces
}

TEST_CASE("features of version 3 that a configuration turns on are named, not ignored in silence") {
  const ScaleSimConfig config = parse(
      "[architecture_presets]\nIfmapCustomLayout: True\nOnChipMemoryBanks: 2\n[sparsity]\nSparsitySupport : true\nno "
      "key\nSparseRep : csr\nSparseRep : csc\n"
      "[run_presets]\nUseRamulatorTrace: False\n");
  REQUIRE(config.version3 == "SparsitySupport, IfmapCustomLayout");
  REQUIRE_THAT(scalesim_chip(config, "x.cfg").source,
               Catch::Contains("not modelled: SparsitySupport, IfmapCustomLayout"));
}

TEST_CASE("missing keys have version 2's defaults") {
  const ScaleSimConfig config = parse("[general]\n");
  REQUIRE(config.run_name == "scale_run");
  REQUIRE(config.rows == 4);
  REQUIRE(config.cols == 4);
  REQUIRE(config.ifmap_kib == 256);
  REQUIRE(config.ofmap_kib == 128);
  REQUIRE(config.dataflow == ScaleSimDataflow::ws);
  REQUIRE_FALSE(config.user_bandwidth);
}

TEST_CASE("what is wrong with a configuration is said with its line, its key and the nearest word") {
  const std::string array = "[architecture_presets]\n";
  REQUIRE(error_of(array + "ArrayHeigth: 4\n")
              .starts_with("x.cfg:2: architecture_presets.ArrayHeigth: unknown key 'ArrayHeigth'"));
  REQUIRE_THAT(error_of(array + "ArrayHeigth: 4\n"), Catch::EndsWith("Did you mean 'ArrayHeight'?"));
  REQUIRE(error_of(array + "\nArrayHeight: four\n") ==
          "x.cfg:3: architecture_presets.ArrayHeight: 'four' is not a whole number from 1 to 1000000");
  REQUIRE_THAT(error_of(array + "ArrayHeight: 0\n"), Catch::Contains("'0' is not a whole number"));
  REQUIRE_THAT(error_of(array + "ArrayHeight: 99999999999999999999\n"), Catch::Contains("from 1 to 1000000"));
  REQUIRE_THAT(error_of(array + "ArrayHeight: 4\narrayheight: 5\n"),
               Catch::Contains("x.cfg:3") && Catch::Contains("given twice"));
  REQUIRE_THAT(error_of(array + "Dataflow: rs\n"), Catch::Contains("known: os, ws, is"));
  REQUIRE_THAT(error_of(array + "ArrayHeight 4\n"), Catch::Contains("no `key : value` line"));
  REQUIRE_THAT(error_of("[architecture_preset]\n"), Catch::Contains("Did you mean 'architecture_presets'?"));
  REQUIRE_THAT(error_of("[general\n"), Catch::Contains("closing ']'"));
  REQUIRE_THAT(error_of("ArrayHeight: 4\n"), Catch::Contains("before the first [section]"));
  REQUIRE_THAT(error_of(""), Catch::Contains("[architecture_presets]"));
  REQUIRE_THAT(error_of("[run_presets]\nInterfaceBandwidth: USR\n"), Catch::Contains("Did you mean 'USER'?"));
  REQUIRE_THAT(error_of("[run_presets]\nInterfaceBandwidth: USER\n"),
               Catch::Contains("x.cfg:2") && Catch::Contains("Bandwidth"));
}

TEST_CASE("a configuration becomes a chip of the systolic family with its sizes") {
  const Chip chip = load_chip(TILEWRIGHT_SOURCE_DIR "/docs/examples/scalesim/array_32x32_os_10_words.cfg");
  REQUIRE(chip.name == "array_32x32_os_10_words");
  REQUIRE(chip.family == "systolic");
  const auto& array = std::get<SystolicParameters>(chip.parameters);
  REQUIRE(array.rows == 32);
  REQUIRE(array.dataflow == ArrayDataflow::output_stationary);
  REQUIRE_FALSE(array.weights_double_buffered);        // each fold waits for its weights, as in SCALE-Sim
  REQUIRE(chip.levels.front().bandwidth.value == 30);  // 10 words for each of three operands
  for (const char* name : {"FilterSRAM", "IfmapSRAM", "OfmapSRAM"}) {
    const auto level =
        std::find_if(chip.levels.begin(), chip.levels.end(), [&](const BufferLevel& l) { return l.name == name; });
    REQUIRE(level != chip.levels.end());
    REQUIRE(level->capacity->value == 64 * 1024);
    REQUIRE(level->double_buffered);
    REQUIRE(level->read_energy.value > 0);
  }
}

TEST_CASE("every size that a configuration may have becomes a chip") {
  ScaleSimConfig config;
  for (const std::int64_t kib : {1, 2, 3, 64, 6144, 1 << 20, 1 << 29}) {
    config.ifmap_kib = config.filter_kib = config.ofmap_kib = kib;
    INFO(kib << " KiB");
    REQUIRE(scalesim_chip(config, "x.cfg").levels[1].capacity->value == static_cast<double>(kib) * 1024);
  }
}
