// Stacked bars of time by bound or energy by memory level, one a layer; the waterfall from peak to achieved.
#pragma once

#include "gui/viewmodels/bars.hpp"
#include "gui/viewmodels/waterfall.hpp"
#include "gui/views/view.hpp"

class QBrush;
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
  void draw_bars();
  void draw_waterfall();
  void draw_step(int place, double from, double to, const QBrush& brush, const QString& text);
  void retranslate();
  bool falls() const;
  static QString cause_name(const WaterfallStep& step);

  QComboBox* kind_;
  QComboBox* order_;
  QCustomPlot* plot_;
  AnalysisPtr analysis_;
  Bars bars_;
  std::optional<Waterfall> waterfall_;  // of the selected layer, else of the network
};

}  // namespace tilewright::gui
