// The loop nest of the selected layer as code, and its tiles played step by step, level by level, down to the array.
#pragma once

#include <memory>

#include "gui/viewmodels/background.hpp"
#include "gui/viewmodels/tile_steps.hpp"
#include "gui/viewmodels/wavefront.hpp"
#include "gui/views/view.hpp"

class QComboBox;
class QLabel;
class QPlainTextEdit;
class QSlider;
class QStackedWidget;
class QTimer;
class QToolButton;

namespace tilewright::gui {

class TileCanvas;
class WavefrontCanvas;

class TilingView : public View {
  Q_OBJECT

 public:
  explicit TilingView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;
  bool busy() const override { return busy_; }

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  void show_kernels();
  void show_kernel(int kernel);
  void show_level();
  void set_steps(int count, bool cycles);
  void show_step(int step);
  void play(bool on);
  const LayerEvaluation* layer() const;
  const Evaluation* evaluation() const;
  void draw_icons();
  void retranslate();

  QComboBox *kernel_, *level_, *speed_;
  QToolButton *back_, *play_, *next_;
  QSlider* position_;
  QLabel* where_;
  QPlainTextEdit* text_;
  QStackedWidget* pictures_;
  TileCanvas* tiles_;
  WavefrontCanvas* array_;
  QTimer* clock_;
  AnalysisPtr analysis_;
  std::shared_ptr<const TileSteps> steps_;
  WavefrontPtr wavefront_;
  bool stale_ = true;  // what is shown is not that of the kernel
  bool busy_ = false;
  Background background_;  // last: it is stopped first
};

}  // namespace tilewright::gui
