#include "gui/views/theme.hpp"

#include <qcustomplot.h>

#include <QPainter>
#include <algorithm>
#include <array>
#include <cmath>

namespace tilewright::gui {
namespace {

void set_disabled(QPalette& palette, const QColor& ink) {
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    palette.setColor(QPalette::Disabled, role, ink);
}

/// A tenth of what an axis shows, on a log axis of its decades.
void shift(QCPAxis& axis, double tenths) {
  const QCPRange range = axis.range();
  if (axis.scaleType() == QCPAxis::stLogarithmic) {
    const double factor = std::pow(range.upper / range.lower, tenths / 10);
    axis.setRange(range.lower * factor, range.upper * factor);
  } else {
    axis.moveRange(range.size() * tenths / 10);
  }
}

class KeySteering : public QObject {
 public:
  explicit KeySteering(QCustomPlot& plot) : QObject(&plot), plot_(plot) {}

  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() != QEvent::KeyPress || !steer(static_cast<QKeyEvent*>(event)->key()))
      return QObject::eventFilter(watched, event);
    plot_.replot(QCustomPlot::rpQueuedReplot);
    return true;
  }

 private:
  bool steer(int key) {
    const Qt::Orientations drag = plot_.axisRect()->rangeDrag(), zoom = plot_.axisRect()->rangeZoom();
    const bool across = drag.testFlag(Qt::Horizontal), up = drag.testFlag(Qt::Vertical);
    switch (key) {
      case Qt::Key_Left: return across && (shift(*plot_.xAxis, -1), true);
      case Qt::Key_Right: return across && (shift(*plot_.xAxis, 1), true);
      case Qt::Key_Up: return up && (shift(*plot_.yAxis, 1), true);
      case Qt::Key_Down: return up && (shift(*plot_.yAxis, -1), true);
      case Qt::Key_Plus:
      case Qt::Key_Minus: {
        const double factor = key == Qt::Key_Plus ? 0.8 : 1.25;
        if (zoom.testFlag(Qt::Horizontal)) plot_.xAxis->scaleRange(factor);
        if (zoom.testFlag(Qt::Vertical)) plot_.yAxis->scaleRange(factor);
        return true;
      }
      default: return false;
    }
  }

  QCustomPlot& plot_;
};

}  // namespace

void steer_by_keys(QCustomPlot& plot) {
  plot.setFocusPolicy(Qt::StrongFocus);
  plot.installEventFilter(new KeySteering(plot));
}

QList<KeyHelp> plot_keys() {
  const auto words = [](const char* text) { return QCoreApplication::translate("Keys", text); };
  return {{{Qt::Key_Left, Qt::Key_Right}, QString::fromUtf8("← →"), words(QT_TRANSLATE_NOOP("Keys", "move across"))},
          {{Qt::Key_Up, Qt::Key_Down}, QString::fromUtf8("↑ ↓"), words(QT_TRANSLATE_NOOP("Keys", "move up and down"))},
          {{Qt::Key_Plus, Qt::Key_Minus}, QString::fromUtf8("+ −"), words(QT_TRANSLATE_NOOP("Keys", "zoom"))}};
}

QColor series_colour(std::size_t i) {
  static const std::array colours{QColor(0, 114, 178), QColor(230, 159, 0),  QColor(0, 158, 115),
                                  QColor(213, 94, 0),  QColor(86, 180, 233), QColor(204, 121, 167)};
  return colours[i % colours.size()];
}

QColor share_colour(double share) {
  static const std::array colours{QColor(68, 1, 84),    QColor(70, 50, 126),  QColor(54, 92, 141),
                                  QColor(39, 127, 142), QColor(31, 161, 135), QColor(74, 193, 109),
                                  QColor(160, 218, 57), QColor(253, 231, 37)};
  const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(colours.size() - 1);
  const std::size_t i = std::min(static_cast<std::size_t>(at), colours.size() - 2);
  const double part = at - static_cast<double>(i);
  const auto mix = [&](int a, int b) { return static_cast<int>(a + part * (b - a)); };
  const QColor &a = colours[i], &b = colours[i + 1];
  return {mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue())};
}

QColor ink_on(const QColor& ground) { return qGray(ground.rgb()) > 140 ? Qt::black : Qt::white; }

