#include "gui/views/timeline_view.hpp"

#include <QFileDialog>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QSaveFile>
#include <QScrollBar>
#include <QShowEvent>
#include <QSignalBlocker>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>
#include <chrono>

#include "gui/views/timeline_canvas.hpp"
#include "sim/report/layer_view.hpp"

namespace tilewright::gui {
namespace {

constexpr std::size_t most_slices = 2'000'000;      // that are drawn: 80 MB
constexpr std::size_t most_trace_slices = 500'000;  // as the command line writes
constexpr int bar_steps = 100'000;

}  // namespace

TimelineView::TimelineView(Selection& selection, QWidget* parent)
    : View(selection, parent),
      canvas_(new TimelineCanvas),
      bar_(new QScrollBar(Qt::Horizontal)),
      lanes_(new QScrollBar(Qt::Vertical)),
      state_(new QLabel),
      simulate_(new QPushButton),
      cancel_(new QPushButton),
      trace_(new QPushButton),
      closer_(new QToolButton),
      wider_(new QToolButton),
      all_(new QToolButton) {
  canvas_->setObjectName("timeline.canvas");
  simulate_->setObjectName("timeline.simulate");
  cancel_->setObjectName("timeline.cancel");
  trace_->setObjectName("timeline.trace");
  state_->setObjectName("timeline.state");
  closer_->setText("+");
  wider_->setText(QChar(0x2212));
  all_->setText(QChar(0x2194));
  auto* keys = new QHBoxLayout;
  for (QWidget* each : {static_cast<QWidget*>(simulate_), static_cast<QWidget*>(cancel_)}) keys->addWidget(each);
  keys->addWidget(state_, 1);
  for (QWidget* each : {static_cast<QWidget*>(closer_), static_cast<QWidget*>(wider_), static_cast<QWidget*>(all_),
                        static_cast<QWidget*>(trace_)})
    keys->addWidget(each);
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(keys);
  auto* middle = new QHBoxLayout;
  middle->addWidget(canvas_, 1);
  middle->addWidget(lanes_);
  layout->addLayout(middle, 1);
  layout->addWidget(bar_);
  connect(simulate_, &QPushButton::clicked, this, &TimelineView::simulate);
  connect(cancel_, &QPushButton::clicked, this, &TimelineView::cancel);
  connect(trace_, &QPushButton::clicked, this, [this] {
    const QString path = QFileDialog::getSaveFileName(this, tr("Export trace"), {}, tr("Traces (*.json)"));
    if (!path.isEmpty()) save_trace(path);
  });
  connect(closer_, &QToolButton::clicked, this, [this] { canvas_->zoom(2, canvas_->width() / 2.0); });
  connect(wider_, &QToolButton::clicked, this, [this] { canvas_->zoom(0.5, canvas_->width() / 2.0); });
  connect(all_, &QToolButton::clicked, canvas_, &TimelineCanvas::show_all);
  connect(canvas_, &TimelineCanvas::selected, &selection_, &Selection::select);
  connect(canvas_, &TimelineCanvas::moved, this, [this] {
    if (!timeline_) return;
    const double end = std::max(static_cast<double>(timeline_->end), 1.0),
                 span = (canvas_->to() - canvas_->from()) / end;
    const QSignalBlocker quiet(bar_), quiet_lanes(lanes_);
    lanes_->setRange(0, canvas_->hidden_height());
    lanes_->setVisible(canvas_->hidden_height() > 0);
    lanes_->setValue(canvas_->scrolled());
    bar_->setPageStep(std::max(1, static_cast<int>(span * bar_steps)));
    bar_->setRange(0, bar_steps - bar_->pageStep());
    bar_->setValue(static_cast<int>(canvas_->from() / end * bar_steps));
  });
  connect(lanes_, &QScrollBar::valueChanged, canvas_, &TimelineCanvas::scroll_to);
  connect(bar_, &QScrollBar::valueChanged, this, [this](int value) {
    if (timeline_) canvas_->move_to(static_cast<double>(timeline_->end) * value / bar_steps);
  });
  connect(&background_, &Background::refused, this, [this](const QString& reason) {
    clear();
    set_busy(false);
    state_->setText(reason);
  });
  set_busy(false);
  retranslate();
}

void TimelineView::retranslate() {
  setAccessibleName(tr("Timeline"));
  canvas_->setAccessibleName(tr("Simulated schedule by resource"));
  bar_->setAccessibleName(tr("Time that is shown"));
  lanes_->setAccessibleName(tr("Lanes that are shown"));
  simulate_->setText(tr("Simulate"));
  cancel_->setText(tr("Cancel"));
  trace_->setText(tr("Export trace…"));
  trace_->setToolTip(tr("A Chrome trace, opened by Perfetto"));
  for (auto [button, words] :
       {std::pair{closer_, tr("Closer")}, std::pair{wider_, tr("Wider")}, std::pair{all_, tr("All")}}) {
    button->setAccessibleName(words);
    button->setToolTip(words);
  }
  canvas_->update();
  if (timeline_ && !busy_) show_state();
}

void TimelineView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  if (analysis == analysis_ || !analysis->searched) return;  // a schedule is only played with the mappings that stay
  // A changed figure leaves the old picture until the new one is there; another network or chip does not.
  if (analysis_ &&
      (analysis->project.workload != analysis_->project.workload || analysis->project.chip != analysis_->project.chip))
    clear();
  analysis_ = analysis;
  stale_ = true;
  if (isVisible()) return simulate();
  background_.cancel();
  set_busy(false);
}

