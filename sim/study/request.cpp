#include "sim/study/request.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include "core/text_file.hpp"
#include "sim/study/metrics.hpp"
#include "workloads/data_type.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_points = std::int64_t{1} << 62;
constexpr std::int64_t most_values = 1'000'000;   // of one axis
constexpr std::int64_t most_drawn = 100'000'000;  // they are held in memory

std::vector<std::string> words(const Value& list) {
  std::vector<std::string> found;
  for (const Value& item : list.items()) {
    found.push_back(item.as_string());
    if (std::count(found.begin(), found.end(), found.back()) > 1)
      item.fail(fmt::format("'{}' stands here twice", shown(found.back())));
  }
  if (found.empty()) list.fail("the list is empty");
  return found;
}

/// "64 KiB" -> 64 and "KiB".
struct Amount {
  double number = 0;
  std::string unit;
};

Amount amount(const Value& value) {
  const std::string text = value.as_string();
  Amount result;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, result.number);
  if (error != std::errc{} || !std::isfinite(result.number))
    value.fail(fmt::format("expected a number, with its unit where it has one, got '{}'", shown(text)));
  result.unit.assign(rest, end);
  result.unit.erase(0, result.unit.find_first_not_of(' '));
  return result;
}

std::string written(double number, const std::string& unit) {
  return unit.empty() ? fmt::format("{:.12g}", number) : fmt::format("{:.12g} {}", number, unit);
}

/// Both ends of a range in one unit: sizes such as 64 KiB and 1 MiB are brought to bytes.
std::pair<Amount, Amount> ends(const Value& list) {
  const std::vector<Value> items = list.items();
  if (items.size() != 2) list.fail(fmt::format("expected [first, last], got {} values", items.size()));
  std::pair<Amount, Amount> both{amount(items[0]), amount(items[1])};
  if (both.first.unit != both.second.unit) {
    both = {{items[0].as_bytes().value, "B"}, {items[1].as_bytes().value, "B"}};
  }
  if (both.second.number < both.first.number) list.fail("the last value is below the first");
  return both;
}

bool whole(double number) { return number == std::floor(number); }

std::vector<std::string> values_of(const Value& axis) {
  if (axis.is_list()) return words(axis);
  std::vector<std::string> values;
  if (const auto log_range = axis.find("log_range")) {
    const auto [first, last] = ends(*log_range);
    if (first.number <= 0) log_range->fail("a logarithmic range begins above zero");
    const std::int64_t points = axis.at("points").as_int(2, most_values);
    const bool round = whole(first.number) && whole(last.number) && (first.unit.empty() || first.unit == "B");
    for (std::int64_t i = 0; i < points; ++i) {
      const double part = static_cast<double>(i) / static_cast<double>(points - 1);
      double number = first.number * std::pow(last.number / first.number, part);
      if (i + 1 == points) number = last.number;
      if (round) number = std::round(number);
      std::string value = written(number, first.unit);
      if (values.empty() || values.back() != value)
        values.push_back(std::move(value));  // rounding may bring two together
    }
  } else {
    const Value range = axis.at("range");
    const auto [first, last] = ends(range);
    const Value step_value = axis.at("step");
    const Amount step = amount(step_value);
    if (step.number <= 0) step_value.fail("the step must be above zero");
    if (step.unit != first.unit)
      step_value.fail(fmt::format("write the step in the unit of the range, '{}'", first.unit));
    const double steps = (last.number - first.number) / step.number;
    if (steps >= static_cast<double>(most_values)) step_value.fail(fmt::format("more than {} values", most_values));
    for (std::int64_t i = 0; static_cast<double>(i) <= steps * (1 + 1e-12); ++i) {
      values.push_back(written(first.number + static_cast<double>(i) * step.number, first.unit));
    }
  }
  axis.reject_unread_keys();
  return values;
}

