// What every view of the window is: it shows an analysis, follows the selection, and can be saved.
#pragma once

#include <QWidget>

#include "gui/viewmodels/analysis.hpp"
#include "gui/viewmodels/selection.hpp"

namespace tilewright::gui {

class View : public QWidget {
  Q_OBJECT

 public:
  explicit View(Selection& selection, QWidget* parent = nullptr) : QWidget(parent), selection_(selection) {
    connect(&selection_, &Selection::changed, this, [this] { show_selection(); });
  }

  /// `pinned`: the answer to compare with; null: none.
  virtual void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) = 0;
  /// The figures that are drawn, as comma-separated values with a heading.
  virtual QString csv() const = 0;
  /// Something is still being worked out for this view.
  virtual bool busy() const { return false; }

 protected:
  virtual void show_selection() {}

  Selection& selection_;
};

}  // namespace tilewright::gui
