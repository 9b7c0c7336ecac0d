#include "gui/views/roofline_view.hpp"

#include <qcustomplot.h>

#include <QToolTip>
#include <QVBoxLayout>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "gui/views/theme.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

/// The pinned answer and two that were put aside.
const std::array<RooflineView::OtherLook, 3> others_look{{{0, QCPScatterStyle::ssTriangle, QChar(0x25b3)},
                                                          {5, QCPScatterStyle::ssDiamond, QChar(0x25c7)},
                                                          {4, QCPScatterStyle::ssTriangleInverted, QChar(0x25bd)}}};

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
  steer_by_keys(*plot_);
  for (QWidget* each : {static_cast<QWidget*>(this), static_cast<QWidget*>(plot_)})
    each->setAccessibleName(tr("Roofline"));
  connect(plot_, &QCustomPlot::mouseMove, this, &RooflineView::hover);
  connect(plot_, &QCustomPlot::mousePress, this, &RooflineView::click);
}

void RooflineView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) {
  const bool first = !analysis_ || analysis_->project.workload != analysis->project.workload ||
                     analysis_->project.chip != analysis->project.chip;
  analysis_ = analysis;
  pinned_ = pinned;
  lines_ = roofline_lines(analysis->roofline);
  for (const AnalysisPtr& other : others()) widen(lines_, roofline_lines(other->roofline));
  if (first) fit();
  draw();
}

void RooflineView::set_aside(std::vector<AnalysisPtr> answers) {
  aside_ = std::move(answers);
  if (!analysis_) return;
  lines_ = roofline_lines(analysis_->roofline);
  for (const AnalysisPtr& other : others()) widen(lines_, roofline_lines(other->roofline));
  fit();
  draw();
}

void RooflineView::fit() {
  plot_->xAxis->setRange(lines_.intensity.least, lines_.intensity.most);
  plot_->yAxis->setRange(lines_.rate.least, lines_.rate.most);
}

/// The pinned answer first, each once.
std::vector<AnalysisPtr> RooflineView::others() const {
  std::vector<AnalysisPtr> others;
  const auto add = [&](const AnalysisPtr& other) {
    if (other && other != analysis_ && std::find(others.begin(), others.end(), other) == others.end())
      others.push_back(other);
  };
  add(pinned_);
  for (const AnalysisPtr& other : aside_) add(other);
  if (others.size() > others_look.size()) others.resize(others_look.size());
  return others;
}

