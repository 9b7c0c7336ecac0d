#include "arch_models/scalesim_cfg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <string_view>
#include <vector>

#include "arch_models/load.hpp"
#include "core/checked.hpp"
#include "core/diagnostics.hpp"
#include "core/text_file.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_file_bytes = std::int64_t{1} << 20;

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// As the key is written in SCALE-Sim's own files; looked up in any case.
struct Key {
  std::string_view section, name;
};

/// Keys that change a figure, and keys of versions 2 and 3 that change none of those that are reproduced here.
constexpr std::array known_keys{
    Key{"general", "run_name"},
    Key{"architecture_presets", "ArrayHeight"},
    Key{"architecture_presets", "ArrayWidth"},
    Key{"architecture_presets", "IfmapSramSzkB"},
    Key{"architecture_presets", "FilterSramSzkB"},
    Key{"architecture_presets", "OfmapSramSzkB"},
    Key{"architecture_presets", "IfmapOffset"},
    Key{"architecture_presets", "FilterOffset"},
    Key{"architecture_presets", "OfmapOffset"},
    Key{"architecture_presets", "Dataflow"},
    Key{"architecture_presets", "Bandwidth"},
    Key{"architecture_presets", "MemoryBanks"},
    Key{"architecture_presets", "ReadRequestBuffer"},
    Key{"architecture_presets", "WriteRequestBuffer"},
    Key{"run_presets", "InterfaceBandwidth"},
    Key{"run_presets", "UseRamulatorTrace"},
    Key{"run_presets", "SRAM_row_size"},
    Key{"run_presets", "SRAM_bank_size"},
    Key{"run_presets", "DRAM_row_size"},
    Key{"run_presets", "DRAM_bank_size"},
};
/// Switches of version 3 that would change figures of version 2.
constexpr std::array version3_switches{
    Key{"sparsity", "SparsitySupport"},
    Key{"layout", "IfmapCustomLayout"},
    Key{"layout", "FilterCustomLayout"},
    Key{"architecture_presets", "IfmapCustomLayout"},
    Key{"architecture_presets", "FilterCustomLayout"},
    Key{"run_presets", "UseRamulatorTrace"},
};
/// Sections of version 3 and of other tools that read the same file; passed over but for those switches.
constexpr std::array passed_over{"layout", "sparsity", "network_presets", "memory_map_files"};

struct Entry {
  std::string text;
  int line = 0;
  std::string key;  // section.name as in the file
};

class Ini {
 public:
  Ini(const std::string& text, const std::string& file) : file_(file) {
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    for (int number = 1; !rest.empty(); ++number) {
      const std::size_t end = rest.find('\n');
      line(trim(rest.substr(0, end)), number);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    if (!seen_section_)
      fail(0, "", "no section: a SCALE-Sim configuration has [general], [architecture_presets] and [run_presets]");
  }

  const Entry* find(std::string_view section, std::string_view name) const {
    const auto found = entries_.find(fmt::format("{}.{}", section, lower(name)));
    return found == entries_.end() ? nullptr : &found->second;
  }

  [[noreturn]] void fail(int number, const std::string& key, std::string_view message) const {
    throw InputError({.file = file_, .line = number, .column = 0, .key = key}, message);
  }

  std::int64_t integer(std::string_view section, std::string_view name, std::int64_t otherwise, std::int64_t least,
                       std::int64_t most) const {
    const Entry* entry = find(section, name);
    return entry == nullptr ? otherwise : number(*entry, entry->text, least, most);
  }

  std::int64_t number(const Entry& entry, std::string_view text, std::int64_t least, std::int64_t most) const {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || stop != text.data() + text.size() || value < least || value > most)
      fail(entry.line, entry.key, fmt::format("'{}' is not a whole number from {} to {}", shown(text), least, most));
    return value;
  }

