// The network as boxes and arrows, coloured by what its layers cost.
#pragma once

#include <QGraphicsView>
#include <vector>

#include "gui/viewmodels/graph_layout.hpp"
#include "gui/views/keys.hpp"
#include "gui/views/view.hpp"

class QCheckBox;
class QComboBox;
class QGraphicsRectItem;
class QLabel;
class QLineEdit;

namespace tilewright::gui {

/// A scene that can be dragged, zoomed with the wheel, and moved and zoomed with keys.
class ZoomView : public QGraphicsView {
  Q_OBJECT

 public:
  using QGraphicsView::QGraphicsView;
  static QList<KeyHelp> keys();

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
};

class GraphView : public View {
  Q_OBJECT

 public:
  explicit GraphView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;

 private:
  void rebuild();
  void paint_nodes();
  void find();
  void retranslate();
  QColor colour_of(std::size_t row) const;
  std::size_t row_of(std::size_t node) const;
  QString legend() const;

  QComboBox* colour_;
  QCheckBox* collapse_;
  QLineEdit* search_;
  QLabel* legend_;
  ZoomView* view_;
  ZoomView* map_;
  QGraphicsScene* scene_;
  AnalysisPtr analysis_;
  GraphDrawing drawing_;
  std::vector<QGraphicsRectItem*> boxes_;
};

}  // namespace tilewright::gui
