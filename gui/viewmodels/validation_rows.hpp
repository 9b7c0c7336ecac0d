// Predicted against measured, row by row.
#pragma once

#include <QAbstractTableModel>
#include <string>
#include <vector>

namespace tilewright::gui {

struct ValidationRow {
  std::string device, op, precision, table, shape;
  double measured_s = 0, predicted_s = 0;
  std::string why;  // the prediction's formula with its operands
  double error() const { return predicted_s / measured_s - 1; }
};

/// All measured GPU kernels of the project, predicted with its constants; takes about a second. InputError: the tables cannot be read.
std::vector<ValidationRow> gpu_validation_rows();

/// Rows that a filter leaves, the worst first.
class ValidationModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  static constexpr int figure_role = Qt::UserRole;

  using QAbstractTableModel::QAbstractTableModel;
  void show(std::vector<ValidationRow> rows);
  /// "" leaves every value.
  void filter(const std::string& device, const std::string& op);

  const std::vector<const ValidationRow*>& shown() const { return shown_; }
  /// Mean of |error| in percent over the shown rows; 0 without rows.
  double mean_error_pct() const;
  std::vector<std::string> devices() const;
  std::vector<std::string> ops() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  std::vector<ValidationRow> rows_;
  std::vector<const ValidationRow*> shown_;
};

}  // namespace tilewright::gui
