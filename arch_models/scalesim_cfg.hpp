// SCALE-Sim configuration files (.cfg): what they say, and the systolic chip that they describe.
#pragma once

#include <cstdint>
#include <string>

#include "arch_models/chip.hpp"

namespace tilewright {

enum class ScaleSimDataflow { os, ws, is };

/// The parts of a configuration that change a figure. Sizes in KiB of 1024 words of one byte.
struct ScaleSimConfig {
  std::string run_name = "scale_run";
  std::int64_t rows = 4, cols = 4;  // version 2's own defaults from here on
  std::int64_t ifmap_kib = 256, filter_kib = 256, ofmap_kib = 128;
  ScaleSimDataflow dataflow = ScaleSimDataflow::ws;
  bool user_bandwidth = false;  // InterfaceBandwidth USER: finite; CALC: as fast as it must be
  std::int64_t bandwidth = 10;  // words per cycle of each of ifmap, filter and ofmap; only in USER mode
  std::string version3;         // features of version 3 that the file turns on, e.g. "SparsitySupport"; empty: none
};

/// True for a name that ends in .cfg.
bool is_scalesim_config(const std::string& path);

/// Reads an INI file with the sections general, architecture_presets and run_presets; keys in any case, ':' or '=', comments with '#' or ';'.
/// Missing keys keep version 2's defaults; keys that change nothing here (offsets, banks ...) and version 3's sections are accepted.
/// InputError with file, line and key: unknown key (nearest named), value that is no number or out of range, key twice, USER without Bandwidth.
ScaleSimConfig load_scalesim_config(const std::string& path);
ScaleSimConfig parse_scalesim_config(const std::string& text, const std::string& file);

/// The chip of the systolic family with these sizes: three double buffered memories behind DRAM, weights loaded before each fold.
/// A .cfg says nothing of clock, technology or energy: 1 GHz and the 45 nm table of Horowitz (ISSCC 2014) are assumed and named in `source`.
Chip scalesim_chip(const ScaleSimConfig& config, const std::string& path);

}  // namespace tilewright
