#include "gui/views/tile_canvas.hpp"

#include <QPainter>
#include <algorithm>

#include "gui/views/theme.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

constexpr double gap = 10, line = 17;

QColor pale(QColor colour, int alpha) {
  colour.setAlpha(alpha);
  return colour;
}

QString words(double count) { return QString::fromStdString(human_count(count)).trimmed(); }

void text(QPainter& painter, const QRectF& place, const QString& what, int flags = Qt::AlignLeft | Qt::AlignVCenter) {
  draw_fitted(painter, place, flags, what);
}

/// The part [low, high) of a length, at least two pixels of it.
std::pair<double, double> part_of(double from, double length, const TileSchedule::Range& range, std::int64_t size) {
  const double whole = static_cast<double>(std::max<std::int64_t>(size, 1));
  const double begin = from + length * static_cast<double>(range.low) / whole;
  const double extent = std::max(2.0, length * static_cast<double>(range.high - range.low) / whole);
  return {std::min(begin, from + length - extent), extent};
}

}  // namespace

TileCanvas::TileCanvas(QWidget* parent) : QWidget(parent) { setMinimumSize(360, 220); }

void TileCanvas::show_step(std::shared_ptr<const TileSteps> steps, std::size_t step) {
  steps_ = std::move(steps);
  step_ = step;
  update();
}

void TileCanvas::paint_tensor(QPainter& painter, const QRectF& place, std::size_t o) const {
  const TensorShape& tensor = steps_->tensors[o];
  const TileStep& step = steps_->steps[step_];
  const QColor ink = palette().color(QPalette::Text), colour = series_colour(o);
  QStringList shape;
  for (std::size_t a = 0; a < tensor.axes.size(); ++a)
    shape << QString("%1 %2").arg(QString::fromStdString(tensor.axes[a])).arg(tensor.sizes[a]);
  painter.setPen(ink);
  QFont bold = font();
  bold.setBold(true);
  painter.setFont(bold);
  text(painter, {place.x(), place.y(), place.width(), line}, QString::fromStdString(tensor.name));
  painter.setFont(font());
  text(painter, {place.x(), place.y() + line, place.width(), line}, shape.join(QString(" %1 ").arg(QChar(0xd7))));
  text(painter, {place.x(), place.bottom() - line, place.width(), line},
       step.stays[o] ? tr("stays: reused") : tr("next tile"));

  // The axes that do not span the rectangle.
  double top = place.y() + 2 * line + 4;
  for (std::size_t a = 0; a < tensor.axes.size(); ++a) {
    if (a == tensor.across || a == tensor.down || tensor.sizes[a] <= 1) continue;
    const double name = 44;
    text(painter, {place.x(), top, name, 12}, QString::fromStdString(tensor.axes[a]));
    const QRectF bar(place.x() + name, top + 2, place.width() - name, 8);
    painter.fillRect(bar, pale(colour, 50));
    const auto [x, width] = part_of(bar.x(), bar.width(), step.boxes[o][a], tensor.sizes[a]);
    painter.fillRect(QRectF(x, bar.y(), width, bar.height()), colour);
    top += 14;
  }
  if (tensor.axes.empty()) return;
  if (tensor.down != tensor.across) {
    text(painter, {place.x(), top, place.width(), line - 3},
         QString::fromStdString(tensor.axes[tensor.down]) + " " + QChar(0x2193));
    top += line - 3;
  }
  const QRectF room(place.x(), top + 2, place.width(), place.bottom() - line - 18 - top - 4);
  if (room.height() < 12 || room.width() < 12) return;
  // Sides in the proportion of the axes, but never thinner than a quarter.
  const double across = static_cast<double>(tensor.sizes[tensor.across]);
  const double down = tensor.down == tensor.across ? 1 : static_cast<double>(tensor.sizes[tensor.down]);
  const double ratio = std::clamp(across / std::max(down, 1.0), 0.25, 4.0);
  const double height = std::min(room.height(), room.width() / ratio);
  const QRectF whole(room.x(), room.y(), height * ratio, height);
  painter.fillRect(whole, pale(colour, 50));
  const auto [x, width] = part_of(whole.x(), whole.width(), step.boxes[o][tensor.across], tensor.sizes[tensor.across]);
  const auto [y, tall] = tensor.down == tensor.across ? std::pair{whole.y(), whole.height()}
                                                      : part_of(whole.y(), whole.height(), step.boxes[o][tensor.down],
                                                                tensor.sizes[tensor.down]);
  painter.fillRect(QRectF(x, y, width, tall), step.stays[o] ? QBrush(pale(colour, 170)) : QBrush(colour));
  if (step.stays[o]) painter.fillRect(QRectF(x, y, width, tall), QBrush(ink, Qt::BDiagPattern));
  painter.setPen(palette().color(QPalette::Mid));
  painter.drawRect(whole);
  painter.setPen(ink);
  text(painter, {whole.x(), whole.bottom() + 1, room.width(), line - 2},
       QString::fromStdString(tensor.axes[tensor.across]) + " " + QChar(0x2192));
}

