// What the window shows: one network on one chip, both with changes. The saved project is a study file with one point.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/study/request.hpp"

namespace tilewright::gui {

struct Project {
  std::string workload, chip;                                // as on the command line
  std::vector<std::pair<std::string, std::string>> changes;  // key of a study's axis and its value, in the order made
  Objective objective = Objective::latency;
  Engine engine = Engine::analytical;
  double latency_slack = 0;  // percent; counts where the objective is latency

  /// The value of a key; "": not changed.
  std::string value(const std::string& key) const;
  /// Without a value the key goes back to what the files say.
  void change(const std::string& key, const std::string& value);

  bool operator==(const Project&) const = default;
};

/// A study file whose only point is the project: `tilewright sweep` gives the figures that the window shows.
std::string project_text(const Project& project);

/// The lines of a study file that say how the project is evaluated.
std::string evaluation_text(const Project& project);

/// One point of a study. Precondition: a position of `axis_sizes`.
Project project_of(const StudyRequest& request, const Position& position);
/// The first point of a study. InputError as parse_study.
Project read_project(const std::string& text, const std::string& path);

/// What a command line asks for: the report, the roofline as a picture, or the trace of the simulation.
enum class Asked { report, roofline, trace };
/// A command that prints the figures of the window; `file`: where the project is saved, for what `run` has no option for.
std::string command_line(const Project& project, const std::string& file, Asked asked = Asked::report);
/// A YAML scalar that is read back as this text whatever it holds.
std::string quoted(const std::string& text);
/// A word of a shell that is read back as this text whatever it holds.
std::string shell_word(const std::string& text);

}  // namespace tilewright::gui
