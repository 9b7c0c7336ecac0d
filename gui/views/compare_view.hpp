// Answers that the user has put aside, beside the one that is shown.
#pragma once

#include "gui/viewmodels/compare.hpp"
#include "gui/views/view.hpp"

class QLabel;
class QTableView;

namespace tilewright::gui {

class CompareView : public View {
  Q_OBJECT

 public:
  explicit CompareView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;

  /// Puts the shown answer aside; at most two, the oldest gives way.
  void keep();
  void clear();

 Q_SIGNALS:
  void put_aside(const std::vector<tilewright::gui::AnalysisPtr>& answers);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void fill();

  CompareModel* model_;
  QTableView* table_;
  QLabel* hint_;
  std::vector<AnalysisPtr> kept_;
  AnalysisPtr analysis_;
};

}  // namespace tilewright::gui