void TileCanvas::paint_buffer(QPainter& painter, const QRectF& place, std::size_t l) const {
  const BufferShape& buffer = steps_->buffers[l];
  const std::vector<HeldTile>& held = steps_->steps[step_].held[l];
  const QColor ink = palette().color(QPalette::Text);
  double bytes = 0;
  QStringList reuse;
  for (std::size_t o = 0; o < held.size(); ++o) {
    if (!held[o].kept) continue;
    bytes += held[o].bytes;
    const QString tensor = QString::fromStdString(steps_->tensors[o].name);
    const QString in = words(static_cast<double>(held[o].in)), out = words(static_cast<double>(held[o].out));
    if (steps_->tensors[o].role == Role::output) {
      reuse << tr("%1: %2 words leave").arg(tensor, out);
    } else if (const std::optional<double> times = held[o].reuse()) {
      reuse << tr("%1 +%2 words, used %3%4").arg(tensor, in).arg(*times, 0, 'f', *times < 10 ? 1 : 0).arg(QChar(0xd7));
    }
  }
  QString name = QString::fromStdString(buffer.name);
  if (buffer.instances > 1) name += QString(" %1%2").arg(QChar(0xd7)).arg(buffer.instances);
  constexpr double label = 110, size = 150;
  painter.setPen(ink);
  text(painter, {place.x(), place.y(), label - 6, line}, name);
  const QRectF bar(place.x() + label, place.y() + 2, std::max(40.0, place.width() - label - size), line - 4);
  painter.fillRect(bar, palette().color(QPalette::AlternateBase));
  // Without a capacity the bar shows the shares of what is held.
  const double whole = std::max(buffer.capacity.value_or(bytes), bytes);
  double x = bar.x();
  for (std::size_t o = 0; o < held.size(); ++o) {
    if (!held[o].kept || whole <= 0) continue;
    const QRectF part(x, bar.y(), bar.width() * held[o].bytes / whole, bar.height());
    painter.fillRect(part, pale(series_colour(o), held[o].fresh ? 255 : 120));
    if (!held[o].fresh) painter.fillRect(part, QBrush(ink, Qt::BDiagPattern));
    x = part.right();
  }
  painter.setPen(palette().color(QPalette::Mid));
  painter.drawRect(bar);
  painter.setPen(ink);
  QString filled = QString::fromStdString(human_size(Bytes{bytes}));
  if (buffer.capacity) filled = tr("%1 of %2").arg(filled, QString::fromStdString(human_size(Bytes{*buffer.capacity})));
  text(painter, {bar.right() + 8, place.y(), size - 8, line}, filled);
  painter.setPen(palette().color(QPalette::PlaceholderText));
  text(painter, {bar.x(), place.y() + line - 1, place.right() - bar.x(), line}, reuse.join("; "));
}

