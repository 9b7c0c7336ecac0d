// tilewright validate: a suite of comparisons, its result as text or JSON.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "cli/commands.hpp"
#include "validation/chips/chips.hpp"
#include "validation/gpu/models.hpp"
#include "validation/gpu/nas.hpp"
#include "validation/gpu/validate.hpp"
#include "validation/mapping.hpp"
#include "validation/streaming.hpp"
#include "validation/systolic.hpp"

namespace tilewright::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string keys_text(const SuiteGroup& group) {
  const auto shown_value = [](const std::string& value) { return value == "*" ? "(all)" : value; };
  if (group.keys.size() == 1) return shown_value(group.keys.begin()->second);
  std::string text;
  for (const auto& [key, value] : group.keys)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", key, shown_value(value));
  return text;
}

/// "645 compared, 2 differ", or the errors of a measured group.
std::string figures_text(const SuiteGroup& group) {
  const bool measured = group.mape_pct || group.median_ape_pct || group.geomean_ratio || group.spearman;
  std::string text = fmt::format("{:>7} compared", group.n);
  if (!measured) text += fmt::format(", {:>5} differ", group.mismatches);
  if (group.mape_pct) text += fmt::format(", MAPE {:>6.2f} %", *group.mape_pct);
  if (group.median_ape_pct) text += fmt::format(", median {:>6.2f} %", *group.median_ape_pct);
  if (group.geomean_ratio) text += fmt::format(", ratio {:>6.3f}", *group.geomean_ratio);
  if (group.spearman) text += fmt::format(", rank {:>6.3f}", *group.spearman);
  return text;
}

std::string result_text(const SuiteResult& result) {
  std::string out = fmt::format("suite {}: {}\n\n", result.suite, result.data);
  std::size_t width = 0;
  for (const SuiteGroup& group : result.groups) width = std::max(width, keys_text(group).size());
  for (const SuiteGroup& group : result.groups) {
    out += fmt::format("{:<{}}  {}\n", keys_text(group), width, figures_text(group));
    for (const std::string& row : group.worst) out += fmt::format("    {}\n", row);
  }
  if (!result.notes.empty()) out += fmt::format("\nnotes ({}):\n", result.notes.size());
  for (const std::string& note : result.notes) out += fmt::format("  {}\n", note);
  return out + fmt::format("\n{}\n", result.pass ? "pass" : "FAIL");
}

Json group_json(const SuiteGroup& group) {
  Json json;
  json["keys"] = group.keys;
  json["n"] = group.n;
  const auto add = [&](const char* key, const std::optional<double>& value) {
    if (value) json[key] = *value;
  };
  add("mape_pct", group.mape_pct);
  add("median_ape_pct", group.median_ape_pct);
  add("geomean_ratio", group.geomean_ratio);
  add("spearman", group.spearman);
  if (!group.mape_pct && !group.median_ape_pct && !group.geomean_ratio && !group.spearman) {
    json["mismatches"] = group.mismatches;
    json["first_mismatch"] = group.first_mismatch.empty() ? Json(nullptr) : Json(group.first_mismatch);
  }
  json["worst"] = group.worst;
  return json;
}

std::string result_json(const SuiteResult& result) {
  Json json;
  json["suite"] = result.suite;
  json["data"] = result.data;
  json["pass"] = result.pass;
  json["groups"] = Json::array();
  for (const SuiteGroup& group : result.groups) json["groups"].push_back(group_json(group));
  json["notes"] = result.notes;
  if (!result.svg.empty()) json["svg"] = result.svg;
  return json.dump(1) + "\n";
}

LeaveOut leave_out_of(const std::string& word) {
  require_choice("--leave-out", word, {"none", "device", "shape"});
  return word == "device" ? LeaveOut::device : word == "shape" ? LeaveOut::shape : LeaveOut::none;
}

}  // namespace

std::span<const Suite> suites() {
  static constexpr std::array known{
      Suite{"mapping", "access counts, cycles and energies of given mappings against Timeloop's, to the word",
            [](const ValidateOptions& options) { return validate_mapping(options.data); }},
      Suite{"systolic", "cycles, accesses and bandwidths of SCALE-Sim version 2, figure by figure",
            [](const ValidateOptions& options) { return validate_systolic(options.data); }},
      Suite{"streaming", "simulated against measured batch-1 latencies of streaming FPGA designs",
            [](const ValidateOptions& options) { return validate_streaming(options.data); }},
      Suite{"gpu", "predicted against measured times of GPU kernels",
            [](const ValidateOptions& options) { return validate_gpu(options.data, leave_out_of(options.leave_out)); }},
      Suite{"gpu_models", "predicted against measured latencies of whole transformers",
            [](const ValidateOptions& options) {
              return validate_models(options.data.empty() ? measured_gpu_folder() : options.data,
                                     library_calibration().constants);
            }},
      Suite{"chips", "predicted against published times of networks on CPUs, FPGAs and arrays",
            [](const ValidateOptions& options) { return validate_chips(options.data, job_count(0)); }},
      Suite{"nas", "rank correlation on NAS-Bench-201 and Once-for-All networks",
            [](const ValidateOptions& options) {
              return validate_nas(options.data.empty() ? measured_gpu_folder() + "/../codesign" : options.data,
                                  measured_gpu_folder() + "/devices.csv", library_calibration().constants);
            }},
  };
  return known;
}

int validate_suite(const ValidateOptions& options) {
  std::vector<std::string> names;
  for (const Suite& suite : suites()) names.emplace_back(suite.name);
  require_choice("validate", options.suite, names);
  require_choice("--format", options.format, {"text", "json", "svg"});
  const auto suite = std::ranges::find(suites(), options.suite, &Suite::name);
  const SuiteResult result = suite->run(options);
  deliver(options.format == "json"  ? result_json(result)
          : options.format == "svg" ? result.svg
                                    : result_text(result),
          options.output);
  return result.pass ? 0 : 1;
}

}  // namespace tilewright::cli