StudyAxis axis_of(const Value& vary, const std::string& key) {
  const Value value = vary.at(key);
  if (!key.starts_with("chip.") && !key.starts_with("model.")) {
    value.fail(
        "an axis begins with 'chip.' (a key of the chip file) or 'model.' (precision, batch, fuse, set.DIM, or a "
        "parameter of a generator)");
  }
  StudyAxis axis{key, values_of(value), value.place()};
  if (key == "model.precision" || key.starts_with("model.precision.")) {
    for (const std::string& word : axis.values) {
      if (!precision_from(word)) value.fail(unknown_message("precision", word, precision_names()));
    }
  } else if (key == "model.sparsity" || key.starts_with("model.sparsity.")) {
    for (const std::string& word : axis.values) sparsity_from(word);
  } else if (key == "model.fuse") {
    for (const std::string& word : axis.values)
      scalar_at(value, word).as_choice("fusion", {"none", "default", "attention"});
  } else if (key == "model.batch" || key.starts_with("model.set.")) {
    for (const std::string& word : axis.values) scalar_at(value, word).as_int(1, most_points);
  }
  return axis;
}

/// Groups of axes that advance together: those named in `zip`, and every other axis alone, in file order.
std::vector<std::vector<StudyAxis>> axes_of(const Value& root) {
  const auto vary = root.find("vary");
  std::vector<std::vector<std::string>> zipped;
  if (const auto zip = root.find("zip")) {
    for (const Value& group : zip->items()) {
      zipped.push_back(words(group));
      for (const Value& key : group.items()) {
        const std::vector<std::string> known = vary ? vary->keys() : std::vector<std::string>{};
        key.as_choice("axis", known);
        for (std::size_t g = 0; g + 1 < zipped.size(); ++g) {
          if (std::count(zipped[g].begin(), zipped[g].end(), key.as_string()) > 0) key.fail("the axis is zipped twice");
        }
      }
    }
  }
  std::vector<std::vector<StudyAxis>> groups;
  if (!vary) return groups;
  for (const std::string& key : vary->keys()) {
    const auto zip = std::find_if(zipped.begin(), zipped.end(),
                                  [&](const auto& keys) { return std::count(keys.begin(), keys.end(), key) > 0; });
    if (zip == zipped.end()) {
      groups.push_back({axis_of(*vary, key)});
    } else if (zip->front() == key) {
      std::vector<StudyAxis> group;
      for (const std::string& name : *zip) group.push_back(axis_of(*vary, name));
      for (const StudyAxis& axis : group) {
        if (axis.values.size() != group.front().values.size()) {
          throw InputError(axis.place, fmt::format("{} values, but {} with {} are zipped", axis.values.size(),
                                                   group.front().values.size(), group.front().key));
        }
      }
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

StudyConstraint constraint_of(const Value& item) {
  StudyConstraint constraint{.text = item.as_string()};
  const std::size_t at = constraint.text.find_first_of("<>");
  if (at == std::string::npos || at + 1 >= constraint.text.size() || constraint.text[at + 1] != '=')
    item.fail("a constraint reads METRIC <= LIMIT or METRIC >= LIMIT, for example 'area <= 10 mm2'");
  std::string metric = constraint.text.substr(0, at);
  metric.erase(metric.find_last_not_of(' ') + 1);
  std::string limit = constraint.text.substr(at + 2);
  limit.erase(0, limit.find_first_not_of(' '));
  constraint.metric = metric_position(item, metric);
  constraint.comparison = constraint.text[at] == '<' ? Comparison::at_most : Comparison::at_least;
  constraint.limit = study_metrics()[constraint.metric].limit(scalar_at(item, limit));
  return constraint;
}

void add_goals(const Value& objectives, std::string_view key, bool maximize, StudyRequest& request) {
  const auto list = objectives.find(key);
  if (!list) return;
  for (const Value& item : list->items()) {
    const std::size_t metric = metric_position(item, item.as_string());
    for (const StudyGoal& goal : request.goals) {
      if (goal.metric == metric) item.fail("is an objective already");
    }
    request.goals.push_back({metric, maximize});
  }
}

std::vector<Engine> engines_of(const Value& value) {
  const std::vector<std::string> known{"roofline", "analytical", "systemc"};
  std::vector<Engine> engines;
  for (const Value& item : value.is_list() ? value.items() : std::vector<Value>{value}) {
    const std::string word = item.as_choice("engine", known);
    const auto engine = static_cast<Engine>(std::find(known.begin(), known.end(), word) - known.begin());
    if (!engines.empty() && engine <= engines.back())
      item.fail("engines follow one another from the quickest to the closest: roofline, analytical, systemc");
    engines.push_back(engine);
  }
  if (engines.empty()) value.fail("the list is empty");
  return engines;
}

/// Gaussian processes that choose what NSGA-II evaluates.
void read_surrogate(const Value& surrogate, const Value& search, StudyRequest& request) {
  if (request.strategy != Strategy::nsga2) surrogate.fail("chooses among the proposals of strategy nsga2 alone");
  surrogate.at("model").as_choice("model", {"gaussian_process"});
  constexpr std::int64_t default_proposals = 1000, most_proposals = 10'000, most_held = 2000;
  const auto proposals = surrogate.find("proposals");
  request.proposals = proposals ? proposals->as_int(request.population, most_proposals)
                                : std::max(default_proposals, request.population);
  if (request.goals.size() > 3) surrogate.fail("weighs two or three objectives");
  if (request.budget > most_held)
    search.at("budget").fail(
        fmt::format("a Gaussian process holds {} points at most: its time grows with their cube", most_held));
}

void read_search(const Value& search, StudyRequest& request) {
  const Value strategy = search.at("strategy");
  const std::string word = strategy.as_choice("strategy", strategy_names());
  request.strategy = static_cast<Strategy>(std::find(strategy_names().begin(), strategy_names().end(), word) -
                                           strategy_names().begin());
  if (request.strategy != Strategy::grid) request.budget = search.at("budget").as_int(1, most_drawn);
  if (adaptive(request.strategy)) {
    const auto population = search.find("population");
    request.population =
        population ? population->as_int(least_population, most_population) : StrategyOptions{}.population;
    if (request.goals.size() < least_goals(request.strategy))
      strategy.fail(fmt::format("{} weighs {} objectives or more against each other; for one use cmaes or annealing",
                                word, least_goals(request.strategy)));
  }
  if (request.architectures && (request.strategy == Strategy::cmaes || request.strategy == Strategy::annealing))
    strategy.fail("the choices of a search space have no order that this strategy could follow; use nsga2 or moead");
  if (const auto surrogate = search.find("surrogate")) read_surrogate(*surrogate, search, request);
  if (request.engines.size() > 1) {
    const Value keep = search.at("keep");
    request.keep = keep.as_number(0, 1);
    if (request.keep == 0) keep.fail("nothing would go on to the next engine");
  }
}

/// A name stands beside the study file, where such a file is there.
std::string beside(const std::string& path, const std::string& name) {
  const std::filesystem::path file = std::filesystem::path(path).parent_path() / name;
  std::error_code error;
  return std::filesystem::is_regular_file(file, error) ? file.string() : name;
}

/// Search space and accuracy; the architectures become the first axis.
void read_models(const Value& root, const std::optional<Value>& space, StudyRequest& request) {
  std::optional<SearchSpace> loaded;
  if (space) loaded = load_space(beside(request.path, space->as_string()));
  if (const auto accuracy = root.find("accuracy"))
    request.accuracy = std::make_shared<const AccuracySource>(
        read_accuracy(*accuracy, std::filesystem::path(request.path).parent_path().string()),
        loaded ? &*loaded : nullptr);
  if (!loaded) return;
  request.workloads = {loaded->name};
  request.architectures = std::make_shared<const ArchitectureList>(
      list_architectures(std::move(*loaded), root, request.accuracy.get(), request.seed));
  request.axes.insert(request.axes.begin(), {StudyAxis{"arch", request.architectures->codes, space->place()}});
}

void read_baseline(const Value& baseline, StudyRequest& request) {
  std::map<std::string, std::vector<std::string>> known{{"workload", request.workloads}, {"chip", request.chips}};
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) known[axis.key] = axis.values;
  }
  std::vector<std::string> names;
  for (const auto& [key, values] : known) names.push_back(key);
  for (const std::string& key : baseline.keys()) {
    const Value value = baseline.at(key);
    const auto found = known.find(key);
    if (found == known.end()) value.fail(unknown_message("coordinate", key, names));
    constexpr std::size_t most_named = 20;
    if (found->second.size() <= most_named) {
      value.as_choice("value of " + key, found->second);
    } else if (std::find(found->second.begin(), found->second.end(), value.as_string()) == found->second.end()) {
      value.fail(fmt::format("'{}' is none of the {} values of {} in this study", shown(value.as_string()),
                             found->second.size(), key));
    }
    request.baseline[key] = value.as_string();
  }
  for (const auto& [key, values] : known) {
    if (!request.baseline.contains(key) && values.size() > 1)
      baseline.fail(fmt::format("says nothing of {}, which the study varies", key));
    request.baseline.emplace(key, values.front());
  }
}

}  // namespace

