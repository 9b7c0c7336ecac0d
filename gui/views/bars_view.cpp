#include "gui/views/bars_view.hpp"

#include <qcustomplot.h>

#include <QComboBox>
#include <QHBoxLayout>
#include <QVBoxLayout>
#include <algorithm>
#include <array>

#include "gui/views/theme.hpp"

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
  kind_->addItems({"", ""});
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
  plot_->legend->setVisible(true);
  plot_->axisRect()->insetLayout()->setInsetAlignment(0, Qt::AlignTop | Qt::AlignRight);
  for (QComboBox* choice : {kind_, order_}) {
    choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    connect(choice, &QComboBox::currentIndexChanged, this, [this] {
      if (analysis_) show_analysis(analysis_, nullptr);
    });
  }
  connect(plot_, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
    const auto bar = static_cast<long>(std::lround(plot_->xAxis->pixelToCoord(event->position().x())));
    if (bar >= 0 && bar < static_cast<long>(bars_.rows.size()))
      selection_.select(static_cast<int>(bars_.rows[static_cast<std::size_t>(bar)]));
  });
  retranslate();
}

void BarsView::retranslate() {
  setAccessibleName(tr("Time and energy"));
  kind_->setAccessibleName(tr("What the bars show"));
  order_->setAccessibleName(tr("Order of the bars"));
  kind_->setItemText(0, tr("time by bound"));
  kind_->setItemText(1, tr("energy by memory level"));
  order_->setItemText(0, tr("in network order"));
  order_->setItemText(1, tr("largest first"));
}

void BarsView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  analysis_ = analysis;
  bars_ = bars(*analysis, kind_->currentIndex() == 0 ? BarKind::time_by_bound : BarKind::energy_by_level,
               order_->currentIndex() == 0 ? BarOrder::network : BarOrder::sorted);
  plot_->xAxis->setRange(-1, static_cast<double>(bars_.rows.size()));
  draw();
}

void BarsView::draw() {
  plot_->clearPlottables();
  plot_->clearItems();
  style_plot(*plot_, palette());
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
  plot_->yAxis->setRangeLower(0);
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void BarsView::show_selection() { draw(); }

void BarsView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange || event->type() == QEvent::LanguageChange) draw();
}

QString BarsView::csv() const {
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
