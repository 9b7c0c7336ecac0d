#include "gui/views/bars_view.hpp"

#include <qcustomplot.h>

#include <QComboBox>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>
#include <array>

#include "gui/views/theme.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

/// The parts that no chip file has named.
QString words(const std::string& series) {
  static constexpr std::array known{QT_TRANSLATE_NOOP("tilewright::gui::BarsView", "compute"),
                                    QT_TRANSLATE_NOOP("tilewright::gui::BarsView", "links"),
                                    QT_TRANSLATE_NOOP("tilewright::gui::BarsView", "static"),
                                    QT_TRANSLATE_NOOP("tilewright::gui::BarsView", "other memory")};
  const auto* const own = std::find(known.begin(), known.end(), series);
  return own == known.end() ? QString::fromStdString(series) : BarsView::tr(*own);
}

}  // namespace

BarsView::BarsView(Selection& selection, QWidget* parent)
    : View(selection, parent), kind_(new QComboBox), order_(new QComboBox), plot_(new QCustomPlot) {
  kind_->addItems({"", "", ""});
  kind_->setObjectName("bars.kind");
  kind_->setCurrentIndex(1);
  order_->addItems({"", ""});
  auto* choices = new QHBoxLayout;
  choices->addWidget(kind_);
  choices->addWidget(order_);
  choices->addStretch();
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(choices);
  layout->addWidget(plot_, 1);
  plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  plot_->axisRect()->setRangeDrag(Qt::Horizontal);
  plot_->axisRect()->setRangeZoom(Qt::Horizontal);
  steer_by_keys(*plot_);
  plot_->legend->setVisible(true);
  plot_->axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignTop | Qt::AlignRight);
  for (QComboBox* choice : {kind_, order_}) {
    choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    connect(choice, &QComboBox::currentIndexChanged, this, [this] {
      if (analysis_) show_analysis(analysis_, nullptr);
    });
  }
  connect(plot_, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
    if (falls()) return;
    const auto bar = static_cast<long>(std::lround(plot_->xAxis->pixelToCoord(event->position().x())));
    if (bar >= 0 && bar < static_cast<long>(bars_.rows.size()))
      selection_.select(static_cast<int>(bars_.rows[static_cast<std::size_t>(bar)]));
  });
  retranslate();
}

void BarsView::retranslate() {
  setAccessibleName(tr("Time and energy"));
  plot_->setAccessibleName(tr("Time and energy"));
  kind_->setAccessibleName(tr("What the bars show"));
  order_->setAccessibleName(tr("Order of the bars"));
  kind_->setItemText(0, tr("time by bound"));
  kind_->setItemText(1, tr("energy by memory level"));
  kind_->setItemText(2, tr("waterfall from peak to achieved"));
  order_->setItemText(0, tr("in network order"));
  order_->setItemText(1, tr("largest first"));
}

bool BarsView::falls() const { return kind_->currentIndex() == 2; }

void BarsView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  analysis_ = analysis;
  order_->setEnabled(!falls());
  if (!falls()) {
    bars_ = bars(*analysis, kind_->currentIndex() == 0 ? BarKind::time_by_bound : BarKind::energy_by_level,
                 order_->currentIndex() == 0 ? BarOrder::network : BarOrder::sorted);
    plot_->xAxis->setRange(-1, static_cast<double>(bars_.rows.size()));
  }
  draw();
}

