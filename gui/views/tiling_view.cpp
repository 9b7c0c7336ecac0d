#include "gui/views/tiling_view.hpp"

#include <QComboBox>
#include <QEvent>
#include <QFontDatabase>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSignalBlocker>
#include <QSlider>
#include <QSplitter>
#include <QStackedWidget>
#include <QStyle>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <array>

#include "gui/views/theme.hpp"
#include "gui/views/tile_canvas.hpp"
#include "sim/report/layer_view.hpp"
#include "sim/report/report.hpp"

namespace tilewright::gui {
namespace {

constexpr std::int64_t most_steps = 4096;
constexpr std::array steps_per_second{1, 4, 15, 60};
constexpr int array_level = -1;  // data of the entry that shows the array

}  // namespace

TilingView::TilingView(Selection& selection, QWidget* parent)
    : View(selection, parent),
      kernel_(new QComboBox),
      level_(new QComboBox),
      speed_(new QComboBox),
      back_(new QToolButton),
      play_(new QToolButton),
      next_(new QToolButton),
      position_(new QSlider(Qt::Horizontal)),
      where_(new QLabel),
      text_(new QPlainTextEdit),
      pictures_(new QStackedWidget),
      tiles_(new TileCanvas),
      array_(new WavefrontCanvas),
      clock_(new QTimer(this)) {
  text_->setReadOnly(true);
  text_->setLineWrapMode(QPlainTextEdit::NoWrap);
  text_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  level_->setObjectName("tiling.level");
  position_->setObjectName("tiling.position");
  play_->setObjectName("tiling.play");
  next_->setObjectName("tiling.next");
  back_->setObjectName("tiling.back");
  where_->setObjectName("tiling.where");
  play_->setCheckable(true);
  back_->setAutoRepeat(true);
  next_->setAutoRepeat(true);
  for (const int speed : steps_per_second) speed_->addItem("", speed);
  speed_->setCurrentIndex(1);
  kernel_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  kernel_->setMinimumContentsLength(18);

  auto* top = new QHBoxLayout;
  top->addWidget(kernel_, 1);
  top->addWidget(level_, 1);
  auto* keys = new QHBoxLayout;
  for (QWidget* each : {static_cast<QWidget*>(back_), static_cast<QWidget*>(play_), static_cast<QWidget*>(next_)})
    keys->addWidget(each);
  keys->addWidget(speed_);
  keys->addWidget(position_, 1);
  keys->addWidget(where_);
  pictures_->addWidget(tiles_);
  pictures_->addWidget(array_);
  auto* player = new QWidget;
  auto* column = new QVBoxLayout(player);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(pictures_, 1);
  column->addLayout(keys);
  auto* halves = new QSplitter;
  halves->addWidget(text_);
  halves->addWidget(player);
  halves->setStretchFactor(0, 1);
  halves->setStretchFactor(1, 2);
  halves->setSizes({280, 620});
  auto* layout = new QVBoxLayout(this);
  layout->addLayout(top);
  layout->addWidget(halves, 1);

  connect(kernel_, &QComboBox::currentIndexChanged, this, &TilingView::show_kernel);
  connect(level_, &QComboBox::currentIndexChanged, this, &TilingView::show_level);
  connect(position_, &QSlider::valueChanged, this, &TilingView::show_step);
  connect(play_, &QToolButton::toggled, this, &TilingView::play);
  connect(next_, &QToolButton::clicked, this, [this] { position_->setValue(position_->value() + 1); });
  connect(back_, &QToolButton::clicked, this, [this] { position_->setValue(position_->value() - 1); });
  connect(speed_, &QComboBox::currentIndexChanged, this, [this] { play(play_->isChecked()); });
  connect(clock_, &QTimer::timeout, this, [this] {
    if (position_->value() == position_->maximum()) return play_->setChecked(false);
    position_->setValue(position_->value() + 1);
  });
  connect(&background_, &Background::refused, this, [this](const QString& reason) {
    set_steps(0, false);
    where_->setText(reason);
  });
  draw_icons();
  retranslate();
}

void TilingView::draw_icons() {
  const QColor ink = palette().color(QPalette::ButtonText);
  const auto put = [&](QToolButton* button, QStyle::StandardPixmap shape) {
    button->setIcon(tinted(style()->standardIcon(shape), ink));
  };
  put(back_, QStyle::SP_MediaSkipBackward);
  put(next_, QStyle::SP_MediaSkipForward);
  put(play_, play_->isChecked() ? QStyle::SP_MediaPause : QStyle::SP_MediaPlay);
}

void TilingView::retranslate() {
  setAccessibleName(tr("Tiling"));
  kernel_->setAccessibleName(tr("Kernel of the layer"));
  level_->setAccessibleName(tr("Whose tiles are played"));
  text_->setAccessibleName(tr("Loop nest"));
  text_->setPlaceholderText(tr("Select a layer."));
  tiles_->setAccessibleName(tr("Tiles on the tensors and in the buffers"));
  array_->setAccessibleName(tr("Systolic wavefront"));
  position_->setAccessibleName(tr("Step"));
  speed_->setAccessibleName(tr("Speed"));
  for (auto [button, words] :
       {std::pair{back_, tr("One step back")}, std::pair{play_, tr("Play")}, std::pair{next_, tr("One step on")}}) {
    button->setAccessibleName(words);
    button->setToolTip(words);
  }
  for (int i = 0; i < speed_->count(); ++i)
    speed_->setItemText(i, tr("%1 a second").arg(steps_per_second.at(static_cast<std::size_t>(i))));
  show_kernels();
}

const LayerEvaluation* TilingView::layer() const {
  if (!analysis_ || selection_.row() < 0) return nullptr;
  const auto row = static_cast<std::size_t>(selection_.row());
  return row < analysis_->result.layers.size() ? &analysis_->result.layers[row] : nullptr;
}

const Evaluation* TilingView::evaluation() const {
  const LayerEvaluation* shown = layer();
  const int kernel = kernel_->currentIndex();
  if (shown == nullptr || kernel < 0 || static_cast<std::size_t>(kernel) >= shown->kernels.size()) return nullptr;
  return &shown->kernels[static_cast<std::size_t>(kernel)].first;
}

void TilingView::show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& /*pinned*/) {
  analysis_ = analysis;
  show_kernels();
}