 private:
  void line(std::string_view text, int number) {
    if (text.empty() || text.front() == '#' || text.front() == ';') return;
    if (text.front() == '[') {
      if (text.back() != ']') fail(number, std::string(text), "the section's name has no closing ']'");
      section(lower(trim(text.substr(1, text.size() - 2))), number);
      return;
    }
    if (!seen_section_) fail(number, "", fmt::format("'{}' stands before the first [section]", shown(text)));
    const std::size_t mark = text.find_first_of("=:");
    if (mark == std::string_view::npos) {
      if (skipping_) return;
      fail(number, section_, fmt::format("'{}' is no `key : value` line", shown(text)));
    }
    const std::string_view name = trim(text.substr(0, mark));
    std::string_view value = trim(text.substr(mark + 1));
    for (const std::string_view comment : {" #", " ;", "\t#", "\t;"})
      value = trim(value.substr(0, value.find(comment)));
    const std::string key = fmt::format("{}.{}", section_, shown(name));
    if (!skipping_) check_known(name, number, key);
    if (!entries_.emplace(fmt::format("{}.{}", section_, lower(name)), Entry{std::string(value), number, key}).second &&
        !skipping_)
      fail(number, key, "the key is given twice");
  }

  void section(const std::string& name, int number) {
    seen_section_ = true;
    section_ = name;
    skipping_ = std::find(passed_over.begin(), passed_over.end(), name) != passed_over.end();
    if (skipping_) return;
    std::vector<std::string> known;
    for (const Key& key : known_keys)
      if (known.empty() || known.back() != key.section) known.emplace_back(key.section);
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail(number, fmt::format("[{}]", shown(name)), unknown_message("section", name, known));
  }

  void check_known(std::string_view name, int number, const std::string& key) const {
    std::vector<std::string> known;
    for (const Key& candidate : known_keys) {
      if (candidate.section != section_) continue;
      if (lower(candidate.name) == lower(name)) return;
      known.emplace_back(candidate.name);
    }
    // Version 3 keeps its layout and bank keys beside the array's.
    for (const std::string_view later :
         {"onchipmemorybanks", "onchipmemorybankports", "ifmapcustomlayout", "filtercustomlayout",
          "ifmapsrambankbandwidth", "ifmapsrambanknum", "ifmapsrambankport", "filtersrambankbandwidth",
          "filtersrambanknum", "filtersrambankport"}) {
      if (section_ == "architecture_presets" && lower(name) == later) return;
    }
    fail(number, key, unknown_message("key", name, known));
  }

  std::string file_;
  std::map<std::string, Entry> entries_;
  std::string section_;
  bool seen_section_ = false, skipping_ = false;
};

ScaleSimDataflow dataflow_of(const Ini& ini, const Entry& entry) {
  const std::vector<std::string> words{"os", "ws", "is"};
  const auto found = std::find(words.begin(), words.end(), lower(entry.text));
  if (found == words.end()) ini.fail(entry.line, entry.key, unknown_message("dataflow", entry.text, words));
  return static_cast<ScaleSimDataflow>(found - words.begin());
}

/// One figure, or one for each bank; the first is for all three interfaces.
std::int64_t bandwidth_of(const Ini& ini, const Entry& entry) {
  const std::string_view first = trim(std::string_view(entry.text).substr(0, entry.text.find(',')));
  return ini.number(entry, first, 1, 1'000'000'000);
}

/// One memory as a line of a chip file. The energy table reaches from 2 KiB to 4 MiB a bank: larger memories are banks of 1 MiB, smaller ones
/// are charged like its smallest row.
std::string sram_level(std::string_view name, std::int64_t kib, std::string_view keeps) {
  const std::string energy = kib < 2 ? "read_energy: {value: 10 pJ, per: 64 bit, source: \"Horowitz, ISSCC 2014: 8 KiB "
                                       "cache, the smallest given\"}"
                                     : fmt::format("class: sram, banks: {}", ceil_div(kib, 1024));
  return fmt::format("  - {{name: {}, capacity: {} KiB, double_buffered: true, keeps: [{}], {}}}\n", name, kib, keeps,
                     energy);
}

}  // namespace

