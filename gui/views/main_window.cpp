#include "gui/views/main_window.hpp"

#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QLibraryInfo>
#include <QLineEdit>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QSaveFile>
#include <QSettings>
#include <QSignalBlocker>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTabWidget>
#include <QUndoCommand>
#include <QVBoxLayout>
#include <algorithm>
#include <array>

#include "arch_models/load.hpp"
#include "core/text_file.hpp"
#include "gui/views/bars_view.hpp"
#include "gui/views/chip_view.hpp"
#include "gui/views/compare_view.hpp"
#include "gui/views/export.hpp"
#include "gui/views/graph_view.hpp"
#include "gui/views/layers_view.hpp"
#include "gui/views/roofline_view.hpp"
#include "gui/views/study_view.hpp"
#include "gui/views/theme.hpp"
#include "gui/views/tiling_view.hpp"
#include "gui/views/timeline_view.hpp"
#include "gui/views/validation_view.hpp"
#include "gui/views/what_if_view.hpp"
#include "gui/views/why_view.hpp"
#include "sim/report/layer_view.hpp"
#include "workloads/zoo/zoo.hpp"

namespace tilewright::gui {
namespace {

constexpr std::int64_t most_project_bytes = 1 << 20;
constexpr int most_recent = 8;

/// "-12.3 %" of a figure against the pinned one.
QString change_against(double now, double before) {
  if (before <= 0) return {};
  return QString(" (%1%2 %)").arg(now < before ? "" : "+").arg(100 * (now / before - 1), 0, 'f', 1);
}

/// The state of validation that chips without a text of their own have, and those of kernel times, in the language of the window.
QString validation_words(const NetworkEvaluation& result) {
  static constexpr std::array known{QT_TRANSLATE_NOOP("Validation", "not validated"),
                                    QT_TRANSLATE_NOOP("Validation", "kernel times validated on this device"),
                                    QT_TRANSLATE_NOOP("Validation", "kernel times validated on other devices")};
  const auto* const own = std::find(known.begin(), known.end(), result.validation);
  const QString state =
      own == known.end() ? QString::fromStdString(result.validation) : QCoreApplication::translate("Validation", *own);
  if (!result.band_pct) return state;
  return QCoreApplication::translate("Validation", "%1: mean error %2 %").arg(state).arg(*result.band_pct, 0, 'f', 1);
}

QString autosave_path() { return QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) + "/recovery.yaml"; }

}  // namespace

/// An edit of the project. Turning one slider is one edit however many positions it passes.
class ProjectChange : public QUndoCommand {
 public:
  ProjectChange(MainWindow& window, Project before, Project after, QString key)
      : window_(window), before_(std::move(before)), after_(std::move(after)), key_(std::move(key)) {
    setText(key_);
  }
  void undo() override { window_.apply(before_); }
  void redo() override { window_.apply(after_); }
  int id() const override { return 1; }
  bool mergeWith(const QUndoCommand* other) override {
    const auto* next = static_cast<const ProjectChange*>(other);
    if (next->key_ != key_ || key_.isEmpty()) return false;
    after_ = next->after_;
    return true;
  }

 private:
  MainWindow& window_;
  Project before_, after_;
  QString key_;
};

MainWindow::MainWindow()
    : tabs_(new QTabWidget),
      workload_(new QComboBox),
      chip_(new QComboBox),
      objective_(new QComboBox),
      engine_(new QComboBox),
      what_if_(new WhatIfView),
      total_(new QLabel),
      reason_(new QLabel) {
  setAcceptDrops(true);
  setCentralWidget(tabs_);
  setDockOptions(AnimatedDocks | AllowNestedDocks | AllowTabbedDocks);
  build_panel();
  build_views();
  build_actions();
  statusBar()->addWidget(total_, 1);
  reason_->setWordWrap(true);
  reason_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  connect(&analyst_, &Analyst::previewed, this, &MainWindow::show_answer);
  connect(&analyst_, &Analyst::answered, this, &MainWindow::show_answer);
  connect(&analyst_, &Analyst::refused, this, [this](const Project&, const QString& reason) { show_reason(reason); });
  connect(&undo_, &QUndoStack::indexChanged, this, &MainWindow::autosave);
  retranslate();
  resize(1280, 800);
}

