// Why a number is what it is, as a tree that can be followed.
#pragma once

#include "gui/viewmodels/why_model.hpp"
#include "gui/views/view.hpp"

class QTreeView;

namespace tilewright::gui {

class WhyView : public View {
  Q_OBJECT

 public:
  explicit WhyView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;

 private:
  WhyModel* model_;
  QTreeView* tree_;
  AnalysisPtr analysis_;
};

}  // namespace tilewright::gui
