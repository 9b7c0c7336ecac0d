// tilewright list, show and check.
#include <fmt/format.h>

#include "arch_models/energy_table.hpp"
#include "arch_models/load.hpp"
#include "arch_models/scalesim_cfg.hpp"
#include "cli/commands.hpp"
#include "core/text_file.hpp"
#include "sim/mapping/case_file.hpp"
#include "sim/report/report.hpp"
#include "sim/report/table.hpp"
#include "sim/study/point.hpp"
#include "workloads/onnx/load.hpp"
#include "workloads/space/space.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright::cli {
namespace {

constexpr std::int64_t most_yaml_bytes = std::int64_t{16} << 20;  // as load_yaml

void list_chips() {
  for (const std::string& name : chip_library()) {
    const Chip chip = load_chip(name);
    fmt::print("{}", paragraph(fmt::format("{:<24}{:<14}{}", name, chip.family, chip.summary), 38));
  }
}

void list_workloads() {
  for (const Generator& generator : generators()) {
    fmt::print("{:<16}{}\n", generator.name, generator.summary);
    for (const Parameter& parameter : generator.parameters()) {
      fmt::print("    {:<14}{} (default {})\n", parameter.name, parameter.meaning,
                 parameter.fallback.empty() ? "none" : parameter.fallback);
    }
  }
}

/// A chip, a case, an energy table, a study, a search space or a workload, by its ending and, for YAML, by its top-level keys.
void check_file(const std::string& path) {
  if (is_scalesim_config(path)) {
    static_cast<void>(load_chip(path));
    return;
  }
  if (!path.ends_with(".yaml") && !path.ends_with(".yml")) {
    ImportOptions options;
    static_cast<void>(load_workload(path, options));
    return;
  }
  const Value root = load_yaml(path);
  if (!root.is_map()) root.fail("a chip, a case, an energy table, a study or a search space is a map of keys");
  if (root.find("choices")) {
    static_cast<void>(load_space(path));
  } else if (root.find("nodes")) {
    static_cast<void>(parse_energy_table(read_file(path, most_yaml_bytes), path));
  } else if (root.find("mapping")) {
    const Case given = load_case(path);
    if (const auto legal = tilewright::check(given.problem, given.mapping, given.chip); !legal) {
      throw InputError({.file = path, .line = 0, .column = 0, .key = "mapping"},
                       fmt::format("{}: {}", legal.error().level, legal.error().reason));
    }
  } else if (root.find("study")) {
    const StudyRequest request = load_study(path);
    const PointEvaluator evaluator(request);  // its chips and workloads are read too
  } else {
    static_cast<void>(load_chip(path));
  }
}

}  // namespace

int list(const std::string& what) {
  require_choice("list", what, {"chips", "workloads", "families", "engines", "energy-tables", "suites", "spaces"});
  if (what == "chips") list_chips();
  if (what == "workloads") list_workloads();
  if (what == "families") {
    for (const ArchFamily& family : arch_families()) fmt::print("{:<14}{}\n", family.name, family.summary);
  }
  if (what == "engines") {
    fmt::print("roofline    bound only: the larger of compute time and each level's traffic time\n");
    fmt::print("analytical  the same with fill, drain, launch and host overheads\n");
    fmt::print("systemc     the same mapping tile by tile through finite ports and buffers, layers overlapping\n");
    fmt::print("scalesim-v2 a topology on a SCALE-Sim .cfg, figure by figure as SCALE-Sim version 2 (run only)\n");
  }
  if (what == "suites") {
    for (const Suite& suite : suites()) fmt::print("{:<12}{}\n", suite.name, suite.summary);
  }
  if (what == "spaces") {
    for (const std::string& name : space_names()) {
      const SearchSpace space = load_space(name);
      const std::int64_t size = space_size(space);
      fmt::print("{:<18}{:>14}  {}\n", name, size < 0 ? "above 2^62" : fmt::format("{}", size), space.summary);
    }
  }
  if (what == "energy-tables") {
    for (const std::string& name : energy_table_library()) fmt::print("{}\n", name);
  }
  return 0;
}

int show(const std::string& what, const std::string& name, const RunOptions& options) {
  require_choice("show", what, {"chip", "workload"});
  require_choice("--format", options.format, {"text", "json"});
  const bool json = options.format == "json";
  if (what == "chip") {
    const Chip chip = load_chip(name);
    deliver(json ? chip_json(chip) : chip_text(chip), options.output);
  } else {
    RunOptions request = options;
    request.workload = name;
    const WorkloadGraph graph = prepared_workload(request);
    deliver(json ? workload_json(graph) : workload_text(graph), options.output);
  }
  return 0;
}

int check(const std::vector<std::string>& files) {
  bool bad = false;
  for (const std::string& file : files) {
    try {
      check_file(file);
      fmt::print("{}: ok\n", file);
    } catch (const InputError& error) {
      fmt::print("{}\n", error.what());
      bad = true;
    }
  }
  return bad ? 2 : 0;
}

}  // namespace tilewright::cli
