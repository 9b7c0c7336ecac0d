#include "gui/views/study_view.hpp"

#include <qcustomplot.h>

#include <QComboBox>
#include <QEvent>
#include <QFileDialog>
#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSplitter>
#include <QStyledItemDelegate>
#include <QTableView>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <limits>

#include "gui/views/theme.hpp"

namespace tilewright::gui {
namespace {

constexpr std::size_t most_lines = 2000;  // more cannot be told apart

/// Points of the front stand in bold.
class FrontInBold : public QStyledItemDelegate {
 public:
  using QStyledItemDelegate::QStyledItemDelegate;

 protected:
  void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
    QStyledItemDelegate::initStyleOption(option, index);
    option->font.setBold(index.data(StudyTable::front_role).toBool());
  }
};

/// Least and most of the figures that are numbers; NaN where none is.
QCPRange range_of(const std::vector<double>& values) {
  constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
  QCPRange range(nothing, nothing);
  for (const double value : values) {
    if (!std::isnan(value)) range.expand(QCPRange(value, value));
  }
  return range;
}

}  // namespace

StudyView::StudyView(QWidget* parent)
    : Panel(parent),
      study_(new QLineEdit),
      folder_(new QLineEdit),
      new_(new QPushButton),
      open_(new QPushButton),
      run_(new QPushButton),
      pause_(new QPushButton),
      cancel_(new QPushButton),
      progress_(new QProgressBar),
      told_(new QLabel),
      x_(new QComboBox),
      y_(new QComboBox),
      cloud_(new QCustomPlot),
      lines_(new QCustomPlot),
      model_(new StudyTable(this)),
      table_(new QTableView) {
  auto* files = new QHBoxLayout;
  for (QWidget* each : std::initializer_list<QWidget*>{new_, study_, open_, folder_, run_, pause_, cancel_})
    files->addWidget(each);
  auto* state = new QHBoxLayout;
  state->addWidget(x_);
  state->addWidget(y_);
  state->addWidget(progress_, 1);
  state->addWidget(told_, 1);
  auto* pictures = new QSplitter(Qt::Horizontal);
  pictures->addWidget(cloud_);
  pictures->addWidget(lines_);
  pictures->setSizes({1000, 1000});  // halves
  auto* all = new QSplitter(Qt::Vertical);
  all->addWidget(pictures);
  all->addWidget(table_);
  all->setStretchFactor(0, 3);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(files);
  layout->addLayout(state);
  layout->addWidget(all, 1);
  for (QCustomPlot* plot : {cloud_, lines_}) plot->setMinimumSize(240, 160);
  cloud_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
  cloud_->setSelectionRectMode(QCP::srmNone);
  steer_by_keys(*cloud_);
  cloud_->setNoAntialiasingOnDrag(true);
  told_->setWordWrap(true);
  told_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  table_->setModel(model_);
  table_->setItemDelegate(new FrontInBold(table_));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->verticalHeader()->setDefaultSectionSize(20);
  constexpr int looked_at = 50;  // rows, for the width of the columns
  table_->horizontalHeader()->setResizeContentsPrecision(looked_at);
  run_->setObjectName("study.run");
  pause_->setObjectName("study.pause");
  cancel_->setObjectName("study.cancel");
  show_running(false);
  new_->setObjectName("study.new");
  connect(new_, &QPushButton::clicked, this, &StudyView::draft_wanted);
  connect(open_, &QPushButton::clicked, this, [this] {
    const QString file = QFileDialog::getOpenFileName(this, tr("Open study"), {}, tr("Studies (*.yaml)"));
    if (!file.isEmpty()) set_study(file);
  });
  connect(run_, &QPushButton::clicked, this, &StudyView::start);
  for (QComboBox* axis : {x_, y_}) axis->setSizeAdjustPolicy(QComboBox::AdjustToContents);
  connect(pause_, &QPushButton::clicked, this, &StudyView::pause);
  connect(cancel_, &QPushButton::clicked, this, &StudyView::cancel);
  for (QComboBox* axis : {x_, y_}) connect(axis, &QComboBox::currentIndexChanged, this, &StudyView::draw_cloud);
  connect(&runner_, &StudyRunner::progressed, this, [this](qint64 stored, qint64 points, double rate) {
    progress_->setRange(0, static_cast<int>(std::min<qint64>(points, std::numeric_limits<int>::max())));
    progress_->setValue(static_cast<int>(stored));
    told_->setText(tr("%1 points/s, %2 s to go")
                       .arg(rate, 0, 'f', 0)
                       .arg(rate > 0 ? static_cast<double>(points - stored) / rate : 0, 0, 'f', 0));
  });
  connect(&runner_, &StudyRunner::finished, this,
          [this](bool complete, const std::shared_ptr<const StudyResults>& results) {
            paused_ = paused_ && !complete;
            show_running(false);
            if (!complete && !paused_) progress_->reset();
            complete_ = complete;
            show_results(results);
            Q_EMIT finished(complete);
          });
  connect(&runner_, &StudyRunner::refused, this, [this](const QString& reason) {
    paused_ = false;
    show_running(false);
    told_->setText(reason);
    Q_EMIT finished(false);
  });
  // With the shift key the mouse draws a rectangle: what lies in it is brushed in every picture.
  connect(cloud_, &QCustomPlot::mousePress, this, [this](QMouseEvent* event) {
    cloud_->setSelectionRectMode(event->modifiers().testFlag(Qt::ShiftModifier) ? QCP::srmCustom : QCP::srmNone);
  });
  connect(cloud_->selectionRect(), &QCPSelectionRect::accepted, this, [this] { brush(); });
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, &StudyView::mark);
  connect(table_, &QTableView::activated, this, [this](const QModelIndex& at) {
    if (results_->request) Q_EMIT chosen(project_of(*results_->request, results_->positions[model_->point(at.row())]));
  });
  retranslate();
}

