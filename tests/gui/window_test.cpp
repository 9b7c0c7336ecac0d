#include "tests/gui/window_test.hpp"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAccessible>
#include <QComboBox>
#include <QDockWidget>
#include <QDropEvent>
#include <QFileDialog>
#include <QGraphicsItem>
#include <QGraphicsView>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QProcess>
#include <QSignalSpy>
#include <QSlider>
#include <QStandardPaths>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include "gui/views/export.hpp"
#include "gui/views/graph_view.hpp"
#include "gui/views/layers_view.hpp"
#include "gui/views/main_window.hpp"
#include "gui/views/study_view.hpp"

namespace tilewright::gui {

namespace {

constexpr int patience = 120'000;  // ms, on a loaded machine

QString written(const QTemporaryDir& folder, const QString& name, const QByteArray& text) {
  QFile file(folder.filePath(name));
  return file.open(QIODevice::WriteOnly) && file.write(text) == text.size() ? file.fileName() : QString();
}

/// What a program prints; its exit code in `code`.
QString printed(const QString& program, const QStringList& arguments, int& code) {
  QProcess process;
  process.setProcessChannelMode(QProcess::MergedChannels);
  process.start(program, arguments);
  code = process.waitForFinished(patience) ? process.exitCode() : -1;
  return QString::fromUtf8(process.readAll());
}

/// Waits for the answer to what `does` asks.
template <class Does>
void answered(MainWindow& window, const Does& does) {
  QSignalSpy answer(&window, &MainWindow::answered);
  does();
  QVERIFY(answer.count() > 0 || answer.wait(patience));
}

}  // namespace

void WindowTest::initTestCase() {
  QStandardPaths::setTestModeEnabled(true);
  // What is saved aside is this process's own.
  QCoreApplication::setApplicationName(QString("tilewright-window-%1").arg(QCoreApplication::applicationPid()));
}

void WindowTest::cleanupTestCase() {
  QDir(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation)).removeRecursively();
}

void WindowTest::a_slider_moves_the_answer_and_undo_brings_it_back() {
  MainWindow window;
  answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
  const double before = window.analysis()->result.latency.value;
  auto* bandwidth = window.findChild<QSlider*>("chip.levels.DRAM.bandwidth");
  QVERIFY(bandwidth != nullptr);
  answered(window, [&] { bandwidth->setValue(0); });
  QVERIFY(window.analysis()->result.latency.value > before);
  QCOMPARE(window.undo_stack().count(), 1);
  answered(window, [&] { bandwidth->setValue(2); });
  QCOMPARE(window.undo_stack().count(), 1);  // one slider, one edit
  answered(window, [&] { window.undo_stack().undo(); });
  QCOMPARE(window.analysis()->result.latency.value, before);
  QCOMPARE(bandwidth->value(), bandwidth->maximum() / 2);
}

void WindowTest::a_moving_slider_is_followed_at_once_and_searched_when_it_rests() {
  MainWindow window;
  answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
  QVERIFY(window.status().contains("answered in"));
  QSignalSpy quick(&window, &MainWindow::previewed), searched(&window, &MainWindow::answered);
  auto* bandwidth = window.findChild<QSlider*>("chip.levels.DRAM.bandwidth");
  bandwidth->setValue(1);
  QVERIFY(quick.wait(patience));
  QVERIFY(!window.analysis()->searched);
  QVERIFY(window.status().contains("known mappings"));
  bandwidth->setValue(0);  // before the first position was searched
  QVERIFY(searched.count() > 0 || searched.wait(patience));
  QVERIFY(window.analysis()->searched);
  QVERIFY(window.status().contains("answered in"));
  QVERIFY(window.analysis()->project == window.project());
  Analyser own;
  QCOMPARE(window.analysis()->result.latency.value, own.analyse(window.project())->result.latency.value);
}

void WindowTest::a_bad_file_is_refused_with_its_place_and_the_answer_stays() {
  MainWindow window;
  answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
  QTemporaryDir folder;
  const QString path = folder.filePath("broken.onnx");
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write("not a network");
  file.close();
  QSignalSpy refusal(&window, &MainWindow::refused);
  window.open(path);
  QVERIFY(refusal.count() > 0 || refusal.wait(patience));
  QVERIFY(refusal.front().front().toString().contains("broken.onnx"));
  QCOMPARE(QString::fromStdString(window.analysis()->result.workload), QString("mobilenet_v2"));
}

void WindowTest::a_saved_project_opens_with_the_same_figures() {
  QTemporaryDir folder;
  Project project{"mobilenet_v2", "edge-systolic-16x16", {}};
  project.change("chip.compute.rows", "8");
  const QString path = folder.filePath("project.yaml");
  QFile file(path);
  QVERIFY(file.open(QIODevice::WriteOnly));
  file.write(QByteArray::fromStdString(project_text(project)));
  file.close();
  MainWindow first, second;
  answered(first, [&] { first.set_project(project); });
  answered(second, [&] { second.open(path); });
  QCOMPARE(second.analysis()->result.energy.total().value, first.analysis()->result.energy.total().value);
  QVERIFY(second.project() == project);
}