void BarsView::draw() {
  plot_->clearPlottables();
  plot_->clearItems();
  style_plot(*plot_, palette());
  if (!analysis_) return;
  plot_->legend->setVisible(!falls());
  if (falls()) {
    draw_waterfall();
  } else {
    draw_bars();
  }
  plot_->yAxis->setRangeLower(0);
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void BarsView::draw_waterfall() {
  const int row = selection_.row();
  const bool layer = row >= 0 && static_cast<std::size_t>(row) < analysis_->result.layers.size();
  waterfall_ = waterfall(*analysis_, layer ? std::optional(static_cast<std::size_t>(row)) : std::nullopt);
  const QString of = layer ? QString::fromStdString(analysis_->result.layers[static_cast<std::size_t>(row)].name)
                           : tr("whole network");
  plot_->xAxis->setLabel(waterfall_ ? of : tr("%1 has no multiply-accumulates").arg(of));
  plot_->yAxis->setLabel(tr("operations per second"));
  auto ticks = QSharedPointer<QCPAxisTickerText>(new QCPAxisTickerText);
  plot_->xAxis->setTicker(ticks);
  plot_->xAxis->setTickLabelRotation(12);
  if (!waterfall_) return plot_->xAxis->setRange(0, 1);
  const auto rate = [](double value) { return QString::fromStdString(human_count(value)).trimmed() + "/s"; };
  const QColor whole = palette().color(QPalette::Mid);
  int place = 0;
  ticks->addTick(place, tr("peak"));
  draw_step(place++, 0, waterfall_->peak, whole, rate(waterfall_->peak));
  for (const WaterfallStep& step : waterfall_->steps) {
    ticks->addTick(place, cause_name(step));
    const auto cause = static_cast<std::size_t>(step.cause);
    draw_step(place++, step.after, step.before,
              QBrush(series_colour(cause), cause < 6 ? Qt::SolidPattern : Qt::BDiagPattern),
              QString("%1%2 %\n%3")
                  .arg(step.seconds > 0 ? "+" : "")
                  .arg(100 * step.seconds / waterfall_->whole, 0, 'f', 1)
                  .arg(QString::fromStdString(human(Seconds{step.seconds}))));
  }
  ticks->addTick(place, tr("achieved"));
  draw_step(place++, 0, waterfall_->achieved, whole,
            tr("%1\n%2 % of peak")
                .arg(rate(waterfall_->achieved))
                .arg(100 * waterfall_->achieved / waterfall_->peak, 0, 'f', 1));
  plot_->xAxis->setRange(-0.7, place - 0.3);
  double highest = waterfall_->peak;
  for (const WaterfallStep& step : waterfall_->steps) highest = std::max(highest, step.after);
  plot_->yAxis->setRange(0, 1.15 * highest);
}

void BarsView::draw_step(int place, double from, double to, const QBrush& brush, const QString& text) {
  auto* bar = new QCPBars(plot_->xAxis, plot_->yAxis);
  bar->setBaseValue(from);
  bar->setWidth(0.7);
  bar->setPen(Qt::NoPen);
  bar->setBrush(brush);
  bar->addData(place, to - from);  // on top of the base
  auto* label = new QCPItemText(plot_);
  label->position->setCoords(place, std::max(from, to));
  label->setPositionAlignment(Qt::AlignHCenter | Qt::AlignBottom);
  label->setText(text);
  label->setColor(palette().color(QPalette::Text));
}

QString BarsView::cause_name(const WaterfallStep& step) {
  switch (step.cause) {
    case LossCause::array: return tr("lanes without work");
    case LossCause::memory: return tr("waiting for %1").arg(QString::fromStdString(step.level));
    case LossCause::start: return tr("start and drain");
    case LossCause::vector: return tr("other operators");
    case LossCause::software: return tr("software");
    case LossCause::pipeline: return tr("pipeline");
    case LossCause::other: return tr("fused and not hidden");
  }
  return {};
}

void BarsView::draw_bars() {
  plot_->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new QCPAxisTicker));
  plot_->xAxis->setTickLabelRotation(0);
  plot_->xAxis->setLabel(tr("layer"));
  plot_->yAxis->setLabel(kind_->currentIndex() == 0 ? tr("seconds") : tr("joules"));
  QVector<double> places;
  for (std::size_t b = 0; b < bars_.rows.size(); ++b) places.push_back(static_cast<double>(b));
  QCPBars* below = nullptr;
  for (std::size_t s = 0; s < bars_.series.size(); ++s) {
    auto* part = new QCPBars(plot_->xAxis, plot_->yAxis);
    part->setName(words(bars_.series[s]));
    part->setPen(Qt::NoPen);
    // Beyond the six colours the same ones hatched.
    part->setBrush(QBrush(series_colour(s), s < 6 ? Qt::SolidPattern : Qt::BDiagPattern));
    part->setWidth(0.85);
    part->setData(places, QVector<double>(bars_.parts[s].begin(), bars_.parts[s].end()), true);
    if (below != nullptr) part->moveAbove(below);
    below = part;
  }
  const auto selected = std::find(bars_.rows.begin(), bars_.rows.end(), static_cast<std::size_t>(selection_.row()));
  if (selected != bars_.rows.end()) {
    auto* mark = new QCPItemRect(plot_);
    const double at = static_cast<double>(selected - bars_.rows.begin());
    mark->topLeft->setTypeY(QCPItemPosition::ptAxisRectRatio);
    mark->bottomRight->setTypeY(QCPItemPosition::ptAxisRectRatio);
    mark->topLeft->setCoords(at - 0.5, 0);
    mark->bottomRight->setCoords(at + 0.5, 1);
    QColor glow = palette().color(QPalette::Highlight);
    mark->setPen(QPen(glow));
    glow.setAlpha(40);
    mark->setBrush(glow);
  }
  plot_->yAxis->rescale();
}

void BarsView::show_selection() { draw(); }

void BarsView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::LanguageChange) draw();
}

QString BarsView::csv() const {
  if (falls() && waterfall_) {
    QString text = "cause,level,seconds,operations_per_s\n";
    text += QString("peak,,%1,%2\n").arg(waterfall_->ideal, 0, 'g', 17).arg(waterfall_->peak, 0, 'g', 17);
    for (const WaterfallStep& step : waterfall_->steps) {
      text += QString("\"%1\",%2,%3,%4\n")
                  .arg(cause_name(step), QString::fromStdString(step.level))
                  .arg(step.seconds, 0, 'g', 17)
                  .arg(step.after, 0, 'g', 17);
    }
    return text;
  }
  QString text = "layer";
  for (const std::string& series : bars_.series) text += "," + QString::fromStdString(series);
  text += '\n';
  for (std::size_t b = 0; b < bars_.rows.size(); ++b) {
    text += '"' + QString::fromStdString(analysis_->result.layers[bars_.rows[b]].name).replace('"', "\"\"") + '"';
    for (const std::vector<double>& part : bars_.parts) text += ',' + QString::number(part[b], 'g', 17);
    text += '\n';
  }
  return text;
}

}  // namespace tilewright::gui
