#include "gui/viewmodels/study_runner.hpp"

#include <algorithm>
#include <chrono>

#include "sim/study/sweep.hpp"

namespace tilewright::gui {

StudyRunner::StudyRunner(QObject* parent) : QObject(parent) {
  qRegisterMetaType<std::shared_ptr<const StudyResults>>("std::shared_ptr<const tilewright::gui::StudyResults>");
}

StudyRunner::~StudyRunner() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void StudyRunner::start(const QString& study_file, const QString& folder, int jobs) {
  if (thread_.joinable()) thread_.join();
  stop_ = false;
  running_ = true;
  thread_ =
      std::thread([this, file = study_file.toStdString(), to = folder.toStdString(), jobs] { run(file, to, jobs); });
}

void StudyRunner::run(const std::string& study_file, const std::string& folder, int jobs) {
  try {
    const StudyRequest request = load_study(study_file);
    PointEvaluator evaluator(request);
    evaluator.stop_when([this] { return stop_.load(); });
    bool complete = false;
    {
      StudyStore store = StudyStore::open(folder, request, evaluator.inputs());
      store.note_run("program: tilewright-gui");
      SweepOptions options;
      options.jobs = jobs;
      options.stop = &stop_;
      const auto start = std::chrono::steady_clock::now();
      auto told = start;
      options.progress = [&](const SweepProgress& progress) {
        const auto now = std::chrono::steady_clock::now();
        constexpr auto between = std::chrono::milliseconds(50);
        if (now - told < between && progress.stored < progress.points) return;
        told = now;
        const double seconds = std::chrono::duration<double>(now - start).count();
        Q_EMIT progressed(progress.stored, progress.points,
                          static_cast<double>(progress.stored - progress.resumed) / std::max(seconds, 1e-9));
      };
      complete = run_sweep(request, evaluator, store, options).complete;
      store.note_end();
    }
    const auto results = study_results(store_file(folder, {}));
    running_ = false;
    Q_EMIT finished(complete, results);
  } catch (const std::exception& error) {
    running_ = false;
    Q_EMIT refused(QString::fromStdString(error.what()));
  }
}

}  // namespace tilewright::gui
