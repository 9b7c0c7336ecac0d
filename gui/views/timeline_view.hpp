// The simulated schedule: a lane for each resource, those of arrays and cores with their standstills by cause.
#pragma once

#include "gui/viewmodels/background.hpp"
#include "gui/viewmodels/timeline.hpp"
#include "gui/views/view.hpp"

class QLabel;
class QPushButton;
class QScrollBar;
class QToolButton;

namespace tilewright::gui {

class TimelineCanvas;

class TimelineView : public View {
  Q_OBJECT

 public:
  explicit TimelineView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;
  std::string command(const Project& project, const std::string& file) const override {
    return command_line(project, file, Asked::trace);
  }
  bool busy() const override { return busy_; }
  TimelinePtr timeline() const { return timeline_; }
  /// Simulates again and writes the trace; says when it is there.
  void save_trace(const QString& path);

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;
  void showEvent(QShowEvent* event) override;

 private:
  void simulate();
  void cancel();
  void clear();
  void set_busy(bool busy);
  void show_state();
  void retranslate();
  Simulation limits(std::size_t most_slices, const std::atomic<bool>& stop);

  TimelineCanvas* canvas_;
  QScrollBar *bar_, *lanes_;
  QLabel* state_;
  QPushButton *simulate_, *cancel_, *trace_;
  QToolButton *closer_, *wider_, *all_;
  AnalysisPtr analysis_;
  TimelinePtr timeline_;
  bool stale_ = true, busy_ = false;
  Background background_;  // last: it is stopped first
};

}  // namespace tilewright::gui