StudyRequest parse_study(const std::string& text, const std::string& path) {
  const Value root = parse_yaml(text, path);
  StudyRequest request;
  request.path = path;
  request.text = text;
  request.name = root.at("study").as_string();
  if (const auto seed = root.find("seed")) request.seed = static_cast<std::uint64_t>(seed->as_int(0, most_points));
  const auto space = root.find("space");
  if (!space) request.workloads = words(root.at("workloads"));
  request.chips = words(root.at("chips"));
  request.axes = axes_of(root);
  read_models(root, space, request);
  if (const auto constraints = root.find("constraints")) {
    for (const Value& item : constraints->items()) request.constraints.push_back(constraint_of(item));
  }
  if (const auto objectives = root.find("objectives")) {
    add_goals(*objectives, "minimize", false, request);
    add_goals(*objectives, "maximize", true, request);
  }
  if (request.goals.empty())
    request.goals = {{metric_position(root, "latency"), false}, {metric_position(root, "energy"), false}};
  if (const auto engine = root.find("engine")) request.engines = engines_of(*engine);
  if (const auto search = root.find("search")) {
    read_search(*search, request);
  } else if (request.engines.size() > 1) {
    root.at("engine").fail("say which part of the points goes on: search: {strategy: grid, keep: 0.1}");
  }
  if (const auto mappings = root.find("mappings")) {
    request.mappings =
        mappings->as_choice("mappings", {"own", "shared"}) == "own" ? StudyMappings::own : StudyMappings::shared;
  }
  if (const auto objective = root.find("objective")) {
    const std::string word = objective->as_choice("objective", {"latency", "energy", "edp"});
    request.objective = word == "latency" ? Objective::latency : word == "energy" ? Objective::energy : Objective::edp;
  }
  if (const auto slack = root.find("latency_slack")) {
    request.latency_slack = slack->as_number(0, 1e6);
    if (request.latency_slack > 0 && request.objective != Objective::latency)
      slack->fail("is a slack of objective: latency");
    if (request.latency_slack > 0 && request.mappings == StudyMappings::shared)
      slack->fail("needs mappings: own, because shared ones are chosen by their time alone");
  }
  if (const auto fuse = root.find("fuse")) {
    const std::string word = fuse->as_choice("fusion", {"none", "default", "attention"});
    request.fusion = word == "none" ? Fusion::none : word == "attention" ? Fusion::attention : Fusion::normal;
  }
  if (const auto serving = root.find("serving")) request.serving = read_serving(*serving);
  if (const auto baseline = root.find("baseline")) read_baseline(*baseline, request);
  root.reject_unread_keys();
  if (request.strategy == Strategy::grid && space_size(axis_sizes(request)) < 0)
    root.fail("the grid has more than 2^62 points; name another strategy with a budget");
  return request;
}

