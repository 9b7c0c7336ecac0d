#include "gui/views/timeline_canvas.hpp"

#include <QHelpEvent>
#include <QPaintEngine>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>
#include <algorithm>
#include <array>
#include <cmath>

#include "gui/views/theme.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

constexpr double margin = 8, line = 18, axis_height = 22, least_ticks = 4 * ticks_per_cycle;

/// Colour and, for standstills, a pattern on it.
QBrush brush_of(SliceKind kind, const QPalette& palette) {
  const QColor grey = palette.color(QPalette::Mid);
  switch (kind) {
    case SliceKind::compute: return series_colour(0);
    case SliceKind::store: return series_colour(1);
    case SliceKind::load: return series_colour(2);
    case SliceKind::feed:
    case SliceKind::hop: return series_colour(4);
    case SliceKind::launch: return series_colour(5);
    case SliceKind::prime: return QBrush(series_colour(5), Qt::Dense3Pattern);
    case SliceKind::join: return grey;
    case SliceKind::fill: return QBrush(grey, Qt::Dense4Pattern);
    case SliceKind::drain: return QBrush(grey, Qt::FDiagPattern);
    case SliceKind::dram: return QBrush(series_colour(3), Qt::BDiagPattern);
    case SliceKind::contention: return QBrush(series_colour(3), Qt::DiagCrossPattern);
    case SliceKind::buffer: return QBrush(series_colour(3), Qt::HorPattern);
    case SliceKind::idle: return QBrush(grey, Qt::Dense7Pattern);
  }
  return grey;
}

QString time_text(double ticks, Hertz clock) {
  return QString::fromStdString(
      human(Seconds{cycles_of(static_cast<Ticks>(std::max(ticks, 0.0))).value / clock.value}));
}

QString words(SliceKind kind) {
  switch (kind) {
    case SliceKind::load: return TimelineCanvas::tr("load");
    case SliceKind::store: return TimelineCanvas::tr("store");
    case SliceKind::feed: return TimelineCanvas::tr("feed");
    case SliceKind::launch: return TimelineCanvas::tr("launch");
    case SliceKind::prime: return TimelineCanvas::tr("array fills or drains");
    case SliceKind::compute: return TimelineCanvas::tr("compute");
    case SliceKind::hop: return TimelineCanvas::tr("spikes");
    case SliceKind::join: return TimelineCanvas::tr("waits");
    case SliceKind::fill: return TimelineCanvas::tr("waits for the first tiles");
    case SliceKind::drain: return TimelineCanvas::tr("last results leave");
    case SliceKind::dram: return TimelineCanvas::tr("waits for DRAM");
    case SliceKind::contention: return TimelineCanvas::tr("waits behind other traffic");
    case SliceKind::buffer: return TimelineCanvas::tr("waits for a buffer");
    case SliceKind::idle: return TimelineCanvas::tr("nothing left to do");
  }
  return {};
}

/// A pattern stands on a pale ground of its colour, so that thin ones are seen.
void fill(QPainter& painter, const QRectF& place, SliceKind kind, const QPalette& palette) {
  const QBrush brush = brush_of(kind, palette);
  if (brush.style() != Qt::SolidPattern) {
    QColor ground = brush.color();
    ground.setAlpha(90);
    painter.fillRect(place, ground);
  }
  painter.fillRect(place, brush);
}

/// Times of an axis in one unit, with the digits that tell neighbours apart.
QString axis_text(double seconds, double step, double end) {
  static constexpr std::array<std::pair<double, const char*>, 4> units{
      {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}, {1e-9, "ns"}}};
  const auto unit = std::find_if(units.begin(), units.end() - 1, [&](const auto& each) { return end >= each.first; });
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step / unit->first) - 1e-9)));
  return QString::number(seconds / unit->first, 'f', digits) + ' ' + unit->second;
}

}  // namespace

TimelineCanvas::TimelineCanvas(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMinimumSize(300, 160);
}

void TimelineCanvas::show_timeline(TimelinePtr timeline) {
  const bool same_end = timeline_ && timeline && timeline_->end == timeline->end;
  timeline_ = std::move(timeline);
  lanes_.clear();
  for (std::size_t l = 0; timeline_ && l < timeline_->lanes.size(); ++l) {
    const auto& time = timeline_->lanes[l].by_kind;
    if (std::any_of(time.begin(), time.end(), [](Ticks ticks) { return ticks > 0; })) lanes_.push_back(l);
  }
  if (!same_end) show_all();
  scroll_to(scrolled_);
}

void TimelineCanvas::show_row(int row) {
  row_ = row;
  update();
}

