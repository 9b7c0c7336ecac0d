#include "gui/viewmodels/analyst.hpp"

#include <chrono>

#include "core/diagnostics.hpp"
#include "sim/twin/program.hpp"

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

bool Analyst::overtaken() {
  const std::lock_guard lock(mutex_);
  return stop_ || waiting_;
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
    try {
      answer(analyser, project);
    } catch (const Stopped&) {  // overtaken
    } catch (const std::exception& error) {
      if (!overtaken()) Q_EMIT refused(project, QString::fromStdString(error.what()));
    }
  }
}

void Analyst::answer(Analyser& analyser, const Project& project) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  auto start = Clock::now();
  if (const AnalysisPtr preview = analyser.preview(project)) {
    if (overtaken()) return;
    Q_EMIT previewed(preview, since(start));
    constexpr auto rest = std::chrono::milliseconds(60);  // a hand that moves a slider asks again within this time
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, rest, [this] { return stop_ || waiting_; })) return;
  }
  start = Clock::now();
  const AnalysisPtr analysis = analyser.analyse(project, [this] { return overtaken(); });
  if (!overtaken()) Q_EMIT answered(analysis, since(start));
}

}  // namespace tilewright::gui
