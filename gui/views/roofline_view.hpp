// Roofs of memory levels and number formats, one dot a layer; other answers beside them.
#pragma once

#include "gui/viewmodels/roofline_lines.hpp"
#include "gui/views/view.hpp"

class QCPItemText;
class QCustomPlot;
class QMouseEvent;

namespace tilewright::gui {

class RooflineView : public View {
  Q_OBJECT

 public:
  explicit RooflineView(Selection& selection, QWidget* parent = nullptr);
  void show_analysis(const AnalysisPtr& analysis, const AnalysisPtr& pinned) override;
  QString csv() const override;
  std::string command(const Project& project, const std::string& file) const override {
    return command_line(project, file, Asked::roofline);
  }
  /// Answers that were put aside, in the order in which they were.
  void set_aside(std::vector<AnalysisPtr> answers);

  /// Of the dots of another answer.
  struct OtherLook {
    std::size_t colour;  // of the series
    int shape;           // QCPScatterStyle::ScatterShape
    QChar sign;          // that stands for it in words
  };

 protected:
  void show_selection() override;
  void changeEvent(QEvent* event) override;

 private:
  void fit();
  void draw();
  void draw_zones();
  void draw_roofs(const RooflineLines& lines, bool shown);
  void draw_dots(const Analysis& analysis, const OtherLook* other);
  void draw_moves(const Analysis& from);
  void draw_path();
  void lower(QCPItemText& text);
  void draw_gain();
  void name_answers();
  std::vector<AnalysisPtr> others() const;
  int dot_at(const QPointF& place) const;
  void hover(QMouseEvent* event);
  void click(QMouseEvent* event);

  QCustomPlot* plot_;
  AnalysisPtr analysis_, pinned_;
  std::vector<AnalysisPtr> aside_;
  RooflineLines lines_;
};

}  // namespace tilewright::gui