void TimelineView::show_selection() { canvas_->show_row(selection_.row()); }

void TimelineView::showEvent(QShowEvent* event) {
  const bool old = stale_;  // left before its schedule was there
  const AnalysisPtr before = analysis_;
  View::showEvent(event);
  if (old && analysis_ == before && analysis_) simulate();
}

void TimelineView::clear() {
  timeline_.reset();
  canvas_->show_timeline(nullptr);
}

void TimelineView::set_busy(bool busy) {
  busy_ = busy;
  simulate_->setEnabled(!busy && analysis_ != nullptr);
  cancel_->setEnabled(busy);
  trace_->setEnabled(!busy && timeline_ != nullptr && !stale_);
}

Simulation TimelineView::limits(std::size_t slices, const std::atomic<bool>& stop) {
  using Clock = std::chrono::steady_clock;
  auto last = std::make_shared<Clock::time_point>(Clock::now());
  return {slices, &stop, [this, last](Cycles cycles) {
            if (Clock::now() - *last < std::chrono::milliseconds(100)) return;
            *last = Clock::now();
            QMetaObject::invokeMethod(
                this,
                [this, cycles] {
                  if (busy_) state_->setText(tr("%1 cycles simulated").arg(cycles.value, 0, 'g', 3));
                },
                Qt::QueuedConnection);
          }};
}

void TimelineView::simulate() {
  if (!analysis_) return;
  stale_ = false;
  set_busy(true);
  state_->setText(tr("simulating"));
  background_.run([this, analysis = analysis_](const std::atomic<bool>& stop) -> std::function<void()> {
    TimelinePtr made = simulate_timeline(*analysis, limits(most_slices, stop));
    return [this, made] {
      timeline_ = made;
      set_busy(false);
      show_state();
      canvas_->show_timeline(made);
      show_selection();
    };
  });
}

void TimelineView::show_state() {
  QString text = tr("%1 simulated").arg(QString::fromStdString(human(timeline_->result.latency)));
  if (timeline_->left_out > 0) text += tr("; the last %1 slices are not drawn").arg(timeline_->left_out);
  state_->setText(text);
}

void TimelineView::cancel() {
  background_.cancel();
  set_busy(false);
  state_->setText(tr("cancelled"));
}

void TimelineView::save_trace(const QString& path) {
  if (!analysis_) return;
  set_busy(true);
  state_->setText(tr("simulating"));
  background_.run([this, path, analysis = analysis_](const std::atomic<bool>& stop) -> std::function<void()> {
    const std::string trace = simulate_trace(*analysis, limits(most_trace_slices, stop));
    QString why;
    QSaveFile file(path);
    const auto size = static_cast<qint64>(trace.size());
    if (!file.open(QIODevice::WriteOnly) || file.write(trace.data(), size) != size || !file.commit())
      why = file.errorString();
    return [this, path, why] {
      set_busy(false);
      state_->setText(why.isEmpty() ? tr("written to %1; open it in Perfetto").arg(path) : path + ": " + why);
    };
  });
}

void TimelineView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

QString TimelineView::csv() const {
  QString text = "lane,kind,layer,step,start_s,duration_s,bytes\n";
  if (!timeline_) return text;
  for (const Lane& lane : timeline_->lanes) {
    for (const Slice& slice : lane.slices) {
      const auto seconds = [&](Ticks ticks) { return cycles_of(ticks).value / timeline_->clock.value; };
      text += QString("%1,%2,\"%3\",%4,%5,%6,%7\n")
                  .arg(QString::fromStdString(lane.name), QString(name(slice.kind)),
                       QString::fromStdString(timeline_->result.layers[static_cast<std::size_t>(slice.row)].name)
                           .replace('"', "\"\""))
                  .arg(slice.step)
                  .arg(seconds(slice.start), 0, 'g', 17)
                  .arg(seconds(slice.end - slice.start), 0, 'g', 17)
                  .arg(slice.bytes);
    }
  }
  return text;
}

}  // namespace tilewright::gui