ScaleSimConfig parse_scalesim_config(const std::string& text, const std::string& file) {
  const Ini ini(text, file);
  ScaleSimConfig config;
  if (const Entry* name = ini.find("general", "run_name")) config.run_name = name->text;
  const std::string_view section = "architecture_presets";
  const auto integer = [&](std::string_view name, std::int64_t otherwise, std::int64_t most) {
    return ini.integer(section, name, otherwise, 1, most);
  };
  constexpr std::int64_t most_side = 1'000'000, most_kib = std::int64_t{1} << 29;
  config.rows = integer("ArrayHeight", config.rows, most_side);
  config.cols = integer("ArrayWidth", config.cols, most_side);
  config.ifmap_kib = integer("IfmapSramSzkB", config.ifmap_kib, most_kib);
  config.filter_kib = integer("FilterSramSzkB", config.filter_kib, most_kib);
  config.ofmap_kib = integer("OfmapSramSzkB", config.ofmap_kib, most_kib);
  if (const Entry* dataflow = ini.find(section, "Dataflow")) config.dataflow = dataflow_of(ini, *dataflow);
  for (const Key& feature : version3_switches) {
    const Entry* entry = ini.find(feature.section, feature.name);
    if (entry != nullptr && lower(entry->text) == "true")
      config.version3 += fmt::format("{}{}", config.version3.empty() ? "" : ", ", feature.name);
  }
  const Entry* mode = ini.find("run_presets", "InterfaceBandwidth");
  if (mode != nullptr) {
    const std::vector<std::string> words{"CALC", "USER"};
    const auto found =
        std::find_if(words.begin(), words.end(), [&](const auto& w) { return lower(w) == lower(mode->text); });
    if (found == words.end()) ini.fail(mode->line, mode->key, unknown_message("mode", mode->text, words));
    config.user_bandwidth = *found == "USER";
  }
  if (const Entry* bandwidth = ini.find(section, "Bandwidth")) {
    config.bandwidth = bandwidth_of(ini, *bandwidth);
  } else if (config.user_bandwidth) {
    ini.fail(mode->line, mode->key, "USER needs the key Bandwidth (words per cycle) in [architecture_presets]");
  }
  return config;
}

bool is_scalesim_config(const std::string& path) { return path.ends_with(".cfg"); }

ScaleSimConfig load_scalesim_config(const std::string& path) {
  return parse_scalesim_config(read_file(path, most_file_bytes), path);
}

Chip scalesim_chip(const ScaleSimConfig& config, const std::string& path) {
  static constexpr std::array dataflows{"output_stationary", "weight_stationary", "input_stationary"};
  const std::string dram_bandwidth =
      config.user_bandwidth ? fmt::format("bandwidth: {} B/cycle, ", 3 * config.bandwidth) : std::string();
  const std::string yaml = fmt::format(
      "name: scalesim\nfamily: systolic\nsummary: {}x{} array of a SCALE-Sim configuration\n"
      "source: \"sizes from the configuration file; assumed, because it has none: clock 1 GHz, 45 nm, energies of "
      "Horowitz "
      "(ISSCC 2014)\"\n"
      "technology_nm: 45\nclock: 1 GHz\nenergy_table: horowitz-2014\n"
      "compute: {{rows: {}, cols: {}, dataflow: {}, weights_double_buffered: false, precisions: {{int8: 1}}}}\n"
      "levels:\n  - {{name: DRAM, {}dram: ddr4}}\n{}{}{}",
      config.rows, config.cols, config.rows, config.cols, dataflows[static_cast<std::size_t>(config.dataflow)],
      dram_bandwidth, sram_level("FilterSRAM", config.filter_kib, "weights"),
      sram_level("IfmapSRAM", config.ifmap_kib, "inputs"), sram_level("OfmapSRAM", config.ofmap_kib, "outputs"));
  Chip chip = parse_chip(yaml, path);
  if (!config.version3.empty()) chip.source += fmt::format("; turned on in it, but not modelled: {}", config.version3);
  chip.name = config.run_name;
  chip.path = path;
  return chip;
}

}  // namespace tilewright
