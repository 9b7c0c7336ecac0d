// The loop nest of the selected layer as code, with tiles, accesses, time and energy by level.
#pragma once

#include "gui/views/view.hpp"

class QComboBox;
class QPlainTextEdit;

namespace tilewright::gui {

class TilingView : public View {
  Q_OBJECT

 public:
  explicit TilingView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;

 private:
  void show_kernels();
  void show_kernel(int kernel);
  const LayerEvaluation* layer() const;
  void retranslate();

  QComboBox* kernel_;
  QPlainTextEdit* text_;
  AnalysisPtr analysis_;
};

}  // namespace tilewright::gui
