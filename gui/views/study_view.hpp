// A study: run it, pause it, cancel it, and look at its points as a cloud, as parallel lines and as a table that share what is brushed.
#pragma once

#include "gui/viewmodels/study_runner.hpp"
#include "gui/viewmodels/study_table.hpp"
#include "gui/views/view.hpp"

class QCPCurve;
class QCPGraph;
class QComboBox;
class QCustomPlot;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QTableView;

namespace tilewright::gui {

class StudyView : public Panel {
  Q_OBJECT

 public:
  explicit StudyView(QWidget* parent = nullptr);

  void set_study(const QString& file);
  void set_folder(const QString& folder);
  void start();
  /// Both end the run and keep what is stored; after a pause the view offers to go on.
  void pause();
  void cancel();
  const StudyRunner& runner() const { return runner_; }
  std::shared_ptr<const StudyResults> results() const { return results_; }
  /// Points in the brushed rectangle; all of them when none is brushed.
  std::size_t brushed() const;
  void show_results(std::shared_ptr<const StudyResults> results);
  QCustomPlot& cloud() { return *cloud_; }
  QString csv() const override;
  bool busy() const override { return runner_.running(); }
  std::string command(const Project& project, const std::string& file) const override;

 Q_SIGNALS:
  void finished(bool complete);
  /// A row of the table was activated: its network on its chip is to be shown.
  void chosen(const tilewright::gui::Project& project);
  /// A new study is to be put together from what the window shows.
  void draft_wanted();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void retranslate();
  void choose_axes();
  void tell();
  void draw();
  void draw_cloud();
  void draw_lines();
  void fill_table();
  void brush();
  void mark();
  void add_line(QCPCurve& lines, std::size_t point) const;
  bool is_brushed(std::size_t point) const;
  void show_running(bool running);

  StudyRunner runner_;
  std::shared_ptr<const StudyResults> results_;
  bool complete_ = true;       // nothing was left to run
  std::vector<char> brushed_;  // per point
  QLineEdit *study_, *folder_;
  QPushButton *new_, *open_, *run_, *pause_, *cancel_;
  bool paused_ = false;
  QProgressBar* progress_;
  QLabel* told_;
  QComboBox *x_, *y_;
  QCustomPlot *cloud_, *lines_;
  QCPGraph* marked_points_ = nullptr;  // what is selected in the table
  QCPCurve* marked_lines_ = nullptr;
  std::vector<std::pair<std::size_t, std::pair<double, double>>> axes_;  // of the parallel lines: column, least, most
  StudyTable* model_;
  QTableView* table_;
};

}  // namespace tilewright::gui