QPalette light_palette() {
  QPalette palette;
  palette.setColor(QPalette::Window, QColor(243, 244, 246));
  palette.setColor(QPalette::WindowText, QColor(20, 22, 26));
  palette.setColor(QPalette::Base, Qt::white);
  palette.setColor(QPalette::AlternateBase, QColor(247, 248, 250));
  palette.setColor(QPalette::Text, QColor(20, 22, 26));
  palette.setColor(QPalette::Button, QColor(233, 235, 239));
  palette.setColor(QPalette::ButtonText, QColor(20, 22, 26));
  palette.setColor(QPalette::ToolTipBase, Qt::white);
  palette.setColor(QPalette::ToolTipText, QColor(20, 22, 26));
  palette.setColor(QPalette::PlaceholderText, QColor(110, 114, 122));
  palette.setColor(QPalette::Mid, QColor(190, 194, 200));
  palette.setColor(QPalette::Highlight, QColor(0, 114, 178));
  palette.setColor(QPalette::HighlightedText, Qt::white);
  set_disabled(palette, QColor(150, 154, 162));
  return palette;
}

QPalette dark_palette() {
  QPalette palette;
  palette.setColor(QPalette::Window, QColor(34, 36, 41));
  palette.setColor(QPalette::WindowText, QColor(232, 234, 237));
  palette.setColor(QPalette::Base, QColor(25, 27, 31));
  palette.setColor(QPalette::AlternateBase, QColor(31, 33, 38));
  palette.setColor(QPalette::Text, QColor(232, 234, 237));
  palette.setColor(QPalette::Button, QColor(48, 51, 58));
  palette.setColor(QPalette::ButtonText, QColor(232, 234, 237));
  palette.setColor(QPalette::ToolTipBase, QColor(48, 51, 58));
  palette.setColor(QPalette::ToolTipText, QColor(232, 234, 237));
  palette.setColor(QPalette::PlaceholderText, QColor(150, 155, 165));
  palette.setColor(QPalette::Mid, QColor(92, 97, 107));
  palette.setColor(QPalette::Highlight, QColor(86, 180, 233));
  palette.setColor(QPalette::HighlightedText, Qt::black);
  set_disabled(palette, QColor(112, 117, 127));
  return palette;
}

void draw_fitted(QPainter& painter, const QRectF& place, int flags, const QString& text) {
  const QFont usual = painter.font();
  const double needs = painter.fontMetrics().horizontalAdvance(text);
  if (needs > place.width() && place.width() > 0) {
    constexpr double narrowest = 0.78;  // below that letters are hard to read
    QFont narrow = usual;
    narrow.setPointSizeF(usual.pointSizeF() * std::max(narrowest, 0.98 * place.width() / needs));
    painter.setFont(narrow);
  }
  painter.drawText(place, flags,
                   painter.fontMetrics().elidedText(text, Qt::ElideRight, static_cast<int>(place.width()) + 1));
  painter.setFont(usual);
}

QIcon tinted(const QIcon& icon, const QColor& colour) {
  QIcon result;
  constexpr int side = 48;  // enough for a button on a screen of twice the pixels
  for (const auto& [mode, opacity] : {std::pair{QIcon::Normal, 1.0F}, std::pair{QIcon::Disabled, 0.4F}}) {
    QPixmap shape = icon.pixmap(side, side);
    QPainter painter(&shape);
    painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
    QColor ink = colour;
    ink.setAlphaF(opacity);
    painter.fillRect(shape.rect(), ink);
    painter.end();
    result.addPixmap(shape, mode);
  }
  return result;
}

void log_axis(QCPAxis& axis) {
  axis.setScaleType(QCPAxis::stLogarithmic);
  axis.setTicker(QSharedPointer<QCPAxisTickerLog>(new QCPAxisTickerLog));
  axis.setNumberFormat("eb");
  axis.setNumberPrecision(0);
}

void style_plot(QCustomPlot& plot, const QPalette& palette) {
  const QColor ink = palette.color(QPalette::Text), faint = palette.color(QPalette::Mid);
  plot.setBackground(palette.color(QPalette::Base));
  for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) {
    axis->setBasePen(QPen(ink));
    axis->setTickPen(QPen(ink));
    axis->setSubTickPen(QPen(faint));
    axis->setLabelColor(ink);
    axis->setTickLabelColor(ink);
    QColor grid = faint;
    grid.setAlpha(90);
    axis->grid()->setPen(QPen(grid, 0, Qt::DotLine));
    axis->grid()->setZeroLinePen(QPen(grid));
  }
  plot.legend->setBrush(palette.color(QPalette::Base));
  plot.legend->setTextColor(ink);
  plot.legend->setBorderPen(QPen(faint));
}

}  // namespace tilewright::gui
