// Accuracy of candidates: measured tables, a user's command, and, only where asked for, a prediction from scored architectures.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/document.hpp"
#include "workloads/space/space.hpp"

namespace tilewright {

enum class Predictor { none, ridge, gaussian_process };

/// A table is a CSV with a score a row; rows of equal coordinates count with their mean. A command is run for each candidate.
struct AccuracyRequest {
  std::string table, score;                                // file, column
  std::map<std::string, std::string> where;                // rows that count: column and its value
  std::vector<std::pair<std::string, std::string>> match;  // coordinate of the point and column
  std::vector<std::string> command;                        // program and arguments; {KEY} is a coordinate
  Seconds limit{60};                                       // for one run of the command
  std::string cache;                                       // file of answers
  Predictor predictor = Predictor::none;
};

/// Keys: table score where match predict, or command limit cache. A table is looked for beside `folder` (of the study), then among
/// the project's scores (workloads/spaces/scores). InputError.
AccuracyRequest read_accuracy(const Value& value, const std::string& folder);

/// Where a point stands: "arch" (code of the architecture), "workload", and the axes by their keys.
using Coordinates = std::map<std::string, std::string>;

struct AccuracyFigure {
  double value = 0;
  bool predicted = false;
};

/// How well a predictor does on rows it has not seen: ten folds, every tenth row in turn.
struct PredictionError {
  double rmse = 0, spearman = 0;
  std::size_t rows = 0;
};

class AccuracySource {
 public:
  /// Reads the table and fits the predictor. InputError; a predictor needs a space and at least 20 scored architectures of it.
  AccuracySource(AccuracyRequest request, const SearchSpace* space);
  AccuracySource(AccuracySource&&) noexcept;
  ~AccuracySource();

  /// InputError where the table has no such row, or the command fails, takes too long or prints no number. May be called from several threads.
  /// A command runs once per distinct text of its arguments; its cache outlives the process.
  AccuracyFigure of(const Coordinates& point) const;

  /// True where a score may cost a run of the user's command.
  bool runs_command() const;
  /// Codes of the table's architectures that belong to the space, in the order of the file, each once.
  std::vector<std::string> scored() const;
  std::optional<PredictionError> prediction_error() const;
  /// Coordinates of a point that decide its score.
  std::vector<std::string> reads() const;
  /// All that decides a score, for the identity of points.
  std::string fingerprint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tilewright
