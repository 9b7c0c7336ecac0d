#include "gui/viewmodels/analyst.hpp"

#include <chrono>

#include "core/diagnostics.hpp"

namespace tilewright::gui {

Analyst::Analyst(QObject* parent) : QObject(parent), thread_([this] { work(); }) {
  qRegisterMetaType<AnalysisPtr>("tilewright::gui::AnalysisPtr");
  qRegisterMetaType<Project>("tilewright::gui::Project");
}

Analyst::~Analyst() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Analyst::ask(const Project& project) {
  {
    const std::lock_guard lock(mutex_);
    waiting_ = project;
  }
  wake_.notify_all();
  Q_EMIT asked();
}

void Analyst::work() {
  Analyser analyser;
  for (;;) {
    Project project;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || waiting_; });
      if (stop_) return;
      project = *std::exchange(waiting_, std::nullopt);
    }
    const auto start = std::chrono::steady_clock::now();
    AnalysisPtr analysis;
    std::string reason;
    try {
      analysis = analyser.analyse(project);
    } catch (const std::exception& error) { reason = error.what(); }
    {
      const std::lock_guard lock(mutex_);
      if (waiting_) continue;  // the answer is out of date
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (analysis) {
      Q_EMIT answered(analysis, seconds);
    } else {
      Q_EMIT refused(project, QString::fromStdString(reason));
    }
  }
}

}  // namespace tilewright::gui