MainWindow::~MainWindow() = default;

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
  for (QComboBox* box : {workload_, chip_}) box->setMinimumContentsLength(14);
  objective_->addItems({"", "", ""});
  engine_->addItems({"", "", ""});
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
  const auto tab = [&](const char* name, QWidget* view) {
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
  validation_ = new ValidationView;
  tab("validation", validation_);
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
    connect(view, &QMenu::aboutToShow, show, [this, show, tab] { show->setText(tabs_->tabText(tab)); });
  }
  QAction* dark = action(view, QT_TR_NOOP("&Dark"), Qt::CTRL | Qt::Key_D, [this] {});
  dark->setCheckable(true);
  connect(dark, &QAction::toggled, this, &MainWindow::set_dark);
  QMenu* languages = menu(QT_TR_NOOP("&Language"), view);
  for (const auto& [code, own_name] : {std::pair{"en", "English"}, std::pair{"ru", "Русский"}})
    languages->addAction(QString::fromUtf8(own_name), this, [this, code = QString(code)] { set_language(code); });
  QMenu* help = menu(QT_TR_NOOP("&Help"));
  action(help, QT_TR_NOOP("&Keyboard shortcuts"), Qt::Key_F1, [this] {
    QString sheet;
    for (const QAction* each : findChildren<QAction*>()) {
      if (!each->shortcut().isEmpty())
        sheet += QString("<tr><td><b>%1</b>&nbsp;</td><td>%2</td></tr>")
                     .arg(each->shortcut().toString(QKeySequence::NativeText), each->text().remove('&'));
    }
    QMessageBox::information(this, tr("Keyboard shortcuts"), "<table>" + sheet + "</table>");
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
  for (int tab = 0; tab < tabs_->count(); ++tab) tabs_->setTabText(tab, titles[tab]);
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

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::LanguageChange) retranslate();
}

void MainWindow::open(const QString& path) {
  try {
    const QString kind = QFileInfo(path).suffix().toLower();
    if (kind == "yaml" || kind == "yml") {
      const std::string text = read_file(path.toStdString(), most_project_bytes);
      const Value root = parse_yaml(text, path.toStdString());
      if (root.find("study")) {
        const StudyRequest request = parse_study(text, path.toStdString());
        const bool one_point = space_size(axis_sizes(request)) == 1;
        set_project(read_project(text, path.toStdString()));
        study_->set_study(path);
        if (one_point) path_ = path;
      } else {
        Project after = project_;
        after.chip = path.toStdString();
        after.changes.clear();
        change(after, {});
      }
    } else {
      Project after = project_;
      after.workload = path.toStdString();
      after.changes.clear();
      if (after.chip.empty()) after.chip = "edge-systolic-16x16";
      change(after, {});
    }
    remember(path);
  } catch (const std::exception& error) { show_reason(QString::fromStdString(error.what())); }
}

void MainWindow::set_project(const Project& project) { change(project, {}); }

void MainWindow::change(const Project& after, const QString& key) {
  if (after == project_) return;
  if (project_.workload.empty()) return apply(after);  // the first project is no edit
  undo_.push(new ProjectChange(*this, project_, after, key));
}

void MainWindow::change_key(const QString& key, const QString& value) {
  Project after = project_;
  after.change(key.toStdString(), value.toStdString());
  change(after, key);
}

void MainWindow::apply(const Project& project) {
  project_ = project;
  for (auto [box, text] : {std::pair{workload_, &project.workload}, std::pair{chip_, &project.chip}}) {
    const QSignalBlocker quiet(box);
    box->setCurrentText(QString::fromStdString(*text));
    box->lineEdit()->setCursorPosition(0);  // a long name shows its beginning
    box->setToolTip(box->currentText());
  }
  const QSignalBlocker quiet_objective(objective_), quiet_engine(engine_);
  objective_->setCurrentIndex(static_cast<int>(project.objective));
  engine_->setCurrentIndex(static_cast<int>(project.engine));
  what_if_->follow(project);
  analyst_.ask(project);
}

void MainWindow::show_answer(const AnalysisPtr& analysis, double seconds) {
  analysis_ = analysis;
  seconds_ = seconds;
  reason_->clear();
  const Project& shown = analysis->project;
  if (analysis->asked == project_) project_ = shown;  // with sizes that the network's file leaves open; that is no edit
  if (shown.workload != knobs_of_.workload || shown.chip != knobs_of_.chip) {
    knobs_of_ = shown;
    selection_.select(-1);
    what_if_->show_knobs(knobs(*analysis));
    what_if_->follow(project_);
  }
  // What was pinned while its mappings were still searched.
  if (pinned_ && !pinned_->searched && analysis->searched && pinned_->project == shown) pinned_ = analysis;
  show_views();
  if (analysis->searched) {
    Q_EMIT answered();
  } else {
    Q_EMIT previewed();
  }
}

void MainWindow::show_views() {
  for (const Shown& each : views_) {
    if (each.view != nullptr) each.view->follow(analysis_, pinned_);
  }
  update_status();
}

void MainWindow::show_reason(const QString& reason) {
  reason_->setText("<span style='color:" + series_colour(3).name() + "'>" + QString(QChar(0x26a0)) + "</span> " +
                   reason.toHtmlEscaped());
  Q_EMIT refused(reason);
}

QString MainWindow::status() const { return total_->text(); }

