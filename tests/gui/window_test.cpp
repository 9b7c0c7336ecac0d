#include "tests/gui/window_test.hpp"

#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAccessible>
#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QSlider>
#include <QStandardPaths>
#include <QTabBar>
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

}  // namespace tilewright::gui

QTEST_MAIN(tilewright::gui::WindowTest)
