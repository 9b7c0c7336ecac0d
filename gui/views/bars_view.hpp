// Stacked bars of time by bound or energy by memory level, one a layer.
#pragma once

#include "gui/viewmodels/bars.hpp"
#include "gui/views/view.hpp"

class QComboBox;
class QCustomPlot;

namespace tilewright::gui {

class BarsView : public View {
  Q_OBJECT

 public:
  explicit BarsView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;

 private:
  void draw();
  void retranslate();

  QComboBox* kind_;
  QComboBox* order_;
  QCustomPlot* plot_;
  AnalysisPtr analysis_;
  Bars bars_;
};

}  // namespace tilewright::gui