void StudyView::retranslate() {
  setAccessibleName(tr("Study"));
  study_->setPlaceholderText(tr("study file"));
  study_->setAccessibleName(tr("Study file"));
  folder_->setPlaceholderText(tr("folder of the results"));
  folder_->setAccessibleName(tr("Folder of the results"));
  new_->setText(tr("New…"));
  open_->setText(tr("Open…"));
  run_->setText(paused_ ? tr("Go on") : tr("Run"));
  pause_->setText(tr("Pause"));
  cancel_->setText(tr("Cancel"));
  x_->setAccessibleName(tr("Horizontal axis"));
  y_->setAccessibleName(tr("Vertical axis"));
  progress_->setAccessibleName(tr("Progress"));
  cloud_->setAccessibleName(tr("Points"));
  lines_->setAccessibleName(tr("Parallel coordinates"));
  table_->setAccessibleName(tr("Points"));
  cloud_->setToolTip(tr("Drag with the shift key to brush points."));
  table_->setToolTip(tr("Selected points are marked in the pictures; Enter or a double click shows one in all views."));
  tell();
}

void StudyView::set_study(const QString& file) {
  const auto usual = [](const QString& study) { return QFileInfo(study).completeBaseName() + "-results"; };
  if (folder_->text().isEmpty() || folder_->text() == usual(study_->text())) folder_->setText(usual(file));
  study_->setText(file);
}

void StudyView::set_folder(const QString& folder) { folder_->setText(folder); }

void StudyView::start() {
  if (runner_.running() || study_->text().isEmpty() || folder_->text().isEmpty()) return;
  paused_ = false;
  show_running(true);
  runner_.start(study_->text(), folder_->text(), std::max(1, QThread::idealThreadCount() - 1));
}

void StudyView::show_running(bool running) {
  run_->setEnabled(!running);
  run_->setText(paused_ && !running ? tr("Go on") : tr("Run"));
  pause_->setEnabled(running);
  cancel_->setEnabled(running);
}

void StudyView::pause() {
  paused_ = true;
  runner_.stop();
}

void StudyView::cancel() {
  paused_ = false;
  runner_.stop();
}

void StudyView::show_results(std::shared_ptr<const StudyResults> results) {
  results_ = std::move(results);
  brushed_.clear();
  choose_axes();
  draw();
  tell();
}

void StudyView::tell() {
  if (!results_ || runner_.running()) return;
  const QString points = (complete_ ? tr("%1 points")
                          : paused_ ? tr("paused at %1 points")
                                    : tr("cancelled; the folder keeps %1 points"))
                             .arg(results_->size());
  told_->setText(
      tr("%1, %2 on the front").arg(points).arg(std::count(results_->front.begin(), results_->front.end(), 1)));
}

