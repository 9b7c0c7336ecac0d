#include "gui/views/main_window.hpp"

#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QComboBox>
#include <QDir>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QLibraryInfo>
#include <QLineEdit>
#include <QMenu>
#include <QMimeData>
#include <QSaveFile>
#include <QSettings>
#include <QSignalBlocker>
#include <QStandardPaths>
#include <QStatusBar>
#include <QTabWidget>
#include <QUndoCommand>
#include <algorithm>
#include <array>

#include "core/text_file.hpp"
#include "gui/views/export.hpp"
#include "gui/views/study_dialog.hpp"
#include "gui/views/study_view.hpp"
#include "gui/views/theme.hpp"
#include "gui/views/what_if_view.hpp"
#include "sim/report/layer_view.hpp"

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
  QString state =
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
        const std::vector<std::size_t> sizes = axis_sizes(request);
        set_project(project_of(request, Position(sizes.size(), 0)));
        study_->set_study(path);
        if (space_size(sizes) == 1) path_ = path;
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

bool MainWindow::write(const QString& path, const QByteArray& text) {
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(text) == text.size() && file.commit()) return true;
  show_reason(path + ": " + file.errorString());
  return false;
}

void MainWindow::new_study() {
  if (!analysis_) return show_reason(tr("Open a network first: a study starts from it and its chip."));
  StudyDialog dialog(project_, knobs(*analysis_), this);
  if (dialog.exec() != QDialog::Accepted) return;
  const QString path = QFileDialog::getSaveFileName(this, tr("Save study"), "study.yaml", tr("Studies (*.yaml)"));
  if (path.isEmpty() || !write(path, dialog.text().toUtf8())) return;
  study_->set_study(path);
  remember(path);
}

void MainWindow::save(bool as) {
  QString path = path_;
  if (as || path.isEmpty())
    path = QFileDialog::getSaveFileName(this, tr("Save project"), path, tr("Projects (*.yaml)"));
  if (path.isEmpty() || !write(path, QByteArray::fromStdString(project_text(project_)))) return;
  path_ = path;
  undo_.setClean();
  remember(path);
}

Panel* MainWindow::current_panel() const {
  for (const Shown& each : views_) {
    if (each.dock != nullptr && each.panel->isAncestorOf(QApplication::focusWidget())) return each.panel;
  }
  return qobject_cast<Panel*>(tabs_->currentWidget());
}

void MainWindow::export_current() {
  const QString path =
      QFileDialog::getSaveFileName(this, tr("Export view"), {}, tr("Pictures and tables (*.png *.svg *.pdf *.csv)"));
  if (path.isEmpty()) return;
  if (const QString why = export_view(*current_panel(), path); !why.isEmpty()) show_reason(path + ": " + why);
}

void MainWindow::copy_command_line() {
  QApplication::clipboard()->setText(QString::fromStdString(
      current_panel()->command(project_, path_.isEmpty() ? "project.yaml" : path_.toStdString())));
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
    return each.panel->busy() && (each.view == nullptr || each.panel->isVisible());
  });
  return !busy;
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
      tabs_->setCurrentWidget(each.panel);
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