StudyRequest load_study(const std::string& path) {
  constexpr std::int64_t most_bytes = std::int64_t{16} << 20;
  return parse_study(read_file(path, most_bytes), path);
}

std::vector<std::size_t> axis_sizes(const StudyRequest& request) {
  std::vector<std::size_t> sizes{request.workloads.size(), request.chips.size()};
  for (const auto& group : request.axes) sizes.push_back(group.front().values.size());
  return sizes;
}

StudyPoint point_at(const StudyRequest& request, const Position& position) {
  StudyPoint point{request.workloads[position[0]], request.chips[position[1]], {}};
  for (std::size_t g = 0; g < request.axes.size(); ++g) {
    for (const StudyAxis& axis : request.axes[g]) point.values.push_back(axis.values[position[g + 2]]);
  }
  return point;
}

bool sizes_memory(std::string_view key) {
  return key.starts_with("chip.levels") && (key.ends_with(".capacity") || key.ends_with(".bandwidth"));
}

std::string_view engine_name(Engine engine) {
  switch (engine) {
    case Engine::roofline: return "roofline";
    case Engine::analytical: return "analytical";
    case Engine::systemc: return "systemc";
  }
  return "";
}

Coordinates coordinates_of(const StudyRequest& request, const StudyPoint& point) {
  Coordinates all{{"workload", point.workload}, {"chip", point.chip}};
  const std::vector<std::string> keys = axis_keys(request);
  for (std::size_t a = 0; a < keys.size(); ++a) all.emplace(keys[a], point.values[a]);
  return all;
}