void TimelineCanvas::show_all() {
  from_ = 0;
  to_ = timeline_ ? std::max(static_cast<double>(timeline_->end), 1.0) : 1;
  update();
  Q_EMIT moved();
}

void TimelineCanvas::zoom(double factor, double at) {
  if (!timeline_) return;
  const double end = std::max(static_cast<double>(timeline_->end), 1.0), room = width() - left() - margin;
  const double share = std::clamp((at - left()) / std::max(room, 1.0), 0.0, 1.0);
  const double middle = from_ + share * (to_ - from_);
  const double span = std::clamp((to_ - from_) / factor, std::min(least_ticks, end), end);
  from_ = middle - share * span;
  to_ = from_ + span;
  move_to(from_);
}

void TimelineCanvas::move_to(double from) {
  if (!timeline_) return;
  const double end = std::max(static_cast<double>(timeline_->end), 1.0), span = to_ - from_;
  from_ = std::clamp(from, 0.0, std::max(end - span, 0.0));
  to_ = from_ + span;
  update();
  Q_EMIT moved();
}

double TimelineCanvas::left() const {
  double widest = 60;
  if (timeline_) {
    for (const Lane& lane : timeline_->lanes)
      widest =
          std::max(widest, static_cast<double>(fontMetrics().horizontalAdvance(QString::fromStdString(lane.name))));
  }
  return std::min(widest, 180.0) + 2 * margin;
}

double TimelineCanvas::room_for_lanes() const { return std::max(height() - axis_height - 3 * line - margin, 20.0); }

double TimelineCanvas::lane_height() const {
  return std::clamp(room_for_lanes() / static_cast<double>(std::max<std::size_t>(lanes_.size(), 1)), 18.0, 44.0);
}

int TimelineCanvas::hidden_height() const {
  return std::max(0,
                  static_cast<int>(std::ceil(lane_height() * static_cast<double>(lanes_.size()) - room_for_lanes())));
}

void TimelineCanvas::scroll_to(int pixels) {
  scrolled_ = std::clamp(pixels, 0, hidden_height());
  update();
  Q_EMIT moved();
}

void TimelineCanvas::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  scroll_to(scrolled_);
}

void TimelineCanvas::paint_axis(QPainter& painter, double start, double room) const {
  const Hertz clock = timeline_->clock;
  const double seconds = (to_ - from_) / ticks_per_cycle / clock.value;
  const double rough = seconds / std::max(room / 110, 1.0);
  double step = std::pow(10, std::floor(std::log10(rough)));
  for (const double nice : {1.0, 2.0, 5.0, 10.0}) {
    if (step * nice >= rough) {
      step *= nice;
      break;
    }
  }
  const double first = from_ / ticks_per_cycle / clock.value;
  const double bottom = axis_height + std::min(room_for_lanes(), lane_height() * static_cast<double>(lanes_.size()));
  QColor grid = palette().color(QPalette::Mid);
  grid.setAlpha(90);
  for (double at = std::ceil(first / step); at * step <= first + seconds; ++at) {
    const double x = start + (at * step - first) / seconds * room;
    painter.setPen(grid);
    painter.drawLine(QPointF(x, axis_height - 4), QPointF(x, bottom));
    painter.setPen(palette().color(QPalette::Text));
    const QString text = axis_text(at * step, step, first + seconds);
    const double width = fontMetrics().horizontalAdvance(text) + 2.0;
    painter.drawText(QRectF(std::min(x, start + room - width), 0, width, axis_height - 4),
                     Qt::AlignLeft | Qt::AlignVCenter, text);
  }
}

void TimelineCanvas::paint_legend(QPainter& painter) const {
  if (timeline_->lanes.empty()) return;
  // Shares of the time of the arrays that ever worked. Kinds of the other lanes stand without a figure.
  std::array<Ticks, slice_kinds> time{};
  Ticks whole = 0;
  for (const Lane& lane : timeline_->lanes) {
    if (!lane.array || lane.slices.empty()) continue;
    whole += timeline_->end;
    for (std::size_t k = 0; k < slice_kinds; ++k) time[k] += lane.by_kind[k];
  }
  std::array<bool, slice_kinds> present{};
  for (const Lane& lane : timeline_->lanes) {
    for (std::size_t k = 0; k < slice_kinds; ++k) present[k] = present[k] || lane.by_kind[k] > 0;
  }
  double x = margin;
  double y = axis_height + std::min(room_for_lanes(), lane_height() * static_cast<double>(lanes_.size())) + 6;
  for (std::size_t k = 0; k < slice_kinds; ++k) {
    if (!present[k]) continue;
    QString text = words(static_cast<SliceKind>(k));
    if (whole > 0 && time[k] > 0)
      text += QString(" %1 %").arg(100.0 * static_cast<double>(time[k]) / static_cast<double>(whole), 0, 'f', 1);
    const double wide = fontMetrics().horizontalAdvance(text) + 40.0;
    if (x + wide > width() - margin && x > margin) {
      x = margin;
      y += line;
    }
    fill(painter, QRectF(x, y + 3, 18, line - 6), static_cast<SliceKind>(k), palette());
    painter.setPen(palette().color(QPalette::Mid));
    painter.drawRect(QRectF(x, y + 3, 18, line - 6));
    painter.setPen(palette().color(QPalette::Text));
    painter.drawText(QRectF(x + 23, y, wide, line), Qt::AlignLeft | Qt::AlignVCenter, text);
    x += wide;
  }
}

