#include "tests/gui/tabs_test.hpp"

#include <QAction>
#include <QComboBox>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSlider>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>

#include "arch_models/load.hpp"
#include "gui/views/chip_view.hpp"
#include "gui/views/graph_view.hpp"
#include "gui/views/main_window.hpp"
#include "gui/views/shortcut_sheet.hpp"
#include "gui/views/theme.hpp"
#include "gui/views/timeline_canvas.hpp"
#include "gui/views/timeline_view.hpp"

namespace tilewright::gui {
namespace {

constexpr int patience = 60'000;  // ms, on a loaded machine

void answered(MainWindow& window, const Project& project) {
  QSignalSpy answer(&window, &MainWindow::answered);
  window.set_project(project);
  QVERIFY(answer.count() > 0 || answer.wait(patience));
}

}  // namespace

void TabsTest::initTestCase() { QStandardPaths::setTestModeEnabled(true); }

void TabsTest::tiles_are_stepped_played_and_followed_down_to_the_array() {
  MainWindow window;
  window.show();
  answered(window, {"mobilenet_v2", "edge-systolic-16x16", {}});
  window.show_view("tiling");
  window.selection().select(2);
  auto* position = window.findChild<QSlider*>("tiling.position");
  auto* level = window.findChild<QComboBox*>("tiling.level");
  auto* where = window.findChild<QLabel*>("tiling.where");
  QTRY_VERIFY_WITH_TIMEOUT(position->maximum() > 3, patience);
  QTest::mouseClick(window.findChild<QToolButton*>("tiling.next"), Qt::LeftButton);
  QTest::mouseClick(window.findChild<QToolButton*>("tiling.next"), Qt::LeftButton);
  QTest::mouseClick(window.findChild<QToolButton*>("tiling.back"), Qt::LeftButton);
  QCOMPARE(position->value(), 1);
  QVERIFY(where->text().startsWith("step 2 of "));
  auto* play = window.findChild<QToolButton*>("tiling.play");
  QTest::mouseClick(play, Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(position->value() >= 2, patience);
  position->setValue(position->maximum());
  QTRY_VERIFY_WITH_TIMEOUT(!play->isChecked(), patience);  // it stops at the end

  QCOMPARE(level->count(), 4);  // three levels that hand out tiles, and the array
  level->setCurrentIndex(1);
  QTRY_COMPARE_WITH_TIMEOUT(position->value(), 0, patience);
  level->setCurrentIndex(3);
  QTRY_VERIFY_WITH_TIMEOUT(where->text().startsWith("cycle 1 of "), patience);
  QTest::mouseClick(window.findChild<QToolButton*>("tiling.next"), Qt::LeftButton);
  QVERIFY(where->text().startsWith("cycle 2 of "));
  window.selection().select(-1);
  QVERIFY(!position->isEnabled());
}

void TabsTest::the_schedule_is_simulated_zoomed_selected_and_exported() {
  MainWindow window;
  window.show();
  answered(window, {"mobilenet_v2", "edge-systolic-16x16", {}});
  auto* view = window.findChild<TimelineView*>();
  QVERIFY(view->timeline() == nullptr);  // nothing is simulated before it is looked at
  window.show_view("timeline");
  QTRY_VERIFY_WITH_TIMEOUT(view->timeline() != nullptr, patience);
  const TimelinePtr shown = view->timeline();
  auto* canvas = window.findChild<TimelineCanvas*>();
  QCOMPARE(canvas->to(), static_cast<double>(shown->end));
  QTest::keyClick(canvas, Qt::Key_Plus);
  QTest::keyClick(canvas, Qt::Key_Plus);
  QCOMPARE(canvas->to() - canvas->from(), static_cast<double>(shown->end) / 4);
  QTest::keyClick(canvas, Qt::Key_Home);
  QCOMPARE(canvas->from(), 0.0);
  QTest::keyClick(canvas, Qt::Key_End);
  QCOMPARE(canvas->to(), static_cast<double>(shown->end));
  QTest::keyClick(canvas, Qt::Key_0);
  QTest::mouseClick(canvas, Qt::LeftButton, {},
                    {canvas->width() * 2 / 3, 30});  // the array comes first and always has a slice
  QVERIFY(window.selection().row() >= 0);

  QTemporaryDir folder;
  const QString path = folder.filePath("trace.json");
  view->save_trace(path);
  QTRY_VERIFY_WITH_TIMEOUT(!view->busy(), patience);
  QFile trace(path);
  QVERIFY(trace.open(QIODevice::ReadOnly));
  QVERIFY(trace.readAll().startsWith("{\"displayTimeUnit\":\"ns\",\"traceEvents\":["));
  QVERIFY(view->csv().count('\n') > 100);
}

void TabsTest::a_simulation_is_cancelled() {
  MainWindow window;
  window.show();
  answered(window, {"resnet50", "edge-systolic-16x16", {}});
  window.show_view("timeline");
  auto* view = window.findChild<TimelineView*>();
  QVERIFY(view->busy());
  QTest::mouseClick(window.findChild<QPushButton*>("timeline.cancel"), Qt::LeftButton);
  QVERIFY(!view->busy());
  QTest::qWait(300);
  QVERIFY(view->timeline() == nullptr);
  QTest::mouseClick(window.findChild<QPushButton*>("timeline.simulate"), Qt::LeftButton);
  QTRY_VERIFY_WITH_TIMEOUT(view->timeline() != nullptr, patience);
}

void TabsTest::a_figure_of_the_chip_is_checked_edited_undone_and_saved() {
  MainWindow window;
  window.show();
  answered(window, {"mobilenet_v2", "edge-systolic-16x16", {}});
  window.show_view("chip");
  const double before = window.analysis()->result.latency.value;
  auto* field = window.findChild<QLineEdit*>("field.levels.DRAM.bandwidth");
  auto* error = window.findChild<QLabel*>("error.levels.DRAM.bandwidth");
  field->selectAll();
  QTest::keyClicks(field, "1.6");
  QVERIFY(!error->isHidden());
  QVERIFY(error->text().contains("GB/s"));  // the units that it takes
  QTest::keyClick(field, Qt::Key_Return);
  QCOMPARE(window.undo_stack().count(), 0);  // a wrong text changes nothing
  QTest::keyClicks(field, " GB/s");
  QVERIFY(error->isHidden());
  {
    QSignalSpy answer(&window, &MainWindow::answered);
    QTest::keyClick(field, Qt::Key_Return);
    QVERIFY(answer.count() > 0 || answer.wait(patience));
  }
  QVERIFY(window.analysis()->result.latency.value > before);
  QCOMPARE(QString::fromStdString(window.project().value("chip.levels.DRAM.bandwidth")), QString("1.6 GB/s"));

  QTemporaryDir folder;
  const QString path = folder.filePath("mine.yaml");
  QCOMPARE(window.findChild<ChipView*>()->save(path), QString());
  QCOMPARE(load_chip(path.toStdString()).levels[0].bandwidth.value, window.analysis()->chip.levels[0].bandwidth.value);
  {
    MainWindow second;
    answered(second, {"mobilenet_v2", path.toStdString(), {}});
    QCOMPARE(second.analysis()->result.latency.value, window.analysis()->result.latency.value);
    QCOMPARE(second.analysis()->result.energy.total().value, window.analysis()->result.energy.total().value);
  }
  {
    QSignalSpy answer(&window, &MainWindow::answered);
    window.undo_stack().undo();
    QVERIFY(answer.count() > 0 || answer.wait(patience));
  }
  QCOMPARE(field->text(), QString("12.8 GB/s"));
  QCOMPARE(window.analysis()->result.latency.value, before);
  {
    QSignalSpy answer(&window, &MainWindow::answered);
    auto* slider = window.findChild<QSlider*>("slider.compute.rows");
    slider->setValue(slider->maximum());
    QVERIFY(answer.count() > 0 || answer.wait(patience));
  }
  QCOMPARE(window.findChild<QLineEdit*>("field.compute.rows")->text(), QString("128"));
}

void TabsTest::all_keys_stand_on_the_sheet_and_do_what_it_says() {
  MainWindow window;
  window.show();
  answered(window, {"mobilenet_v2", "edge-systolic-16x16", {}});
  QTest::keyClick(&window, Qt::Key_F1);
  auto* sheet = window.findChild<ShortcutSheet*>();
  QVERIFY(sheet != nullptr && sheet->isVisible());
  QString text;
  for (const QLabel* label : sheet->findChildren<QLabel*>()) text += label->text();
  int actions = 0;
  for (const QAction* action : window.findChildren<QAction*>()) {
    if (action->shortcut().isEmpty()) continue;
    ++actions;
    QVERIFY2(!action->text().isEmpty(), qPrintable(action->shortcut().toString()));
    QVERIFY2(text.contains('>' + action->shortcut().toString().toHtmlEscaped() + '<'),
             qPrintable(action->shortcut().toString()));
    QVERIFY2(text.contains('>' + action->text().remove('&').toHtmlEscaped() + '<'), qPrintable(action->text()));
  }
  QVERIFY(actions > 15);
  for (const QList<KeyHelp>& keys : {plot_keys(), ZoomView::keys(), TimelineCanvas::keys()}) {
    for (const KeyHelp& each : keys) QVERIFY(text.contains(each.shown) && text.contains(each.does));
  }
  QTest::keyClick(sheet, Qt::Key_Escape);
  QVERIFY(!sheet->isVisible());

  window.show_view("graph");
  auto* graph = window.findChild<GraphView*>()->findChild<ZoomView*>();
  for (int i = 0; i < 8; ++i) QTest::keyClick(graph, Qt::Key_Plus);
  for (const KeyHelp& help : ZoomView::keys()) {
    for (auto at = help.keys.rbegin(); at != help.keys.rend();
         ++at) {  // the view starts at the top: first down, then up
      const Qt::Key key = *at;
      const QTransform before = graph->transform();
      const QPointF centre = graph->mapToScene(graph->viewport()->rect().center());
      QTest::keyClick(graph, key);
      QVERIFY2(graph->transform() != before || graph->mapToScene(graph->viewport()->rect().center()) != centre,
               qPrintable(help.shown));
    }
  }
  QVERIFY(graph->mapFromScene(graph->sceneRect()).boundingRect().height() <= graph->height());  // all of it
}

}  // namespace tilewright::gui

QTEST_MAIN(tilewright::gui::TabsTest)
