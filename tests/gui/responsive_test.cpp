// No call on the GUI thread may take so long that it is felt: a script goes through all views with a small, a middle and a large network.
#include <qcustomplot.h>

#include <QAbstractButton>
#include <QComboBox>
#include <QGraphicsView>
#include <QLineEdit>
#include <QScrollArea>
#include <QSlider>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTableView>
#include <QTest>
#include <QTreeView>
#include <cstdio>
#include <random>

#include "gui/views/main_window.hpp"
#include "gui/views/study_view.hpp"
#include "gui/views/view.hpp"
#include "tests/gui/watched_application.hpp"

namespace tilewright::gui {
namespace {

constexpr double limit_ms = 50;
constexpr int patience = 120'000;  // ms, on a loaded machine

class Script {
 public:
  explicit Script(WatchedApplication& application) : application_(application) {
    window_.show();
    settle();
  }

  bool complete() const { return complete_; }

  void run(const std::string& workload, const std::string& chip) {
    const std::string of = workload.substr(workload.rfind('/') + 1) + ' ';
    step(
        of + "open",
        [&] {
          window_.set_project({workload, chip, {}});
        },
        true);
    for (const QString& name : window_.view_names()) {
      step(of + name.toStdString(), [&] { window_.show_view(name); });
      step(of + name.toStdString() + ", select", [&] { window_.selection().select(1); });
      step(of + name.toStdString() + ", select none", [&] { window_.selection().select(-1); });
      step(of + name.toStdString() + ", select", [&] { window_.selection().select(2); });
      for (View* view : window_.findChildren<View*>()) {
        if (view->isVisible()) touch(of + name.toStdString(), *view);
      }
      auto* slider = window_.findChild<QSlider*>(QString("chip.clock"));
      step(
          of + name.toStdString() + ", slider", [&] { slider->setValue(slider->value() == 3 ? 4 : 3); }, true);
      step(
          of + name.toStdString() + ", undo", [&] { window_.undo_stack().undo(); }, true);
      step(of + name.toStdString() + ", dark", [&] { window_.set_dark(true); });
      step(of + name.toStdString() + ", light", [&] { window_.set_dark(false); });
      step(of + name.toStdString() + ", narrow", [&] { window_.resize(1000, 700); });
      step(of + name.toStdString() + ", wide", [&] { window_.resize(1280, 800); });
    }
  }

  /// Files of studies over search spaces: thousands of networks with their scores.
  void open_studies() {
    for (const char* name : {"nasbench_macro_chips", "seqnas_abank", "edge_macro"})
      step(std::string("open ") + name,
           [&] { window_.open(QString(TILEWRIGHT_SOURCE_DIR "/docs/studies/%1.yaml").arg(name)); });
  }

  /// Brushing and moving among many points.
  void study(std::size_t points) {
    auto results = std::make_shared<StudyResults>();
    results->columns = {{"chip.compute.rows", {"4", "8", "16", "32"}, false},
                        {"chip.levels.DRAM.bandwidth", {"1 GB/s", "2 GB/s", "4 GB/s"}, false},
                        {"latency_s", {}, true},
                        {"energy_j", {}, true},
                        {"area_mm2", {}, false}};
    results->goals = {2, 3};
    results->values.resize(results->columns.size());
    std::mt19937_64 random(3);
    std::lognormal_distribution<double> spread(0, 1);
    for (std::size_t p = 0; p < points; ++p) {
      results->values[0].push_back(static_cast<double>(random() % 4));
      results->values[1].push_back(static_cast<double>(random() % 3));
      for (std::size_t c = 2; c < results->values.size(); ++c) results->values[c].push_back(spread(random));
      results->front.push_back(p % 2000 == 0 ? 1 : 0);
    }
    auto* view = window_.findChild<StudyView*>();
    step("study", [&] { window_.show_view("study"); });
    step("study, results", [&] { view->show_results(results); });
    QCustomPlot& cloud = view->cloud();
    const QPoint middle = cloud.rect().center();
    for (int i = 0; i < 5; ++i) drag("study, pan", cloud, middle, middle + QPoint(10 * i - 20, 15));
    wheel("study, zoom", cloud, middle, 240);
    wheel("study, zoom", cloud, middle, -240);
    drag("study, brush", cloud, middle - QPoint(60, 60), middle + QPoint(60, 60), Qt::ShiftModifier);
    drag("study, brush none", cloud, QPoint(cloud.width() - 30, 20), QPoint(cloud.width() - 25, 25), Qt::ShiftModifier);
    step("study, dark", [&] { window_.set_dark(true); });
    step("study, light", [&] { window_.set_dark(false); });
    step("study, narrow", [&] { window_.resize(1000, 700); });
    step("study, wide", [&] { window_.resize(1280, 800); });
    for (QComboBox* axis : view->findChildren<QComboBox*>()) step("study, axis", [&] { axis->setCurrentIndex(4); });
  }

