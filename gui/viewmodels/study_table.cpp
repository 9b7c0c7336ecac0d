#include "gui/viewmodels/study_table.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/csv.hpp"

namespace tilewright::gui {
namespace {

bool shows(const std::vector<char>& brushed, std::size_t point) { return brushed.empty() || brushed[point] != 0; }

/// The word of an axis; "": the column holds figures.
std::string word_of(const StudyResults& results, std::size_t column, std::size_t point) {
  const std::vector<std::string>& words = results.columns[column].words;
  return words.empty() ? "" : words[static_cast<std::size_t>(results.values[column][point])];
}

}  // namespace

void StudyTable::show(std::shared_ptr<const StudyResults> results, const std::vector<char>& brushed) {
  beginResetModel();
  results_ = std::move(results);
  points_.clear();
  for (const bool front : {true, false}) {
    for (std::size_t p = 0; results_ && p < results_->size() && points_.size() < most_rows; ++p) {
      if (shows(brushed, p) && (results_->front[p] != 0) == front) points_.push_back(p);
    }
  }
  endResetModel();
}

int StudyTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(points_.size());
}

int StudyTable::columnCount(const QModelIndex& parent) const {
  return parent.isValid() || !results_ ? 0 : static_cast<int>(results_->columns.size());
}

QVariant StudyTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const auto column = static_cast<std::size_t>(index.column());
  const std::size_t at = point(index.row());
  const double figure = results_->values[column][at];
  const bool is_word = !results_->columns[column].words.empty();
  if (role == front_role) return results_->front[at] != 0;
  if (role == figure_role && !is_word && !std::isnan(figure)) return figure;
  if (role != Qt::DisplayRole) return {};
  if (is_word) return QString::fromStdString(word_of(*results_, column, at));
  return std::isnan(figure) ? QString() : QString::number(figure, 'g', 5);
}

QVariant StudyTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || !results_) return {};
  if (orientation == Qt::Vertical) return section + 1;
  return QString::fromStdString(results_->columns[static_cast<std::size_t>(section)].name);
}

std::string study_csv(const StudyResults& results, const std::vector<char>& brushed) {
  std::string text;
  for (const StudyColumn& column : results.columns) text += csv_cell(column.name) + ",";
  text += "front\n";
  for (std::size_t p = 0; p < results.size(); ++p) {
    if (!shows(brushed, p)) continue;
    for (std::size_t c = 0; c < results.columns.size(); ++c) {
      const double figure = results.values[c][p];
      text += results.columns[c].words.empty() ? std::isnan(figure) ? "" : fmt::format("{}", figure)
                                               : csv_cell(word_of(results, c, p));
      text += ",";
    }
    text += results.front[p] != 0 ? "1\n" : "0\n";
  }
  return text;
}

}  // namespace tilewright::gui
