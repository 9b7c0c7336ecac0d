// The points of a study as a table: those of the front first.
#pragma once

#include <QAbstractTableModel>

#include "gui/viewmodels/study_results.hpp"

namespace tilewright::gui {

class StudyTable : public QAbstractTableModel {
  Q_OBJECT

 public:
  static constexpr int figure_role = Qt::UserRole;  // in base units; absent: no figure, or a word
  static constexpr int front_role = Qt::UserRole + 1;
  static constexpr std::size_t most_rows = 1000;

  using QAbstractTableModel::QAbstractTableModel;
  /// `brushed`: per point, not 0: shown; empty: all.
  void show(std::shared_ptr<const StudyResults> results, const std::vector<char>& brushed);
  std::size_t point(int row) const { return points_[static_cast<std::size_t>(row)]; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  std::shared_ptr<const StudyResults> results_;
  std::vector<std::size_t> points_;  // by row
};

/// The columns with their headings, "front" last; figures in base units as the shortest text that reads back to them.
std::string study_csv(const StudyResults& results, const std::vector<char>& brushed);

}  // namespace tilewright::gui
