// Two or three answers side by side, layer by layer.
#pragma once

#include <QAbstractTableModel>
#include <vector>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

/// One row a layer of any answer, met by its name, below a row of totals; per answer latency and energy, of all but the first also how they
/// stand to the first.
class CompareModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  /// Seconds, joules, or for the columns of differences figure / first - 1; invalid where an answer has no such layer.
  static constexpr int figure_role = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;
  void show(std::vector<AnalysisPtr> answers);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  /// A column: latency or energy of an answer, or its difference from that of the first.
  struct Column {
    std::size_t answer = 0;
    bool energy = false, difference = false;
  };
  std::optional<double> figure(int row, const Column& column) const;
  std::optional<double> amount(int row, std::size_t answer, bool energy) const;

  std::vector<AnalysisPtr> answers_;
  std::vector<std::string> layers_;
  std::vector<std::vector<int>> rows_;  // [answer][layer]: row of the report; -1: none
  std::vector<Column> columns_;
};

}  // namespace tilewright::gui
