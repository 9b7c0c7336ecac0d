// Answers projects off the GUI thread, in two steps: at once with known mappings, then searched. The latest request wins.
#pragma once

#include <QObject>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "gui/viewmodels/analysis.hpp"

namespace tilewright::gui {

class Analyst : public QObject {
  Q_OBJECT

 public:
  explicit Analyst(QObject* parent = nullptr);
  ~Analyst() override;

  /// Returns at once. One of `answered` and `refused` follows unless a later request takes its place; before it, where the mappings of earlier answers can
  /// stand for the best ones, `previewed`. Requests that follow one another quickly (a slider that moves) are only searched when they rest.
  void ask(const Project& project);

 Q_SIGNALS:
  void asked();
  void previewed(tilewright::gui::AnalysisPtr analysis, double seconds);
  void answered(tilewright::gui::AnalysisPtr analysis, double seconds);
  void refused(tilewright::gui::Project project, QString reason);

 private:
  void work();
  void answer(Analyser& analyser, const Project& project);
  bool overtaken();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Project> waiting_;
  bool stop_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace tilewright::gui