void TilingView::show_selection() { show_kernels(); }

void TilingView::show_kernels() {
  const int before = kernel_->currentIndex();
  {
    const QSignalBlocker quiet(kernel_);
    kernel_->clear();
    if (const LayerEvaluation* shown = layer()) {
      for (std::size_t k = 0; k < shown->kernels.size(); ++k)
        kernel_->addItem(
            tr("%1, kernel %2 of %3").arg(QString::fromStdString(shown->name)).arg(k + 1).arg(shown->kernels.size()));
    }
    if (before > 0 && before < kernel_->count()) kernel_->setCurrentIndex(before);
  }
  show_kernel(kernel_->currentIndex());
}

void TilingView::show_kernel(int /*kernel*/) {
  const Evaluation* shown = evaluation();
  const int before = level_->currentIndex();
  {
    const QSignalBlocker quiet(level_);
    level_->clear();
    if (shown != nullptr) {
      const Chip chip = in_order_of(*shown, analysis_->chip);
      text_->setPlainText(QString::fromStdString(evaluation_text(*shown, chip)));
      for (std::size_t l = 0; l + 1 < chip.levels.size(); ++l) {
        const QString name = QString::fromStdString(chip.levels[l].name);
        level_->addItem(l == 0 ? tr("Tiles that %1 hands out").arg(name)
                               : tr("Inside the first tile of %1: what it hands on").arg(name),
                        static_cast<int>(l));
      }
      if (wavefront_request(*shown, chip)) level_->addItem(tr("The array, cycle by cycle"), array_level);
      if (before >= 0 && before < level_->count()) level_->setCurrentIndex(before);
    } else {
      text_->clear();
    }
  }
  show_level();
}

void TilingView::show_level() {
  play_->setChecked(false);
  background_.cancel();
  busy_ = false;
  stale_ = !isVisible();
  if (stale_) return;
  const Evaluation* shown = evaluation();
  if (shown == nullptr || level_->currentIndex() < 0) {
    steps_.reset();
    wavefront_.reset();
    return set_steps(0, false);
  }
  const int level = level_->currentData().toInt();
  busy_ = true;
  background_.run([this, level, analysis = analysis_, shown](const std::atomic<bool>&) -> std::function<void()> {
    if (level == array_level) {
      WavefrontPtr made = wavefront(*wavefront_request(*shown, analysis->chip), analysis->chip);
      return [this, made] {
        wavefront_ = made;
        set_steps(static_cast<int>(made->frames.size()), true);
      };
    }
    auto made = std::make_shared<const TileSteps>(
        tile_steps(*shown, in_order_of(*shown, analysis->chip), static_cast<std::size_t>(level), most_steps));
    return [this, made] {
      steps_ = made;
      set_steps(static_cast<int>(made->steps.size()), false);
    };
  });
}

void TilingView::set_steps(int count, bool cycles) {
  busy_ = false;
  pictures_->setCurrentWidget(cycles ? static_cast<QWidget*>(array_) : tiles_);
  {
    const QSignalBlocker quiet(position_);
    position_->setRange(0, std::max(count - 1, 0));
    position_->setValue(0);
  }
  for (QWidget* each : {static_cast<QWidget*>(back_), static_cast<QWidget*>(play_), static_cast<QWidget*>(next_),
                        static_cast<QWidget*>(position_)})
    each->setEnabled(count > 1);
  show_step(0);
}

void TilingView::show_step(int step) {
  const auto at = static_cast<std::size_t>(step);
  if (pictures_->currentWidget() == array_) {
    array_->show_cycle(wavefront_, at);
    where_->setText(tr("cycle %1 of %2").arg(step + 1).arg(position_->maximum() + 1));
    return;
  }
  tiles_->show_step(steps_, at);
  if (!steps_) return where_->clear();
  where_->setText((steps_->aggregated ? tr("step %1 of %2, of several tiles each") : tr("step %1 of %2"))
                      .arg(step + 1)
                      .arg(steps_->steps.size()));
}

void TilingView::play(bool on) {
  if (on && position_->value() == position_->maximum()) position_->setValue(0);
  draw_icons();
  if (on) {
    clock_->start(1000 / speed_->currentData().toInt());
  } else {
    clock_->stop();
  }
}

void TilingView::changeEvent(QEvent* event) {
  View::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
  if (event->type() == QEvent::PaletteChange) draw_icons();
}

void TilingView::showEvent(QShowEvent* event) {
  View::showEvent(event);
  if (stale_) show_level();
}

QString TilingView::csv() const {
  QString text = "level,tensor,reads,fills,updates,drains,energy_j\n";
  const LayerEvaluation* shown = layer();
  if (shown == nullptr) return text;
  for (const AccessRow& row : accesses(*shown)) {
    text += QString("%1,%2,%3,%4,%5,%6,%7\n")
                .arg(QString::fromStdString(row.level), QString::fromStdString(row.tensor))
                .arg(row.reads)
                .arg(row.fills)
                .arg(row.updates)
                .arg(row.drains)
                .arg(row.energy.value, 0, 'g', 17);
  }
  return text;
}

}  // namespace tilewright::gui