QString StudyView::csv() const { return results_ ? QString::fromStdString(study_csv(*results_, brushed_)) : QString(); }

std::string StudyView::command(const Project& project, const std::string& file) const {
  if (study_->text().isEmpty() || folder_->text().isEmpty()) return Panel::command(project, file);
  const std::string folder = shell_word(folder_->text().toStdString());
  return "tilewright sweep " + shell_word(study_->text().toStdString()) + " -o " + folder + " && tilewright export " +
         folder;
}

void StudyView::choose_axes() {
  const QSignalBlocker quiet_x(x_), quiet_y(y_);
  for (QComboBox* axis : {x_, y_}) axis->clear();
  for (const StudyColumn& column : results_->columns) {
    for (QComboBox* axis : {x_, y_}) axis->addItem(QString::fromStdString(column.name));
  }
  x_->setCurrentIndex(static_cast<int>(results_->goals.front()));
  y_->setCurrentIndex(static_cast<int>(results_->goals.back()));
}

bool StudyView::is_brushed(std::size_t point) const { return brushed_.empty() || brushed_[point] != 0; }

std::size_t StudyView::brushed() const {
  if (!results_) return 0;
  return brushed_.empty() ? results_->size()
                          : static_cast<std::size_t>(std::count(brushed_.begin(), brushed_.end(), 1));
}

void StudyView::brush() {
  if (!results_) return;
  const QRectF rectangle = cloud_->selectionRect()->rect();
  const QCPRange x(cloud_->xAxis->pixelToCoord(rectangle.left()), cloud_->xAxis->pixelToCoord(rectangle.right()));
  const QCPRange y(cloud_->yAxis->pixelToCoord(rectangle.bottom()), cloud_->yAxis->pixelToCoord(rectangle.top()));
  const std::vector<double>&xs = results_->values[static_cast<std::size_t>(x_->currentIndex())],
        &ys = results_->values[static_cast<std::size_t>(y_->currentIndex())];
  brushed_.assign(results_->size(), 0);
  for (std::size_t p = 0; p < brushed_.size(); ++p) brushed_[p] = x.contains(xs[p]) && y.contains(ys[p]) ? 1 : 0;
  if (std::count(brushed_.begin(), brushed_.end(), 1) == 0) brushed_.clear();
  draw();
}

void StudyView::draw() {
  fill_table();  // first: no row of the old table is marked in the new pictures
  draw_cloud();
  draw_lines();
}

void StudyView::draw_cloud() {
  cloud_->clearPlottables();
  marked_points_ = nullptr;
  style_plot(*cloud_, palette());
  if (!results_ || results_->columns.empty()) return;
  const std::vector<double>&xs = results_->values[static_cast<std::size_t>(x_->currentIndex())],
        &ys = results_->values[static_cast<std::size_t>(y_->currentIndex())];
  enum Cloud { faint, plain, front };
  for (const Cloud which : {faint, plain, front}) {
    QVector<double> x, y;
    for (std::size_t p = 0; p < results_->size(); ++p) {
      const Cloud of = !is_brushed(p) ? faint : results_->front[p] != 0 ? front : plain;
      if (of != which || std::isnan(xs[p]) || std::isnan(ys[p])) continue;
      x.push_back(xs[p]);
      y.push_back(ys[p]);
    }
    auto* graph = new QCPGraph(cloud_->xAxis, cloud_->yAxis);
    graph->setLineStyle(QCPGraph::lsNone);
    const QColor colour = which == front   ? series_colour(3)
                          : which == plain ? series_colour(0)
                                           : palette().color(QPalette::Mid);
    graph->setAdaptiveSampling(true);
    graph->setAntialiasedScatters(false);
    graph->setScatterStyle(which == front ? QCPScatterStyle(QCPScatterStyle::ssDiamond, colour, colour, 8)
                                          : QCPScatterStyle(QCPScatterStyle::ssSquare, colour, 3));
    graph->setData(x, y);
  }
  marked_points_ = new QCPGraph(cloud_->xAxis, cloud_->yAxis);
  marked_points_->setLineStyle(QCPGraph::lsNone);
  marked_points_->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, palette().color(QPalette::Text), 13));
  cloud_->xAxis->setLabel(x_->currentText());
  cloud_->yAxis->setLabel(y_->currentText());
  cloud_->rescaleAxes();
  cloud_->xAxis->scaleRange(1.05);
  cloud_->yAxis->scaleRange(1.05);
  mark();
}

