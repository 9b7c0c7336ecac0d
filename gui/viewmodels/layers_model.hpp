// The layers of an analysis as a table. Every cell is a field of the report.
#pragma once

#include <QAbstractTableModel>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

class LayersModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  /// Beside the text of a cell: its figure in base units, as in the report, for sorting and for tests.
  static constexpr int figure_role = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;

  void show(AnalysisPtr analysis);
  /// Position of the column with this key of the report's JSON ("latency_s"); -1: there is none.
  static int column(const QString& key);
  static QString key(int column);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  AnalysisPtr analysis_;
};

}  // namespace tilewright::gui