void TimelineCanvas::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  const QPaintEngine& engine = *painter.paintEngine();
  if (engine.type() != QPaintEngine::Raster) {  // an export of lines and letters
    paint_lanes(painter);
  } else {
    const Painted now{timeline_, from_, to_, engine.paintDevice()->devicePixelRatioF(), size(), scrolled_, row_};
    if (picture_.isNull() || !(now == painted_)) {
      picture_ = QPixmap(size() * now.ratio);
      picture_.setDevicePixelRatio(now.ratio);
      QPainter inside(&picture_);
      inside.setFont(font());
      paint_lanes(inside);
      painted_ = now;
    }
    painter.drawPixmap(0, 0, picture_);
  }
  if (hasFocus()) {
    painter.setPen(palette().color(QPalette::Highlight));
    painter.drawRect(rect().adjusted(0, 0, -1, -1));
  }
}

void TimelineCanvas::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  picture_ = QPixmap();
}

void TimelineCanvas::paint_lanes(QPainter& painter) const {
  painter.fillRect(rect(), palette().color(QPalette::Base));
  if (!timeline_) return;
  const double start = left(), room = width() - start - margin, tall = lane_height();
  if (room < 10) return;
  paint_axis(painter, start, room);
  painter.setClipRect(QRectF(0, axis_height, width(), room_for_lanes()));
  for (std::size_t at = 0; at < lanes_.size(); ++at) {
    const std::size_t l = lanes_[at];
    const Lane& lane = timeline_->lanes[l];
    const double top = axis_height + static_cast<double>(at) * tall - scrolled_;
    if (top + tall < axis_height || top > axis_height + room_for_lanes()) continue;
    painter.setPen(palette().color(QPalette::Text));
    const QString name = QString::fromStdString(lane.name);
    painter.drawText(QRectF(margin, top, start - 2 * margin, tall), Qt::AlignLeft | Qt::AlignVCenter,
                     fontMetrics().elidedText(name, Qt::ElideRight, static_cast<int>(start - 2 * margin)));
    const QRectF band(start, top + 2, room, tall - 4);
    painter.fillRect(band, palette().color(QPalette::AlternateBase));
    for (const Block& block : visible(lane, from_, to_, room)) {
      const Slice& slice = lane.slices[block.slice];
      const QRectF box(start + block.from, band.y(), std::max(block.to - block.from, 1.0), band.height());
      double bottom = box.bottom();
      for (std::size_t k = 0; k < slice_kinds; ++k) {
        if (block.share[k] <= 0) continue;
        const double tall_part = box.height() * block.share[k];
        bottom -= tall_part;
        fill(painter, QRectF(box.x(), bottom, box.width(), tall_part), static_cast<SliceKind>(k), palette());
      }
      if (row_ >= 0 && timeline_->row_of[static_cast<std::size_t>(slice.row)] == row_)
        painter.fillRect(QRectF(box.x(), box.bottom() - 2, box.width(), 3), palette().color(QPalette::Text));
      if (block.slices == 1 && box.width() > 60 && tall > 16) {
        const QBrush ground = brush_of(slice.kind, palette());
        painter.setPen(ground.style() == Qt::SolidPattern ? ink_on(ground.color()) : palette().color(QPalette::Text));
        const std::string& layer = timeline_->result.layers[static_cast<std::size_t>(slice.row)].name;
        painter.drawText(
            box.adjusted(3, 0, -3, 0), Qt::AlignLeft | Qt::AlignVCenter,
            fontMetrics().elidedText(QString::fromStdString(layer), Qt::ElideRight, static_cast<int>(box.width()) - 6));
      }
    }
  }
  painter.setClipping(false);
  paint_legend(painter);
}

