// What-if from the slider to the painted views: every slider of a network and chip through all its positions, the tab in front changing at each step. CPU time in ms: of
// the quick answer, of the GUI thread that shows and paints it, and of the search that follows when the slider rests.
#include <benchmark/benchmark.h>

#include <QApplication>
#include <QSignalSpy>
#include <algorithm>
#include <ctime>

#include "gui/viewmodels/knobs.hpp"
#include "gui/views/main_window.hpp"

namespace {

using namespace tilewright::gui;

double cpu_ms(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void turn_sliders(benchmark::State& state, const Project& own) {
  constexpr int patience = 600'000;  // ms
  constexpr int positions = 5;       // of a slider, evenly
  MainWindow window;
  window.show();
  QSignalSpy quick(&window, &MainWindow::previewed), searched(&window, &MainWindow::answered),
      refused(&window, &MainWindow::refused);
  window.set_project(own);
  if (!searched.wait(patience)) return state.SkipWithError("no answer");
  Analyser analyser;
  const AnalysisPtr unchanged = analyser.analyse(own);
  const QStringList tabs{"graph", "roofline", "bars", "tiling", "chip", "compare"};
  window.selection().select(0);
  std::vector<double> whole, answer, gui, search;
  for (auto _ : state) {
    int step = 0;
    for (const Knob& knob : knobs(*unchanged)) {
      for (int p = 0; p < positions; ++p) {
        const auto at = static_cast<std::size_t>(p) * (knob.values.size() - 1) / (positions - 1);
        if (static_cast<int>(at) == knob.own) continue;
        Project turned = own;
        turned.change(knob.key, knob.values[at]);
        window.show_view(tabs[++step % tabs.size()]);
        QApplication::processEvents();
        try {
          analyser.analyse(own);
          double start = cpu_ms(CLOCK_THREAD_CPUTIME_ID);
          const AnalysisPtr known = analyser.preview(turned);
          answer.push_back(cpu_ms(CLOCK_THREAD_CPUTIME_ID) - start);
          start = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
          analyser.analyse(turned);
          search.push_back(cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - start);
        } catch (const std::exception&) { continue; }  // does not fit
        quick.clear();
        const double start = cpu_ms(CLOCK_THREAD_CPUTIME_ID);
        window.set_project(turned);
        if (quick.isEmpty() && !quick.wait(patience)) return state.SkipWithError("no quick answer");
        QApplication::processEvents();
        gui.push_back(cpu_ms(CLOCK_THREAD_CPUTIME_ID) - start);
        whole.push_back(answer.back() + gui.back());
      }
    }
  }
  state.counters["median_ms"] = quantile(whole, 0.5);
  state.counters["p95_ms"] = quantile(whole, 0.95);
  state.counters["answer_median_ms"] = quantile(answer, 0.5);
  state.counters["gui_median_ms"] = quantile(gui, 0.5);
  state.counters["gui_p95_ms"] = quantile(gui, 0.95);
  state.counters["search_median_ms"] = quantile(search, 0.5);
  state.counters["search_p95_ms"] = quantile(search, 0.95);
}

}  // namespace

int main(int argc, char** argv) {
  qputenv("QT_QPA_PLATFORM", "offscreen");
  const QApplication application(argc, argv);
  struct Network {
    const char *label, *workload;
  };
  for (const Network& network :
       {Network{"resnet50", "resnet50"}, Network{"bert", "bert-base"}, Network{"llama-7b", "llama-7b:phase=prefill"}}) {
    for (const char* chip : {"xeon-8380", "a100-sxm4-80gb", "zcu102-dpu", "edge-systolic-16x16", "loihi-2"}) {
      const std::string label = std::string("what_if/") + network.label + "/" + chip;
      const Project project{network.workload, chip, {}};
      benchmark::RegisterBenchmark(label.c_str(), [project](benchmark::State& state) { turn_sliders(state, project); })
          ->Iterations(1)
          ->Unit(benchmark::kSecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