void WindowTest::every_view_is_drawn_and_exported_in_light_and_dark() {
  MainWindow window;
  window.show();
  answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
  window.selection().select(3);
  QTemporaryDir folder;
  for (const bool dark : {false, true}) {
    window.set_dark(dark);
    for (const QString& name : window.view_names()) {
      QVERIFY(window.show_view(name));
      QApplication::processEvents();
      QVERIFY(!window.grab().isNull());
    }
  }
  QTRY_VERIFY_WITH_TIMEOUT(window.ready(), patience);
  for (Panel* view : window.findChildren<Panel*>()) {
    for (const QString kind : {"png", "svg", "pdf", "csv"}) {
      const QString path = folder.filePath("view." + kind);
      QCOMPARE(export_view(*view, path), QString());
      const bool empty = qobject_cast<StudyView*>(view) != nullptr && kind == "csv";  // no study was run
      QVERIFY(empty || QFileInfo(path).size() > 40);
    }
    QVERIFY(!export_view(*view, folder.filePath("view.doc")).isEmpty());
    QVERIFY(!view->accessibleName().isEmpty());
  }
}

void WindowTest::the_pinned_baseline_gives_differences() {
  MainWindow window;
  answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
  QVERIFY(!window.status().contains('('));
  for (QAction* action : window.findChildren<QAction*>()) {
    if (action->shortcut() == QKeySequence(Qt::CTRL | Qt::Key_B)) action->trigger();
  }
  auto* bandwidth = window.findChild<QSlider*>("chip.levels.DRAM.bandwidth");
  answered(window, [&] { bandwidth->setValue(0); });
  QVERIFY(window.status().contains("(+"));
}

void WindowTest::every_control_has_a_name_and_takes_the_focus() {
  MainWindow window;
  window.show();
  answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
  window.selection().select(3);
  QStringList nameless, unreachable;
  for (const QString& view : window.view_names()) {
    window.show_view(view);
    QApplication::processEvents();
  }
  for (const QWidget* control : window.findChildren<QWidget*>()) {
    const bool is_control = qobject_cast<const QAbstractButton*>(control) != nullptr ||
                            qobject_cast<const QComboBox*>(control) != nullptr ||
                            qobject_cast<const QSlider*>(control) != nullptr ||
                            qobject_cast<const QLineEdit*>(control) != nullptr ||
                            qobject_cast<const QAbstractItemView*>(control) != nullptr;
    const QWidget* above = control->parentWidget();
    const bool part_of_another =
        control->objectName().startsWith("qt_") || qobject_cast<const QComboBox*>(above) != nullptr ||
        control->inherits("QHeaderView") || control->inherits("QTableCornerButton") ||
        control->inherits("QComboBoxListView") || qobject_cast<const QTabBar*>(above) != nullptr ||
        qobject_cast<const QLineEdit*>(above) != nullptr || qobject_cast<const QDockWidget*>(above) != nullptr;
    if (!is_control || part_of_another) continue;
    const QAccessibleInterface* told = QAccessible::queryAccessibleInterface(const_cast<QWidget*>(control));
    const QString where =
        QString("%1 '%2' in %3")
            .arg(control->metaObject()->className(), control->objectName(), above->metaObject()->className());
    if (told == nullptr || told->text(QAccessible::Name).isEmpty()) nameless << where;
    if ((control->focusPolicy() & Qt::TabFocus) == 0) unreachable << where;
  }
  QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join("; ")));
  QVERIFY2(unreachable.isEmpty(), qPrintable(unreachable.join("; ")));
}

void WindowTest::dropped_files_are_opened_and_clicks_select_in_all_views() {
  MainWindow window;
  window.show();
  window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}});
  QMimeData files;
  files.setUrls({QUrl::fromLocalFile(TILEWRIGHT_SOURCE_DIR "/workloads/models/resnet18.onnx"),
                 QUrl::fromLocalFile(TILEWRIGHT_SOURCE_DIR "/arch_models/chips/gemmini-16x16.yaml")});
  const QPoint place(600, 300);
  QDragEnterEvent enter(place, Qt::CopyAction, &files, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &enter);
  QVERIFY(enter.isAccepted());
  QDropEvent drop(place, Qt::CopyAction, &files, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &drop);
  QTRY_VERIFY_WITH_TIMEOUT(window.analysis() && window.analysis()->project == window.project(), patience);
  QVERIFY(window.project().workload.ends_with("resnet18.onnx"));
  QCOMPARE(QString::fromStdString(window.analysis()->result.chip), QString("gemmini-16x16"));

  auto* graph = window.findChild<GraphView*>()->findChild<QGraphicsView*>();
  QApplication::processEvents();
  for (const QGraphicsItem* item : graph->items(graph->viewport()->rect())) {
    if (!(item->flags() & QGraphicsItem::ItemIsFocusable)) continue;
    QTest::mouseClick(graph->viewport(), Qt::LeftButton, {}, graph->mapFromScene(item->sceneBoundingRect().center()));
    break;
  }
  QVERIFY(window.selection().row() >= 0);
  auto* table = window.findChild<LayersView*>()->findChild<QTableView*>();
  QCOMPARE(table->currentIndex().row(), window.selection().row());
  constexpr int row = 2;
  QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, table->visualRect(table->model()->index(row, 1)).center());
  QCOMPARE(window.selection().row(), row);
  QTest::keyClick(table, Qt::Key_Down);
  QCOMPARE(window.selection().row(), row + 1);
}