std::vector<std::string> axis_keys(const StudyRequest& request) {
  std::vector<std::string> keys;
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group) keys.push_back(axis.key);
  }
  return keys;
}

std::vector<std::string> canonical_lines(const StudyRequest& request) {
  std::vector<std::string> lines;
  lines.push_back(fmt::format("study: {}", request.name));
  lines.push_back(fmt::format("workloads: {}", fmt::join(request.workloads, ", ")));
  lines.push_back(fmt::format("chips: {}", fmt::join(request.chips, ", ")));
  for (const auto& group : request.axes) {
    for (const StudyAxis& axis : group)
      lines.push_back(fmt::format("vary {}: {}", axis.key, fmt::join(axis.values, ", ")));
    if (group.size() > 1) {
      std::vector<std::string> keys;
      for (const StudyAxis& axis : group) keys.push_back(axis.key);
      lines.push_back(fmt::format("zip: {}", fmt::join(keys, ", ")));
    }
  }
  for (const StudyConstraint& constraint : request.constraints)
    lines.push_back(fmt::format("constraint: {}", constraint.text));
  for (const StudyGoal& goal : request.goals) {
    lines.push_back(fmt::format("{}: {}", goal.maximize ? "maximize" : "minimize", study_metrics()[goal.metric].name));
  }
  lines.push_back(fmt::format("search: {}", name(request.strategy)));
  if (request.budget > 0) lines.back() += fmt::format(", {} points", request.budget);
  if (adaptive(request.strategy)) lines.back() += fmt::format(", population {}", request.population);
  if (request.proposals > 0) lines.back() += fmt::format(", gaussian_process among {} proposals", request.proposals);
  if (request.engines.size() > 1) lines.back() += fmt::format(", keep {}", request.keep);
  std::vector<std::string_view> engines;
  for (const Engine engine : request.engines) engines.push_back(engine_name(engine));
  lines.push_back(fmt::format("engine: {}", fmt::join(engines, ", ")));
  if (request.mappings == StudyMappings::shared) lines.emplace_back("mappings: shared");
  lines.push_back(fmt::format("objective: {}", request.objective == Objective::latency  ? "latency"
                                               : request.objective == Objective::energy ? "energy"
                                                                                        : "edp"));
  if (request.latency_slack > 0) lines.back() += fmt::format(", slack {} %", request.latency_slack);
  lines.push_back(fmt::format("fuse: {}", request.fusion == Fusion::none        ? "none"
                                          : request.fusion == Fusion::attention ? "attention"
                                                                                : "default"));
  lines.push_back(fmt::format("seed: {}", request.seed));
  if (request.architectures) lines.push_back(fmt::format("space: {}", request.architectures->space.text));
  if (request.accuracy) lines.push_back(fmt::format("accuracy: {}", request.accuracy->fingerprint()));
  if (request.serving) {
    const ServingTerms& t = *request.serving;
    lines.push_back(fmt::format(
        "serving: rent {} lifetime {} electricity {} facility {} utilization {} load {} tokens {} memory {}",
        t.rent ? t.rent->value : -1, t.lifetime.value, t.electricity_per_kwh.value, t.facility, t.utilization,
        t.load.value_or(-1), t.tokens_per_request, t.device_memory ? t.device_memory->value : -1));
  }
  return lines;
}

}  // namespace tilewright