 private:
  template <class Does>
  void step(const std::string& name, const Does& does, bool answers = false) {
    application_.begin(name);
    const auto before = window_.analysis();
    application_.call("call", does);
    if (answers && !QTest::qWaitFor([&] { return window_.analysis() != before; }, patience)) {
      std::printf("no answer: %s\n", name.c_str());
      complete_ = false;
    }
    settle();
  }

  void settle() {
    for (int i = 0; i < 3; ++i) QApplication::processEvents();
    if (!QTest::qWaitFor([&] { return window_.ready(); }, patience)) complete_ = false;
    for (int i = 0; i < 3; ++i) QApplication::processEvents();
  }

  void touch(const std::string& of, View& view) {
    for (QComboBox* box : view.findChildren<QComboBox*>()) {
      for (int i = 0; i < box->count() && i < 5 && box->isVisible(); ++i)
        step(of + ", " + box->accessibleName().toStdString(), [&] { box->setCurrentIndex(i); });
    }
    for (auto* box : view.findChildren<QAbstractButton*>()) {
      if (box->isVisible() && box->isCheckable() && box->isEnabled()) {
        step(of + ", " + box->text().toStdString(), [&] { box->toggle(); });
        step(of + ", " + box->text().toStdString(), [&] { box->toggle(); });
      }
    }
    for (QAbstractScrollArea* area : view.findChildren<QAbstractScrollArea*>()) {
      if (!area->isVisible()) continue;
      wheel(of + ", wheel", *area->viewport(), area->viewport()->rect().center(), -120);
      wheel(of + ", wheel", *area->viewport(), area->viewport()->rect().center(), 120);
      drag(of + ", drag", *area->viewport(), area->viewport()->rect().center(),
           area->viewport()->rect().center() + QPoint(40, 40));
    }
    for (QCustomPlot* plot : view.findChildren<QCustomPlot*>()) {
      if (!plot->isVisible()) continue;
      drag(of + ", pan", *plot, plot->rect().center(), plot->rect().center() + QPoint(30, 20));
      wheel(of + ", zoom", *plot, plot->rect().center(), 120);
    }
    for (auto* search : view.findChildren<QLineEdit*>()) {
      if (!search->isVisible() || search->placeholderText().isEmpty()) continue;
      application_.begin(of + ", search");
      QTest::keyClicks(search, "mul");
      QTest::keyClick(search, Qt::Key_Return);
      settle();
      search->clear();
      settle();
    }
  }

  void drag(const std::string& name, QWidget& on, QPoint from, QPoint to, Qt::KeyboardModifiers keys = {}) {
    application_.begin(name);
    QTest::mousePress(&on, Qt::LeftButton, keys, from);
    QMouseEvent moved(QEvent::MouseMove, to, on.mapToGlobal(to), Qt::NoButton, Qt::LeftButton, keys);
    QApplication::sendEvent(&on, &moved);
    QApplication::processEvents();
    QTest::mouseRelease(&on, Qt::LeftButton, keys, to);
    settle();
  }

  void wheel(const std::string& name, QWidget& on, QPoint at, int turn) {
    application_.begin(name);
    QWheelEvent turned(at, on.mapToGlobal(at), {}, {0, turn}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QApplication::sendEvent(&on, &turned);
    settle();
  }

  WatchedApplication& application_;
  MainWindow window_;
  bool complete_ = true;
};

int watch(WatchedApplication& application) {
  bool complete = true;
  {
    const std::string models = TILEWRIGHT_SOURCE_DIR "/workloads/models/";
    Script script(application);
    script.run(models + "resnet50.onnx", "edge-systolic-16x16");
    script.run(models + "bert_base_s128.onnx", "a100-sxm4-80gb");
    script.run(models + "llama7b_decode_p2047.onnx", "tpu-v4i");
    script.open_studies();
    script.study(100'000);
    complete = script.complete();
  }
  std::printf("%zu calls; the longest:\n", application.count());
  for (const GuiCall& call : application.worst(25))
    std::printf("%8.1f ms  %s: %s\n", call.ms, call.during.c_str(), call.what.c_str());
  const double worst = application.worst(1).front().ms;
  if (worst > limit_ms) std::printf("above the limit of %.0f ms\n", limit_ms);
  return complete && worst <= limit_ms ? 0 : 1;
}

}  // namespace
}  // namespace tilewright::gui

int main(int argc, char** argv) {
  QStandardPaths::setTestModeEnabled(true);
  tilewright::gui::WatchedApplication application(argc, argv);
  QApplication::setStyle("fusion");
  return tilewright::gui::watch(application);
}
