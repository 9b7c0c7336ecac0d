// What a user waits for in the window: the first picture, a dropped network, a moved plot, a cancelled study. Wall time is that of the
// iteration; `cpu_ms` is the CPU time of all threads, which other work on the machine does not lengthen.
#include <qcustomplot.h>

#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <QApplication>
#include <QDropEvent>
#include <QGraphicsView>
#include <QMimeData>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <ctime>
#include <random>

#include "core/text_file.hpp"
#include "gui/views/graph_view.hpp"
#include "gui/views/main_window.hpp"
#include "gui/views/study_view.hpp"

namespace {

using namespace tilewright::gui;

constexpr int patience = 600'000;  // ms
const std::string models = TILEWRIGHT_SOURCE_DIR "/workloads/models/";

double now_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

/// CPU time of the programs that were started and have ended.
double children_cpu_ms() {
  rusage used{};
  getrusage(RUSAGE_CHILDREN, &used);
  const auto ms = [](const timeval& t) {
    return 1e3 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_usec);
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

/// From the start of the program to its picture in a file: loading, window, analysis of a small network, painting.
void first_picture(benchmark::State& state) {
  const QTemporaryDir folder;
  const double start = children_cpu_ms();
  for (auto _ : state) {
    if (QProcess::execute(TILEWRIGHT_GUI, {"--screenshot", "window", folder.filePath("a.png"), "mobilenet_v2"}) != 0)
      return state.SkipWithError("no picture");
  }
  state.counters["cpu_ms"] = (children_cpu_ms() - start) / static_cast<double>(state.iterations());
}

/// From the drop of a file on the window until every view of its analysis has been shown and painted: reading the file, lowering it, searching all
/// mappings, painting the window with the graph (`graph_ms`), then six tabs and two docks. The Timeline is a simulation and starts when it is looked
/// at; Study and Validation show nothing of the network.
void open_network(benchmark::State& state, const std::string& file, const std::string& chip) {
  double cpu = 0, first = 0;
  for (auto _ : state) {
    MainWindow window;
    window.show();
    window.set_project({"gemm:m=64,n=64,k=64", chip, {}});
    if (!QTest::qWaitFor([&] { return window.analysis() != nullptr; }, patience))
      return state.SkipWithError("no answer");
    const AnalysisPtr before = window.analysis();
    QMimeData files;
    files.setUrls({QUrl::fromLocalFile(QString::fromStdString(models + file))});
    bool answered = false;
    QObject::connect(&window, &MainWindow::answered, &window, [&] { answered = true; });
    const double start = now_ms(CLOCK_PROCESS_CPUTIME_ID), wall = now_ms(CLOCK_MONOTONIC);
    const QPoint place = window.rect().center();
    QDragEnterEvent enter(place, Qt::CopyAction, &files, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window, &enter);
    QDropEvent drop(place, Qt::CopyAction, &files, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&window, &drop);
    if (window.project().workload == "gemm:m=64,n=64,k=64") return state.SkipWithError("the drop was not taken");
    while (!answered && now_ms(CLOCK_MONOTONIC) - wall < patience)
      QApplication::processEvents(QEventLoop::WaitForMoreEvents);
    if (window.analysis() == before) return state.SkipWithError("no answer");
    benchmark::DoNotOptimize(window.grab());
    first += now_ms(CLOCK_MONOTONIC) - wall;
    for (const QString& view : window.view_names()) {
      if (QStringList{"timeline", "study", "validation"}.contains(view)) continue;
      window.show_view(view);
      QApplication::processEvents();
      benchmark::DoNotOptimize(window.grab());
    }
    state.SetIterationTime(1e-3 * (now_ms(CLOCK_MONOTONIC) - wall));
    cpu += now_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
    state.counters["nodes"] = static_cast<double>(window.analysis()->graph->layers.size());
    state.counters["boxes"] =
        static_cast<double>(window.findChild<GraphView*>()->findChild<QGraphicsView*>()->items().size());
  }
  state.counters["cpu_ms"] = cpu / static_cast<double>(state.iterations());
  state.counters["graph_ms"] = first / static_cast<double>(state.iterations());
}

/// One step of a drag through a cloud of points, painted.
void pan_points(benchmark::State& state) {
  auto results = std::make_shared<StudyResults>();
  results->columns = {{"latency_s", {}, true}, {"energy_j", {}, true}};
  results->goals = {0, 1};
  results->values.resize(2);
  std::mt19937_64 random(3);
  std::lognormal_distribution<double> spread(0, 1);
  for (std::int64_t p = 0; p < state.range(0); ++p) {
    for (std::vector<double>& column : results->values) column.push_back(spread(random));
    results->front.push_back(p % 2000 == 0 ? 1 : 0);
  }
  MainWindow window;
  window.show();
  window.show_view("study");
  auto* view = window.findChild<StudyView*>();
  view->show_results(results);
  QCustomPlot& cloud = view->cloud();
  QTest::qWait(200);
  const QPoint middle = cloud.rect().center();
  QTest::mousePress(&cloud, Qt::LeftButton, {}, middle);
  int step = 0, painted = 0;
  QObject::connect(&cloud, &QCustomPlot::afterReplot, &window, [&] { ++painted; });
  const double start = now_ms(CLOCK_PROCESS_CPUTIME_ID);
  for (auto _ : state) {
    ++step;
    const QPoint to = middle + QPoint(step % 40 - 20, step % 30 - 15);
    QMouseEvent moved(QEvent::MouseMove, to, cloud.mapToGlobal(to), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(&cloud, &moved);
    QApplication::processEvents();
  }
  const double each = (now_ms(CLOCK_PROCESS_CPUTIME_ID) - start) / static_cast<double>(state.iterations());
  state.counters["painted"] = painted;
  state.counters["cpu_ms"] = each;
  state.counters["frames_per_s"] = 1000 / each;
  QTest::mouseRelease(&cloud, Qt::LeftButton, {}, middle);
}

/// From the click on Cancel to the study that has stopped and shows its points.
void cancel_study(benchmark::State& state) {
  const QTemporaryDir folder;
  const std::string study = folder.filePath("study.yaml").toStdString();
  tilewright::write_file(study,
                         "study: long\nworkloads: [resnet50]\nchips: [edge-systolic-16x16]\nvary:\n"
                         "  chip.compute.rows: [4, 8, 12, 16, 20, 24, 28, 32]\n"
                         "  chip.compute.cols: [4, 8, 12, 16, 20, 24, 28, 32]\n"
                         "  chip.clock: [100 MHz, 200 MHz, 400 MHz, 800 MHz]\n");
  int run = 0;
  double cpu = 0;
  for (auto _ : state) {
    MainWindow window;
    window.show();
    auto* view = window.findChild<StudyView*>();
    view->set_study(QString::fromStdString(study));
    bool progressed = false;
    QObject::connect(&view->runner(), &StudyRunner::progressed, &window, [&] { progressed = true; });
    window.run_study(folder.filePath(QString::number(++run)));
    if (!QTest::qWaitFor([&] { return progressed; }, patience)) return state.SkipWithError("no progress");
    const double start = now_ms(CLOCK_PROCESS_CPUTIME_ID), wall = now_ms(CLOCK_MONOTONIC);
    view->cancel();
    while (view->results() == nullptr) QApplication::processEvents(QEventLoop::WaitForMoreEvents);
    state.SetIterationTime(1e-3 * (now_ms(CLOCK_MONOTONIC) - wall));
    cpu += now_ms(CLOCK_PROCESS_CPUTIME_ID) - start;
  }
  state.counters["cpu_ms"] = cpu / static_cast<double>(state.iterations());
}

BENCHMARK(first_picture)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK_CAPTURE(open_network, resnet50, "resnet50.onnx", "edge-systolic-16x16")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
BENCHMARK_CAPTURE(open_network, bert_base, "bert_base_s128.onnx", "a100-sxm4-80gb")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
BENCHMARK_CAPTURE(open_network, llama_7b, "llama7b_decode_p2047.onnx", "tpu-v4i")
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(3);
BENCHMARK(pan_points)->Arg(100'000)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(200);
BENCHMARK(cancel_study)->UseManualTime()->Unit(benchmark::kMillisecond)->Iterations(5);

}  // namespace

int main(int argc, char** argv) {
  QStandardPaths::setTestModeEnabled(true);
  if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
  qputenv("QT_LOGGING_RULES", "qt.qpa.*=false");
  benchmark::Initialize(&argc, argv);
  const QApplication application(argc, argv);
  QApplication::setStyle("fusion");
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
