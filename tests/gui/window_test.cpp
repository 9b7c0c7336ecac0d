#include "tests/gui/window_test.hpp"

#include <QComboBox>
#include <QLabel>
#include <QSignalSpy>
#include <QSlider>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>

#include "gui/views/export.hpp"
#include "gui/views/main_window.hpp"

namespace tilewright::gui {

namespace {

constexpr int patience = 30'000;  // ms, on a loaded machine

/// Waits for the answer to what `does` asks.
template <class Does>
void answered(MainWindow& window, const Does& does) {
  QSignalSpy answer(&window, &MainWindow::answered);
  does();
  QVERIFY(answer.count() > 0 || answer.wait(patience));
}

}  // namespace

void WindowTest::initTestCase() { QStandardPaths::setTestModeEnabled(true); }

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
  for (View* view : window.findChildren<View*>()) {
    for (const QString kind : {"png", "svg", "pdf", "csv"}) {
      const QString path = folder.filePath("view." + kind);
      QCOMPARE(export_view(*view, path), QString());
      QVERIFY(QFileInfo(path).size() > 40);
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

}  // namespace tilewright::gui

QTEST_MAIN(tilewright::gui::WindowTest)