void TileCanvas::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  painter.fillRect(rect(), palette().color(QPalette::Base));
  if (!steps_ || step_ >= steps_->steps.size()) return;
  painter.setRenderHint(QPainter::Antialiasing);
  constexpr double row = 2 * line + 2;
  const std::size_t inner = steps_->buffers.size() - 1;
  const double below = static_cast<double>(inner) * row + line + gap;
  const double tall = std::max(90.0, height() - below - 2 * gap);
  const auto tensors = static_cast<double>(steps_->tensors.size());
  const double wide = (width() - gap) / tensors - gap;
  for (std::size_t o = 0; o < steps_->tensors.size(); ++o)
    paint_tensor(painter, {gap + static_cast<double>(o) * (wide + gap), gap / 2, wide, tall}, o);
  double y = tall + gap;
  painter.setPen(palette().color(QPalette::PlaceholderText));
  text(painter, {gap, y, width() - 2 * gap, line},
       tr("One instance. Solid: new in this step; hatched: still there; used: how often so far."));
  y += line;
  for (std::size_t l = 1; l < steps_->buffers.size(); ++l, y += row)
    paint_buffer(painter, {gap, y, width() - 2 * gap, row}, l);
}

WavefrontCanvas::WavefrontCanvas(QWidget* parent) : QWidget(parent) { setMinimumSize(360, 220); }

void WavefrontCanvas::show_cycle(WavefrontPtr wavefront, std::size_t cycle) {
  wavefront_ = std::move(wavefront);
  cycle_ = cycle;
  update();
}

void WavefrontCanvas::paintEvent(QPaintEvent* /*event*/) {
  QPainter painter(this);
  painter.fillRect(rect(), palette().color(QPalette::Base));
  if (!wavefront_ || cycle_ >= wavefront_->frames.size()) return;
  const QColor ink = palette().color(QPalette::Text);
  const auto rows = static_cast<double>(wavefront_->rows), cols = static_cast<double>(wavefront_->cols);
  const double side = std::min((width() - 2 * gap) / cols, (height() - 3 * gap - 2 * line) / rows);
  const ArrayFrame& frame = wavefront_->frames[cycle_];
  QFont small = font();
  small.setPixelSize(std::clamp(static_cast<int>(side * 0.5), 6, 14));
  std::int64_t active = 0;
  for (std::size_t i = 0; i < frame.pes.size(); ++i) {
    const PeState& pe = frame.pes[i];
    const std::size_t row = i / static_cast<std::size_t>(wavefront_->cols),
                      col = i % static_cast<std::size_t>(wavefront_->cols);
    const QRectF cell(gap + static_cast<double>(col) * side, gap + 2 * line + static_cast<double>(row) * side, side - 1,
                      side - 1);
    QColor ground = palette().color(QPalette::AlternateBase), letters = ink;
    if (pe.active) {
      ground = series_colour(static_cast<std::size_t>(pe.index));
      letters = ink_on(ground);
      ++active;
    } else if (pe.loading) {
      ground = palette().color(QPalette::Mid);
      letters = ink_on(ground);
    }
    painter.fillRect(cell, ground);
    painter.setFont(small);
    painter.setPen(letters);
    if (pe.active || pe.loading)
      painter.drawText(cell, Qt::AlignCenter, pe.active ? QString::number(pe.index) : QString("w"));
  }
  painter.setFont(font());
  painter.setPen(ink);
  text(painter, {gap, gap / 2, width() - 2 * gap, line},
       tr("%1 x %2 of the %3 x %4 PEs, %5; product of M %6, N %7, K %8")
           .arg(wavefront_->rows)
           .arg(wavefront_->cols)
           .arg(wavefront_->chip_rows)
           .arg(wavefront_->chip_cols)
           .arg(QString::fromStdString(wavefront_->dataflow))
           .arg(wavefront_->m)
           .arg(wavefront_->n)
           .arg(wavefront_->k));
  text(painter, {gap, gap / 2 + line, width() - 2 * gap, line},
       tr("cycle %1 of %2: %3 PEs multiply; the number is the streamed word, w: a word that stays moves in")
           .arg(frame.cycle + 1)
           .arg(wavefront_->frames.size())
           .arg(active));
}

}  // namespace tilewright::gui
