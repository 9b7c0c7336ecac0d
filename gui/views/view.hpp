// What every view of the window is: it shows an analysis, follows the selection, and can be saved.
#pragma once

#include <QWidget>
#include <utility>

#include "gui/viewmodels/analysis.hpp"
#include "gui/viewmodels/selection.hpp"

namespace tilewright::gui {

class View : public QWidget {
  Q_OBJECT

 public:
  explicit View(Selection& selection, QWidget* parent = nullptr) : QWidget(parent), selection_(selection) {
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
  void catch_up() {
    if (const AnalysisPtr analysis = std::exchange(missed_, nullptr)) show_analysis(analysis, missed_pinned_);
    if (std::exchange(selection_missed_, false)) show_selection();
  }

  /// The figures that are drawn, as comma-separated values with a heading.
  virtual QString csv() const = 0;
  /// Something is still being worked out for this view.
  virtual bool busy() const { return false; }

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
