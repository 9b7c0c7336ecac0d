#include "gui/views/validation_view.hpp"

#include <qcustomplot.h>

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QSplitter>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>

#include "gui/views/theme.hpp"

namespace tilewright::gui {

ValidationView::ValidationView(QWidget* parent)
    : Panel(parent),
      model_(new ValidationModel(this)),
      device_(new QComboBox),
      op_(new QComboBox),
      error_(new QLabel),
      plot_(new QCustomPlot),
      table_(new QTableView) {
  qRegisterMetaType<std::vector<ValidationRow>>("std::vector<tilewright::gui::ValidationRow>");
  auto* choices = new QHBoxLayout;
  choices->addWidget(device_);
  choices->addWidget(op_);
  choices->addWidget(error_, 1);
  auto* both = new QSplitter(Qt::Horizontal);
  both->addWidget(plot_);
  both->addWidget(table_);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(choices);
  layout->addWidget(both, 1);
  plot_->setMinimumSize(280, 200);
  plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  steer_by_keys(*plot_);
  for (QCPAxis* axis : {plot_->xAxis, plot_->yAxis}) log_axis(*axis);
  table_->setModel(model_);
  table_->verticalHeader()->setDefaultSectionSize(20);
  connect(this, &ValidationView::loaded, this, &ValidationView::fill, Qt::QueuedConnection);
  for (QComboBox* choice : {device_, op_}) connect(choice, &QComboBox::activated, this, &ValidationView::choose);
  for (QComboBox* choice : {device_, op_}) choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  constexpr int shape = 3;  // the longest words stand last, behind the figures
  table_->horizontalHeader()->moveSection(shape, model_->columnCount() - 1);
  retranslate();
}

ValidationView::~ValidationView() {
  if (loading_.joinable()) loading_.join();
}

void ValidationView::retranslate() {
  setAccessibleName(tr("Validation"));
  device_->setAccessibleName(tr("Device"));
  op_->setAccessibleName(tr("Operator"));
  plot_->setAccessibleName(tr("Predicted against measured"));
  table_->setAccessibleName(tr("Rows, the worst first"));
  for (auto [choice, all] : {std::pair{device_, tr("all devices")}, std::pair{op_, tr("all operators")}}) {
    if (choice->count() == 0) choice->addItem("");
    choice->setItemText(0, all);
  }
  if (!filled_) return;
  show_error();
  table_->resizeColumnsToContents();
}

/// The tables are read when the view is first looked at.
void ValidationView::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  if (loading_.joinable()) return;
  error_->setText(tr("reading the measurements…"));
  loading_ = std::thread([this] {
    std::vector<ValidationRow> rows;
    QString reason;
    try {
      rows = gpu_validation_rows();
    } catch (const std::exception& error) { reason = QString::fromStdString(error.what()); }
    Q_EMIT loaded(std::move(rows), reason);
  });
}

void ValidationView::fill(std::vector<ValidationRow> rows, const QString& reason) {
  filled_ = true;
  reason_ = reason;
  if (!reason.isEmpty()) return show_error();
  model_->show(std::move(rows));
  for (const std::string& device : model_->devices()) device_->addItem(QString::fromStdString(device));
  for (const std::string& op : model_->ops()) op_->addItem(QString::fromStdString(op));
  choose();
  table_->resizeColumnsToContents();
  Q_EMIT shown();
}

void ValidationView::choose() {
  const auto chosen = [](const QComboBox* choice) {
    return choice->currentIndex() <= 0 ? std::string() : choice->currentText().toStdString();
  };
  model_->filter(chosen(device_), chosen(op_));
  show_error();
  draw();
}

QString ValidationView::csv() const {
  QString text = "device,operator,format,shape,table,measured_s,predicted_s\n";
  for (const ValidationRow* row : model_->shown()) {
    text += QString("%1,%2,%3,\"%4\",%5,%6,%7\n")
                .arg(QString::fromStdString(row->device), QString::fromStdString(row->op),
                     QString::fromStdString(row->precision), QString::fromStdString(row->shape),
                     QString::fromStdString(row->table))
                .arg(row->measured_s, 0, 'g', 17)
                .arg(row->predicted_s, 0, 'g', 17);
  }
  return text;
}

std::string ValidationView::command(const Project& /*project*/, const std::string& /*file*/) const {
  return "tilewright validate gpu";
}

void ValidationView::show_error() {
  error_->setText(
      reason_.isEmpty()
          ? tr("%1 kernels, mean error %2 %").arg(model_->rowCount()).arg(model_->mean_error_pct(), 0, 'f', 1)
          : reason_);
}

void ValidationView::draw() {
  plot_->clearPlottables();
  style_plot(*plot_, palette());
  plot_->xAxis->setLabel(tr("measured, seconds"));
  plot_->yAxis->setLabel(tr("predicted, seconds"));
  QVector<double> measured, predicted;
  for (const ValidationRow* row : model_->shown()) {
    measured.push_back(row->measured_s);
    predicted.push_back(row->predicted_s);
  }
  if (measured.isEmpty()) return plot_->replot(QCustomPlot::rpQueuedReplot);
  const double least = std::min(*std::min_element(measured.begin(), measured.end()),
                                *std::min_element(predicted.begin(), predicted.end())) /
                       2;
  const double most = std::max(*std::max_element(measured.begin(), measured.end()),
                               *std::max_element(predicted.begin(), predicted.end())) *
                      2;
  auto* cloud = new QCPGraph(plot_->xAxis, plot_->yAxis);
  cloud->setLineStyle(QCPGraph::lsNone);
  cloud->setAntialiasedScatters(false);
  cloud->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssSquare, series_colour(0), 3));
  cloud->setData(measured, predicted);
  for (const double factor : {1.0, 2.0, 0.5}) {
    auto* line = new QCPGraph(plot_->xAxis, plot_->yAxis);
    line->setPen(QPen(palette().color(QPalette::Text), 1, factor == 1.0 ? Qt::SolidLine : Qt::DotLine));
    line->setData({least, most}, {least * factor, most * factor}, true);
  }
  plot_->xAxis->setRange(least, most);
  plot_->yAxis->setRange(least, most);
  plot_->replot(QCustomPlot::rpQueuedReplot);
}

void ValidationView::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange) draw();
}

}  // namespace tilewright::gui
