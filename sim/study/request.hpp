// A study: which points of workloads x chips x axes are asked for, under which limits, towards which goals.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/document.hpp"
#include "sim/cost/evaluation.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright {

/// One parameter and its values, as they would be written in a chip file or on the command line.
/// `key`: "chip.PATH" (a path in the chip's YAML), "model.precision", "model.batch", "model.fuse", "model.set.DIM" (a symbolic
/// dim) or "model.NAME" (a parameter of a generator).
struct StudyAxis {
  std::string key;
  std::vector<std::string> values;
  Place place;
};

enum class Comparison { at_most, at_least };

/// "area <= 10 mm2": metric (position in study_metrics()), comparison, limit in base units.
struct StudyConstraint {
  std::string text;
  std::size_t metric = 0;
  Comparison comparison = Comparison::at_most;
  double limit = 0;
};

struct StudyGoal {
  std::size_t metric = 0;
  bool maximize = false;
};

enum class Strategy { grid, random };

struct StudyRequest {
  std::string name, path;
  std::string text;  // of the file, so that a store can be read without it
  std::vector<std::string> workloads, chips;
  std::vector<std::vector<StudyAxis>> axes;  // the axes of one group (`zip`) advance together
  std::vector<StudyConstraint> constraints;
  std::vector<StudyGoal> goals;
  Strategy strategy = Strategy::grid;
  std::int64_t budget = 0;  // points to draw; grid: 0, all of them
  Engine engine = Engine::analytical;
  Objective objective = Objective::latency;  // of the mappings
  Fusion fusion = Fusion::normal;
  std::uint64_t seed = 0;
};

/// Keys: study workloads chips vary zip constraints objectives search engine objective fuse seed. An axis is a list, or
/// {range: [first, last], step: S}, or {log_range: [first, last], points: N}. InputError: unknown keys and words (nearest named),
/// an empty axis, a zipped axis of another length, a metric without the unit that its limit needs, more than 2^62 points.
StudyRequest parse_study(const std::string& text, const std::string& path);
StudyRequest load_study(const std::string& path);

/// Number of points of the full grid.
std::int64_t grid_size(const StudyRequest& request);

/// One point of the grid: `values` stand beside the axes in the order of `axis_keys`.
struct StudyPoint {
  std::int64_t index = 0;
  std::string workload, chip;
  std::vector<std::string> values;
};
/// Workload slowest, then chip, then the axes in file order. Precondition: 0 <= index < grid_size.
StudyPoint point_at(const StudyRequest& request, std::int64_t index);
std::vector<std::string> axis_keys(const StudyRequest& request);

/// The request as lines of text that decide its results, for the store: a study is changed if these differ.
std::vector<std::string> canonical_lines(const StudyRequest& request);

}  // namespace tilewright
