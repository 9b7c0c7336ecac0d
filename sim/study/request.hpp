// A study: which points of workloads x chips x axes are asked for, under which limits, towards which goals.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/document.hpp"
#include "sim/accuracy/accuracy.hpp"
#include "sim/cost/evaluation.hpp"
#include "sim/money/money.hpp"
#include "sim/study/architectures.hpp"
#include "sim/study/strategy.hpp"
#include "workloads/transform/transform.hpp"

namespace tilewright {

/// One parameter and its values, as they would be written in a chip file or on the command line.
/// `key`: "chip.PATH" (a path in the chip's YAML), "model.precision", "model.batch", "model.fuse", "model.set.DIM" (a symbolic
/// dim), "model.precision.LAYER", "model.sparsity" and "model.sparsity.LAYER" (LAYER may have a *), or "model.NAME" (a parameter of a generator);
/// "arch": architectures of a search space.
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

/// own: every point's mappings are searched for its own chip, as `run` does. shared: points that differ in capacities and bandwidths choose
/// among mappings that were searched once for all of them (network::SharedMappings).
enum class StudyMappings { own, shared };

struct StudyRequest {
  std::string name, path;
  std::string text;  // of the file, so that a store can be read without it
  std::vector<std::string> workloads, chips;
  std::vector<std::vector<StudyAxis>> axes;  // the axes of one group (`zip`) advance together
  std::vector<StudyConstraint> constraints;
  std::vector<StudyGoal> goals;
  Strategy strategy = Strategy::grid;
  std::int64_t budget = 0;      // most points; grid: 0, all of them
  std::int64_t population = 0;  // of one generation, adaptive strategies
  std::int64_t proposals = 0;   // of one generation, among which a surrogate chooses; 0: no surrogate
  /// The first evaluates every point, each further one the best of the one before.
  std::vector<Engine> engines{Engine::analytical};
  double keep = 1;  // part of the points that meet all constraints which goes on to the next engine
  StudyMappings mappings = StudyMappings::own;
  Objective objective = Objective::latency;  // of the mappings
  double latency_slack = 0;                  // percent
  Fusion fusion = Fusion::normal;
  std::uint64_t seed = 0;
  std::shared_ptr<const ArchitectureList>
      architectures;  // of the axis "arch"; workloads is then the space's name alone
  std::shared_ptr<const AccuracySource> accuracy;
  std::optional<ServingTerms> serving;
  /// The design that one-sided searches start from: coordinates ("workload", "chip", axes) and one of their values.
  std::map<std::string, std::string> baseline;
};

/// Keys: study workloads (or space architectures) accuracy serving baseline chips vary zip constraints objectives search engine objective latency_slack fuse mappings seed. An axis is a list, or
/// {range: [first, last], step: S}, or {log_range: [first, last], points: N}. InputError: unknown keys and words (nearest named),
/// an empty axis, a zipped axis of another length, a metric without the unit that its limit needs, a grid of more than 2^62 points, a strategy
/// without enough objectives.
StudyRequest parse_study(const std::string& text, const std::string& path);
StudyRequest load_study(const std::string& path);

/// The space of the study: number of workloads, of chips, and of values of each group of axes.
std::vector<std::size_t> axis_sizes(const StudyRequest& request);

/// One point of the space: `values` stand beside the axes in the order of `axis_keys`.
struct StudyPoint {
  std::string workload, chip;
  std::vector<std::string> values;
};
/// Workload, chip, then the groups of axes in file order. Precondition: a position of `axis_sizes`.
StudyPoint point_at(const StudyRequest& request, const Position& position);
std::vector<std::string> axis_keys(const StudyRequest& request);

/// Every coordinate of a point: "workload", "chip" and the axes.
Coordinates coordinates_of(const StudyRequest& request, const StudyPoint& point);

std::string_view engine_name(Engine engine);

/// True of the axes chip.levels.NAME.capacity and chip.levels.NAME.bandwidth.
bool sizes_memory(std::string_view key);

/// The request as lines of text that decide its results, for the store: a study is changed if these differ.
std::vector<std::string> canonical_lines(const StudyRequest& request);

}  // namespace tilewright