const Slice* TimelineCanvas::slice_at(const QPointF& place, std::size_t& lane) const {
  if (!timeline_) return nullptr;
  const double room = width() - left() - margin, at = place.x() - left();
  if (at < 0 || at > room || place.y() < axis_height || place.y() > axis_height + room_for_lanes()) return nullptr;
  const auto row = static_cast<std::size_t>((place.y() - axis_height + scrolled_) / lane_height());
  if (row >= lanes_.size()) return nullptr;
  lane = lanes_[row];
  for (const Block& block : visible(timeline_->lanes[lane], from_, to_, room)) {
    if (at >= block.from - 1 && at <= std::max(block.to, block.from + 1))
      return &timeline_->lanes[lane].slices[block.slice];
  }
  return nullptr;
}

void TimelineCanvas::wheelEvent(QWheelEvent* event) {
  const QPoint turn = event->angleDelta();
  if (event->modifiers() & Qt::ShiftModifier || std::abs(turn.x()) > std::abs(turn.y())) {
    const int by = turn.x() != 0 ? turn.x() : turn.y();
    move_to(from_ - (to_ - from_) * by / 1200.0);
  } else {
    zoom(std::pow(2.0, turn.y() / 240.0), event->position().x());
  }
  event->accept();
}

void TimelineCanvas::mousePressEvent(QMouseEvent* event) {
  pressed_ = event->position();
  pressed_from_ = from_;
  dragged_ = false;
}

void TimelineCanvas::mouseMoveEvent(QMouseEvent* event) {
  if (!(event->buttons() & Qt::LeftButton)) return;
  const double by = event->position().x() - pressed_.x();
  dragged_ = dragged_ || std::abs(by) > 3;
  if (dragged_) move_to(pressed_from_ - by / std::max(width() - left() - margin, 1.0) * (to_ - from_));
}

void TimelineCanvas::mouseReleaseEvent(QMouseEvent* event) {
  std::size_t lane = 0;
  const Slice* slice = dragged_ ? nullptr : slice_at(event->position(), lane);
  if (slice != nullptr) Q_EMIT selected(timeline_->row_of[static_cast<std::size_t>(slice->row)]);
}

QList<KeyHelp> TimelineCanvas::keys() {
  return {{{Qt::Key_Left, Qt::Key_Right}, QString::fromUtf8("← →"), tr("earlier, later")},
          {{Qt::Key_Up, Qt::Key_Down}, QString::fromUtf8("↑ ↓"), tr("other lanes")},
          {{Qt::Key_Plus, Qt::Key_Minus}, QString::fromUtf8("+ −"), tr("zoom")},
          {{Qt::Key_0}, "0", tr("show all")},
          {{Qt::Key_Home, Qt::Key_End}, "Home, End", tr("the start, the end")}};
}

void TimelineCanvas::keyPressEvent(QKeyEvent* event) {
  const double middle = (left() + width()) / 2, step = (to_ - from_) / 8;
  switch (event->key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal: return zoom(2, middle);
    case Qt::Key_Minus: return zoom(0.5, middle);
    case Qt::Key_0: return show_all();
    case Qt::Key_Left: return move_to(from_ - step);
    case Qt::Key_Right: return move_to(from_ + step);
    case Qt::Key_Up: return scroll_to(scrolled_ - static_cast<int>(lane_height()));
    case Qt::Key_Down: return scroll_to(scrolled_ + static_cast<int>(lane_height()));
    case Qt::Key_Home: return move_to(0);
    case Qt::Key_End: return move_to(timeline_ ? static_cast<double>(timeline_->end) : 0);
    default: QWidget::keyPressEvent(event);
  }
}

bool TimelineCanvas::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  std::size_t lane = 0;
  const Slice* slice = slice_at(help->pos(), lane);
  if (slice == nullptr) {
    QToolTip::hideText();
    return true;
  }
  QString text = tr("%1, %2\nfrom %3, for %4")
                     .arg(words(slice->kind),
                          QString::fromStdString(timeline_->result.layers[static_cast<std::size_t>(slice->row)].name),
                          time_text(static_cast<double>(slice->start), timeline_->clock),
                          time_text(static_cast<double>(slice->end - slice->start), timeline_->clock));
  if (slice->bytes > 0) text += tr(", %1").arg(QString::fromStdString(human(Bytes{slice->bytes})));
  text += tr("\ntile step %1").arg(slice->step);
  QToolTip::showText(help->globalPos(), text, this);
  return true;
}

}  // namespace tilewright::gui
