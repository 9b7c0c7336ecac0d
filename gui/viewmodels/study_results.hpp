// The points of a study as columns of numbers, and which of them no other one beats.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/study/request.hpp"

namespace tilewright::gui {

/// One axis or metric over all points. An axis has as value the position among its words.
struct StudyColumn {
  std::string name;
  std::vector<std::string> words;  // of an axis, in the order of the study; empty: a metric in base units
  bool goal = false;
};

struct StudyResults {
  std::vector<StudyColumn> columns;         // axes of several values, goals, the other metrics that any point has
  std::vector<std::vector<double>> values;  // [column][point]; NaN: no figure
  std::vector<char> front;                  // per point: on the Pareto front that `tilewright front` gives
  std::vector<std::size_t> goals;           // columns
  std::shared_ptr<const StudyRequest> request;
  std::vector<Position> positions;  // per point
  std::size_t size() const { return front.size(); }
};

/// What a store holds of the study's last engine, in the order of the study. StoreError: the file cannot be read.
std::shared_ptr<const StudyResults> study_results(const std::string& store_file);

}  // namespace tilewright::gui