void RooflineView::draw() {
  plot_->clearPlottables();
  plot_->clearItems();
  style_plot(*plot_, palette());
  plot_->xAxis->setLabel(tr("operations per byte"));
  plot_->yAxis->setLabel(tr("operations per second"));
  if (!analysis_) return;
  draw_zones();
  const std::vector<AnalysisPtr> beside = others();
  for (std::size_t i = 0; i < beside.size(); ++i) {
    const Project& other = beside[i]->project;
    if (other.chip != analysis_->project.chip || other.changes != analysis_->project.changes)
      draw_roofs(roofline_lines(beside[i]->roofline), false);
    draw_dots(*beside[i], &others_look[i]);
    draw_moves(*beside[i]);
  }
  draw_roofs(roofline_lines(analysis_->roofline), true);
  draw_dots(*analysis_, nullptr);
  draw_path();
  draw_gain();
  name_answers();
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void RooflineView::draw_zones() {
  const std::array grounds{series_colour(3), series_colour(1), series_colour(2)};
  for (const RooflineZone& zone : lines_.zones) {
    const QColor colour = grounds[static_cast<std::size_t>(zone.kind)];
    QColor ground = colour;
    ground.setAlpha(22);
    auto* area = new QCPItemRect(plot_);
    area->setPen(Qt::NoPen);
    area->setBrush(ground);
    for (QCPItemPosition* corner : {area->topLeft, area->bottomRight})
      corner->setTypeY(QCPItemPosition::ptAxisRectRatio);
    area->topLeft->setCoords(zone.from, 0);
    area->bottomRight->setCoords(zone.to, 1);
    const QString name = zone.kind == RooflineZone::Kind::below_all ? tr("memory-bound")
                         : zone.kind == RooflineZone::Kind::above_all
                             ? tr("compute-bound")
                             : tr("bound by %1 or compute").arg(QString::fromStdString(zone.level));
    auto* label = new QCPItemText(plot_);
    label->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    label->position->setCoords(std::sqrt(zone.from * zone.to), 0.01);
    label->setPositionAlignment(Qt::AlignHCenter | Qt::AlignTop);
    label->setText(name);
    label->setColor(palette().color(QPalette::Text));
  }
}

/// `shown`: of the answer itself, in colours and named; else faint.
void RooflineView::draw_roofs(const RooflineLines& lines, bool shown) {
  std::size_t colour = 0;
  for (const RooflineRoof& roof : lines.roofs) {
    auto* line = new QCPGraph(plot_->xAxis, plot_->yAxis);
    const QColor ink = shown ? series_colour(colour++) : palette().color(QPalette::Mid);
    line->setPen(QPen(ink, shown ? 2 : 1, roof.memory ? Qt::SolidLine : Qt::DashLine));
    line->setData(QVector<double>(roof.x.begin(), roof.x.end()), QVector<double>(roof.y.begin(), roof.y.end()), true);
    if (!shown) continue;
    auto* label = new QCPItemText(plot_);
    label->setText(QString::fromStdString(roof.name));
    label->setColor(palette().color(QPalette::Text));
    label->position->setCoords(roof.memory ? roof.x.front() : roof.x.back(),
                               roof.memory ? roof.y.front() : roof.y.back());
    label->setPositionAlignment(roof.memory ? Qt::AlignLeft | Qt::AlignBottom : Qt::AlignRight | Qt::AlignBottom);
  }
}

/// `other`: how the hollow dots of an answer beside look; null: of the answer itself.
void RooflineView::draw_dots(const Analysis& analysis, const OtherLook* other) {
  const std::vector<RooflinePoint>& points = analysis.roofline.points;
  for (const std::size_t i : roofline_lines(analysis.roofline).dots) {
    auto* dot = new QCPGraph(plot_->xAxis, plot_->yAxis);
    dot->setLineStyle(QCPGraph::lsNone);
    const bool compute = points[i].bound == "compute";
    QColor fill = compute ? series_colour(2) : series_colour(3);
    fill.setAlpha(other != nullptr ? 0 : 150);
    QPen edge(other != nullptr ? series_colour(other->colour) : fill.darker(130), 1.2);
    if (other == nullptr && static_cast<int>(i) == selection_.row()) edge = QPen(palette().color(QPalette::Text), 2.5);
    const auto shape = other != nullptr ? static_cast<QCPScatterStyle::ScatterShape>(other->shape)
                       : compute        ? QCPScatterStyle::ssDisc
                                        : QCPScatterStyle::ssSquare;
    dot->setScatterStyle(QCPScatterStyle(shape, edge, fill, diameter(points[i].time_share)));
    dot->addData(points[i].intensity, points[i].operations_per_s);
  }
}

/// Dashed arrows from the layers of another answer to those of this one; with a selection those of the selected layer alone.
void RooflineView::draw_moves(const Analysis& from) {
  for (const RooflineMove& move : roofline_moves(from.roofline, analysis_->roofline)) {
    const bool selected = static_cast<int>(move.to) == selection_.row();
    if (selection_.row() >= 0 && !selected) continue;
    const RooflinePoint &a = from.roofline.points[move.from], &b = analysis_->roofline.points[move.to];
    auto* arrow = new QCPItemLine(plot_);
    arrow->start->setCoords(a.intensity, a.operations_per_s);
    arrow->end->setCoords(b.intensity, b.operations_per_s);
    arrow->setHead(QCPLineEnding::esSpikeArrow);
    arrow->setPen(QPen(palette().color(selected ? QPalette::Text : QPalette::Mid), selected ? 1.6 : 1, Qt::DashLine));
  }
}

/// The selected layer at the same rate over the bytes that each memory level moves for it.
void RooflineView::draw_path() {
  const int row = selection_.row();
  if (row < 0 || static_cast<std::size_t>(row) >= analysis_->roofline.points.size()) return;
  const RooflinePath path = roofline_path(*analysis_, static_cast<std::size_t>(row));
  const QColor ink = palette().color(QPalette::Text);
  auto* line = new QCPCurve(plot_->xAxis, plot_->yAxis);
  line->setPen(QPen(ink, 1.5));
  line->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCross, ink, 8));
  for (std::size_t l = 0; l < path.levels.size(); ++l) {
    line->addData(path.intensity[l], path.rate);
    auto* label = new QCPItemText(plot_);
    label->position->setCoords(path.intensity[l], path.rate);
    label->setPositionAlignment(Qt::AlignHCenter | Qt::AlignTop);
    label->setPadding(
        QMargins(0, 6 + 15 * static_cast<int>(l), 0, 0));  // one below the other: levels may lie close together
    label->setColor(ink);
    label->setText(QString::fromStdString(path.levels[l]));
    lower(*label);
  }
}

/// Moves a text that hangs below its place down until it crosses no other one.
void RooflineView::lower(QCPItemText& text) {
  const auto box = [](const QCPItemText& of) {
    return QRectF(of.topLeft->pixelPosition(), of.bottomRight->pixelPosition()).normalized();
  };
  constexpr int step = 6, most = 240;  // pixels
  for (int down = step; down < most; down += step) {
    text.setPadding(QMargins(0, down, 0, 0));
    QRectF own = box(text);
    own.setTop(own.top() + down);
    bool free = true;
    for (int i = 0; i < plot_->itemCount(); ++i) {
      const auto* other = qobject_cast<QCPItemText*>(plot_->item(i));
      free = free && (other == nullptr || other == &text || !box(*other).intersects(own));
    }
    if (free) return;
  }
}

/// What the hollow dots are, where there are any.
void RooflineView::name_answers() {
  const std::vector<AnalysisPtr> beside = others();
  if (beside.empty()) return;
  const auto name = [](const Analysis& analysis) {
    QString text = QString::fromStdString(analysis.result.workload + ", " + analysis.result.chip);
    for (const auto& [key, value] : analysis.project.changes)
      text += QString::fromStdString("; " + key.substr(key.find('.') + 1) + " " + value);
    return text.size() > 90 ? text.left(89) + QChar(0x2026) : text;
  };
  QString text = QString(QChar(0x25cf)) + ' ' + name(*analysis_);
  for (std::size_t i = 0; i < beside.size(); ++i) {
    text += QString("\n%1 %2").arg(others_look[i].sign).arg(name(*beside[i]));
    if (beside[i] == pinned_) text += " (" + tr("pinned") + ")";
  }
  auto* names = new QCPItemText(plot_);
  names->position->setType(QCPItemPosition::ptAxisRectRatio);
  names->position->setCoords(0.01, 0.06);  // below the names of the zones
  names->setPositionAlignment(Qt::AlignLeft | Qt::AlignTop);
  names->setTextAlignment(Qt::AlignLeft);
  names->setText(text);
  names->setColor(palette().color(QPalette::Text));
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
