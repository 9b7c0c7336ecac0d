#include "gui/viewmodels/project.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

/// In percent; other objectives have none.
double slack(const Project& project) { return project.objective == Objective::latency ? project.latency_slack : 0; }

}  // namespace

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::string_view("_-./:=,+@%").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain) return text;
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + '\'';
}

std::string Project::value(const std::string& key) const {
  const auto found =
      std::find_if(changes.begin(), changes.end(), [&](const auto& change) { return change.first == key; });
  return found == changes.end() ? "" : found->second;
}

void Project::change(const std::string& key, const std::string& value) {
  const auto found =
      std::find_if(changes.begin(), changes.end(), [&](const auto& change) { return change.first == key; });
  if (value.empty()) {
    if (found != changes.end()) changes.erase(found);
  } else if (found != changes.end()) {
    found->second = value;
  } else {
    changes.emplace_back(key, value);
  }
}

std::string project_text(const Project& project) {
  std::string text = "# A project of tilewright-gui; `tilewright sweep` gives its figures.\nstudy: project\n";
  text += fmt::format("workloads: [{}]\nchips: [{}]\n", quoted(project.workload), quoted(project.chip));
  if (!project.changes.empty()) text += "vary:\n";
  for (const auto& [key, value] : project.changes) text += fmt::format("  {}: [{}]\n", quoted(key), quoted(value));
  return text + evaluation_text(project);
}

std::string evaluation_text(const Project& project) {
  std::string text = fmt::format("objective: {}\nengine: {}\n", name(project.objective), name(project.engine));
  if (slack(project) > 0) text += fmt::format("latency_slack: {}\n", slack(project));
  return text;
}

Project project_of(const StudyRequest& request, const Position& position) {
  const StudyPoint point = point_at(request, position);
  const std::vector<std::string> keys = axis_keys(request);
  Project project{point.workload, point.chip, {}, request.objective, request.engines.back(), request.latency_slack};
  for (std::size_t a = 0; a < keys.size(); ++a) {
    if (keys[a] == "arch") {
      const ArchitectureList& list = *request.architectures;
      project.workload = workload_of(list.space, list.architectures[list.position.at(point.values[a])]);
    } else {
      project.change(keys[a], point.values[a]);
    }
  }
  if (request.fusion != Fusion::normal && project.value("model.fuse").empty())
    project.change("model.fuse", request.fusion == Fusion::none ? "none" : "attention");
  return project;
}

Project read_project(const std::string& text, const std::string& path) {
  const StudyRequest request = parse_study(text, path);
  return project_of(request, Position(axis_sizes(request).size(), 0));
}

std::string command_line(const Project& project, const std::string& file, Asked asked) {
  std::string options, parameters;
  for (const auto& [key, value] : project.changes) {
    const std::string name = key.substr(key.find('.') + 1);
    if (key == "model.batch") {
      options += " --batch " + shell_word(value);
    } else if (key == "model.precision") {
      options += " --precision " + shell_word(value);
    } else if (key.starts_with("chip.")) {
      options += " --set " + shell_word(fmt::format("{}={}", key, value));
    } else if (key.starts_with("model.set.")) {
      options += " --set " + shell_word(name.substr(name.find('.') + 1) + "=" + value);
    } else if (key.starts_with("model.") && name.find('.') == std::string::npos && name != "fuse" &&
               name != "sparsity") {
      parameters += fmt::format("{}{}={}", parameters.empty() ? "" : ",", name, value);  // of a generator
    } else {
      return fmt::format("tilewright sweep {} -o results && tilewright export results", shell_word(file));
    }
  }
  std::string workload = project.workload;
  if (!parameters.empty()) workload += (workload.find(':') == std::string::npos ? ":" : ",") + parameters;
  if (slack(project) > 0) options += fmt::format(" --latency-slack {}", slack(project));
  const Engine engine = asked == Asked::trace ? Engine::systemc : project.engine;
  return fmt::format("tilewright {} {} --chip {}{} --objective {} --engine {}{}",
                     asked == Asked::roofline ? "roofline" : "run", shell_word(workload), shell_word(project.chip),
                     options, name(project.objective), name(engine),
                     asked == Asked::roofline ? " -o roofline.svg"
                     : asked == Asked::trace  ? " --trace trace.json"
                                              : "");
}

}  // namespace tilewright::gui
