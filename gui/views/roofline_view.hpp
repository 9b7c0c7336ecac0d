// Roofs of memory levels and number formats, one dot a layer.
#pragma once

#include "gui/viewmodels/roofline_lines.hpp"
#include "gui/views/view.hpp"

class QCustomPlot;
class QMouseEvent;

namespace tilewright::gui {

class RooflineView : public View {
  Q_OBJECT

 public:
  explicit RooflineView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;

 private:
  void draw();
  void draw_dots(const Analysis& analysis, bool pinned);
  void draw_gain();
  int dot_at(const QPointF& place) const;
  void hover(QMouseEvent* event);
  void click(QMouseEvent* event);

  QCustomPlot* plot_;
  AnalysisPtr analysis_, pinned_;
  RooflineLines lines_;
};

}  // namespace tilewright::gui
