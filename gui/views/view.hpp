// What every view of the window is: a panel that can be saved; most show an analysis and follow the selection.
#pragma once

#include <QWidget>
#include <utility>

#include "gui/viewmodels/analysis.hpp"
#include "gui/viewmodels/selection.hpp"

namespace tilewright::gui {

class Panel : public QWidget {
  Q_OBJECT

 public:
  using QWidget::QWidget;

  /// The figures that are drawn, as comma-separated values with a heading.
  virtual QString csv() const = 0;
  /// Something is still being worked out for this panel.
  virtual bool busy() const { return false; }
  /// A command line that reproduces what is shown; `file`: where the project is saved.
  virtual std::string command(const Project& project, const std::string& file) const {
    return command_line(project, file);
  }
  /// Brings what is drawn up to date where that waited for the panel to come in sight.
  virtual void catch_up() {}
};

class View : public Panel {
  Q_OBJECT

 public:
  explicit View(Selection& selection, QWidget* parent = nullptr) : Panel(parent), selection_(selection) {
    connect(&selection_, &Selection::changed, this, [this] {
      selection_missed_ = !in_sight();
      if (!selection_missed_) show_selection();
    });
  }

  /// Shows an answer: at once where the view is in sight, else when it comes there. `pinned`: the answer to compare with; null: none.
  void follow(const AnalysisPtr& analysis, const AnalysisPtr& pinned) {
    missed_ = analysis;
    missed_pinned_ = pinned;
    if (in_sight()) catch_up();
  }
  void catch_up() override {
    if (const AnalysisPtr analysis = std::exchange(missed_, nullptr)) show_analysis(analysis, missed_pinned_);
    if (std::exchange(selection_missed_, false)) show_selection();
  }

 protected:
  virtual void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) = 0;
  virtual void show_selection() {}
  void showEvent(QShowEvent* event) override {
    QWidget::showEvent(event);
    catch_up();
  }

  Selection& selection_;

 private:
  /// Behind another tab it is not; in a window without a display everything is.
  bool in_sight() const { return isVisible() || !window()->isVisible(); }

  AnalysisPtr missed_, missed_pinned_;
  bool selection_missed_ = false;
};

}  // namespace tilewright::gui
