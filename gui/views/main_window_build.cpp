// What the window is made of: panel, views, menus, and their words.
#include <QAction>
#include <QComboBox>
#include <QDockWidget>
#include <QFormLayout>
#include <QLabel>
#include <QMenuBar>
#include <QTabWidget>
#include <QVBoxLayout>

#include "arch_models/load.hpp"
#include "gui/views/bars_view.hpp"
#include "gui/views/chip_view.hpp"
#include "gui/views/compare_view.hpp"
#include "gui/views/graph_view.hpp"
#include "gui/views/layers_view.hpp"
#include "gui/views/main_window.hpp"
#include "gui/views/roofline_view.hpp"
#include "gui/views/shortcut_sheet.hpp"
#include "gui/views/study_view.hpp"
#include "gui/views/tiling_view.hpp"
#include "gui/views/timeline_view.hpp"
#include "gui/views/validation_view.hpp"
#include "gui/views/what_if_view.hpp"
#include "gui/views/why_view.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright::gui {

void MainWindow::build_panel() {
  auto* panel = new QWidget;
  auto* layout = new QVBoxLayout(panel);
  auto* form = new QFormLayout;
  form->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
  workload_->setEditable(true);
  workload_->setInsertPolicy(QComboBox::NoInsert);
  for (const Generator& generator : generators())
    workload_->addItem(QString::fromUtf8(generator.name.data(), static_cast<qsizetype>(generator.name.size())));
  for (const std::string& chip : chip_library()) chip_->addItem(QString::fromStdString(chip));
  chip_->setEditable(true);
  chip_->setInsertPolicy(QComboBox::NoInsert);
  for (QComboBox* box : {workload_, chip_}) {
    box->setMinimumContentsLength(14);
    box->setCurrentIndex(-1);  // nothing is shown yet
  }
  objective_->addItems({"", "", ""});
  engine_->addItems({"", "", ""});
  engine_->setCurrentIndex(static_cast<int>(project_.engine));
  objective_->setObjectName("objective");
  engine_->setObjectName("engine");
  const auto add = [&](const char* text, QWidget* field) {
    auto* label = new QLabel;
    label->setBuddy(field);
    form->addRow(label, field);
    labels_.emplace_back(label, text);
  };
  add(QT_TR_NOOP("&Network"), workload_);
  add(QT_TR_NOOP("&Chip"), chip_);
  add(QT_TR_NOOP("&Objective"), objective_);
  add(QT_TR_NOOP("En&gine"), engine_);
  layout->addLayout(form);
  layout->addWidget(reason_);
  layout->addWidget(what_if_, 1);
  auto* dock = new QDockWidget;
  dock->setObjectName("project");
  dock->setWidget(panel);
  addDockWidget(Qt::LeftDockWidgetArea, dock);
  docks_.emplace_back(dock, QT_TR_NOOP("What if"));

  const auto rename = [this] {
    Project after = project_;
    after.workload = workload_->currentText().toStdString();
    after.chip = chip_->currentText().toStdString();
    if (after.workload != project_.workload || after.chip != project_.chip) after.changes.clear();
    after.objective = static_cast<Objective>(objective_->currentIndex());
    after.engine = static_cast<Engine>(engine_->currentIndex());
    change(after, {});
  };
  for (QComboBox* box : {workload_, chip_, objective_, engine_}) connect(box, &QComboBox::activated, this, rename);
  connect(what_if_, &WhatIfView::turned, this, &MainWindow::change_key);
}

void MainWindow::build_views() {
  const auto tab = [&](const char* name, Panel* view) {
    tabs_->addTab(view, "");
    views_.push_back({name, view, qobject_cast<View*>(view), nullptr});
  };
  tab("graph", new GraphView(selection_));
  auto* roofline = new RooflineView(selection_);
  tab("roofline", roofline);
  tab("bars", new BarsView(selection_));
  tab("tiling", new TilingView(selection_));
  tab("timeline", new TimelineView(selection_));
  auto* chip = new ChipView(selection_);
  tab("chip", chip);
  connect(chip, &ChipView::edited, this, &MainWindow::change_key);
  auto* compare = new CompareView(selection_);
  tab("compare", compare);
  connect(compare, &CompareView::put_aside, roofline, &RooflineView::set_aside);
  study_ = new StudyView;
  tab("study", study_);
  connect(study_, &StudyView::chosen, this, &MainWindow::set_project);
  connect(study_, &StudyView::draft_wanted, this, &MainWindow::new_study);
  tab("validation", new ValidationView);
  const auto dock = [&](const char* name, const char* title, View* view, Qt::DockWidgetArea area) {
    auto* holder = new QDockWidget;
    holder->setObjectName(name);
    holder->setWidget(view);
    addDockWidget(area, holder);
    docks_.emplace_back(holder, title);
    views_.push_back({name, view, view, holder});
  };
  dock("layers", QT_TR_NOOP("Layers"), new LayersView(selection_), Qt::BottomDockWidgetArea);
  dock("why", QT_TR_NOOP("Why?"), new WhyView(selection_), Qt::BottomDockWidgetArea);
  tabifyDockWidget(views_[views_.size() - 2].dock, views_.back().dock);
  views_[views_.size() - 2].dock->raise();
  resizeDocks({docks_.front().first}, {350}, Qt::Horizontal);
  resizeDocks({views_.back().dock}, {230}, Qt::Vertical);
}

