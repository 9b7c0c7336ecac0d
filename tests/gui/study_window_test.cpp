#include "tests/gui/study_window_test.hpp"

#include <qcustomplot.h>

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTableView>
#include <QTest>
#include <QTimer>

#include "gui/views/export.hpp"
#include "gui/views/main_window.hpp"
#include "gui/views/roofline_view.hpp"
#include "gui/views/study_dialog.hpp"
#include "gui/views/study_view.hpp"
#include "gui/views/theme.hpp"
#include "tests/cli/program.hpp"

namespace tilewright::gui {
namespace {

constexpr int patience = 240'000;  // ms, on a loaded machine
using test::Scratch;

/// Networks and chips under a limit of area: 24 points, of which the largest chips miss it.
const std::string joint =
    "study: joint\nspace: nasbench-macro\narchitectures: {sample: 4}\n"
    "accuracy: {table: nasbench_macro_cifar10.csv, score: mean_accuracy_pct}\n"
    "chips: [" TILEWRIGHT_SOURCE_DIR
    "/docs/examples/edge_by_parts.yaml]\n"
    "vary:\n  chip.compute.rows: [8, 16, 32]\n  chip.levels.Scratchpad.capacity: [64 KiB, 256 KiB]\n"
    "constraints: [\"area <= 4 mm2\"]\n"
    "objectives: {maximize: [accuracy], minimize: [latency, energy, area, price]}\nseed: 2\n";

/// Opens a study in the window; its results go to `folder`.
StudyView& opened(MainWindow& window, const std::string& file, const std::string& folder) {
  window.show();
  window.open(QString::fromStdString(file));
  window.show_view("study");
  auto* view = window.findChild<StudyView*>();
  view->set_folder(QString::fromStdString(folder));
  return *view;
}

bool click(StudyView& view, const char* button) {
  auto* found = view.findChild<QPushButton*>(button);
  if (found == nullptr || !found->isEnabled()) return false;
  QTest::mouseClick(found, Qt::LeftButton);
  return true;
}

void run(StudyView& view) {
  QSignalSpy finished(&view, &StudyView::finished);
  QVERIFY(click(view, "study.run"));
  QVERIFY(finished.count() > 0 || finished.wait(patience));
  QVERIFY(finished.front().front().toBool());
}

QAction* action_of(const MainWindow& window, const QKeySequence& keys) {
  for (QAction* action : window.findChildren<QAction*>()) {
    if (action->shortcut() == keys) return action;
  }
  return nullptr;
}

}  // namespace

void StudyWindowTest::initTestCase() {
  QStandardPaths::setTestModeEnabled(true);
  QCoreApplication::setApplicationName(QString("tilewright-study-%1").arg(QCoreApplication::applicationPid()));
}

void StudyWindowTest::cleanupTestCase() {
  QDir(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation)).removeRecursively();
}

void StudyWindowTest::a_study_is_swept_cancelled_and_gone_on_with() {
  const Scratch scratch;
  std::string layers;
  for (int m = 1; m <= 400; ++m) layers += (m > 1 ? ", " : "") + ("\"gemm:m=" + std::to_string(8 * m) + ",n=64,k=64\"");
  MainWindow window;
  StudyView& view = opened(
      window, scratch.file("study.yaml", "study: many\nworkloads: [" + layers + "]\nchips: [edge-systolic-16x16]\n"),
      scratch.path("results"));
  QSignalSpy progressed(&view.runner(), &StudyRunner::progressed), finished(&view, &StudyView::finished);
  QVERIFY(click(view, "study.run"));
  QVERIFY(view.busy());
  QVERIFY(progressed.count() > 0 || progressed.wait(patience));
  QVERIFY(click(view, "study.cancel"));
  QVERIFY(finished.count() > 0 || finished.wait(patience));
  const bool cancelled = !finished.takeFirst().front().toBool();
  const std::size_t stored = view.results()->size();
  QVERIFY(stored > 0);
  QCOMPARE(cancelled, stored < 400);
  run(view);
  QCOMPARE(view.results()->size(), std::size_t{400});
}

