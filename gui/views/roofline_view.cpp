#include "gui/views/roofline_view.hpp"

#include <qcustomplot.h>

#include <QToolTip>
#include <QVBoxLayout>
#include <cmath>
#include <limits>

#include "gui/views/theme.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

/// Pixels: the area of a dot grows with its share of the time.
double diameter(double share) { return 6 + 30 * std::sqrt(share); }

}  // namespace

RooflineView::RooflineView(Selection& selection, QWidget* parent) : View(selection, parent), plot_(new QCustomPlot) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(plot_);
  plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) log_axis(*axis);
  plot_->setMinimumSize(320, 240);
  setAccessibleName(tr("Roofline"));
  connect(plot_, &QCustomPlot::mouseMove, this, &RooflineView::hover);
  connect(plot_, &QCustomPlot::mousePress, this, &RooflineView::click);
}

void RooflineView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) {
  const bool first = !analysis_ || analysis_->project.workload != analysis->project.workload ||
                     analysis_->project.chip != analysis->project.chip;
  analysis_ = analysis;
  pinned_ = pinned;
  lines_ = roofline_lines(analysis->roofline);
  if (first) {
    plot_->xAxis->setRange(lines_.intensity.least, lines_.intensity.most);
    plot_->yAxis->setRange(lines_.rate.least, lines_.rate.most);
  }
  draw();
}

void RooflineView::draw() {
  plot_->clearPlottables();
  plot_->clearItems();
  style_plot(*plot_, palette());
  plot_->xAxis->setLabel(tr("operations per byte"));
  plot_->yAxis->setLabel(tr("operations per second"));
  if (!analysis_) return;
  std::size_t colour = 0;
  for (const RooflineRoof& roof : lines_.roofs) {
    auto* line = new QCPGraph(plot_->xAxis, plot_->yAxis);
    line->setPen(QPen(series_colour(colour++), 2, roof.memory ? Qt::SolidLine : Qt::DashLine));
    line->setData(QVector<double>(roof.x.begin(), roof.x.end()), QVector<double>(roof.y.begin(), roof.y.end()), true);
    auto* label = new QCPItemText(plot_);
    label->setText(QString::fromStdString(roof.name));
    label->setColor(palette().color(QPalette::Text));
    label->position->setCoords(roof.memory ? roof.x.front() : roof.x.back(),
                               roof.memory ? roof.y.front() : roof.y.back());
    label->setPositionAlignment(roof.memory ? Qt::AlignLeft | Qt::AlignBottom : Qt::AlignRight | Qt::AlignBottom);
  }
  if (pinned_) draw_dots(*pinned_, true);
  draw_dots(*analysis_, false);
  draw_gain();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void RooflineView::draw_dots(const Analysis& analysis, bool pinned) {
  const std::vector<RooflinePoint>& points = analysis.roofline.points;
  for (const std::size_t i : roofline_lines(analysis.roofline).dots) {
    auto* dot = new QCPGraph(plot_->xAxis, plot_->yAxis);
    dot->setLineStyle(QCPGraph::lsNone);
    const bool compute = points[i].bound == "compute";
    QColor fill = compute ? series_colour(2) : series_colour(3);
    fill.setAlpha(pinned ? 0 : 150);
    QPen edge(pinned ? palette().color(QPalette::Mid) : fill.darker(130), 1, pinned ? Qt::DotLine : Qt::SolidLine);
    if (!pinned && static_cast<int>(i) == selection_.row()) edge = QPen(palette().color(QPalette::Text), 2.5);
    dot->setScatterStyle(QCPScatterStyle(compute ? QCPScatterStyle::ssDisc : QCPScatterStyle::ssSquare, edge, fill,
                                         diameter(points[i].time_share)));
    dot->addData(points[i].intensity, points[i].operations_per_s);
  }
}

void RooflineView::draw_gain() {
  const int row = selection_.row();
  if (row < 0 || static_cast<std::size_t>(row) >= analysis_->roofline.points.size()) return;
  const auto gain = roofline_gain(analysis_->roofline, static_cast<std::size_t>(row));
  constexpr double on_its_roof =
      1.005;  // three digits say 1; work in the shadow of a fused layer may even lift it above
  if (!gain || gain->factor < on_its_roof) return;
  const QColor ink = palette().color(QPalette::Text);
  auto* arrow = new QCPItemLine(plot_);
  arrow->start->setCoords(gain->intensity, gain->reached);
  arrow->end->setCoords(gain->intensity, gain->limit);
  arrow->setHead(QCPLineEnding::esSpikeArrow);
  arrow->setPen(QPen(ink, 1.5));
  auto* label = new QCPItemText(plot_);
  label->position->setCoords(gain->intensity, gain->limit);
  label->setPositionAlignment(Qt::AlignLeft | Qt::AlignVCenter);
  label->setPadding(QMargins(8, 0, 0, 0));
  label->setColor(ink);
  label->setText(tr("%1 x to %2").arg(gain->factor, 0, 'g', 3).arg(QString::fromStdString(gain->roof)));
}

/// The nearest dot whose disc holds the place; -1: none.
int RooflineView::dot_at(const QPointF& place) const {
  if (!analysis_) return -1;
  int nearest = -1;
  double least = std::numeric_limits<double>::infinity();
  for (const std::size_t i : lines_.dots) {
    const RooflinePoint& point = analysis_->roofline.points[i];
    const double distance = std::hypot(plot_->xAxis->coordToPixel(point.intensity) - place.x(),
                                       plot_->yAxis->coordToPixel(point.operations_per_s) - place.y());
    if (distance > diameter(point.time_share) / 2 + 2 || distance >= least) continue;
    least = distance;
    nearest = static_cast<int>(i);
  }
  return nearest;
}

void RooflineView::hover(QMouseEvent* event) {
  const int dot = dot_at(event->position());
  if (dot < 0) return QToolTip::hideText();
  const LayerEvaluation& layer = analysis_->result.layers[static_cast<std::size_t>(dot)];
  QToolTip::showText(event->globalPosition().toPoint(),
                     QString::fromStdString(layer.name + "\n" + human(layer.latency) + ", " + layer.bound), plot_);
}

void RooflineView::click(QMouseEvent* event) {
  const int dot = dot_at(event->position());
  if (dot >= 0) selection_.select(dot);
}

void RooflineView::show_selection() { draw(); }

void RooflineView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::LanguageChange) draw();
}

QString RooflineView::csv() const {
  QString text = "layer,operations_per_byte,operations_per_s,share_of_time,bound\n";
  if (!analysis_) return text;
  for (const RooflinePoint& point : analysis_->roofline.points) {
    text += QString("\"%1\",%2,%3,%4,%5\n")
                .arg(QString::fromStdString(point.layer).replace('"', "\"\""))
                .arg(point.intensity, 0, 'g', 17)
                .arg(point.operations_per_s, 0, 'g', 17)
                .arg(point.time_share, 0, 'g', 17)
                .arg(QString::fromStdString(point.bound));
  }
  return text;
}

}  // namespace tilewright::gui