void MainWindow::build_actions() {
  const auto menu = [&](const char* title, QMenu* above = nullptr) {
    QMenu* added = above == nullptr ? menuBar()->addMenu("") : above->addMenu("");
    menus_.emplace_back(added, title);
    return added;
  };
  const auto action = [&](QMenu* to, const char* text, const QKeySequence& keys, const auto& does) {
    QAction* added = to->addAction("");
    added->setShortcut(keys);
    connect(added, &QAction::triggered, this, does);
    actions_.emplace_back(added, text);
    return added;
  };
  QMenu* file = menu(QT_TR_NOOP("&File"));
  action(file, QT_TR_NOOP("&Open…"), QKeySequence::Open, [this] { open_dialog(); });
  recent_ = menu(QT_TR_NOOP("Open &recent"), file);
  connect(recent_, &QMenu::aboutToShow, this, &MainWindow::show_recent);
  QMenu* samples = menu(QT_TR_NOOP("Sa&mple projects"), file);
  action(samples, QT_TR_NOOP("MobileNetV2 on an edge array"), {}, [this] {
    set_project({"mobilenet_v2", "edge-systolic-16x16", {}});
  });
  action(samples, QT_TR_NOOP("ResNet-50 on an A100"), {}, [this] { set_project({"resnet50", "a100-sxm4-80gb", {}}); });
  action(samples, QT_TR_NOOP("LLaMA-7B, one token, on a TPU v4i"), {}, [this] {
    set_project({"llama-7b:phase=decode", "tpu-v4i", {}});
  });
  file->addSeparator();
  action(file, QT_TR_NOOP("&Save project"), QKeySequence::Save, [this] { save(false); });
  action(file, QT_TR_NOOP("Save project &as…"), QKeySequence::SaveAs, [this] { save(true); });
  action(file, QT_TR_NOOP("&Export view…"), Qt::CTRL | Qt::Key_E, [this] { export_current(); });
  action(file, QT_TR_NOOP("&Copy as command line"), Qt::CTRL | Qt::SHIFT | Qt::Key_C, [this] { copy_command_line(); });
  file->addSeparator();
  action(file, QT_TR_NOOP("&Quit"), QKeySequence::Quit, [this] { close(); });

  QMenu* edit = menu(QT_TR_NOOP("&Edit"));
  QAction* undo = action(edit, QT_TR_NOOP("&Undo"), QKeySequence::Undo, [this] { undo_.undo(); });
  QAction* redo = action(edit, QT_TR_NOOP("&Redo"), QKeySequence::Redo, [this] { undo_.redo(); });
  undo->setEnabled(false);
  redo->setEnabled(false);
  connect(&undo_, &QUndoStack::canUndoChanged, undo, &QAction::setEnabled);
  connect(&undo_, &QUndoStack::canRedoChanged, redo, &QAction::setEnabled);
  pin_action_ =
      action(edit, QT_TR_NOOP("&Pin as baseline"), Qt::CTRL | Qt::Key_B, [this] { pin(pin_action_->isChecked()); });
  pin_action_->setCheckable(true);
  action(edit, QT_TR_NOOP("All as the files &say"), {}, [this] {
    Project after = project_;
    after.changes.clear();
    change(after, {});
  });

  QMenu* view = menu(QT_TR_NOOP("&View"));
  for (int tab = 0; tab < tabs_->count(); ++tab) {
    QAction* show = view->addAction("");
    show->setShortcut(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + tab));
    connect(show, &QAction::triggered, tabs_, [this, tab] { tabs_->setCurrentIndex(tab); });
    tab_actions_.push_back(show);
  }
  QAction* dark = action(view, QT_TR_NOOP("&Dark"), Qt::CTRL | Qt::Key_D, [this] {});
  dark->setCheckable(true);
  connect(dark, &QAction::toggled, this, &MainWindow::set_dark);
  QMenu* languages = menu(QT_TR_NOOP("&Language"), view);
  for (const auto& [code, own_name] : {std::pair{"en", "English"}, std::pair{"ru", "Русский"}})
    languages->addAction(QString::fromUtf8(own_name), this, [this, code = QString(code)] { set_language(code); });
  QMenu* help = menu(QT_TR_NOOP("&Help"));
  action(help, QT_TR_NOOP("&Keyboard shortcuts"), Qt::Key_F1, [this] {
    auto* sheet = new ShortcutSheet(findChildren<QAction*>(), this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->open();
  });
}

void MainWindow::retranslate() {
  setWindowTitle(tr("Tilewright"));
  for (const auto& [action, text] : actions_) action->setText(tr(text));
  for (const auto& [menu, text] : menus_) menu->setTitle(tr(text));
  for (const auto& [dock, text] : docks_) dock->setWindowTitle(tr(text));
  for (const auto& [label, text] : labels_) label->setText(tr(text));
  const QStringList titles{tr("Graph"), tr("Roofline"), tr("Time and energy"), tr("Tiling"),    tr("Timeline"),
                           tr("Chip"),  tr("Compare"),  tr("Study"),           tr("Validation")};
  for (int tab = 0; tab < tabs_->count(); ++tab) {
    tabs_->setTabText(tab, titles[tab]);
    tab_actions_[static_cast<std::size_t>(tab)]->setText(titles[tab]);
  }
  for (const auto& [objective, text] :
       {std::pair{Objective::latency, tr("latency")}, std::pair{Objective::energy, tr("energy")},
        std::pair{Objective::edp, tr("energy × delay")}})
    objective_->setItemText(static_cast<int>(objective), text);
  for (const auto& [engine, text] :
       {std::pair{Engine::roofline, tr("roofline")}, std::pair{Engine::analytical, tr("analytical")},
        std::pair{Engine::systemc, tr("SystemC, simulated")}})
    engine_->setItemText(static_cast<int>(engine), text);
  what_if_->retranslate();
  update_status();
}

}  // namespace tilewright::gui
