// The window: a project, its answer, and the views of it.
#pragma once

#include <QMainWindow>
#include <QTranslator>
#include <QUndoStack>
#include <vector>

#include "gui/viewmodels/analyst.hpp"
#include "gui/viewmodels/selection.hpp"

class QAction;
class QComboBox;
class QDockWidget;
class QLabel;
class QMenu;
class QTabWidget;

namespace tilewright::gui {

class Panel;
class StudyView;
class View;
class WhatIfView;

class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  MainWindow();
  ~MainWindow() override;

  /// A network, a chip file or a project by its path, or a network of the generators.
  void open(const QString& path);
  void set_project(const Project& project);
  /// Opens what a window that did not close left behind; false: nothing.
  bool recover();
  const Project& project() const { return project_; }
  AnalysisPtr analysis() const { return analysis_; }

  Selection& selection() { return selection_; }
  QUndoStack& undo_stack() { return undo_; }
  QString status() const;
  void set_dark(bool dark);
  /// "en" or "ru".
  void set_language(const QString& language);
  /// Runs the study that was opened.
  void run_study(const QString& folder);
  /// False while a view is still gathering what it shows.
  bool ready() const;

  /// Names for --screenshot, in the order of the tabs; `window` is the whole window.
  QStringList view_names() const;
  /// Brings a view to the front; false: there is none of this name.
  bool show_view(const QString& name);

 Q_SIGNALS:
  /// A quick answer with known mappings is shown; `answered` or another request follows.
  void previewed();
  void answered();
  void refused(const QString& reason);

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct Shown {
    QString name;
    Panel* panel;
    View* view;         // the same; null: it shows something else than the analysis
    QDockWidget* dock;  // null: a tab
  };

  void build_panel();
  void build_views();
  void build_actions();
  void retranslate();
  void change(const Project& after, const QString& key);
  void change_key(const QString& key, const QString& value);
  void apply(const Project& project);
  void show_answer(const AnalysisPtr& analysis, double seconds);
  void show_views();
  void show_reason(const QString& reason);
  void update_status();
  void open_dialog();
  void save(bool as);
  void new_study();
  /// False: it could not, and the reason is shown.
  bool write(const QString& path, const QByteArray& text);
  void export_current();
  void copy_command_line();
  void pin(bool on);
  void show_recent();
  void remember(const QString& path);
  void autosave();
  /// The one that has the focus, else the tab in front.
  Panel* current_panel() const;

  Project project_;
  AnalysisPtr analysis_, pinned_, unchanged_;
  QString path_;  // of the saved project
  double seconds_ = 0;
  Selection selection_;
  QUndoStack undo_;
  QTranslator translator_, qt_translator_;
  Analyst analyst_;
  Project knobs_of_;  // the sliders were made for its network and chip

  QTabWidget* tabs_;
  std::vector<Shown> views_;
  QComboBox *workload_, *chip_, *objective_, *engine_;
  WhatIfView* what_if_;
  StudyView* study_;
  QLabel *total_, *reason_;
  std::vector<std::pair<QAction*, const char*>> actions_;  // with their untranslated texts
  std::vector<QAction*> tab_actions_;
  std::vector<std::pair<QMenu*, const char*>> menus_;
  std::vector<std::pair<QDockWidget*, const char*>> docks_;
  std::vector<std::pair<QLabel*, const char*>> labels_;
  QMenu* recent_ = nullptr;
  QAction* pin_action_ = nullptr;

  friend class ProjectChange;
};

}  // namespace tilewright::gui
