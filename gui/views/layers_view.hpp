// The table of layers: sorted by any column, searched as one types.
#pragma once

#include "gui/viewmodels/layers_model.hpp"
#include "gui/views/view.hpp"

class QLineEdit;
class QSortFilterProxyModel;
class QTableView;

namespace tilewright::gui {

class LayersView : public View {
  Q_OBJECT

 public:
  explicit LayersView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void widen();

  LayersModel* model_;
  QSortFilterProxyModel* sorted_;
  QLineEdit* search_;
  QTableView* table_;
};

}  // namespace tilewright::gui