/// One vertical axis a column that differs between points, each scaled to its range; lines of the brushed points, those of the front on top.
void StudyView::draw_lines() {
  lines_->clearPlottables();
  marked_lines_ = nullptr;
  style_plot(*lines_, palette());
  axes_.clear();
  if (!results_) return;
  auto ticks = QSharedPointer<QCPAxisTickerText>(new QCPAxisTickerText);
  for (std::size_t c = 0; c < results_->columns.size(); ++c) {
    const StudyColumn& column = results_->columns[c];
    const QCPRange range = range_of(results_->values[c]);
    if ((column.words.empty() && !column.goal) || !(range.size() > 0)) continue;
    const QString name = QString::fromStdString(column.name.substr(column.name.rfind('.') + 1));
    const bool lower = axes_.size() % 2 == 1;  // names stand in two rows, so that they have room
    ticks->addTick(static_cast<double>(axes_.size()), lower ? '\n' + name : name);
    axes_.emplace_back(c, std::pair(range.lower, range.upper));
  }
  const std::size_t step = std::max<std::size_t>(1, brushed() / most_lines);
  std::size_t nth = 0;
  for (const bool front : {false, true}) {
    auto* lines = new QCPCurve(lines_->xAxis, lines_->yAxis);
    QColor colour = front ? series_colour(3) : series_colour(0);
    const bool dark = palette().color(QPalette::Base).lightness() < 128;
    colour.setAlpha(front ? 220 : dark ? 110 : 60);
    lines->setPen(QPen(colour, front ? 1.6 : 1));
    for (std::size_t p = 0; p < results_->size(); ++p) {
      if (is_brushed(p) && (results_->front[p] != 0) == front && (front || nth++ % step == 0)) add_line(*lines, p);
    }
  }
  marked_lines_ = new QCPCurve(lines_->xAxis, lines_->yAxis);
  marked_lines_->setPen(QPen(palette().color(QPalette::Text), 2.5));
  lines_->xAxis->setTicker(ticks);
  lines_->yAxis->setTickLabels(false);
  constexpr double half = 0.6;  // room for half a name
  lines_->xAxis->setRange(-half, static_cast<double>(axes_.size()) - 1 + half);
  lines_->yAxis->setRange(-0.05, 1.05);
  mark();
}

void StudyView::add_line(QCPCurve& lines, std::size_t point) const {
  for (std::size_t a = 0; a < axes_.size(); ++a) {
    const auto& [column, range] = axes_[a];
    lines.addData(static_cast<double>(a),
                  (results_->values[column][point] - range.first) / (range.second - range.first));
  }
  lines.addData(static_cast<double>(axes_.size()) - 1, std::numeric_limits<double>::quiet_NaN());  // a gap
}

/// The points of the rows that are selected in the table, in both pictures.
void StudyView::mark() {
  const QModelIndexList rows = table_->selectionModel()->selectedRows();
  if (marked_points_ != nullptr) {
    const std::vector<double>&xs = results_->values[static_cast<std::size_t>(x_->currentIndex())],
          &ys = results_->values[static_cast<std::size_t>(y_->currentIndex())];
    marked_points_->data()->clear();
    for (const QModelIndex& row : rows)
      marked_points_->addData(xs[model_->point(row.row())], ys[model_->point(row.row())]);
    cloud_->replot(QCustomPlot::rpQueuedReplot);
  }
  if (marked_lines_ != nullptr) {
    marked_lines_->data()->clear();
    for (const QModelIndex& row : rows) add_line(*marked_lines_, model_->point(row.row()));
    lines_->replot(QCustomPlot::rpQueuedReplot);
  }
}

/// The brushed points, those of the front first.
void StudyView::fill_table() {
  model_->show(results_, brushed_);
  if (results_) table_->resizeColumnsToContents();
}

void StudyView::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange) draw();
}

}  // namespace tilewright::gui
