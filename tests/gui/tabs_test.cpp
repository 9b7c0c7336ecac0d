#include "tests/gui/tabs_test.hpp"

#include <QComboBox>
#include <QLabel>
#include <QSignalSpy>
#include <QSlider>
#include <QStandardPaths>
#include <QTest>
#include <QToolButton>

#include "gui/views/main_window.hpp"

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

}  // namespace tilewright::gui

QTEST_MAIN(tilewright::gui::TabsTest)