void StudyWindowTest::networks_and_chips_are_designed_together_paused_brushed_and_exported() {
  const Scratch scratch;
  const std::string file = scratch.file("joint.yaml", joint);
  MainWindow window;
  StudyView& view = opened(window, file, scratch.path("results"));
  {
    QSignalSpy progressed(&view.runner(), &StudyRunner::progressed), finished(&view, &StudyView::finished);
    QVERIFY(click(view, "study.run"));
    QVERIFY(progressed.count() > 0 || progressed.wait(patience));
    QVERIFY(view.findChild<QProgressBar*>()->maximum() == 24);
    QVERIFY(click(view, "study.pause"));
    QVERIFY(finished.count() > 0 || finished.wait(patience));
    const bool paused = !finished.front().front().toBool();
    QCOMPARE(view.findChild<QPushButton*>("study.run")->text(), paused ? QString("Go on") : QString("Run"));
    if (paused) run(view);
  }
  const auto results = view.results();
  QCOMPARE(results->size(), std::size_t{24});
  QCOMPARE(results->goals.size(), std::size_t{5});
  QVERIFY(std::count(results->front.begin(), results->front.end(), 1) > 0);

  // What the window writes is what the command line finds, point by point.
  const QString path = QString::fromStdString(scratch.path("window.csv"));
  QCOMPARE(export_view(view, path), QString());
  const test::Outcome swept =
      test::tilewright("sweep " + file + " -o " + scratch.path("swept") +
                       " --progress none >/dev/null && '" TILEWRIGHT_PROGRAM "' export " + scratch.path("swept"));
  QVERIFY2(swept.code == 0, swept.err.c_str());
  const auto table = [](const QString& text) {
    QList<QStringList> rows;
    for (const QString& line : text.split('\n', Qt::SkipEmptyParts)) rows << line.split(',');
    return rows;
  };
  QFile written(path);
  QVERIFY(written.open(QIODevice::ReadOnly));
  const QList<QStringList> own = table(QString::fromUtf8(written.readAll())),
                           other = table(QString::fromStdString(swept.out));
  QCOMPARE(own.size(), 25);
  QCOMPARE(other.size(), 25);
  QVERIFY(own[0].contains("accuracy") && own[0].contains("arch") && own[0].last() == "front");
  for (qsizetype c = 0; c + 1 < own[0].size(); ++c) {
    const qsizetype same = other[0].indexOf(own[0][c]);
    QVERIFY2(same >= 0, qPrintable(own[0][c]));
    for (qsizetype r = 1; r < own.size(); ++r) {
      // Messages of missed limits hold commas: figures are counted from the end.
      const qsizetype at = same < 4 ? same : other[r].size() - (other[0].size() - same);
      QCOMPARE(own[r][c], other[r][at]);
    }
  }

  // A rectangle over the right half of the cloud brushes the points in all pictures and in the table.
  QCustomPlot& cloud = view.cloud();
  QApplication::processEvents();
  const QRect area = cloud.axisRect()->rect();
  QTest::mousePress(&cloud, Qt::LeftButton, Qt::ShiftModifier, {area.center().x(), area.top() + 1});
  const QPoint corner = area.bottomRight() - QPoint(1, 1);
  QMouseEvent moved(QEvent::MouseMove, corner, cloud.mapToGlobal(corner), Qt::NoButton, Qt::LeftButton,
                    Qt::ShiftModifier);
  QApplication::sendEvent(&cloud, &moved);
  QTest::mouseRelease(&cloud, Qt::LeftButton, Qt::ShiftModifier, corner);
  QVERIFY(view.brushed() > 0 && view.brushed() < 24);
  QCOMPARE(view.findChild<QTableView*>()->model()->rowCount(), static_cast<int>(view.brushed()));
  QCOMPARE(view.csv().count('\n'), static_cast<qsizetype>(view.brushed()) + 1);
}

void StudyWindowTest::a_study_is_put_together_in_a_dialog_and_runs() {
  const Scratch scratch;
  MainWindow window;
  window.show();
  QSignalSpy answer(&window, &MainWindow::answered);
  window.set_project({"mobilenet_v2", TILEWRIGHT_SOURCE_DIR "/docs/examples/edge_by_parts.yaml", {}});
  QVERIFY(answer.count() > 0 || answer.wait(patience));
  window.show_view("study");
  auto* view = window.findChild<StudyView*>();
  const QString path = QString::fromStdString(scratch.path("drafted.yaml"));
  QTimer::singleShot(0, &window, [&] {
    auto* dialog = qobject_cast<StudyDialog*>(QApplication::activeModalWidget());
    QVERIFY(dialog != nullptr);
    auto* save = dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Save);
    auto* told = dialog->findChild<QLabel*>("draft.told");
    const auto box = [&](const char* name) { return dialog->findChild<QCheckBox*>(name); };
    QVERIFY(!box("draft.goal.accuracy")->isEnabled());  // one network has no score
    dialog->findChild<QComboBox*>("draft.networks")->setCurrentIndex(1);
    box("draft.goal.accuracy")->setChecked(true);
    box("draft.goal.area")->setChecked(true);
    box("draft.varies.chip.compute.rows")->setChecked(true);
    auto* values = dialog->findChild<QLineEdit*>("draft.values.chip.compute.rows");
    QCOMPARE(values->text(), QString("8, 16, 32"));
    values->setText("8, x]");
    QVERIFY(!save->isEnabled() && !told->text().isEmpty());
    values->setText("8, 16");
    dialog->findChild<QComboBox*>("draft.strategy")->setCurrentIndex(2);
    dialog->findChild<QSpinBox*>("draft.budget")->setValue(12);
    QCOMPARE(told->text(), QString("points: 12"));
    QVERIFY(save->isEnabled());
    QTimer::singleShot(0, &window, [&] {
      auto* files = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
      QVERIFY(files != nullptr);
      files->findChild<QLineEdit*>("fileNameEdit")->setText(path);
      QTest::keyClick(files->findChild<QLineEdit*>("fileNameEdit"), Qt::Key_Return);
    });
    QTest::mouseClick(save, Qt::LeftButton);
  });
  QVERIFY(click(*view, "study.new"));
  const StudyRequest drafted = load_study(path.toStdString());
  QVERIFY(drafted.architectures != nullptr && drafted.strategy == Strategy::nsga2);
  QCOMPARE(drafted.goals.size(), std::size_t{4});
  view->set_folder(QString::fromStdString(scratch.path("results")));
  run(*view);
  QCOMPARE(view->results()->size(), std::size_t{12});
}

