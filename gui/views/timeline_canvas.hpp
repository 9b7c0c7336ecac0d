// The lanes of a simulated schedule, drawn.
#pragma once

#include <QPixmap>
#include <QWidget>

#include "gui/viewmodels/timeline.hpp"
#include "gui/views/keys.hpp"

namespace tilewright::gui {

/// The lanes that have work. Wheel and + - zoom, dragging and the arrow keys move, 0 shows all; a click selects the layer.
class TimelineCanvas : public QWidget {
  Q_OBJECT

 public:
  explicit TimelineCanvas(QWidget* parent = nullptr);
  void show_timeline(TimelinePtr timeline);
  void show_row(int row);
  /// Narrows (above 1) or widens the time that is shown, around the pixel `at`.
  void zoom(double factor, double at);
  void show_all();
  double from() const { return from_; }
  double to() const { return to_; }
  void move_to(double from);
  /// Pixels that the lanes are higher than the room for them, and by how many they are moved up.
  int hidden_height() const;
  int scrolled() const { return scrolled_; }
  void scroll_to(int pixels);
  static QList<KeyHelp> keys();

 Q_SIGNALS:
  void selected(int row);
  void moved();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  bool event(QEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  /// What the painted picture stands for.
  struct Painted {
    TimelinePtr timeline;
    double from = 0, to = 0, ratio = 1;
    QSize size;
    int scrolled = 0, row = -1;
    bool operator==(const Painted&) const = default;
  };

  void paint_lanes(QPainter& painter) const;
  void paint_axis(QPainter& painter, double left, double width) const;
  void paint_legend(QPainter& painter) const;
  const Slice* slice_at(const QPointF& place, std::size_t& lane) const;
  double left() const;
  double room_for_lanes() const;
  double lane_height() const;

  TimelinePtr timeline_;
  std::vector<std::size_t> lanes_;  // of the timeline, those with work
  int scrolled_ = 0;
  double from_ = 0, to_ = 1;  // ticks
  int row_ = -1;              // of the report, marked
  QPointF pressed_;
  double pressed_from_ = 0;
  bool dragged_ = false;
  QPixmap picture_;  // of the lanes, until something of `painted_`, a colour or a word changes
  Painted painted_;
};

}  // namespace tilewright::gui