void WindowTest::a_saved_session_gives_the_figures_of_a_sweep() {
  const QTemporaryDir folder;
  MainWindow window;
  answered(window, [&] {
    window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}, Objective::energy, Engine::analytical});
  });
  answered(window, [&] { window.findChild<QSlider*>("chip.compute.rows")->setValue(2); });
  answered(window, [&] { window.findChild<QSlider*>("model.batch")->setValue(1); });
  const QString path = written(folder, "session.yaml", QByteArray::fromStdString(project_text(window.project())));
  int code = 0;
  const QString said = printed(TILEWRIGHT_PROGRAM, {"sweep", path, "-o", folder.filePath("results")}, code);
  QVERIFY2(code == 0, qUtf8Printable(said));
  const QStringList lines = printed(TILEWRIGHT_PROGRAM, {"export", folder.filePath("results")}, code).split('\n');
  QCOMPARE(code, 0);
  const auto figure = [&](const QString& column) {
    return lines.at(1).split(',').at(lines.at(0).split(',').indexOf(column)).toDouble();
  };
  const NetworkEvaluation& shown = window.analysis()->result;
  QCOMPARE(figure("latency_s"), shown.latency.value);
  QCOMPARE(figure("energy_j"), shown.energy.total().value);
  QCOMPARE(figure("macs"), static_cast<double>(shown.macs));
  answered(window, [&] { window.undo_stack().undo(); });
  answered(window, [&] { window.open(path); });
  QCOMPARE(window.analysis()->result.latency.value, figure("latency_s"));
}

void WindowTest::a_view_is_exported_by_its_key() {
  const QTemporaryDir folder;
  MainWindow window;
  window.show();
  answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
  const QString path = folder.filePath("bars.csv");
  window.show_view("bars");
  QTimer::singleShot(0, &window, [&] {
    auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
    QVERIFY(dialog != nullptr);
    dialog->findChild<QLineEdit*>("fileNameEdit")->setText(path);
    QTest::keyClick(dialog->findChild<QLineEdit*>("fileNameEdit"), Qt::Key_Return);
  });
  QTest::keySequence(&window, QKeySequence(Qt::CTRL | Qt::Key_E));
  QFile file(path);
  QVERIFY(file.open(QIODevice::ReadOnly));
  QCOMPARE(QString::fromUtf8(file.readAll()).count('\n'),
           static_cast<qsizetype>(window.analysis()->result.layers.size()) + 1);
}

void WindowTest::what_a_window_that_crashed_left_is_restored_once() {
  Project edited;
  {
    MainWindow window;
    answered(window, [&] { window.set_project({"mobilenet_v2", "edge-systolic-16x16", {}}); });
    answered(window, [&] { window.findChild<QSlider*>("chip.compute.rows")->setValue(2); });
    edited = window.project();
  }  // gone without being closed
  MainWindow second;
  second.show();
  bool recovered = false;
  answered(second, [&] { recovered = second.recover(); });
  QVERIFY(recovered);
  QVERIFY(second.project() == edited);
  second.close();
  MainWindow third;
  QVERIFY(!third.recover());
}

void WindowTest::a_picture_is_taken_without_a_display() {
  const QTemporaryDir folder;
  int code = 0;
  for (const QString view : {"roofline", "chip"}) {
    const QString path = folder.filePath(view + ".png");
    const QString said =
        printed(TILEWRIGHT_GUI,
                {"--screenshot", view, path, "mobilenet_v2", "--dark", "--language", "ru", "--layer", "3"}, code);
    QVERIFY2(code == 0, qUtf8Printable(said));
    QCOMPARE(QImage(path).size(), QSize(1280, 800));
  }
  const QString behind = folder.filePath("behind.png");
  printed(TILEWRIGHT_GUI, {"mobilenet_v2", "--screenshot", "graph", behind, "--dark"}, code);
  QVERIFY(code == 0 && QImage(behind).width() == 1280);
  const QString path = folder.filePath("none.png");
  QVERIFY(printed(TILEWRIGHT_GUI, {"--screenshot", "rooflin", path}, code).contains("known: window, graph, roofline"));
  QCOMPARE(code, 2);
  QVERIFY(printed(TILEWRIGHT_GUI, {"--screenshot", "graph", path, "resnet51"}, code).contains("resnet50"));
  QCOMPARE(code, 2);
  QVERIFY(!QFile::exists(path));
}

}  // namespace tilewright::gui

QTEST_MAIN(tilewright::gui::WindowTest)