void StudyWindowTest::a_point_of_the_table_is_marked_and_shown_in_all_views() {
  const Scratch scratch;
  MainWindow window;
  StudyView& view = opened(window, scratch.file("joint.yaml", joint), scratch.path("results"));
  run(view);
  auto* table = view.findChild<QTableView*>();
  table->setFocus();
  table->selectRow(0);
  QTest::keyClick(table, Qt::Key_Down);
  const auto marked = [&] {
    const QCustomPlot& cloud = view.cloud();
    return cloud.graph(cloud.graphCount() - 1)->data()->size();
  };
  QCOMPARE(marked(), 1);
  QTest::keyClick(table, Qt::Key_Down, Qt::ShiftModifier);
  QCOMPARE(marked(), 2);
  QTest::keyClick(table, Qt::Key_Home, Qt::ControlModifier);
  QSignalSpy answer(&window, &MainWindow::answered);
  const std::size_t first = static_cast<const StudyTable*>(table->model())->point(0);
  QTest::keyClick(table, Qt::Key_Return);
  const Project chosen = project_of(*view.results()->request, view.results()->positions[first]);
  QVERIFY(window.project() == chosen);
  QTRY_VERIFY_WITH_TIMEOUT(window.analysis() && window.analysis()->searched && window.analysis()->project == chosen,
                           patience);
  const auto& columns = view.results()->columns;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].name == "latency_s")
      QCOMPARE(window.analysis()->result.latency.value, view.results()->values[c][first]);
  }
  QVERIFY(window.undo_stack().canUndo());
}

void StudyWindowTest::a_study_that_cannot_be_read_says_where() {
  const Scratch scratch;
  MainWindow window;
  StudyView& view = opened(window, scratch.file("joint.yaml", joint), scratch.path("results"));
  view.set_study(QString::fromStdString(scratch.file("broken.yaml", "study: s\nspace: nasbench-macro\nchpis: [l4]\n")));
  QSignalSpy finished(&view, &StudyView::finished);
  const int width = window.width();
  QVERIFY(click(view, "study.run"));
  QVERIFY(finished.count() > 0 || finished.wait(patience));
  QVERIFY(!finished.front().front().toBool());
  const QList<QLabel*> labels = view.findChildren<QLabel*>();
  QVERIFY(std::any_of(labels.begin(), labels.end(), [](const QLabel* label) {
    return label->text().contains("broken.yaml") && label->text().contains("chips");
  }));
  QApplication::processEvents();
  QCOMPARE(window.width(), width);  // a long reason does not push the window apart
}

void StudyWindowTest::every_panel_copies_its_own_command_line() {
  MainWindow window;
  window.show();
  QSignalSpy answer(&window, &MainWindow::answered);
  window.set_project({"gemm:m=64,n=64,k=64", "edge-systolic-16x16", {}});
  QVERIFY(answer.count() > 0 || answer.wait(patience));
  auto* view = window.findChild<StudyView*>();
  view->set_study("my study.yaml");
  view->set_folder("results");
  const QString run = "tilewright run gemm:m=64,n=64,k=64 --chip edge-systolic-16x16 --objective latency --engine ";
  for (const auto& [panel, command] :
       {std::pair{"graph", run + "analytical"}, std::pair{"timeline", run + "systemc --trace trace.json"},
        std::pair{"roofline", QString(run).replace(" run ", " roofline ") + "analytical -o roofline.svg"},
        std::pair{"study", QString("tilewright sweep 'my study.yaml' -o results && tilewright export results")},
        std::pair{"validation", QString("tilewright validate gpu")}}) {
    window.show_view(panel);
    action_of(window, Qt::CTRL | Qt::SHIFT | Qt::Key_C)->trigger();
    QCOMPARE(QApplication::clipboard()->text(), command);
  }
}

void StudyWindowTest::the_keys_of_plots_do_what_the_sheet_says() {
  MainWindow window;
  window.show();
  QSignalSpy answer(&window, &MainWindow::answered);
  window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}});
  QVERIFY(answer.count() > 0 || answer.wait(patience));
  window.show_view("roofline");
  auto* plot = window.findChild<RooflineView*>()->findChild<QCustomPlot*>();
  for (const KeyHelp& help : plot_keys()) {
    for (const Qt::Key key : help.keys) {
      const QCPRange x = plot->xAxis->range(), y = plot->yAxis->range();
      QTest::keyClick(plot, key);
      QVERIFY2(plot->xAxis->range() != x || plot->yAxis->range() != y, qPrintable(help.shown));
    }
  }
}

}  // namespace tilewright::gui

QTEST_MAIN(tilewright::gui::StudyWindowTest)