void MainWindow::update_status() {
  if (!analysis_) return total_->setText(tr("Drop an ONNX file here, or choose a network and a chip."));
  const NetworkEvaluation& result = analysis_->result;
  QString latency = QString::fromStdString(human(result.latency)),
          energy = QString::fromStdString(human(result.energy.total()));
  if (pinned_) {
    latency += change_against(result.latency.value, pinned_->result.latency.value);
    energy += change_against(result.energy.total().value, pinned_->result.energy.total().value);
  }
  const QString how = analysis_->searched ? tr("answered in %1 ms").arg(1000 * seconds_, 0, 'f', 0)
                                          : tr("with known mappings, searching better ones…");
  total_->setText(tr("%1 on %2: latency %3, energy %4; %5; %6")
                      .arg(QString::fromStdString(result.workload), QString::fromStdString(result.chip), latency,
                           energy, validation_words(result), how));
}

void MainWindow::pin(bool on) {
  pinned_ = on ? analysis_ : nullptr;
  if (analysis_) show_views();
}

void MainWindow::open_dialog() {
  const QString path = QFileDialog::getOpenFileName(
      this, tr("Open"), {}, tr("Networks, chips and projects (*.onnx *.csv *.yaml *.yml *.cfg);;All files (*)"));
  if (!path.isEmpty()) open(path);
}

void MainWindow::save(bool as) {
  QString path = path_;
  if (as || path.isEmpty())
    path = QFileDialog::getSaveFileName(this, tr("Save project"), path, tr("Projects (*.yaml)"));
  if (path.isEmpty()) return;
  QSaveFile file(path);
  const QByteArray text = QByteArray::fromStdString(project_text(project_));
  if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit()) {
    show_reason(path + ": " + file.errorString());
    return;
  }
  path_ = path;
  undo_.setClean();
  remember(path);
}

View* MainWindow::current_view() const {
  for (const Shown& each : views_) {
    if (each.dock != nullptr && each.widget->isAncestorOf(QApplication::focusWidget())) return each.view;
  }
  return qobject_cast<View*>(tabs_->currentWidget());
}

void MainWindow::export_current() {
  View* view = current_view();
  if (view == nullptr) return show_reason(tr("The figures of a study are in its folder: tilewright export."));
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Export view"), {}, tr("Pictures and tables (*.png *.svg *.pdf *.csv)"));
  if (path.isEmpty()) return;
  if (const QString why = export_view(*view, path); !why.isEmpty()) show_reason(path + ": " + why);
}

void MainWindow::copy_command_line() {
  QApplication::clipboard()->setText(
      QString::fromStdString(command_line(project_, path_.isEmpty() ? "project.yaml" : path_.toStdString())));
  statusBar()->showMessage(QApplication::clipboard()->text(), 5000);
}

void MainWindow::set_dark(bool dark) { QApplication::setPalette(dark ? dark_palette() : light_palette()); }

void MainWindow::set_language(const QString& language) {
  QApplication::removeTranslator(&translator_);
  QApplication::removeTranslator(&qt_translator_);
  // Qt's own words ("Cancel"), where its translations are installed.
  if (qt_translator_.load("qtbase_" + language, QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
    QApplication::installTranslator(&qt_translator_);
  if (translator_.load("tilewright_" + language, ":/i18n")) QApplication::installTranslator(&translator_);
}

void MainWindow::run_study(const QString& folder) {
  study_->set_folder(folder);
  study_->start();
}

bool MainWindow::ready() const {
  const bool busy = std::any_of(views_.begin(), views_.end(), [](const Shown& each) {
    return each.view != nullptr && each.view->isVisible() && each.view->busy();
  });
  return !busy && !validation_->loading() && !study_->runner().running();
}

QStringList MainWindow::view_names() const {
  QStringList names{"window"};
  for (const Shown& each : views_) names << each.name;
  return names;
}

bool MainWindow::show_view(const QString& name) {
  if (name == "window") return true;
  for (const Shown& each : views_) {
    if (each.name != name) continue;
    if (each.dock != nullptr) {
      each.dock->raise();
    } else {
      tabs_->setCurrentWidget(each.widget);
    }
    return true;
  }
  return false;
}

void MainWindow::show_recent() {
  recent_->clear();
  for (const QString& path : QSettings().value("recent").toStringList())
    recent_->addAction(path, this, [this, path] { open(path); });
}

void MainWindow::remember(const QString& path) {
  QSettings settings;
  QStringList recent = settings.value("recent").toStringList();
  const QString whole = QFileInfo(path).absoluteFilePath();
  recent.removeAll(whole);
  recent.prepend(whole);
  while (recent.size() > most_recent) recent.removeLast();
  settings.setValue("recent", recent);
}

void MainWindow::autosave() {
  QDir().mkpath(QFileInfo(autosave_path()).path());
  QSaveFile file(autosave_path());
  if (!file.open(QIODevice::WriteOnly))
    return;  // a recovery copy that cannot be written is no reason to disturb the user
  file.write(QByteArray::fromStdString(project_text(project_)));
  file.commit();
}

bool MainWindow::recover() {
  if (!QFile::exists(autosave_path())) return false;
  open(autosave_path());
  return true;
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  for (const QUrl& url : event->mimeData()->urls()) open(url.toLocalFile());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  QFile::remove(autosave_path());
  QMainWindow::closeEvent(event);
}

}  // namespace tilewright::gui
