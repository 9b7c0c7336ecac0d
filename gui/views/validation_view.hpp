// Predicted against measured GPU kernels: a cloud along the diagonal, filters, the worst rows with their formula.
#pragma once

#include <thread>

#include "gui/viewmodels/validation_rows.hpp"
#include "gui/views/view.hpp"

class QComboBox;
class QCustomPlot;
class QLabel;
class QTableView;

namespace tilewright::gui {

class ValidationView : public Panel {
  Q_OBJECT

 public:
  explicit ValidationView(QWidget* parent = nullptr);
  ~ValidationView() override;
  /// The tables are being read.
  bool busy() const override { return loading_.joinable() && !filled_; }
  QString csv() const override;
  std::string command(const Project& project, const std::string& file) const override;

 Q_SIGNALS:
  /// From the thread that reads the tables.
  void loaded(std::vector<tilewright::gui::ValidationRow> rows, const QString& reason);
  void shown();

 protected:
  void showEvent(QShowEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void fill(std::vector<ValidationRow> rows, const QString& reason);
  void choose();
  void show_error();
  void draw();

  std::thread loading_;
  bool filled_ = false;
  QString reason_;  // why there are no rows
  ValidationModel* model_;
  QComboBox *device_, *op_;
  QLabel* error_;
  QCustomPlot* plot_;
  QTableView* table_;
};

}  // namespace tilewright::gui
